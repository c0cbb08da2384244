package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// handOver is how far the time of an entry, and the time that the witnesses prove, may be from
// the agent's clock when it hands a package out. A quorum that came late may stand behind the
// end of a consent.
const handOver = 10 * time.Minute

func packageName(consent trial.Hash, org string, digest trial.Hash) string {
	return fmt.Sprintf("%.12s-%s-%.12s.package", consent, org, digest)
}

// pending returns the name of a package that is not handed out yet.
func (a *agent) pending(name string) string { return filepath.Join(a.dir, name+".pending") }

// drop removes packages that will never be handed out.
func (a *agent) drop(names []string) error {
	var errs []error
	for _, name := range names {
		if err := durable.Remove(a.pending(name)); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// handOut gives out the packages of a release that was logged: only if its receipt verifies
// under replayed rules, and only while it is fresh. An older one may stand behind an end that
// the agent has not seen.
func (a *agent) handOut(proofFile string, resumed bool) error {
	proof, err := readReceipt(proofFile)
	if err != nil {
		return err
	}
	v, err := receipt.Verify(a.policy, proof)
	if err != nil {
		return err
	}
	p, ok := v.Entry.Statement.Statement.Predicate.(*trial.Access)
	if !ok {
		return fmt.Errorf("%w: %s is no receipt of a release", errInvalid, proofFile)
	}
	var errs []error
	for _, c := range p.Consents {
		name := packageName(c.Consent, v.Entry.Signer.Org, c.Package)
		data, err := os.ReadFile(a.pending(name))
		if errors.Is(err, os.ErrNotExist) {
			if !resumed && !exists(filepath.Join(a.dir, name)) {
				errs = append(errs, fmt.Errorf("%s is lost: run the command again, which logs a new release", a.pending(name)))
			}
			continue // handed out, or dropped, already
		}
		if err != nil {
			return err
		}
		switch why := a.fresh(v); {
		case why != nil:
			errs = append(errs, fmt.Errorf("%s was not handed out: %w", name, why), a.drop([]string{name}))
		case sha256.Sum256(data) != c.Package:
			errs = append(errs, fmt.Errorf("%w: %s is not the package that was logged", errInvalid, a.pending(name)))
		default:
			file := filepath.Join(a.dir, name)
			if err := cmp.Or(durable.Replace(file+".tlog-proof", proof, 0o644), durable.Rename(a.pending(name), file)); err != nil {
				return err
			}
			fmt.Fprintln(a.env.Stdout, file)
		}
	}
	return errors.Join(errs...)
}

// fresh says why nothing may be handed out by a receipt.
func (a *agent) fresh(v *receipt.Verdict) error {
	if !v.Checkpoint.ReplayQuorum() {
		return errNotReplayed
	}
	now := a.now()
	proven, ok := v.ProvenTime()
	for what, t := range map[string]time.Time{"by the log's clock": v.Entry.Time.Std(), "by the witnesses' clocks": proven} {
		if d := now.Sub(t).Abs(); !ok || d > handOver {
			return fmt.Errorf("it was logged %s %s, and your clock says %s: more than %s lie between, and the consent may have ended meanwhile; "+
				"run the command again, which logs a new release", trial.Moment(t), what, trial.Moment(now), handOver)
		}
	}
	return nil
}

// resume ends what an interrupted run has begun: it hands out what was logged and is fresh, and
// drops what was not logged or is too old.
func (a *agent) resume(ctx context.Context) error {
	left, err := matching(a.dir, "access-*.statement")
	if err != nil {
		return err
	}
	for _, name := range left {
		d, err := readDraft(name)
		if err != nil {
			return err
		}
		res, err := a.client.Receipt(ctx, d.id)
		if errors.Is(err, client.ErrNotFound) { // it never arrived; if it does now, nobody has its package
			if err := durable.Remove(name); err != nil {
				return err
			}
			continue
		}
		if err != nil { // not decided, or not reachable: nothing may be concluded
			return fmt.Errorf("an earlier release is not finished: %w; go on with %s, or remove the file if it was never sent", err,
				a.fetch(name))
		}
		if _, err := d.finish(a.policy, res); err != nil {
			return err
		}
		for _, proof := range d.Receipts {
			if err := a.handOut(proof, true); err != nil {
				fmt.Fprintf(a.env.Stderr, "%v\n", err)
			}
		}
	}
	pending, err := matching(a.dir, "*.package.pending")
	if err != nil {
		return err
	}
	if len(pending) == 0 {
		return nil
	}
	proofs, err := matching(a.dir, "access-*.tlog-proof")
	if err != nil {
		return err
	}
	for _, proof := range proofs { // logged and filed, and then the agent was interrupted
		if err := a.handOut(proof, true); err != nil {
			fmt.Fprintf(a.env.Stderr, "%v\n", err)
		}
	}
	for _, name := range pending {
		if exists(name) { // never logged: the statement is kept before it is sent
			fmt.Fprintf(a.env.Stderr, "%s was never logged, and is removed\n", name)
			if err := durable.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
