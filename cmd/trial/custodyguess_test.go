package main

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
)

// TestCustodyGuessArms plays a masked trial with two arms of different packs, whose lots arrive at different
// times and are given out in different amounts, and then guesses the arm of each pack from what the log
// shows everybody. A guess says something if no random relabelling of the packs separates the arms as
// well.
//
// What must say nothing: the order of packs in the list and the log, their ids, which of them are in
// one statement of an issue, and, where sites wait with -wait, which were given out in one statement.
// What cannot be hidden, and says something here: packs that are issued in lists of one lot each, that
// are shipped lot by lot, that are given out at once and in other numbers in each arm, and that are recalled or
// held by lot. TestCustodyGuessArms sees those, so it would see the others.
func TestCustodyGuessArms(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	n := 600
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		n = 2000
	}
	p := newPharmacy(t, "")
	// Kit numbers follow the lots, as printers number them: the first half of the list is the active arm.
	var b strings.Builder
	b.WriteString("serial,lot,expiry,arm\n")
	arm := map[string]float64{}
	for i := range n {
		name, lot := "active", "L-A"
		if i >= n/2 {
			name, lot = "placebo", "L-P"
		}
		serial := fmt.Sprintf("K-%05d", i+1)
		arm[serial] = float64(i / (n / 2))
		fmt.Fprintf(&b, "%s,%s,20%02d-12-31,%s\n", serial, lot, 60+i/(n/2), name)
	}
	packing := p.issue(b.String())
	serialOf, first := map[trial.Hash]string{}, map[string][]string{}
	for i := range packing.Packs {
		x := &packing.Packs[i]
		serialOf[p.unitOf(x)], serialOf[x.Commitment()] = x.Serial, x.Serial
		first[x.Arm] = append(first[x.Arm], x.Serial)
	}
	// Shipment 1 is mixed, as the design asks; shipments 2 and 3 are of one lot each.
	mixed := slices.Concat(first["active"][:n/8], first["placebo"][:n/8])
	p.scans("depot", "ship", mixed, "-to", "site-a")
	p.scans("site-a", "receive", mixed, "-condition", "ok")
	for _, lot := range [][]string{first["active"][n/8 : n/4], first["placebo"][n/8 : n/4]} {
		p.scans("depot", "ship", lot, "-to", "site-b")
		p.scans("site-b", "receive", lot, "-condition", "ok")
	}
	// Participants of the active arm get two packs a visit, of the other arm one. site-a waits for the end of
	// the day; site-b logs each visit by itself, as a hand of a program that knows no better would.
	visits := func(active, placebo []string) (list [][]string) {
		for chunk := range slices.Chunk(active, 2) {
			list = append(list, chunk)
		}
		for _, one := range placebo {
			list = append(list, []string{one})
		}
		random := rand.New(rand.NewPCG(3, 0))
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	}
	var day strings.Builder
	for i, packs := range visits(first["active"][:n/16], first["placebo"][:n/16]) {
		fmt.Fprintf(&day, "subject S-%d\n%s\n", i, strings.Join(packs, "\n"))
	}
	p.write("day.txt", day.String())
	p.piped("day.txt", exitDone, p.custodyArgs("site-a", "dispense", "-wait", "-scan", "-")...)
	site := p.hand("site-b")
	at := map[string]trial.Hash{}
	for i := range packing.Packs {
		at[packing.Packs[i].Serial] = p.unitOf(&packing.Packs[i])
	}
	for _, packs := range visits(first["active"][n/8:n/8+n/16], first["placebo"][n/8:n/8+n/16]) {
		var units []trial.Unit
		for _, serial := range packs {
			units = append(units, trial.Unit{N: 3, Unit: at[serial]})
		}
		if _, err := site.submit(trial.Custody{Action: "dispense", Units: units}); err != nil {
			t.Fatal(err)
		}
	}
	var late strings.Builder
	late.WriteString("serial,lot,arm\n")
	for i := range n / 10 {
		fmt.Fprintf(&late, "N-%05d,L-B,active\n", i)
		arm[fmt.Sprintf("N-%05d", i)] = 0
	}
	p.write("late.csv", late.String())
	p.custody(exitDone, "issued", "depot", "issue", "-list", "late.csv")
	for _, x := range must(readPackingList(filepath.Join(p.dir, "out-depot", "late.packing.csv"))).All() {
		serialOf[x.Commitment()] = x.Serial
	}
	p.custody(exitDone, "RECALLED", "acme", "recall", append([]string{"-unblinds", "recall"}, first["active"][n/4:n/4+n/20]...)...)

	g := &guesser{t: t, arm: arm, serialOf: serialOf, said: p.acted(), random: rand.New(rand.NewPCG(1, 2))}
	nothing, something := g.guesses()
	for name, guess := range nothing {
		if s := g.separates(guess); s.tells() || s.n < 20 {
			t.Errorf("%s tells the arms: %v", name, s)
		} else {
			t.Logf("%s: %v", name, s)
		}
	}
	for name, guess := range something {
		if s := g.separates(guess); !s.tells() {
			t.Errorf("%s would not be seen: %v", name, s)
		} else {
			t.Logf("%s: %v", name, s)
		}
	}
}

