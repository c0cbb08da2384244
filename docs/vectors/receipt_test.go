package vectors

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
	"unicode/utf16"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

var b64 = base64.StdEncoding

// The policies of receipts, by name.
var policies = map[string]string{
	"two-of-three": trialtest.PolicyText(),
	"all-of-three": policyText("group g all w1 w2 w3", "quorum g"),
	"none":         policyText("quorum none"),
	"groups":       policyText("group north any w1 w3", "group south 1 w2 w4", "group both all north south", "quorum both"),
	"replaying":    policyText("group g 2 w1 w2 w4", "quorum g"),
	"mldsa":        policyText("quorum w3"),
	"mldsa-log":    strings.Replace(policyText("quorum w2"), logKey.VKey(), pqKey.VKey(), 1),
	"mldsa-both": fmt.Sprintf("log %s\nwitness w1 %s\nwitness itself %s\ngroup g all w1 itself\nquorum g\n", pqKey.VKey(), w1.VKey(),
		pqKey.VKey()),
	"two-keys": "log " + second.VKey() + "\n" + policyText("quorum w2"),
	"new-key":  strings.Replace(policyText("quorum w2"), logKey.VKey(), second.VKey(), 1),
	"comments": fmt.Sprintf("# a policy\n\n \t# with comments\nlog\t%s  https://log.example/\n  witness w1 %s https://w1.example/ \n"+
		"witness # %s\ngroup g 2 w1 #\nquorum g", logKey.VKey(), w1.VKey(), w2.VKey()),
	"another-log":    fmt.Sprintf("log %s\nwitness w1 %s\nwitness w2 %s\ngroup g all w1 w2\nquorum g\n", others.VKey(), w1.VKey(), w2.VKey()),
	"witness-twice":  policyText("witness w5 "+w2.VKey(), "group g 2 w2 w5", "quorum g"),
	"member-twice":   policyText("group g 2 w2 w2", "quorum g"),
	"crlf":           strings.ReplaceAll(trialtest.PolicyText(), "\n", "\r\n"),
	"undefined":      policyText("group g 1 w1 w9", "quorum g"),
	"no-quorum":      policyText("group g 1 w1 w2"),
	"too-many":       policyText("group g 3 w1 w2", "quorum g"),
	"wrong-key-id":   strings.Replace(trialtest.PolicyText(), fmt.Sprintf("+%08x+", w2.KeyHash()), fmt.Sprintf("+%08x+", w2.KeyHash()^1), 1),
	"two-logs":       "log " + others.VKey() + "\n" + trialtest.PolicyText(),
	"witness-as-log": strings.Replace(trialtest.PolicyText(), logKey.VKey(), w2.VKey(), 1),
	"other-witnesses": fmt.Sprintf("log %s\nwitness a %s\nwitness b %s\ngroup g any a b\nquorum g\n", logKey.VKey(), stranger.VKey(),
		w4.VKey()),
}

// policy adds a policy's file.
func (v *vectors) policy(name string) string {
	text, ok := policies[name]
	if !ok {
		v.t.Fatalf("there is no policy %s", name)
	}
	return v.file("policies", name, []byte(text))
}

func (v *vectors) receipt(name, shows, policy string, data []byte, docs []string) *vector {
	c := &vector{Name: "receipt/" + name, Shows: shows, Kind: "receipt", Policy: v.policy(policy),
		Receipt: v.file("receipts", name+".tlog-proof", data)}
	for _, d := range docs {
		text, ok := documents[d]
		if !ok {
			v.t.Fatalf("there is no document %s", d)
		}
		// Two documents with the same contents are two files.
		v.files[path.Join("documents", d)] = []byte(text)
		c.Documents = append(c.Documents, path.Join("documents", d))
	}
	v.add(c)
	return c
}

func (v *vectors) good(name, shows, policy string, r []byte, f facts, docs ...string) {
	if len(f.Subjects) != len(docs) {
		v.t.Fatalf("%s: %d subjects of %d documents", name, len(f.Subjects), len(docs))
	}
	c := v.receipt(name, shows, policy, r, docs)
	c.Verdict, c.Facts = valid, f
}

