package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/vault"
)

// protectFlags say how a file is protected.
type protectFlags struct {
	owner, backup, subject, data, grantors, again string
	agents                                        frame.Words
}

func (f *protectFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.owner, "owner", "", "recipient `file` of the owner: an identity made for this person's files alone")
	fs.StringVar(&f.backup, "backup", "", "recipient `file` of a backup that can open the file too, by FILE.backup.age")
	fs.Var(&f.agents, "agent", "organisation and recipient file, `ORG=FILE`, of who releases the file; twice if two must release it together")
	fs.StringVar(&f.subject, "subject", "", "whose data it is: a `pseudonym`, the same as in the consents; that of a FHIR file if not given")
	fs.StringVar(&f.data, "data", "", "what the file has: FHIR resource types with commas, such as Observation,Condition; a FHIR file with "+
		"others is refused")
	fs.StringVar(&f.grantors, "grantor", "", "`organisations` whose consents count for the file, with commas; your own if not given")
	fs.StringVar(&f.again, "again", "", "owner's identity `file`, or that in FILE.backup.age: issue the shares of FILE.age again, when one "+
		"was lost or an "+
		"agent has another recipient")
}

// protect encrypts a file for its owner, and divides its key among agents.
func protect(ctx context.Context, e *env, args []string) error {
	var f protectFlags
	fs := e.Flags()
	var r remote
	r.flags(fs, true)
	f.register(fs)
	rest, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if (f.owner == "") == (f.again == "") || len(f.agents) == 0 || len(rest) != 1 {
		return frame.Usagef("-owner (or -again, with FILE.age), -agent and one file must be given")
	}
	if f.again != "" && f.backup+f.subject+f.data+f.grantors != "" {
		return frame.Usagef("-again changes the shares alone: the rest stays as FILE.protected says")
	}
	if err := errors.Join(r.openKey(), e.private(r.keyFile, r.strict)); err != nil {
		return err
	}
	o, err := f.options(r.key.Org)
	if err != nil {
		return err
	}
	if err := r.loggedAgents(ctx, e, o.Agents); err != nil {
		return err
	}
	if f.again != "" {
		return protectAgain(ctx, e, &f, o, r.key, rest[0])
	}
	return protectFile(ctx, e, o, r.key, rest[0])
}

func (f *protectFlags) options(org string) (o vault.Options, err error) {
	if org == "" {
		return o, frame.Usagef("the key file does not say of which organisation the key is: use the one that trial keygen made")
	}
	o = vault.Options{Org: org, Subject: f.subject, Data: list(f.data), Grantors: list(f.grantors)}
	if f.owner != "" {
		if o.Owner, err = readRecipient(f.owner); err != nil {
			return o, err
		}
	}
	if f.backup != "" {
		if o.Backup, err = readRecipient(f.backup); err != nil {
			return o, err
		}
	}
	for _, typed := range f.agents {
		org, file, ok := strings.Cut(typed, "=")
		if !ok {
			return o, frame.Usagef("-agent is ORG=FILE, for example site-a=a.recipient")
		}
		a := vault.Agent{Org: org}
		if a.Recipient, err = readRecipient(file); err != nil {
			return o, err
		}
		o.Agents = append(o.Agents, a)
	}
	return o, nil
}

// loggedAgents refuses agents whose recipient is not in the log for their organisation, or is
// retired. Without a policy nothing can be looked up, and that is said.
func (r *remote) loggedAgents(ctx context.Context, e *env, agents []vault.Agent) error {
	if err := r.open(e, false); err != nil {
		fmt.Fprintf(e.Stderr, "trial %s: it was not checked whether the agents' recipients are in the log: %v\n", e.Command(), err)
		return nil
	}
	for _, a := range agents {
		if _, err := r.recipientOf(ctx, a.Org, trial.RecipientID(a.Org, a.Recipient)); err != nil {
			return err
		}
	}
	return nil
}

