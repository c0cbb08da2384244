//go:build !wasm

package receipt_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/smap"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// An example is the small log that docs/spec.md works through, with everything that a reader
// computes again. Keys are made from seeds, and times are fixed.
type example struct {
	t       *testing.T
	log     *trialtest.Log
	policy  string
	receipt []byte
	b       strings.Builder
}

const exampleFile = "the synopsis\n"

func newExample(t *testing.T) *example {
	x := &example{t: t, log: new(trialtest.Log)}
	start := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	key := func(name string, alg byte, at int64) trialtest.Cosigner {
		return trialtest.Cosigner{Key: name + "/trials", Alg: alg, Time: uint64(at)}
	}
	logKey := key("log.example", 1, 0)
	*x.log = *trialtest.NewLog(t)
	x.log.Truncate(0)
	x.log.State = new(trial.State)
	genesis, err := trial.NewGenesis(trialtest.Origin, logKey.VKey(), []trial.PublicKey{trialtest.Public("registrar")},
		trial.TimeOf(start)).Marshal()
	x.must(err)
	g, err := trial.ParseEntry(genesis)
	x.must(err)
	x.must(x.log.State.Apply(g))
	x.log.Append(genesis)
	x.close(trial.TimeOf(start))
	admitted := trial.TimeOf(start.Add(10 * time.Minute))
	admit := func(who string, p trial.Predicate, subjects []trial.Subject) {
		raw, _, err := x.log.State.Admit(trialtest.Check(t, who, p, subjects), admitted)
		x.must(err)
		x.log.Append(raw)
	}
	p, s := trialtest.Org("example-pharma", "Example Pharma", "ada")
	admit("registrar", p, s)
	c := trialtest.Common()
	c.Meaning, c.PrintedName = "responsibility", trial.CommitName(sha([]byte("name salt")), "Ada Lovelace")
	subject := trial.Subject{Name: "registration", Digest: trial.Digest{Salted256: trial.Commit(sha([]byte("file salt")),
		sha([]byte(exampleFile)))}}
	admit("ada", &trial.Registration{Common: c, Masked: true, Number: "EXP-2026-01", Org: "example-pharma"}, []trial.Subject{subject})
	x.close(admitted)

	at := start.Add(10 * time.Minute).Unix()
	w := []trialtest.Cosigner{key("w1.example", 4, at+1), key("w2.example", 4, at+3), key("w3.example", 4, at)}
	x.policy = fmt.Sprintf("log %s\nwitness w1 %s\nwitness w2 %s\nwitness w3 %s\ngroup two-of-three 2 w1 w2 w3\nquorum two-of-three\n",
		logKey.VKey(), w[0].VKey(), w[1].VKey(), w[2].VKey())
	o := &trial.Openings{Name: "Ada Lovelace", NameSalt: sha([]byte("name salt")),
		Salts: map[string]trial.Salt{"registration": sha([]byte("file salt"))}}
	openings, err := o.Marshal()
	x.must(err)
	cp := trialtest.Checkpoint(t, x.log.Tree(5), []note.Signer{logKey, w[0], w[1]}...)
	x.receipt = x.log.Receipt(3, 5, cp, openings)
	return x
}

func (x *example) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *example) close(at trial.Time) {
	raw, err := x.log.State.Close(at)
	x.must(err)
	x.log.State.Commit()
	x.log.Append(raw)
}

func (x *example) printf(format string, args ...any) { fmt.Fprintf(&x.b, format, args...) }

func (x *example) block(text string) {
	x.printf("\n```\n%s\n```\n", strings.TrimSuffix(text, "\n"))
}

