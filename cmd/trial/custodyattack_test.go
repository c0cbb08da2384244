package main

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
)

// What thieves, forgers and rivals can try with packs, against a real log.
func TestCustodyAttacks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	stores(t, func(t *testing.T, store string) {
		p := newPharmacy(t, store)
		list, serials := kits(30)
		packing := p.issue(list + "P-1,,,,C-1\nP-2,,,,C-1\n")
		at := map[string]*custody.Pack{}
		for _, x := range packing.All() {
			at[x.Serial] = x
		}
		p.stock("site-a", append(serials[:20:20], "C-1")...)
		for _, a := range []struct {
			name  string
			stage func(t *testing.T)
		}{
			{"a clone at two sites", func(t *testing.T) { cloneAtTwoSites(t, p, at, serials[0], serials[1]) }},
			{"a case with an extra child", func(t *testing.T) { extraChild(t, p, at) }},
			{"every serial is tried", func(t *testing.T) { everySerial(t, p, at) }},
			{"a lot is guessed", func(t *testing.T) { guessedLot(t, p, packing) }},
			{"a handover that one side signed", func(t *testing.T) { oneSided(t, p, at[serials[20]]) }},
			{"the holder and its delegate issue one pack", func(t *testing.T) { issuedTwice(t, p, at) }},
			{"a recall races a dispense", func(t *testing.T) { race(t, p, at, serials[2:20]) }},
		} {
			if !t.Run(a.name, func(t *testing.T) {
				p.t = t
				defer func(outer *testing.T) { p.t = outer }(p.t)
				a.stage(t)
			}) {
				break
			}
		}
	})
}