func (v *vectors) bad(name, shows, policy string, r []byte, part string, docs ...string) {
	c := v.receipt(name, shows, policy, r, docs)
	c.Verdict, c.Part = invalid, part
}

func (v *vectors) unknown(name, shows, policy string, r []byte, docs ...string) {
	v.receipt(name, shows, policy, r, docs).Verdict = unknown
}

func (v *vectors) receipts() {
	l := newSmallLog(v.t)
	v.goodReceipts(l)
	v.policies(l)
	v.everyKind()
	v.alteredReceipts(l)
	v.openings(l)
	v.checkpoints(l)
	v.forgedEntries(l)
}

func (v *vectors) goodReceipts(l *smallLog) {
	protocol := l.of("protocol").Marshal()
	v.good("ed25519", "an Ed25519 key signed; two of three witnesses cosigned", "two-of-three", protocol,
		l.facts("protocol", nil, "protocol"), "protocol.txt")
	v.good("ecdsa", "an ECDSA P-256 key signed", "two-of-three", l.of("sap").Marshal(), l.facts("sap", nil, "sap"), "sap.txt")
	v.good("alone", "a receipt alone, without a document", "two-of-three", protocol, l.facts("protocol", []string{"protocol"}))
	v.good("no-document", "a statement about no document: its subject is the trial's number", "two-of-three",
		l.of("registration").Marshal(), l.facts("registration", []string{"number"}))
	v.good("registrar", "the registrar's key, enrolled by entry 0", "two-of-three", l.of("org").Marshal(),
		l.facts("org", []string{"administrator-1"}))
	v.good("several", "three documents of one statement", "two-of-three", l.of("results").Marshal(),
		l.facts("results", nil, "results", "appendix-1", "appendix-2"), "results.txt", "table-1.txt", "table-2.txt")
	v.good("several-other-order", "the same in another order", "two-of-three", l.of("results").Marshal(),
		l.facts("results", nil, "appendix-2", "results", "appendix-1"), "table-2.txt", "results.txt", "table-1.txt")
	v.good("several-one", "one of three documents of a statement; the others are missing", "two-of-three", l.of("results").Marshal(),
		l.facts("results", []string{"results", "appendix-2"}, "appendix-1"), "table-1.txt")
	v.good("two-subjects", "one document that is two subjects: the first is named, and neither is missing", "two-of-three",
		l.of("twice").Marshal(), l.facts("twice", nil, "document"), "table-1.txt")
	v.good("empty-document", "a document of no bytes", "two-of-three", l.of("empty").Marshal(),
		l.facts("empty", nil, "document"), "empty.txt")
	v.good("non-ascii", "a document whose file name is not ASCII, and a statement with letters that are not", "two-of-three",
		l.of("umlauts").Marshal(), l.facts("umlauts", nil, "document"), "Prüfplan für Ämter 試験.txt")
	v.good("facts", "a statement with facts, in which there are quotes, a backslash and <, > and &", "two-of-three",
		l.of("facts").Marshal(), l.facts("facts", nil, "document"), "protocol.txt")

	private := l.facts("private", nil, "document", "appendix-1", "appendix-2")
	private.Name = "Ada Lovelace"
	v.good("salted", "two documents committed to with salts, one without, and the signer's printed name", "two-of-three",
		l.of("private").Marshal(), private, "consent-form.txt", "appendix.txt", "private-appendix.txt")
	v.good("salted-alone", "the same without a document", "two-of-three", l.of("private").Marshal(), with(private, func(f *facts) {
		f.Missing, f.Subjects = f.Subjects, []string{}
	}))

	// Cosignatures.
	at := func(name string, cosigners ...note.Signer) []byte { return l.of(name, cosigners...).Marshal() }
	p := l.facts("protocol", nil, "protocol")
	v.good("three-cosignatures", "a cosignature beyond the quorum: the proven time is that of the second", "two-of-three",
		at("protocol", w1, w2, w3), with(p, func(f *facts) { f.ProvenTime, f.Saw = "2027-01-15T08:00:20Z", 3 }), "protocol.txt")
	v.good("mldsa-counts", "the second cosignature is by an ML-DSA-44 key; no witness that cosigned replays", "two-of-three",
		at("protocol", w2, w3), with(p, func(f *facts) { f.ProvenTime, f.Replayed = "2027-01-15T08:00:20Z", 0 }), "protocol.txt")
	v.good("mldsa-alone", "the quorum is one witness with an ML-DSA-44 key", "mldsa", at("protocol", w3),
		with(p, func(f *facts) { f.ProvenTime, f.Saw, f.Replayed = "2027-01-15T08:00:20Z", 1, 0 }), "protocol.txt")
	v.good("all-of-three", "all three witnesses must cosign: the proven time is the latest", "all-of-three",
		at("protocol", w1, w2, w3), with(p, func(f *facts) { f.Saw = 3 }), "protocol.txt")
	v.good("groups", "the quorum is a group of two groups", "groups", at("protocol", w1, w4),
		with(p, func(f *facts) { f.ProvenTime, f.Replayed, f.ReplayQuorum = "2027-01-15T08:00:40Z", 2, true }), "protocol.txt")
	v.good("groups-three", "the same with one witness more than the groups need: the earliest two that suffice count", "groups",
		at("protocol", w4, w3, w2), with(p, func(f *facts) { f.ProvenTime, f.Saw, f.Replayed = "2027-01-15T08:00:20Z", 3, 1 }),
		"protocol.txt")
	v.good("replaying", "replaying witnesses satisfy the quorum by themselves", "replaying", at("protocol", w1, w4),
		with(p, func(f *facts) { f.ProvenTime, f.Replayed, f.ReplayQuorum = "2027-01-15T08:00:40Z", 2, true }), "protocol.txt")
	v.good("not-replaying", "a replaying witness and another one: the replaying ones do not satisfy the quorum", "replaying",
		at("protocol", w2, w4), with(p, func(f *facts) { f.ProvenTime = "2027-01-15T08:00:40Z" }), "protocol.txt")
	v.good("unwitnessed", "a policy that asks for no witness: no proven time, and nobody counts as having seen it", "none",
		at("protocol", w1, w2), with(p, func(f *facts) { f.ProvenTime, f.Saw, f.Replayed = "", 0, 0 }), "protocol.txt")
	v.good("unwitnessed-alone", "the same without a cosignature", "none", l.of("protocol", note.Signer(stranger)).Marshal(),
		with(p, func(f *facts) { f.ProvenTime, f.Saw, f.Replayed, f.Ignored = "", 0, 0, 1 }), "protocol.txt")
	v.good("ignored", "signatures by keys that the policy does not name", "two-of-three", at("protocol", w1, stranger, w2, w4),
		with(p, func(f *facts) { f.Ignored = 2 }), "protocol.txt")
	garbage := line("garbage.example", 7, []byte{1}) + line(w2.Key, 7, []byte("another key id")) + line("garbage.example", 7, []byte{1})
	v.good("ignored-garbage", "three signature lines that are none, by no key of the policy; two are the same and count once",
		"two-of-three", append(at("protocol", w1, w2), garbage...), with(p, func(f *facts) { f.Ignored = 2 }), "protocol.txt")
	again := line(w2.Key, w2.KeyHash(), make([]byte, 72))
	v.good("second-line", "a second line of a witness that has cosigned is ignored, whatever it holds", "two-of-three",
		append(at("protocol", w1, w2), again...), p, "protocol.txt")
	v.bad("second-line-not-base64", "a second line of a witness that has cosigned is not in the form of a signature line", "two-of-three",
		append(at("protocol", w1, w2), "— w2.example AAAAA=\n"...), "checkpoint", "protocol.txt")
	early := w1
	early.Time = 1_700_000_000 // before the entry
	before := w2
	before.Time = 1_700_000_010
	v.good("clock-ahead", "the entry's time is more than five minutes after the proven time: valid, and not to be believed", "two-of-three",
		at("protocol", before, early), with(p, func(f *facts) { f.ProvenTime, f.ClockAhead = "2023-11-14T22:13:30Z", true }),
		"protocol.txt")
	last := w2
	last.Time = 253402300799
	v.good("year-9999", "a cosignature of the last second of the year 9999", "two-of-three", at("protocol", w1, last),
		with(p, func(f *facts) { f.ProvenTime = "9999-12-31T23:59:59Z" }), "protocol.txt")

	// Keys of the log.
	tree := l.Tree(l.Size())
	r := l.of("protocol")
	r.Checkpoint = noted(v.t, tree.String(), second, logKey, w2)
	two := r.Marshal()
	one := with(p, func(f *facts) { f.ProvenTime, f.Saw, f.Replayed = "2027-01-15T08:00:10Z", 1, 0 })
	v.good("two-log-keys", "two keys of the log signed, and the policy names both", "two-keys", two, one, "protocol.txt")
	v.good("new-log-key", "two keys of the log signed, and the policy names the newer one", "new-key", two,
		with(one, func(f *facts) { f.Ignored = 1 }), "protocol.txt")
	r.Checkpoint = noted(v.t, tree.String(), pqKey, w2)
	v.good("mldsa-log", "the log's key is ML-DSA-44", "mldsa-log", r.Marshal(), one, "protocol.txt")
	r.Checkpoint = noted(v.t, tree.String(), cosigner(pqKey, 1_800_000_050), w1)
	v.good("mldsa-both", "one ML-DSA-44 key is the log's and a witness's: one signature counts as both", "mldsa-both", r.Marshal(),
		with(p, func(f *facts) { f.ProvenTime = "2027-01-15T08:00:50Z" }), "protocol.txt")
	smaller := l.at(l.named["sap"])
	smaller.Path = l.Path(smaller.Index, smaller.Index+1)
	smaller.Checkpoint = l.signed(l.Tree(smaller.Index+1), w1, w2)
	v.good("last-leaf", "the entry is the last one of its tree", "two-of-three", smaller.Marshal(),
		with(l.facts("sap", nil, "sap"), func(f *facts) { f.Size = smaller.Index + 1 }), "sap.txt")
	smaller.Path = l.Path(smaller.Index, smaller.Index+2)
	smaller.Checkpoint = l.signed(l.Tree(smaller.Index+2), w1, w2)
	v.good("another-tree", "the same entry in a larger tree", "two-of-three", smaller.Marshal(),
		with(l.facts("sap", nil, "sap"), func(f *facts) { f.Size = smaller.Index + 2 }), "sap.txt")
	v.good("comments", "a policy with comments, tabs, URLs, a name that begins with # and no line feed at its end", "comments",
		protocol, p, "protocol.txt")
}

