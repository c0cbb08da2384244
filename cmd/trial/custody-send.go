package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/receipt"
)

// subjectDigest returns the digest of a participant's number, to which a statement commits with a salt.
func subjectDigest(subject string) trial.Hash { return sha256.Sum256([]byte(subject)) }

// draft signs a custody statement as of a time. To dispense, participants has the number of who gets
// each unit.
func (c *custodian) draft(p *trial.Custody, at time.Time, files []file, participants map[trial.Hash]string) (*draft, error) {
	o := new(trial.Openings)
	p.Common = c.common("responsibility", o)
	p.SignedAt = trial.TimeOf(at)
	st := &trial.Statement{Predicate: p, Subjects: trial.NamedSubject("trial", p.Trial)}
	switch {
	case p.Action == "dispense":
		st.Subjects, o.Salts = nil, map[string]trial.Salt{}
		for i, u := range p.Units {
			name, salt := fmt.Sprintf("subject-%d", i+1), newSalt()
			o.Salts[name] = salt
			digest := trial.Commit(salt, subjectDigest(participants[u.Unit]))
			st.Subjects = append(st.Subjects, trial.Subject{Name: name, Digest: trial.Digest{Salted256: digest}})
		}
	case len(files) > 0:
		st.Subjects = subjects("custody", files, true, o)
	}
	return c.signed(st, o, files)
}

// signed signs a statement.
func (c *custodian) signed(st *trial.Statement, o *trial.Openings, files []file) (*draft, error) {
	payload, err := st.Marshal()
	if err != nil {
		return nil, err
	}
	d := &draft{Key: c.key.Public, Openings: o, id: trial.StatementID(payload), statement: st}
	for _, f := range files {
		d.Receipts, d.Digests = append(d.Receipts, f.name+".tlog-proof"), append(d.Digests, f.digest)
	}
	d.Envelope, err = trial.Sign(payload, c.key.Signer)
	return d, err
}

// submit carries a statement to its receipt, and files that.
func (c *custodian) submit(ctx context.Context, d *draft, verifier *receipt.Verifier, to *receiptsFile) (*receipt.Verdict, error) {
	res, err := c.client.Submit(ctx, d.envelope(), d.Key.SPKI())
	if err != nil {
		return nil, err
	}
	full, v, err := d.check(verifier, res)
	if err != nil {
		return nil, err
	}
	return v, to.add(receipt.Filed{ID: d.id, Document: c.id, Receipt: full}, d.Digests...)
}

// predicate returns the statement about scans, which say the same but for their units.
func predicateOf(scans []*scan) (*trial.Custody, error) {
	s := scans[0]
	p := &trial.Custody{Action: s.Action, Condition: s.Condition, Deviation: s.Deviation, Reason: s.Reason, Ship: s.Ship, To: s.To, Trial: s.Trial}
	for _, x := range scans {
		u := trial.Unit{Unit: x.Unit, N: x.n, Handle: x.Handle}
		if s.Action == "suspect" && !x.holder {
			u.N = 0
		}
		p.Units = append(p.Units, u)
		for _, pack := range x.Packs {
			h, err := trial.ParseHash(pack)
			if err != nil {
				return nil, err
			}
			p.Packs = append(p.Packs, h)
		}
	}
	sortUnits(p.Units)
	return p, nil
}

// together says which scans may be in one statement. The participants may differ.
func (s *scan) together(at string) string {
	var files []string
	for _, f := range s.Files {
		files = append(files, f.Digest.String())
	}
	if s.Action == "open" {
		at += s.Key
	}
	return strings.Join([]string{s.Trial.String(), s.Action, s.Condition, s.Deviation, s.Reason, s.Ship.String(), s.To,
		strings.Join(files, ","), at}, "\n")
}