// acted returns the custody statements of the log, in their order.
func (p *pharmacy) acted() (list []*trial.Custody) {
	p.t.Helper()
	for line := range strings.Lines(p.payloads()) {
		if c, ok := must(trial.ParseStatement([]byte(strings.TrimSuffix(line, "\n")))).Predicate.(*trial.Custody); ok {
			list = append(list, c)
		}
	}
	return list
}

// A guesser knows the statements, and afterwards is told the arms.
type guesser struct {
	t        *testing.T
	arm      map[string]float64 // 0 or 1, by serial
	serialOf map[trial.Hash]string
	said     []*trial.Custody
	random   *rand.Rand
}

// A guess is a number for each pack about which something is known.
type guess map[string]float64

// guesses are those that must say nothing, and those that do.
func (g *guesser) guesses() (nothing, something map[string]guess) {
	nothing, something = map[string]guess{}, map[string]guess{}
	note := func(of map[string]guess, name string, u trial.Hash, x float64) {
		if of[name] == nil {
			of[name] = guess{}
		}
		of[name][g.serialOf[u]] = x
	}
	issued, later := 0, 0.0
	for i, c := range g.said {
		for j, u := range c.Units {
			bits := float64(u.Unit[0])*256 + float64(u.Unit[1])
			switch c.Action {
			case "issue":
				note(something, "list of one lot, issued later", u.Unit, later)
				if later > 0 {
					continue
				}
				note(nothing, "order of the issue", u.Unit, float64(issued))
				note(nothing, "statement of the issue", u.Unit, float64(i))
				note(nothing, "place in the statement", u.Unit, float64(j))
				note(nothing, "first bytes of the commitment", u.Unit, bits)
				note(nothing, "last byte of the commitment", u.Unit, float64(u.Unit[31]))
				issued++
			case "ship":
				later = 1
				if c.To == "site-a" {
					note(nothing, "place in a mixed shipment", u.Unit, float64(j))
					note(nothing, "id in a mixed shipment", u.Unit, bits)
				} else {
					note(something, "shipment of one lot", u.Unit, float64(i))
				}
			case "receive":
				if g.shippedTo(u.Unit) == "site-a" {
					note(nothing, "place in a receipt", u.Unit, float64(j))
				}
			case "dispense":
				if site := g.shippedTo(u.Unit); site == "site-a" {
					note(nothing, "place in the day's dispensing", u.Unit, float64(j))
					note(nothing, "packs beside it in the day's dispensing", u.Unit, g.beside(c, j))
				} else {
					note(something, "packs of one dispensing", u.Unit, float64(len(c.Units)))
				}
			case "recall":
				note(something, "recall", u.Unit, 1)
			}
		}
	}
	for _, c := range g.said { // what is not recalled
		for _, u := range c.Units {
			if _, ok := something["recall"][g.serialOf[u.Unit]]; !ok {
				note(something, "recall", u.Unit, 0)
			}
		}
	}
	return nothing, something
}

// beside is how far the id of the next unit in a statement is: packs of one participant would be
// neighbours if they were not sorted by their ids.
func (g *guesser) beside(c *trial.Custody, j int) float64 {
	if j+1 == len(c.Units) {
		return 0
	}
	return float64(c.Units[j+1].Unit[0]) - float64(c.Units[j].Unit[0])
}

func (g *guesser) shippedTo(unit trial.Hash) string {
	for _, c := range g.said {
		if c.Action == "ship" && slices.ContainsFunc(c.Units, func(u trial.Unit) bool { return u.Unit == unit }) {
			return c.To
		}
	}
	return ""
}

// A separation is how far apart the means of the arms are, in standard errors, of how many packs, and
// how many of the relabellings are as far apart.
type separation struct {
	n    int
	z, p float64
}

func (s separation) String() string {
	return fmt.Sprintf("%d packs, %.2f standard errors apart, p = %.4f", s.n, s.z, s.p)
}

// tells reports whether no relabelling is as far apart. The tokens are made anew in each run, so one
// guess in some thousand is this good by chance; with five standard errors beside, one in a million.
func (s separation) tells() bool { return s.p < 0.0005 && s.z > 5 }

// separates tests a guess by permutation.
func (g *guesser) separates(of guess) separation {
	var xs, arms []float64
	for _, serial := range slices.Sorted(maps.Keys(of)) {
		xs, arms = append(xs, of[serial]), append(arms, g.arm[serial])
	}
	s := separation{n: len(xs), z: apart(xs, arms)}
	const rounds = 4000
	as := 0
	for range rounds {
		g.random.Shuffle(len(arms), func(i, j int) { arms[i], arms[j] = arms[j], arms[i] })
		if apart(xs, arms) >= s.z {
			as++
		}
	}
	s.p = float64(as+1) / (rounds + 1)
	return s
}

// apart is the distance of the means of two groups in standard errors.
func apart(xs, arms []float64) float64 {
	var n, sum, squares [2]float64
	for i, x := range xs {
		a := int(arms[i])
		n[a]++
		sum[a] += x
		squares[a] += x * x
	}
	if n[0] == 0 || n[1] == 0 {
		return 0
	}
	variance := func(a int) float64 { return squares[a]/n[a] - sum[a]/n[a]*sum[a]/n[a] }
	return math.Abs(sum[0]/n[0]-sum[1]/n[1]) / math.Sqrt(variance(0)/n[0]+variance(1)/n[1]+1e-9)
}
