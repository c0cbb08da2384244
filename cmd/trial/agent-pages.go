package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
)

// A shownRequest is one on the page.
type shownRequest struct {
	ID, Org, Use, Decision, Time string
	Failed                       string // why its history could not be read
}

// A shownConsent is one on the page.
type shownConsent struct {
	ID, Subject, To, Until, State, Failed string
	Lines                                 []string // its accesses
	Stands, Own, Due                      bool     // Own: this site granted it; Due: erasure is asked for and not said to be done
}

// A pageView is what the page shows.
type pageView struct {
	Org, Log, Dir, Index string
	Form                 string            // name of the page's forms, which are sent once
	Languages            map[string]string // names by code
	Outcome              done
	Requests             []shownRequest
	Consents             []shownConsent
	Due                  int
	Failed               []string
}

// home shows the page, with what the last action has to say.
func (p *agentPage) home(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), viewTime)
	defer cancel()
	r = r.WithContext(ctx)
	a := p.quiet(io.Discard, io.Discard)
	p.mu.Lock()
	v := pageView{Org: a.key.Org, Log: a.log.Name(), Dir: a.dir, Index: p.index.dir, Languages: consent.LanguageNames(), Outcome: p.last,
		Form: p.form()}
	p.last = done{}
	p.mu.Unlock()
	var err error
	if v.Requests, err = p.requests(r, a); err != nil {
		v.Failed = append(v.Failed, "The requests could not be read: "+err.Error())
	}
	if v.Consents, err = p.consents(r, a); err != nil {
		v.Failed = append(v.Failed, "The consents could not be read: "+err.Error())
	}
	for _, c := range v.Consents {
		if c.Due {
			v.Due++
		}
	}
	var b bytes.Buffer
	if err := agentTemplate.Execute(&b, v); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

// requests returns what this organisation is asked for. Which requests there are is the log's
// word; what is said of each is proven by its history.
func (p *agentPage) requests(r *http.Request, a *agent) (list []shownRequest, err error) {
	about, err := a.client.Record(r.Context(), "asked", a.key.Org)
	if err != nil {
		return nil, err
	}
	for _, x := range slices.Backward(about.Entries) {
		entry, err := trial.ParseEntry([]byte(x.Entry))
		if err != nil || entry.Statement == nil {
			return nil, fmt.Errorf("entry %d is no request", x.Index)
		}
		id := entry.Statement.ID
		s := shownRequest{ID: id.String(), Time: entry.Time.String()}
		h, err := a.history(r.Context(), trial.RecordKey{Kind: "request", ID: id.String()}, 0)
		if err != nil {
			s.Failed = err.Error()
		} else if rec, ok := h.Record.(*trial.RequestRecord); !ok || rec.Of != a.key.Org {
			s.Failed = "it is not asked of this organisation"
		} else if q, ok := h.Entries[0].Entry.Statement.Statement.Predicate.(*trial.Access); ok {
			s.Org, s.Decision, s.Use = rec.Org, cmp.Or(rec.Decision, "open"), useTexts(q.Use)
		}
		list = append(list, s)
	}
	return list, nil
}

func useTexts(codes []string) string {
	var texts []string
	for _, c := range codes {
		texts = append(texts, consent.UseText(c))
	}
	return strings.Join(texts, ", ")
}

// consents returns those of the index, and those of the grants in the folder.
func (p *agentPage) consents(r *http.Request, a *agent) (list []shownConsent, err error) {
	subjects := map[trial.Hash]string{}
	if p.index.dir != "" {
		entries, damaged, err := p.index.of("", a.ids)
		if err != nil {
			return nil, err
		}
		for _, err := range damaged {
			a.env.note(err.Error())
		}
		for _, e := range entries {
			if e.Disclosure == nil {
				subjects[e.ID] = e.Subject
			}
		}
	}
	grants, err := a.everyGrant()
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		subjects[g.Handle] = g.Terms.Subject
	}
	for id, subject := range subjects {
		list = append(list, p.consent(r, a, id, subject))
	}
	slices.SortFunc(list, func(x, y shownConsent) int { return cmp.Or(cmp.Compare(x.Subject, y.Subject), cmp.Compare(x.ID, y.ID)) })
	return list, nil
}

func (p *agentPage) consent(r *http.Request, a *agent, id trial.Hash, subject string) shownConsent {
	s := shownConsent{ID: id.String(), Subject: subject}
	account, replayed, err := a.account(r.Context(), id)
	if err != nil {
		s.Failed = err.Error()
		return s
	}
	if !replayed {
		s.Failed = errNotReplayed.Error()
	}
	rec := account.Record.(*trial.ConsentRecord)
	s.To, s.Until, s.Own = rec.To, rec.Until, rec.Org == a.key.Org
	if err := rec.Standing(trial.TimeOf(a.now())); err != nil {
		s.State = "over"
		if account.Ended != nil {
			s.State = "ended on " + account.Ended.Time.String()
		}
	} else {
		s.State, s.Stands = "stands", true
	}
	for _, x := range account.Accesses {
		s.Lines = append(s.Lines, fmt.Sprintf("%s: %s to %s", x.Time, x.Org, cmp.Or(x.To, x.Recipient.String())))
	}
	s.Due = rec.Erase && !slices.Contains(rec.Erased, a.key.Org)
	return s
}

