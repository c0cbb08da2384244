package trial_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/timeline"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// The files testdata/*.txt tell how a log comes about, one statement a line:
//
//	registrar: org acme ada              the organisation acme, with the administrator ada
//	ada: enrol bob signer                bob's key signs for acme
//	bob: register X-1 as T1              names the statement's identity T1
//	bob: protocol T1 2.0 previous=P1     options follow the members that the kind needs
//	bob: protocol T1 2.1 previous=P1 ! R10        is refused, and changes nothing
//	close                                a state entry
//	bob: document T1 / org=beta ! R13    as the line before the slash says, then altered in the log
//	clock 5m                             the log's clock goes on
//
// Options of every statement: as NAME, files=N, subject=NAME, log=ORIGIN, contents=TEXT of the
// files, meaning=M, signed=DURATION after the log's clock, forged=PERSON who signs in the
// other's name, for=ORG. A name stands for an identity wherever it has been given to one;
// another name stands for its own digest.
//
// A line `T1 has M4 M15` lists all the marks that the history of T1 bears by then; `T1 has
// nothing` says that it bears none.
//
// Alterations: of a statement's entry org, role, enrolled and time; of a state entry size,
// rules, root and time; genesis puts another one there. Times are durations.

// A scenario is the state while one file is read.
type scenario struct {
	t      *testing.T
	log    *trialtest.Log
	now    trial.Time
	names  map[string]trial.Hash
	orgs   map[string]string // of a person
	sealed map[string][]byte // payloads, by name
	about  map[trial.RecordKey][]trial.Located
	number int
}

func TestScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &scenario{t: t, log: trialtest.NewLog(t), now: trialtest.Start, names: map[string]trial.Hash{},
				orgs:   map[string]string{"registrar": "registrar"},
				sealed: map[string][]byte{}, about: map[trial.RecordKey][]trial.Located{}}
			for i, line := range strings.Split(string(text), "\n") {
				if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) == "" {
					continue
				}
				s.number = i + 1
				s.line(strings.TrimSpace(line))
			}
			s.log.Close()
			replay(t, s.log)
		})
	}
}

func (s *scenario) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("line %d: "+format, append([]any{s.number}, args...)...)
}

func (s *scenario) line(line string) {
	line, rule, _ := strings.Cut(line, " ! ")
	line, edits, tampered := strings.Cut(line, " / ")
	words := strings.Fields(line)
	switch {
	case len(words) > 2 && words[1] == "has":
		s.has(words[0], words[2:])
		return
	case len(words) == 3 && words[1] == "counts": // entries of a record, such as org:acme or trial:T1
		key := trial.RecordKey{}
		if key.Kind, key.ID, _ = strings.Cut(words[0], ":"); slices.Contains([]string{"trial", "consent", "request", "unit"}, key.Kind) {
			key.ID = s.id(key.ID).String()
		}
		if n := s.log.State.Record(key).EntryTree().Count; fmt.Sprint(n) != words[2] {
			s.fatalf("%s has %d entries, not %s", words[0], n, words[2])
		}
		return
	case words[0] == "clock":
		s.now += s.duration(words[1])
		return
	case words[0] == "close" && !tampered:
		raw, err := s.log.State.Close(s.now)
		if err != nil {
			s.fatalf("%v", err)
		}
		s.log.State.Commit()
		s.log.Append(raw)
		return
	}
	before := fingerprint(s.t, s.log.State)
	var err error
	if tampered {
		err = s.tamper(words, edits)
	} else {
		err = s.statement(words)
	}
	if got := trial.RuleOf(err); got != trial.Rule(rule) {
		s.fatalf("%s: want %q, got %v", line, rule, err)
	}
	if err != nil && fingerprint(s.t, s.log.State) != before {
		s.fatalf("%s: refused, and the state changed", line)
	}
}

