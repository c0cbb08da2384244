package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/vault"
)

// A release is one that is asked for.
type release struct {
	to        string
	recipient string
	request   *trial.RequestRecord
	use       []string // of the request
	emergency string
	parts     []part
}

// A part is what is released under one consent.
type part struct {
	grant   *consent.Grant
	account *consent.Account
	files   []*vault.Protected
	data    []byte // the package, encrypted
	name    string // its file in the agent's folder
}

func agentRelease(ctx context.Context, e *env, args []string) (err error) {
	a := &agent{now: time.Now}
	var how sending
	var identity string
	var only frame.Words
	want := &release{}
	rest, err := a.begin(e, args, true, func(fs *flag.FlagSet) {
		how.flags(fs)
		fs.StringVar(&identity, "identity", "", "identity `file` that opens your shares and grants, as age-keygen -pq makes it")
		fs.StringVar(&a.dir, "dir", "", "`folder` with grants and FILE.protected files, for packages and receipts")
		fs.StringVar(&want.to, "to", "", "the `organisation` that receives")
		fs.Var(&only, "consent", "release under this consent, by its `handle`, alone; may be repeated; all that are for the organisation if "+
			"not given")
		fs.StringVar(&want.emergency, "emergency", "", "release in an emergency, whoever consent was given for: the `reason`, one of "+
			strings.Join(trial.EmergencyReasons, ", ")+"; the release is marked for ever")
	})
	if err != nil {
		return err
	}
	if identity == "" || a.dir == "" || want.to == "" || len(rest) > 1 {
		return frame.Usagef("-identity, -dir and -to must be given, and at most one request")
	}
	if want.emergency != "" && !slices.Contains(trial.EmergencyReasons, want.emergency) {
		return frame.Usagef("-emergency is one of %s", strings.Join(trial.EmergencyReasons, ", "))
	}
	if a.ids, err = readIdentities(identity); err != nil {
		return err
	}
	how.outDir = a.dir
	if err := a.replayed(); err != nil {
		return err
	}
	unlock, err := a.lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := a.resume(ctx); err != nil {
		return err
	}
	request := ""
	if len(rest) == 1 {
		request = rest[0]
	}
	if err := a.prepare(ctx, want, only, request); err != nil {
		return a.refuse(want, err)
	}
	return a.release(ctx, how, want)
}

// prepare finds out what may be released, and makes the packages. Nothing is logged yet.
func (a *agent) prepare(ctx context.Context, want *release, only []string, request string) (err error) {
	if want.recipient, err = a.recipientOf(ctx, want.to, trial.Hash{}); err != nil {
		return err
	}
	if request != "" {
		if err := a.approved(ctx, want, request); err != nil {
			return err
		}
	}
	grants, err := a.grants(ctx, want, only)
	if err != nil {
		return err
	}
	if want.emergency != "" && len(grants) != 1 {
		return fmt.Errorf("%w: in an emergency data is released under one consent: name it with -consent", errInvalid)
	}
	files, err := a.protected()
	if err != nil {
		return err
	}
	var refused []error
	for _, g := range grants {
		p, err := a.part(ctx, want, g, files)
		switch {
		case err == nil:
			want.parts = append(want.parts, *p)
		case isInvalid(err) && len(only) == 0: // the others are not less entitled for it
			refused = append(refused, fmt.Errorf("consent %s: %w", g.Handle, err))
		default:
			return fmt.Errorf("consent %s: %w", g.Handle, err)
		}
	}
	if len(want.parts) == 0 {
		return errors.Join(refused...)
	}
	for _, err := range refused {
		fmt.Fprintf(a.env.Stderr, "not released: %v\n", err)
	}
	slices.SortFunc(want.parts, func(x, y part) int { return slices.Compare(x.grant.Handle[:], y.grant.Handle[:]) })
	return nil
}