// flush logs what is in the journal for the session's trial: first the statements that an earlier run
// may have sent, then the scans that none is signed about. Without a network both stay.
func (s *session) flush(ctx context.Context) error {
	for _, k := range slices.Clone(s.journal.kept) {
		if k.Draft.statement.Predicate.(*trial.Custody).Trial != s.id {
			continue
		}
		if err := s.carry(ctx, k); err != nil {
			return err
		}
	}
	masked := s.closeUnits(ctx)
	if masked != nil && !errors.Is(masked, errMasked) {
		return masked
	}
	for _, g := range s.groups() {
		if err := s.flushGroup(ctx, g); err != nil {
			return err
		}
	}
	return masked
}

// groups returns the scans that no statement is signed about, those together that one statement may
// name. A unit is in a group once, and the acts of a unit stay in their order.
func (s *session) groups() (list [][]*scan) {
	type group struct {
		round int // how many acts of the same unit come before
		scans []*scan
	}
	groups := map[string]*group{}
	var order []*group
	rounds := map[trial.Hash]int{}
	for _, x := range s.journal.loose(s.id) {
		at := ""
		if !s.grouped(x) {
			at = x.Key
		}
		round := rounds[x.Unit]
		rounds[x.Unit]++
		name := fmt.Sprintf("%d %s", round, x.together(at))
		if groups[name] == nil {
			groups[name] = &group{round: round}
			order = append(order, groups[name])
		}
		groups[name].scans = append(groups[name].scans, x)
	}
	slices.SortStableFunc(order, func(a, b *group) int { return a.round - b.round })
	for _, g := range order {
		list = append(list, g.scans)
	}
	return list
}

