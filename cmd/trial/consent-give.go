package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/element"
	"github.com/trialproof/trialproof/trial/vault"
)

// giveFlags say what consent is given to.
type giveFlags struct {
	fhir, terms, to, until, agents, subject, data, use, study, form string
	slip, language, batch                                           string
	relays                                                          frame.Words
	named                                                           frame.Words // ORG=REFERENCE
	index                                                           index
}

// actors returns the FHIR references of an organisation.
func (f *giveFlags) actors(org string) (refs []string) {
	for _, typed := range f.named {
		if o, ref, _ := strings.Cut(typed, "="); o == org {
			refs = append(refs, ref)
		}
	}
	return refs
}

func (f *giveFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.fhir, "fhir", "", "FHIR Consent (R4 or R5) `file` that was signed")
	fs.StringVar(&f.terms, "terms", "", "terms `file`, instead of a FHIR Consent")
	fs.StringVar(&f.to, "to", "", "`organisations` that may receive the data, with commas; each gets a consent of its own")
	fs.StringVar(&f.until, "until", "", "last `month` or year, such as 2027-06; the exact end of the terms stays out of the log")
	fs.StringVar(&f.agents, "agents", "", "one or two `organisations` that hand the data out, with commas; two only together")
	fs.StringVar(&f.subject, "subject", "", "whose data it is, by a `pseudonym`; that of the FHIR file if not given")
	fs.StringVar(&f.data, "data", "", "what may be handed out, with commas, such as Observation,Condition")
	fs.StringVar(&f.use, "use", "", "what for: `codes` of the Data Use Ontology with commas, such as DUO:0000006")
	fs.StringVar(&f.study, "trial", "", "for this `trial` alone")
	fs.StringVar(&f.form, "form", "", "`receipt` or id of the consent form's statement")
	fs.StringVar(&f.slip, "slip", "", "`file` for the patient's slip, an HTML page to print")
	fs.StringVar(&f.language, "language", "en", "of the slip: `one` of "+strings.Join(consent.Languages(), ", "))
	fs.Var(&f.named, "actor", "by which reference the FHIR Consent names an organisation, `ORG=REFERENCE`, such as lab=Organization/54; "+
		"may be repeated")
	fs.Var(&f.relays, "relay", "`URL` of a log that ends the consent for whoever has the slip; may be repeated; the log itself if not given")
	f.index.flags(fs)
	fs.StringVar(&f.batch, "batch", "", "put the grants into this `folder`, to be logged together and in any order at the end of the day: "+
		"trial consent give -batch DIR, and nothing else, logs them")
}

// giveConsent grants consents, and writes the grant for the agents and the slip for the patient.
func giveConsent(ctx context.Context, e *env, args []string) error {
	var r remote
	var how sending
	var f giveFlags
	names, err := r.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		f.register(fs)
	})
	if err != nil {
		return err
	}
	if f.batch != "" && f.to == "" && len(names) == 0 {
		return r.sendBatch(ctx, e, f.batch)
	}
	if f.to == "" || f.agents == "" || f.slip == "" {
		return frame.Usagef("-to, -agents and -slip must be given, and -fhir or -terms or -use with -subject")
	}
	if exists(f.slip) {
		if left, _ := matching(how.outDir, "consent-*.statement"); len(left) > 0 {
			return frame.Usagef("%s is there already, and a consent may have been cut off: %s finishes it; give others a slip of their own",
				f.slip, r.fetch(left[0]))
		}
		return frame.Usagef("%s is there already and is not overwritten", f.slip)
	}
	base, err := f.read(ctx, &r)
	if err != nil {
		return err
	}
	protected, err := r.readProtected(names, list(f.agents), base.Subject)
	if err != nil {
		return err
	}
	_, err = r.giveAll(ctx, e, how, &f, base, protected)
	return err
}

