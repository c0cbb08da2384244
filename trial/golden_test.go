package trial_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/timeline"
	"github.com/trialproof/trialproof/trial/trialtest"
)

var update = flag.Bool("update", false, "write the golden log of the rule set anew; never for one that is released")

// TestGolden replays a log of each rule set that ever was, kept byte for byte. It must lead to
// the same records, the same root and the same marks for ever. A log is an entry bundle of
// c2sp.org/tlog-tiles; the text beside it describes its contents.
func TestGolden(t *testing.T) {
	const name = "testdata/golden/rules-1"
	if *update {
		_, _, _, l := samples(t)
		var b []byte
		for _, raw := range l.Leaves {
			b = binary.BigEndian.AppendUint16(b, uint16(len(raw)))
			b = append(b, raw...)
		}
		if err := os.WriteFile(name+".entries", b, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name+".txt", []byte(told(t, b)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	bundle, err := os.ReadFile(name + ".entries")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := told(t, bundle); got != string(want) {
		t.Errorf("the log says\n%s\nnot\n%s", got, want)
	}
	for _, kind := range trial.Kinds() {
		if !bytes.Contains(want, []byte(" "+kind+"\n")) {
			t.Errorf("the golden log has no %s", kind)
		}
	}
}

// told replays a bundle and describes its entries and the resulting records.
func told(t *testing.T, bundle []byte) string {
	t.Helper()
	var b strings.Builder
	s := new(trial.State)
	l := new(trialtest.Log)
	*l = *trialtest.NewLog(t)
	l.Truncate(0)
	byTrial := map[trial.Hash][]trial.Located{}
	for index := uint64(0); len(bundle) > 0; index++ {
		n := 2 + int(binary.BigEndian.Uint16(bundle))
		raw := bundle[2:n:n]
		bundle = bundle[n:]
		l.Append(raw)
		e, err := trial.ParseEntry(raw)
		if err == nil {
			err = e.Verify()
		}
		if err == nil {
			err = s.Apply(e)
		}
		if err != nil {
			t.Fatalf("entry %d: %v", index, err)
		}
		switch {
		case e.Genesis != nil:
			fmt.Fprintf(&b, "%d genesis\n", index)
		case e.State != nil:
			fmt.Fprintf(&b, "%d state %s\n", index, e.State.Map.Root)
			s.Commit()
		default:
			fmt.Fprintf(&b, "%d %s\n", index, e.Statement.Statement.Predicate.Kind())
			id, st := e.Statement.Effective()
			if of := trial.TrialOf(st); !of.IsZero() {
				id = of
			}
			byTrial[id] = append(byTrial[id], trial.Located{Index: index, Entry: e})
		}
	}
	fmt.Fprintf(&b, "root %x\n", l.Tree(l.Size()).Root)
	var lines []string
	for _, r := range s.Records() {
		data, err := trial.MarshalRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s\n", r.RecordKey().Kind, r.RecordKey().ID, trial.RecordValue(data)))
		if tr, ok := r.(*trial.TrialRecord); ok {
			for _, m := range timeline.New(tr.ID, byTrial[tr.ID]).Marks() {
				lines = append(lines, fmt.Sprintf("mark %s %03d %d %s\n", tr.ID, m.Index, m.Cause, m.ID))
			}
		}
	}
	slices.Sort(lines)
	return b.String() + strings.Join(lines, "")
}
