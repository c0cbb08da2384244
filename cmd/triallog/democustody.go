package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/custody/sensor"
	"github.com/trialproof/trialproof/trial/history"
)

// A keeper of the demo is an organisation that has packs.
type keeper struct {
	id     string
	signer crypto.Signer
}

const (
	demoPacks   = 20
	demoProfile = `{"bands":[{"min":2000,"max":8000},{"min":2000,"max":25000,"minutes":60}],"maxGap":15}`
)

// packs is the chapter of a case of packs, from the depot to participants.
func (s *story) packs(ctx context.Context) error {
	s.say("A depot and two clinics join. Example Pharma delegates the custody of the trial's medicine packs to the depot.")
	keepers := map[string]*keeper{"example-pharma": {"example-pharma", s.ada}}
	for _, id := range []string{"depot", "clinic-one", "clinic-two"} {
		_, signer, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		if _, err := s.enrol(ctx, s.registrar, id, "The "+id, signer); err != nil {
			return err
		}
		keepers[id] = &keeper{id, signer}
	}
	pharma, depot, one, two := keepers["example-pharma"], keepers["depot"], keepers["clinic-one"], keepers["clinic-two"]
	v, _, err := s.submit(ctx, pharma.signer, &trial.Statement{Subjects: trial.NamedSubject("trial", s.trial),
		Predicate: &trial.Delegation{Common: s.common("approval"), Kinds: []string{"custody"}, To: depot.id, Trial: s.trial}})
	if err != nil {
		return err
	}
	s.detail("entry %d: %s", v.Index, trial.Describe(v.Entry.Statement.Statement))

	s.say("The depot enters a case of %d packs. Each label has a random token: the log shows no serial, lot or treatment.", demoPacks)
	box, err := demoCase()
	if err != nil {
		return err
	}
	if err := s.handle(ctx, depot, &trial.Custody{Action: "issue"}, "", box); err != nil {
		return err
	}
	packs := make([]*custody.Pack, len(box.Packs))
	for i := range box.Packs {
		packs[i] = &box.Packs[i]
	}
	label := packs[0].Code
	label.Lot = "" // who reads two labels of a masked trial could see that they are of one lot
	s.detail("the label of the first pack: %s", label.Human())

	s.say("The case travels with a temperature logger, whose file is committed to with a salt. Both sides sign: clinic-one receives it, and opens it.")
	if err := s.handover(ctx, depot, one, "cool.csv", []int{48, 51, 56, 60, 55, 52}, "ok", box); err != nil {
		return err
	}
	if err := s.handle(ctx, one, &trial.Custody{Action: "open", Packs: box.Inside()}, "", box); err != nil {
		return err
	}

	s.say("Two packs go on to clinic-two, and get too warm. They arrive on hold, and the log refuses to have them given out.")
	warm := packs[18:]
	if err := s.handover(ctx, one, two, "warm.csv", []int{52, 60, 180, 264, 120, 65}, "excursion", warm...); err != nil {
		return err
	}
	give := func(by *keeper, rule trial.Rule, subject string, p *custody.Pack) error {
		err := s.handle(ctx, by, &trial.Custody{Action: "dispense"}, subject, p)
		switch {
		case rule == "":
			return err
		case trial.RuleOf(err) != rule:
			return fmt.Errorf("%s was not refused by %s: %w", p.Serial, rule, err)
		}
		s.detail("%s at %s: refused, %s", p.Serial, by.id, custody.Plain(err, s.unit(p)))
		return nil
	}
	for _, p := range warm {
		if err := give(two, trial.RuleNotInForce, "2001", p); err != nil {
			return err
		}
	}

	s.say("clinic-one gives the first pack to a participant. Somebody has copied its label: the copies are caught.")
	if err := give(one, "", "1001", packs[0]); err != nil {
		return err
	}
	if err := give(one, trial.RulePredecessor, "1002", packs[0]); err != nil {
		return err
	}
	if err := give(two, trial.RuleHolder, "2001", packs[0]); err != nil {
		return err
	}
	if err := s.handle(ctx, two, &trial.Custody{Action: "suspect", Reason: "duplicate"}, "", packs[0]); err != nil {
		return err
	}

	s.say("Example Pharma recalls all %d packs: of a masked trial, a part would show which are alike. Nobody can give one out now.",
		demoPacks)
	if err := s.handle(ctx, pharma, &trial.Custody{Action: "recall"}, "", packs...); err != nil {
		return err
	}
	if err := give(one, trial.RuleNotInForce, "1002", packs[1]); err != nil {
		return err
	}

	s.say("What anybody with the first pack's label sees, proven complete:")
	return s.packAccount(ctx, packs[0], box)
}

// demoCase returns a case of packs of two arms, with tokens.
func demoCase() (*custody.Pack, error) {
	var list strings.Builder
	list.WriteString("serial,expiry,lot,arm,case\n")
	expiry := time.Now().AddDate(2, 0, 0).Format(time.DateOnly)
	for i := range demoPacks {
		fmt.Fprintf(&list, "K-%04d,%s,L%d,%s,C-1\n", i+1, expiry, 77+i%2, []string{"examplinib", "placebo"}[i%2])
	}
	packing, err := custody.ParsePacking([]byte(list.String()))
	if err != nil {
		return nil, err
	}
	return &packing.Packs[0], packing.MakeTokens(rand.Reader)
}

