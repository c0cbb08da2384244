package witness

import (
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// TestTable goes through the table of answers in the package comment, and through every request
// that is nearly right. Each request is sent to a witness that cosigned size 5 of log, and
// nothing of the others.
func TestTable(t *testing.T) {
	l, second := newLog(t, "log.example/a"), newLog(t, "log.example/a")
	fresh, ml, stranger := newLog(t, "log.example/b"), newMLDSALog(t, "log.example/m"), newLog(t, "log.example/x")
	impostor := newLog(t, "log.example/a")
	tr := newTree().grow("a", 12)
	other := newTree().grow("a", 4).grow("b", 12)
	big := newTree().grow("a", 70)

	good, p59 := l.at(t, tr, 9), tr.proof(5, 9)
	h0 := base64.StdEncoding.EncodeToString(p59[0][:])
	body := ask(5, p59, good)
	edit := func(old, new string) string {
		t.Helper()
		if strings.Count(body, old) == 0 {
			t.Fatalf("nothing to edit: %q", old)
		}
		return strings.Replace(body, old, new, 1)
	}
	sign := func(text string) string { return l.sign(t, text) }
	root9 := tr.root(9).String()
	resigned := func(size, root string) string { return ask(5, p59, sign("log.example/a\n"+size+"\n"+root+"\n")) }
	// spareBits sets the spare bits of a base64 string: 32 bytes
	// are 43 characters, the last of which carries four bits of six.
	spareBits := func(s string) string {
		const abc = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		return s[:42] + string(abc[strings.IndexByte(abc, s[42])+1]) + s[43:]
	}
	// A wrong signature by a key whose name and ID are right.
	forged := func(line string) string {
		s, _ := parseSigLine(strings.TrimSuffix(line, "\n"))
		s.sig[10] ^= 1
		return formatSigLine(s.name, s.id, s.sig)
	}
	sigOf := func(n string) string { return n[strings.Index(n, "\n\n")+2:] }
	textOf := func(n string) string { return n[:strings.Index(n, "\n\n")+1] }
	ownLine := func() string {
		line, err := testKey(t, Ed25519).cosign(&checkpoint{text: textOf(good)}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return line
	}()

	tests := []struct {
		name   string
		body   string
		status int
		answer string // "" is any
	}{
		{"accepted", body, 200, ""},
		{"accepted first", fresh.grow(t, tr, 0, 9), 200, ""},
		{"accepted first, size 1", fresh.grow(t, tr, 0, 1), 200, ""},
		{"accepted first, size 0", fresh.grow(t, tr, 0, 0), 200, ""},
		{"accepted again", ask(5, nil, l.at(t, tr, 5)), 200, ""},
		{"accepted by the second key", ask(5, p59, second.at(t, tr, 9)), 200, ""},
		{"accepted by both keys", ask(5, p59, l.sign(t, textOf(good), second.signer)), 200, ""},
		{"accepted by ML-DSA", ml.grow(t, tr, 0, 9), 200, ""},
		{"accepted with extension line", ask(5, p59, sign(text(l.origin, 9, tr.root(9), "ext"))), 200, ""},
		{"unknown signatures before and after", ask(5, p59, textOf(good)+"\n"+ownLine+sigOf(good)+ownLine), 200, ""},
		{"unknown signature of one byte", body + "— x AAAAAAA=\n", 200, ""},
		{"known line twice", body + sigOf(good), 200, ""},
		{"100 signature lines", body + strings.Repeat(ownLine, 99), 200, ""},
		{"size 2^63-1 first", ask(0, nil, fresh.sign(t, text(fresh.origin, math.MaxInt64, tr.root(9)))), 200, ""},

		{"unknown origin", stranger.grow(t, tr, 0, 9), 404, ""},
		{"unknown origin, old above size", ask(10, nil, stranger.at(t, tr, 9)), 404, ""},
		{"unknown origin, known signer", ask(5, p59, sign(text("log.example/x", 9, tr.root(9)))), 404, ""},

		{"no known signature", ask(5, p59, impostor.at(t, tr, 9)), 403, ""},
		{"signed by another log's key", ask(5, p59, fresh.sign(t, textOf(good))), 403, ""},
		{"known key's signature wrong", ask(5, p59, textOf(good)+"\n"+forged(sigOf(good))), 403, ""},
		{"one known key right, the other wrong", ask(5, p59, good+forged(sigOf(second.at(t, tr, 9)))), 403, ""},
		{"one key's line right, and again wrong", ask(5, p59, good+forged(sigOf(good))), 403, ""},
		{"known key's signature short", ask(5, p59, textOf(good)+"\n"+formatSigLine(l.origin, l.signer.KeyHash(), []byte{1})), 403, ""},
		{"signature of another text", ask(5, p59, textOf(good)+"\n"+sigOf(l.at(t, tr, 8))), 403, ""},
		{"no known signature, old above size", ask(10, nil, impostor.at(t, tr, 9)), 403, ""},
		{"no known signature, wrong old", ask(3, nil, impostor.at(t, tr, 9)), 403, ""},
		{"ML-DSA signature wrong", ask(0, nil, textOf(ml.at(t, tr, 9))+"\n"+forged(sigOf(ml.at(t, tr, 9)))), 403, ""},

		{"old above size", ask(10, nil, good), 400, ""},
		{"old above size and not the record", ask(6, nil, l.at(t, tr, 3)), 400, ""},
		{"empty", "", 400, ""},
		{"only a line feed", "\n", 400, ""},
		{"no old line", strings.TrimPrefix(body, "old 5\n"), 400, ""},
		{"old without number", edit("old 5\n", "old \n"), 400, ""},
		{"old without space", edit("old 5\n", "old5\n"), 400, ""},
		{"old with two spaces", edit("old 5\n", "old  5\n"), 400, ""},
		{"old with trailing space", edit("old 5\n", "old 5 \n"), 400, ""},
		{"Old", edit("old 5\n", "Old 5\n"), 400, ""},
		{"old 05", edit("old 5\n", "old 05\n"), 400, ""},
		{"old 00", ask("00", nil, fresh.at(t, tr, 9)), 400, ""},
		{"old +5", edit("old 5\n", "old +5\n"), 400, ""},
		{"old -0", ask("-0", nil, fresh.at(t, tr, 9)), 400, ""},
		{"old -5", edit("old 5\n", "old -5\n"), 400, ""},
		{"old 0x5", edit("old 5\n", "old 0x5\n"), 400, ""},
		{"old 5_0", edit("old 5\n", "old 5_0\n"), 400, ""},
		{"old 2^63", edit("old 5\n", "old 9223372036854775808\n"), 400, ""},
		{"old 2^64+5", edit("old 5\n", "old 18446744073709551621\n"), 400, ""},
		{"old in other digits", edit("old 5\n", "old \u0665\n"), 400, ""},
		{"CRLF", strings.ReplaceAll(body, "\n", "\r\n"), 400, ""},
		{"CR in old line", edit("old 5\n", "old 5\r\n"), 400, ""},
		{"CR in proof line", edit(h0+"\n", h0+"\r\n"), 400, ""},
		{"CR in empty line", edit("\n\n", "\n\r\n"), 400, ""},
		{"CR in checkpoint", edit(root9+"\n", root9+"\r\n"), 400, ""},
		{"CR in signature", strings.TrimSuffix(body, "\n") + "\r\n", 400, ""},
		{"no line feed at the end", strings.TrimSuffix(body, "\n"), 400, ""},
		{"no empty line", edit("\n\nlog", "\nlog"), 400, ""},
		{"two empty lines", edit("\n\nlog", "\n\n\nlog"), 400, ""},
		{"nothing but old and empty line", "old 5\n\n", 400, ""},
		{"64 proof lines", ask(5, make(tlog.TreeProof, 64), good), 400, ""},
		{"1000 proof lines", ask(5, make(tlog.TreeProof, 1000), good), 400, ""},
		{"proof line with spare bits", edit(h0, spareBits(h0)), 400, ""},
		{"proof line of 31 bytes", edit(h0, base64.StdEncoding.EncodeToString(p59[0][:31])), 400, ""},
		{"proof line of 33 bytes", edit(h0, base64.StdEncoding.EncodeToString(append(p59[0][:], 0))), 400, ""},
		{"proof line without padding", edit(h0, strings.TrimSuffix(h0, "=")), 400, ""},
		{"proof line in URL alphabet", ask(5, nil, good)[:6] + strings.Repeat("-", 43) + "=\n\n" + good, 400, ""},
		{"proof line in hex", edit(h0, fmt.Sprintf("%x", p59[0][:])), 400, ""},
		{"proof line with space before", edit(h0, " "+h0), 400, ""},
		{"proof line with space behind", edit(h0, h0+" "), 400, ""},
		{"no signature", ask(5, p59, textOf(good)), 400, ""},
		{"no signature but an empty line", ask(5, p59, textOf(good)+"\n"), 400, ""},
		{"signature with spare bits", body + "— x AAAAAAB=\n", 400, ""},
		{"signature of four bytes", body + "— x " + base64.StdEncoding.EncodeToString([]byte("1234")) + "\n", 400, ""},
		{"signature without name", body + "—  " + strings.Repeat("A", 96) + "\n", 400, ""},
		{"signature without base64", body + "— x\n", 400, ""},
		{"signature with a hyphen", body + "- x " + strings.Repeat("A", 96) + "\n", 400, ""},
		{"signature with two spaces", body + "— x  " + strings.Repeat("A", 96) + "\n", 400, ""},
		{"signature with plus in the name", body + "— x+y " + strings.Repeat("A", 96) + "\n", 400, ""},
		{"empty line between signatures", body + "\n" + sigOf(good), 400, ""},
		{"empty line at the end", body + "\n", 400, ""},
		{"101 signature lines", body + strings.Repeat(ownLine, 100), 400, ""},
		{"malformed line behind a wrong signature", ask(5, p59, textOf(good)+"\n"+forged(sigOf(good))+"nonsense\n"), 400, ""},
		{"size 09", resigned("09", root9), 400, ""},
		{"size +9", resigned("+9", root9), 400, ""},
		{"size -9", resigned("-9", root9), 400, ""},
		{"size empty", "old 5\n\nlog.example/a\n\n" + root9 + "\n\n" + sigOf(good), 400, ""},
		{"size 2^63", resigned("9223372036854775808", root9), 400, ""},
		{"size with space", resigned("9 ", root9), 400, ""},
		{"root with spare bits", resigned("9", spareBits(root9)), 400, ""},
		{"root of 31 bytes", resigned("9", base64.StdEncoding.EncodeToString(make([]byte, 31))), 400, ""},
		{"root in hex", resigned("9", fmt.Sprintf("%x", make([]byte, 32))), 400, ""},
		{"two lines", ask(5, p59, sign("log.example/a\n9\n")), 400, ""},
		{"empty origin", ask(5, p59, sign("\n9\n"+root9+"\n")), 400, ""},
		{"not UTF-8", edit("log.example/a\n", "log.example/\xff\n"), 400, ""},
		{"NUL", edit("log.example/a\n", "log.example/a\x00\n"), 400, ""},
		{"tab in extension line", ask(5, p59, text(l.origin, 9, tr.root(9), "a\tb")+"\n"+sigOf(good)), 400, ""},
		{"ML-DSA log with extension line", ask(0, nil, text(ml.origin, 9, tr.root(9), "ext")+"\n"+sigOf(ml.at(t, tr, 9))), 400, ""},

		{"old not the record", ask(3, tr.proof(3, 9), good), 409, "5\n"},
		{"old above the record", ask(6, tr.proof(6, 9), good), 409, "5\n"},
		{"old 0 with a record", ask(0, nil, good), 409, "5\n"},
		{"old 0 with a record, and a proof", ask(0, p59, good), 409, "5\n"},
		{"old without a record", ask(5, p59, fresh.at(t, tr, 9)), 409, "0\n"},
		{"old not the record, wrong proof", ask(3, nil, good), 409, "5\n"},
		{"rollback", ask(3, nil, l.at(t, tr, 3)), 409, "5\n"},
		{"size 0 with a record", ask(0, nil, l.at(t, tr, 0)), 409, "5\n"},
		{"size 0 with a record and another root", ask(0, nil, sign(text(l.origin, 0, tr.root(1)))), 409, "5\n"},

		{"size 0 with another root", ask(0, nil, fresh.sign(t, text(fresh.origin, 0, tr.root(1)))), 422, ""},
		{"size 0 with a proof", ask(0, p59[:1], fresh.at(t, tr, 0)), 422, ""},
		{"proof with old 0", ask(0, p59[:1], fresh.at(t, tr, 9)), 422, ""},
		{"no proof", ask(5, nil, good), 422, ""},
		{"proof of another tree", ask(5, other.proof(5, 9), good), 422, ""},
		{"another tree with its proof", ask(5, other.proof(5, 9), l.at(t, other, 9)), 422, ""},
		{"proof too long", ask(5, append(append(tlog.TreeProof{}, p59...), p59[0]), good), 422, ""},
		{"63 proof lines", ask(5, make(tlog.TreeProof, 63), good), 422, ""},
		{"proof of other sizes", ask(5, big.proof(5, 70), good), 422, ""},
		{"same size with another root", ask(5, nil, l.at(t, other, 5)), 422, ""},
		{"same size with a proof", ask(5, p59[:1], l.at(t, tr, 5)), 422, ""},
		{"size 2^63-1", ask(5, p59, sign(text(l.origin, math.MaxInt64, tr.root(9)))), 422, ""},
		{"size 2^62+1", ask(5, p59, sign(text(l.origin, 1<<62+1, tr.root(9)))), 422, ""},
		{"size 2^62", ask(5, p59, sign(text(l.origin, 1<<62, tr.root(9)))), 422, ""},

		{"too large", body + strings.Repeat("x", maxBody), 413, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, _ := setup(t, l, second, fresh, ml)
			must(t, w, l.grow(t, tr, 0, 5))
			before := get(w, "/"+originHash(l.origin)+"/checkpoint").Body.String()

			answered := make(chan *httptest.ResponseRecorder, 1)
			go func() { answered <- post(w, tt.body) }()
			var rec *httptest.ResponseRecorder
			select {
			case rec = <-answered:
			case <-time.After(time.Minute):
				t.Fatal("no answer")
			}
			if rec.Code != tt.status || tt.answer != "" && rec.Body.String() != tt.answer {
				t.Fatalf("got %d %q, want %d %q", rec.Code, rec.Body, tt.status, tt.answer)
			}
			wantType := "text/plain; charset=utf-8"
			if tt.status == 409 {
				wantType = "text/x.tlog.size"
			}
			if got := rec.Header().Get("Content-Type"); got != wantType {
				t.Errorf("Content-Type %q, want %q", got, wantType)
			}
			if !strings.HasSuffix(rec.Body.String(), "\n") {
				t.Errorf("body %q does not end in a line feed", rec.Body)
			}
			after := get(w, "/"+originHash(l.origin)+"/checkpoint").Body.String()
			if tt.status != 200 && before != after {
				t.Errorf("a refusal changed the record to %s", after)
			}
			if tt.status == 200 {
				cp, err := parseRequest([]byte(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				if _, _, ok := w.cfg.Key.cosigned(mustParse(t, cp.cp.text+"\n"+rec.Body.String())); !ok {
					t.Errorf("no valid cosignature: %s", rec.Body)
				}
			}
		})
	}
}

func mustParse(t testing.TB, n string) *checkpoint {
	t.Helper()
	cp, err := parseCheckpoint([]byte(n))
	if err != nil {
		t.Fatal(err)
	}
	return cp
}

// TestExtensionLines: an ML-DSA-44 witness does not cosign what its cosignature would not
// cover.
func TestExtensionLines(t *testing.T) {
	l := newLog(t, "log.example/a")
	tr := newTree().grow("a", 9)
	w := open(t, Config{Dir: t.TempDir(), Key: testKey(t, MLDSA44), Logs: []Log{{VKey: l.vkey}}})
	want(t, w, ask(0, nil, l.sign(t, text(l.origin, 5, tr.root(5), "ext"))), 400, "")
	must(t, w, l.grow(t, tr, 0, 5))
}

func TestRouting(t *testing.T) {
	l := newLog(t, "log.example/a")
	w, _ := setup(t, l)
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/add-checkpoint", 405},
		{"PUT", "/add-checkpoint", 405},
		{"HEAD", "/add-checkpoint", 405},
		{"POST", "/" + originHash(l.origin) + "/checkpoint", 405},
		{"DELETE", "/" + originHash(l.origin) + "/checkpoint", 405},
		{"POST", "/", 405},
		{"GET", "/", 200},
		{"POST", "/add-checkpoint/", 404},
		{"POST", "/v1/add-checkpoint", 404},
		{"POST", "/sign-subtree", 404},
		{"GET", "/" + originHash(l.origin), 404},
		{"GET", "/" + originHash(l.origin) + "/checkpoint", 404}, // nothing cosigned yet
		{"GET", "/" + originHash("log.example/b") + "/checkpoint", 404},
		{"GET", "/healthz", 200},
		{"GET", "/metrics", 200},
	} {
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, httptest.NewRequest(tt.method, tt.path, strings.NewReader("x")))
		if rec.Code != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, rec.Code, tt.status)
		}
	}
	tr := newTree().grow("a", 9)
	cosig := must(t, w, l.grow(t, tr, 0, 5))
	rec := get(w, "/"+originHash(l.origin)+"/checkpoint")
	if got, want := rec.Body.String(), l.at(t, tr, 5)+cosig; rec.Code != 200 || got != want {
		t.Errorf("checkpoint: %d\n%s, want\n%s", rec.Code, got, want)
	}
	if rec := get(w, "/"+strings.ToUpper(originHash(l.origin))+"/checkpoint"); rec.Code != 404 {
		t.Errorf("upper-case origin hash: %d", rec.Code)
	}
}

