package vectors

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// checkpoints are receipts with another checkpoint, or with altered signatures.
func (v *vectors) checkpoints(l *smallLog) {
	tree := l.Tree(l.Size())
	text := tree.String()
	under := func(name, shows, policy string, checkpoint []byte, part string) {
		r := l.of("protocol")
		r.Checkpoint = checkpoint
		v.bad(name, shows, policy, r.Marshal(), part, "protocol.txt")
	}
	genuine := l.signed(tree, w1, w2)
	bad := func(name, shows, part string, checkpoint []byte) {
		under(name, shows, "two-of-three", checkpoint, part)
	}
	size := fmt.Sprintf("\n%d\n", l.Size())

	bad("origin-altered", "the origin is altered", "checkpoint", alter(v.t, genuine, "log.example/trials\n", "log.example/trialz\n"))
	bad("size-altered", "the size is altered", "checkpoint", alter(v.t, genuine, size, fmt.Sprintf("\n%d\n", l.Size()+1)))
	bad("root-altered", "the root is altered", "checkpoint", alter(v.t, genuine, rootLine(text), b64.EncodeToString(make([]byte, 32))+"\n"))
	root := tree
	root.Root[0] ^= 1
	bad("another-root", "log and witnesses signed another root for the same size", "inclusion proof", l.signed(root, w1, w2))
	bad("older-tree", "log and witnesses signed the tree before the entry", "inclusion proof", l.signed(l.Tree(4), w1, w2))
	bad("smaller-tree", "log and witnesses signed a smaller tree, which has the entry at another place of the proof", "inclusion proof",
		l.signed(l.Tree(7), w1, w2))

	// Signed, and not in form.
	signers := []note.Signer{logKey, w1, w2}
	for _, c := range []struct{ name, shows, text string }{
		{"extension-line", "an extension line", text + "an extension\n"},
		{"size-leading-zero", "a size with a leading zero", strings.Replace(text, size, "\n0"+size[1:], 1)},
		{"size-plus", "a size with a sign", strings.Replace(text, size, "\n+"+size[1:], 1)},
		{"size-two-to-62", "a size of 2^62", strings.Replace(text, size, "\n4611686018427387904\n", 1)},
		{"root-spare-bits", "a root whose spare bits are not zero", strings.Replace(text, rootLine(text), spare(rootLine(text)), 1)},
		{"root-31-bytes", "a root of 31 bytes", strings.Replace(text, rootLine(text), b64.EncodeToString(make([]byte, 31))+"\n", 1)},
		{"no-root", "no root", strings.Replace(text, rootLine(text), "", 1)},
		{"other-origin", "an origin that is not the name of the log's key", strings.Replace(text, "log.example", "other.example", 1)},
		{"empty-line", "an empty line within its text", strings.Replace(text, size, "\n"+size, 1)},
	} {
		bad("checkpoint-"+c.name, "the signed checkpoint has "+c.shows, "checkpoint", noted(v.t, c.text, signers...))
	}
	bad("checkpoint-carriage-return", "a carriage return alone in a signature line by no key of the policy", "checkpoint",
		append(bytes.Clone(genuine), "— a\rb AAAAAAAA\n"...))
	bad("checkpoint-tab", "a tab in a signature line", "checkpoint", alter(v.t, genuine, "— w1.example/replay ", "— w1.example/replay\t"))
	bad("checkpoint-not-utf-8", "a byte that is not UTF-8 in a signature line by no key of the policy", "checkpoint",
		append(bytes.Clone(genuine), "— a\xffb AAAAAAAA\n"...))

	// The signature lines.
	lines := strings.SplitAfter(string(genuine), "\n") // origin, size, root, an empty line, the log, w1, w2
	altered := func(i int) []byte {
		at := len(strings.Join(lines[:i], "")) + len(lines[i]) - 12 // within the signature's base64
		b := bytes.Clone(genuine)
		b[at] = flip(string(b[at]))[0]
		return b
	}
	bad("log-signature-altered", "one character of the log's signature is altered", "checkpoint", altered(4))
	bad("cosignature-altered", "one character of a cosignature is altered", "checkpoint", altered(5))
	more := l.of("protocol", w1, w2, w3).Checkpoint
	at := bytes.Index(more, []byte("— w3.example")) + 200
	more[at] = flip(string(more[at]))[0]
	bad("mldsa-altered", "one character of a cosignature by an ML-DSA-44 key is altered; the other two satisfy the quorum", "checkpoint",
		more)
	bad("no-log-signature", "the log did not sign", "checkpoint", noted(v.t, text, w1, w2))
	sig := sign(v.t, w2, text)
	sig[7]++ // the lowest byte of the time
	bad("cosignature-time", "the time of a cosignature is altered", "checkpoint",
		append(l.signed(tree, w1), line(w2.Key, w2.KeyHash(), sig)...))
	bad("cosignature-other-tree", "a witness of the policy cosigned another tree", "checkpoint",
		append(l.signed(tree, w1), line(w2.Key, w2.KeyHash(), sign(v.t, w2, root.String()))...))
	bad("cosignature-older-tree", "a witness of the policy cosigned the tree before", "checkpoint",
		append(l.signed(tree, w1), line(w2.Key, w2.KeyHash(), sign(v.t, w2, l.Tree(4).String()))...))
	bad("mldsa-other-tree", "a witness with an ML-DSA-44 key cosigned another root", "checkpoint",
		append(l.signed(tree, w1), line(w3.Key, w3.KeyHash(), sign(v.t, w3, root.String()))...))
	plain := trialtest.Cosigner{Key: w2.Key, Alg: 0x01, Seed: w2.Key}
	bad("cosignature-without-time", "a witness signed as a log does, without a time", "checkpoint",
		append(l.signed(tree, w1), line(w2.Key, w2.KeyHash(), sign(v.t, plain, text))...))
	bad("cosignature-time-zero", "a cosignature with the time 0", "checkpoint", l.signed(tree, w1, cosigner(w2, 0)))
	bad("cosignature-year-10000", "a cosignature of the year 10000", "checkpoint", l.signed(tree, w1, cosigner(w2, 253402300800)))
	bad("cosignature-key-id", "the key ID of a cosignature is altered: the line is by no key of the policy, and the quorum is lacking",
		"quorum", append(l.signed(tree, w1), line(w2.Key, w2.KeyHash()+1, sign(v.t, w2, text))...))
	bad("cosignature-name", "the name of a cosignature is altered", "quorum", alter(v.t, genuine, "— w2.example ", "— w2.examples "))
	bad("cosignature-by-log", "the log's key stands for a witness", "quorum",
		append(l.signed(tree, w1), line(w2.Key, logKey.KeyHash(), sign(v.t, logKey, text))...))
	bad("dash", "a hyphen instead of the em dash", "checkpoint", alter(v.t, genuine, "— w2", "- w2"))
	bad("two-spaces", "two spaces before a signature", "checkpoint", alter(v.t, genuine, "— w2.example ", "— w2.example  "))
	bad("space-behind", "a space behind a signature", "checkpoint", append(bytes.Clone(genuine[:len(genuine)-1]), " \n"...))
	bad("signature-spare-bits-witness", "the spare bits of a cosignature's base64 are not zero", "checkpoint",
		[]byte(strings.Join(lines[:6], "")+spare(lines[6])))
	unknown := strings.TrimSuffix(line("stranger.example", 7, []byte{1, 2, 3}), "\n") + "\n"
	bad("signature-spare-bits-unknown", "the spare bits of a signature by no key of the policy are not zero", "checkpoint",
		append(bytes.Clone(genuine), spare(unknown)...))
	bad("signature-short", "a signature line by no key of the policy has a key ID and no signature", "checkpoint",
		append(bytes.Clone(genuine), line("stranger.example", 7, nil)...))
	var many []byte
	for i := range 97 {
		many = append(many, line("stranger.example", uint32(i), []byte{1})...)
	}
	r := l.of("protocol")
	r.Checkpoint = append(bytes.Clone(genuine), many...)
	v.good("100-lines", "100 signature lines", "two-of-three", r.Marshal(), with(l.facts("protocol", nil, "protocol"),
		func(f *facts) { f.Ignored = 97 }), "protocol.txt")
	bad("101-lines", "101 signature lines", "checkpoint", append(r.Checkpoint, line("stranger.example", 97, []byte{1})...))

	// Another log.
	foreign := tree
	foreign.Origin = others.Key
	r.Checkpoint = noted(v.t, foreign.String(), others, w1, w2)
	v.bad("another-log", "a receipt of another log", "two-of-three", r.Marshal(), "checkpoint", "protocol.txt")
	v.bad("another-logs-statement", "another log has the entry in its tree, but the statement is not meant for it", "another-log",
		r.Marshal(), "entry", "protocol.txt")
}

// rootLine returns the third line of a checkpoint.
func rootLine(text string) string { return strings.SplitAfter(text, "\n")[2] }
