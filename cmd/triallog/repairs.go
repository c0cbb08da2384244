package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/logserver"
)

// repairsName is the file in the log's folder that says what was ever repaired.
const repairsName = "repairs"

// A repair is a line of it, which is durable before the file is written. The lines
// are a chain: none can be altered or taken out of the middle unseen. That the last
// ones were taken off, only a copy of the file shows.
type repair struct {
	Previous string `json:"previous"` // SHA-256 of the line before it, without its line feed; of nothing for the first
	Time     string `json:"time"`     // UTC, by this machine's clock
	File     string `json:"file"`
	Why      string `json:"why"`
	Before   string `json:"before"` // SHA-256 of the damaged file, or "missing"
	After    string `json:"after"`  // SHA-256 of what was put back
	Source   string `json:"source"`
	Size     uint64 `json:"size"` // of the signed tree whose root the bytes lead to
	Root     string `json:"root"`
	Build    string `json:"build"`
}

func digest(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// readRepairs returns the lines, and an error that names the first that does not
// follow from the one before it.
func readRepairs(name string) (lines [][]byte, err error) {
	text, err := readOptional(name)
	if err != nil {
		return nil, err
	}
	previous := digest(nil)
	for line := range bytes.Lines(text) {
		line, whole := bytes.CutSuffix(line, []byte("\n"))
		if !whole {
			break // torn by a crash, before anything was written
		}
		lines = append(lines, line)
		var r repair
		if jerr := json.Unmarshal(line, &r); jerr != nil || r.Previous != previous {
			err = errors.Join(err, fmt.Errorf("%s: line %d does not follow from the line before it: the account of repairs was altered",
				repairsName, len(lines)))
		}
		previous = digest(line)
	}
	return lines, err
}

// note adds a line, durably.
func (f *folder) note(m logserver.Mend, now time.Time) error {
	name := f.path(repairsName)
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file: move it out of the way", name)
	}
	lines, err := readRepairs(name)
	if err != nil {
		return err
	}
	r := repair{
		Previous: digest(nil), Time: now.UTC().Format(time.RFC3339), File: m.Path, Why: m.Why, Before: "missing", After: digest(m.After),
		Source: m.Source, Size: m.Tree.Size, Root: fmt.Sprintf("%x", m.Tree.Root), Build: frame.Build(),
	}
	whole := 0
	for _, l := range lines {
		r.Previous = digest(l)
		whole += len(l) + 1
	}
	if m.Before != nil {
		r.Before = digest(m.Before)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	err = file.Truncate(int64(whole)) // a torn line of an earlier attempt
	if err == nil {
		_, err = file.WriteAt(append(line, '\n'), int64(whole))
	}
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return durable.SyncDir(f.dir)
}
