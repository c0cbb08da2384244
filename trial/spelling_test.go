package trial_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/dataset"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A jnode is JSON with its order kept, so that a test can write it in another way.
type jnode struct {
	raw     string   // of a text, number or literal
	names   []string // of an object
	items   []*jnode // of an object or array
	isArray bool
}

func parseNode(t testing.TB, dec *json.Decoder) *jnode {
	t.Helper()
	tok, err := dec.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch tok := tok.(type) {
	case json.Delim:
		n := &jnode{isArray: tok == '['}
		for dec.More() {
			if !n.isArray {
				name, err := dec.Token()
				if err != nil {
					t.Fatal(err)
				}
				n.names = append(n.names, name.(string))
			}
			n.items = append(n.items, parseNode(t, dec))
		}
		dec.Token()
		return n
	case string:
		return &jnode{raw: quote(tok)}
	default:
		return &jnode{raw: fmt.Sprint(tok)}
	}
}

func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}

func (n *jnode) String() string {
	if n.raw != "" {
		return n.raw
	}
	var parts []string
	for i, item := range n.items {
		if n.isArray {
			parts = append(parts, item.String())
		} else {
			parts = append(parts, quote(n.names[i])+":"+item.String())
		}
	}
	if n.isArray {
		return "[" + strings.Join(parts, ",") + "]"
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// misspellings returns other encodings of the JSON text data, and similar texts with another
// meaning, each with what was done to it.
func misspellings(t testing.TB, data []byte) map[string]string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	root := parseNode(t, dec)
	if root.String() != string(data) {
		t.Fatalf("the test's own JSON is off:\n%s\n%s", root, data)
	}
	all := map[string]string{
		"trailing bytes":      string(data) + "x",
		"a second value":      string(data) + string(data),
		"trailing line feed":  string(data) + "\n",
		"leading space":       " " + string(data),
		"byte order mark":     "\ufeff" + string(data),
		"not UTF-8":           string(data[:len(data)-1]) + ",\"\xff\":1}",
		"cut short":           string(data[:len(data)-1]),
		"nothing":             "",
		"null":                "null",
		"an array":            "[" + string(data) + "]",
		"a comment":           "/**/" + string(data),
		"a trailing comma":    string(data[:len(data)-1]) + ",}",
		"single quotes":       strings.ReplaceAll(string(data), `"`, `'`),
		"UTF-16":              strings.Join(strings.Split(string(data), ""), "\x00"),
		"lone surrogate":      strings.Replace(string(data), `":"`, `":"\ud800`, 1),
		"raw control":         strings.Replace(string(data), `":"`, "\":\"\x01", 1),
		"escaped solidus":     strings.Replace(string(data), `/`, `\/`, 1),
		"surrogates as UTF-8": strings.Replace(string(data), `":"`, "\":\"\xed\xa0\x80", 1),
	}
	for k, v := range all {
		if v == string(data) {
			delete(all, k)
		}
	}
	var walk func(path string, n *jnode)
	walk = func(path string, n *jnode) {
		say := func(what string) { all[path+": "+what] = root.String() }
		with := func(what string, m jnode) {
			old := *n
			*n = m
			say(what)
			*n = old
		}
		with("null", jnode{raw: "null"})
		with("another type", jnode{raw: "[[]]"})
		with("space before", jnode{raw: " " + n.String()})
		with("space behind", jnode{raw: n.String() + " "})
		with("line feed behind", jnode{raw: n.String() + "\n"})
		if n.raw == "" {
			if n.isArray {
				with("a null behind", jnode{items: append(slices.Clone(n.items), &jnode{raw: "null"}), isArray: true})
			} else {
				with("unknown member", jnode{names: append(slices.Clone(n.names), "zzz"), items: append(slices.Clone(n.items),
					&jnode{raw: "1"})})
				with("unknown member in order", jnode{names: append([]string{"!"}, n.names...), items: append([]*jnode{{raw: "1"}},
					n.items...)})
				for i := range n.items {
					with("repeated "+n.names[i], jnode{names: slices.Insert(slices.Clone(n.names), i, n.names[i]),
						items: slices.Insert(slices.Clone(n.items), i, n.items[i])})
					for what, name := range map[string]string{"upper case": strings.ToUpper(n.names[i]),
						"title": strings.ToUpper(n.names[i][:1]) + n.names[i][1:], "folded": strings.NewReplacer("s", "ſ", "k",
							"K").Replace(n.names[i])} {
						if name == n.names[i] || path == ".scopes" { // names there are values
							continue
						}
						names := slices.Clone(n.names)
						names[i] = name
						with(what+" "+n.names[i], jnode{names: names, items: n.items})
						with(what+" also "+n.names[i], jnode{names: append(slices.Clone(n.names), name),
							items: append(slices.Clone(n.items), n.items[i])})
					}
					if i > 0 {
						names, items := slices.Clone(n.names), slices.Clone(n.items)
						names[i], names[i-1] = names[i-1], names[i]
						items[i], items[i-1] = items[i-1], items[i]
						with("out of order "+n.names[i], jnode{names: names, items: items})
					}
					escaped := n.String()
					with("escaped name "+n.names[i], jnode{raw: strings.Replace(escaped, `"`+n.names[i]+`":`, fmt.Sprintf(`"\u%04x%s":`,
						n.names[i][0], n.names[i][1:]), 1)})
					with("empty text for "+n.names[i], jnode{names: n.names, items: slices.Concat(n.items[:i], []*jnode{{raw: `""`}},
						n.items[i+1:])})
				}
			}
			for i, item := range n.items {
				name := fmt.Sprint(i)
				if !n.isArray {
					name = n.names[i]
				}
				walk(path+"."+name, item)
			}
			return
		}
		switch c := n.raw[0]; {
		case c == '"' && len(n.raw) > 2 && n.raw[1] != '\\' && n.raw[1] < 0x80:
			with("escaped text", jnode{raw: fmt.Sprintf(`"\u%04x%s`, n.raw[1], n.raw[2:])})
			with("upper escape", jnode{raw: fmt.Sprintf(`"\u%04X%s`, n.raw[1], n.raw[2:])})
		case c >= '0' && c <= '9':
			for _, other := range []string{n.raw + ".0", n.raw + "e0", n.raw + "E+0", "0" + n.raw, "+" + n.raw, "-" + n.raw, `"` + n.raw +
				`"`, n.raw + ".5", "1e2", "-0", "9007199254740993", "18446744073709551616", "NaN"} {
				with("number "+other, jnode{raw: other})
			}
		case c == 't':
			with("false, which is left out", jnode{raw: "false"})
			with("True", jnode{raw: "True"})
		}
	}
	walk("", root)
	return all
}

// samples returns one genuine text of every form that the package parses.
func samples(t testing.TB) (statements, entries, records map[string][]byte, log *trialtest.Log) {
	t.Helper()
	statements, entries, records = map[string][]byte{}, map[string][]byte{}, map[string][]byte{}
	l := trialtest.NewLog(t)
	entries["genesis"], entries["state"] = l.Leaves[0], l.Leaves[1]
	c := trialtest.Common()
	c.PrintedName = trial.CommitName(trial.Salt{1}, "Ada Lovelace")
	admit := func(who string, p trial.Predicate, subjects []trial.Subject) trial.Hash {
		t.Helper()
		*trial.CommonOf(&trial.Statement{Predicate: p}) = c
		c.SignedAt++
		statements[p.Kind()] = trialtest.Payload(t, p, subjects)
		id := l.Admit(who, p, subjects).ID
		entries[p.Kind()] = l.Leaves[len(l.Leaves)-1]
		return id
	}
	p, s := trialtest.Org("acme", "Acme & <Söhne>", "ada")
	admit("registrar", p, s)
	p, s = trialtest.Enrol("acme", "p256-bob", "signer")
	admit("ada", p, s)
	id := admit("p256-bob", &trial.Registration{Masked: true, Number: "X-1", Org: "acme"}, trial.NumberSubject("X-1"))
	admit("ada", &trial.Identifier{Trial: id, Identifier: "nct:NCT01234567"}, trial.NamedSubject("trial", id))
	first := admit("ada", &trial.Protocol{Trial: id, Scope: "global", Version: "1.0"}, trialtest.Documents("protocol", "a"))
	de := admit("ada", &trial.Protocol{Trial: id, Scope: "DE", Base: first, Version: "1.0-DE"}, trialtest.Documents("protocol", "c"))
	admit("ada", &trial.Protocol{Trial: id, Scope: "DE", Base: first, Previous: de, Version: "2.0-DE"}, trialtest.Documents("protocol",
		"b", "c", "d"))
	admit("ada", &trial.SAP{Trial: id, Analysis: "primary", Version: "1.0"}, trialtest.Documents("sap", "e"))
	admit("ada", &trial.Milestone{Trial: id, Analysis: "primary", Country: "DE", Date: "2026-03-01", Event: "database-lock"},
		trial.NamedSubject("trial", id))
	r := admit("ada", &trial.Results{Trial: id, Analysis: "primary", Version: "1"}, trialtest.Documents("results", "f"))
	admit("ada", &trial.Results{Trial: id, Analysis: "primary", Version: "2", Updates: r}, trialtest.Documents("results", "g"))
	d := trialtest.Documents("document", "h", "i")
	d[1].Digest = trial.Digest{Salted256: trial.Commit(trial.Salt{2}, d[1].Digest.SHA256)}
	admit("ada", &trial.Document{Trial: id, Version: "a"}, d)
	admit("ada", &trial.Dataset{Trial: id, Analysis: "primary", Lock: first, Results: r, SAP: de, Tables: []dataset.Commitment{table("AE", ""), table("DM", "")}},
		trialtest.Documents("dataset", "ae", "dm"))
	admit("p256-bob", &trial.Observation{Identifier: "nct:NCT01234567", SeenAt: "2026-03", Source: "registry"},
		trialtest.Documents("observation", "j"))
	p, s = trialtest.Org("beta", "Beta", "ben")
	admit("registrar", p, s)
	about := trial.NamedSubject("trial", id)
	admit("ada", &trial.CoSignature{Trial: id, Statement: first}, trial.NamedSubject("statement", first))
	admit("ada", &trial.Delegation{Trial: id, To: "beta", Kinds: []string{"milestone", "protocol"}, Scope: "DE", End: "2026-12-31"}, about)
	admit("ada", &trial.Correction{Trial: id, Statement: r, Of: "results", Field: "dated", Old: "2026-01", New: "2026-02",
		Reason: "clerical"}, about)
	admit("registrar", &trial.Ruling{Trial: id, Identifier: "nct:NCT01234567", Ground: "registry-confirmed"}, about)
	sealed := trialtest.Payload(t, &trial.Document{Common: trialtest.Common(), Trial: id, Dated: "2026"}, trialtest.Documents("document",
		"k"))
	commitment := trial.CommitStatement(trial.Salt{3}, trial.StatementID(sealed))
	admit("ada", &trial.Seal{Commitment: commitment, Org: "acme"}, trial.NamedSubject("sealed", commitment))
	u, opened, err := trial.NewUnseal(c, sealed, trial.Salt{3}, trial.SealRef{Index: l.Size() - 1, Time: l.State.Time()})
	if err != nil {
		t.Fatal(err)
	}
	admit("ada", u, opened)
	admit("ada", &trial.Transfer{Action: "offer", Trial: id, To: "beta"}, about)
	vkey, proof := logKey("K2", "K2")
	admit("registrar", &trial.LogKey{Action: "add", VKey: vkey, Proof: proof}, trial.NamedSubject("logkey", sha256.Sum256([]byte(vkey))))
	admit("registrar", &trial.Policy{Policy: "b25l"}, trial.NamedSubject("policy", sha256.Sum256([]byte("one"))))
	admit("registrar", &trial.Rules{Set: 2, From: 1 << 40}, trial.NamedSubject("rules", sha256.Sum256([]byte("2"))))
	consentSamples(statements, admit)
	custodySamples(statements, admit, id)
	bob := trialtest.Public("p256-bob").ID()
	limit := &trial.Key{Action: "limit", Org: "acme", Limit: bob, Limits: &trial.KeyLimits{Kinds: []string{"document"},
		Trials: []trial.Hash{id}, Until: "2026-12-31"}}
	enrol := statements["key"]
	admit("ada", limit, trial.NamedSubject("key", bob))
	statements["key, limited"], statements["key"] = statements["key"], enrol
	revoke := &trial.Key{Action: "revoke", Org: "acme", Revoke: bob}
	k := statements["key"]
	admit("ada", revoke, trial.NamedSubject("key", bob))
	statements["key, revoked"], statements["key"] = statements["key"], k
	l.Close()
	for _, kind := range trial.Kinds() {
		if statements[kind] == nil {
			t.Fatalf("there is no sample of the kind %s", kind)
		}
	}
	for _, r := range l.State.Records() {
		data, err := trial.MarshalRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		kind := r.RecordKey().Kind
		if len(data) > len(records[kind]) {
			records[kind] = data
		}
	}
	if len(records) != len(trial.RecordKinds()) {
		t.Fatalf("there are samples of %d records", len(records))
	}
	return statements, entries, records, l
}

// consentSamples admits statements about consents of beta, where ben is the administrator.
func consentSamples(statements map[string][]byte, admit func(string, trial.Predicate, []trial.Subject) trial.Hash) {
	keep := func(kind, name string) { statements[kind+", "+name] = statements[kind] }
	lab := &trial.Recipient{Action: "add", Org: "acme", Recipient: trialtest.Recipient("lab")}
	admit("ada", lab, trial.NamedSubject("recipient", lab.ID()))
	keep("recipient", "add")
	code := consentCode("a")
	grant := func(code string) trial.Hash {
		return admit("ben", &trial.Consent{Action: "grant", Agents: []string{"acme", "beta"}, Elements: trial.Hash{1},
			Lock: trial.ConsentLock(code), Org: "beta", To: "acme", Until: "2026-06"}, salted(trialtest.Documents("consent", code)))
	}
	first, second := grant(code), grant(consentCode("b"))
	keep("consent", "grant")
	request := admit("ada", &trial.Access{Action: "request", Of: "beta", Org: "acme", Use: []string{"DUO:0000006", "DUO:0000007/MONDO:0005148"}},
		salted(trialtest.Documents("request", "plan")))
	keep("access", "request")
	for _, decision := range trial.Decisions[:2] {
		admit("ben", &trial.Access{Action: "decide", Request: request, Decision: decision}, trial.NamedSubject("request", request))
	}
	keep("access", "decide")
	release := &trial.Access{Action: "release", Recipient: lab.ID(), Request: request, Consents: []trial.Released{
		{Consent: first, Package: trial.Hash{7}}, {Consent: second, Package: trial.Hash{8}}}}
	slices.SortFunc(release.Consents, func(a, b trial.Released) int { return bytes.Compare(a.Consent[:], b.Consent[:]) })
	admit("ben", release, trial.NamedSubject("release", trial.ReleaseDigest(release.Consents)))
	keep("access", "release")
	urgent := &trial.Access{Action: "emergency", Recipient: lab.ID(), Reason: "overdose", Consents: release.Consents[:1]}
	admit("ben", urgent, trial.NamedSubject("release", trial.ReleaseDigest(urgent.Consents)))
	keep("access", "emergency")
	admit("ben", &trial.Access{Action: "disclose", Basis: "law", Elements: trial.Hash{9}, Org: "beta", Until: "2027-01-01"},
		salted(trialtest.Documents("disclosure", "terms")))
	admit("registrar", &trial.Consent{Action: "end", Code: code, Consent: first, Erase: true}, trial.NamedSubject("consent", first))
	admit("ben", &trial.Erasure{Ground: "asked", Of: first, Org: "beta", What: []string{"file", "key"}}, trial.NamedSubject("consent", first))
	admit("ada", &trial.Recipient{Action: "retire", Org: "acme", Reason: "lost", Retire: lab.ID()}, trial.NamedSubject("recipient", lab.ID()))
}

// TestOneSpelling: everything that is parsed has exactly one encoding.
func TestOneSpelling(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	statements, entries, records, _ := samples(t)
	o := &trial.Openings{Name: "Ada Lovelace", NameSalt: trial.Salt{1}, Salts: map[string]trial.Salt{"appendix-1": {2}}}
	openings, err := o.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	document, err := trial.ParseStatement(statements["document"])
	if err != nil {
		t.Fatal(err)
	}
	try := func(t *testing.T, genuine []byte, parse func([]byte) (any, error)) {
		if _, err := parse(genuine); err != nil {
			t.Fatalf("the genuine one: %v", err)
		}
		for what, text := range misspellings(t, genuine) {
			if _, err := parse([]byte(text)); err == nil {
				t.Errorf("%s is taken: %.300s", what, text)
			}
		}
	}
	for kind, data := range statements {
		t.Run("statement "+kind, func(t *testing.T) {
			try(t, data, func(b []byte) (any, error) { return trial.ParseStatement(b) })
		})
	}
	for kind, data := range entries {
		t.Run("entry "+kind, func(t *testing.T) {
			try(t, data, func(b []byte) (any, error) {
				e, err := trial.ParseEntry(b)
				if err == nil {
					err = e.Verify()
				}
				return e, err
			})
		})
	}
	for kind, data := range records {
		t.Run("record "+kind, func(t *testing.T) {
			try(t, data, func(b []byte) (any, error) {
				if bytes.Contains(b, []byte(`:""`)) || bytes.Contains(b, []byte(":9007199254740993")) {
					return nil, errors.New("another value, not another spelling: the map root tells them apart")
				}
				return trial.ParseRecord(kind, b)
			})
		})
	}
	t.Run("openings", func(t *testing.T) {
		try(t, openings, func(b []byte) (any, error) {
			if len(b) == 0 {
				return nil, fmt.Errorf("no openings are openings too")
			}
			return trial.ParseOpenings(b, document)
		})
	})
	t.Run("envelope", func(t *testing.T) {
		envelope, key := trialtest.Sign(t, "ada", document.Predicate, document.Subjects)
		try(t, envelope, func(b []byte) (any, error) { return trial.Check(b, key) })
	})
}

// TestRefusalsName: a refusal names the member and what is wrong with it.
func TestRefusalsName(t *testing.T) {
	statements, _, _, _ := samples(t)
	payload := string(statements["document"])
	for _, c := range []struct{ old, new, want string }{
		{`"meaning":"author"`, `"meaning":"author","more":1`, `unknown field "more"`},
		{`"meaning":"author",`, ``, "members are missing"},
		{`"meaning":"author"`, `"meaning":1`, "member meaning: the value has the wrong type: number"},
		{`"meaning":"author"`, `"meaning": "author"`, "not canonical JSON (RFC 8785)"},
		{`"version":"a"`, `"version":""`, "missing, empty, repeated"},
		{`statement/`, `Statement/`, ""},
		{`document@v1`, `novel@v1`, "the kinds are access, codebreak, consent, correction, custody, dataset, delegation, document"},
		{`2026-03-01T`, `2026-02-30T`, "2026-03-01T09:30:00.000Z"},
		{`2026-03-01T`, `1969-03-01T`, "2026-03-01T09:30:00.000Z"},
		{`.0`, `.00`, ""},
	} {
		if !strings.Contains(payload, c.old) {
			if c.want != "" {
				t.Fatalf("%q is not in the sample %s", c.old, payload)
			}
			continue
		}
		_, err := trial.ParseStatement([]byte(strings.Replace(payload, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: %v does not say %q", c.new, c.old, err, c.want)
		}
		if trial.RuleOf(err) != trial.RuleMalformed {
			t.Errorf("%s for %s: %v is not R1", c.new, c.old, err)
		}
	}
}