// policies are receipts that hold, under other policies.
func (v *vectors) policies(l *smallLog) {
	protocol := l.of("protocol").Marshal()
	v.bad("another-policy", "a policy with the key of another log", "another-log", protocol, "checkpoint", "protocol.txt")
	v.bad("another-key", "a policy with another key of the same log", "new-key", protocol, "checkpoint", "protocol.txt")
	v.bad("other-witnesses", "a policy with other witnesses", "other-witnesses", protocol, "quorum", "protocol.txt")
	v.bad("group-lacking", "both witnesses that cosigned are in one of the two groups", "groups",
		l.of("protocol", w1, w3).Marshal(), "quorum", "protocol.txt")
	v.bad("one-of-two", "one cosignature where two are needed", "two-of-three", l.of("protocol", w2).Marshal(), "quorum", "protocol.txt")
	v.bad("no-cosignature", "the log's signature alone", "two-of-three", l.of("protocol", note.Signer(stranger)).Marshal(), "quorum",
		"protocol.txt")
	twice := append(l.of("protocol", w2).Marshal(), line(w2.Key, w2.KeyHash(), sign(v.t, cosigner(w2, w2.Time+1),
		l.Tree(l.Size()).String()))...)
	v.bad("cosigned-twice", "two cosignatures by one witness count once", "two-of-three", twice, "quorum", "protocol.txt")
	for _, c := range [][2]string{
		{"witness-twice", "two witnesses of the policy have one key"},
		{"member-twice", "a name stands twice in a group"},
		{"crlf", "the policy's lines end in CRLF"},
		{"undefined", "a group has a member that no line above defines"},
		{"no-quorum", "the policy has no quorum line"},
		{"too-many", "a group asks for more members than it has"},
		{"wrong-key-id", "a key ID does not belong to the name and key"},
		{"witness-as-log", "the log line has a key of the type of witnesses"},
	} {
		v.unknown("policy-"+c[0], "the policy is refused, so that nothing is judged: "+c[1], c[0], protocol, "protocol.txt")
	}
}

