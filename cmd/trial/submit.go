package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/study"
)

func (s *sending) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.outDir, "out", "", "`folder` for receipts (beside each file if not given)")
	fs.BoolVar(&s.dry, "n", false, "print exactly what would become public, and stop")
}

func register(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var number, org, meaning string
	var masked, private bool
	names, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&number, "number", "", "the sponsor's protocol `number`, public")
		fs.BoolVar(&masked, "masked", false, "the trial is masked (blinded)")
		fs.StringVar(&org, "org", "", "the organisation's `id`, if the key file does not say it")
		fs.StringVar(&meaning, "meaning", "responsibility", "what the signature means: `author`, review, approval or responsibility")
		fs.BoolVar(&private, "private", false, "commit to the files with salts instead of showing their digests")
	})
	if err != nil {
		return err
	}
	if number == "" {
		return usagef("-number must be given")
	}
	if org == "" {
		org = r.key.org
	}
	if org == "" {
		return usagef("the key file does not say whose key it is: name the organisation with -org")
	}
	files, err := e.digestFiles(ctx, names)
	if err != nil {
		return err
	}
	var o trial.Openings
	st := &trial.Statement{
		Predicate: &trial.Registration{Common: r.common(meaning, &o), Masked: masked, Number: number, Org: strings.ToLower(org)},
		Subjects:  subjects("registration", files, private, &o),
	}
	if len(files) == 0 {
		st.Subjects = trial.NumberSubject(number)
	}
	id, err := r.send(ctx, e, how, st, &o, files)
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.stdout, id)
	return nil
}

func identify(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var typed string
	rest, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&typed, "trial", "", "the `trial`: its id or a number bound to it")
	})
	if err != nil {
		return err
	}
	if typed == "" || len(rest) != 1 {
		return usagef("-trial and one registry number must be given")
	}
	number, err := trial.ParseIdentifier(rest[0])
	if err != nil {
		return usageError{err}
	}
	id, err := r.resolve(ctx, typed)
	if err != nil {
		return err
	}
	var o trial.Openings
	st := &trial.Statement{
		Predicate: &trial.Identifier{Common: r.common("responsibility", &o), Identifier: number, Trial: id},
		Subjects:  trial.NamedSubject("trial", id),
	}
	if _, err := r.send(ctx, e, how, st, &o, nil); err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.stdout, number)
	return nil
}

// resolve returns the id of the trial that was typed. An id is taken as it is;
// what another name stands for must be shown by a signed statement.
func (r *remote) resolve(ctx context.Context, typed string) (trial.Hash, error) {
	if id, err := trial.ParseHash(typed); err == nil {
		return id, nil
	}
	about, err := r.client.Trial(ctx, typed)
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
	return trial.Hash{}, fmt.Errorf("%w: the log says that %s is trial %s and shows no signed statement that says so", errInvalid, typed, id)
}

// names reports whether a signed statement binds what was typed to a trial.
func names(e *trial.Entry, typed string, id trial.Hash) bool {
	switch p := e.Statement.Statement.Predicate.(type) {
	case *trial.Identifier:
		number, err := trial.ParseIdentifier(typed)
		return err == nil && p.Identifier == number && p.Trial == id
	case *trial.Registration:
		return e.Statement.ID == id && typed == trial.SponsorNumber(e.Signer.Org, p.Number)
	}
	return false
}

// submitFlags are the flags of submit that say what is submitted.
type submitFlags struct {
	trial, kind, version, scope, previous, base, analysis, event, date, dated, country, meaning, source, elements string
	private, seal, facts                                                                                          bool
}

