package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/audit"
	"github.com/trialproof/trialproof/trial/receipt"
)

const demoOrigin = "demo.trialproof.example/trials"

func demo(ctx context.Context, e *frame.Env, args []string) error {
	fs := e.Flags()
	once := fs.Bool("once", false, "end when the story is told, with status 0 only if all went as it should")
	dir := fs.String("dir", "", "`folder` for everything the demo makes; it must be new (a temporary one if not given)")
	if err := parse(e, fs, args); err != nil {
		return err
	}
	temporary := *dir == ""
	var err error
	if temporary {
		*dir, err = os.MkdirTemp("", "trialproof-demo-")
	} else if list, rerr := os.ReadDir(*dir); rerr == nil && len(list) > 0 {
		return frame.Usagef("the folder %s is not empty", *dir)
	} else {
		err = os.MkdirAll(*dir, 0o700)
	}
	if err != nil {
		return frame.AsUsage(err)
	}
	ends := "stay up until you press Ctrl-C; the last lines say what to try"
	if *once {
		ends = "end with the story"
	}
	fmt.Fprintf(e.Stdout, "This makes a log and three witnesses in %s, which takes some seconds, tells their story, and has them %s.\n",
		*dir, ends)
	s := &story{stand: stand{dir: *dir, origin: demoOrigin}, w: e.Stdout}
	err = s.tell(ctx)
	if err == nil && !*once {
		s.stay(ctx)
	}
	err = errors.Join(err, s.end())
	if temporary {
		err = errors.Join(err, os.RemoveAll(*dir))
	}
	if err == nil {
		fmt.Fprintln(e.Stdout, "\nAll of it went as it should.")
	}
	return err
}

// A story is the demo as it goes on.
type story struct {
	stand
	w         io.Writer
	step      int
	registrar crypto.Signer
	relay     crypto.Signer
	ada       crypto.Signer
	trial     trial.Hash
	documents []document
}

// A document is a file of the sponsor's and, once it has been logged, where its
// statement stands.
type document struct {
	file  string
	id    trial.Hash
	index uint64
}

func (s *story) say(format string, args ...any) {
	s.step++
	fmt.Fprintf(s.w, "\n%d. %s\n", s.step, fmt.Sprintf(format, args...))
}

func (s *story) detail(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	fmt.Fprintf(s.w, "   %s\n", strings.ReplaceAll(text, "\n", "\n   "))
}

// tell does everything in order and returns the first thing that does not go
// as it should.
func (s *story) tell(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{
		s.setUp, s.people, s.protocol, s.results, s.verifyAll, s.consents, s.packs, s.auditAll, s.alterFile, s.alterStores,
	} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// setUp makes the log and three witnesses and starts them all.
func (s *story) setUp(ctx context.Context) error {
	s.say("An operator makes a log. Its registrar's key was made elsewhere (only this demo makes both).")
	var err error
	if _, s.registrar, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return err
	}
	if _, s.ada, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return err
	}
	registrar, err := trial.NewPublicKey(s.registrar.Public())
	if err != nil {
		return err
	}
	if err := s.make(ctx, registrar); err != nil {
		return err
	}
	s.detail("log %s", s.vkey)
	s.say("Three independent organisations run witnesses, each with its own key. Each replays the rules. Two must agree.")
	if s.listen, err = freeAddress(); err != nil { // the witnesses read the log there
		return err
	}
	var witnesses []*standWitness
	var urls []string
	for i := 1; i <= 3; i++ {
		w, err := s.makeWitness(i, fmt.Sprintf("w%d.example/replay", i), "127.0.0.1:0")
		if err != nil {
			return err
		}
		url, err := s.startWitness(ctx, w)
		if err != nil {
			return err
		}
		witnesses, urls = append(witnesses, w), append(urls, url)
		s.detail("witness %s at %s", w.name, url)
	}
	if err := s.setPolicy("", witnesses, urls); err != nil {
		return err
	}
	if s.relay, err = s.makeRelay(); err != nil {
		return err
	}
	if err := s.serve(ctx); err != nil {
		return err
	}
	s.detail("the log serves at %s", s.server.url)
	return nil
}

