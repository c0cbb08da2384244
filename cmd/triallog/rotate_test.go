package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
)

// rotating is a folder with a key, a next key, both in the policy, and a
// checkpoint that both have signed.
func rotating(t *testing.T) (f *folder, old, next *logKey) {
	t.Helper()
	f = &folder{dir: t.TempDir()}
	old, err := f.makeKey("log.example/x", keyName, vkeyName, "unused")
	if err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := triallog(t, "rotate", "-dir", f.dir); status != 0 {
		t.Fatal(stderr)
	}
	if next, err = f.readKey(nextKeyName); err != nil || next == nil {
		t.Fatal(err)
	}
	put(t, f.path(policyName), fmt.Sprintf("log %s\nlog %s\nquorum none\n", old.vkey, next.vkey))
	signed, err := note.Sign(&note.Note{Text: checkpoint.Tree{Origin: "log.example/x", Size: 1}.String()}, old.signer, next.signer)
	if err != nil {
		t.Fatal(err)
	}
	put(t, f.path(checkpointName), string(signed))
	return f, old, next
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func triallog(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &out, &err)
	return status, out.String(), err.String()
}

// TestAnnouncement: whoever holds the new key has signed what the registrar logs.
func TestAnnouncement(t *testing.T) {
	f, _, next := rotating(t)
	text, err := os.ReadFile(f.path(nextPubName))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 5 || lines[0] != "trialproof log key" || lines[1] != "log: log.example/x" || lines[2] != "vkey: "+next.vkey ||
		!strings.HasPrefix(lines[3], "proof: ") || lines[4] != "" {
		t.Fatalf("%q", text)
	}
	proof, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[3], "proof: "))
	if err != nil {
		t.Fatal(err)
	}
	if !ed25519.Verify(next.private.Public().(ed25519.PublicKey), trial.LogKeyMessage("log.example/x", next.vkey), proof) {
		t.Fatal("the proof does not verify")
	}
	if st, err := os.Stat(f.path(nextKeyName)); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("the next key's file is %v: %v", st.Mode(), err)
	}
	// Again, it is the same key.
	os.Remove(f.path(nextVKeyName))
	if status, stdout, _ := triallog(t, "rotate", "-dir", f.dir); status != 0 || stdout != next.vkey+"\n" {
		t.Fatalf("status %d, %q", status, stdout)
	}
	if again, err := os.ReadFile(f.path(nextVKeyName)); err != nil || string(again) != next.vkey+"\n" {
		t.Fatalf("%q, %v", again, err)
	}
}

// TestFinishAfterCrash cuts the retirement short behind each of its steps; the
// log has a key at each point, and finishing again ends as if nothing had been.
func TestFinishAfterCrash(t *testing.T) {
	steps := []func(f *folder, old, next *logKey) error{
		func(f *folder, old, _ *logKey) error {
			return os.WriteFile(f.path(oldKeyName), []byte(old.text+"\n"), 0o600)
		},
		func(f *folder, old, _ *logKey) error {
			return os.WriteFile(f.path(oldVKeyName), []byte(old.vkey+"\n"), 0o644)
		},
		func(f *folder, _, _ *logKey) error { return os.Rename(f.path(nextKeyName), f.path(keyName)) },
		func(f *folder, _, next *logKey) error {
			return os.WriteFile(f.path(vkeyName), []byte(next.vkey+"\n"), 0o644)
		},
		func(f *folder, _, _ *logKey) error { return os.Remove(f.path(nextVKeyName)) },
		func(f *folder, _, _ *logKey) error { return os.Remove(f.path(nextPubName)) },
	}
	for n := range len(steps) + 1 {
		f, old, next := rotating(t)
		for _, step := range steps[:n] {
			if err := step(f, old, next); err != nil {
				t.Fatal(err)
			}
		}
		// What serve would sign with: never none, and never a key that is retired.
		cfg, _, err := f.config()
		if n == 3 {
			if err == nil || !strings.Contains(err.Error(), "-finish again") {
				t.Errorf("after %d steps: %v", n, err)
			}
		} else if want := map[bool]*logKey{true: old, false: next}[n < 3]; err != nil || cfg.Signer.KeyHash() != want.signer.KeyHash() {
			t.Errorf("after %d steps another key signs: %v", n, err)
		}
		for range 2 {
			status, stdout, stderr := triallog(t, "rotate", "-dir", f.dir, "-finish")
			if status != 0 || stdout != next.vkey+"\n" {
				t.Fatalf("after %d steps: status %d, %q\n%s", n, status, stdout, stderr)
			}
			if !strings.Contains(stderr, "the old key "+old.vkey) {
				t.Errorf("after %d steps: %s", n, stderr)
			}
		}
		for name, want := range map[string]string{keyName: next.text, vkeyName: next.vkey, oldKeyName: old.text, oldVKeyName: old.vkey} {
			if got, err := os.ReadFile(f.path(name)); err != nil || string(got) != want+"\n" {
				t.Errorf("after %d steps: %s is %q: %v", n, name, got, err)
			}
		}
		left, err := filepath.Glob(f.path("log.next*"))
		if err != nil || len(left) > 0 {
			t.Errorf("after %d steps: %v is left: %v", n, left, err)
		}
	}
}

// TestFinishRefuses to retire a key before the other is everyone's.
func TestFinishRefuses(t *testing.T) {
	for what, c := range map[string]struct {
		spoil func(f *folder, old, next *logKey)
		want  string
	}{
		"no overlap": {func(f *folder, old, _ *logKey) {
			signed, err := note.Sign(&note.Note{Text: checkpoint.Tree{Origin: "log.example/x", Size: 1}.String()}, old.signer)
			if err != nil {
				t.Fatal(err)
			}
			put(t, f.path(checkpointName), string(signed))
		}, "does not carry the next key's signature: restart triallog serve"},
		"no checkpoint": {func(f *folder, _, _ *logKey) { os.Remove(f.path(checkpointName)) }, "restart triallog serve"},
		"no line": {func(f *folder, old, _ *logKey) {
			put(t, f.path(policyName), fmt.Sprintf("log %s\nquorum none\n", old.vkey))
		}, "add `log log.example/x+"},
		"an earlier rotation's key": {func(f *folder, _, _ *logKey) {
			k, err := newLogKey("log.example/x")
			if err != nil {
				t.Fatal(err)
			}
			put(t, f.path(oldKeyName), k.text+"\n")
		}, "of an earlier rotation"},
		"no next key": {func(f *folder, _, _ *logKey) { os.Remove(f.path(nextKeyName)) }, "there is no next key"},
	} {
		f, old, next := rotating(t)
		c.spoil(f, old, next)
		status, _, stderr := triallog(t, "rotate", "-dir", f.dir, "-finish")
		if status != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, %s", what, status, stderr)
		}
		if k, err := f.readKey(keyName); err != nil || k.vkey != old.vkey {
			t.Errorf("%s: the key has changed: %v", what, err)
		}
	}
}
