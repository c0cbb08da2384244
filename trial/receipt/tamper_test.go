package receipt_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

func TestGenuine(t *testing.T) {
	f := genuine(t)
	for what, data := range map[string][]byte{"three": f.three, "two": f.two} {
		v, err := receipt.Verify(f.policy, data, f.docs...)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if v.Index != f.index || len(v.Documents) != 2 || v.Documents[0].Subject != "document" || v.Documents[1].Subject != "appendix-1" ||
			len(v.Missing) != 0 || len(v.Unopened) != 0 || v.Checkpoint.Tree != f.tree || v.Openings.Name != "Ada Lovelace" {
			t.Errorf("%s: %+v", what, v)
		}
		r, err := receipt.Parse(data)
		if err != nil || !bytes.Equal(r.Marshal(), data) {
			t.Errorf("%s: Parse and Marshal part: %v", what, err)
		}
	}
	v, err := receipt.Verify(f.policy, f.three)
	if err != nil || len(v.Missing) != 2 || len(v.Documents) != 0 {
		t.Errorf("without files: %+v, %v", v, err)
	}
}

// A region is a stretch of a receipt, and the parts that an error may name if it is changed.
type region struct {
	name     string
	from, to int
	parts    []string
}

// regions cuts a receipt up.
func regions(t testing.TB, data []byte) []region {
	t.Helper()
	var all []region
	at := 0
	add := func(name string, n int, parts ...string) {
		all = append(all, region{name, at, at + n, parts})
		at += n
	}
	lines := strings.SplitAfter(string(data), "\n")
	add("header", len(lines[0]), "receipt")
	add("extra's name", len("extra "), "receipt")
	add("extra", len(lines[1])-len("extra \n"), "receipt", "entry", "inclusion proof", "openings", "file")
	add("extra's end", 1, "receipt")
	add("index's name", len("index "), "receipt")
	add("index", len(lines[2])-len("index \n"), "receipt", "inclusion proof")
	add("index's end", 1, "receipt")
	i := 3
	for ; lines[i] != "\n"; i++ {
		// A hash whose line is broken may read as the end of the proof.
		add("proof", len(lines[i]), "receipt", "inclusion proof")
	}
	add("blank line", 1, "receipt", "checkpoint")
	for i++; lines[i] != "\n"; i++ {
		add("text", len(lines[i]), "checkpoint")
	}
	add("blank line of the checkpoint", 1, "checkpoint")
	for i++; i < len(lines) && lines[i] != ""; i++ {
		_, rest, _ := strings.Cut(lines[i], " ")
		name, sig, _ := strings.Cut(rest, " ")
		who := name
		add(who+"'s dash", len("— "), "checkpoint")
		add(who+"'s name", len(name), "checkpoint", "quorum")
		add(who+"'s space", 1, "checkpoint")
		add(who+"'s key id", 6, "checkpoint", "quorum") // 32 bits in 5 1/3 characters
		add(who+"'s signature", len(sig)-6-1, "checkpoint")
		add(who+"'s end", 1, "checkpoint")
	}
	if at != len(data) {
		t.Fatalf("the regions end at %d of %d", at, len(data))
	}
	return all
}

// values returns what a test writes over byte b at position i: three single bits flipped, and
// at some positions every other value.
func values(b byte, i int) []byte {
	if i%41 != 0 || runtime.GOARCH == "wasm" {
		return []byte{b ^ 1, b ^ 0x20, b ^ 0x80}
	}
	var all []byte
	for v := range 256 {
		if byte(v) != b {
			all = append(all, byte(v))
		}
	}
	return all
}

func stride() int {
	if runtime.GOARCH == "wasm" {
		return 29
	}
	return 1
}

// TestEveryByte alters every byte of receipts. With the cosignatures of the quorum alone, every
// change is refused, and the error names a part that the change may have hit. With one more
// cosignature there is one exception: a change of the name or the key id on one cosignature's
// line makes it a signature by an unknown key. The specification wants those ignored ("clients
// MUST ignore unknown signatures"), and two good ones are left. The verdict counts it.
func TestEveryByte(t *testing.T) {
	trialtest.Long(t)
	f := genuine(t)
	for _, c := range []struct {
		name  string
		data  []byte
		spare bool
	}{{"quorum", f.two, false}, {"one to spare", f.three, true}} {
		t.Run(c.name, func(t *testing.T) {
			ignored, tried := 0, 0
			for _, r := range regions(t, c.data) {
				for i := r.from; i < r.to; i += stride() {
					altered := slices.Clone(c.data)
					for _, v := range values(c.data[i], i) {
						altered[i] = v
						tried++
						verdict, err := receipt.Verify(f.policy, altered, f.docs...)
						if err != nil {
							if part := partOf(t, err); !slices.Contains(r.parts, part) || verdict != nil {
								t.Fatalf("%s, byte %d %q to %q: blamed on %v, with a verdict %v", r.name, i, c.data[i], v, err, verdict)
							}
							continue
						}
						witness := strings.HasPrefix(r.name, "w1") || strings.HasPrefix(r.name, "w2") || strings.HasPrefix(r.name, "w3")
						if !c.spare || !witness || !strings.HasSuffix(r.name, "'s name") && !strings.HasSuffix(r.name, "'s key id") {
							t.Fatalf("%s, byte %d %q to %q: taken", r.name, i, c.data[i], v)
						}
						if verdict.Checkpoint.Unknown != 1 || len(verdict.Checkpoint.Cosignatures) != 2 {
							t.Fatalf("%s, byte %d: %d unknown, %d cosignatures", r.name, i, verdict.Checkpoint.Unknown,
								len(verdict.Checkpoint.Cosignatures))
						}
						ignored++
					}
				}
			}
			if (ignored > 0) != c.spare {
				t.Errorf("%d changes made a signature unknown", ignored)
			}
			t.Logf("%d changes, %d of them ignored", tried, ignored)
		})
	}
}