// freeAddress returns an address of this machine where nothing listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *story) people(ctx context.Context) error {
	v, err := s.announce(ctx, s.registrar)
	if err != nil {
		return err
	}
	s.detail("entry %d: the registrar announces the policy, so that it can be followed from the start", v.Index)
	if v, err = s.enrolRelay(ctx, s.registrar, s.relay); err != nil {
		return err
	}
	s.detail("entry %d: the registrar enrols the operator, whose relay ends consents for patients", v.Index)
	s.say("The registrar enrols Example Pharma, whose administrator has made her own key.")
	if v, err = s.enrol(ctx, s.registrar, "example-pharma", "Example Pharma", s.ada); err != nil {
		return err
	}
	s.detail("entry %d: %s", v.Index, trial.Describe(v.Entry.Statement.Statement))
	s.say("Example Pharma registers a trial and binds its registry number to it.")
	number := "EXP-2026-01"
	v, _, err = s.submit(ctx, s.ada, &trial.Statement{
		Subjects:  trial.NumberSubject(number),
		Predicate: &trial.Registration{Common: s.common("responsibility"), Masked: true, Number: number, Org: "example-pharma"},
	})
	if err != nil {
		return err
	}
	s.trial = v.Entry.Statement.ID
	s.detail("entry %d: the trial's id is %s", v.Index, s.trial)
	v, _, err = s.submit(ctx, s.ada, &trial.Statement{
		Subjects:  trial.NamedSubject("trial", s.trial),
		Predicate: &trial.Identifier{Common: s.common("responsibility"), Identifier: "nct:NCT09999991", Trial: s.trial},
	})
	if err != nil {
		return err
	}
	s.detail("entry %d: nct:NCT09999991", v.Index)
	return nil
}

const protocolText = `CLINICAL TRIAL PROTOCOL EXP-2026-01, version %s
A randomised, double-blind, placebo-controlled trial of examplinib in adults.
Primary outcome: %s
Planned enrolment: 240 participants.
`

func (s *story) protocol(ctx context.Context) error {
	s.say("Ada submits the protocol. The file stays with her; its digest goes into the log.")
	p1 := &trial.Protocol{Common: s.common("approval"), Scope: trial.ScopeGlobal, Trial: s.trial, Version: "1.0"}
	text := fmt.Sprintf(protocolText, "1.0", "change in HbA1c from baseline to week 24")
	if err := s.file(ctx, "protocol-1.0.txt", text, p1); err != nil {
		return err
	}
	s.say("An amendment changes the primary outcome. It names the version it follows.")
	p2 := &trial.Protocol{Common: s.common("approval"), Previous: s.documents[0].id, Scope: trial.ScopeGlobal, Trial: s.trial,
		Version: "2.0"}
	text = fmt.Sprintf(protocolText, "2.0", "change in HbA1c from baseline to week 12")
	if err := s.file(ctx, "protocol-2.0.txt", text, p2); err != nil {
		return err
	}
	s.say("A second version 2 beside it is refused: one trial has one protocol in force.")
	p3 := &trial.Protocol{Common: s.common("approval"), Previous: s.documents[0].id, Scope: trial.ScopeGlobal, Trial: s.trial,
		Version: "2.0b"}
	_, _, err := s.submit(ctx, s.ada, &trial.Statement{Subjects: subjectsOf("protocol", text), Predicate: p3})
	if trial.RuleOf(err) != trial.RulePredecessor {
		return fmt.Errorf("a second head was not refused: %w", err)
	}
	s.detail("%v", err)
	return nil
}

