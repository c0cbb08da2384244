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
	"sync/atomic"
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
	listing sync.Mutex // held while the list is made

	mu   sync.Mutex // guards the fields below; what they point to does not change
	size uint64     // of the tree that list is of
	list []*entryOf // the newest first
	took time.Duration
	used map[filter]*answerOf // of the list, by filter without its page
}

// An entryOf is what the records alone say of a row, and what was worked out.
type entryOf struct {
	key     trial.RecordKey
	name    string
	holder  string
	index   uint64 // of the registration
	entries uint64 // how many there are: with another number the row is another

	known atomic.Pointer[known]
}

// A known row was worked out for some entries and a day.
type known struct {
	page.Summary
	entries uint64
	text    string // in which words are looked for
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

// An answerOf is which rows a filter chooses, in order.
type answerOf struct {
	chosen  []*entryOf
	unknown int
	day     string
	at      time.Time
}

const (
	rowsShown = 100              // rows of one page
	maxUsed   = 16               // answers that are kept
	freshFor  = 10 * time.Second // how long an answer is given again while rows are still being worked out
	soon      = 200 * time.Millisecond
)

func newOverview(log *logserver.Log, now func() time.Time) *overview {
	return &overview{log: log, now: now, gathering: make(gate, maxGathered)}
}

func (o *overview) today() string { return o.now().UTC().Format(time.DateOnly) }

// rows returns all rows, the newest first. Making the list of a large log takes a while: the list
// before is returned then, and a new one is made in the background.
func (o *overview) rows() []*entryOf {
	o.mu.Lock()
	list, same, took := o.list, o.list != nil && o.size == o.log.Size(), o.took
	o.mu.Unlock()
	switch {
	case same:
		return list
	case list != nil && took > soon:
		if o.listing.TryLock() {
			go func() {
				defer o.listing.Unlock()
				o.renew()
			}()
		}
		return list
	}
	o.listing.Lock()
	defer o.listing.Unlock()
	return o.renew()
}

// renew makes the list. The caller holds listing.
func (o *overview) renew() []*entryOf {
	size, start := o.log.Size(), time.Now()
	o.mu.Lock()
	before, same := o.list, o.list != nil && o.size == size
	o.mu.Unlock()
	if same { // made while the caller waited
		return before
	}
	had := make(map[trial.RecordKey]*known, len(before))
	for _, e := range before {
		if k := e.known.Load(); k != nil {
			had[e.key] = k
		}
	}
	identifiers := o.log.Records("identifier")
	count := make(map[string]uint64, len(identifiers))
	list := []*entryOf{}
	for _, r := range identifiers {
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
	for _, e := range list {
		if k := had[e.key]; k != nil {
			e.known.Store(k)
		}
	}
	slices.SortFunc(list, func(a, b *entryOf) int { return cmp.Or(cmp.Compare(b.index, a.index), cmp.Compare(a.name, b.name)) })
	o.mu.Lock()
	defer o.mu.Unlock()
	o.size, o.list, o.took, o.used = size, list, time.Since(start), map[filter]*answerOf{}
	return list
}

// as returns a row's summary if it is known as of a day.
func (e *entryOf) as(day string) (*known, bool) {
	k := e.known.Load()
	return k, k != nil && k.entries == e.entries && k.Day == day
}

// read works a row out.
func (o *overview) read(ctx context.Context, e *entryOf) (page.Summary, error) {
	day := o.today()
	if k, ok := e.as(day); ok {
		return k.Summary, nil
	}
	if err := o.gathering.pass(ctx); err != nil {
		return page.Summary{}, err
	}
	defer o.gathering.leave()
	if k, ok := e.as(day); ok {
		return k.Summary, nil // another has worked it out meanwhile
	}
	g := &dossier.Gatherer{Policy: o.log.Policy(), Source: own{o.log}}
	v, err := page.GatherBrief(ctx, g, e.key, page.Question{Asked: e.name, At: day})
	if err != nil {
		return page.Summary{}, err
	}
	s := v.Summary()
	e.known.Store(&known{s, e.entries, strings.ToLower(e.name + " " + s.Title)})
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
	o.mu.Lock()
	clear(o.used)
	o.mu.Unlock()
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
func (o *overview) choose(f filter) ([]*entryOf, int) {
	f.Page = 0
	list, day := o.rows(), o.today()
	o.mu.Lock()
	a := o.used[f]
	o.mu.Unlock()
	if a != nil && a.day == day && (a.unknown == 0 || o.now().Sub(a.at) < freshFor) {
		return a.chosen, a.unknown
	}
	a = &answerOf{day: day, at: o.now()}
	words := strings.Fields(strings.ToLower(f.Words))
	for _, e := range list {
		if f.Org != "" && e.holder != f.Org {
			continue
		}
		if f.needsAll() {
			k, ok := e.as(day)
			if !ok {
				a.unknown++
				k = &known{text: strings.ToLower(e.name)}
			}
			lacks := func(w string) bool { return !strings.Contains(k.text, w) }
			if slices.ContainsFunc(words, lacks) || f.State != "" && (!ok || k.State() != f.State) {
				continue
			}
		}
		a.chosen = append(a.chosen, e)
	}
	if f.Sort != "" {
		f.sort(a.chosen, day)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.used) >= maxUsed {
		clear(o.used)
	}
	o.used[f] = a
	return a.chosen, a.unknown
}

// sort brings rows into the filter's order.
func (f filter) sort(rows []*entryOf, day string) {
	by := func(name func(e *entryOf) string) {
		slices.SortStableFunc(rows, func(a, b *entryOf) int { return cmp.Compare(name(a), name(b)) })
	}
	switch f.Sort {
	case "name":
		by(func(e *entryOf) string { return e.name })
	case "holder":
		by(func(e *entryOf) string { return e.holder })
	case "title":
		by(func(e *entryOf) string {
			k, _ := e.as(day)
			if k == nil {
				return ""
			}
			return k.Title
		})
	case "state":
		rank := make(map[*entryOf]int, len(rows))
		for _, e := range rows {
			rank[e] = len(page.States)
			if k, ok := e.as(day); ok {
				rank[e] = slices.Index(page.States, k.State())
			}
		}
		slices.SortStableFunc(rows, func(a, b *entryOf) int { return rank[a] - rank[b] })
	}
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
		"Filter": f, "Rows": s.overview.show(r.Context(), chosen[from:to]), "From": from + 1, "To": to, "Total": total, "Next": next,
		"Before":  before,
		"Columns": columns, "Unknown": unknown, "Newest": f.link("overview", "", 0), "CSV": f.link("overview.csv", f.Sort, 0),
		"Day":    s.overview.today(),
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
