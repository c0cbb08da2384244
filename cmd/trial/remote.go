package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/receipt"
)

// remote is what commands that speak to a log share.
type remote struct {
	url, policyFile, keyFile string
	keyFrom                  string // how the key file came to be chosen
	strict                   bool

	env    *env
	client *client.Client
	policy *checkpoint.Policy
	log    *checkpoint.LogKey
	key    *trial.KeyFile
	keep   bool // histories as files too

	instead *string // a file that is read instead of the log, once flags are parsed; nil or "": none
}

func (r *remote) flags(fs *flag.FlagSet, key bool) {
	fs.StringVar(&r.url, "log", "", "`URL` of the log, such as http://127.0.0.1:8080; default: the URL in the policy's log line")
	policyFlag(fs, &r.policyFile)
	if key {
		fs.StringVar(&r.keyFile, "key", "", "signing key `file`, as trial keygen makes it; default: what "+keyVariable+" names, or "+
			"trial config set key has set")
		fs.BoolVar(&r.strict, "strict", false, "refuse a key file that others than its owner can use, instead of a warning")
	}
}

// begin is how every command begins that speaks to a log: it parses the flags,
// those that define adds among them, and reads the files that they name.
func (r *remote) begin(e *env, args []string, key bool, define func(*flag.FlagSet)) (rest []string, err error) {
	fs := e.Flags()
	r.flags(fs, key)
	if define != nil {
		define(fs)
	}
	if rest, err = e.Parse(fs, args); err != nil {
		return nil, err
	}
	if err := r.open(e, key); err != nil {
		return nil, err
	}
	return rest, e.private(r.keyFile, r.strict)
}

// open reads what the flags name, or what they default to.
func (r *remote) open(e *env, key bool) (err error) {
	r.env = e
	if r.policy, err = e.trustedPolicy(&r.policyFile); err != nil {
		return err
	}
	if r.instead != nil && *r.instead != "" {
		return nil
	}
	if r.url == "" {
		if r.url, err = logURL(r.policy); err != nil {
			return err
		}
	}
	if r.client, err = client.New(r.url); err != nil {
		return frame.AsUsage(err)
	}
	if r.log, err = pickLog(r.policy, r.url); err != nil || !key {
		return err
	}
	return r.openKey()
}

// openKey reads the key that the flag names, or what it defaults to.
func (r *remote) openKey() (err error) {
	if r.keyFrom, err = defaulted(&r.keyFile, "key", keyVariable); err != nil {
		return err
	}
	r.key, err = readKey(r.keyFile)
	return err
}

func readPolicy(name string) (*checkpoint.Policy, error) {
	text, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	p, err := checkpoint.ParsePolicy(text)
	if err != nil {
		return nil, frame.Usagef("%s: %w", name, err)
	}
	if len(p.Logs) == 0 {
		return nil, frame.Usagef("%s: it names no log: add the line `log VKEY` with the log's key", name)
	}
	return p, nil
}

// pickLog returns the log of the policy that is meant: the only one, or the one
// with the URL. A log has several lines while its key changes.
func pickLog(p *checkpoint.Policy, url string) (*checkpoint.LogKey, error) {
	if !slices.ContainsFunc(p.Logs, func(l checkpoint.LogKey) bool { return l.Name() != p.Logs[0].Name() }) {
		return &p.Logs[0], nil
	}
	for i := range p.Logs {
		if strings.TrimRight(p.Logs[i].URL, "/") == strings.TrimRight(url, "/") {
			return &p.Logs[i], nil
		}
	}
	return nil, frame.Usagef("the policy names %d logs, none with the URL %s: add it behind the log's key", len(p.Logs), url)
}