// TestServedCheckpoint: what is served has the log's signatures that were verified, the newest
// cosignature, and nothing that a stranger put into the request.
func TestServedCheckpoint(t *testing.T) {
	l, second, stranger := newLog(t, "log.example/a"), newMLDSALog(t, "log.example/a"), newLog(t, "log.example/x")
	w, _ := setup(t, l, second)
	tr := newTree().grow("a", 9)
	n := l.sign(t, text(l.origin, 5, tr.root(5)), stranger.signer, second.signer)
	cosig := must(t, w, ask(0, nil, n))
	got := get(w, "/"+originHash(l.origin)+"/checkpoint").Body.String()
	v1, err := note.NewVerifier(l.vkey)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := note.Open([]byte(got), note.VerifierList(v1))
	if err != nil || len(opened.Sigs) != 1 || len(opened.UnverifiedSigs) != 2 {
		t.Fatalf("served %s: %v", got, err)
	}
	if strings.Contains(got, stranger.origin) || !strings.HasSuffix(got, cosig) {
		t.Errorf("served %s", got)
	}
}

func TestKeepAlive(t *testing.T) {
	l := newLog(t, "log.example/a")
	w, _ := setup(t, l)
	srv := httptest.NewServer(w.Handler())
	defer srv.Close()
	tr := newTree().grow("a", 9)
	bodies := []string{l.grow(t, tr, 0, 5), "nonsense", ask(3, nil, l.at(t, tr, 9)), l.grow(t, tr, 5, 9)}
	for i, status := range []int{200, 400, 409, 200} {
		var reused bool
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }}
		req, err := http.NewRequest("POST", srv.URL+"/add-checkpoint", strings.NewReader(bodies[i]))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := srv.Client().Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != status || reused != (i > 0) {
			t.Errorf("request %d: status %d, connection reused %v", i, resp.StatusCode, reused)
		}
	}
}

