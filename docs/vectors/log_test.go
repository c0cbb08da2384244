package vectors

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// The keys of the log and of its witnesses. The seconds of their cosignatures are 2027-01-15
// 08:00:30, 08:00:10, 08:00:20 and 08:00:40.
var (
	logKey = trialtest.LogKey
	w1     = trialtest.W1 // replays
	w2     = trialtest.W2
	w3     = trialtest.W3 // has an ML-DSA-44 key
	w4     = trialtest.Cosigner{Key: "w4.example/replay", Alg: 0x04, Time: 1_800_000_040}
	// stranger is a witness that no policy names.
	stranger = trialtest.Cosigner{Key: "stranger.example", Alg: 0x04, Time: 1_800_000_000}
	// second is the log's key after the first, and pqKey is an ML-DSA-44 key of it.
	second = trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x01, Seed: "the second key"}
	pqKey  = trialtest.Cosigner{Key: trialtest.Origin, Alg: 0x06, Seed: "the ML-DSA key"}
	// others signs for another log.
	others = trialtest.Cosigner{Key: "other.example/trials", Alg: 0x01}
)

// What documents hold, by their file names.
var documents = map[string]string{
	"protocol.txt":              "the protocol\n",
	"altered-protocol.txt":      "the Protocol\n",
	"sap.txt":                   "the statistical analysis plan\n",
	"consent-form.txt":          "the consent form\n",
	"appendix.txt":              "the appendix\n",
	"private-appendix.txt":      "the private appendix\n",
	"results.txt":               "the results\n",
	"table-1.txt":               "table 1\n",
	"table-2.txt":               "table 2\n",
	"empty.txt":                 "",
	"Prüfplan für Ämter 試験.txt": "der Prüfplan\n",
}

// A smallLog is a log of one organisation, acme, in which Ada Lovelace signs with an Ed25519 key
// and another person with an ECDSA key.
type smallLog struct {
	*trialtest.Log
	t        *testing.T
	trial    trial.Hash
	named    map[string]uint64 // indexes of entries by what they are
	openings map[uint64][]byte
}

func newSmallLog(t *testing.T) *smallLog {
	l := &smallLog{Log: trialtest.NewLog(t), t: t, named: map[string]uint64{}, openings: map[uint64][]byte{}}
	admit := func(name, who string, p trial.Predicate, s []trial.Subject) trial.Hash {
		l.named[name] = l.Size()
		return l.Admit(who, p, s).ID
	}
	c := trialtest.Common()
	p, s := trialtest.Org("acme", "Acme", "ada")
	admit("org", "registrar", p, s)
	p, s = trialtest.Enrol("acme", "p256-bob", "signer")
	admit("key", "ada", p, s)
	p, s = trialtest.Register("X-1")
	l.trial = admit("registration", "ada", p, s)
	admit("protocol", "ada", &trial.Protocol{Common: c, Trial: l.trial, Scope: "global", Version: "1.0"},
		subjects("protocol", "protocol.txt"))
	admit("sap", "p256-bob", &trial.SAP{Common: c, Trial: l.trial, Analysis: "primary", Version: "1.0"}, subjects("sap", "sap.txt"))
	l.private(admit)
	admit("results", "ada", &trial.Results{Common: c, Trial: l.trial, Analysis: "primary", Version: "1"},
		subjects("results", "results.txt", "table-1.txt", "table-2.txt"))
	admit("twice", "ada", &trial.Document{Common: c, Trial: l.trial, Version: "twice"},
		subjects("document", "table-1.txt", "table-1.txt"))
	admit("empty", "ada", &trial.Document{Common: c, Trial: l.trial, Version: "empty"}, subjects("document", "empty.txt"))
	admit("umlauts", "ada", &trial.Document{Common: c, Trial: l.trial, Version: "größer ≥ 2.0"},
		subjects("document", "Prüfplan für Ämter 試験.txt"))
	with := &trial.Document{Common: c, Trial: l.trial, Version: "facts"}
	with.Elements = trial.Hash{1}
	with.Facts = &trial.Facts{Acronym: "EXP \"1\" & <2>", Conditions: []string{"Größe"}, Dates: []trial.FactDate{{Date: "2026-02",
		Event: "first-enrolment", Kind: "actual"}}, Enrolment: &trial.FactEnrolment{Count: 0}, Format: "usdm", Results: true,
		Outcomes: []trial.FactOutcome{{Level: "primary", Measure: "Pain \\ at rest", TimeFrame: "24 h"}}, Sex: "all"}
	admit("facts", "ada", with, subjects("document", "protocol.txt"))
	admit("number", "ada", &trial.Identifier{Common: c, Trial: l.trial, Identifier: "nct:NCT01234567"},
		trial.NamedSubject("trial", l.trial))
	l.Close()
	return l
}