// TestEveryByteInside alters the contents of a receipt's base64, and the files.
func TestEveryByteInside(t *testing.T) {
	trialtest.Long(t)
	f := genuine(t)
	base, err := receipt.Parse(f.two)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what string, r *receipt.Receipt, docs []receipt.Document, parts ...string) {
		t.Helper()
		v, err := receipt.Verify(f.policy, r.Marshal(), docs...)
		if err == nil {
			t.Fatalf("%s: taken", what)
		}
		if part := partOf(t, err); !slices.Contains(parts, part) || v != nil {
			t.Fatalf("%s: blamed on %v", what, err)
		}
	}
	each := func(what string, data []byte, set func([]byte) (*receipt.Receipt, []receipt.Document), parts ...string) {
		t.Helper()
		for i := 0; i < len(data); i += stride() {
			for _, v := range values(data[i], i) {
				altered := slices.Clone(data)
				altered[i] = v
				r, docs := set(altered)
				refuse(fmt.Sprintf("%s byte %d %q to %q", what, i, data[i], v), r, docs, parts...)
			}
		}
		for _, altered := range [][]byte{data[:len(data)-1], append(slices.Clone(data), ' '), append(slices.Clone(data), data...)} {
			r, docs := set(altered)
			refuse(fmt.Sprintf("%s of %d bytes", what, len(altered)), r, docs, parts...)
		}
	}
	each("entry", base.Entry, func(b []byte) (*receipt.Receipt, []receipt.Document) {
		r := *base
		r.Entry = b
		return &r, f.docs
	}, "entry", "inclusion proof")
	each("openings", base.Openings, func(b []byte) (*receipt.Receipt, []receipt.Document) {
		r := *base
		r.Openings = b
		return &r, f.docs
	}, "openings", "file")
	each("file", []byte(f.files[0]), func(b []byte) (*receipt.Receipt, []receipt.Document) {
		docs := slices.Clone(f.docs)
		docs[0].Digest = sha(b)
		return base, docs
	}, "file")
	for n := range base.Path {
		each("proof", base.Path[n][:], func(b []byte) (*receipt.Receipt, []receipt.Document) {
			r := *base
			r.Path = slices.Clone(base.Path)
			r.Path[n] = [32]byte(append(b, make([]byte, 32)...))
			if len(b) != 32 { // one hash more, one hash less
				r.Path = slices.Delete(r.Path, n, n+1)
			}
			return &r, f.docs
		}, "inclusion proof")
	}
	for index := range f.log.Size() + 5 {
		if index != f.index {
			r := *base
			r.Index = index
			refuse(fmt.Sprintf("index %d", index), &r, f.docs, "inclusion proof")
		}
	}
	// Every other entry of the log, with its own proof, is refused.
	for index := range f.log.Size() {
		if index != f.index {
			r := *base
			r.Index, r.Path = index, f.log.Path(index, f.log.Size())
			refuse(fmt.Sprintf("the proof of entry %d", index), &r, f.docs, "inclusion proof")
		}
	}
}

// TestTruncated cuts receipts short at every byte.
func TestTruncated(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := genuine(t)
	for n := 0; n < len(f.two); n += stride() {
		if v, err := receipt.Verify(f.policy, f.two[:n], f.docs...); err == nil {
			t.Fatalf("cut to %d of %d bytes: taken: %+v", n, len(f.two), v)
		}
	}
	// Of three cosignatures the last one may be cut off whole: two are a quorum.
	cuts := 0
	for n := 0; n < len(f.three); n += stride() {
		if _, err := receipt.Verify(f.policy, f.three[:n], f.docs...); err == nil {
			if !bytes.HasSuffix(f.three[:n], []byte("\n")) {
				t.Fatalf("cut to %d bytes, within a line: taken", n)
			}
			cuts++
		}
	}
	if cuts != 1 && stride() == 1 {
		t.Errorf("%d cuts are taken, not the one between the second and third cosignature", cuts)
	}
}

