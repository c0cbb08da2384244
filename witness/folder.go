package witness

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Folder and key are one.
//
// A cosignature says that this is the largest consistent tree the key has seen.
// A witness whose folder was lost would start from nothing, and sign whatever
// smaller or other tree it is shown first: exactly the rollback it exists to
// prevent. So the folder holds a random id and the vkey, and the key file the
// same id, and neither is used without the other.
//
// Two things stay outside what a program can check, and are the operator's to
// avoid: an old copy of the whole folder put back, and a copy of the key file
// taken before its first use. After losing a folder, make a new key.
const (
	folderFile   = "witness" // DIR/witness: the id and the vkey
	folderHeader = "trialproof witness folder, version 1"
	folderIDSize = 16
)

// A folder is held by one process, by a lock that ends with it.
type folder struct{ lock *os.File }

// claimFolder locks the folder and holds it against the key.
//
// On first use the id is written to the folder and then to the key file, and
// both are durable before anything is signed. A crash in between leaves a
// folder that names this key and a key that names none: that pair is completed
// the next time. The other order could leave a key that refuses for ever.
func claimFolder(dir string, key *Key, f faults) (*folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := syncParent(dir); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("folder %s is held by another witness: stop it, or give this one a folder and a key of its own", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("lock folder: %w", err)
	}
	if err := bindFolder(dir, key, f); err != nil {
		lock.Close()
		return nil, err
	}
	return &folder{lock}, nil
}

func (f *folder) release() error { return f.lock.Close() }

func bindFolder(dir string, key *Key, f faults) error {
	key.mu.Lock()
	defer key.mu.Unlock()
	id, vkey, err := readFolder(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if key.folder != "" {
			return fmt.Errorf("key %s was used before, with a folder that %s is not: a witness that forgets what it "+
				"cosigned could sign a rollback. Give it that folder, or make a new key by `trialwitness keygen`", key.name, dir)
		}
		if err := mustBeEmpty(dir); err != nil {
			return err
		}
		raw := make([]byte, folderIDSize)
		rand.Read(raw)
		id = hex.EncodeToString(raw)
		text := folderHeader + "\n" + id + "\n" + key.VKey() + "\n"
		if err := f.replace("folder id", filepath.Join(dir, folderFile), []byte(text), 0o644); err != nil {
			return fmt.Errorf("write folder id: %w", err)
		}
	case err != nil:
		return err
	case vkey != key.VKey():
		name, _, _ := strings.Cut(vkey, "+")
		return fmt.Errorf("folder %s belongs to another key, of name %s: give key %s a folder of its own", dir, name, key.name)
	}
	switch key.folder {
	case id:
		return nil
	case "":
		return key.bind(id, f)
	default:
		return fmt.Errorf("key %s was used before, with a folder that %s is not: give it that folder, or make a new key "+
			"by `trialwitness keygen`", key.name, dir)
	}
}

func readFolder(dir string) (id, vkey string, err error) {
	path := filepath.Join(dir, folderFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[0] != folderHeader || len(lines[1]) != 2*folderIDSize || lines[3] != "" {
		return "", "", fmt.Errorf("%s is damaged or from another version of trialwitness: restore it from a backup", path)
	}
	return lines[1], lines[2], nil
}

func mustBeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != "lock" && name != folderFile+".tmp" && name != "lost+found" {
			return fmt.Errorf("folder %s holds %s but no file %q, so it is no witness's: name a new folder, or restore that file",
				dir, name, folderFile)
		}
	}
	return nil
}

// bind writes the folder's id to the key file, durably; k.mu is held. A key
// that came from no file is bound in memory alone.
//
// Two processes may hold one new key and two empty folders: the file's own lock
// lets one of them read, compare and replace at a time, and the second finds
// the binding of the first.
func (k *Key) bind(id string, f faults) error {
	if k.path != "" {
		lock, err := lockFile(k.path)
		if errors.Is(err, errLocked) {
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
	if err := f.replace("key file", k.path, []byte(k.text()), 0o600); err != nil {
		k.folder = ""
		return fmt.Errorf("key file %s must be writable, so that it can name its folder: %w", k.path, err)
	}
	return nil
}