func (s *story) results(ctx context.Context) error {
	s.say("The database is locked and the results follow.")
	lock := &trial.Milestone{Common: s.common("responsibility"), Analysis: "primary", Date: time.Now().UTC().Format("2006-01-02"),
		Event: "database-lock", Trial: s.trial}
	v, _, err := s.submit(ctx, s.ada, &trial.Statement{Subjects: trial.NamedSubject("trial", s.trial), Predicate: lock})
	if err != nil {
		return err
	}
	s.detail("entry %d: %s", v.Index, trial.Describe(v.Entry.Statement.Statement))
	text := "RESULTS EXP-2026-01, primary analysis\nHbA1c at week 12: -0.9 (examplinib), -0.2 (placebo).\n"
	return s.file(ctx, "results.txt", text, &trial.Results{Common: s.common("approval"), Analysis: "primary", Trial: s.trial,
		Version: "1.0"})
}

func subjectsOf(kind, text string) []trial.Subject {
	return []trial.Subject{{Name: kind, Digest: trial.Digest{SHA256: sha256.Sum256([]byte(text))}}}
}

// file writes a document, submits it and files the receipt beside it.
func (s *story) file(ctx context.Context, name, text string, p trial.Predicate) error {
	v, proof, err := s.submit(ctx, s.ada, &trial.Statement{Subjects: subjectsOf(p.Kind(), text), Predicate: p})
	if err != nil {
		return err
	}
	d := document{s.path(filepath.Join("documents", name)), v.Entry.Statement.ID, v.Index}
	if err := os.MkdirAll(filepath.Dir(d.file), 0o755); err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(d.file, []byte(text), 0o644), os.WriteFile(d.file+".tlog-proof", proof, 0o644)); err != nil {
		return err
	}
	s.documents = append(s.documents, d)
	s.detail("entry %d: %s\nreceipt %s.tlog-proof", v.Index, trial.Describe(v.Entry.Statement.Statement), d.file)
	return nil
}

// check verifies a document with its receipt, as a regulator does offline.
func (s *story) check(d document) (*receipt.Verdict, error) {
	text, err := os.ReadFile(d.file)
	if err != nil {
		return nil, err
	}
	proof, err := os.ReadFile(d.file + ".tlog-proof")
	if err != nil {
		return nil, err
	}
	return receipt.Verify(s.policy, proof, receipt.Document{Name: filepath.Base(d.file), Digest: sha256.Sum256(text)})
}

func (s *story) verifyAll(ctx context.Context) error {
	s.say("A regulator checks every file with its receipt and the policy, offline.")
	for _, d := range s.documents {
		v, err := s.check(d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.file, err)
		}
		at, _ := v.ProvenTime()
		s.detail("valid: %s, logged no later than %s", filepath.Base(d.file), trial.Moment(at))
	}
	v, err := s.check(s.documents[0])
	if err != nil {
		return err
	}
	s.detail("in full:\n%s", v.Text())
	return nil
}

func (s *story) auditAll(ctx context.Context) error {
	s.say("An auditor, holding nothing but the policy, replays the whole log.")
	report, err := audit.New(s.policy, s.client).Run(ctx)
	if err != nil {
		return err
	}
	if len(report.Findings) > 0 {
		return fmt.Errorf("the audit found: %v", report.Findings)
	}
	s.detail("clean: %d entries keep the rules and lead to the root %x", report.Checkpoint.Size, report.Checkpoint.Root)
	return nil
}

// stay keeps everything up until the context ends.
func (s *story) stay(ctx context.Context) {
	fmt.Fprintf(s.w, "\nThe log and its witnesses stay up until you press Ctrl-C. Try, from another terminal:\n\n")
	for _, cmd := range []string{
		fmt.Sprintf("go run ./cmd/trial verify -policy %s %s", frame.Quoted(s.log.path(policyName)), frame.Quoted(s.documents[0].file)),
		fmt.Sprintf("go run ./cmd/trial show %s/%d", s.server.url, s.documents[1].index),
		fmt.Sprintf("go run ./cmd/trial audit -log %s -policy %s", s.server.url, frame.Quoted(s.log.path(policyName))),
		fmt.Sprintf("curl %s/checkpoint", s.server.url),
	} {
		fmt.Fprintf(s.w, "  %s\n", cmd)
	}
	fmt.Fprintf(s.w, "\nor open %s in a browser.\n", s.server.url)
	<-ctx.Done()
}
