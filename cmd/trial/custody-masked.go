package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
)

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
		for _, x := range scans {
			delete(s.journal.seen, x.Unit) // what the scan was expected to make of it
		}
		s.refused += len(scans)
		refused = negative{fmt.Errorf("nothing was logged: %w, and to %s fewer than all packs at a custodian may show which packs "+
			"are alike. If it must be, the trial's holder, or whom it delegated codebreak to, gives -unblinds REASON (%s): a code break is then "+
			"logged first. A pack that looks wrong is reported with trial custody suspect", errMasked, scans[0].Action,
			strings.Join(trial.CodeBreakReasons, ", "))}
	}
	return refused
}

// breakCode logs a code break about units, once, whatever ends the program in between. The list of them
// stays here.
func (s *session) breakCode(ctx context.Context, scans []*scan) error {
	for _, k := range slices.Clone(s.journal.breaks) { // an earlier run may have sent it
		if slices.ContainsFunc(scans, func(x *scan) bool { return x.Key == k.Scans[0] }) {
			if err := s.sendBreak(ctx, k, scans); err != nil {
				return err
			}
		}
	}
	scans = slices.DeleteFunc(slices.Clone(scans), func(x *scan) bool {
		return s.journal.broken[x.Key] || !slices.Contains(s.journal.scans, x)
	})
	if len(scans) == 0 {
		return nil
	}
	var b bytes.Buffer
	k := &kept{}
	for _, x := range scans {
		fmt.Fprintln(&b, x.Serial)
		k.Scans = append(k.Scans, x.Key)
	}
	name := filepath.Join(s.out, "codebreak-"+scans[0].Key[:12]+".txt")
	if err := durable.Replace(name, b.Bytes(), 0o600); err != nil {
		return err
	}
	o := new(trial.Openings)
	files := []file{{name: name, digest: sha256.Sum256(b.Bytes())}}
	p := &trial.CodeBreak{Common: s.common("responsibility", o), Reason: scans[0].Unblinds, Trial: s.id}
	var err error
	if k.Draft, err = s.signed(&trial.Statement{Predicate: p, Subjects: subjects("codebreak", files, true, o)}, o, nil); err != nil {
		return err
	}
	if err := s.journal.add(journalLine{Break: k}); err != nil {
		return err
	}
	return s.sendBreak(ctx, k, scans)
}

// sendBreak carries a code break to its receipt. If it is refused, so are the scans.
func (s *session) sendBreak(ctx context.Context, k *kept, scans []*scan) error {
	v, err := s.submit(ctx, k.Draft, s.verifier, s.receipts)
	if trial.RuleOf(err) == "" {
		if err != nil {
			return err
		}
		fmt.Fprintf(s.e.Stderr, "logged first: %s\n", loggedText(v))
		return s.journal.add(journalLine{Broken: k.Scans})
	}
	for _, x := range scans {
		if err := s.refuse(x, "the code break that must come first: "+err.Error()); err != nil {
			return err
		}
	}
	return nil
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
		if named[u.Record.ID] && (scans[0].Action != "destroy" || u.Record.Returned == 0) {
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