// giveAll gives consent to each organisation that is named, and returns the handles.
func (r *remote) giveAll(ctx context.Context, e *env, how sending, f *giveFlags, base *consent.Permission,
	protected [][]byte) ([]trial.Hash, error) {
	recipients, err := r.recipientsOf(ctx, list(f.agents))
	if err != nil {
		return nil, err
	}
	if f.index.dir != "" {
		if _, err := f.index.recipients(); err != nil {
			return nil, err
		}
	}
	slip := &consent.Slip{Log: r.url, Origin: r.log.Name(), Master: consent.NewMaster(), Relays: f.relays, Language: f.language}
	for _, relay := range slip.Relays {
		if !strings.HasPrefix(relay, "https://") && relay != r.url {
			e.note("the patient's page asks no relay without https://, as " + relay + ": trial consent end alone does")
		}
	}
	if len(slip.Relays) == 0 {
		slip.Relays = []string{r.url}
	}
	var given []granting
	for i, to := range list(f.to) {
		g, err := r.grantTo(f, base, to, slip.Master.Code(i+1), protected, recipients)
		if err != nil {
			return nil, err
		}
		slip.Consents = append(slip.Consents, g.handle)
		given = append(given, *g)
	}
	return slip.Consents, r.give(ctx, e, how, f, slip, given, base.Subject)
}

// read returns the terms but for the recipient.
func (f *giveFlags) read(ctx context.Context, r *remote) (t *consent.Permission, err error) {
	if f.fhir != "" && f.terms != "" {
		return nil, frame.Usagef("-fhir and -terms do not go together")
	}
	var fhir, terms []byte
	if f.fhir != "" {
		if fhir, err = readSmall(f.fhir); err != nil {
			return nil, err
		}
	}
	if f.terms != "" {
		if terms, err = readSmall(f.terms); err != nil {
			return nil, err
		}
	}
	if t, err = f.of(fhir, terms, r.env.note); err != nil {
		return nil, err
	}
	if f.form != "" {
		t.Form, err = r.statementOf(ctx, f.form)
	}
	return t, err
}

// of returns the terms that a FHIR Consent or a terms file has, with what the flags say instead.
// What its caller should know is given to say.
func (f *giveFlags) of(fhir, terms []byte, say func(string)) (*consent.Permission, error) {
	t := &consent.Permission{}
	var err error
	switch {
	case fhir != nil:
		if t, err = consent.ReadFHIR(fhir); err != nil {
			return nil, fmt.Errorf("%w: %s permits no release: %w", errInvalid, cmp.Or(f.fhir, "the FHIR Consent"), err)
		}
		if err := t.Narrow(list(f.use), list(f.data)); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errInvalid, cmp.Or(f.fhir, "the FHIR Consent"), err)
		}
		if err := t.Current(time.Now()); err != nil {
			return nil, fmt.Errorf("%w: %s permits no release any more: %w", errInvalid, cmp.Or(f.fhir, "the FHIR Consent"), err)
		}
	case terms != nil:
		own, err := consent.ParseTerms(terms)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errInvalid, f.terms, err)
		}
		t.Terms = *own
	}
	if f.subject != "" && t.Subject != "" && f.subject != t.Subject {
		say(fmt.Sprintf("the consent that was read is of %s: it is taken to be the person whom you call %s", t.Subject, f.subject))
	}
	end, ok := t.End()
	_, err = trial.ParseDate(f.until)
	dated := err == nil
	switch {
	case dated && trial.EndOf(f.until) < trial.TimeOf(time.Now()):
		return nil, frame.Usagef("%s is over: -until is the last month, or year, in which the data may be released", f.until)
	case ok && time.Now().After(end):
		return nil, fmt.Errorf("%w: the terms permit no release any more: they ended on %s", errInvalid, trial.TimeOf(end))
	case ok && f.until == "":
		say(fmt.Sprintf("the terms end on %s, and only the agents know: with -until %s the log's rules refuse a release after that month",
			trial.TimeOf(end), end.UTC().Format("2006-01")))
	case ok && dated && trial.EndOf(f.until) > trial.EndOf(end.UTC().Format("2006-01")):
		return nil, frame.Usagef("-until %s is later than the terms, which end on %s: say -until %s", f.until, trial.TimeOf(end),
			end.UTC().Format("2006-01"))
	}
	t.Subject, t.Trial = cmp.Or(f.subject, t.Subject), cmp.Or(f.study, t.Trial)
	if f.data != "" && fhir == nil {
		t.Data = list(f.data)
	}
	if f.use != "" && fhir == nil {
		t.Use = list(f.use)
	}
	if t.Subject == "" {
		return nil, frame.Usagef("nothing says whose data it is: give -subject")
	}
	if len(t.Use) > 0 {
		if err := consent.CheckUse(t.Use); err != nil {
			return nil, frame.AsUsage(err)
		}
	} else if fhir == nil {
		say("the terms name no purpose: no request is answered under this consent. Say what was agreed to with -use and codes of the Data Use " +
			"Ontology, " +
			"such as DUO:0000006 for health research")
	}
	return t, nil
}

