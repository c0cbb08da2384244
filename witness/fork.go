package witness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A fork is evidence of a fork: one line of JSON that convinces whoever has the log's key,
// without trust in the witness that kept it:
//
//	{"kind":"fork","checkpoints":["<signed note>","<signed note>"]}
//
// Both notes are of one origin and size, each with a valid signature of the log, and their
// roots differ.
type fork struct {
	Kind        string   `json:"kind"`
	Checkpoints []string `json:"checkpoints"`
}

func forkLine(first, second []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(fork{"fork", []string{string(first), string(second)}}) // strings always encode
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// parseFork checks everything that needs no key.
func parseFork(line []byte) (first, second *checkpoint, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	var f fork
	if err := d.Decode(&f); err != nil {
		return nil, nil, fmt.Errorf("not a line of fork evidence: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, errors.New("not one line of fork evidence: there is something after it")
	}
	if f.Kind != "fork" || len(f.Checkpoints) != 2 {
		return nil, nil, errors.New("not fork evidence: want kind \"fork\" and two checkpoints")
	}
	if first, err = parseCheckpoint([]byte(f.Checkpoints[0])); err != nil {
		return nil, nil, fmt.Errorf("first checkpoint: %w", err)
	}
	if second, err = parseCheckpoint([]byte(f.Checkpoints[1])); err != nil {
		return nil, nil, fmt.Errorf("second checkpoint: %w", err)
	}
	switch {
	case first.origin != second.origin:
		return nil, nil, fmt.Errorf("no fork: the checkpoints are of two logs, %q and %q", first.origin, second.origin)
	case first.size != second.size:
		return nil, nil, fmt.Errorf("no fork: the checkpoints are of two sizes, %d and %d", first.size, second.size)
	case first.root == second.root:
		return nil, nil, fmt.Errorf("no fork: both checkpoints have the same root at size %d", first.size)
	}
	return first, second, nil
}

// CheckFork returns nil if evidence, one line as Forks returns it, proves by the keys given
// that their log signed two roots for one size. It uses nothing else. The error says why the
// line proves nothing.
func CheckFork(vkeys []string, evidence []byte) error {
	first, second, err := parseFork(evidence)
	if err != nil {
		return err
	}
	var ring keyring
	for _, vkey := range vkeys {
		k, err := parseLogKey(vkey)
		if err != nil {
			return err
		}
		if k.name != first.origin {
			continue
		}
		if ring, err = ring.add(k); err != nil {
			return err
		}
	}
	if len(ring) == 0 {
		return fmt.Errorf("no key given for log %q: add -log with its key", first.origin)
	}
	if _, err := ring.verify(first); err != nil {
		return fmt.Errorf("first checkpoint: %w", err)
	}
	if _, err := ring.verify(second); err != nil {
		return fmt.Errorf("second checkpoint: %w", err)
	}
	return nil
}

// Forks returns the evidence kept in a witness's folder, one line each, without its line feed.
// The folder may be in use.
func Forks(dir string) ([][]byte, error) {
	if _, err := readFolder(machine{}, dir); err != nil {
		return nil, fmt.Errorf("read forks: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read forks: %w", err)
	}
	var lines [][]byte
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		err := journal{path: filepath.Join(dir, e.Name(), "forks"), files: machine{}}.each(func(line []byte) error {
			lines = append(lines, line)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read forks: %w", err)
		}
	}
	return lines, nil
}
