package witness

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// twoLogs opens a witness that has cosigned trees of two logs, and closes it.
func twoLogs(t *testing.T) (cfg Config, a, b *testLog, tr *tree) {
	t.Helper()
	a, b, tr = newLog(t, "log.example/a"), newLog(t, "log.example/b"), newTree().grow("a", 12)
	w, _ := setup(t, a, b)
	for _, l := range []*testLog{a, b} {
		must(t, w, l.grow(t, tr, 0, 5))
		must(t, w, l.grow(t, tr, 5, 9))
		other := newTree().grow("other", 12)
		want(t, w, l.grow(t, other, 5, 9), http.StatusConflict, "")
		want(t, w, ask(9, nil, l.at(t, other, 9)), http.StatusUnprocessableEntity, "")              // fills forks
		want(t, w, ask(9, tr.proof(9, 12), l.at(t, other, 12)), http.StatusUnprocessableEntity, "") // fills refused
	}
	w.Close()
	return w.cfg, a, b, tr
}

// second reports whether the folder can be made to cosign another tree of a size that was
// cosigned, and how it refuses to open if it refuses.
func second(t *testing.T, cfg Config, logs ...*testLog) (cosigned bool, why error) {
	t.Helper()
	w, err := Open(cfg)
	if err != nil {
		return false, err
	}
	defer w.Close()
	other := newTree().grow("other", 12)
	for _, l := range logs {
		for _, old := range []int64{0, 5, 9} {
			if post(w, l.grow(t, other, old, 9)).Code == http.StatusOK || post(w, l.grow(t, other, old, 12)).Code == http.StatusOK {
				return true, nil
			}
		}
	}
	return false, nil
}

// TestLost removes each file and each folder of a witness in turn, and each pair of files of a
// log. The witness never cosigns a second history, and says what is gone.
func TestLost(t *testing.T) {
	cfg, a, b, _ := twoLogs(t)
	var all []string
	filepath.WalkDir(cfg.Dir, func(path string, d fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(cfg.Dir, path); rel != "." {
			all = append(all, rel)
		}
		return err
	})
	hash := originHash(a.origin)
	for _, name := range []string{"lock", "witness", hash, hash + "/checkpoint", hash + "/history", hash + "/refused", hash + "/forks"} {
		if !slices.Contains(all, name) {
			t.Fatalf("no %s among %v", name, all)
		}
	}
	for _, base := range [][]string{all, {hash + "/checkpoint"}} {
		for _, name := range base {
			for _, also := range []string{"", hash + "/history"} {
				t.Run(name+"+"+also, func(t *testing.T) {
					c := cfg
					c.Dir = filepath.Join(t.TempDir(), "w")
					if err := os.CopyFS(c.Dir, os.DirFS(cfg.Dir)); err != nil {
						t.Fatal(err)
					}
					for _, gone := range []string{name, also} {
						if gone != "" {
							if err := os.RemoveAll(filepath.Join(c.Dir, gone)); err != nil {
								t.Fatal(err)
							}
						}
					}
					before := listed(t, c.Dir)
					cosigned, why := second(t, c, a, b)
					if cosigned {
						t.Fatal("it cosigned a second history")
					}
					harmless := []string{"lock", hash + "/refused", hash + "/forks", originHash(b.origin) + "/refused",
						originHash(b.origin) + "/forks"}
					if also == "" && slices.Contains(harmless, name) {
						if why != nil {
							t.Fatalf("it does not open, though nothing that it must know is gone: %v", why)
						}
						return
					}
					if why == nil {
						t.Fatal("it opens, and says of nothing that it is gone")
					}
					if after := listed(t, c.Dir); !slices.Equal(after, before) {
						t.Errorf("before it refused it made %v of %v", after, before)
					}
				})
			}
		}
	}
}

func listed(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if filepath.Base(path) != "lock" {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestLostMeanwhile: the files disappear while the witness runs, and a write fails, so that it
// reads them again.
func TestLostMeanwhile(t *testing.T) {
	l, tr := newLog(t, "log.example/a"), newTree().grow("a", 12)
	failing := false
	cfg := Config{Dir: t.TempDir(), Key: testKey(t, Ed25519), Logs: []Log{{VKey: l.vkey}}, faults: func(step string, done bool) error {
		if failing && step == "write checkpoint" {
			return os.ErrPermission
		}
		return nil
	}}
	w := open(t, cfg)
	must(t, w, l.grow(t, tr, 0, 5))
	for _, name := range []string{"checkpoint", "history"} {
		if err := os.Remove(logFile(w, l, name)); err != nil {
			t.Fatal(err)
		}
	}
	failing = true
	want(t, w, l.grow(t, tr, 5, 9), http.StatusInternalServerError, "")
	failing = false
	other := newTree().grow("other", 12)
	want(t, w, l.grow(t, other, 0, 9), http.StatusInternalServerError, "")
}

// TestOldFolder opens folders as version 1 left them. They can be used, and from then on they
// know which logs they served, also the log that nobody names at that start.
func TestOldFolder(t *testing.T) {
	cfg, a, b, tr := twoLogs(t)
	name := filepath.Join(cfg.Dir, folderFile)
	text, err := readFolder(machine{}, cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{a.origin, b.origin}; !slices.Equal(text.origins, want) {
		t.Fatalf("%s names %v, want %v", name, text.origins, want)
	}
	old := strings.Join(strings.SplitAfter(strings.Replace(read(t, name), "version 2", "version 1", 1), "\n")[:3], "")
	if err := os.WriteFile(name, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	alone := cfg
	alone.Logs = cfg.Logs[:1]
	w := open(t, alone)
	must(t, w, a.grow(t, tr, 9, 12))
	w.Close()
	if err := os.RemoveAll(filepath.Join(cfg.Dir, originHash(b.origin))); err != nil {
		t.Fatal(err)
	}
	refused(t, cfg, "cosigned the log log.example/b before")
	// The first log is served all the same.
	open(t, alone).Close()

	// A folder of version 1 with a file that looks like a record and is not one.
	bad := cfg
	bad.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(bad.Dir, folderFile), []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(bad.Dir, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bad.Dir, "x", "checkpoint"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, bad, "restore it from a backup")
}

// TestMangledKey: the error says what was done to a key file.
func TestMangledKey(t *testing.T) {
	text := testKey(t, Ed25519).text()
	for mangled, want := range map[string]string{"": "is empty", "\xef\xbb\xbf" + text: "BOM", strings.ReplaceAll(text, "\n",
		"\r\n"): "CRLF"} {
		if _, err := ParseKey([]byte(mangled)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", mangled, err)
		}
	}
}

// TestTempLinkNotFollowed: somebody left a link at the place where a record is prepared.
func TestTempLinkNotFollowed(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, "checkpoint.tmp")); err != nil {
		t.Fatal(err)
	}
	if err := faults(nil).replace(machine{}, "checkpoint", filepath.Join(dir, "checkpoint"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if read(t, victim) != "precious" || read(t, filepath.Join(dir, "checkpoint")) != "x" {
		t.Error("the link was followed")
	}
}
