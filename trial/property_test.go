package trial_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/smap"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestAnyHistory makes random histories, with statements that are admitted or refused, and
// trees that are closed or dropped. In every history a refusal changes nothing, dropping a tree
// restores everything, the map root follows from the records alone, and the entries replay to
// the same state.
func TestAnyHistory(t *testing.T) {
	var told [2]int
	rapid.Check(t, func(rt *rapid.T) {
		l := trialtest.NewLog(t)
		for _, o := range [][2]string{{"acme", "ada"}, {"beta", "eve"}} {
			p, s := trialtest.Org(o[0], o[0], o[1])
			l.Admit("registrar", p, s)
		}
		l.Close()
		committed, size := fingerprint(t, l.State), l.Size()
		var trials, ids []trial.Hash
		admitted, refused := 0, 0
		steps := rapid.IntRange(1, 40).Draw(rt, "steps")
		for n := range steps {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 9:
				l.Close()
				if got, want := l.State.MapRoot(), mapRoot(t, l.State); got != want {
					rt.Fatalf("map root %s, the records have %s", got, want)
				}
				committed, size = fingerprint(t, l.State), l.Size()
			case 8:
				l.State.Rollback()
				l.Truncate(size)
				if got := fingerprint(t, l.State); got != committed {
					rt.Fatalf("Rollback leads to\n%s\nnot\n%s", got, committed)
				}
			default:
				who, p, subjects := anyStatement(rt, l.State, n, trials, ids)
				signed := trialtest.Check(t, who, p, subjects)
				before := fingerprint(t, l.State)
				raw, about, err := l.State.Admit(signed, l.State.Time()+trial.Time(rapid.IntRange(0, 2).Draw(rt, "ms")))
				if err != nil {
					if trial.RuleOf(err) == "" {
						rt.Fatalf("no refusal: %v", err)
					}
					if got := fingerprint(t, l.State); got != before {
						rt.Fatalf("refused with %v, and the state changed", err)
					}
					refused++
					continue
				}
				admitted++
				l.Append(raw)
				for _, key := range about {
					if r := l.State.Record(key); r == nil || r.EntryTree().Count == 0 {
						rt.Fatalf("%v is not in the state that it is about", key)
					}
				}
				ids = append(ids, signed.ID)
				if p.Kind() == "registration" {
					trials = append(trials, signed.ID)
				}
			}
		}
		l.Close()
		replay(t, l)
		told[0] += admitted
		told[1] += refused
	})
	least := 200
	if testing.Short() { // a fifth of the histories
		least = 20
	}
	if told[0] < least || told[1] < least {
		t.Errorf("%d statements were admitted and %d refused: the histories tell too little", told[0], told[1])
	}
}

// mapRoot computes the root from the records as docs/spec.md says.
func mapRoot(t testing.TB, s *trial.State) trial.Hash {
	var m smap.Map
	for _, r := range s.Records() {
		data, err := trial.MarshalRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		k := r.RecordKey()
		m = m.Set(sha256.Sum256([]byte("trialproof/map/v1\n"+k.Kind+"\n"+k.ID)), sha256.Sum256(data))
	}
	return m.Root()
}