func (f *submitFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.trial, "trial", "", "the `trial`: its id or a number bound to it")
	fs.StringVar(&f.kind, "kind", "", "`kind` of the documents: protocol, sap, milestone, results, document or observation")
	fs.StringVar(&f.version, "version", "", "`version` as printed on the document")
	fs.StringVar(&f.scope, "scope", trial.ScopeGlobal, "of a protocol: global, a country such as DE, or a sub-protocol's `name`")
	fs.StringVar(&f.previous, "previous", "", "`receipt` of the protocol version (or results) that this one follows")
	fs.StringVar(&f.base, "base", "", "outside the global scope: `receipt` of the global version that this one stands on")
	fs.StringVar(&f.analysis, "analysis", "", "of a SAP, results, lock, cut-off or unblinding: `primary`, final, interim-1, follow-up-1")
	fs.StringVar(&f.event, "event", "", "of a milestone: `event` such as first-enrolment or database-lock")
	fs.StringVar(&f.date, "date", "", "of a milestone, or when an observation was seen: `date` such as 2026-03-01 or 2026-03")
	fs.StringVar(&f.dated, "dated", "", "the `date` that the document bears, for what is logged after the fact; a claim, marked as such")
	fs.StringVar(&f.country, "country", "", "of a milestone: `country` such as DE, if it is not global")
	fs.StringVar(&f.source, "source", "registry", "of an observation: `registry`, journal, website or other")
	fs.StringVar(&f.meaning, "meaning", "author", "what the signature means: `author`, review, approval or responsibility")
	fs.BoolVar(&f.private, "private", false, "commit to the files with salts instead of showing their digests")
	fs.BoolVar(&f.facts, "facts", false, "make public what the first file says of the study, as far as a fixed list of facts goes (preview it with -n)")
	fs.StringVar(&f.elements, "elements", "", "commit to the first file's endpoints, objectives and sections one by one, with the secret in this `file` (made if it is not there): trial disclose then shows one alone")
	fs.BoolVar(&f.seal, "seal", false, "log a commitment to the whole statement; trial unseal opens it later")
}

// fits lists the flags that only some kinds have.
var fits = map[string][]string{
	"version":  {"protocol", "sap", "results", "document"},
	"scope":    {"protocol"},
	"previous": {"protocol", "results"},
	"base":     {"protocol"},
	"analysis": {"sap", "results", "milestone"},
	"event":    {"milestone"},
	"date":     {"milestone", "observation"},
	"country":  {"milestone"},
	"dated":    {"protocol", "sap", "results", "document", "observation"},
	"source":   {"observation"},
	"facts":    {"protocol", "results", "document", "observation"},
	"elements": {"protocol", "results", "document", "observation"},
}

// fit refuses flags that the kind does not have: what they meant to say would be
// lost, and what is logged stays.
func (f *submitFlags) fit(set *flag.FlagSet, files int) (err error) {
	set.Visit(func(x *flag.Flag) {
		if kinds := fits[x.Name]; kinds != nil && !slices.Contains(kinds, f.kind) {
			err = usagef("-%s belongs to %s, not to %s (a protocol's country is its -scope, a milestone's its -country)", x.Name, strings.Join(kinds, ", "), f.kind)
		}
	})
	if f.private && files == 0 {
		err = usagef("-private hides the digests of files, and none is given")
	}
	return err
}

func submit(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var f submitFlags
	var set *flag.FlagSet
	names, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		f.register(fs)
		set = fs
	})
	if err != nil {
		return err
	}
	if f.trial == "" || f.kind == "" {
		return usagef("-trial and -kind must be given")
	}
	if len(names) == 0 && f.kind != "milestone" {
		return usagef("at least one file must be given")
	}
	if err := f.fit(set, len(names)); err != nil {
		return err
	}
	files, err := e.digestFiles(ctx, names)
	if err != nil {
		return err
	}
	var o trial.Openings
	p, id, err := r.predicate(ctx, &f, &o)
	if err != nil {
		return err
	}
	if f.facts || f.elements != "" {
		if err := e.addContent(p, files[0], &f, how); err != nil {
			return err
		}
	}
	st := &trial.Statement{Predicate: p, Subjects: subjects(f.kind, files, f.private, &o)}
	if len(files) == 0 {
		st.Subjects = trial.NamedSubject("trial", id)
	}
	if f.seal {
		return r.seal(ctx, e, how, st, &o, files)
	}
	sid, err := r.send(ctx, e, how, st, &o, files)
	if err != nil || how.dry {
		return err
	}
	fmt.Fprintln(e.stdout, sid)
	return nil
}

