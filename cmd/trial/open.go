package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/vault"
)

// openCommand opens a protected file with the packages of its agents, offline.
func openCommand(ctx context.Context, e *env, args []string) error {
	fs := e.Flags()
	var policyFile string
	policyFlag(fs, &policyFile)
	identity := fs.String("identity", "", "identity `file` of the recipient, as age-keygen -pq makes it")
	out := fs.String("o", "", "`file` to write (FILE without .age if not given)")
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if *identity == "" || len(rest) < 2 {
		return frame.Usagef("-identity, at least one package and the file must be given")
	}
	policy, err := e.trustedPolicy(&policyFile)
	if err != nil {
		return err
	}
	ids, err := readIdentities(*identity)
	if err != nil {
		return err
	}
	last := len(rest) - 1
	var packages []*vault.Package
	for _, name := range rest[:last] {
		p, err := openPackage(e, receipt.NewVerifier(policy), name, ids)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		packages = append(packages, p)
	}
	name := *out
	if name == "" {
		var ok bool
		if name, ok = strings.CutSuffix(rest[last], ".age"); !ok {
			return frame.Usagef("%s does not end in .age: say with -o which file to write", rest[last])
		}
	}
	return openFile(ctx, e, rest[last], name, packages)
}

// openPackage opens a package whose receipt beside it shows that its release was logged, under
// replayed rules.
func openPackage(e *env, verifier *receipt.Verifier, name string, ids vault.Identities) (*vault.Package, error) {
	data, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	proof, err := readReceipt(name + ".tlog-proof")
	if err != nil {
		return nil, fmt.Errorf("its receipt: %w", err)
	}
	v, err := verifier.Verify(proof)
	if err != nil {
		return nil, err
	}
	if !v.Checkpoint.ReplayQuorum() {
		return nil, errNotReplayed
	}
	release, handle, ok := releaseOf(v, sha256.Sum256(data))
	if !ok {
		return nil, fmt.Errorf("%w: the receipt beside it is for the release of something else", errInvalid)
	}
	p, err := vault.OpenPackage(data, ids)
	if errors.Is(err, vault.ErrNotForUs) {
		return nil, fmt.Errorf("%w: it is encrypted to another recipient", errInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	if p.Consent != handle || p.Org != v.Entry.Signer.Org {
		return nil, fmt.Errorf("%w: it says that it is of another consent or by another agent than the log does", errInvalid)
	}
	shown, given, err := consent.ShownIn(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	at, _ := v.ProvenTime()
	fmt.Fprintf(e.Stderr, "%s: released by %s under consent %s (entry %d), which stood then; no later than %s%s\n",
		name, p.Org, handle, v.Index, trial.Moment(at), emergencyText(release))
	for _, line := range agreed(shown, given) {
		fmt.Fprintf(e.Stderr, "  %s\n", frame.Printable(line))
	}
	return p, nil
}

// agreed says for a recipient what the person has agreed to.
func agreed(shown []consent.Shown, given *trial.Consent) []string {
	lines := []string{"the consent is for " + given.To}
	if given.Until != "" {
		lines[0] += " and, as the log has it, until " + given.Until
	}
	for _, part := range shown {
		name, _, _ := strings.Cut(part.Path, "/")
		switch name {
		case "data":
			lines = append(lines, "it covers "+part.Text)
		case "form":
			lines = append(lines, "the consent form that was signed is statement "+part.Text)
		case "not":
			lines = append(lines, "not for "+part.Text)
		case "period":
			start, end, _ := strings.Cut(part.Text, "/")
			lines = append(lines, "the data may be released from "+cmp.Or(start, "now")+" to "+cmp.Or(end, "the end of the consent"))
		case "trial":
			lines = append(lines, "only for the trial "+part.Text)
		case "use":
			lines = append(lines, "you may use it for "+consent.UseText(part.Text))
		}
	}
	return lines
}

func emergencyText(p *trial.Access) string {
	if p.Action != "emergency" {
		return ""
	}
	return "; in an EMERGENCY: " + p.Reason + " (the consent may have been for another recipient, or have run out)"
}

// releaseOf returns the release of a receipt, and the consent under which it hands out the
// package with a digest.
func releaseOf(v *receipt.Verdict, digest trial.Hash) (*trial.Access, trial.Hash, bool) {
	p, ok := v.Entry.Statement.Statement.Predicate.(*trial.Access)
	if !ok {
		return nil, trial.Hash{}, false
	}
	for _, c := range p.Consents {
		if c.Package == digest {
			return p, c.Consent, true
		}
	}
	return nil, trial.Hash{}, false
}

// openFile writes the file that the packages open.
func openFile(ctx context.Context, e *env, name, out string, packages []*vault.Package) (err error) {
	if exists(out) {
		return frame.Usagef("%s is there already and is not overwritten: name another file with -o", out)
	}
	src, err := os.Open(name)
	if err != nil {
		return frame.AsUsage(err)
	}
	defer src.Close()
	part, err := os.CreateTemp(filepath.Dir(out), filepath.Base(out)+".*.part")
	if err != nil {
		return frame.AsUsage(err)
	}
	p := e.Progress("opening")
	defer p.End()
	info, err := src.Stat()
	if err == nil {
		err = vault.OpenFile(part, io.Reader(&counter{ctx, src, p, name, 0, info.Size()}), packages)
	}
	if err == nil {
		err = part.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%w: %s: %w", errInvalid, name, err), part.Close(), os.Remove(part.Name()))
	}
	if err := errors.Join(part.Close(), durable.Rename(part.Name(), out)); err != nil {
		return err
	}
	fmt.Fprintln(e.Stdout, out)
	return nil
}

// errNotReplayed says that nothing shows that the rules were kept.
var errNotReplayed = errors.New("too few replaying witnesses cosigned: nothing shows that the consent stood. Ask the log's operator for " +
	"replaying witnesses, and for a policy whose quorum they can meet")