// text returns the section of docs/spec.md.
func (x *example) text() string {
	ada, registrar := trialtest.Public("ada").ID(), trialtest.Public("registrar").ID()
	entry, err := trial.ParseEntry(x.log.Leaves[3])
	x.must(err)
	payload, err := base64.StdEncoding.DecodeString(entry.Statement.Envelope.Payload)
	x.must(err)
	x.printf(`## 18 Worked example

Keys are made from seeds so that everything can be computed again. An Ed25519 private key (RFC 8032) is H of the text:

| key | text | public |
|---|---|---|
| registrar | %[1]strialtest registrar%[1]s | SPKI in %[1]sregistrars%[1]s of entry 0, key id %[1]s%[2]s%[1]s |
| ada | %[1]strialtest ada%[1]s | SPKI in %[1]ssigner.key%[1]s of entry 3, key id %[1]s%[3]s%[1]s |
| log | %[1]slog.example/trials%[1]s | type 0x01, see the policy |
| w1, w2, w3 | %[1]sw1.example/trials%[1]s, … | type 0x04, see the policy |

The log has five entries: genesis and state entry (the first tree, size 2); the enrolment of %[1]sexample-pharma%[1]s with ada as administrator,
its registration of a trial, and a state entry (the second tree, size 5). Entries 0, 3 and 4 stand in section 6. The others:
`, "`", registrar, ada)
	x.block(string(x.log.Leaves[1]))
	x.block(string(x.log.Leaves[2]))
	x.printf("\n| entry | bytes | leaf hash | root of the tree that it ends |\n|---|---|---|---|\n")
	for i, raw := range x.log.Leaves {
		root := ""
		if i == 1 || i == 4 {
			root = fmt.Sprintf("`%x`", x.log.Tree(uint64(i)+1).Root)
		}
		x.printf("| %d | %d | `%s` | %s |\n", i, len(raw), (&trial.Entry{Raw: raw}).LeafHash(), root)
	}
	x.printf("\nada's enrolment signs `trialproof/enrolment/v1 LF example-pharma LF %.4s…%s LF`. The payload of entry 3 is\n", ada, ada.String()[60:])
	x.block(string(payload))
	x.printf("\nand its identity, which is the trial's id, is `%s`.\n\n| opening | value |\n|---|---|\n", entry.Statement.ID)
	x.printf("| file | the 13 bytes `the synopsis` LF; SHA-256 `%s` |\n", sha([]byte(exampleFile)))
	x.printf("| its salt, H(`file salt`) | `%s` |\n| printed name | `Ada Lovelace` |\n| its salt, H(`name salt`) | `%s` |\n", sha([]byte("file salt")), sha([]byte("name salt")))
	x.records()
	x.printf("\n### Policy and receipt\n")
	x.block(x.policy)
	p, err := checkpoint.ParsePolicy([]byte(x.policy))
	x.must(err)
	x.printf("\n(SHA-256 `%s`, with a line feed behind the last line.)\n", p.Digest())
	x.block(string(x.receipt))
	v, err := receipt.Verify(p, x.receipt, receipt.Document{Name: "f", Digest: sha([]byte(exampleFile))})
	x.must(err)
	proven, _ := v.ProvenTime()
	x.printf("\nUnder this policy the receipt and the file `the synopsis` LF are valid: subject `%s`, index %d of size %d, proven time\n%s.\n",
		v.Documents[0].Subject, v.Index, v.Checkpoint.Size, proven.Format(time.RFC3339))
	x.history(entry.Statement.ID)
	return x.b.String()
}

// A named record is a record with its place in the Merkle map.
type named struct {
	trial.Record
	key, value, leaf smap.Hash
	data             []byte
}

func (n named) String() string { return fmt.Sprintf("leaf(%.4x)", n.key) }

func (x *example) list() []named {
	var list []named
	for _, r := range x.log.State.Records() {
		data, err := trial.MarshalRecord(r)
		x.must(err)
		key, value := r.RecordKey().Hash(), trial.RecordValue(data)
		leaf := sha256.Sum256(slices.Concat([]byte{0}, key[:], value[:]))
		list = append(list, named{r, key, smap.Hash(value), leaf, data})
	}
	slices.SortFunc(list, func(a, b named) int { return bytes.Compare(a.key[:], b.key[:]) })
	return list
}

