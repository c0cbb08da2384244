package api

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/page"
)

// An overview has a row for each trial, and for each number that was observed and that no trial
// claims. A row's state follows from the trial's whole history, so it takes some milliseconds: it is
// worked out when it is shown, and in the background as soon as somebody asks for the overview.
type overview struct {
	log *logserver.Log
	now func() time.Time

	gathering gate

	reading sync.Mutex // held by the goroutine that reads all rows

	mu    sync.Mutex // guards the fields below
	size  uint64     // of the tree that list is of
	list  []*entryOf // the newest first
	known map[trial.RecordKey]known
}

// An entryOf is what the records alone say of a row.
type entryOf struct {
	key     trial.RecordKey
	name    string
	holder  string
	index   uint64 // of the registration
	entries uint64 // how many there are: with another number the row is another
}

// A known row was worked out for some entries and a day.
type known struct {
	page.Summary
	entries uint64
}

// A gate lets some pass at the same time.
type gate chan struct{}

// maxGathered is how many trials are worked out at the same time. One with 20,000 entries takes seconds
// and hundreds of megabytes.
const maxGathered = 4

func (g gate) pass(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g gate) leave() { <-g }

// rowsShown is how many rows one page has.
const rowsShown = 100

func newOverview(log *logserver.Log, now func() time.Time) *overview {
	return &overview{log: log, now: now, known: map[trial.RecordKey]known{}, gathering: make(gate, maxGathered)}
}

func (o *overview) today() string { return o.now().UTC().Format(time.DateOnly) }

// rows returns all rows, the newest first.
func (o *overview) rows() []*entryOf {
	size := o.log.Size()
	o.mu.Lock()
	list := o.list
	same := o.size == size && list != nil
	o.mu.Unlock()
	if same {
		return list
	}
	count := map[string]uint64{}
	list = []*entryOf{}
	for _, r := range o.log.Records("identifier") {
		id := r.(*trial.IdentifierRecord)
		count[id.ID] = id.Entries.Count
		if page.IsUnclaimed(id) {
			_, number, _ := strings.Cut(id.ID, ":")
			list = append(list, &entryOf{key: id.RecordKey(), name: number, entries: id.Entries.Count})
		}
	}
	for _, r := range o.log.Records("trial") {
		t := r.(*trial.TrialRecord)
		e := &entryOf{key: t.RecordKey(), name: t.Number, holder: t.Holder, index: t.Registered, entries: t.Entries.Count}
		for i, id := range t.Identifiers {
			e.entries += count[id]
			if i == 1 { // the first is the sponsor's own
				_, e.name, _ = strings.Cut(id, ":")
			}
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *entryOf) int { return cmp.Or(cmp.Compare(b.index, a.index), cmp.Compare(a.name, b.name)) })
	o.mu.Lock()
	defer o.mu.Unlock()
	o.size, o.list = size, list
	return list
}

// of returns a row's summary if it is known as of today.
func (o *overview) of(e *entryOf) (page.Summary, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := o.known[e.key]
	return k.Summary, k.entries == e.entries && k.Day == o.today()
}

// read works a row out.
func (o *overview) read(ctx context.Context, e *entryOf) (page.Summary, error) {
	if s, ok := o.of(e); ok {
		return s, nil
	}
	if err := o.gathering.pass(ctx); err != nil {
		return page.Summary{}, err
	}
	defer o.gathering.leave()
	if s, ok := o.of(e); ok {
		return s, nil // another has worked it out meanwhile
	}
	g := &dossier.Gatherer{Policy: o.log.Policy(), Source: own{o.log}}
	v, err := page.GatherBrief(ctx, g, e.key, page.Question{Asked: e.name, At: o.today()})
	if err != nil {
		return page.Summary{}, err
	}
	s := v.Summary()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known[e.key] = known{s, e.entries}
	return s, nil
}

// readAll works out all rows in the background, unless that is being done.
func (o *overview) readAll() {
	if !o.reading.TryLock() {
		return
	}
	go func() {
		defer o.reading.Unlock()
		for _, e := range o.rows() {
			if o.log.Err() != nil {
				return // the log has stopped
			}
			o.read(context.Background(), e) // what fails is said where it is shown
		}
	}()
}

// readNow is how many rows are worked out while somebody waits.
const readNow = 2 * rowsShown

// find returns the rows of a filter in order, and how many of all rows are not known yet where that
// matters. If only a few are not known, they are worked out first.
func (o *overview) find(ctx context.Context, f filter) ([]*entryOf, int) {
	chosen, unknown := o.choose(f)
	if unknown == 0 {
		return chosen, 0
	}
	if unknown > readNow {
		o.readAll()
		return chosen, unknown
	}
	for _, e := range o.rows() {
		if f.Org == "" || e.holder == f.Org {
			o.read(ctx, e) // what fails is said where it is shown
		}
	}
	return o.choose(f)
}

// A filter says which rows are asked for, and in which order.
type filter struct {
	Org, State, Words, Sort string
	Page                    int
}

func filterOf(q url.Values) filter {
	f := filter{Org: q.Get("org"), State: q.Get("state"), Words: strings.TrimSpace(q.Get("q")), Sort: q.Get("sort")}
	f.Page, _ = strconv.Atoi(q.Get("page"))
	f.Page = max(f.Page, 0)
	return f
}

func (f filter) needsAll() bool {
	return f.State != "" || f.Words != "" || f.Sort == "state" || f.Sort == "title"
}