// addContent puts what a document says of a study into a statement: its facts, a
// commitment to its parts, or both.
func (e *env) addContent(p trial.Predicate, doc file, f *submitFlags, how sending) error {
	s, err := readStudy(doc)
	if err != nil {
		return fmt.Errorf("%w: submit it without -facts and -elements, it is proven all the same", err)
	}
	if err := sameNumber(s, f.trial); err != nil {
		return usagef("%s %w", doc.name, err)
	}
	c := trial.ContentOf(&trial.Statement{Predicate: p})
	if f.elements != "" {
		secret, err := e.makeSecret(f.elements)
		if err != nil {
			return err
		}
		tree, err := element.New(secret, doc.digest, element.Of(s))
		if err != nil {
			return usagef("%s: %w", doc.name, err)
		}
		c.Elements = tree.Root()
	}
	if !f.facts {
		return nil
	}
	return e.addFacts(c, s, beside(doc.name, how.outDir)+".facts.json", how.dry)
}

// sameNumber refuses a document that has numbers of the register that was typed,
// and not the one that was typed.
func sameNumber(s *study.Study, typed string) error {
	number, err := trial.ParseIdentifier(typed)
	if err != nil {
		return nil // an id, or a sponsor's number: what a document calls its sponsor's is not known
	}
	scheme, _, _ := strings.Cut(number, ":")
	var others []string
	for _, id := range s.Identifiers {
		other, err := trial.ParseIdentifier(id.Value)
		if err == nil && other == number {
			return nil
		}
		if err == nil && strings.HasPrefix(other, scheme+":") {
			others = append(others, other)
		}
	}
	if len(others) > 0 {
		return fmt.Errorf("is of %s, not of %s", strings.Join(others, ", "), number)
	}
	return nil
}

// readStudy reads a document that has been digested.
func readStudy(doc file) (*study.Study, error) {
	data, err := os.ReadFile(doc.name)
	if err != nil {
		return nil, usageError{err}
	}
	if sha256.Sum256(data) != doc.digest {
		return nil, usagef("%s was altered while it was read", doc.name)
	}
	s, err := study.Parse(data)
	if err != nil {
		return nil, usagef("%s: %w", doc.name, err)
	}
	return s, nil
}

// addFacts puts facts into a statement, or their digest and themselves into a
// file, and says what was withheld.
func (e *env) addFacts(c *trial.Content, s *study.Study, file string, dry bool) error {
	facts, withheld := s.Facts()
	apart, err := c.SetFacts(facts)
	if err != nil {
		return err
	}
	if len(withheld) > 0 {
		fmt.Fprintf(e.stderr, "withheld, for they name a person or hold an address: %s\n", strings.Join(withheld, ", "))
	}
	if apart == nil {
		return nil
	}
	fmt.Fprintf(e.stderr, "the facts have %d bytes, more than an entry takes (%d): their digest is logged, and they are in %s to be given to readers\n", len(apart), trial.MaxFacts, file)
	if dry {
		fmt.Fprintf(e.stdout, "%s\n", apart)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return usageError{err}
	}
	return keepFacts(file, apart)
}

// keepFacts writes facts that an entry only commits to. They follow from the
// document, so what is there is either the same or another file of that name.
func keepFacts(file string, facts []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, facts) {
		return nil
	}
	return writeNew(file, facts, 0o644)
}

