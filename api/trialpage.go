package api

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/page"
)

// own gives the log's own histories.
type own struct{ log *logserver.Log }

func (o own) Page(ctx context.Context, key trial.RecordKey, size, from uint64) (*history.History, error) {
	h, err := o.log.History(ctx, key, size, from)
	if err != nil {
		return nil, err
	}
	out := &history.History{Kind: key.Kind, ID: key.ID, Checkpoint: string(h.Checkpoint), Map: history.NewMap(h.Proof),
		Record: string(h.Record)}
	entry := func(p logserver.Proved) history.Entry {
		return history.Entry{Index: p.Index, Entry: string(p.Raw), Path: history.Strings(p.Path)}
	}
	if len(h.Checkpoint) > 0 {
		out.State = entry(h.State)
	}
	for _, e := range h.Entries {
		out.Entries = append(out.Entries, entry(e))
	}
	return out, nil
}

func (own) Gone(err error) bool { return errors.Is(err, logserver.ErrGone) }

// trialKey returns the record that is typed: a trial by its id, its first digits or its sponsor's
// number, or a registry's number.
func (s *Server) trialKey(ctx context.Context, typed string) (trial.RecordKey, error) {
	if key, err := page.KeyOf(typed); err == nil {
		return key, nil
	}
	id, err := s.service.log.Resolve(ctx, typed)
	return trial.RecordKey{Kind: "trial", ID: id.String()}, err
}

// trialPage serves what the log has about one trial, or that it has nothing. The browser draws the same
// again from what it has verified.
func (s *Server) trialPage(w http.ResponseWriter, r *http.Request) {
	q, err := page.ParseQuestion(r.URL.RawQuery)
	if err != nil {
		s.failPage(w, r, badRequest(err.Error()))
		return
	}
	q.At = s.overview.today()
	key, err := s.trialKey(r.Context(), q.Asked)
	if errors.Is(err, logserver.ErrNotFound) {
		err = notFound("nothing is published as " + strconv.Quote(q.Asked) + ": type a registry's number, a trial's id, or its sponsor's " +
			"number. This is the operator's word: that nothing is logged is proven only for a registry's number or a whole id")
	}
	var v *page.View
	if err == nil {
		g := &dossier.Gatherer{Policy: s.service.log.Policy(), Source: own{s.service.log}}
		v, err = s.gather(r.Context(), g, key, q)
	}
	status, name := http.StatusOK, q.Asked
	switch {
	case v != nil && v.Nothing:
		status, err = http.StatusNotFound, nil
	case err == nil:
		name = v.Name()
	case errors.Is(err, dossier.ErrDisputed):
		err = &problem{code: codes.FailedPrecondition, status: http.StatusConflict, message: err.Error()}
	}
	var content template.HTML
	if err == nil {
		content, err = page.Trial(v)
	}
	var question []byte
	if err == nil {
		question, err = json.Marshal(map[string]string{"id": key.ID, "size": strconv.FormatUint(v.Size, 10), "at": q.At})
	}
	if err != nil {
		s.failPage(w, r, err)
		return
	}
	body, err := web.Body("verified.html", map[string]any{"Question": string(question), "Content": content})
	s.showStatus(w, r, status, &web.Page{Title: name + " - " + s.service.log.Origin(), Path: "trial", Body: body, Footer: s.footer(),
		Scripts: []string{"wasm_exec.js", "load.js", "verified.js"}}, err)
}

// gather is page.Gather, while few others run.
func (s *Server) gather(ctx context.Context, g *dossier.Gatherer, key trial.RecordKey, q page.Question) (*page.View, error) {
	if err := s.overview.gathering.pass(ctx); err != nil {
		return nil, err
	}
	defer s.overview.gathering.leave()
	return page.Gather(ctx, g, key, q)
}

// footer says whose pages these are.
func (s *Server) footer() string {
	return "The log " + s.service.log.Origin() + ". Pages are its operator's word, except where your browser has checked them."
}