// link returns the address of the same with another order or page.
func (f filter) link(path, sort string, page int) string {
	q := url.Values{}
	for name, value := range map[string]string{"org": f.Org, "state": f.State, "q": f.Words, "sort": sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if page > 0 {
		q.Set("page", strconv.Itoa(page))
	}
	return path + "?" + q.Encode()
}

// choose returns the rows of a filter in order, and how many of all rows are not known yet where
// that matters.
func (o *overview) choose(f filter) (chosen []*entryOf, unknown int) {
	words := strings.Fields(strings.ToLower(f.Words))
	state := map[*entryOf]page.Summary{}
	for _, e := range o.rows() {
		if f.Org != "" && e.holder != f.Org {
			continue
		}
		if f.needsAll() {
			s, ok := o.of(e)
			if !ok {
				unknown++
			}
			state[e] = s
			text := strings.ToLower(e.name + " " + s.Title)
			if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) ||
				f.State != "" && (!ok || s.State() != f.State) {
				continue
			}
		}
		chosen = append(chosen, e)
	}
	switch f.Sort {
	case "name":
		slices.SortStableFunc(chosen, func(a, b *entryOf) int { return cmp.Compare(a.name, b.name) })
	case "holder":
		slices.SortStableFunc(chosen, func(a, b *entryOf) int { return cmp.Compare(a.holder, b.holder) })
	case "title":
		slices.SortStableFunc(chosen, func(a, b *entryOf) int { return cmp.Compare(state[a].Title, state[b].Title) })
	case "state":
		rank := func(e *entryOf) int {
			if state[e].Day == "" {
				return len(page.States)
			}
			return slices.Index(page.States, state[e].State())
		}
		slices.SortStableFunc(chosen, func(a, b *entryOf) int { return cmp.Compare(rank(a), rank(b)) })
	}
	return chosen, unknown
}

// A shownRow is a row of the page.
type shownRow struct {
	page.Summary
	ID     string // for the address of the trial's page
	Failed string // why its state is not known
}

// show works out rows that are shown.
func (o *overview) show(ctx context.Context, list []*entryOf) (rows []shownRow) {
	for _, e := range list {
		s, err := o.read(ctx, e)
		r := shownRow{Summary: s, ID: e.key.ID}
		if err != nil {
			r.Name, r.Holder, r.Failed = e.name, e.holder, "it could not be read: try again"
		}
		rows = append(rows, r)
	}
	return rows
}

func (s *Server) overviewPage(w http.ResponseWriter, r *http.Request) {
	f := filterOf(r.URL.Query())
	chosen, unknown := s.overview.find(r.Context(), f)
	total := len(chosen)
	f.Page = min(f.Page, max(total-1, 0)/rowsShown) // after the last is the last
	from := f.Page * rowsShown
	to := min(from+rowsShown, total)
	next, before := "", ""
	if to < total {
		next = f.link("overview", f.Sort, f.Page+1)
	}
	if f.Page > 0 {
		before = f.link("overview", f.Sort, f.Page-1)
	}
	type column struct{ Name, Link, Sorted string }
	var columns []column
	for _, c := range []struct{ name, sort string }{{"Trial", "name"}, {"Title", "title"}, {"Holder", "holder"}, {"State", "state"}} {
		x := column{Name: c.name, Link: f.link("overview", c.sort, 0), Sorted: "none"}
		if f.Sort == c.sort {
			x.Sorted = "ascending"
		}
		columns = append(columns, x)
	}
	body, err := web.Body("overview.html", map[string]any{
		"Filter": f, "Rows": s.overview.show(r.Context(), chosen[from:to]), "From": from + 1, "To": to, "Total": total, "Next": next, "Before": before,
		"Columns": columns, "Unknown": unknown, "Newest": f.link("overview", "", 0), "CSV": f.link("overview.csv", f.Sort, 0), "Day": s.overview.today(),
		"States": page.States,
	})
	s.show(w, r, &web.Page{Title: "Overview - " + s.service.log.Origin(), Path: "overview", Body: body, Footer: s.footer()}, err)
}

// overviewCSV writes the same rows as a table for programs, all pages of it. It works out every row,
// so it may take a while.
func (s *Server) overviewCSV(w http.ResponseWriter, r *http.Request) {
	f := filterOf(r.URL.Query())
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="overview.csv"`)
	c := csv.NewWriter(w)
	defer c.Flush()
	c.Write([]string{"trial", "id", "title", "holder", "registered in time", "results", "state", "rules", "marks that bear", "as of"})
	if f.needsAll() { // which rows, and in which order, is known only once all are
		for _, e := range s.overview.rows() {
			if r.Context().Err() != nil {
				return
			}
			if f.Org == "" || e.holder == f.Org {
				s.overview.read(r.Context(), e) // what fails is said in its row
			}
		}
	}
	chosen, _ := s.overview.choose(f)
	for _, e := range chosen {
		if r.Context().Err() != nil {
			return
		}
		x, err := s.overview.read(r.Context(), e)
		if err != nil {
			c.Write([]string{cell(e.name), e.key.ID, "", e.holder, "", "", "could not be read"})
			continue
		}
		c.Write([]string{cell(x.Name), e.key.ID, cell(x.Title), x.Holder, x.InTime, x.ResultsText(), x.State(), x.Rules(),
			fmt.Sprint(x.Bears), x.Day})
	}
}

// cell keeps a text from acting as a formula in a spreadsheet.
func cell(text string) string {
	text = string(page.Visible([]byte(text)))
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
