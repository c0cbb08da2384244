package sensor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A header says what the columns of a logger's table hold. A column is -1 if there is none.
type header struct {
	line                                       int
	delimiter                                  byte
	names                                      []string
	moment, date, clock, degrees, unit, device int            // moment is a date and time in one
	degree                                     string         // the unit that the header names, "" if none
	zone                                       *time.Location // that the header names, nil if none
	logger                                     string         // whose name is in the header
	skipped                                    []string
}

// words returns the words of a column's name in lower case, without units and punctuation.
func words(name string) string {
	name = strings.ToLower(name)
	name = brackets.ReplaceAllString(name, " ")
	if plain := zoneIn.ReplaceAllString(name, " "); strings.Trim(plain, " ,.-/") != "" {
		name = plain
	}
	name = strings.NewReplacer("°c", " ", "°f", " ", "ºc", " ", "ºf", " ", "℃", " ", "℉", " ", "%", " ").Replace(name)
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" \t_-/.,:;&'#*°º|+\u00a0", r) }), " ")
}

var (
	brackets = regexp.MustCompile(`\([^)]*\)?|\[[^\]]*\]?`)
	unitEnd  = regexp.MustCompile(`(?i)[\[(,_ /-] *(deg(?:ree)?s?[ .]*[cfk]|degrees? celsius|grad celsius|celsius|fahrenheit|` +
		`kelvin|cel|fah|kel|[°º˚]? ?[cf]|k)\.? *(?:$|[\])(,;/])`)
	unitSign = regexp.MustCompile(`(?i)[°º˚] ?([cf])\b|(℃)|(℉)|^(celsius|fahrenheit|kelvin)`)
	zoneIn   = regexp.MustCompile(`(?i)\b(?:utc|gmt)(?: ?([+-]) ?(\d{1,2})(?::?(\d{2}))?)?\b`)
	loggerIn = regexp.MustCompile(`(?i)\bLGR S/N: ?([0-9A-Za-z-]+)`)
)

var (
	serialIn = regexp.MustCompile(`seri|série|\bs ?n\b|\bid\b|number|nummer|\bnr\b|\bno\b`)
	degreeIn = regexp.MustCompile(`temp|тemp|lämpötila|teplota|hőmérséklet|sıcaklık|температура|温度|^(degrees )?(celsius|` +
		`fahrenheit|kelvin)|gradi`)
	// A column with one of these words is no temperature of the pack that was read.
	otherIn = regexp.MustCompile(`\b(` + strings.Join(otherWords,
		"|") + `)\b|taupunkt|luftfeuch|hochalarm|tiefalarm|temps|contemp|time|zeit`)
)

