package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/dossier"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A pharmacy is a town with replaying witnesses and a masked trial of acme, whose packs the depot issues:
// site-a, site-b and site-c receive them, rival has none. Each has a key NAME.key and a folder out-NAME.
type pharmacy struct {
	*town
	id   trial.Hash
	sees []string // -packing and its file, once packs are issued
}

func newPharmacy(t *testing.T, store string) *pharmacy {
	t.Helper()
	p := &pharmacy{town: startTown(t, store, true)}
	p.trialCmd("org", "-key", "registrar.key", "-id", "acme", "-name", "Acme", "ada.pub")
	for _, org := range []string{"depot", "site-a", "site-b", "site-c", "rival"} {
		p.ok("trial", "keygen", "-name", "Head of "+org, "-org", org, "-out", org)
		p.trialCmd("org", "-key", "registrar.key", "-id", org, "-name", "The "+org, org+".pub")
	}
	p.write("acme.key", read(t, filepath.Join(p.dir, "ada.key")))
	p.register("X-1")
	return p
}

// register begins a masked trial, of which the depot issues the packs.
func (p *pharmacy) register(number string) {
	p.t.Helper()
	p.trial = p.trialCmd("register", "-key", "acme.key", "-number", number, "-masked")
	p.id = must(trial.ParseHash(p.trial))
	p.trialCmd("delegate", "-key", "acme.key", "-trial", p.trial, "-to", "depot", "-kinds", "codebreak,custody")
}

// custodyArgs are the arguments of an act by an organisation.
func (p *pharmacy) custodyArgs(org, action string, args ...string) []string {
	list := slices.Concat([]string{"trial", "custody", action}, p.flags, []string{"-trial", p.trial})
	switch action {
	case "check", "export":
	default:
		list = append(list, "-out", "out-"+org)
		if action != "sheet" {
			list = append(list, "-key", org+".key")
		}
	}
	if action != "issue" {
		list = append(list, p.sees...)
	}
	return append(list, args...)
}

// custody has an organisation do an act, and wants its status and words.
func (p *pharmacy) custody(status int, words, org, action string, args ...string) string {
	p.t.Helper()
	args = p.custodyArgs(org, action, args...)
	_, out, got := p.run(args...)
	if got != status || !strings.Contains(out, words) {
		p.t.Fatalf("%s: %v: status %d, want %d and %q\n%s", org, args, got, status, words, out)
	}
	return out
}

// issue has the depot issue the packs of a list, and gives everybody the packing list without secrets.
func (p *pharmacy) issue(list string) *custody.Packing {
	p.t.Helper()
	p.write("packs.csv", list)
	p.custody(exitDone, "issued, with", "depot", "issue", "-list", "packs.csv")
	p.write("tokens.csv", read(p.t, filepath.Join(p.dir, "out-depot", "packs.tokens.csv")))
	p.sees = []string{"-packing", "tokens.csv"}
	return must(readPackingList(filepath.Join(p.dir, "out-depot", "packs.packing.csv")))
}

// stock has the depot ship packs to a site, which receives them.
func (p *pharmacy) stock(site string, serials ...string) {
	p.t.Helper()
	p.custody(exitDone, "", "depot", "ship", append([]string{"-to", site}, serials...)...)
	p.custody(exitDone, "", site, "receive", append([]string{"-condition", "ok"}, serials...)...)
}

// kits is a list of packs K-0001 and so on.
func kits(n int) (list string, serials []string) {
	var b strings.Builder
	b.WriteString("serial,lot,expiry,arm,case\n")
	for i := range n {
		serials = append(serials, fmt.Sprintf("K-%05d", i+1))
		fmt.Fprintf(&b, "%s,LOT-%d,2060-12-31,%s,\n", serials[i], i%7, []string{"active", "placebo"}[i%2])
	}
	return b.String(), serials
}

// A hand signs custody statements by itself, without the command.
type hand struct {
	t   *testing.T
	c   *client.Client
	key *trial.KeyFile
	of  trial.Hash
}

func (p *pharmacy) hand(org string) *hand {
	p.t.Helper()
	key := must(trial.ParseKeyFile(must(os.ReadFile(filepath.Join(p.dir, org+".key")))))
	return &hand{p.t, must(client.New(p.log.url)), key, p.id}
}

// sign signs an act.
func (h *hand) sign(c trial.Custody) (envelope []byte, id trial.Hash) {
	c.Common = trial.Common{Log: "log.example/trials", Meaning: "responsibility", SignedAt: trial.TimeOf(time.Now())}
	c.Trial = h.of
	sortUnits(c.Units)
	subjects := trial.NamedSubject("trial", h.of)
	if c.Action == "dispense" {
		subjects = nil
		for i := range c.Units {
			subjects = append(subjects, trial.Subject{Name: fmt.Sprintf("subject-%d", i+1), Digest: trial.Digest{Salted256: trial.Hash(newSalt())}})
		}
	}
	payload := must((&trial.Statement{Predicate: &c, Subjects: subjects}).Marshal())
	return must(trial.Sign(payload, h.key.Signer)), trial.StatementID(payload)
}

// submit logs an act.
func (h *hand) submit(c trial.Custody) (trial.Hash, error) {
	envelope, id := h.sign(c)
	_, err := h.c.Submit(h.t.Context(), envelope, h.key.Public.SPKI())
	return id, err
}

// unitOf returns the id of a pack of a trial.
func (p *pharmacy) unitOf(x *custody.Pack) trial.Hash { return trial.UnitID(p.id, x.Commitment()) }

// account reads and checks what the log has of a unit; its record is nil if that is nothing.
func (p *pharmacy) account(unit trial.Hash) *custody.Account {
	p.t.Helper()
	policy := trialtest.ParsePolicy(p.t, read(p.t, filepath.Join(p.dir, "policy")))
	g := &dossier.Gatherer{Policy: policy, Source: pages{must(client.New(p.log.url))}}
	h := must(g.History(p.t.Context(), trial.RecordKey{Kind: "unit", ID: unit.String()}, 0))
	if !h.Replayed {
		p.t.Fatal("the history is not proven by replaying witnesses")
	}
	return must(custody.NewAccount(h.Verdict))
}

// had returns which acts a unit had, such as "issue ship receive".
func (p *pharmacy) had(unit trial.Hash) string {
	p.t.Helper()
	var list []string
	for _, x := range p.account(unit).Acts {
		list = append(list, x.Said.Action)
	}
	return strings.Join(list, " ")
}