// approved reads a request, which its history must show to be approved.
func (a *agent) approved(ctx context.Context, want *release, typed string) error {
	id, err := a.statementOf(ctx, typed)
	if err != nil {
		return err
	}
	h, err := a.history(ctx, trial.RecordKey{Kind: "request", ID: id.String()}, 0)
	if err != nil {
		return err
	}
	rec, ok := h.Record.(*trial.RequestRecord)
	if !ok {
		return fmt.Errorf("%w: no request %s is logged", errInvalid, id)
	}
	if rec.Org != want.to {
		return fmt.Errorf("%w: request %s is by %s, not by %s", errInvalid, id, rec.Org, want.to)
	}
	if rec.Of != a.key.Org || rec.Decision != "approve" {
		return fmt.Errorf("%w: request %s is not approved by %s: trial access decide -approve %s approves it", errInvalid, id, a.key.Org, id)
	}
	want.request = rec
	if p, ok := h.Entries[0].Entry.Statement.Statement.Predicate.(*trial.Access); ok {
		want.use = p.Use
	}
	return nil
}

// grants reads the grants of the folder that are asked for.
func (a *agent) grants(ctx context.Context, want *release, only []string) ([]*consent.Grant, error) {
	wanted := map[trial.Hash]bool{}
	for _, typed := range only {
		id, err := a.statementOf(ctx, typed)
		if err != nil {
			return nil, err
		}
		wanted[id] = true
	}
	every, err := a.everyGrant()
	if err != nil {
		return nil, err
	}
	var list []*consent.Grant
	for _, g := range every {
		if len(only) > 0 && wanted[g.Handle] || len(only) == 0 && g.Consent().To == want.to {
			delete(wanted, g.Handle)
			list = append(list, g)
		}
	}
	for id := range wanted {
		return nil, frame.Usagef("no grant of consent %s is in %s: the site that gave it has the file", id, a.dir)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no grant in %s is for %s", errInvalid, a.dir, want.to)
	}
	return list, nil
}

// part judges one consent, and makes the package of what it allows to hand out.
func (a *agent) part(ctx context.Context, want *release, g *consent.Grant, files map[string][]byte) (*part, error) {
	account, replayed, err := a.account(ctx, g.Handle)
	if err != nil {
		return nil, err
	}
	if !replayed {
		return nil, errNotReplayed
	}
	rec := account.Record.(*trial.ConsentRecord)
	now := trial.TimeOf(a.now())
	if !slices.Contains(rec.Agents, a.key.Org) {
		return nil, fmt.Errorf("%w: its agents are %s, and your key is of %s", errInvalid, strings.Join(rec.Agents, " and "), a.key.Org)
	}
	if want.emergency == "" {
		if rec.To != want.to {
			return nil, fmt.Errorf("%w: it was given for %s, not for %s", errInvalid, rec.To, want.to)
		}
		if err := rec.Standing(now); err != nil {
			return nil, err
		}
	}
	if err := g.VerifySignature(a.log.Name()); err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	p := &part{grant: g, account: account}
	contents := vault.Package{Consent: g.Handle, Org: a.key.Org}
	if err := g.ShowIn(&contents); err != nil {
		return nil, err
	}
	var refused []notHanded
	for _, f := range a.candidates(g, files) {
		id := f.protected.Ciphertext
		if slices.ContainsFunc(p.files, func(p *vault.Protected) bool { return p.Ciphertext == id }) {
			continue
		}
		opened, err := a.openShare(ctx, want, g, f, now)
		if err != nil {
			refused = append(refused, notHanded{id, fmt.Errorf("%s: %w", f.name, err)})
			continue
		}
		refused = slices.DeleteFunc(refused, func(r notHanded) bool { return r.ciphertext == id })
		contents.Files = append(contents.Files, *opened)
		p.files = append(p.files, f.protected)
	}
	if len(contents.Files) == 0 {
		return nil, fmt.Errorf("%w: it allows the release of no file in %s%s", errInvalid, a.dir, because(refused))
	}
	for _, r := range refused {
		fmt.Fprintf(a.env.Stderr, "not released: %v\n", r.err)
	}
	if p.data, err = contents.Seal(want.recipient); err != nil {
		return nil, err
	}
	p.name = packageName(g.Handle, a.key.Org, sha256.Sum256(p.data))
	return p, nil
}

// A notHanded is why the share of a FILE.protected is not handed out.
type notHanded struct {
	ciphertext trial.Hash
	err        error
}

func because(refused []notHanded) string {
	if len(refused) == 0 {
		return ": no FILE.protected is there that names the same person as the consent's terms"
	}
	var errs []error
	for _, r := range refused {
		errs = append(errs, r.err)
	}
	return ": " + errors.Join(errs...).Error()
}

// A candidate is a protected file that may belong to a consent.
type candidate struct {
	name      string
	protected *vault.Protected
	key       trial.PublicKey // that signed it
}