// unit returns what the log calls a pack.
func (s *story) unit(p *custody.Pack) trial.Hash { return trial.UnitID(s.trial, p.Commitment()) }

// handover has packs shipped and received, with the file of a temperature logger that read so many tenths
// of a degree every ten minutes. The condition is computed from it.
func (s *story) handover(ctx context.Context, from, to *keeper, file string, tenths []int, want string, packs ...*custody.Pack) error {
	if err := s.handle(ctx, from, &trial.Custody{Action: "ship", To: to.id}, "", packs...); err != nil {
		return err
	}
	var csv strings.Builder
	csv.WriteString("time (UTC),temperature (°C)\n")
	at := time.Now().UTC().Add(-time.Hour)
	for i, t := range tenths {
		fmt.Fprintf(&csv, "%s,%d.%d\n", at.Add(time.Duration(i)*10*time.Minute).Format(time.DateTime), t/10, t%10)
	}
	name := s.path(filepath.Join("documents", file))
	if err := os.WriteFile(name, []byte(csv.String()), 0o644); err != nil {
		return err
	}
	profile, err := sensor.ParseProfile([]byte(demoProfile))
	if err != nil {
		return err
	}
	series, err := sensor.Read(name, []byte(csv.String()), sensor.Options{Zone: time.UTC, Unit: "C"})
	if err != nil {
		return err
	}
	assessed := profile.Assess(series, time.Time{}, time.Time{})
	condition := profile.Condition(assessed)
	if condition != want {
		return fmt.Errorf("%s: the condition is %s, not %s", file, condition, want)
	}
	s.detail("%s:\n%s", name, strings.Join(assessed.Lines(profile), "\n"))
	return s.handle(ctx, to, &trial.Custody{Action: "receive", Condition: condition}, csv.String(), packs...)
}

// handle logs an act with packs, each with how many acts it has had. About is the participant to whom they
// are given out, or the document of a handover; it is committed to with a salt.
func (s *story) handle(ctx context.Context, by *keeper, p *trial.Custody, about string, packs ...*custody.Pack) error {
	p.Common, p.Trial = s.common("responsibility"), s.trial
	for _, pack := range packs {
		if p.Action == "issue" {
			p.Units = append(p.Units, pack.Unit())
			continue
		}
		a, _, err := s.packHistory(ctx, pack)
		if err != nil {
			return err
		}
		if a.Record == nil {
			return fmt.Errorf("%s is not logged", pack.Serial)
		}
		u := trial.Unit{Unit: s.unit(pack), N: a.Record.N}
		switch p.Action {
		case "receive":
			p.Ship = a.Record.Offer.ID
		case "suspect":
			u.N, u.Handle = 0, trial.UnitHandle(pack.Serial, *pack.Token)
		}
		p.Units = append(p.Units, u)
	}
	slices.SortFunc(p.Units, func(a, b trial.Unit) int { return strings.Compare(a.Unit.String(), b.Unit.String()) })
	st := &trial.Statement{Subjects: trial.NamedSubject("trial", s.trial), Predicate: p}
	if about != "" {
		name := "custody"
		if p.Action == "dispense" {
			name = "subject-1"
		}
		var salt trial.Salt
		rand.Read(salt[:]) // never fails
		st.Subjects = []trial.Subject{{Name: name, Digest: trial.Digest{Salted256: trial.Commit(salt, sha256.Sum256([]byte(about)))}}}
	}
	v, _, err := s.submit(ctx, by.signer, st)
	if err != nil {
		return err
	}
	s.detail("entry %d: %s, by %s", v.Index, trial.Describe(v.Entry.Statement.Statement), by.id)
	return nil
}

// packHistory reads and checks what the log has about a pack, and says whether that is proven complete.
func (s *story) packHistory(ctx context.Context, p *custody.Pack) (*custody.Account, bool, error) {
	page, err := s.client.HistoryPage(ctx, "unit", s.unit(p).String(), 0, 0)
	if err != nil {
		return nil, false, err
	}
	h, err := history.ParsePage(page)
	if err != nil {
		return nil, false, err
	}
	r, err := history.NewReader(s.policy, h)
	if err != nil {
		return nil, false, err
	}
	v, err := r.Verdict()
	if err != nil {
		return nil, false, err
	}
	a, err := custody.NewAccount(v)
	return a, v.Replayed, err
}

// packAccount shows the chain of a pack, and of the case that it came in.
func (s *story) packAccount(ctx context.Context, p, box *custody.Pack) error {
	cased, whole, err := s.packHistory(ctx, box)
	if err != nil {
		return err
	}
	a, complete, err := s.packHistory(ctx, p)
	if err != nil {
		return err
	}
	if !whole || !complete || len(cased.Acts) != 4 || len(a.Acts) != 4 || a.Case() != s.unit(box) {
		return errors.New("the history of the first pack is not what was logged of it")
	}
	s.detail("%s: %s", p.Serial, a.Where())
	for _, warning := range a.Warnings() {
		s.detail("%s", warning)
	}
	for i := range cased.Acts[:3] { // its opening is the pack's first act
		s.detail("in its case: %s", cased.Acts[i].Line())
	}
	for i := range a.Acts {
		s.detail("%s", a.Acts[i].Line())
	}
	return nil
}