// anyStatement draws a statement that is entitled about half the time.
func anyStatement(t *rapid.T, s *trial.State, n int, trials, ids []trial.Hash) (string, trial.Predicate, []trial.Subject) {
	people := []string{"ada", "ada", "eve", "eve", "p256-bob", "fay", "registrar"}
	orgs := []string{"acme", "beta"}
	who := rapid.SampledFrom(people).Draw(t, "who")
	org := rapid.SampledFrom(orgs).Draw(t, "org")
	other := rapid.SampledFrom(people).Draw(t, "other")
	id := trial.Hash{1}
	if len(trials) > 0 && rapid.IntRange(0, 9).Draw(t, "known") > 0 {
		id = rapid.SampledFrom(trials).Draw(t, "id")
	}
	link := trial.Hash{}
	if len(ids) > 0 && rapid.Bool().Draw(t, "linked") {
		link = rapid.SampledFrom(ids[max(0, len(ids)-3):]).Draw(t, "link")
	}
	c := trialtest.Common()
	c.SignedAt += trial.Time(n)
	switch kind := rapid.IntRange(0, 29).Draw(t, "kind"); kind {
	case 20, 21, 22, 23, 24, 25, 26, 27, 28, 29:
		return anyAccess(t, kind-20, who, c, org, link)
	case 18, 19:
		o := &trial.Observation{Common: c, Identifier: fmt.Sprintf("nct:NCT0000000%d", 1+n%2), SeenAt: "2026-03-01", Source: "registry"}
		if !link.IsZero() {
			o = &trial.Observation{Common: c, Identifier: o.Identifier, Reason: "wrong-document", Withdraw: link}
			return who, o, trial.NamedSubject("observation", link)
		}
		return who, o, trialtest.Documents("observation", fmt.Sprint(n))
	case 11:
		d := &trial.Delegation{Common: c, Trial: id, To: org, Kinds: []string{"document", "protocol"}}
		if !link.IsZero() {
			d = &trial.Delegation{Common: c, Trial: id, Withdraw: link}
		}
		return who, d, trial.NamedSubject("trial", id)
	case 12:
		action := rapid.SampledFrom([]string{"offer", "accept", "withdraw", "order"}).Draw(t, "action")
		p := &trial.Transfer{Common: c, Action: action, Trial: id, To: org}
		switch action {
		case "order":
			p.Ground = "merger"
		case "accept", "withdraw":
			p.Offer = trial.Hash{2}
			if !link.IsZero() {
				p.Offer = link
			}
		}
		return who, p, trial.NamedSubject("trial", id)
	case 13:
		p := &trial.Ruling{Common: c, Trial: id, Identifier: fmt.Sprintf("nct:NCT0000000%d", 1+n%4), Ground: "agreement"}
		return "registrar", p, trial.NamedSubject("trial", id)
	case 14, 15:
		of := rapid.SampledFrom([]string{"protocol", "results", "identifier", "document"}).Draw(t, "of")
		p := &trial.Correction{Common: c, Trial: id, Statement: link, Of: of, Void: "duplicate"}
		return who, p, trial.NamedSubject("trial", id)
	case 16:
		inner, err := (&trial.Statement{Predicate: &trial.Document{Common: trialtest.Common(), Trial: id},
			Subjects: trialtest.Documents("document", fmt.Sprint(n/4))}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		commitment := trial.CommitStatement(trial.Salt{1}, trial.StatementID(inner))
		if n%2 == 0 {
			return who, &trial.Seal{Common: c, Commitment: commitment, Org: org}, trial.NamedSubject("sealed", commitment)
		}
		at := trial.SealRef{Index: 3, Time: trialtest.Start}
		if r, ok := s.Record(trial.RecordKey{Kind: "seal", ID: commitment.String()}).(*trial.SealRecord); ok {
			at = trial.SealRef{Index: r.Index, Time: r.Time}
		}
		u, subjects, err := trial.NewUnseal(c, inner, trial.Salt{1}, at)
		if err != nil {
			t.Fatal(err)
		}
		return who, u, subjects
	case 17:
		key := trialtest.Public(other).ID()
		p := &trial.Key{Common: c, Action: "limit", Org: org, Limit: key, Limits: &trial.KeyLimits{Kinds: []string{"document"}}}
		return who, p, trial.NamedSubject("key", key)
	case 10:
		p, s := trialtest.Org(org, "Acme & Söhne", other)
		return "registrar", p, s
	case 6:
		p, s := trialtest.Enrol(org, other, rapid.SampledFrom([]string{"signer", "administrator"}).Draw(t, "role"))
		return who, p, s
	case 7:
		key := trialtest.Public(other).ID()
		return who, &trial.Key{Common: c, Action: "revoke", Org: org, Revoke: key}, trial.NamedSubject("key", key)
	case 0, 1:
		number := fmt.Sprintf("X-%d", rapid.IntRange(0, 30).Draw(t, "number"))
		if own := map[string]string{"ada": "acme", "eve": "beta"}[who]; own != "" {
			org = own
		}
		return who, &trial.Registration{Common: c, Number: number, Masked: n%2 == 0, Org: org}, trial.NumberSubject(number)
	case 4:
		number := fmt.Sprintf("nct:NCT0000000%d", rapid.IntRange(1, 4).Draw(t, "number"))
		return who, &trial.Identifier{Common: c, Trial: id, Identifier: number}, trial.NamedSubject("trial", id)
	case 2, 5:
		p := &trial.Protocol{Common: c, Trial: id, Scope: trial.ScopeGlobal, Version: fmt.Sprint(n), Previous: link}
		if rapid.IntRange(0, 3).Draw(t, "scope") == 0 {
			p.Scope, p.Base, p.Previous = "DE", id, link
		}
		return who, p, trialtest.Documents("protocol", fmt.Sprint(n))
	case 3:
		return who, &trial.Results{Common: c, Trial: id, Analysis: "primary", Updates: link}, trialtest.Documents("results", fmt.Sprint(n))
	}
	return who, &trial.Document{Common: c, Trial: id}, trialtest.Documents("document", fmt.Sprint(n), "b")
}

// anyAccess draws a statement about consents and releases.
func anyAccess(t *rapid.T, sort int, who string, c trial.Common, org string, link trial.Hash) (string, trial.Predicate, []trial.Subject) {
	own := map[string]string{"ada": "acme", "eve": "beta"}[who]
	if own == "" || rapid.IntRange(0, 4).Draw(t, "foreign") == 0 {
		own = org
	}
	key := trialtest.Recipient(rapid.SampledFrom([]string{"k1", "k2"}).Draw(t, "recipient"))
	code := consentCode(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "code"))
	if link.IsZero() {
		link = trial.Hash{1}
	}
	switch sort {
	case 0:
		r := &trial.Recipient{Common: c, Action: "add", Org: own, Recipient: key}
		return who, r, trial.NamedSubject("recipient", r.ID())
	case 1:
		r := &trial.Recipient{Common: c, Action: "retire", Org: own, Retire: trial.RecipientID(own, key)}
		return who, r, trial.NamedSubject("recipient", r.ID())
	case 2, 3:
		p := &trial.Consent{Common: c, Action: "grant", Agents: []string{"acme", "beta"}[rapid.IntRange(0, 1).Draw(t, "agents"):],
			Elements: trial.Hash{1}, Lock: trial.ConsentLock(code), Org: own, To: org}
		return who, p, salted(trialtest.Documents("consent", "a"))
	case 4:
		p := &trial.Consent{Common: c, Action: "end", Consent: link, Code: code, Erase: rapid.Bool().Draw(t, "erase")}
		return who, p, trial.NamedSubject("consent", link)
	case 5:
		return who, &trial.Erasure{Common: c, Ground: "asked", Of: link, Org: own, What: []string{"key"}}, trial.NamedSubject("consent", link)
	case 6:
		p := &trial.Access{Common: c, Action: "request", Of: org, Org: own, Use: []string{"DUO:0000006"}}
		return who, p, salted(trialtest.Documents("request", "a"))
	case 7:
		p := &trial.Access{Common: c, Action: "decide", Request: link, Decision: rapid.SampledFrom(trial.Decisions).Draw(t, "decision")}
		return who, p, trial.NamedSubject("request", link)
	}
	p := &trial.Access{Common: c, Action: "release", Recipient: trial.RecipientID(org, key),
		Consents: []trial.Released{{Consent: link, Package: trial.Hash{1}}}}
	return who, p, trial.NamedSubject("release", trial.ReleaseDigest(p.Consents))
}