// cloneAtTwoSites: the label of a pack at site-a is copied and stuck on another box, which comes to
// site-b by another way.
func cloneAtTwoSites(t *testing.T, p *pharmacy, at map[string]*custody.Pack, clone, other string) {
	label := at[clone].Human()
	p.custody(exitInvalid, "R10: it is not under way: it is with site-a", "site-b", "receive", "-condition", "ok", label)
	p.custody(exitInvalid, "R8", "site-b", "dispense", "-subject", "2001", label)
	// In a shipment that is meant for site-b, the clone is named and the rest goes on.
	p.custody(exitInvalid, "R8", "depot", "ship", "-to", "site-b", clone)
	p.custody(exitDone, "", "site-a", "ship", "-to", "site-b", other)
	out := p.custody(exitInvalid, "2 scanned: 1 logged in 1 statement, 1 refused, 0 kept", "site-b", "receive", "-condition", "ok", label,
		other)
	if !strings.Contains(out, "REFUSED "+clone+": R10") {
		t.Errorf("%s", out)
	}
	// Given out at site-a, it is given out nowhere again, whichever box it is.
	p.custody(exitDone, "GIVEN OUT", "site-a", "dispense", "-subject", "1001", label)
	p.custody(exitInvalid, "R10", "site-a", "dispense", "-subject", "1002", label)
	p.custody(exitInvalid, "R8", "site-b", "dispense", "-subject", "2001", label)
	p.custody(exitInvalid, "R8", "site-b", "dispense", "-deviation", "emergency", "-subject", "2001", label)
	p.custody(exitDone, "reported", "site-b", "suspect", "-reason", "duplicate", label)
	p.custody(exitInvalid, "R11", "site-b", "suspect", "-reason", "duplicate", label)
	if out := p.custody(exitDone, "REPORTED as suspicious by site-b", "", "check", label); !strings.Contains(out, "given out by site-a") ||
		!strings.Contains(out, "NOT TO BE GIVEN OUT") {
		t.Errorf("%s", out)
	}
	if got, want := p.had(p.unitOf(at[clone])), "issue ship receive dispense suspect"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// extraChild: a pack that was never issued is smuggled in as one more of a case, and as one in place of
// another.
func extraChild(t *testing.T, p *pharmacy, at map[string]*custody.Pack) {
	tokens := read(t, filepath.Join(p.dir, "tokens.csv"))
	fake := packCode("P-9")
	box := p.unitOf(at["C-1"])
	for what, list := range map[string]string{
		"one more":             tokens + "P-9," + custody.EncodeToken(*fake.Token) + ",,C-1\n",
		"in place of another":  strings.Replace(tokens, "P-2,"+custody.EncodeToken(*at["P-2"].Token), "P-9,"+custody.EncodeToken(*fake.Token), 1),
		"one less":             strings.Replace(tokens, "P-2,"+custody.EncodeToken(*at["P-2"].Token)+",,C-1\n", "", 1),
		"another's pack of it": tokens[:strings.Index(tokens, "P-2,")] + "P-2," + custody.EncodeToken(*fake.Token) + ",,C-1\n",
	} {
		p.write("swapped.csv", list)
		out := p.custody(exitInvalid, "the packs named are not the 2 that case", "site-a", "open", "-packing", "swapped.csv", "C-1")
		if !strings.Contains(out, "R10") {
			t.Errorf("%s: %s", what, out)
		}
	}
	p.custody(exitInvalid, "NOT LOGGED", "", "check", fake.Human())
	if got := p.had(box); got != "issue ship receive" {
		t.Errorf("the case has had %s", got)
	}
	p.custody(exitDone, "opened", "site-a", "open", "C-1")
	p.custody(exitInvalid, "it may be a fake", "site-a", "dispense", "-subject", "1001", fake.Human())
	p.custody(exitInvalid, "R10", "site-a", "open", "C-1")
	if got := p.had(p.unitOf(at["P-2"])); got != "open" {
		t.Errorf("its pack has had %s", got)
	}
}

// everySerial: who has seen one kit number knows all of them, and finds none in the log without their
// tokens.
func everySerial(t *testing.T, p *pharmacy, at map[string]*custody.Pack) {
	c := must(client.New(p.log.url))
	guesses := [][16]byte{{}, {15: 1}, [16]byte([]byte("0123456789abcdef")), [16]byte([]byte("0000000000000000"))}
	tried := 0
	found := func(id ...trial.Hash) (list []trial.Hash) {
		for len(id) > 0 {
			n := min(len(id), client.MaxFound/4)
			var ids []string
			for _, x := range id[:n] {
				ids = append(ids, x.String())
			}
			answer, err := c.Found(t.Context(), "unit", ids)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range id[:n] {
				if answer[x.String()] {
					list = append(list, x)
				}
			}
			tried, id = tried+n, id[n:]
		}
		return list
	}
	var ids []trial.Hash
	for i := range 200 {
		serial := fmt.Sprintf("K-%05d", i+1)
		sum := trial.Hash(sha256.Sum256([]byte(serial)))
		bare := trial.Hash(sha256.Sum256([]byte("trialproof/unit/v1\n" + serial + "\n")))
		own := [16]byte(sum[:16])
		ids = append(ids, sum, bare, trial.UnitID(p.id, sum), trial.UnitID(p.id, bare), trial.UnitID(p.id, trial.UnitCommitment(bare)))
		for _, token := range append(guesses, own) {
			handle := trial.UnitHandle(serial, token)
			ids = append(ids, handle, trial.UnitCommitment(handle), trial.UnitID(p.id, handle), trial.UnitID(p.id, trial.UnitCommitment(handle)))
		}
		if pack := at[serial]; pack != nil { // with the token of the pack beside it
			next := at[fmt.Sprintf("K-%05d", (i+1)%30+1)]
			ids = append(ids, trial.UnitID(p.id, trial.UnitCommitment(trial.UnitHandle(serial, *next.Token))),
				trial.UnitID(trial.Hash{1}, pack.Commitment()), pack.Commitment())
		}
	}
	if list := found(ids...); len(list) > 0 {
		t.Errorf("%d of %d guesses are in the log", len(list), tried)
	}
	if tried < 5000 || len(found(p.unitOf(at["K-00001"]))) != 1 {
		t.Errorf("%d tried, and a true label is not found", tried)
	}
	for _, code := range []string{"(91)K-00001(99)AAAAAAAAAAAAAAAAAAAAAA", "(91)K-77777(99)AAAAAAAAAAAAAAAAAAAAAA"} {
		p.sees = nil
		if out := p.custody(exitInvalid, "NOT LOGGED", "", "check", code); !strings.Contains(out, "complete: proven by replaying witnesses") {
			t.Errorf("%s", out)
		}
		p.sees = []string{"-packing", "tokens.csv"}
	}
}

// guessedLot: a site that knows all serials, tokens, expiries and cases makes the packing list of the
// depot with every lot and arm that there may be. The log does not tell it when it is right.
func guessedLot(t *testing.T, p *pharmacy, packing *custody.Packing) {
	entries := p.payloads()
	right := packing.Marshal(true)
	for _, form := range forms(must(hashOf(right))) {
		if strings.Contains(entries, string(form)) {
			t.Error("the digest of the packing list is in the log without a salt")
		}
	}
	for lot := range 10 {
		name := fmt.Sprintf("LOT-%d", lot)
		for _, x := range []string{name, name + "\n", "lot " + name, p.trial + name} {
			for _, form := range forms(must(hashOf([]byte(x)))) {
				if strings.Contains(entries, string(form)) {
					t.Errorf("the digest of %q is in the log", x)
				}
			}
		}
	}
	for _, x := range packing.All() { // what is there is the commitment of each pack
		if u := x.Commitment().String(); x.Case == "" && !strings.Contains(entries, u) {
			t.Errorf("the search does not find the commitment of %s", x.Serial)
		}
	}
}

func hashOf(data []byte) ([]byte, error) {
	h := sha256.Sum256(data)
	return h[:], nil
}

// oneSided: what the depot says that it shipped stays under way until the site says so too, and status
// shows it.
func oneSided(t *testing.T, p *pharmacy, x *custody.Pack) {
	p.custody(exitDone, "", "depot", "ship", "-to", "site-c", x.Serial)
	p.custody(exitInvalid, "R10", "depot", "dispense", "-subject", "1", x.Serial)
	p.custody(exitInvalid, "R10", "depot", "ship", "-to", "site-b", x.Serial)
	p.custody(exitInvalid, "R8", "site-c", "dispense", "-subject", "1", x.Serial)
	p.custody(exitInvalid, "R7", "site-b", "receive", "-condition", "ok", x.Serial)
	p.custody(exitInvalid, "R7", "depot", "receive", "-condition", "ok", x.Serial)
	p.custody(exitDone, "under way from depot to site-c since", "", "check", x.Serial)
	if out := p.trialStatus(); !strings.Contains(out, "not received: 1 pack from depot to site-c, shipped") {
		t.Errorf("%s", out)
	}
	if got := p.had(p.unitOf(x)); got != "issue ship" {
		t.Errorf("it had %s", got)
	}
}

func (p *pharmacy) trialStatus() string {
	p.t.Helper()
	_, out, status := p.run(append(append([]string{"trial", "status"}, p.flags...), p.trial)...)
	if status != exitDone {
		p.t.Fatalf("%d: %s", status, out)
	}
	return out
}

// issuedTwice: one pack is one unit, whoever issues it, alone or in a case.
func issuedTwice(t *testing.T, p *pharmacy, at map[string]*custody.Pack) {
	holder := p.hand("acme")
	pack, inside, fresh := at["K-00003"].Commitment(), at["P-1"].Commitment(), trial.Hash{7}
	for what, units := range map[string][]trial.Unit{
		"the same pack":          {{Unit: pack}},
		"among others":           {{Unit: pack}, {Unit: fresh}},
		"a pack out of its case": {{Unit: inside}},
	} {
		if _, err := holder.submit(trial.Custody{Action: "issue", Units: units}); trial.RuleOf(err) != trial.RuleTaken {
			t.Errorf("%s: %v", what, err)
		}
	}
	// In another case it is named by its contents alone; that case does not open.
	box := trial.Unit{Contents: trial.CaseContents([]trial.Hash{pack}), Packs: 1, Unit: trial.Hash{8}}
	if _, err := holder.submit(trial.Custody{Action: "issue", Units: []trial.Unit{box}}); err != nil {
		t.Fatal(err)
	}
	open := trial.Custody{Action: "open", Packs: []trial.Hash{pack}, Units: []trial.Unit{{N: 1, Unit: trial.UnitID(p.id, box.Unit)}}}
	if _, err := holder.submit(open); trial.RuleOf(err) != trial.RuleTaken {
		t.Errorf("a case with a pack that is issued: %v", err)
	}
}

// race: a recall and a dispense of one pack are sent at once. One of them is refused, because the unit
// had another act; said again, the recall is logged and the dispense is not.
func race(t *testing.T, p *pharmacy, at map[string]*custody.Pack, serials []string) {
	holder, site := p.hand("acme"), p.hand("site-a")
	orders := map[string]int{}
	for i, serial := range serials {
		unit := p.unitOf(at[serial])
		acts := []func(n uint64) error{
			func(n uint64) error {
				_, err := holder.submit(trial.Custody{Action: "recall", Units: []trial.Unit{{N: n, Unit: unit}}})
				return err
			},
			func(n uint64) error {
				_, err := site.submit(trial.Custody{Action: "dispense", Units: []trial.Unit{{N: n, Unit: unit}}})
				return err
			},
		}
		var errs [2]error
		var wg sync.WaitGroup
		for j := range acts {
			j = (i + j) % 2
			wg.Go(func() { errs[j] = acts[j](3) })
			if i < 2 { // each order once for certain
				wg.Wait()
			}
		}
		wg.Wait()
		recalled, given := errs[0] == nil, errs[1] == nil
		switch {
		case recalled && !given && trial.RuleOf(errs[1]) == trial.RulePredecessor:
			if err := acts[1](4); trial.RuleOf(err) != trial.RuleNotInForce {
				t.Errorf("%s is given out after its recall: %v", serial, err)
			}
			p.custody(exitInvalid, "R18", "site-a", "dispense", "-subject", "1009", serial)
			p.custody(exitInvalid, "RECALLED", "", "check", serial)
			if got := p.had(unit); got != "issue ship receive recall" {
				t.Errorf("%s", got)
			}
		case given && !recalled && trial.RuleOf(errs[0]) == trial.RulePredecessor:
			if err := acts[0](4); err != nil {
				t.Errorf("%s is not recalled from the participant: %v", serial, err)
			}
			if out := p.custody(exitDone, "RECALLED", "", "check", serial); !strings.Contains(out, "given out by site-a") {
				t.Errorf("%s", out)
			}
			if got := p.had(unit); got != "issue ship receive dispense recall" {
				t.Errorf("%s", got)
			}
		default:
			t.Errorf("%s: %v, %v", serial, errs[0], errs[1])
		}
		orders[fmt.Sprintf("recall %v", recalled)]++
	}
	if len(orders) != 2 {
		t.Errorf("only one order was tried: %v", orders)
	}
	t.Logf("%v", orders)
}