// private admits a statement about two salted documents and an open one, whose signer's name is
// committed to.
func (l *smallLog) private(admit func(string, string, trial.Predicate, []trial.Subject) trial.Hash) {
	o := &trial.Openings{Name: "Ada Lovelace", NameSalt: sha256.Sum256([]byte("name salt")), Salts: map[string]trial.Salt{
		"document": sha256.Sum256([]byte("first salt")), "appendix-2": sha256.Sum256([]byte("second salt"))}}
	s := subjects("document", "consent-form.txt", "appendix.txt", "private-appendix.txt")
	for i, salt := range map[int]trial.Salt{0: o.Salts["document"], 2: o.Salts["appendix-2"]} {
		s[i].Digest = trial.Digest{Salted256: trial.Commit(salt, s[i].Digest.SHA256)}
	}
	c := trialtest.Common()
	c.PrintedName = trial.CommitName(o.NameSalt, o.Name)
	admit("private", "ada", &trial.Document{Common: c, Trial: l.trial, Version: "1.0"}, s)
	data, err := o.Marshal()
	if err != nil {
		l.t.Fatal(err)
	}
	l.openings[l.named["private"]] = data
}

// subjects returns the subjects of a statement of a kind about documents.
func subjects(kind string, names ...string) []trial.Subject {
	var contents []string
	for _, n := range names {
		text, ok := documents[n]
		if !ok {
			panic("there is no document " + n)
		}
		contents = append(contents, text)
	}
	return trialtest.Documents(kind, contents...)
}

// of returns the genuine receipt of an entry, with the cosignatures of w1 and w2 unless others
// are named.
func (l *smallLog) of(name string, cosigners ...note.Signer) *receipt.Receipt {
	index, ok := l.named[name]
	if !ok {
		l.t.Fatalf("there is no entry %s", name)
	}
	return l.at(index, cosigners...)
}

func (l *smallLog) at(index uint64, cosigners ...note.Signer) *receipt.Receipt {
	if len(cosigners) == 0 {
		cosigners = []note.Signer{w1, w2}
	}
	size := l.Size()
	return &receipt.Receipt{Entry: l.Leaves[index], Openings: l.openings[index], Index: index, Path: l.Path(index, size),
		Checkpoint: l.signed(l.Tree(size), cosigners...)}
}

// signed returns the checkpoint of a tree, signed by the log and the cosigners.
func (l *smallLog) signed(tree checkpoint.Tree, cosigners ...note.Signer) []byte {
	return trialtest.Checkpoint(l.t, tree, append([]note.Signer{logKey}, cosigners...)...)
}

// facts returns what a receipt of an entry leads to if w1 and w2 cosigned it.
func (l *smallLog) facts(name string, missing []string, subjects ...string) facts {
	index := l.named[name]
	e, err := trial.ParseEntry(l.Leaves[index])
	if err != nil {
		l.t.Fatal(err)
	}
	return facts{Index: index, Origin: trialtest.Origin, Size: l.Size(), Kind: e.Statement.Statement.Predicate.Kind(),
		ID: l.IDs[index], ProvenTime: "2027-01-15T08:00:30Z", Saw: 2, Replayed: 1,
		Subjects: append([]string{}, subjects...), Missing: append([]string{}, missing...)}
}

// with returns the log with another entry behind, whatever it is.
func (l *smallLog) with(raw []byte) *smallLog {
	more := *l
	more.Log = trialtest.NewLog(l.t)
	more.Truncate(0)
	for _, leaf := range append(slices.Clone(l.Leaves), raw) {
		more.Append(leaf)
	}
	return &more
}

// noted returns a signed note of any text.
func noted(t *testing.T, text string, signers ...note.Signer) []byte {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(signed)
}

// alter replaces the first occurrence of a text, which must be there.
func alter(t *testing.T, data []byte, old, with string) []byte {
	t.Helper()
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%q is not there", old)
	}
	return bytes.Replace(data, []byte(old), []byte(with), 1)
}

// policyText returns a policy of the log: w1 to w4 and what follows them.
func policyText(quorum ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "log %s\n", logKey.VKey())
	for i, w := range []trialtest.Cosigner{w1, w2, w3, w4} {
		fmt.Fprintf(&b, "witness w%d %s\n", i+1, w.VKey())
	}
	return b.String() + strings.Join(quorum, "\n") + "\n"
}