// predicate builds what the flags say. Receipts that they name are verified:
// what a statement stands on should be logged.
func (r *remote) predicate(ctx context.Context, f *submitFlags, o *trial.Openings) (trial.Predicate, trial.Hash, error) {
	c := r.common(f.meaning, o)
	if f.seal { // the signature that is logged is the seal's, and later the unseal's: they have the name
		c.PrintedName, o.Name, o.NameSalt = trial.Hash{}, "", trial.Salt{}
	}
	if f.kind == "observation" {
		id, err := trial.ParseIdentifier(f.trial)
		if err != nil {
			return nil, trial.Hash{}, usageError{err}
		}
		return &trial.Observation{Common: c, Dated: f.dated, Identifier: id, SeenAt: f.date, Source: f.source}, trial.Hash{}, nil
	}
	id, err := r.resolve(ctx, f.trial)
	if err != nil {
		return nil, id, err
	}
	previous, err := r.statementOf(f.previous)
	if err != nil {
		return nil, id, err
	}
	base, err := r.statementOf(f.base)
	if err != nil {
		return nil, id, err
	}
	switch f.kind {
	case "protocol":
		return &trial.Protocol{Common: c, Base: base, Dated: f.dated, Previous: previous, Scope: f.scope, Trial: id, Version: f.version}, id, nil
	case "sap":
		return &trial.SAP{Common: c, Analysis: f.analysis, Dated: f.dated, Trial: id, Version: f.version}, id, nil
	case "results":
		return &trial.Results{Common: c, Analysis: f.analysis, Dated: f.dated, Trial: id, Updates: previous, Version: f.version}, id, nil
	case "milestone":
		return &trial.Milestone{Common: c, Analysis: f.analysis, Country: f.country, Date: f.date, Event: f.event, Trial: id}, id, nil
	case "document":
		return &trial.Document{Common: c, Dated: f.dated, Trial: id, Version: f.version}, id, nil
	}
	return nil, id, usagef("-kind is one of protocol, sap, milestone, results, document, observation; %q is not (the other kinds are %s)",
		f.kind, strings.Join(slices.DeleteFunc(trial.Kinds(), func(k string) bool {
			return slices.Contains([]string{"protocol", "sap", "milestone", "results", "document", "observation"}, k)
		}), ", "))
}

// statementOf returns the identity of the statement that a receipt is for.
func (r *remote) statementOf(name string) (trial.Hash, error) {
	if name == "" {
		return trial.Hash{}, nil
	}
	if id, err := trial.ParseHash(name); err == nil {
		return id, nil
	}
	data, err := readSmall(name)
	if err != nil {
		return trial.Hash{}, err
	}
	v, err := receipt.Verify(r.policy, data)
	if err != nil {
		return trial.Hash{}, fmt.Errorf("%s: %w", name, err)
	}
	sid, _ := v.Entry.Statement.Effective()
	return sid, nil
}

func fetchReceipt(ctx context.Context, e *env, args []string) error {
	var r remote
	var out string
	rest, err := r.begin(e, args, false, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "o", "", "`file` to write the receipt to")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("the ID of a statement or its .statement file must be given")
	}
	d := new(draft)
	if d.id, err = trial.ParseHash(rest[0]); err != nil {
		if d, err = readDraft(rest[0]); err != nil {
			return err
		}
	}
	res, err := r.client.Receipt(ctx, d.id)
	if errors.Is(err, client.ErrPending) {
		fmt.Fprintf(e.stdout, "pending %s\n", d.id)
		return err
	}
	if errors.Is(err, client.ErrNotFound) && d.file != "" {
		// It never arrived: a statement is never logged twice, so send it now.
		res, err = r.client.Submit(ctx, d.envelope(), d.Key.SPKI())
	}
	if err != nil {
		return err
	}
	if out != "" {
		d.Receipts = []string{out}
	}
	if len(d.Receipts) == 0 {
		d.Receipts = []string{fmt.Sprintf("%.12s.tlog-proof", d.id)}
	}
	if err := d.finish(r.policy, res); err != nil {
		return err
	}
	for _, name := range d.Receipts {
		fmt.Fprintln(e.stdout, name)
	}
	return nil
}
