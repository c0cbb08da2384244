package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
)

// handleFlags are what the acts with packs take.
type handleFlags struct {
	scan, epcis, sensor, profile string
	orgs                         frame.Words
	reading                      sensorFlags
}

// handlePacks does one act with packs: those whose codes are typed, scanned, or in an EPCIS event.
func handlePacks(ctx context.Context, e *env, action string, args []string) error {
	s := &session{custodian: new(custodian), like: scan{Action: action}}
	var f handleFlags
	rest, err := s.custodian.begin(ctx, e, args, true, func(fs *flag.FlagSet) { s.define(fs, &f) })
	if err != nil {
		return err
	}
	if err := s.fits(&f, rest); err != nil {
		return err
	}
	if err := s.theTrialOrSeen(ctx); err != nil {
		return err
	}
	codes, err := s.documents(ctx, &f)
	if err != nil {
		return err
	}
	codes = append(codes, rest...)
	if err := s.begin(ctx); err != nil {
		s.close()
		return err
	}
	defer s.close()
	if f.scan != "-" {
		lines := make(chan scannedLine, len(codes))
		for _, code := range codes {
			lines <- scannedLine{text: code}
		}
		close(lines)
		return s.run(ctx, lines)
	}
	e.stdinRead, s.scanning = true, true
	return s.run(ctx, scannedLines(ctx, e.Stdin))
}

func (s *session) define(fs *flag.FlagSet, f *handleFlags) {
	x := &s.like
	s.outFlag(fs)
	fs.StringVar(&f.scan, "scan", "", "`-`: scan now, or type, one code a line; it ends with Ctrl-D. Without -scan, give the codes behind the flags")
	switch x.Action {
	case "ship", "receive":
		fs.StringVar(&f.epcis, "epcis", "", "EPCIS 2.0 `file` (JSON) with one event: its packs are taken, and its digest is logged, salted")
		fs.Var(&f.orgs, "org", "`GLN=ORG`: which organisation a party of the EPCIS event is; may be repeated")
		fs.StringVar(&f.sensor, "sensor", "", "the temperature logger's `file` (CSV, or EPCIS in JSON); its digest is logged, salted: keep the file")
	}
	switch x.Action {
	case "ship":
		fs.StringVar(&x.To, "to", "", "id of the `organisation` that the packs are sent to, such as site-a")
	case "receive":
		fs.StringVar(&x.Condition, "condition", "", "`condition` of all packs of this run: ok, damaged, excursion (they were too warm or too cold) or "+
			"unknown; anything but ok puts them on hold")
		fs.StringVar(&f.profile, "profile", "", "stability profile, a JSON `file` that the trial's holder gives you: with -sensor, the condition is "+
			"computed")
		f.reading.define(fs)
	case "dispense":
		fs.StringVar(&x.Subject, "subject", "", "the participant's `number`, of all packs until a line such as: subject 1002. The log shows it to nobody")
		fs.StringVar(&x.Deviation, "deviation", "", "give out even what is on hold, recalled or expired, which is marked for ever; the `reason`: "+
			strings.Join(trial.Deviations, ", "))
		fs.BoolVar(&x.Wait, "wait", false, "log everything in one statement at the end, so that nobody sees how many each participant got")
	case "suspect":
		fs.StringVar(&x.Reason, "reason", "", "the `suspicion`: duplicate (two packs have this label), seal (it is broken or looks wrong) or wrong-hand "+
			"(whoever has the pack should not have it)")
	case "hold", "destroy", "recall":
		fs.StringVar(&x.Unblinds, "unblinds", "", "in a masked trial, log a code break first, because which packs are named may show what is in "+
			"them; its `reason`: "+strings.Join(trial.CodeBreakReasons, ", "))
	}
}