func (x *example) records() {
	list := x.list()
	x.printf(`
### Records and map at entry 4

After the genesis the records are the registrar's key and the log's own; the root of their map is in entry 1. At entry 4 the records are, by
the order of their map keys:
`)
	for _, r := range list {
		x.printf("\n`%s` `%s`\n", r.RecordKey().Kind, r.RecordKey().ID)
		x.block(fmt.Sprintf("%s\nkey   %x\nvalue %x", r.data, r.key, r.value))
	}
	x.printf("\nThe map is:\n")
	var lines []string
	empty := sha256.Sum256([]byte{2})
	lines = append(lines, fmt.Sprintf("empty = H(0x02) = %x", empty))
	for _, r := range list {
		lines = append(lines, fmt.Sprintf("%s = %x", r, r.leaf))
	}
	root := x.nodes(list, "", &lines)
	if root.hash != x.log.State.Map().Root() {
		x.t.Fatal("the map as explained has another root than the code's")
	}
	x.block(strings.Join(lines, "\n"))
}

// A subtree of the map, with the name that the text gives it.
type subtree struct {
	name string
	hash smap.Hash
}

func (x *example) nodes(list []named, prefix string, lines *[]string) subtree {
	switch len(list) {
	case 0:
		return subtree{"empty", sha256.Sum256([]byte{2})}
	case 1:
		return subtree{list[0].String(), list[0].leaf}
	}
	i := slices.IndexFunc(list, func(r named) bool { return r.key[len(prefix)/8]>>(7-len(prefix)%8)&1 == 1 })
	if i < 0 {
		i = len(list)
	}
	l, r := x.nodes(list[:i], prefix+"0", lines), x.nodes(list[i:], prefix+"1", lines)
	s := subtree{"node " + prefix, sha256.Sum256(slices.Concat([]byte{1}, l.hash[:], r.hash[:]))}
	if prefix == "" {
		s.name = "root"
	}
	*lines = append(*lines, fmt.Sprintf("%s = H(0x01 || %s || %s) = %x", s.name, l.name, r.name, s.hash))
	return s
}

func (x *example) history(id trial.Hash) {
	key := trial.RecordKey{Kind: "trial", ID: id.String()}
	proof, err := json.Marshal(history.NewMap(x.log.State.Map().Prove(key.Hash())))
	x.must(err)
	absent := trial.RecordKey{Kind: "identifier", ID: "nct:NCT00000001"}
	none, err := json.Marshal(history.NewMap(x.log.State.Map().Prove(absent.Hash())))
	x.must(err)
	x.printf("\n### History\n\nThe history of that trial, under the same checkpoint:\n\n| member | is |\n|---|---|\n")
	x.printf("| `kind`, `id` | `trial`, `%s` |\n| `checkpoint` | that of the receipt |\n", id)
	x.printf("| `state` | `index` `4`; `entry` entry 4; `path` `[%q]` |\n", history.Strings(x.log.Path(4, 5))[0])
	x.printf("| `map` | below |\n| `record` | the record |\n| `entries` | one: `index` `3`; `entry` entry 3; `path` the hashes of the receipt |\n")
	x.block(`"map":` + string(proof))
	x.printf(`
It holds, and is complete as stated by the operator, for no witness of the policy replays. Of %[1]sidentifier%[1]s %[1]snct:NCT00000001%[1]s, whose map key
is %[1]s%[2]x%[1]s, nothing was logged:
`, "`", absent.Hash())
	x.block(`"map": ` + string(none))
}

// seed checks that the keys are made as the text says.
func (x *example) seed() {
	seed := sha([]byte("trialtest ada"))
	key, err := trial.NewPublicKey(ed25519.NewKeyFromSeed(seed[:]).Public())
	x.must(err)
	if key.ID() != trialtest.Public("ada").ID() {
		x.t.Fatal("ada's key is not made from the text given")
	}
}
