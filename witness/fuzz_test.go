package witness

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
)

// FuzzParseRequest: whatever is accepted has only one encoding, which can be made from its
// parts again, and the two libraries accept it as a note and a checkpoint too.
func FuzzParseRequest(f *testing.F) {
	l := newLog(f, "log.example/a")
	tr := newTree().grow("a", 9)
	good := l.grow(f, tr, 5, 9)
	f.Add([]byte(good))
	f.Add([]byte(ask(0, nil, l.at(f, tr, 0))))
	f.Add([]byte(ask("05", nil, l.at(f, tr, 9))))
	f.Add([]byte(ask(5, nil, l.sign(f, text(l.origin, 9, tr.root(9), "extension"), newLog(f, "x").signer))))
	f.Add([]byte(strings.ReplaceAll(good, "\n", "\r\n")))
	f.Add([]byte(good + "\n" + good))
	f.Add([]byte("old 1\n\na\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— x AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := parseRequest(body)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("error of another kind: %v", err)
			}
			return
		}
		var b strings.Builder
		fmt.Fprintf(&b, "old %d\n", req.old)
		for _, h := range req.proof {
			fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(h[:]))
		}
		cp := req.cp
		lines := strings.SplitAfterN(cp.text, "\n", 4)
		fmt.Fprintf(&b, "\n%s\n%d\n%s\n%s\n", cp.origin, cp.size, base64.StdEncoding.EncodeToString(cp.root[:]), lines[3])
		for _, s := range cp.sigs {
			b.WriteString(formatSigLine(s.name, s.id, s.sig))
		}
		if b.String() != string(body) {
			t.Errorf("%q is spelt %q again", body, b.String())
		}
		if req.old < 0 || cp.size < 0 || len(req.proof) > maxProof || len(cp.sigs) == 0 || cp.extended != (lines[3] != "") {
			t.Errorf("parsed %+v", req)
		}

		n := body[strings.Index(string(body), "\n\n")+2:]
		var unverified *note.UnverifiedNoteError
		if _, err := note.Open(n, nil); !errors.As(err, &unverified) || unverified.Note.Text != cp.text {
			t.Errorf("sumdb/note reads %q as %v", n, err)
		}
		c, err := torchwood.ParseCheckpoint(cp.text)
		if err != nil || c.Origin != cp.origin || c.N != cp.size || c.Hash != cp.root || (c.Extension != "") != cp.extended {
			t.Errorf("torchwood reads %q as %v, %v", cp.text, c, err)
		}

		// What the parser accepts causes no panic later.
		rec := &record{cp: checkpoint{size: req.old, root: cp.root}}
		rec.admits(req)
		if again, _, err := parseNoteLine(noteLine(n)); err != nil || again.text != cp.text {
			t.Errorf("journal gives %v for %q: %v", again, n, err)
		}
	})
}
