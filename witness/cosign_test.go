package witness

import (
	"strings"
	"testing"

	"filippo.io/torchwood"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// TestSecondOpinions: two libraries that share no code with this package verify every kind of
// cosignature, on the answer appended to the request's note and on what is served, and read the
// clock's time from it.
func TestSecondOpinions(t *testing.T) {
	tr := newTree().grow("a", 9)
	for name, alg := range map[string]Algorithm{"Ed25519": Ed25519, "ML-DSA-44": MLDSA44} {
		for _, l := range []*testLog{newLog(t, "log.example/a"), newMLDSALog(t, "log.example/m")} {
			t.Run(name+" on "+l.origin, func(t *testing.T) {
				key, c := testKey(t, alg), newClock()
				w := open(t, Config{Dir: t.TempDir(), Key: key, Logs: []Log{{VKey: l.vkey}}, Now: c.now})
				formats, err := fnote.NewVerifierForCosignatureV1(key.VKey())
				if err != nil {
					t.Fatal(err)
				}
				wood, err := torchwood.NewCosignatureVerifier(key.VKey())
				if err != nil {
					t.Fatal(err)
				}
				for _, grow := range [][2]int64{{0, 0}, {0, 5}, {5, 9}, {9, 9}} {
					c.sec.Add(1)
					body := l.grow(t, tr, grow[0], grow[1])
					cosig := must(t, w, body)
					if strings.Count(cosig, "\n") != 1 || !strings.HasPrefix(cosig, "— ") {
						t.Errorf("answer %q is not one signature line", cosig)
					}
					served := get(w, "/"+originHash(l.origin)+"/checkpoint").Body.String()
					for _, n := range []string{body[strings.Index(body, "\n\n")+2:] + cosig, served} {
						for _, v := range []note.Verifier{formats, wood} {
							opened, err := note.Open([]byte(n), note.VerifierList(v))
							if err != nil || len(opened.Sigs) != 1 {
								t.Fatalf("%T: %v\n%s", v, err, n)
							}
							ft, err1 := fnote.CoSigV1Timestamp(opened.Sigs[0])
							wt, err2 := torchwood.CosignatureTimestamp(opened.Sigs[0])
							if err1 != nil || err2 != nil || ft.Unix() != c.sec.Load() || wt != c.sec.Load() {
								t.Errorf("timestamps %v %v, want %d", ft.Unix(), wt, c.sec.Load())
							}
						}
						if _, err := torchwood.ParseCheckpoint(n[:strings.Index(n, "\n\n")+1]); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
	}
}

func TestKeyFile(t *testing.T) {
	for _, alg := range []Algorithm{Ed25519, MLDSA44} {
		k := testKey(t, alg)
		if k.Replays() {
			t.Error("key replays")
		}
		path := t.TempDir() + "/key"
		if err := k.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := k.Save(path); err == nil || !strings.Contains(err.Error(), "never overwritten") {
			t.Errorf("saved over a key: %v", err)
		}
		again, err := ReadKey(path)
		if err != nil || again.VKey() != k.VKey() {
			t.Fatalf("read back %v: %v", again, err)
		}
		good := read(t, path)
		for i, bad := range []string{
			"", good[1:], "x" + good, good[:len(good)-2], strings.Replace(good, "witness.", "witnesS.", 1),
			good + "folder\n", good + "folder 12\n", good + "folder " + strings.Repeat("z", 32) + "\n", good + "more\n",
		} {
			if _, err := ParseKey([]byte(bad)); err == nil {
				t.Errorf("key %d parsed: %q", i, bad)
			}
		}
		bound, err := ParseKey([]byte(good + "folder " + strings.Repeat("a", 32) + "\n"))
		if err != nil || bound.folder != strings.Repeat("a", 32) {
			t.Errorf("bound key: %v", err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", strings.Repeat("a", 256), "\xff"} {
		if _, err := NewKey(name, Ed25519); err == nil {
			t.Errorf("name %q accepted", name)
		}
	}
	if _, err := NewKey("w", 0x01); err == nil {
		t.Error("key of a log's type accepted")
	}
}

// TestReplayKeyRefused: a replaying key cannot be used without replaying.
func TestReplayKeyRefused(t *testing.T) {
	k, err := NewKey("witness.example/w1/replay", Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(Config{Dir: t.TempDir(), Key: k, Logs: []Log{{VKey: newLog(t, "log.example/a").vkey}}})
	if err == nil || !strings.Contains(err.Error(), "replay") {
		t.Errorf("opened with a replaying key: %v", err)
	}
}

func TestLogKeys(t *testing.T) {
	a, m := newLog(t, "log.example/a"), newMLDSALog(t, "log.example/m")
	long := newLog(t, strings.Repeat("a", 256))
	w1, w2 := testKey(t, Ed25519), testKey(t, MLDSA44)
	for _, tt := range []struct {
		vkey string
		key  *Key
		want string // "" if accepted
	}{
		{a.vkey, w1, ""},
		{m.vkey, w2, ""},
		{long.vkey, w1, ""},
		{long.vkey, w2, "255 bytes"},
		{w1.VKey(), w1, "witness's key"},
		{a.vkey + "\n", w1, "malformed"},
		{a.vkey[1:], w1, "key ID"},
		{strings.ToUpper(a.vkey), w1, "log key"},
		{"", w1, "malformed"},
		{"a+00000000+AQ==", w1, "malformed"},
	} {
		w, err := Open(Config{Dir: t.TempDir(), Key: tt.key, Logs: []Log{{VKey: tt.vkey}}})
		if err == nil {
			w.Close()
		}
		tt.key.folder = ""
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.20s: %v, want %q", tt.vkey, err, tt.want)
		}
	}
}