// recordKey returns the record that is typed: a trial by its id or its first digits,
// org:ID, seal:COMMITMENT, consent:HANDLE, request:ID, recipient:ID, unit:ID, the log itself, a registry's number or sponsor:ORG/NUMBER,
// otherwise the trial with that number of its sponsor. Which trial an abbreviation stands
// for is the log's word: what is shown then names the trial in full.
func (r *remote) recordKey(ctx context.Context, typed string) (trial.RecordKey, error) {
	if typed == "log" {
		return trial.RecordKey{Kind: "log", ID: r.log.Name()}, nil
	}
	if kind, id, ok := strings.Cut(typed, ":"); ok {
		switch kind {
		case "org", "seal", "recipient", "unit":
			return checkedKey(kind, id)
		case "consent", "request": // their ids are those of statements
			of, err := r.id(ctx, id)
			if err != nil {
				return trial.RecordKey{}, err
			}
			if of.IsZero() {
				return checkedKey(kind, id)
			}
			return trial.RecordKey{Kind: kind, ID: of.String()}, nil
		}
	}
	if id, err := trial.ParseHash(typed); err == nil {
		return trial.RecordKey{Kind: "trial", ID: id.String()}, nil
	}
	typed = strings.TrimPrefix(typed, dossier.OwnPrefix)
	if strings.HasPrefix(typed, "sponsor:") {
		return checkedKey("identifier", typed)
	}
	id, err := trial.ParseIdentifier(typed)
	if err == nil {
		return trial.RecordKey{Kind: "identifier", ID: id}, nil
	}
	of, rerr := r.resolve(ctx, typed)
	if errors.Is(rerr, client.ErrNotFound) {
		return trial.RecordKey{}, frame.Usagef("no trial is published as %s, nor by its first digits or its sponsor's number, and %w",
			typed, err)
	}
	return trial.RecordKey{Kind: "trial", ID: of.String()}, rerr
}

// trialKey is recordKey where a trial or a number is meant.
func (r *remote) trialKey(ctx context.Context, typed string) (trial.RecordKey, error) {
	key, err := r.recordKey(ctx, typed)
	if err == nil && key.Kind != "trial" && key.Kind != "identifier" {
		return key, frame.Usagef("%s is no trial: give its id or a number bound to it", typed)
	}
	return key, err
}

func checkedKey(kind, id string) (trial.RecordKey, error) {
	key := trial.RecordKey{Kind: kind, ID: id}
	if err := key.Check(); err != nil {
		return trial.RecordKey{}, frame.AsUsage(err)
	}
	return key, nil
}

// resolve returns the id of the trial that was typed. An id is taken as it is;
// what another name stands for must be shown by a signed statement.
func (r *remote) resolve(ctx context.Context, typed string) (trial.Hash, error) {
	if id, err := trial.ParseHash(typed); err == nil {
		return id, nil
	}
	about, typed, err := r.trialTyped(ctx, typed)
	if err != nil {
		return trial.Hash{}, fmt.Errorf("trial %s: %w", typed, err)
	}
	id, err := trial.ParseHash(about.Trial)
	if err != nil {
		return trial.Hash{}, fmt.Errorf("trial %s: the log's answer: %w", typed, err)
	}
	for _, e := range about.Entries {
		entry, err := trial.ParseEntry([]byte(e.Entry))
		if err == nil {
			err = entry.Verify()
		}
		if err != nil {
			return trial.Hash{}, fmt.Errorf("trial %s: entry %d: %w", typed, e.Index, err)
		}
		if entry.Statement != nil && names(entry, typed, id) {
			return id, nil
		}
	}
	return trial.Hash{}, fmt.Errorf("%w: the log says that %s is trial %s and shows no signed statement that says so", errInvalid, typed,
		id)
}

// trialTyped returns what the log has about the trial that was typed. A sponsor's number
// alone is one of the organisation that the key is of, if there is a key: for another's the
// number is typed with its organisation. It is returned as it was asked for.
func (r *remote) trialTyped(ctx context.Context, typed string) (client.About, string, error) {
	_, err := trial.ParseIdentifier(typed)
	if err != nil && r.key != nil && r.key.Org != "" && !strings.HasPrefix(typed, "sponsor:") && !trial.IsShort(typed) {
		own := trial.SponsorNumber(r.key.Org, typed) // a rival's trial with this number is never meant
		if _, err := trial.ParseHash(typed); err != nil {
			about, err := r.client.Trial(ctx, own)
			return about, own, err
		}
	}
	about, err := r.client.Trial(ctx, typed)
	return about, typed, err
}