// TestOtherSpellings: other encodings of the same contents are refused.
func TestOtherSpellings(t *testing.T) {
	f := genuine(t)
	text := string(f.two)
	lines := strings.SplitAfter(text, "\n")
	extra := strings.TrimSuffix(strings.TrimPrefix(lines[1], "extra "), "\n")
	last := lines[3]
	spare := func(line string) string { // sets a spare bit before the padding
		alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		i := strings.Index(line, "=") - 1
		return line[:i] + string(alphabet[strings.IndexByte(alphabet, line[i])|1]) + line[i+1:]
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(spare(last), "\n"))
	if good, _ := base64.StdEncoding.DecodeString(strings.TrimSuffix(last, "\n")); err != nil || !bytes.Equal(raw, good) {
		t.Fatal("the spare bit says something else: the test is off")
	}
	sigs := lines[len(lines)-4:]
	sig := lines[len(lines)-2]
	if !strings.HasPrefix(sig, "— w2") {
		t.Fatal(sigs)
	}
	for what, altered := range map[string]string{
		"CRLF":                       strings.ReplaceAll(text, "\n", "\r\n"),
		"CRLF in the proof":          strings.Replace(text, last, strings.Replace(last, "\n", "\r\n", 1), 1),
		"a CR in the extra":          strings.Replace(text, extra, extra[:8]+"\r"+extra[8:], 1),
		"a CR in a signature":        strings.Replace(text, sig, sig[:40]+"\r"+sig[40:], 1),
		"a spare bit in the proof":   strings.Replace(text, last, spare(last), 1),
		"a spare bit in a signature": strings.Replace(text, lines[len(lines)-4], spare(lines[len(lines)-4]), 1),
		"no padding in the proof":    strings.Replace(text, last, strings.Replace(last, "=", "", 1), 1),
		"index 0117":                 strings.Replace(text, "index ", "index 0", 1),
		"index +117":                 strings.Replace(text, "index ", "index +", 1),
		"index with space":           strings.Replace(text, "index ", "index  ", 1),
		"an upper-case header":       strings.Replace(text, "c2sp", "C2SP", 1),
		"version 2":                  strings.Replace(text, "@v1", "@v2", 1),
		"a line between":             strings.Replace(text, "index ", "\nindex ", 1),
		"extra twice":                strings.Replace(text, lines[1], lines[1]+lines[1], 1),
		"no extra":                   strings.Replace(text, lines[1], "", 1),
		"empty extra":                strings.Replace(text, lines[1], "extra \n", 1),
		"index first":                strings.Replace(text, lines[1]+lines[2], lines[2]+lines[1], 1),
		"a byte order mark":          "\ufeff" + text,
		"a line feed before":         "\n" + text,
		"a line feed behind":         text + "\n",
		"text behind":                text + "x",
		"an extension line":          strings.Replace(text, "\n\n—", "\nmore\n\n—", 1),
		"a leading zero in the size": strings.Replace(text, fmt.Sprintf("\n%d\n", f.tree.Size), fmt.Sprintf("\n0%d\n", f.tree.Size), 1),
		"a size over 2^62":           strings.Replace(text, fmt.Sprintf("\n%d\n", f.tree.Size), "\n4611686018427387904\n", 1),
		"a proof of 64 hashes":       strings.Replace(text, last, strings.Repeat(last, 64), 1),
		"more than the most":         text + strings.Repeat("\n", receipt.MaxSize),
		"another receipt's entry behind": strings.Replace(text, extra,
			base64.StdEncoding.EncodeToString(append(slices.Concat(f.log.Leaves[5], []byte{'\n'}), f.openings...)), 1),
		"nothing": "",
	} {
		if altered == text {
			t.Fatalf("%s: nothing was altered", what)
		}
		if _, err := receipt.Verify(f.policy, []byte(altered), f.docs...); err == nil {
			t.Errorf("%s: taken", what)
		} else if !errors.Is(err, receipt.ErrMangled) {
			partOf(t, err)
		}
	}
}

// TestVerifierRemembers: a Verifier that has seen the genuine receipt does not take an altered
// one for it, and neither does one that is given the genuine statement.
func TestVerifierRemembers(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := genuine(t)
	v := receipt.NewVerifier(f.policy)
	if _, err := v.Verify(f.three, f.docs...); err != nil {
		t.Fatal(err)
	}
	r, err := receipt.Parse(f.three)
	if err != nil {
		t.Fatal(err)
	}
	e, err := trial.ParseEntry(r.Entry)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(); err != nil {
		t.Fatal(err)
	}
	if _, err := v.VerifyFor(e.Statement, f.three); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(f.three); i += 7 {
		altered := slices.Clone(f.three)
		altered[i] ^= 2
		_, want := receipt.Verify(f.policy, altered, f.docs...)
		if _, err := v.Verify(altered, f.docs...); (err == nil) != (want == nil) {
			t.Fatalf("byte %d: %v, without memory %v", i, err, want)
		}
		_, want = receipt.Verify(f.policy, altered)
		if _, err := v.VerifyFor(e.Statement, altered); (err == nil) != (want == nil) {
			t.Fatalf("byte %d: %v, given the statement; without it %v", i, err, want)
		}
	}
}