// flushGroup logs scans that say the same, in as few statements as the rules take.
func (s *session) flushGroup(ctx context.Context, scans []*scan) error {
	if len(scans) == 0 {
		return nil
	}
	var ready []*scan
	for _, x := range scans {
		if x.n == 0 {
			answer := s.judge(ctx, x)
			if answer.offline {
				return client.ErrUnavailable
			}
			if answer.err != nil {
				return answer.err
			}
			if answer.refused != "" {
				if err := s.refuse(x, answer.refused); err != nil {
					return err
				}
				continue
			}
		}
		ready = append(ready, x)
	}
	// What was looked up may name a shipment, by which the scans part.
	parts := map[trial.Hash][]*scan{}
	var order []trial.Hash
	for _, x := range ready {
		if parts[x.Ship] == nil {
			order = append(order, x.Ship)
		}
		parts[x.Ship] = append(parts[x.Ship], x)
	}
	for _, ship := range order {
		most := trial.MaxCustodyUnits
		switch scans[0].Action {
		case "dispense":
			most = trial.MaxDispensed
		case "open":
			most = 1
		}
		for chunk := range slices.Chunk(parts[ship], most) {
			if err := s.say(ctx, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// say signs a statement about scans and carries it to its receipt.
func (s *session) say(ctx context.Context, scans []*scan) error {
	k, err := s.sign(scans)
	if err == nil {
		err = s.journal.add(journalLine{Kept: k})
	}
	if err != nil {
		return err
	}
	return s.carry(ctx, k)
}

func (s *session) sign(scans []*scan) (*kept, error) {
	p, err := predicateOf(scans)
	if err != nil {
		return nil, err
	}
	k := &kept{}
	last, participants := scans[0].At, map[trial.Hash]string{}
	for _, x := range scans {
		participants[x.Unit] = x.Subject
		k.Scans = append(k.Scans, x.Key)
		last = max(last, x.At)
	}
	var files []file
	for _, f := range scans[0].Files {
		files = append(files, file{name: f.Name, digest: f.Digest})
	}
	k.Draft, err = s.draft(p, last.Std(), files, participants)
	return k, err
}

// unitRules are those by which units are at fault. What another rule refuses, such as a key that was
// revoked or a clock that is ahead, may be logged later or with another key, and is kept.
var unitRules = []trial.Rule{trial.RuleRole, trial.RuleHolder, trial.RuleUnknown, trial.RulePredecessor, trial.RuleTaken,
	trial.RuleNotInForce}

// carry sends a statement. If it is refused, its units are named one by one, and the rest goes on.
func (s *session) carry(ctx context.Context, k *kept) error {
	scans := s.journal.of(k)
	v, err := s.submit(ctx, k.Draft, s.verifier, s.receipts)
	if rule := trial.RuleOf(err); slices.Contains(unitRules, rule) {
		return s.part(ctx, k, scans, err)
	} else if rule != "" {
		return errors.Join(err, s.journal.forget(k))
	}
	if err != nil {
		return err
	}
	var lines []journalLine
	p := k.Draft.statement.Predicate.(*trial.Custody)
	for _, x := range scans {
		for _, now := range s.after(x, p, v) {
			lines = append(lines, journalLine{Seen: now})
		}
	}
	s.logged += len(scans)
	s.statements++
	s.last = v
	return s.journal.done(scans, lines...)
}

// after returns what the log will say of the units of a scan that is logged, from what was seen before.
func (s *session) after(x *scan, p *trial.Custody, v *receipt.Verdict) (list []*seen) {
	r := s.journal.record(x.Unit)
	if r == nil || slices.ContainsFunc(p.Units, func(u trial.Unit) bool { return u.Unit == x.Unit && u.N != r.N }) {
		return nil // it was expected already
	}
	add := func(serial string, r *trial.UnitRecord) {
		if data, err := trial.MarshalRecord(r); err == nil {
			list = append(list, &seen{At: v.Entry.Time, Serial: serial, Unit: r.ID, Record: data})
		}
	}
	add(x.Serial, p.After(r, v.Index, v.Entry.Statement.ID, s.key.Org))
	for _, pack := range p.Packs {
		add("", r.Pack(pack))
	}
	return list
}

// part finds which units of a refused statement are at fault: each is looked up again, and halves are
// tried by themselves.
func (s *session) part(ctx context.Context, k *kept, scans []*scan, why error) error {
	if err := s.journal.forget(k); err != nil {
		return err
	}
	if len(scans) == 1 {
		return s.again(ctx, k, scans[0], why)
	}
	for _, x := range scans {
		x.n, x.Ship = 0, s.shipOf(x)
	}
	half := len(scans) / 2
	if err := s.flushGroup(ctx, scans[:half]); err != nil {
		return err
	}
	return s.flushGroup(ctx, scans[half:])
}

// How often a unit of a refused statement is looked up until the log shows the act that came between,
// and how long apart.
const (
	againTries = 20
	againPause = 100 * time.Millisecond
)

// again says what was refused about one unit once more, if nothing but the number of its acts was
// wrong: an act that came between need not forbid what was scanned.
func (s *session) again(ctx context.Context, k *kept, x *scan, why error) error {
	if trial.RuleOf(why) != trial.RulePredecessor {
		return s.refuse(x, custody.Plain(why, x.Unit))
	}
	said := k.Draft.statement.Predicate.(*trial.Custody).Units[0].N
	for range againTries {
		x.n, x.Ship = 0, s.shipOf(x)
		a := s.judge(ctx, x)
		switch {
		case a.err != nil:
			return a.err
		case a.offline:
			return client.ErrUnavailable
		case a.refused != "":
			return s.refuse(x, a.refused)
		case x.Action == "suspect" && !x.holder:
			return s.refuse(x, custody.Plain(why, x.Unit))
		case x.n != said:
			return s.say(ctx, []*scan{x})
		}
		select {
		case <-time.After(againPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.refuse(x, custody.Plain(why, x.Unit))
}

// shipOf is what a scan said itself of its shipment: to receive, it is looked up.
func (s *session) shipOf(x *scan) trial.Hash {
	if x.Action == "receive" || x.Action == "cancel" {
		return trial.Hash{}
	}
	return x.Ship
}

// unavailable reports whether an error says that the log cannot be reached, or has no receipt yet: what
// was sent is sent again later.
func unavailable(err error) bool {
	return errors.Is(err, client.ErrUnavailable) || errors.Is(err, client.ErrPending) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded)
}