// TestGrowth grows a tree from every size to every size up to 40, each pair in a log of its
// own, with the right proof and with each proof that has one wrong hash.
func TestGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	const max = 40
	tr := newTree().grow("a", max)
	l := newLog(t, "log.example/growth")
	_, secret, _ := strings.Cut(l.vkey, "+")
	_, secret, _ = strings.Cut(secret, "+") // type byte and public key, in base64
	raw, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(origin string, size int64) string {
		s := text(origin, size, tr.root(size))
		sig, err := l.signer.Sign([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return s + "\n" + formatSigLine(origin, keyID(origin, raw), sig)
	}
	cfg := Config{Dir: t.TempDir(), Key: testKey(t, Ed25519)}
	origin := func(old, new int64) string { return fmt.Sprintf("log.example/%d-%d", old, new) }
	for old := int64(0); old <= max; old++ {
		for new := old; new <= max; new++ {
			name := origin(old, new)
			cfg.Logs = append(cfg.Logs, Log{VKey: fmt.Sprintf("%s+%08x+%s", name, keyID(name, raw), secret)})
		}
	}
	w := open(t, cfg)
	for old := int64(0); old <= max; old++ {
		for new := old; new <= max; new++ {
			name := origin(old, new)
			must(t, w, ask(0, nil, sign(name, old)))
			proof, cp := tr.proof(old, new), sign(name, new)
			wrong := []tlog.TreeProof{append(append(tlog.TreeProof{}, proof...), tr.root(1))}
			for i := range proof {
				flipped := append(tlog.TreeProof{}, proof...)
				flipped[i][i] ^= 1
				missing := append(append(tlog.TreeProof{}, proof[:i]...), proof[i+1:]...)
				wrong = append(wrong, flipped, missing)
				if i > 0 && proof[i] != proof[i-1] {
					swapped := append(tlog.TreeProof{}, proof...)
					swapped[i-1], swapped[i] = swapped[i], swapped[i-1]
					wrong = append(wrong, swapped)
				}
			}
			for _, p := range wrong {
				want(t, w, ask(old, p, cp), 422, "")
			}
			must(t, w, ask(old, proof, cp))
			if old < new {
				want(t, w, ask(old, proof, cp), 409, fmt.Sprintf("%d\n", new))
			}
		}
	}
}