// readProtected reads FILE.protected files that are to come with the grants. It refuses those that
// no agent would ever release under them.
func (r *remote) readProtected(names, agents []string, subject string) (list [][]byte, err error) {
	for _, name := range names {
		data, err := readSmall(name)
		if err != nil {
			return nil, err
		}
		p, _, err := vault.ParseProtected(data)
		if err != nil {
			return nil, frame.Usagef("%s: %w", name, err)
		}
		switch of := p.Agents(); {
		case !slices.Contains(p.Grantors, r.key.Org):
			return nil, frame.Usagef("%s: consents of %s do not count for it, only those of %s", name, r.key.Org, strings.Join(p.Grantors, ", "))
		case p.Subject != "" && p.Subject != subject:
			return nil, frame.Usagef("%s: it is of another person than the consent", name)
		case slices.ContainsFunc(of, func(org string) bool { return !slices.Contains(agents, org) }):
			return nil, frame.Usagef("%s: it is released by %s, so -agents has to name all of them", name, strings.Join(of, " and "))
		}
		list = append(list, data)
	}
	return list, nil
}

// recipientsOf returns the recipients of organisations.
func (r *remote) recipientsOf(ctx context.Context, orgs []string) (list []string, err error) {
	for _, org := range orgs {
		recipient, err := r.recipientOf(ctx, org, trial.Hash{})
		if err != nil {
			return nil, err
		}
		list = append(list, recipient)
	}
	return list, nil
}

// A granting is one consent on its way.
type granting struct {
	handle trial.Hash
	st     *trial.Statement
	o      trial.Openings
	sealed []byte // HANDLE.grant
}