// everyKind has a receipt for each kind of statement, and for each action of those that have
// several: they are the entries of the golden log of rule set 1.
func (v *vectors) everyKind() {
	bundle, err := os.ReadFile("../../trial/testdata/golden/rules-1.entries")
	if err != nil {
		v.t.Fatal(err)
	}
	l := &smallLog{Log: trialtest.NewLog(v.t), t: v.t, named: map[string]uint64{}, openings: map[uint64][]byte{}}
	l.Truncate(0)
	for len(bundle) > 0 {
		n := 2 + int(binary.BigEndian.Uint16(bundle))
		l.Append(bundle[2:n:n])
		bundle = bundle[n:]
	}
	seen := map[string]bool{}
	for i, raw := range l.Leaves {
		e, err := trial.ParseEntry(raw)
		if err != nil {
			v.t.Fatal(err)
		}
		if e.Statement == nil {
			continue
		}
		st := e.Statement.Statement
		predicate, err := json.Marshal(st.Predicate)
		if err != nil {
			v.t.Fatal(err)
		}
		name := st.Predicate.Kind()
		for _, action := range []string{"enrol", "limit", "revoke", "add", "retire", "grant", "end", "request", "decide", "release",
			"emergency", "disclose"} {
			if bytes.Contains(predicate, fmt.Appendf(nil, `"action":%q`, action)) {
				name += "-" + action
			}
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		l.named[name], l.IDs[i] = uint64(i), e.Statement.ID
		var missing []string
		for _, s := range st.Subjects {
			missing = append(missing, s.Name)
		}
		v.good("kind-"+name, "a statement of the kind "+strings.Replace(name, "-", " to ", 1), "two-of-three", l.of(name).Marshal(),
			l.facts(name, missing))
	}
}

// alteredReceipts are files that were changed, cut or made for something else.
func (v *vectors) alteredReceipts(l *smallLog) {
	r := l.of("protocol")
	data := r.Marshal()
	bad := func(name, shows string, data []byte, part string) {
		v.bad(name, shows, "two-of-three", data, part, "protocol.txt")
	}
	altered := func(name, shows, part string, change func(*receipt.Receipt)) {
		c := *l.of("protocol")
		change(&c)
		bad(name, shows, c.Marshal(), part)
	}
	v.bad("altered-file", "one letter of the document is altered", "two-of-three", data, "file", "altered-protocol.txt")
	v.bad("altered-file-of-several", "one of three documents is another", "two-of-three", l.of("results").Marshal(), "file",
		"results.txt", "sap.txt", "table-2.txt")

	// The receipt's own lines.
	text := string(data)
	lines := strings.SplitAfter(text, "\n")
	bad("version-2", "the first line names another version", alter(v.t, data, "tlog-proof@v1", "tlog-proof@v2"), "receipt")
	bad("no-extra", "the line extra is missing", []byte(strings.Replace(text, lines[1], "", 1)), "receipt")
	bad("extra-cut", "extra lacks its last character", alter(v.t, data, lines[1], lines[1][:len(lines[1])-2]+"\n"), "receipt")
	for _, name := range []string{"sap", "umlauts", "empty"} {
		if extra := strings.SplitAfter(string(l.of(name).Marshal()), "\n")[1]; strings.HasSuffix(extra, "=\n") {
			v.bad("extra-spare-bits", "the spare bits of extra are not zero", "two-of-three",
				alter(v.t, l.of(name).Marshal(), extra, spare(extra)), "receipt")
			break
		}
	}
	bad("extra-url-safe", "extra is in the URL-safe alphabet", []byte(strings.Replace(text, lines[1],
		"extra "+base64.URLEncoding.EncodeToString([]byte(string(r.Entry)+"\n???>>>"))+"\n", 1)), "receipt")
	bad("extra-no-line-feed", "extra has no line feed behind the entry", []byte(strings.Replace(text, lines[1],
		"extra "+b64.EncodeToString(r.Entry)+"\n", 1)), "receipt")
	bad("extra-broken", "extra is broken into two lines, as some programs write base64", alter(v.t, data, lines[1],
		lines[1][:82]+"\n"+lines[1][82:]), "receipt")
	for _, c := range [][2]string{{"leading-zero", "05"}, {"plus", "+5"}, {"hexadecimal", "0x5"}, {"space", "5 "},
		{"two-to-62", "4611686018427387904"}, {"empty", ""}, {"full-width", "５"}} {
		bad("index-"+c[0], fmt.Sprintf("the index is %q", c[1]), alter(v.t, data, "\nindex 5\n", "\nindex "+c[1]+"\n"), "receipt")
	}
	bad("hash-short", "a hash of the proof has 31 bytes", alter(v.t, data, lines[3], b64.EncodeToString(make([]byte, 31))+"\n"), "receipt")
	bad("hash-spare-bits", "the spare bits of a hash are not zero", alter(v.t, data, lines[3], spare(lines[3])), "receipt")
	altered("64-hashes", "the proof has 64 hashes", "receipt", func(r *receipt.Receipt) { r.Path = make([][32]byte, 64) })
	altered("63-hashes", "the proof has 63 hashes, which a receipt may have, and does not lead to the root", "inclusion proof",
		func(r *receipt.Receipt) { r.Path = make([][32]byte, 63) })
	bad("empty", "a file of no bytes", nil, "receipt")
	bad("a-document", "the document was given as the receipt", []byte(documents["protocol.txt"]), "receipt")

	// Cut short.
	upTo := func(n int) []byte { return []byte(strings.Join(lines[:n], "")) }
	bad("cut-in-header", "cut within the first line", data[:10], "receipt")
	bad("cut-in-extra", "cut within extra", data[:200], "receipt")
	bad("cut-in-proof", "cut behind the first hash", upTo(4), "receipt")
	blank := strings.Index(text, "\n\n")
	bad("cut-before-checkpoint", "cut before the checkpoint", data[:blank+2], "checkpoint")
	bad("cut-in-checkpoint", "cut behind the checkpoint's size", data[:blank+2+strings.Index(text[blank+2:], "\n")+4], "checkpoint")
	bad("cut-before-signatures", "cut before the signatures", data[:strings.Index(text, "— ")], "checkpoint")
	bad("cut-in-signature", "cut within the last signature", data[:len(data)-20], "checkpoint")
	bad("no-last-line-feed", "the last line feed is missing", data[:len(data)-1], "checkpoint")
	bad("line-behind", "an empty line behind the signatures", append(bytes.Clone(data), '\n'), "checkpoint")
	bad("words-behind", "a mail's footer behind the signatures", append(bytes.Clone(data), "-- \nSent by mail\n"...), "checkpoint")

	// Mangled: nothing is said of what the receipt proves.
	unknown := func(name, shows string, data []byte) { v.unknown(name, shows, "two-of-three", data, "protocol.txt") }
	unknown("crlf", "lines that end in CRLF", bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")))
	unknown("one-crlf", "one line that ends in CRLF", alter(v.t, data, "\nindex 5\n", "\nindex 5\r\n"))
	unknown("byte-order-mark", "a byte order mark before the first line", append([]byte("\xef\xbb\xbf"), data...))
	var wide []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	unknown("utf-16", "saved as UTF-16", wide)
	bad("carriage-return", "a carriage return alone ends a line", alter(v.t, data, "\nindex 5\n", "\nindex 5\r"), "receipt")

	// The entry and its place.
	other := l.of("sap")
	altered("another-entry", "the entry is that of another statement, which was logged elsewhere", "inclusion proof",
		func(r *receipt.Receipt) { r.Entry = other.Entry })
	altered("another-index", "the index is that of the next entry", "inclusion proof", func(r *receipt.Receipt) { r.Index++ })
	altered("index-is-size", "the index is the tree's size", "inclusion proof", func(r *receipt.Receipt) { r.Index = l.Size() })
	altered("index-far", "the index is far above the tree's size", "inclusion proof", func(r *receipt.Receipt) { r.Index = 1<<62 - 1 })
	altered("hash-altered", "one bit of the second hash of the proof is altered", "inclusion proof",
		func(r *receipt.Receipt) { r.Path[1][7] ^= 1 })
	altered("hash-less", "the last hash of the proof is missing", "inclusion proof",
		func(r *receipt.Receipt) { r.Path = r.Path[:len(r.Path)-1] })
	altered("hash-more", "the proof has a hash more", "inclusion proof",
		func(r *receipt.Receipt) { r.Path = append(r.Path, r.Path[0]) })
	altered("hashes-swapped", "two hashes of the proof are swapped", "inclusion proof",
		func(r *receipt.Receipt) { r.Path[0], r.Path[1] = r.Path[1], r.Path[0] })
	altered("signer-altered", "the entry names another organisation of the signer, which only the tree shows to be wrong",
		"inclusion proof", func(r *receipt.Receipt) { r.Entry = alter(v.t, r.Entry, `"org":"acme"`, `"org":"beta"`) })
	altered("time-altered", "the entry's time is altered", "inclusion proof",
		func(r *receipt.Receipt) { r.Entry = alter(v.t, r.Entry, `"time":"2026`, `"time":"2025`) })
	altered("signature-altered", "one byte of the entry's signature is altered", "entry", func(r *receipt.Receipt) {
		at := bytes.Index(r.Entry, []byte(`"sig":"`)) + 20
		r.Entry = bytes.Clone(r.Entry)
		r.Entry[at] = flip(string(r.Entry[at]))[0]
	})
	altered("statement-altered", "the version in the statement is altered", "entry", func(r *receipt.Receipt) {
		r.Entry = repay(v.t, r.Entry, func(p []byte) []byte { return alter(v.t, p, `"version":"1.0"`, `"version":"1.1"`) })
	})
	altered("entry-cut", "the entry is cut by a byte", "entry", func(r *receipt.Receipt) { r.Entry = r.Entry[:len(r.Entry)-1] })
	v.bad("genesis", "a receipt for the genesis", "two-of-three", l.at(0).Marshal(), "entry")
	v.bad("state-entry", "a receipt for a state entry", "two-of-three", l.at(1).Marshal(), "entry")
}

// openings are receipts whose openings were altered or taken away.
func (v *vectors) openings(l *smallLog) {
	private := l.facts("private", nil)
	private.Name = "Ada Lovelace"
	opened := func(change func([]byte) []byte) []byte {
		r := *l.of("private")
		r.Openings = change(bytes.Clone(r.Openings))
		return r.Marshal()
	}
	none := opened(func([]byte) []byte { return nil })
	all := []string{"document", "appendix-1", "appendix-2"}
	v.good("no-openings", "salts and name are taken away, and no document is given: valid", "two-of-three", none,
		with(private, func(f *facts) { f.Name, f.Missing = "", all }))
	v.good("no-openings-open-document", "the same with the document that is committed to without a salt", "two-of-three", none,
		with(private, func(f *facts) {
			f.Name, f.Subjects, f.Missing = "", []string{"appendix-1"}, []string{"document", "appendix-2"}
		}), "appendix.txt")
	v.unknown("no-salt", "a document whose salt is taken away: it may be what was logged, or not", "two-of-three", none,
		"consent-form.txt")
	v.unknown("no-salt-other-file", "another file, while a salt is lacking: it cannot be told from the document", "two-of-three", none,
		"sap.txt")
	one := opened(func([]byte) []byte {
		return []byte(`{"salts":{"document":"` + trial.Hash(saltOf("first salt")).String() + `"}}`)
	})
	v.good("one-salt", "one of two salts is taken away, and the document with the other is given", "two-of-three", one,
		with(private, func(f *facts) {
			f.Name, f.Subjects, f.Missing = "", []string{"document"}, []string{"appendix-1", "appendix-2"}
		}), "consent-form.txt")
	v.unknown("one-salt-other-document", "one of two salts is taken away, and the document with that salt is given", "two-of-three", one,
		"private-appendix.txt")
	v.bad("salted-other-file", "both salts are there, and the file is none of the three documents", "two-of-three",
		l.of("private").Marshal(), "file", "sap.txt")
	salt := trial.Hash(saltOf("first salt")).String()
	wrong := opened(func(o []byte) []byte { return alter(v.t, o, salt, strings.Repeat("ab", 32)) })
	v.bad("wrong-salt", "a salt is altered, and the document is given", "two-of-three", wrong, "file", "consent-form.txt")
	v.good("wrong-salt-alone", "a salt is altered, and no document is given: there is nothing to check it with", "two-of-three", wrong,
		with(private, func(f *facts) { f.Missing = all }))
	for _, c := range []struct {
		name, shows string
		change      func([]byte) []byte
	}{
		{"name", "the printed name is altered", func(o []byte) []byte { return alter(v.t, o, "Ada Lovelace", "Ada Byron") }},
		{"name-salt", "the salt of the printed name is altered",
			func(o []byte) []byte {
				return alter(v.t, o, trial.Hash(saltOf("name salt")).String(), strings.Repeat("ab", 32))
			}},
		{"name-without-salt", "a name without its salt", func([]byte) []byte { return []byte(`{"name":"Ada Lovelace"}`) }},
		{"empty-object", "an object without members", func([]byte) []byte { return []byte(`{}`) }},
		{"no-salts", "an empty object of salts", func([]byte) []byte { return []byte(`{"salts":{}}`) }},
		{"zero-salt", "a salt of 64 zeros stands for a name that is there", func(o []byte) []byte {
			return alter(v.t, o, trial.Hash(saltOf("name salt")).String(), strings.Repeat("0", 64))
		}},
		{"unknown-subject", "a salt for a subject that the statement does not have",
			func(o []byte) []byte { return alter(v.t, o, `"document":`, `"documents":`) }},
		{"salt-of-open", "a salt for a subject that has none",
			func(o []byte) []byte { return alter(v.t, o, `"appendix-2":`, `"appendix-1":`) }},
		{"upper-case", "a salt in capital letters", func(o []byte) []byte { return alter(v.t, o, salt, strings.ToUpper(salt)) }},
		{"space", "a space behind a colon", func(o []byte) []byte { return alter(v.t, o, `"name":`, `"name": `) }},
		{"member", "an unknown member", func(o []byte) []byte { return alter(v.t, o, `{"name"`, `{"mail":"x","name"`) }},
		{"line-feed", "a line feed behind them", func(o []byte) []byte { return append(o, '\n') }},
		{"order", "members that are not in order", func([]byte) []byte {
			return []byte(`{"salts":{"document":"` + salt + `","appendix-2":"` + salt + `"}}`)
		}},
	} {
		v.bad("openings-"+c.name, "openings: "+c.shows, "two-of-three", opened(c.change), "openings")
	}
}

// with returns facts with a change.
func with(f facts, change func(*facts)) facts {
	change(&f)
	return f
}