// unitIn returns the unit that a column's name holds, such as "Temp, °F" or "Temperature_C".
func unitIn(name string) (unit string, err error) {
	var found []string
	for _, m := range unitSign.FindAllStringSubmatch(name, -1) {
		found = append(found, unitOf(strings.Join(m[1:], "")))
	}
	if len(found) == 0 {
		for _, m := range unitEnd.FindAllStringSubmatch(name, -1) {
			found = append(found, unitOf(m[1]))
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) > 1 {
		return "", fmt.Errorf("the column %q names several units", short(name))
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return "", nil
}

// zoneOf returns the zone that a column's name holds, such as "Date Time, GMT-05:00", or nil.
func zoneOf(name string) (*time.Location, error) {
	m := zoneIn.FindStringSubmatch(name)
	if m == nil {
		return nil, nil
	}
	offset, err := offsetOf(m[1], m[2], m[3])
	if err != nil || offset == 0 {
		return time.UTC, err
	}
	return time.FixedZone(strings.ToUpper(m[0]), offset), nil
}

// maxColumns is how many columns a table may have.
const maxColumns = 1000

// findHeader looks for the line with the names of the columns in the first lines of a file.
func findHeader(lines []line, o Options) (*header, error) {
	var refused error
	for _, l := range lines[:min(len(lines), 500)] {
		var best *header
		var bad error
		for _, delimiter := range []byte(";\t|,") {
			fields, ok := split(l.text, delimiter)
			if !ok || len(fields) < 2 || len(fields) > maxColumns || best != nil {
				continue
			}
			h, err := headerOf(fields, o)
			if err != nil {
				bad = err
			}
			if h != nil {
				h.line, h.delimiter, best = l.number, delimiter, h
			}
		}
		switch {
		case best != nil:
			return best, nil
		case bad != nil && refused == nil:
			refused = fmt.Errorf("line %d: %w", l.number, bad)
		}
	}
	if refused != nil {
		return nil, refused
	}
	for use, name := range o.Columns {
		return nil, fmt.Errorf("no line has a column %q (for the %s) beside the others that are needed: look for its exact name "+
			"in the file",
			short(name), use)
	}
	return nil, fmt.Errorf("no line names a column of times and one of temperatures: name them with -column time=NAME -column " +
		"temperature=NAME")
}

// headerOf returns what fields mean as a header, nil if they are none, or an error if they are
// one that leaves something open.
func headerOf(fields []string, o Options) (*header, error) {
	h := &header{names: fields, moment: -1, date: -1, clock: -1, degrees: -1, unit: -1, device: -1}
	var moments, dates, clocks, degrees, values, unitColumns, devices []int
	for i, name := range fields {
		w := words(name)
		switch {
		case name == "":
		case momentNames[w]:
			moments = append(moments, i)
		case dateNames[w]:
			dates = append(dates, i)
		case clockNames[w]:
			clocks = append(clocks, i)
		case deviceNames[w]:
			devices = append(devices, i)
		case unitNames[w]:
			unitColumns = append(unitColumns, i)
		case valueNames[w]:
			values = append(values, i)
		case (degreeIn.MatchString(w) || unitSign.MatchString(name)) && w != "temps" && !otherIn.MatchString(w):
			degrees = append(degrees, i)
		default:
			h.skipped = append(h.skipped, name)
		}
	}
	if len(values) == 1 && len(degrees) == 0 {
		if unit, _ := unitIn(fields[values[0]]); unit != "" || len(unitColumns) == 1 {
			degrees = values
		}
	}
	named := func(use string, found []int) ([]int, error) {
		want, ok := o.Columns[use]
		if !ok {
			return found, nil
		}
		found = nil
		for i, name := range fields {
			if strings.EqualFold(strings.TrimSpace(want), name) {
				found = append(found, i)
			}
		}
		if len(found) > 1 {
			return nil, fmt.Errorf("two columns have the name %q", short(want))
		}
		return found, nil
	}
	var errs [4]error
	if _, ok := o.Columns["time"]; ok {
		if moments, errs[0] = named("time", nil); o.Columns["date"] != "" {
			moments, clocks = nil, moments
		} else {
			dates, clocks = nil, nil
		}
	}
	dates, errs[1] = named("date", dates)
	degrees, errs[2] = named("temperature", degrees)
	devices, errs[3] = named("device", devices)
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	if len(moments)+len(dates)+len(clocks) == 0 || len(degrees) == 0 {
		return nil, nil
	}
	choose := func(found []int, use string) error {
		if len(found) <= 1 {
			return nil
		}
		list := make([]string, len(found))
		for i, column := range found {
			list[i] = fmt.Sprintf("%q", short(fields[column]))
		}
		return fmt.Errorf("the file has several columns of a %s (%s): choose one with -column %s=NAME", use, strings.Join(list, ", "), use)
	}
	for _, err := range []error{choose(degrees, "temperature"), choose(moments, "time"), choose(dates, "date"), choose(clocks, "time"),
		choose(devices, "device")} {
		if err != nil {
			return nil, err
		}
	}
	return h, h.set(moments, dates, clocks, degrees, unitColumns, devices)
}

// set sets the columns from lists of at most one.
func (h *header) set(moments, dates, clocks, degrees, unitColumns, devices []int) (err error) {
	one := func(list []int) int {
		if len(list) == 1 {
			return list[0]
		}
		return -1
	}
	h.moment, h.date, h.clock, h.device, h.unit = one(moments), one(dates), one(clocks), one(devices), one(unitColumns)
	h.degrees = degrees[0]
	switch {
	case h.moment >= 0:
		h.date, h.clock = -1, -1
	case h.clock < 0: // "Date" alone holds both
		h.moment, h.date = h.date, -1
	case h.date < 0: // "Time" alone holds both
		h.moment, h.clock = h.clock, -1
	}
	if h.degree, err = unitIn(h.names[h.degrees]); err != nil {
		return err
	}
	for _, i := range []int{h.moment, h.date, h.clock} {
		if i < 0 {
			continue
		}
		zone, err := zoneOf(h.names[i])
		if err != nil {
			return err
		}
		if zone != nil {
			h.zone = zone
		}
	}
	for _, name := range h.names {
		if m := loggerIn.FindStringSubmatch(name); m != nil {
			h.logger = m[1]
		}
	}
	return nil
}
