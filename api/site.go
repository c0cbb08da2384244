package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/page"
)

// A seenWitness is a witness of the policy, and when it cosigned the newest checkpoint.
type seenWitness struct {
	Name, Time, Age string
	Replays         bool
}

// indexPage serves the page about the log.
func (s *Server) indexPage(w http.ResponseWriter, r *http.Request) {
	l := s.service.log
	policy := l.Policy()
	signed, _ := l.Checkpoint() // if there is none yet, the page says so
	data := map[string]any{
		"Origin": l.Origin(), "Quorum": policy.QuorumText(), "Checkpoint": string(signed), "Size": l.Size(), "Unwitnessed": policy.Unwitnessed(),
		"Ready": true, "Alarms": l.Warnings(), "Grown": s.grown(r.Context()), "Cosigned": 0, "SeenBy": "",
		"Trials": trial.Count(len(l.Records("trial")), "trial", "trials"), "Orgs": trial.Count(len(l.Records("org")), "organisation",
			"organisations"),
	}
	if err := l.Ready(); err != nil {
		data["Ready"], data["Why"] = false, err.Error()
	}
	data["Server"] = standingText(l.Standing())
	var witnesses []seenWitness
	for _, x := range policy.Witnesses {
		witnesses = append(witnesses, seenWitness{Name: x.Name(), Replays: x.Replays()})
	}
	if cp, err := policy.Open(signed); err == nil {
		for _, c := range cp.Cosignatures {
			witnesses[c.Witness].Time = trial.Moment(c.Time)
			witnesses[c.Witness].Age = max(s.now().Sub(c.Time), 0).Round(time.Second).String()
		}
		data["Cosigned"] = len(cp.Cosignatures)
		if t, ok := cp.ProvenTime(); ok {
			data["SeenBy"] = trial.Moment(t)
		}
	}
	data["Witnesses"] = witnesses
	body, err := web.Body("index.html", data)
	s.show(w, r, &web.Page{Title: l.Origin(), Body: body, Footer: s.footer()}, err)
}

// standingText says what this server is among the log's servers; nothing if it is the only one.
func standingText(st logserver.Standing) string {
	switch {
	case !st.Replica:
		return ""
	case st.Leads:
		return "this one leads: it takes new statements, and the log's other servers show them too"
	case st.Leader == "":
		return "this one shows the log; which server leads is not known at the moment"
	}
	return fmt.Sprintf("this one shows the log and passes new statements on to %s, which leads; it last heard of it %s ago",
		st.Leader, st.Age.Round(time.Millisecond))
}

// grown says how much the log has grown in a week.
func (s *Server) grown(ctx context.Context) string {
	l := s.service.log
	since := trial.TimeOf(s.now().AddDate(0, 0, -7))
	size := l.Size()
	first := sort.Search(int(size), func(i int) bool {
		raw, err := l.Entry(ctx, uint64(i))
		if err != nil {
			return true
		}
		e, err := trial.ParseEntry(raw)
		return err != nil || e.Time >= since
	})
	return trial.Count(size-uint64(first), "entry", "entries") + " in the last 7 days"
}

// orgPage serves the page about an organisation.
func (s *Server) orgPage(w http.ResponseWriter, r *http.Request) {
	l := s.service.log
	id := strings.TrimSpace(r.URL.Query().Get("id"))
	org, ok := l.Record(trial.RecordKey{Kind: "org", ID: id}).(*trial.OrgRecord)
	if !ok {
		s.failPage(w, r, notFound("no organisation is enrolled with this id"))
		return
	}
	var keys []*trial.KeyRecord
	for _, x := range l.Records("key") {
		if k := x.(*trial.KeyRecord); k.Org == id {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b *trial.KeyRecord) int { return cmp.Compare(a.Enrolled, b.Enrolled) })
	var requests []*trial.RequestRecord
	for _, x := range l.Records("request") {
		if q := x.(*trial.RequestRecord); q.Of == id && q.Decision == "" {
			requests = append(requests, q)
		}
	}
	slices.SortFunc(requests, func(a, b *trial.RequestRecord) int { return cmp.Compare(a.Index, b.Index) })
	trials := 0
	for _, x := range l.Records("trial") {
		if x.(*trial.TrialRecord).Holder == id {
			trials++
		}
	}
	body, err := web.Body("org.html", map[string]any{"Org": org, "Keys": keys, "Requests": requests, "Trials": trials,
		"Unopened": org.Sealed - org.Opened})
	s.show(w, r, &web.Page{Title: org.Name + " - " + l.Origin(), Body: body, Footer: s.footer()}, err)
}

// found is one line of a search's answer.
type found struct{ Link, Name, Title string }

// searchPage finds trials by what people call them, and organisations.
func (s *Server) searchPage(w http.ResponseWriter, r *http.Request) {
	l := s.service.log
	typed := strings.TrimSpace(r.URL.Query().Get("q"))
	data := map[string]any{"Query": typed, "Found": []found{}, "Unknown": 0, "Total": 0, "More": ""}
	if typed != "" {
		_, err := page.KeyOf(typed)
		data["Number"] = err == nil // for which absence can be proven
		var list []found
		if key, err := s.trialKey(r.Context(), typed); err == nil && s.known(key) {
			list = append(list, found{"trial?id=" + url.QueryEscape(typed), typed, "everything that is logged under it"})
		}
		words := strings.Fields(strings.ToLower(typed))
		for _, x := range l.Records("org") {
			o := x.(*trial.OrgRecord)
			text := strings.ToLower(o.ID + " " + o.Name)
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
				list = append(list, found{"org?id=" + url.QueryEscape(o.ID), o.Name, "organisation " + o.ID})
			}
		}
		f := filter{Words: typed}
		chosen, unknown := s.overview.find(r.Context(), f)
		data["Unknown"], data["Total"] = unknown, len(chosen)
		if len(chosen) > rowsShown {
			data["More"], chosen = f.link("overview", "", 0), chosen[:rowsShown]
		}
		for _, e := range chosen {
			if strings.EqualFold(e.name, typed) && len(list) > 0 {
				continue // it is the first line
			}
			title := ""
			if k, ok := e.as(s.overview.today()); ok {
				title = k.Title
			}
			list = append(list, found{"trial?id=" + e.key.ID, e.name, title})
		}
		data["Found"] = list
	}
	body, err := web.Body("search.html", data)
	s.show(w, r, &web.Page{Title: "Search - " + l.Origin(), Path: "search", Body: body, Footer: s.footer()}, err)
}

// known reports whether anything is published under a key.
func (s *Server) known(key trial.RecordKey) bool { return s.service.log.Record(key) != nil }
