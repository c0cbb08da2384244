package witness

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Folder and key belong together.
//
// A cosignature says that this is the largest consistent tree that the key has seen. A witness
// whose folder was lost would start from nothing, and sign whatever smaller or other tree it is
// shown first: exactly the rollback that it exists to prevent. So the folder has a random id
// and the vkey, and the key file has the same id. Neither is used without the other.
//
// The same is true of the part of the folder for one log. So DIR/witness also has the origin of
// every log that was cosigned, and a log whose record is gone is refused. The origin is durable
// before the first cosignature leaves this process:
//
//	trialproof witness folder, version 2
//	4f0c...                                  the id
//	w1.example+5d2b...                       the vkey
//	log log.example/trials                   one line for each log, sorted
//
// Version 1 had no such lines. When a folder of version 1 is opened, it becomes one of version
// 2, with the logs of which it then has records.
//
// A program cannot detect two mistakes, which the operator must avoid: to put an old copy of
// the whole folder back, and to use a copy of the key file that was taken before its first use.
// After losing a folder, make a new key.
const (
	folderFile   = "witness" // DIR/witness
	folderHeader = "trialproof witness folder, version "
	folderIDSize = 16
)

// A folder is used by one process, under a lock that ends with it.
type folder struct {
	dir    string
	lock   io.Closer
	files  Files
	faults faults

	mu   sync.Mutex // guards what follows and DIR/witness
	text folderText
}

// A folderText is the contents of DIR/witness.
type folderText struct {
	version  int
	id, vkey string
	origins  []string // of the logs that were cosigned, sorted
}

func (t *folderText) String() string {
	s := fmt.Sprintf("%s%d\n%s\n%s\n", folderHeader, t.version, t.id, t.vkey)
	for _, o := range t.origins {
		s += "log " + o + "\n"
	}
	return s
}

// serves reports whether a log was cosigned.
func (f *folder) serves(origin string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := slices.BinarySearch(f.text.origins, origin)
	return ok
}

// serve records, durably, that logs are cosigned.
func (f *folder) serve(origins ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := f.text
	next.version = 2
	next.origins = slices.Concat(next.origins, origins)
	slices.Sort(next.origins)
	next.origins = slices.Compact(next.origins)
	if next.version == f.text.version && len(next.origins) == len(f.text.origins) {
		return nil
	}
	if err := f.faults.replace(f.files, "folder's logs", filepath.Join(f.dir, folderFile), []byte(next.String()), 0o644); err != nil {
		return fmt.Errorf("write which logs were cosigned: %w", err)
	}
	f.text = next
	return nil
}

// adopt records the logs of which a folder of version 1 has records.
func (f *folder) adopt() error {
	if f.text.version > 1 {
		return nil
	}
	entries, err := f.files.ReadDir(f.dir)
	if err != nil {
		return err
	}
	var origins []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		name := filepath.Join(f.dir, e.Name(), "checkpoint")
		text, err := f.files.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		cp, err := parseCheckpoint(text)
		if err != nil || originHash(cp.origin) != filepath.Base(filepath.Dir(name)) {
			return fmt.Errorf("%s is not the record of a log: restore it from a backup (%v)", name, err)
		}
		origins = append(origins, cp.origin)
	}
	return f.serve(origins...)
}