// statement builds what a line says and hands it to Admit.
func (s *scenario) statement(words []string) error {
	signed, err := s.signed(words)
	if err != nil {
		return err
	}
	raw, about, err := s.log.State.Admit(signed, s.now)
	if err != nil {
		return err
	}
	if len(about) == 0 && words[1] != "org" {
		s.fatalf("admitted, and about nothing")
	}
	e, err := trial.ParseEntry(raw)
	if err != nil {
		s.fatalf("%v", err)
	}
	for _, key := range about {
		s.about[key] = append(s.about[key], trial.Located{Index: s.log.Size(), Entry: e})
	}
	s.log.Append(raw)
	return nil
}

// has compares the marks of a trial's history with those listed.
func (s *scenario) has(name string, want []string) {
	s.t.Helper()
	id := s.id(name)
	var got []string
	read := func(entries []trial.Located) *timeline.Timeline { return timeline.New(id, entries) }
	entries := s.about[trial.RecordKey{Kind: "trial", ID: id.String()}]
	for _, kind := range []string{"consent", "unit"} {
		if of := s.about[trial.RecordKey{Kind: kind, ID: id.String()}]; of != nil {
			entries, read = of, timeline.OfRecord
		}
	}
	for _, m := range read(entries).Marks() {
		word := string(m.ID)
		if m.Struck {
			word += "~"
		}
		if got = append(got, word); m.Text == "" || timeline.MarkText(m.ID) == "" {
			s.fatalf("mark %s has no text", m.ID)
		}
	}
	if want[0] == "nothing" {
		want = nil
	}
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		s.fatalf("%s has the marks %v, not %v", name, got, want)
	}
	// A longer history keeps every mark.
	var before []timeline.Mark
	for n := range len(entries) + 1 {
		now := read(entries[:n]).Marks()
		for _, m := range before {
			if !slices.ContainsFunc(now, func(x timeline.Mark) bool { return x.ID == m.ID && x.Index == m.Index && x.Cause == m.Cause }) {
				s.fatalf("entry %d takes the mark %+v away", entries[n-1].Index, m)
			}
		}
		before = now
	}
}

// tamper makes the entry that a line says on a copy of the log, alters it, and replays it
// there. If the copy refuses it, the copy must not have changed.
func (s *scenario) tamper(words []string, edits string) error {
	s.t.Helper()
	copied := s.copy()
	before := fingerprint(s.t, copied)
	var raw []byte
	var err error
	scratch := s.copy()
	if words[0] == "close" {
		raw, err = scratch.Close(s.now)
	} else {
		var signed *trial.Signed
		if signed, err = s.signed(words); err == nil {
			raw, _, err = scratch.Admit(signed, s.now)
		}
	}
	if err != nil {
		s.fatalf("before it is altered: %v", err)
	}
	good := raw
	for _, edit := range strings.Fields(edits) {
		name, value, _ := strings.Cut(edit, "=")
		raw = s.edit(raw, name, value)
	}
	err = apply(copied, raw)
	if err == nil {
		return nil
	}
	if fingerprint(s.t, copied) != before {
		s.fatalf("the altered entry was refused, and the state changed")
	}
	if err := apply(copied, good); err != nil {
		s.fatalf("the entry is refused as it was, too: %v", err)
	}
	return err
}

func apply(state *trial.State, raw []byte) error {
	e, err := trial.ParseEntry(raw)
	if err != nil {
		return err
	}
	if err := e.Verify(); err != nil {
		return err
	}
	return state.Apply(e)
}