// give gives consent from the form, and shows the slip to print.
func (p *agentPage) give(w http.ResponseWriter, r *http.Request) {
	p.act(w, r, func(a *agent) (o done, err error) {
		f := &giveFlags{language: cmp.Or(r.FormValue("language"), "en"), to: commas(r.FormValue("to")), until: r.FormValue("until"),
			agents: cmp.Or(commas(r.FormValue("agents")), a.key.Org), subject: strings.TrimSpace(r.FormValue("subject")),
			data: commas(r.FormValue("data")), use: commas(r.FormValue("use")), index: p.index,
			named: strings.Fields(r.FormValue("actors"))}
		if f.to == "" {
			return o, errors.New("say which organisation may receive the data")
		}
		fhir, err := uploaded(r, "fhir")
		if err != nil {
			return o, err
		}
		base, err := f.of(fhir, nil, a.env.note)
		if err != nil {
			return o, err
		}
		f.slip = filepath.Join(a.dir, "slip-"+newSalt().String()[:12]+".html")
		if _, err := a.giveAll(r.Context(), a.env, sending{outDir: a.dir}, f, base, nil); err != nil {
			return o, err
		}
		return done{Slip: filepath.Base(f.slip)}, nil
	})
}

// commas returns what is typed with commas or spaces, with commas alone.
func commas(typed string) string {
	return strings.Join(strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }), ",")
}

// uploaded returns a file of the form, nil if none was chosen.
func uploaded(r *http.Request, name string) ([]byte, error) {
	f, _, err := r.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// id returns the id in the form.
func id(r *http.Request) (trial.Hash, error) {
	id, err := trial.ParseHash(r.PostFormValue("id"))
	if err != nil {
		return id, fmt.Errorf("the form names no statement: %w", err)
	}
	return id, nil
}

func (p *agentPage) decide(w http.ResponseWriter, r *http.Request) {
	p.act(w, r, func(a *agent) (done, error) {
		request, err := id(r)
		if err != nil {
			return done{}, err
		}
		var o trial.Openings
		d := &trial.Access{Common: a.common("approval", &o), Action: "decide", Decision: r.PostFormValue("decision"), Request: request}
		return done{}, a.say(r.Context(), a.env, sending{outDir: a.dir}, d, trial.NamedSubject("request", request), &o)
	})
}

// release releases under every consent of the folder that the request is entitled to.
func (p *agentPage) release(w http.ResponseWriter, r *http.Request) {
	p.act(w, r, func(a *agent) (o done, err error) {
		request, err := id(r)
		if err != nil {
			return o, err
		}
		if err := a.replayed(); err != nil {
			return o, err
		}
		unlock, err := a.lock(r.Context())
		if err != nil {
			return o, err
		}
		defer func() { err = errors.Join(err, unlock()) }()
		if err := a.resume(r.Context()); err != nil {
			return o, err
		}
		want := &release{to: r.PostFormValue("to")}
		if err := a.prepare(r.Context(), want, nil, request.String()); err != nil {
			return o, a.refuse(want, err)
		}
		if err := a.release(r.Context(), sending{outDir: a.dir}, want); err != nil {
			return o, err
		}
		for _, x := range want.parts {
			o.Files = append(o.Files, x.name, x.name+".tlog-proof")
		}
		return o, nil
	})
}

func (p *agentPage) end(w http.ResponseWriter, r *http.Request) {
	p.act(w, r, func(a *agent) (done, error) {
		handle, err := id(r)
		if err != nil {
			return done{}, err
		}
		x := &ending{remote: a.remote, how: sending{outDir: a.dir}, erase: r.PostFormValue("erase") != ""}
		return done{}, x.sign(r.Context(), a.env, consent.Held{Handle: handle})
	})
}

func (p *agentPage) erase(w http.ResponseWriter, r *http.Request) {
	p.act(w, r, func(a *agent) (done, error) {
		handle, err := id(r)
		if err != nil {
			return done{}, err
		}
		var o trial.Openings
		d := &trial.Erasure{Common: a.common("responsibility", &o), Ground: "asked", Of: handle, Org: a.key.Org, What: trial.ErasureParts}
		return done{}, a.say(r.Context(), a.env, sending{outDir: a.dir}, d, trial.NamedSubject("consent", handle), &o)
	})
}

// handed are the files of the folder that the page hands out: slips, packages and their receipts.
var handed = regexp.MustCompile(`^(slip-[0-9a-f]{12}\.html|[0-9a-f]{12}-[a-z0-9.:_-]{2,64}-[0-9a-f]{12}\.package(\.tlog-proof)?)$`)

func (p *agentPage) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !handed.MatchString(name) {
		http.NotFound(w, r)
		return
	}
	data, err := os.ReadFile(filepath.Join(p.a.dir, name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	kind := "application/octet-stream"
	if strings.HasSuffix(name, ".html") {
		kind = "text/html; charset=utf-8"
	} else {
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
	w.Header().Set("Content-Type", kind)
	w.Write(data)
}

// backup is the index in one file. Its entries stay encrypted to the site and its backup.
func (p *agentPage) backup(w http.ResponseWriter, r *http.Request) {
	names, err := matching(p.index.dir, "*")
	if err != nil || p.index.dir == "" {
		http.Error(w, "there is no index: start trial agent serve with -index", http.StatusNotFound)
		return
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		if err := addToZip(z, name); err != nil {
			http.Error(w, frame.Printable(err.Error()), http.StatusInternalServerError)
			return
		}
	}
	if err := z.Close(); err != nil {
		http.Error(w, "the backup cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="index.zip"`)
	w.Write(b.Bytes())
}

func addToZip(z *zip.Writer, name string) error {
	data, err := readSmall(name)
	if err != nil {
		return err
	}
	f, err := z.Create(filepath.Base(name))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}
