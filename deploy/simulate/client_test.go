package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A client registers a trial and submits documents of it, each to whichever replica it happens
// to reach, until it has a receipt that it has verified itself.
type client struct {
	c      *cluster
	s      sender
	n      int
	wrote  int
	last   string // the replica that answered last
	trial  trial.Hash
	onward context.Context // ends when no new statements are made
}

// A statement is what a client wants logged.
type statement struct {
	what    string
	signer  string
	p       trial.Predicate
	subject []trial.Subject
	doc     []byte
	bad     bool // it must be refused
}

func (c *cluster) client(onward context.Context, n int) *client {
	name := fmt.Sprintf("client-%d", n)
	return &client{c: c, s: sender{c.net, c.w.process(name), name}, n: n, onward: onward}
}

// run ends when all that the client submitted is acknowledged, or ctx ends.
func (k *client) run(ctx context.Context) {
	w := k.c.w
	r := w.draw(k.s.addr)
	p, s := trialtest.Register(fmt.Sprintf("X-%d", k.n))
	id, ok := k.submit(ctx, statement{what: "registration", signer: "ada", p: p, subject: s})
	if !ok {
		return
	}
	k.trial = id
	for w.rest(k.onward, k.s.addr, time.Duration(r.ExpFloat64()*float64(w.plan.think))) {
		if _, ok := k.submit(ctx, k.next(r.IntN(12))); !ok {
			return
		}
	}
}

// next returns the client's next statement.
func (k *client) next(sort int) statement {
	k.wrote++
	text := fmt.Sprintf("document %d of client %d", k.wrote, k.n)
	p := &trial.Document{Common: trialtest.Common(), Trial: k.trial, Version: fmt.Sprint(k.wrote)}
	s := statement{what: text, signer: "ada", p: p, subject: trialtest.Documents("document", text), doc: []byte(text)}
	switch sort {
	case 0:
		s.signer, s.bad = "mallory", true
	case 1:
		p.Trial, s.bad = trial.Hash{1, 2, 3}, true
	}
	return s
}

// submit submits a statement until it has a receipt or a refusal.
func (k *client) submit(ctx context.Context, st statement) (trial.Hash, bool) {
	c, w := k.c, k.c.w
	env, key := trialtest.Sign(w.t, st.signer, st.p, st.subject)
	signed, err := trial.Check(env, key)
	c.must(err)
	r := w.draw(k.s.addr + " submits " + st.what)
	for try := 0; ; try++ {
		to := c.replicas[r.IntN(len(c.replicas))].name
		if try == 0 && k.last != "" {
			to = k.last
		}
		patience, cancel := context.WithTimeout(ctx, time.Second+time.Duration(r.Int64N(int64(14*time.Second))))
		var out logserver.Outcome
		var err error
		if try > 0 && r.IntN(3) == 0 {
			var res result[[]byte]
			res, err = ask(patience, k.s, to, "receipt of "+signed.ID.String()[:12], func(ctx context.Context, h http.Handler) (res result[[]byte]) {
				res.v, res.err = h.(door).Receipt(ctx, signed.ID)
				return res
			})
			if err == nil {
				out.ID, out.Receipt, err = signed.ID, res.v, res.err
			}
		} else {
			var res result[logserver.Outcome]
			if try > 0 {
				w.count("statements sent again")
			}
			what := "submit " + signed.ID.String()[:12]
			res, err = ask(patience, k.s, to, what, func(ctx context.Context, h http.Handler) (res result[logserver.Outcome]) {
				res.v, res.err = h.(door).Submit(ctx, env, key)
				return res
			})
			if err == nil {
				out, err = res.v, res.err
			}
		}
		cancel()
		w.event("%s: %s: %s", k.s.addr, st.what, outcome(err))
		switch rule, refused := refusal(err); {
		case err == nil:
			k.last = to
			k.check(st, signed.ID, out)
			return signed.ID, true
		case refused:
			w.count("statements refused")
			if !st.bad || rule == "" {
				w.fail("%s: %s was refused by rule %q: %v", k.s.addr, st.what, rule, err)
			}
			return signed.ID, true
		case !expected(err):
			w.fail("%s: %s: an answer that is neither a receipt, nor a refusal, nor a promise: %v", k.s.addr, st.what, err)
			return signed.ID, false
		}
		if !w.rest(ctx, k.s.addr, time.Duration(r.Int64N(int64(200*time.Millisecond)))) {
			w.fail("%s: %s was never answered; the last answer was: %v", k.s.addr, st.what, err)
			return signed.ID, false
		}
	}
}

// expected reports whether an error tells a client to ask again.
func expected(err error) bool {
	for _, e := range []error{logserver.ErrNotReady, logserver.ErrPending, logserver.ErrLost, logserver.ErrClosing, logserver.ErrNotFound} {
		if errors.Is(err, e) {
			return true
		}
	}
	return faulty(err)
}

// check verifies a receipt as its holder does, with nothing but the policy and the document.
func (k *client) check(st statement, id trial.Hash, out logserver.Outcome) {
	w := k.c.w
	w.count("statements acknowledged")
	if st.bad {
		w.fail("%s: %s was admitted", k.s.addr, st.what)
	}
	var docs []receipt.Document
	if st.doc != nil {
		docs = append(docs, receipt.Document{Name: "document", Digest: sha256.Sum256(st.doc)})
	}
	v, err := receipt.Verify(k.c.policy, out.Receipt, docs...)
	if err != nil {
		w.fail("%s: the receipt of %s does not verify: %v", k.s.addr, st.what, err)
		return
	}
	if v.Entry.Statement.ID != id || out.ID != id {
		w.fail("%s: the receipt of %s is another statement's", k.s.addr, st.what)
	}
	if v.ClockAhead() {
		w.fail("%s: the receipt of %s says that it was logged after witnesses saw it", k.s.addr, st.what)
	}
	k.c.acknowledge(k.s.addr, id, out.Receipt)
}