// TestEntriesRoot compares the compact range of a record with the definition of RFC 6962, for
// every count up to 100.
func TestEntriesRoot(t *testing.T) {
	var e trial.Entries
	var leaves []trial.Hash
	for n := range 100 {
		if got, want := e.Root(), naiveRoot(leaves); got != want {
			t.Fatalf("%d entries: root %s, want %s", n, got, want)
		}
		leaf := trial.Hash(sha256.Sum256([]byte{byte(n)}))
		kept := append([]trial.Hash(nil), e.Peaks...)
		old := e
		e.Add(uint64(3*n), leaf)
		for i := range kept {
			if old.Peaks[i] != kept[i] {
				t.Fatal("Add changed the record of an earlier size")
			}
		}
		data := append([]byte{0}, make([]byte, 8)...)
		data[8], data[7] = byte(3*n), byte(3*n>>8)
		leaves = append(leaves, sha256.Sum256(append(data, leaf[:]...)))
	}
}

func naiveRoot(leaves []trial.Hash) trial.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	l, r := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

func TestLoadRefusesOtherRecords(t *testing.T) {
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	l.Close()
	e, err := trial.ParseEntry(l.Leaves[len(l.Leaves)-1])
	if err != nil {
		t.Fatal(err)
	}
	records := l.State.Records()
	if _, err := trial.Load(l.State.Genesis(), e.State, records[1:]); err == nil {
		t.Error("a snapshot that lacks a record is loaded")
	}
	for i, r := range records {
		if org, ok := r.(*trial.OrgRecord); ok {
			other := *org
			other.Name = "Acne"
			records[i] = &other
		}
	}
	if _, err := trial.Load(l.State.Genesis(), e.State, records); err == nil {
		t.Error("a snapshot with an altered record is loaded")
	}
}