// protectFile writes FILE.age, FILE.protected and, with a backup, FILE.backup.age: all or none.
func protectFile(ctx context.Context, e *env, o vault.Options, key *trial.KeyFile, name string) (err error) {
	for _, out := range []string{name + ".age", name + ".protected", name + ".backup.age"} {
		if exists(out) {
			return frame.Usagef("%s is there already and is not overwritten", out)
		}
	}
	info, err := regular(name)
	if err != nil {
		return err
	}
	src, err := os.Open(name)
	if err != nil {
		return frame.AsUsage(err)
	}
	defer src.Close()
	part, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".age.*.part") // another process may protect it too
	if err != nil {
		return frame.AsUsage(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, part.Close(), os.Remove(part.Name()))
		}
	}()
	p := e.Progress("protecting")
	defer p.End()
	protected, backup, err := vault.Protect(part, &counter{ctx, src, p, name, 0, info.Size()}, o)
	if err != nil {
		return frame.AsUsage(fmt.Errorf("%s: %w", name, err))
	}
	data, err := protected.Sign(key.Signer)
	if err != nil {
		return err
	}
	if err := part.Sync(); err != nil {
		return err
	}
	if backup != nil {
		if err := writeNew(name+".backup.age", backup, 0o600); err != nil {
			return err
		}
	}
	if err := writeNew(name+".protected", data, 0o600); err != nil {
		return err
	}
	if err := errors.Join(part.Close(), durable.Rename(part.Name(), name+".age")); err != nil {
		return err
	}
	if protected.Subject == "" {
		e.note(name + " names no person that this program can read (it reads FHIR in JSON), and neither does -subject: it is released only " +
			"under consents " +
			"with which its FILE.protected was given")
	}
	if len(protected.Data) == 0 {
		e.note("nothing says what kind of data " + name + " has: consents that name kinds of data do not release it (-data says it)")
	}
	fmt.Fprintf(e.Stderr, "%s is encrypted: %s.age may travel any way; %s.protected says what it is and stays with you and the agents "+
		"(%s). The file itself is still there\n", name, name, name, strings.Join(orgsOf(o.Agents), ", "))
	fmt.Fprintln(e.Stdout, name+".age")
	return nil
}

// protectAgain replaces FILE.protected by one with other shares.
func protectAgain(ctx context.Context, e *env, f *protectFlags, o vault.Options, key *trial.KeyFile, name string) error {
	stem, ok := strings.CutSuffix(name, ".age")
	if !ok {
		return frame.Usagef("%s does not end in .age: -again is given FILE.age, and FILE.protected lies beside it", name)
	}
	owner, err := readIdentities(f.again)
	if err != nil {
		return err
	}
	data, err := readSmall(stem + ".protected")
	if err != nil {
		return err
	}
	before, _, err := vault.ParseProtected(data)
	if err != nil {
		return frame.Usagef("%s.protected: %w", stem, err)
	}
	if before.Org != o.Org {
		return frame.Usagef("%s.protected is of %s, and your key is of %s", stem, before.Org, o.Org)
	}
	info, err := regular(name)
	if err != nil {
		return err
	}
	src, err := os.Open(name)
	if err != nil {
		return frame.AsUsage(err)
	}
	defer src.Close()
	p := e.Progress("reading")
	defer p.End()
	after, err := before.Reissue(&counter{ctx, src, p, name, 0, info.Size()}, owner, o.Agents)
	if err != nil {
		return frame.AsUsage(fmt.Errorf("%s: %w", name, err))
	}
	if data, err = after.Sign(key.Signer); err != nil {
		return err
	}
	if err := durable.Replace(stem+".protected", data, 0o600); err != nil {
		return err
	}
	fmt.Fprintf(e.Stderr, "%s.protected has new shares: give it to all agents (%s) and have the old one deleted everywhere, for its shares "+
		"still open the "+
		"file\n", stem, strings.Join(after.Agents(), ", "))
	fmt.Fprintln(e.Stdout, stem+".protected")
	return nil
}

func orgsOf(agents []vault.Agent) (orgs []string) {
	for _, a := range agents {
		orgs = append(orgs, a.Org)
	}
	slices.Sort(orgs)
	return orgs
}

// readIdentities reads an identity file.
func readIdentities(name string) (vault.Identities, error) {
	data, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	list, err := vault.ParseIdentities(data)
	if err != nil {
		return nil, frame.Usagef("%s: %w", name, err)
	}
	return list, nil
}
