package witness

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// savedKey makes a key with a file, as the daemon does.
func savedKey(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key")
	if err := testKey(t, Ed25519).Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func readKey(t *testing.T, path string) *Key {
	t.Helper()
	k, err := ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func refused(t *testing.T, cfg Config, why string) {
	t.Helper()
	w, err := Open(cfg)
	if err == nil {
		w.Close()
	}
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("opened: %v, want a refusal: %s", err, why)
	}
}

// TestFolderAndKey: folder and key belong together, across processes: each Open reads the key
// file again.
func TestFolderAndKey(t *testing.T) {
	logs := []Log{{VKey: newLog(t, "log.example/a").vkey}}
	path, dir := savedKey(t), filepath.Join(t.TempDir(), "made", "by", "open")
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	unused := read(t, path)
	open(t, Config{Dir: dir, Key: readKey(t, path), Logs: logs}).Close()
	open(t, Config{Dir: dir, Key: readKey(t, path), Logs: logs}).Close()
	if s, err := os.Stat(path); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v", s.Mode(), err)
	}

	// A used key, with a folder that is empty, or that of another key.
	refused(t, Config{Dir: t.TempDir(), Key: readKey(t, path), Logs: logs}, "could sign a rollback")
	otherPath, otherDir := savedKey(t), t.TempDir()
	open(t, Config{Dir: otherDir, Key: readKey(t, otherPath), Logs: logs}).Close()
	refused(t, Config{Dir: otherDir, Key: readKey(t, path), Logs: logs}, "belongs to another key")
	refused(t, Config{Dir: dir, Key: readKey(t, otherPath), Logs: logs}, "belongs to another key")
	refused(t, Config{Dir: dir, Key: readKey(t, savedKey(t)), Logs: logs}, "belongs to another key")

	// The folder's key, bound to another folder of that very key.
	second := t.TempDir()
	k, err := ParseKey([]byte(unused))
	if err != nil {
		t.Fatal(err)
	}
	open(t, Config{Dir: second, Key: k, Logs: logs}).Close()
	refused(t, Config{Dir: second, Key: readKey(t, path), Logs: logs}, "was used before")

	// A key in memory is bound too.
	refused(t, Config{Dir: t.TempDir(), Key: k, Logs: logs}, "could sign a rollback")

	// A key file that is reached by a link is the same file.
	linked, link := savedKey(t), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(linked, link); err != nil {
		t.Fatal(err)
	}
	open(t, Config{Dir: t.TempDir(), Key: readKey(t, link), Logs: logs}).Close()
	refused(t, Config{Dir: t.TempDir(), Key: readKey(t, linked), Logs: logs}, "could sign a rollback")

	// Folders that are not a witness's.
	stuff := t.TempDir()
	if err := os.WriteFile(filepath.Join(stuff, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, Config{Dir: stuff, Key: testKey(t, Ed25519), Logs: logs}, "thesis.tex")
	if err := os.Remove(filepath.Join(dir, folderFile)); err != nil {
		t.Fatal(err)
	}
	refused(t, Config{Dir: dir, Key: readKey(t, path), Logs: logs}, "could sign a rollback")
	if err := os.WriteFile(filepath.Join(dir, folderFile), []byte("x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, Config{Dir: dir, Key: readKey(t, path), Logs: logs}, "damaged")
}

// TestSecondProcess: a second process is refused while the first uses the folder, and accepted
// when the first has ended, however it ended.
func TestSecondProcess(t *testing.T) {
	l := newLog(t, "log.example/a")
	base := t.TempDir()
	k := testKey(t, Ed25519)
	if err := k.Save(filepath.Join(base, "key")); err != nil {
		t.Fatal(err)
	}
	w := open(t, Config{Dir: filepath.Join(base, "w"), Key: k, Logs: []Log{{VKey: l.vkey}}})
	tr := newTree().grow("a", 5)
	if err := os.WriteFile(filepath.Join(base, "request"), []byte(l.grow(t, tr, 0, 5)), 0o600); err != nil {
		t.Fatal(err)
	}
	other := func() (string, string, error) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "WITNESS_DIR="+base, "WITNESS_LOG="+l.vkey, "WITNESS_KILL_AT=0")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		return stdout.String(), stderr.String(), err
	}
	refused(t, w.cfg, "held by another witness")
	if out, msg, err := other(); err == nil || out != "" || !strings.Contains(msg, "held by another witness") {
		t.Errorf("second process: %q %q %v", out, msg, err)
	}
	w.Close()
	if out, msg, err := other(); err != nil || !strings.HasPrefix(out, "— ") {
		t.Errorf("process after the first: %q %q %v", out, msg, err)
	}
}

// TestKeyBoundMeanwhile: two processes read one new key before either used it. The second one
// to bind it gets an error.
func TestKeyBoundMeanwhile(t *testing.T) {
	logs := []Log{{VKey: newLog(t, "log.example/a").vkey}}
	path := savedKey(t)
	first, second := readKey(t, path), readKey(t, path)
	open(t, Config{Dir: t.TempDir(), Key: first, Logs: logs})
	refused(t, Config{Dir: t.TempDir(), Key: second, Logs: logs}, "has changed")
}

func TestReadOnlyKeyFile(t *testing.T) {
	path := savedKey(t)
	f := func(step string, done bool) error {
		if step == "create key file" {
			return os.ErrPermission
		}
		return nil
	}
	cfg := Config{Dir: t.TempDir(), Key: readKey(t, path), Logs: []Log{{VKey: newLog(t, "log.example/a").vkey}}, faults: f}
	refused(t, cfg, "must be writable")
	refused(t, cfg, "must be writable")
	cfg.faults = nil
	open(t, cfg)
}