// TestAdmitTakesOnlyWhatWasChecked: Admit and Close refuse calls that break their contracts.
func TestAdmitTakesOnlyWhatWasChecked(t *testing.T) {
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	raw, _, err := l.State.Admit(trialtest.Check(t, "registrar", p, s), trialtest.Start)
	if err != nil {
		t.Fatal(err)
	}
	l.State.Rollback()
	e, err := trial.ParseEntry(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.State.Admit(e.Statement, trialtest.Start); trial.RuleOf(err) != trial.RuleSignature {
		t.Errorf("Admit of a statement that nobody verified: %v", err)
	}
	if err := l.State.Apply(e); trial.RuleOf(err) != trial.RuleSignature {
		t.Errorf("Apply of an entry that nobody verified: %v", err)
	}
	if err := e.Verify(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.State.Admit(e.Statement, trialtest.Start-1); trial.RuleOf(err) != trial.RuleTime {
		t.Errorf("Admit before the last entry: %v", err)
	}
	if _, err := l.State.Close(trialtest.Start - 1); trial.RuleOf(err) != trial.RuleTime {
		t.Errorf("Close before the last entry: %v", err)
	}
	if err := l.State.Apply(e); err != nil {
		t.Error(err)
	}
	none := new(trial.State)
	if _, err := none.Close(trialtest.Start); trial.RuleOf(err) != trial.RuleOrder {
		t.Errorf("Close before genesis: %v", err)
	}
	if _, _, err := none.Admit(e.Statement, trialtest.Start); trial.RuleOf(err) != trial.RuleOrder {
		t.Errorf("Admit before genesis: %v", err)
	}
	if err := none.Apply(e); trial.RuleOf(err) != trial.RuleOrder {
		t.Errorf("a statement as entry 0: %v", err)
	}
}

// TestChanged compares the increments of a snapshot with the records.
func TestChanged(t *testing.T) {
	l := trialtest.NewLog(t)
	snapshot := map[trial.RecordKey]trial.Record{}
	take := func() (n int) {
		for _, r := range l.State.Changed() {
			snapshot[r.RecordKey()] = r
			n++
		}
		return n
	}
	if take() != 2 {
		t.Fatal("the log's and the registrar's key are the records after genesis")
	}
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	l.State.Rollback()
	l.Truncate(2)
	l.Admit("registrar", p, s)
	l.Close()
	if n := take(); n != 3 {
		t.Fatalf("%d records changed; the registrar's, the organisation's and its key did", n)
	}
	if n := take(); n != 0 {
		t.Fatalf("%d records changed since", n)
	}
	for _, r := range l.State.Records() {
		if snapshot[r.RecordKey()] != r {
			t.Errorf("%v is not what Changed returned", r.RecordKey())
		}
	}
}

// TestProve: every record can be proven under the root of the last state entry, and so can the
// absence of a record that nobody logged.
func TestProve(t *testing.T) {
	l := trialtest.NewLog(t)
	p, s := trialtest.Org("acme", "Acme", "ada")
	l.Admit("registrar", p, s)
	l.Close()
	for _, r := range l.State.Records() {
		data, _ := trial.MarshalRecord(r)
		v, ok, err := l.State.Prove(r.RecordKey()).Verify(smap.Hash(l.State.MapRoot()), r.RecordKey().Hash())
		if err != nil || !ok || v != sha256.Sum256(data) {
			t.Errorf("%v: %x %v %v", r.RecordKey(), v, ok, err)
		}
	}
	key := trial.RecordKey{Kind: "identifier", ID: "nct:NCT00000001"}
	if _, ok, err := l.State.Prove(key).Verify(smap.Hash(l.State.MapRoot()), key.Hash()); ok || err != nil {
		t.Errorf("absence: %v %v", ok, err)
	}
}