// candidates returns the files of the folder that name the same person as a grant or that came
// with it, and then those that came with it: a file whose shares were issued again is used in
// place of the one before.
func (a *agent) candidates(g *consent.Grant, files map[string][]byte) (list []candidate) {
	parse := func(name string, data []byte) (candidate, bool) {
		p, key, err := vault.ParseProtected(data)
		if err != nil {
			fmt.Fprintf(a.env.Stderr, "%s is left out: %v\n", name, err)
		}
		return candidate{name, p, key}, err == nil
	}
	came := map[trial.Hash]bool{}
	var enclosed []candidate
	for i, data := range g.Protected {
		if c, ok := parse(fmt.Sprintf("file %d of the grant", i+1), data); ok {
			came[c.protected.Ciphertext] = true
			enclosed = append(enclosed, c)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		c, ok := parse(name, files[name])
		if ok && (came[c.protected.Ciphertext] || c.protected.Subject != "" && c.protected.Subject == g.Terms.Subject) {
			list = append(list, c)
		}
	}
	return append(list, enclosed...)
}

// openShare returns the agent's share of a file, if a consent applies to it.
func (a *agent) openShare(ctx context.Context, want *release, g *consent.Grant, f candidate, now trial.Time) (*vault.Opened, error) {
	if err := a.fits(ctx, want, g, f, now); err != nil {
		return nil, err
	}
	o, err := f.protected.Open(a.key.Org, a.ids)
	if err != nil {
		err = fmt.Errorf("%w: %w", errInvalid, err)
	}
	return o, err
}

// fits refuses a file to which a consent does not apply.
func (a *agent) fits(ctx context.Context, want *release, g *consent.Grant, f candidate, now trial.Time) error {
	p := f.protected
	if !slices.Contains(p.Grantors, g.Consent().Org) {
		return fmt.Errorf("%w: consents of %s do not count for it, only those of %s", errInvalid, g.Consent().Org, strings.Join(p.Grantors, ", "))
	}
	if p.Subject != "" && g.Terms.Subject != "" && p.Subject != g.Terms.Subject {
		return fmt.Errorf("%w: it is of another person than the consent", errInvalid)
	}
	if err := a.enrolled(ctx, p.Org, f.key); err != nil {
		return err
	}
	if want.emergency != "" {
		return nil
	}
	return g.Terms.Permits(consent.Ask{Data: p.Data, To: want.to, Use: want.use, At: now})
}

// release keeps the packages, logs the release and hands out.
func (a *agent) release(ctx context.Context, how sending, want *release) error {
	if len(want.parts) > 1 {
		a.env.note("whoever reads the log sees that these consents were used together: -consent releases under one alone")
	}
	for parts := range slices.Chunk(want.parts, trial.MaxReleased) {
		some := *want
		some.parts = parts
		if err := a.releaseOnce(ctx, how, &some); err != nil {
			return err
		}
	}
	return nil
}

// releaseOnce logs one statement.
func (a *agent) releaseOnce(ctx context.Context, how sending, want *release) error {
	var o trial.Openings
	p := &trial.Access{Common: a.common("responsibility", &o), Action: "release", Recipient: trial.RecipientID(want.to, want.recipient),
		Reason: want.emergency}
	if want.emergency != "" {
		p.Action = "emergency"
	}
	if want.request != nil {
		p.Request = want.request.ID
	}
	for _, x := range want.parts {
		p.Consents = append(p.Consents, trial.Released{Consent: x.grant.Handle, Package: sha256.Sum256(x.data)})
	}
	var names []string
	for _, x := range want.parts { // before anything is logged: what is logged must be there to hand out
		if err := writeNew(a.pending(x.name), x.data, 0o600); err != nil {
			return err
		}
		names = append(names, x.name)
	}
	st := &trial.Statement{Predicate: p, Subjects: trial.NamedSubject("release", trial.ReleaseDigest(p.Consents))}
	id, err := a.send(ctx, a.env, how, st, &o, nil)
	if err != nil {
		if trial.RuleOf(err) != "" {
			return errors.Join(a.refuse(want, err), a.drop(names))
		}
		return fmt.Errorf("%w; nothing was handed out: run the same command again", err)
	}
	return a.handOut(filepath.Join(a.dir, fmt.Sprintf("access-%.12s.tlog-proof", id)), false)
}