// fits refuses flags that do not make sense together.
func (s *session) fits(f *handleFlags, codes []string) error {
	x := &s.like
	switch {
	case f.scan != "" && f.scan != "-":
		return frame.Usagef("-scan takes - (the standard input); give codes behind the flags")
	case f.scan == "-" && (len(codes) > 0 || f.epcis != ""):
		return frame.Usagef("with -scan - no codes and no -epcis are given")
	case f.scan == "" && len(codes) == 0 && f.epcis == "":
		return frame.Usagef("which units? -scan - for a scanner, or their codes behind the flags")
	case x.Action == "ship" && x.To == "" && f.epcis == "":
		return frame.Usagef("-to ORGANISATION must be given")
	case x.Action == "receive" && x.Condition == "" && (f.sensor == "" || f.profile == ""):
		return frame.Usagef("-condition (%s) must be given, or -sensor and -profile, of which it is computed", strings.Join(trial.Conditions, ", "))
	case x.Action == "suspect" && x.Reason == "":
		return frame.Usagef("-reason must be given: one of %s", strings.Join(trial.Suspicions, ", "))
	}
	for _, m := range []struct {
		flag, value string
		of          []string
	}{{"condition", x.Condition, trial.Conditions}, {"deviation", x.Deviation, trial.Deviations}, {"reason", x.Reason, trial.Suspicions},
		{"unblinds", x.Unblinds, trial.CodeBreakReasons}} {
		if m.value != "" && !slices.Contains(m.of, m.value) {
			return frame.Usagef("-%s is one of %s", m.flag, strings.Join(m.of, ", "))
		}
	}
	return nil
}

// theTrialOrSeen finds the trial. Without a network it is what it was when it was last found.
func (s *session) theTrialOrSeen(ctx context.Context) error {
	name := filepath.Join(s.out, "custody.trial-"+safe(s.typed))
	asked := ctx
	if _, err := os.Lstat(name); err == nil { // nobody waits long for what is known
		var cancel context.CancelFunc
		asked, cancel = context.WithTimeout(ctx, 2*scanPatience)
		defer cancel()
	}
	err := s.theTrial(asked)
	if err == nil {
		data, err := trial.MarshalRecord(s.record)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(s.out, 0o700); err != nil {
			return frame.AsUsage(err)
		}
		return durable.Replace(name, data, 0o600)
	}
	if !unavailable(err) {
		return err
	}
	data, rerr := os.ReadFile(name)
	if rerr != nil {
		return fmt.Errorf("%w: nothing was scanned; the first run with -trial %s and this -out folder needs the log", err, s.typed)
	}
	rec, rerr := trial.ParseRecord("trial", data)
	if rerr != nil {
		return frame.Usagef("%s: %w", name, rerr)
	}
	s.record, s.silent = rec.(*trial.TrialRecord), s.now()
	s.id = s.record.ID
	s.warn("the log cannot be reached: scans are kept, and logged with their true time once it can")
	return nil
}