// grantTo makes the consent for one organisation.
func (r *remote) grantTo(f *giveFlags, base *consent.Permission, to, code string, protected [][]byte, recipients []string) (*granting,
	error) {
	g := &granting{}
	var secret element.Secret
	rand.Read(secret[:]) // never fails
	terms, err := base.For(to, f.actors(to)...)
	if errors.Is(err, consent.ErrActor) {
		return nil, frame.AsUsage(err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	if base.Open && len(terms.Use) == 0 {
		fmt.Fprintf(r.env.Stderr, "trial %s: the FHIR Consent names no purpose: no request is answered under this consent. Say what the "+
			"signed paper "+
			"permits with -use and codes of the Data Use Ontology, such as DUO:0000006 for health research\n", r.env.Command())
	}
	if len(terms.Not) > 0 {
		fmt.Fprintf(r.env.Stderr, "trial %s: the consent excludes %s: %s is taken to be none of them (-actor says which reference an "+
			"organisation has)\n",
			r.env.Command(), strings.Join(terms.Not, ", "), to)
	}
	tree, digest, err := terms.Tree(secret)
	if err != nil {
		return nil, frame.AsUsage(err)
	}
	p := &trial.Consent{Common: r.common("responsibility", &g.o), Action: "grant", Agents: list(f.agents), Elements: tree.Root(),
		Lock: trial.ConsentLock(code), Org: r.key.Org, To: to, Until: f.until}
	if f.batch != "" { // one time for all of a day
		p.SignedAt -= p.SignedAt % (24 * 60 * 60 * 1000)
	}
	salt := newSalt()
	g.o.Salts = map[string]trial.Salt{"consent": salt}
	g.st = &trial.Statement{Predicate: p, Subjects: []trial.Subject{{Name: "consent", Digest: trial.Digest{Salted256: trial.Commit(salt,
		digest)}}}}
	payload, err := g.st.Marshal()
	if err != nil {
		return nil, err
	}
	g.handle = trial.StatementID(payload)
	g.sealed, err = consent.SealGrant(payload, salt, secret, terms, protected, recipients...)
	return g, err
}

// give writes grants and slip, which hold what exists nowhere else, and then logs the consents.
func (r *remote) give(ctx context.Context, e *env, how sending, f *giveFlags, slip *consent.Slip, given []granting,
	subject string) (err error) {
	if how.dry {
		for _, g := range given {
			if _, err := r.send(ctx, e, how, g.st, &g.o, nil); err != nil {
				return err
			}
		}
		return nil
	}
	texts, err := r.slipTexts(ctx, given)
	if err != nil {
		return err
	}
	page, err := slip.Page(texts)
	if err != nil {
		return frame.AsUsage(err)
	}
	var written []string
	defer func() {
		if trial.RuleOf(err) != "" || errors.Is(err, errNotSigned) { // it was refused, so nothing of it is of use
			for _, name := range written {
				err = errors.Join(err, durable.Remove(name))
			}
		}
	}()
	write := func(name string, data []byte) error {
		if err := writeNew(name, data, 0o600); err != nil {
			return err
		}
		written = append(written, name)
		return nil
	}
	if err := write(f.slip, page); err != nil {
		return err
	}
	for _, g := range given {
		entry, err := f.index.add(&consent.Entry{ID: g.handle, Log: r.log.Name(), Subject: subject})
		if err != nil {
			return err
		}
		if entry != "" {
			written = append(written, entry)
		}
		if err := write(filepath.Join(how.outDir, g.handle.String()+".grant"), g.sealed); err != nil {
			return err
		}
		if f.batch != "" {
			if err := r.keepForBatch(f.batch, &g); err != nil {
				return err
			}
		} else if _, err := r.send(ctx, e, how, g.st, &g.o, nil); err != nil {
			return err
		}
		fmt.Fprintln(e.Stdout, g.handle)
	}
	fmt.Fprintf(e.Stderr, "print %s and give it to the patient: whoever has it can see every access and end the consent; then delete the "+
		"file. "+
		"Send the .grant file to the agents (%s)\n", f.slip, f.agents)
	return nil
}

// slipTexts returns what the slip says, with the names of the organisations.
func (r *remote) slipTexts(ctx context.Context, given []granting) (texts []consent.OnSlip, err error) {
	names := map[string]string{}
	named := func(org string) string {
		if names[org] != "" || err != nil {
			return names[org]
		}
		var h *dossier.History
		if h, err = r.history(ctx, trial.RecordKey{Kind: "org", ID: org}, 0); err != nil {
			return ""
		}
		rec, ok := h.Record.(*trial.OrgRecord)
		if !ok {
			err = fmt.Errorf("%w: no organisation %s is enrolled", errInvalid, org)
			return ""
		}
		names[org] = rec.Name
		return rec.Name
	}
	for _, g := range given {
		p := g.st.Predicate.(*trial.Consent)
		on := consent.OnSlip{To: named(p.To), Org: named(p.Org), Until: p.Until}
		for _, a := range p.Agents {
			on.Agents = append(on.Agents, named(a))
		}
		texts = append(texts, on)
	}
	return texts, err
}

// keepForBatch signs a grant and keeps it, to be logged later.
func (r *remote) keepForBatch(dir string, g *granting) error {
	payload, err := g.st.Marshal()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return frame.AsUsage(err)
	}
	d := &draft{Key: r.key.Public, Openings: &g.o, id: g.handle,
		Receipts: []string{filepath.Join(dir, fmt.Sprintf("consent-%.12s.tlog-proof", g.handle))}}
	d.file = filepath.Join(dir, fmt.Sprintf("consent-%.12s.statement", g.handle))
	if d.Envelope, err = trial.Sign(payload, r.key.Signer); err != nil {
		return err
	}
	return d.keep()
}

// sendBatch logs the grants of a folder in any order: their order in the log then says nothing of
// the order in which the patients came.
func (r *remote) sendBatch(ctx context.Context, e *env, dir string) error {
	names, err := matching(dir, "consent-*.statement")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return frame.Usagef("there is no grant in %s", dir)
	}
	shuffle(names)
	for _, name := range names {
		d, err := readDraft(name)
		if err != nil {
			return err
		}
		res, err := r.client.Submit(ctx, d.envelope(), d.Key.SPKI())
		if err != nil {
			return fmt.Errorf("%s: %w; the grants that are still in %s were not logged: run the same command again", name, err, dir)
		}
		if _, err := d.finish(r.policy, res); err != nil {
			return err
		}
		fmt.Fprintln(e.Stdout, d.id)
	}
	return nil
}

// shuffle puts names into an order that nobody can foretell.
func shuffle(names []string) {
	for i := len(names) - 1; i > 0; i-- {
		j, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			panic(err) // never fails
		}
		names[i], names[j.Int64()] = names[j.Int64()], names[i]
	}
}