// names reports whether a signed statement binds what was typed to a trial.
func names(e *trial.Entry, typed string, id trial.Hash) bool {
	switch p := e.Statement.Statement.Predicate.(type) {
	case *trial.Identifier:
		number, err := trial.ParseIdentifier(typed)
		return err == nil && p.Identifier == number && p.Trial == id
	case *trial.Registration:
		return e.Statement.ID == id && (typed == trial.SponsorNumber(e.Signer.Org, p.Number) || typed == p.Number &&
			!trial.IsShort(typed) || id.Named(typed))
	}
	return false
}

// A loggedStatement is one that a receipt shows to be logged.
type loggedStatement struct {
	id        trial.Hash // of the statement that takes effect
	statement *trial.Statement
	trial     trial.Hash // zero if it is about none
	index     uint64
	time      trial.Time
}

// id returns the statement's id that was typed, whole or by its first digits; zero where a
// file is meant. Which statement an abbreviation stands for is the log's word, and so it is
// said in full.
func (r *remote) id(ctx context.Context, typed string) (trial.Hash, error) {
	if id, err := trial.ParseHash(typed); err == nil {
		return id, nil
	}
	if !trial.IsShort(typed) || exists(typed) {
		return trial.Hash{}, nil
	}
	d, err := r.searchID(ctx, typed)
	if err != nil {
		return trial.Hash{}, err
	}
	fmt.Fprintf(r.env.Stderr, "%s is the statement %s\n", typed, d.id)
	return d.id, nil
}

// logged returns the statement of a receipt, or of an id, whose receipt the log
// then gives.
func (r *remote) logged(ctx context.Context, typed string) (loggedStatement, error) {
	id, err := r.id(ctx, typed)
	if err != nil {
		return loggedStatement{}, err
	}
	var data []byte
	if !id.IsZero() {
		res, err := r.client.Receipt(ctx, id)
		if err != nil {
			return loggedStatement{}, err
		}
		data = []byte(res.Receipt)
	} else if data, err = readReceipt(typed); err != nil {
		return loggedStatement{}, err
	}
	v, err := receipt.Verify(r.policy, data)
	if err != nil {
		return loggedStatement{}, fmt.Errorf("%s: %w", typed, err)
	}
	if !id.IsZero() && v.Entry.Statement.ID != id {
		return loggedStatement{}, fmt.Errorf("%w: the log's receipt is for another statement than %s", errInvalid, id)
	}
	l := loggedStatement{index: v.Index, time: v.Entry.Time}
	l.id, l.statement = v.Entry.Statement.Effective()
	if l.trial = trial.TrialOf(l.statement); l.statement.Predicate.Kind() == "registration" {
		l.trial = l.id
	}
	return l, nil
}

// numbersOf returns the registry numbers of the trial that was typed, as the log
// has them; a number that was typed is one.
func (r *remote) numbersOf(ctx context.Context, typed string) ([]string, error) {
	if number, err := trial.ParseIdentifier(typed); err == nil {
		return []string{number}, nil
	}
	about, typed, err := r.trialTyped(ctx, typed)
	if err != nil {
		return nil, fmt.Errorf("trial %s: %w", typed, err)
	}
	var numbers []string
	for _, e := range about.Entries {
		entry, err := trial.ParseEntry([]byte(e.Entry))
		if err != nil {
			return nil, fmt.Errorf("trial %s: entry %d: %w", typed, e.Index, err)
		}
		if entry.Statement == nil {
			continue
		}
		if p, ok := entry.Statement.Statement.Predicate.(*trial.Identifier); ok && p.Trial.String() == about.Trial {
			numbers = append(numbers, p.Identifier)
		}
	}
	return numbers, nil
}
