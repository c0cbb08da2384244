package trial_test

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
			s := &scenario{t: t, log: trialtest.NewLog(t), now: trialtest.Start, names: map[string]trial.Hash{}, orgs: map[string]string{"registrar": "registrar"},
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
		if key.Kind, key.ID, _ = strings.Cut(words[0], ":"); key.Kind == "trial" {
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
	entries := s.about[trial.RecordKey{Kind: "trial", ID: id.String()}]
	for _, m := range timeline.New(id, entries).Marks() {
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
		now := timeline.New(id, entries[:n]).Marks()
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

func (s *scenario) id(name string) trial.Hash {
	if id, ok := s.names[name]; ok || name == "" {
		return id
	}
	return sha256.Sum256([]byte(name))
}

// signed builds, signs and checks what a line says.
func (s *scenario) signed(words []string) (*trial.Signed, error) {
	s.t.Helper()
	payload, err := s.payload(words)
	if err != nil {
		return nil, err
	}
	if n := len(words); words[n-2] == "as" {
		s.names[words[n-1]] = trial.StatementID(payload)
	}
	who := strings.TrimSuffix(words[0], ":")
	forger := who
	for _, w := range words {
		if name, ok := strings.CutPrefix(w, "forged="); ok {
			forger = name
		}
	}
	envelope, err := trial.Sign(payload, trialtest.Key(forger))
	if err != nil {
		s.t.Fatal(err)
	}
	ids := [2]string{trialtest.Public(forger).ID().String(), trialtest.Public(who).ID().String()}
	envelope = bytes.ReplaceAll(envelope, []byte(ids[0]), []byte(ids[1]))
	return trial.Check(envelope, trialtest.Public(who).SPKI())
}

// logKey returns the verifier key of a name for the log, and its proof by another.
func logKey(name, by string) (vkey, proof string) {
	public := func(name string) ed25519.PublicKey {
		return trialtest.Key("logkey " + name).Public().(ed25519.PublicKey)
	}
	data := append([]byte{1}, public(name)...)
	id := sha256.Sum256(append([]byte(trialtest.Origin+"\n"), data...))
	vkey = fmt.Sprintf("%s+%x+%s", trialtest.Origin, id[:4], base64.StdEncoding.EncodeToString(data))
	sig, err := trialtest.Key("logkey "+by).Sign(nil, trial.LogKeyMessage(trialtest.Origin, vkey), crypto.Hash(0))
	if err != nil {
		panic(err)
	}
	return vkey, base64.StdEncoding.EncodeToString(sig)
}

// payload builds what a line says.
func (s *scenario) payload(words []string) ([]byte, error) {
	s.t.Helper()
	who := strings.TrimSuffix(words[0], ":")
	verb, args := words[1], words[2:]
	if n := len(args); n > 1 && args[n-2] == "as" {
		args = args[:n-2]
	}
	option := map[string]string{"files": "1", "signed": "0s", "log": trialtest.Origin, "meaning": "author", "for": s.orgs[who], "scope": "global"}
	var plain []string
	for _, a := range args {
		if k, v, ok := strings.Cut(a, "="); ok {
			option[k] = v
		} else {
			plain = append(plain, a)
		}
	}
	arg := func(i int) string {
		if i < len(plain) {
			return plain[i]
		}
		return ""
	}
	list := func(text string) []string {
		if text == "" {
			return nil
		}
		return strings.Split(text, ",")
	}
	limits := func() *trial.KeyLimits {
		l := &trial.KeyLimits{Kinds: list(option["kinds"]), Until: option["until"]}
		for _, name := range list(option["trials"]) {
			l.Trials = append(l.Trials, s.id(name))
		}
		if len(l.Kinds)+len(l.Trials) == 0 && l.Until == "" && option["limits"] == "" {
			return nil
		}
		return l
	}
	c := trial.Common{Log: option["log"], Meaning: option["meaning"], SignedAt: s.now + s.duration(option["signed"])}
	org := option["for"]
	var p trial.Predicate
	var subjects []trial.Subject
	switch verb {
	case "org":
		o := &trial.Org{Common: c, ID: arg(0), Name: "The organisation " + arg(0)}
		for _, a := range plain[1:] {
			o.Administrators = append(o.Administrators, trialtest.Enrolment(o.ID, a))
			if s.orgs[a] == "" {
				s.orgs[a] = o.ID
			}
		}
		p, subjects = o, trial.OrgSubjects(o)
	case "enrol":
		e := trialtest.Enrolment(org, arg(0))
		if by, ok := option["proof"]; ok { // the proof of another key
			e.Proof = trialtest.Enrolment(org, by).Proof
		}
		p, subjects = &trial.Key{Common: c, Action: "enrol", Enrol: &e, Org: org, Role: arg(1), Limits: limits()}, trial.NamedSubject("key", e.Key.ID())
		if s.orgs[arg(0)] == "" {
			s.orgs[arg(0)] = org
		}
	case "limit":
		id := trialtest.Public(arg(0)).ID()
		p, subjects = &trial.Key{Common: c, Action: "limit", Org: org, Limit: id, Limits: limits()}, trial.NamedSubject("key", id)
	case "revoke":
		id := trialtest.Public(arg(0)).ID()
		p, subjects = &trial.Key{Common: c, Action: "revoke", Org: org, Revoke: id}, trial.NamedSubject("key", id)
	case "register":
		p, subjects = &trial.Registration{Common: c, Number: arg(0), Masked: option["masked"] != "", Org: org}, trial.NumberSubject(arg(0))
	case "identify":
		p, subjects = &trial.Identifier{Common: c, Trial: s.id(arg(0)), Identifier: arg(1)}, trial.NamedSubject("trial", s.id(arg(0)))
	case "protocol":
		p = &trial.Protocol{Common: c, Trial: s.id(arg(0)), Version: arg(1), Scope: option["scope"], Previous: s.id(option["previous"]), Base: s.id(option["base"]), Dated: option["dated"]}
	case "sap":
		p = &trial.SAP{Common: c, Trial: s.id(arg(0)), Version: arg(1), Analysis: arg(2), Dated: option["dated"]}
	case "milestone":
		p, subjects = &trial.Milestone{Common: c, Trial: s.id(arg(0)), Event: arg(1), Date: arg(2), Analysis: option["analysis"], Country: option["country"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "results":
		p = &trial.Results{Common: c, Trial: s.id(arg(0)), Analysis: arg(1), Updates: s.id(option["updates"]), Dated: option["dated"]}
	case "document":
		p = &trial.Document{Common: c, Trial: s.id(arg(0)), Version: arg(1), Dated: option["dated"]}
	case "observe":
		p, subjects = &trial.Observation{Common: c, Identifier: arg(0), SeenAt: "2026-03-01", Source: "registry"}, trialtest.Documents("observation", "x")
	case "unobserve":
		p, subjects = &trial.Observation{Common: c, Identifier: arg(0), Withdraw: s.id(arg(1)), Reason: cmp.Or(option["reason"], "wrong-document")}, trial.NamedSubject("observation", s.id(arg(1)))
	case "cosign":
		p, subjects = &trial.CoSignature{Common: c, Trial: s.id(arg(0)), Statement: s.id(arg(1))}, trial.NamedSubject("statement", s.id(arg(1)))
	case "delegate":
		p, subjects = &trial.Delegation{Common: c, Trial: s.id(arg(0)), To: arg(1), Kinds: list(arg(2)), Scope: option["in"], End: option["end"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "withdraw":
		p, subjects = &trial.Delegation{Common: c, Trial: s.id(arg(0)), Withdraw: s.id(arg(1)), End: option["end"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "offer", "accept", "retract", "order":
		action := map[string]string{"retract": "withdraw"}[verb]
		p, subjects = &trial.Transfer{Common: c, Action: cmp.Or(action, verb), Trial: s.id(arg(0)), To: arg(1), Offer: s.id(arg(2)), Ground: option["ground"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "rule":
		p, subjects = &trial.Ruling{Common: c, Trial: s.id(arg(0)), Identifier: arg(1), Ground: option["ground"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "correct":
		p, subjects = &trial.Correction{Common: c, Trial: s.id(arg(0)), Statement: s.id(arg(1)), Of: arg(2), Field: arg(3), Old: option["old"], New: option["new"], Reason: cmp.Or(option["reason"], "clerical")}, trial.NamedSubject("trial", s.id(arg(0)))
	case "void":
		p, subjects = &trial.Correction{Common: c, Trial: s.id(arg(0)), Statement: s.id(arg(1)), Of: arg(2), Void: arg(3), Reason: option["reason"]}, trial.NamedSubject("trial", s.id(arg(0)))
	case "seal":
		payload, err := s.payload(append([]string{words[0]}, words[4:]...))
		if err != nil {
			return nil, err
		}
		s.sealed[arg(0)], s.names[arg(0)] = payload, trial.StatementID(payload)
		commitment := trial.CommitStatement(sha256.Sum256([]byte(arg(0))), trial.StatementID(payload))
		p, subjects = &trial.Seal{Common: trial.Common{Log: trialtest.Origin, Meaning: "author", SignedAt: s.now}, Commitment: commitment, Org: org}, trial.NamedSubject("sealed", commitment)
	case "unseal":
		commitment := trial.CommitStatement(sha256.Sum256([]byte(arg(0))), trial.StatementID(s.sealed[arg(0)]))
		at := trial.SealRef{Index: 7, Time: s.now}
		if rec, ok := s.log.State.Record(trial.RecordKey{Kind: "seal", ID: commitment.String()}).(*trial.SealRecord); ok {
			at = trial.SealRef{Index: rec.Index, Time: rec.Time - s.duration(cmp.Or(option["earlier"], "0s"))}
		}
		u, inner, err := trial.NewUnseal(c, s.sealed[arg(0)], sha256.Sum256([]byte(cmp.Or(option["salt"], arg(0)))), at)
		if err != nil {
			return nil, err
		}
		p, subjects = u, inner
	case "logkey":
		vkey, proof := logKey(arg(1), cmp.Or(option["proof"], arg(1)))
		if arg(0) != "add" && option["proof"] == "" {
			proof = ""
		}
		p, subjects = &trial.LogKey{Common: c, Action: arg(0), VKey: vkey, Proof: proof}, trial.NamedSubject("logkey", sha256.Sum256([]byte(vkey)))
	case "policy":
		p, subjects = &trial.Policy{Common: c, Policy: base64.StdEncoding.EncodeToString([]byte(arg(0))), Previous: s.id(option["previous"])}, trial.NamedSubject("policy", sha256.Sum256([]byte(arg(0))))
	case "rules":
		set, err := strconv.Atoi(arg(0))
		if err != nil {
			s.fatalf("%v", err)
		}
		ahead, err := strconv.Atoi(option["ahead"])
		if err != nil {
			s.fatalf("%v", err)
		}
		p, subjects = &trial.Rules{Common: c, Set: set, From: s.log.State.Size() + uint64(ahead)}, trial.NamedSubject("rules", sha256.Sum256([]byte(arg(0))))
	default:
		s.fatalf("no verb %q", verb)
	}
	if subjects == nil {
		n, err := strconv.Atoi(option["files"])
		if err != nil {
			s.fatalf("%v", err)
		}
		contents := make([]string, n)
		for i := range contents {
			contents[i] = fmt.Sprint(s.number, i)
			if c, ok := option["contents"]; ok {
				contents[i] = c
			}
		}
		subjects = trialtest.Documents(p.Kind(), contents...)
	}
	if name, ok := option["subject"]; ok {
		subjects[0].Name = name
	}
	return (&trial.Statement{Subjects: subjects, Predicate: p}).Marshal()
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

// TestEveryRuleHasAScenario reads the rules in refusal.go. For each there must be a scenario
// that is refused by it, beside a line with the same verb that is not refused.
func TestEveryRuleHasAScenario(t *testing.T) {
	refused, admitted := map[string]string{}, map[string]bool{}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			line, _, _ = strings.Cut(line, "#")
			what, rule, isRefused := strings.Cut(strings.TrimSpace(line), " ! ")
			_, verb, _ := strings.Cut(what, ": ")
			verb, _, _ = strings.Cut(verb, " ")
			if isRefused {
				refused[rule+" "+file+" "+verb] = rule
			} else {
				admitted[file+" "+verb] = true
			}
		}
	}
	for key, rule := range refused {
		if !admitted[strings.TrimPrefix(key, rule+" ")] {
			t.Errorf("%s: the file admits nothing with the verb that it refuses", key)
		}
	}
	tested := slices.Collect(maps.Values(refused))
	f, err := parser.ParseFile(token.NewFileSet(), "refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		n++
		rule, _ := strconv.Unquote(lit.Value)
		if !slices.Contains(tested, rule) {
			t.Errorf("%s (%s) is in no scenario", spec.Names[0].Name, rule)
		}
		if trial.RuleText(trial.Rule(rule)) == "" {
			t.Errorf("%s has no text", rule)
		}
		return true
	})
	if n < 16 {
		t.Fatalf("only %d rules found in refusal.go", n)
	}
}

// marked says which statement brings about a mark: of two scenarios with such a statement, one
// sets the mark and one does not.
var marked = map[trial.MarkID]string{
	timeline.MarkLateRegistration: "register", timeline.MarkLateProtocol: "protocol", timeline.MarkAmendment: "protocol",
	timeline.MarkLateSAP: "sap", timeline.MarkUnblindedSAP: "sap", timeline.MarkNoSAP: "results", timeline.MarkNoLock: "results",
	trial.MarkLateEvent: "milestone", timeline.MarkOtherDate: "milestone", timeline.MarkOrder: "milestone", timeline.MarkBranch: "results",
	timeline.MarkRepeated: "document", timeline.MarkCorrected: "correct", timeline.MarkVoid: "void", timeline.MarkAfterTheFact: "document",
	timeline.MarkDisputed: "identify", trial.MarkUnlocked: "milestone", timeline.MarkDelayed: "document", timeline.MarkUnfounded: "cosign",
	trial.MarkUnsealed: "seal", trial.MarkFuture: "milestone", timeline.MarkAfterEnd: "sap", timeline.MarkDelegated: "document",
	trial.MarkOrdered: "accept", timeline.MarkEmptiedDate: "void",
}

// TestEveryMarkHasAScenario: each mark is set for one trial and not for another one, about
// which the statement that could have set it is logged too.
func TestEveryMarkHasAScenario(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	set, unset := map[trial.MarkID]bool{}, map[trial.MarkID]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{} // "VERB TRIAL", admitted so far
		for _, line := range strings.Split(string(text), "\n") {
			line, _, _ = strings.Cut(line, "#")
			name, list, ok := strings.Cut(line, " has ")
			if !ok {
				words := strings.Fields(line)
				switch {
				case strings.Contains(line, " ! ") || strings.Contains(line, " / ") || len(words) < 3:
				case words[1] == "register" && words[len(words)-2] == "as":
					told["register "+words[len(words)-1]] = true
				case words[1] == "seal":
					told["seal "+words[5]] = true
				default:
					told[words[1]+" "+words[2]] = true
				}
				continue
			}
			for _, id := range timeline.MarkIDs() {
				if slices.Contains(strings.Fields(list), string(id)) {
					set[id] = true
				} else if told[marked[id]+" "+name] {
					unset[id] = true
				}
			}
		}
	}
	for _, id := range timeline.MarkIDs() {
		if id == timeline.MarkVoid { // every void that is admitted sets it
			unset[id] = true
		}
		if !set[id] || !unset[id] {
			t.Errorf("%s (%s): set in a scenario %v, not set in another with the statement %q %v", id, timeline.MarkText(id), set[id], marked[id], unset[id])
		}
	}
	if len(timeline.MarkIDs()) < 25 {
		t.Fatalf("only %d marks", len(timeline.MarkIDs()))
	}
}
