package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/durable"
)

// TestState: a state is read as it was written; a file with any byte changed or missing, or of
// another follow, is refused.
func TestState(t *testing.T) {
	name := filepath.Join(t.TempDir(), "state")
	s := State{Registry: "ctgov", API: CTGov, Log: "log.example", Org: "acme", Since: "2026-03-01", Expect: 7, Data: "2026-03-10T09:00:05"}
	if _, err := ReadState(name, s); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := s.Write(name); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadState(name, s); err != nil || *got != s {
		t.Fatalf("%+v, %v", got, err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what, want string, like State) {
		t.Helper()
		_, err := ReadState(name, like)
		if _, ok := errors.AsType[*StateError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range data {
		bad := append([]byte(nil), data...)
		bad[i] ^= 1
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadState(name, s); err == nil && *got != s {
			t.Errorf("byte %d: %+v", i, got)
		}
	}
	for _, bad := range []string{"", "{}", string(data[:len(data)/2]), strings.Replace(string(data), "2026-03-01", "2027-03-01", 1),
		strings.Replace(string(data), "{", `{"more":1,`, 1), strings.Repeat(" ", maxState+1)} {
		if err := os.WriteFile(name, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(bad, "damaged", s)
	}
	if err := s.Write(name); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*State){
		"registry": func(s *State) { s.Registry = "isrctn" }, "API": func(s *State) { s.API = "http://127.0.0.1" },
		"log": func(s *State) { s.Log = "other" }, "organisation": func(s *State) { s.Org = "other" },
	} {
		like := s
		change(&like)
		refused(what, "of the "+what, like)
	}
	unlock, err := Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(name); !errors.Is(err, durable.ErrLocked) {
		t.Error(err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	if unlock, err = Lock(name); err != nil {
		t.Fatal(err)
	}
	unlock()
}