// edit alters one member of an entry; the rest stays byte for byte.
func (s *scenario) edit(raw []byte, name, value string) []byte {
	s.t.Helper()
	var e struct {
		Signer struct {
			Enrolled  uint64
			Org, Role string
		}
		Map         struct{ Root string }
		Rules, Size uint64
		Time        trial.Time
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		s.t.Fatal(err)
	}
	var old, now string
	switch name {
	case "org":
		old, now = `"org":"`+e.Signer.Org+`","role"`, `"org":"`+value+`","role"`
	case "role":
		old, now = `"role":"`+e.Signer.Role+`"},"time"`, `"role":"`+value+`"},"time"`
	case "enrolled":
		old, now = fmt.Sprintf(`"enrolled":%d,`, e.Signer.Enrolled), `"enrolled":`+value+`,`
	case "time":
		old, now = `"time":"`+trialtest.InJSON(e.Time), `"time":"`+trialtest.InJSON(e.Time+s.duration(value))
	case "size":
		old, now = fmt.Sprintf(`"size":%d,`, e.Size), `"size":`+value+`,`
	case "rules":
		old, now = fmt.Sprintf(`"rules":%d,`, e.Rules), `"rules":`+value+`,`
	case "root":
		old, now = e.Map.Root, strings.Repeat("0", 63)+"1"
	case "genesis":
		g, err := trialtest.Genesis().Marshal()
		if err != nil {
			s.t.Fatal(err)
		}
		return g
	}
	if bytes.Count(raw, []byte(old)) != 1 || old == now {
		s.fatalf("cannot alter %s from %q to %q in %s", name, old, now, raw)
	}
	return bytes.Replace(raw, []byte(old), []byte(now), 1)
}

// copy replays the log so far.
func (s *scenario) copy() *trial.State {
	s.t.Helper()
	c := new(trial.State)
	for i, raw := range s.log.Leaves {
		if err := apply(c, raw); err != nil {
			s.fatalf("entry %d does not replay: %v", i, err)
		}
	}
	return c
}

func (s *scenario) duration(text string) trial.Time {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.fatalf("%v", err)
	}
	return trial.Time(d.Milliseconds())
}

// fingerprint returns everything that can be seen of a state.
func fingerprint(t testing.TB, s *trial.State) string {
	t.Helper()
	var lines []string
	for _, r := range s.Records() {
		data, err := trial.MarshalRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r.RecordKey().Kind+" "+string(data))
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d %s %s %v\n%s", s.Size(), s.Time(), s.MapRoot(), s.Genesis(), strings.Join(lines, "\n"))
}

// replay checks that the log's entries lead to its state. It also checks that stopping after
// any state entry, keeping a snapshot and going on from there leads to the same state at every
// later one.
func replay(t testing.TB, l *trialtest.Log) {
	t.Helper()
	s, resumed := new(trial.State), new(trial.State)
	var genesis *trial.Genesis
	for i, raw := range l.Leaves {
		e, err := trial.ParseEntry(raw)
		if err == nil {
			if err = e.Verify(); err == nil {
				err = cmp.Or(s.Apply(e), resumed.Apply(e))
			}
		}
		if err != nil {
			t.Fatalf("entry %d does not replay: %v", i, err)
		}
		if e.Genesis != nil {
			genesis = e.Genesis
		}
		if s.Size() != uint64(i)+1 || s.Time() != e.Time {
			t.Fatalf("entry %d: size %d, time %s", i, s.Size(), s.Time())
		}
		if e.State == nil {
			continue
		}
		s.Commit()
		whole := fingerprint(t, s)
		if a := fingerprint(t, resumed); a != whole {
			t.Fatalf("resumed at the state entry before %d, it leads to\n%s\nnot\n%s", i, a, whole)
		}
		if resumed, err = trial.Load(genesis, e.State, resumed.Records()); err != nil {
			t.Fatalf("the snapshot at %d does not load: %v", i, err)
		}
		if a := fingerprint(t, resumed); a != whole {
			t.Fatalf("the snapshot at %d loads as\n%s\nnot\n%s", i, a, whole)
		}
	}
	if a, b := fingerprint(t, s), fingerprint(t, l.State); a != b {
		t.Fatalf("the replay leads to\n%s\nthe log to\n%s", a, b)
	}
}
