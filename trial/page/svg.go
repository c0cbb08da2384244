package page

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
)

// Sizes of the drawn timeline, in its own units.
const (
	lineRight  = 20
	laneHeight = 34
	apart      = 7  // marks that are nearer are drawn as one
	tickWidth  = 56 // of the name of a year or month
)

// A drawing is the timeline for one width of window.
type drawing struct {
	width int
	left  int // the names of the lanes stand before it; if too little for them, above the lanes
	above int // what a name above its lane needs
}

var wide, narrow = drawing{1000, 150, 0}, drawing{380, 12, 12}

// A mark on the timeline.
type point struct {
	at    time.Time
	class string // ok, bad, warn, void or none
	due   bool   // drawn as something that was due, not as an entry
	says  string
}

// A lane is a row of the timeline.
type lane struct {
	name   string
	points []point
}

// SVG draws what was logged when, when the trial's events took place, and what was due. It needs no
// style and no script beyond the classes of its elements. Everything on it stands in words below.
func (v *View) SVG() template.HTML { return v.draw(wide) }

// NarrowSVG is SVG for a window as wide as a phone's: letters keep their size.
func (v *View) NarrowSVG() template.HTML { return v.draw(narrow) }

func (v *View) draw(d drawing) template.HTML {
	lineWidth, lineLeft, laneHeight := d.width, d.left, laneHeight+d.above
	lanes := v.lanes()
	var first, last time.Time
	for _, l := range lanes {
		for _, p := range l.points {
			if first.IsZero() || p.at.Before(first) {
				first = p.at
			}
			if p.at.After(last) {
				last = p.at
			}
		}
	}
	if first.IsZero() {
		return ""
	}
	if day, err := time.Parse(time.DateOnly, v.At); err == nil && day.After(last) {
		last = day
	}
	span := max(last.Sub(first), 30*24*time.Hour)
	x := func(t time.Time) float64 {
		return float64(lineLeft) + float64(lineWidth-lineLeft-lineRight)*float64(t.Sub(first))/float64(span)
	}
	height := laneHeight*len(lanes) + 46
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="timeline" viewBox="0 0 %d %d" role="img" `+
		`aria-label="Timeline of the trial: %s. Everything on it is listed below.">`,
		lineWidth, height, template.HTMLEscapeString(v.Name()))
	bottom := laneHeight*len(lanes) + 14
	for _, t := range ticks(first, first.Add(span), (lineWidth-lineLeft)/tickWidth) {
		fmt.Fprintf(&b, `<line class="tick" x1="%.1f" x2="%.1f" y1="6" y2="%d"/>`+
			`<text class="soft" x="%.1f" y="%d" text-anchor="middle">%s</text>`,
			x(t.at), x(t.at), bottom, x(t.at), bottom+18, t.name)
	}
	if day, err := time.Parse(time.DateOnly, v.At); err == nil && len(v.Deadlines) > 0 {
		fmt.Fprintf(&b, `<line class="axis" stroke-dasharray="3 3" x1="%.1f" x2="%.1f" y1="6" y2="%d">`+
			`<title>%s, the day as of which deadlines are judged</title></line>`,
			x(day), x(day), bottom, v.At)
	}
	for i, l := range lanes {
		y := laneHeight*i + 24 + d.above
		name := y + 4
		if d.above > 0 {
			name = y - d.above
		}
		fmt.Fprintf(&b, `<text x="0" y="%d">%s</text><line class="axis" x1="%d" x2="%d" y1="%d" y2="%d"/>`, name, l.name, lineLeft,
			lineWidth-lineRight, y, y)
		slices.SortStableFunc(l.points, func(a, b point) int { return a.at.Compare(b.at) })
		for k := 0; k < len(l.points); {
			p := l.points[k]
			n := 1
			for k+n < len(l.points) && x(l.points[k+n].at)-x(p.at) < apart && l.points[k+n].due == p.due {
				p.class = graver(p.class, l.points[k+n].class)
				n++
			}
			says := p.says
			if n > 1 {
				says = fmt.Sprintf("%d from %s to %s, the first: %s", n, p.at.Format(time.DateOnly), l.points[k+n-1].at.Format(time.DateOnly), says)
			}
			if p.due {
				fmt.Fprintf(&b, `<path class="due %s" d="M%.1f %d l7 7 -7 7 -7 -7z"><title>%s</title></path>`, p.class, x(p.at), y-7,
					template.HTMLEscapeString(says))
			} else {
				fmt.Fprintf(&b, `<circle class="dot %s" cx="%.1f" cy="%d" r="%d"><title>%s</title></circle>`, p.class, x(p.at), y,
					min(6+n/10, 9), template.HTMLEscapeString(says))
			}
			k += n
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// graver returns the graver of two classes.
func graver(a, b string) string {
	order := []string{"void", "", "ok", "warn", "bad"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// lanes sorts what is known of the trial into the rows of the timeline.
func (v *View) lanes() (list []lane) {
	byName := map[string]*lane{}
	names := []string{"Registration", "Protocol", "SAP", "Milestones", "Results", "Other statements", "Observations", "Deadlines"}
	for _, n := range names {
		byName[n] = &lane{name: n}
	}
	of := map[string]string{"registration": "Registration", "identifier": "Registration", "protocol": "Protocol", "sap": "SAP",
		"results": "Results", "observation": "Observations"}
	for _, e := range v.Entries {
		if e.Kind == "milestone" {
			continue // drawn on the day of the event
		}
		p := point{at: e.Time.Std(), says: fmt.Sprintf("logged %s: %s (entry %d)", trial.Moment(e.Time.Std()), e.Says, e.Index)}
		if !e.InEffect {
			p.class = "void"
		} else if v.heavy(e) {
			p.class = "warn"
		}
		l := byName[cmp.Or(of[e.Kind], "Other statements")]
		l.points = append(l.points, p)
	}
	if v.Standing != nil {
		for _, e := range v.Standing.Events {
			if at, ok := day(e.Date); ok {
				l := byName["Milestones"]
				l.points = append(l.points, point{at: at, says: fmt.Sprintf("%s on %s (entry %d, logged %s)",
					strings.TrimSpace(e.Event+" "+e.Analysis+" "+e.Country), e.Date, e.Entry, trial.Moment(e.Logged.Std()))})
			}
		}
	}
	for _, d := range v.Deadlines {
		if at, ok := day(d.Due); ok {
			l := byName["Deadlines"]
			l.points = append(l.points, point{at, v.Tone(d.Verdict), true, fmt.Sprintf("%s due %s: %s", d.Rule, d.Due, d.Verdict)})
		}
	}
	for _, n := range names {
		if l := byName[n]; len(l.points) > 0 {
			list = append(list, *l)
		}
	}
	return list
}

// heavy reports whether an entry has a mark that bears on what the trial can show.
func (v *View) heavy(e dossier.ReportEntry) bool {
	for _, m := range e.Marks {
		if !m.Struck && isHeavy(m.ID) {
			return true
		}
	}
	return false
}

// day returns a date of a year, month or day as a moment.
func day(date string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2006-01", "2006"} {
		if t, err := time.Parse(layout, date); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

type tick struct {
	at   time.Time
	name string
}

// ticks returns years or, for a short time, months: about as many as there is room for, and ten at most.
func ticks(first, last time.Time, room int) (list []tick) {
	room = max(1, min(room, 10))
	months := int(last.Sub(first).Hours() / 24 / 30)
	step, layout := 12*max(1, (months/12+room-1)/room), "2006"
	if months < 30 {
		step, layout = max(1, (months+room-1)/room), "2006-01"
	}
	at := time.Date(first.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	for ; !at.After(last); at = at.AddDate(0, step, 0) {
		if !at.Before(first) {
			list = append(list, tick{at, at.Format(layout)})
		}
	}
	return list
}