// documents reads the files of a handover: they belong to its statement. It returns the codes of an
// EPCIS event.
func (s *session) documents(ctx context.Context, f *handleFlags) (codes []string, err error) {
	if f.epcis != "" {
		if codes, err = s.event(f); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{f.epcis, f.sensor} {
		if name == "" {
			continue
		}
		data, err := readAtMost(name, maxLarge)
		if err != nil {
			return nil, err
		}
		s.like.Files = append(s.like.Files, scanFile{Name: name, Digest: sha256.Sum256(data)})
	}
	if f.sensor == "" || f.profile == "" {
		return codes, nil
	}
	a, err := assessFiles(f.profile, f.reading, []string{f.sensor})
	if err != nil {
		return nil, err
	}
	for _, line := range a.lines {
		fmt.Fprintln(s.e.Stderr, line)
	}
	switch {
	case s.like.Condition == "":
		s.like.Condition = a.condition
	case s.like.Condition == "ok" && a.condition != "ok":
		return nil, frame.Usagef("-condition says ok, and by the logger's file it is %s: give that, or leave -condition out", a.condition)
	}
	return codes, nil
}

// event reads the one event of an EPCIS file that is of the session's action.
func (s *session) event(f *handleFlags) ([]string, error) {
	data, err := readAtMost(f.epcis, maxLarge)
	if err != nil {
		return nil, err
	}
	events, err := custody.ParseEvents(data)
	if err != nil {
		return nil, frame.Usagef("%s: %w", f.epcis, err)
	}
	if len(events) != 1 || events[0].Action != s.like.Action {
		return nil, frame.Usagef("%s has %d events, and one to %s is needed", f.epcis, len(events), s.like.Action)
	}
	ev := events[0]
	orgs := map[string]string{}
	for _, x := range f.orgs {
		gln, org, ok := strings.Cut(x, "=")
		if !ok {
			return nil, frame.Usagef("-org %q is not GLN=ORG", x)
		}
		orgs[gln] = org
	}
	if s.like.Action == "ship" && s.like.To == "" {
		if s.like.To = orgs[ev.To]; s.like.To == "" {
			return nil, frame.Usagef("%s ships to the GLN %s: say which organisation that is with -org %s=ORG, or give -to", f.epcis, ev.To, ev.To)
		}
	} else if org := orgs[ev.To]; org != "" && s.like.To != "" && org != s.like.To {
		return nil, frame.Usagef("-to is %s, and %s ships to %s", s.like.To, f.epcis, org)
	}
	fmt.Fprintf(s.e.Stderr, "EPCIS event %s\n", ev.Hash)
	if ev.Parent != "" { // a case is shipped as a whole
		return []string{ev.Parent}, nil
	}
	return ev.Serials, nil
}

// errMasked is wrapped by what says that acts are not logged because they may unblind.
var errMasked = errors.New("the trial is masked")

// closeUnits does what must come before acts on a masked trial's packs that no statement is signed
// about yet: if fewer than all of a custodian's are named, which ones may show what is in them.
func (s *session) closeUnits(ctx context.Context) error {
	if !s.record.Masked {
		return nil
	}
	parts := map[string][]*scan{}
	for _, x := range s.journal.loose(s.id) {
		if slices.Contains([]string{"hold", "destroy", "recall"}, x.Action) {
			parts[x.Action+" "+x.Unblinds] = append(parts[x.Action+" "+x.Unblinds], x)
		}
	}
	var refused error
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		scans := parts[part]
		if scans[0].Unblinds != "" {
			if err := s.breakCode(ctx, scans); err != nil {
				return err
			}
			continue
		}
		all, err := s.allNamed(ctx, scans)
		if err != nil {
			return err
		}
		if all {
			continue
		}
		if err := s.journal.done(scans); err != nil {
			return err
		}
		s.refused += len(scans)
		refused = negative{fmt.Errorf("nothing was logged: %w, and to %s fewer than all packs at a custodian may show which packs "+
			"are alike. If it must be, the trial's holder, or whom it delegated codebreak to, gives -unblinds REASON (%s): a code break is then "+
			"logged first. A pack that looks wrong is reported with trial custody suspect", errMasked, scans[0].Action,
			strings.Join(trial.CodeBreakReasons, ", "))}
	}
	return refused
}

// breakCode logs a code break about units. The list of them stays here.
func (s *session) breakCode(ctx context.Context, scans []*scan) error {
	var b bytes.Buffer
	for _, x := range scans {
		fmt.Fprintln(&b, x.Serial)
	}
	name := filepath.Join(s.out, "codebreak-"+scans[0].Key[:12]+".txt")
	if err := writeNew(name, b.Bytes(), 0o600); err != nil {
		return err
	}
	o := new(trial.Openings)
	files := []file{{name: name, digest: sha256.Sum256(b.Bytes())}}
	p := &trial.CodeBreak{Common: s.common("responsibility", o), Reason: scans[0].Unblinds, Trial: s.id}
	st := &trial.Statement{Predicate: p, Subjects: subjects("codebreak", files, true, o)}
	_, err := s.send(ctx, s.e, sending{}, st, o, files)
	return err
}

// allNamed reports whether the scans, of one action, name all packs that each of their custodians has and
// that had no such act before. To destroy what a participant gave back says nothing of what is in it.
func (s *session) allNamed(ctx context.Context, scans []*scan) (bool, error) {
	named, at := map[trial.Hash]bool{}, map[string]bool{}
	for _, x := range scans {
		named[x.Unit] = true
	}
	units, err := s.units(ctx, s.id)
	if err != nil {
		return false, err
	}
	for _, u := range units {
		if named[u.Record.ID] && (s.like.Action != "destroy" || u.Record.Returned == 0) {
			at[u.Record.Custodian] = true
		}
	}
	for _, u := range units {
		r := u.Record
		had := r.Gone != 0 || r.Dispensed != 0 || scans[0].Action == "hold" && r.Hold != 0 || scans[0].Action == "recall" && r.Recalled != 0
		if at[r.Custodian] && !named[r.ID] && !had {
			return false, nil
		}
	}
	return true, nil
}
