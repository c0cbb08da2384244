package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
)

func (s *sending) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.outDir, "out", "", "`folder` for receipts (beside each file if not given)")
	fs.BoolVar(&s.dry, "n", false, "print exactly what would become public, and stop")
	fs.BoolVar(&s.yes, "yes", false, "do not ask whether something odd is meant, such as a date in the future; it never answers for a "+
		"signature")
}

// submitFlags are the flags of submit that say what is submitted.
type submitFlags struct {
	trial, kind, meaning, elements, confirm string
	private, seal, facts                    bool
	settle                                  time.Duration
	members                                 map[string]*string // by flag: what the forms of the kinds have
}

func (f *submitFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.trial, "trial", "", "the `trial`: its id or a number bound to it")
	kinds := trial.FormKinds()
	last := len(kinds) - 1
	fs.StringVar(&f.kind, "kind", "", "`kind` of the documents: "+strings.Join(kinds[:last], ", ")+" or "+kinds[last])
	f.members = map[string]*string{}
	for _, kind := range kinds {
		_, form, _ := trial.NewForm(kind)
		for _, x := range form.Flags {
			if f.members[x.Name] == nil {
				f.members[x.Name] = fs.String(x.Name, x.Default, x.Help)
			}
		}
	}
	fs.StringVar(&f.meaning, "meaning", "author", "what the signature means: `author`, review, approval or responsibility")
	fs.BoolVar(&f.private, "private", false, "commit to the files with salts instead of showing their digests")
	fs.BoolVar(&f.facts, "facts", false, "make public what the first file says of the study, as far as a fixed list of facts goes "+
		"(preview it with -n)")
	fs.StringVar(&f.confirm, "confirm", "", "with -facts: publish the document's free text too, as -n has shown it with this `code`")
	fs.StringVar(&f.elements, "elements", "", "commit to the first file's endpoints, objectives and sections one by one, with the "+
		"secret in this `file` (made if it is not there): trial disclose then shows one alone")
	settleFlag(fs, &f.settle)
	fs.BoolVar(&f.seal, "seal", false, "log a commitment to the whole statement; trial unseal opens it later")
}

func settleFlag(fs *flag.FlagSet, d *time.Duration) {
	fs.DurationVar(d, "settle", settled, "how long a file must not have changed before it is logged; 0 for files that are known to be "+
		"complete")
}

// fitting returns the kinds that have a flag, none where it is not a kind's.
func fitting(name string) (kinds []string) {
	for _, kind := range trial.FormKinds() {
		p, form, _ := trial.NewForm(kind)
		content := (name == "facts" || name == "elements") && trial.ContentOf(&trial.Statement{Predicate: p}) != nil
		if form.Has(name) || content {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// fit refuses flags that the kind does not have: what they meant to say would be
// lost, and what is logged stays.
func (f *submitFlags) fit(set *flag.FlagSet, files int) (err error) {
	_, form, ok := trial.NewForm(f.kind)
	if !ok {
		kinds := trial.FormKinds()
		return frame.Usagef("-kind is one of %s; %q is not (the other kinds, %s, have commands of their own: trial help lists them)",
			strings.Join(kinds, ", "), f.kind, strings.Join(slices.DeleteFunc(trial.Kinds(),
				func(k string) bool { return slices.Contains(kinds, k) }), ", "))
	}
	for _, x := range form.Flags {
		if x.Missing != "" && *f.members[x.Name] == "" {
			return frame.Usagef("%s", x.Missing)
		}
	}
	set.Visit(func(x *flag.Flag) {
		if kinds := fitting(x.Name); len(kinds) > 0 && !slices.Contains(kinds, f.kind) {
			err = frame.Usagef("-%s belongs to %s, not to %s (a protocol's country is its -scope, a milestone's its -country)", x.Name,
				strings.Join(kinds, ", "), f.kind)
		}
	})
	if f.private && files == 0 {
		err = frame.Usagef("-private hides the digests of files, and none is given")
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
		return frame.Usagef("-trial and -kind must be given")
	}
	if _, form, _ := trial.NewForm(f.kind); len(names) == 0 && !form.NoFiles {
		return frame.Usagef("at least one file must be given")
	}
	if err := f.fit(set, len(names)); err != nil {
		return err
	}
	if f.confirm != "" && !f.facts {
		return frame.Usagef("-confirm confirms the free text of -facts, which is not given")
	}
	if slices.Contains(names, stdinName) && (f.facts || f.elements != "" || f.seal) {
		return frame.Usagef("-facts, -elements and -seal read a file again later: name a file, not the standard input (%s)", stdinName)
	}
	files, err := e.finishedFiles(ctx, machine, f.settle, names)
	if err != nil {
		return err
	}
	var o trial.Openings
	p, id, err := r.predicate(ctx, &f, &o)
	if err != nil {
		return err
	}
	if f.facts || f.elements != "" {
		numbers, err := r.numbersOf(ctx, f.trial)
		if err != nil {
			return err
		}
		if err := e.addContent(p, files[0], numbers, &f, how); err != nil {
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
	fmt.Fprintln(e.Stdout, sid)
	return nil
}

// predicate builds what the flags say. Receipts that they name are verified:
// what a statement stands on should be logged.
func (r *remote) predicate(ctx context.Context, f *submitFlags, o *trial.Openings) (trial.Predicate, trial.Hash, error) {
	c := r.common(f.meaning, o)
	if f.seal { // the signature that is logged is the seal's, and later the unseal's: they have the name
		c.PrintedName, o.Name, o.NameSalt = trial.Hash{}, "", trial.Salt{}
	}
	p, form, _ := trial.NewForm(f.kind)
	*trial.CommonOf(&trial.Statement{Predicate: p}) = c
	var id trial.Hash
	var err error
	if form.Identifier != nil {
		if *form.Identifier, err = trial.ParseIdentifier(f.trial); err != nil {
			return nil, id, frame.AsUsage(err)
		}
	} else {
		if id, err = r.resolve(ctx, f.trial); err != nil {
			return nil, id, err
		}
		*form.Trial = id
	}
	for _, x := range form.Flags {
		if x.Text != nil {
			*x.Text = *f.members[x.Name]
		} else if *x.Statement, err = r.statementOf(ctx, *f.members[x.Name]); err != nil {
			return nil, id, err
		}
	}
	return p, id, nil
}

// statementOf returns the identity of the statement that a receipt is for, or whose id was
// typed.
func (r *remote) statementOf(ctx context.Context, typed string) (trial.Hash, error) {
	if typed == "" {
		return trial.Hash{}, nil
	}
	if id, err := trial.ParseHash(typed); err == nil {
		return id, nil
	}
	of, err := r.logged(ctx, typed)
	return of.id, err
}