// claimFolder locks the folder and checks that it belongs to the key.
//
// On first use the id is written to the folder and then to the key file, and both are durable
// before anything is signed. A crash in between leaves a folder that names this key and a key
// that names no folder; that pair is completed the next time. The other order could leave a key
// that can never be used.
func claimFolder(files Files, dir string, key *Key, f faults) (*folder, error) {
	if err := files.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := syncParent(files, dir); err != nil {
		return nil, err
	}
	lock, err := files.Lock(filepath.Join(dir, "lock"))
	if errors.Is(err, ErrLocked) {
		return nil, fmt.Errorf("folder %s is held by another witness: stop it, or give this one a folder and a key of its own", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("lock folder: %w", err)
	}
	text, err := bindFolder(files, dir, key, f)
	if err != nil {
		lock.Close()
		return nil, err
	}
	claimed := &folder{dir: dir, lock: lock, files: files, faults: f, text: text}
	if err := claimed.adopt(); err != nil {
		lock.Close()
		return nil, err
	}
	return claimed, nil
}

func (f *folder) release() error { return f.lock.Close() }

func bindFolder(files Files, dir string, key *Key, f faults) (text folderText, err error) {
	key.mu.Lock()
	defer key.mu.Unlock()
	text, err = readFolder(files, dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if key.folder != "" {
			return text, fmt.Errorf("key %s was used before, with another folder than %s: a witness that forgets what it "+
				"cosigned could sign a rollback. Give it that folder, or make a new key by `trialwitness keygen`", key.name, dir)
		}
		if err := mustBeEmpty(files, dir); err != nil {
			return text, err
		}
		raw := make([]byte, folderIDSize)
		rand.Read(raw)
		text = folderText{version: 2, id: hex.EncodeToString(raw), vkey: key.VKey()}
		if err := f.replace(files, "folder id", filepath.Join(dir, folderFile), []byte(text.String()), 0o644); err != nil {
			return text, fmt.Errorf("write folder id: %w", err)
		}
	case err != nil:
		return text, err
	case text.vkey != key.VKey():
		name, _, _ := strings.Cut(text.vkey, "+")
		return text, fmt.Errorf("folder %s belongs to another key, of name %s: give key %s a folder of its own", dir, name, key.name)
	}
	switch key.folder {
	case text.id:
		return text, nil
	case "":
		return text, key.bind(text.id, f)
	default:
		return text, fmt.Errorf("key %s was used before, with another folder than %s: give it that folder, or make a new key "+
			"by `trialwitness keygen`", key.name, dir)
	}
}

func readFolder(files Files, dir string) (t folderText, err error) {
	path := filepath.Join(dir, folderFile)
	text, err := files.ReadFile(path)
	if err != nil {
		return t, err
	}
	damaged := fmt.Errorf("%s is damaged or from another version of trialwitness: restore it from a backup", path)
	lines := strings.Split(string(text), "\n")
	if len(lines) < 4 || len(lines[1]) != 2*folderIDSize || lines[len(lines)-1] != "" {
		return t, damaged
	}
	t.id, t.vkey = lines[1], lines[2]
	switch lines[0] {
	case folderHeader + "1":
		t.version = 1
	case folderHeader + "2":
		t.version = 2
	}
	for _, line := range lines[3 : len(lines)-1] {
		t.origins = append(t.origins, strings.TrimPrefix(line, "log "))
	}
	if t.String() != string(text) || t.version == 1 && len(t.origins) > 0 || !slices.IsSorted(t.origins) {
		return t, damaged
	}
	return t, nil
}

func mustBeEmpty(files Files, dir string) error {
	entries, err := files.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != "lock" && name != folderFile+".tmp" && name != "lost+found" {
			return fmt.Errorf("folder %s holds %s but no file %q, so it is not a witness's folder: name a new folder, or restore that file",
				dir, name, folderFile)
		}
	}
	return nil
}

// bind writes the folder's id to the key file, durably; k.mu is held. A key that does not come
// from a file is bound in memory only.
//
// Two processes may have read one new key and have two empty folders. The file's own lock lets
// one of them at a time read, compare and replace, and the second finds the binding of the
// first.
func (k *Key) bind(id string, f faults) error {
	if k.path != "" {
		lock, err := lockFile(k.path)
		if errors.Is(err, ErrLocked) {
			return fmt.Errorf("key file %s is being used by another witness: each needs a key of its own", k.path)
		}
		if err != nil {
			return fmt.Errorf("lock key file: %w", err)
		}
		defer lock.Close()
		now, err := ReadKey(k.path)
		if err != nil {
			return err
		}
		if now.folder != "" || now.VKey() != k.VKey() {
			return fmt.Errorf("key file %s has changed since it was read: start again", k.path)
		}
	}
	k.folder = id
	if k.path == "" {
		return nil
	}
	if err := f.replace(machine{}, "key file", k.path, []byte(k.text()), 0o600); err != nil {
		k.folder = ""
		return fmt.Errorf("key file %s must be writable, so that it can name its folder: %w", k.path, err)
	}
	return nil
}
