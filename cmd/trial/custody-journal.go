package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/trial"
)

// A scan is a label that somebody read and what is to be logged of it.
type scan struct {
	Key       string     `json:"key"` // names the scan in the journal
	At        trial.Time `json:"at"`
	Action    string     `json:"action"`
	Trial     trial.Hash `json:"trial"`
	Serial    string     `json:"serial"`
	Unit      trial.Hash `json:"unit"`
	Handle    trial.Hash `json:"handle,omitzero"` // to report it
	Packs     []string   `json:"packs,omitempty"` // of a case, to open it: commitments
	Condition string     `json:"condition,omitempty"`
	Deviation string     `json:"deviation,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Subject   string     `json:"subject,omitempty"` // the participant's number; it stays here
	Ship      trial.Hash `json:"ship,omitzero"`
	To        string     `json:"to,omitempty"`
	Files     []scanFile `json:"files,omitempty"`    // that belong to the statement
	Wait      bool       `json:"wait,omitempty"`     // to dispense: it is logged with others
	Unblinds  string     `json:"unblinds,omitempty"` // why a code break comes first, in a masked trial

	n      uint64 // acts of the unit when it was looked up; 0: it was not
	holder bool   // of suspect: the signer has the unit, or holds its trial
}

// A scanFile is a document of a statement.
type scanFile struct {
	Name   string     `json:"name"`
	Digest trial.Hash `json:"sha256"`
}

// A seen is what the log said of a unit when it was last asked.
type seen struct {
	At     trial.Time      `json:"at"`
	Serial string          `json:"serial,omitempty"`
	Unit   trial.Hash      `json:"unit"`
	Record json.RawMessage `json:"record,omitempty"` // canonical; absent: nothing was logged
}

// A kept is a signed statement about scans.
type kept struct {
	Scans []string `json:"scans"` // their keys
	Draft *draft   `json:"draft"`
}

// A journalLine has one of its members.
type journalLine struct {
	Scan    *scan      `json:"scan,omitempty"`
	Kept    *kept      `json:"kept,omitempty"`
	Done    []string   `json:"done,omitempty"`   // keys of scans that are logged or were refused
	Dropped trial.Hash `json:"dropped,omitzero"` // id of a statement that was refused
	Seen    *seen      `json:"seen,omitempty"`
}

// A journal keeps scans until they are logged, so that whatever ends the program, none is lost and
// none is logged twice: a statement that may have been sent is sent again as it is. It keeps what the
// log said of units too, for when there is no network. The lock of the receipts' file is this one's.
type journal struct {
	name   string
	append appendFile
	scans  []*scan // not done, in order
	kept   []*kept // not done
	seen   map[trial.Hash]*seen
}

// openJournal reads a journal and leaves out what is done. A last line that is not whole was never
// answered.
func openJournal(dir string) (*journal, error) {
	j := &journal{name: filepath.Join(dir, "custody.scans"), seen: map[trial.Hash]*seen{}}
	data, err := os.ReadFile(j.name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, frame.AsUsage(err)
	}
	done := map[string]bool{}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		x, err := parseJournalLine(line)
		if err != nil {
			if !bytes.HasSuffix(line, []byte{'\n'}) {
				break
			}
			return nil, frame.Usagef("%s: line %d cannot be read (%w): the file was altered, and scans in it may not be logged yet. Keep it, and "+
				"give another folder with -out", j.name, n, err)
		}
		if err := j.take(x, done); err != nil {
			return nil, frame.Usagef("%s: line %d: %w", j.name, n, err)
		}
	}
	j.scans = slices.DeleteFunc(j.scans, func(s *scan) bool { return done[s.Key] })
	j.kept = slices.DeleteFunc(j.kept, func(k *kept) bool { return len(k.Scans) == 0 || done[k.Scans[0]] })
	return j, j.rewrite()
}

func (j *journal) take(x journalLine, done map[string]bool) error {
	switch {
	case x.Scan != nil:
		j.scans = append(j.scans, x.Scan)
	case x.Kept != nil:
		d := x.Kept.Draft
		if d == nil || len(x.Kept.Scans) == 0 {
			return errors.New("a statement without its scans")
		}
		signed, err := trial.Check(d.Envelope, d.Key.SPKI())
		if err != nil {
			return err
		}
		d.id, d.statement = signed.ID, signed.Statement
		j.kept = append(j.kept, x.Kept)
	case x.Seen != nil:
		j.seen[x.Seen.Unit] = x.Seen
	}
	if x.Scan == nil && x.Kept == nil && x.Seen == nil && x.Done == nil && x.Dropped.IsZero() {
		return errors.New("a line that says nothing")
	}
	for _, key := range x.Done {
		done[key] = true
	}
	if !x.Dropped.IsZero() {
		j.kept = slices.DeleteFunc(j.kept, func(k *kept) bool { return k.Draft.id == x.Dropped })
	}
	return nil
}

// rewrite writes what is not done, and opens the file for more.
func (j *journal) rewrite() error {
	var b bytes.Buffer
	put := func(x journalLine) {
		b.Write(journalBytes(x))
	}
	for _, s := range j.scans {
		put(journalLine{Scan: s})
	}
	for _, k := range j.kept {
		put(journalLine{Kept: k})
	}
	for _, s := range j.seen {
		put(journalLine{Seen: s})
	}
	if err := durable.ReplaceAlone(j.name, b.Bytes(), 0o600); err != nil {
		return err
	}
	var err error
	j.append.file, err = os.OpenFile(j.name, os.O_WRONLY|os.O_APPEND, 0)
	return err
}

// parseJournalLine parses a line, which begins with a sum of the rest: what was altered is not taken for
// a scan.
func parseJournalLine(line []byte) (x journalLine, err error) {
	sum, data, _ := bytes.Cut(bytes.TrimSuffix(line, []byte{'\n'}), []byte{' '})
	if string(sum) != journalSum(data) {
		return x, errors.New("its sum does not fit")
	}
	return x, json.Unmarshal(data, &x)
}

func journalSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

func journalBytes(x journalLine) []byte {
	data, err := json.Marshal(x)
	if err != nil {
		panic(fmt.Sprintf("trial: a scan does not encode: %v", err)) // texts and hashes always do
	}
	return slices.Concat([]byte(journalSum(data)+" "), data, []byte{'\n'})
}

// add writes lines, and returns when they are durable. What cannot be written is not kept.
func (j *journal) add(lines ...journalLine) error {
	var b bytes.Buffer
	for _, x := range lines {
		b.Write(journalBytes(x))
	}
	if err := j.append.add(b.Bytes()); err != nil {
		return fmt.Errorf("keep a scan in %s: %w", j.name, err)
	}
	for _, x := range lines {
		switch {
		case x.Scan != nil:
			j.scans = append(j.scans, x.Scan)
		case x.Kept != nil:
			j.kept = append(j.kept, x.Kept)
		case x.Seen != nil:
			j.seen[x.Seen.Unit] = x.Seen
		}
	}
	return nil
}

// done forgets scans that are logged or refused, with their statement.
func (j *journal) done(scans []*scan, more ...journalLine) error {
	var keys []string
	for _, s := range scans {
		keys = append(keys, s.Key)
	}
	if err := j.add(append([]journalLine{{Done: keys}}, more...)...); err != nil {
		return err
	}
	j.scans = slices.DeleteFunc(j.scans, func(s *scan) bool { return slices.Contains(keys, s.Key) })
	j.kept = slices.DeleteFunc(j.kept, func(k *kept) bool { return slices.Contains(keys, k.Scans[0]) })
	return nil
}

// forget forgets a statement that was refused. Its scans stay.
func (j *journal) forget(k *kept) error {
	if err := j.add(journalLine{Dropped: k.Draft.id}); err != nil {
		return err
	}
	j.kept = slices.DeleteFunc(j.kept, func(x *kept) bool { return x == k })
	return nil
}

// waiting returns the scans of a trial that are not logged, in order.
func (j *journal) waiting(of trial.Hash) (list []*scan) {
	for _, s := range j.scans {
		if s.Trial == of {
			list = append(list, s)
		}
	}
	return list
}

// refused notes a scan that was done and not logged, and why, in a file for people.
func (j *journal) refused(x *scan, why string) error {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(j.name), "custody.refused"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	data, err := json.Marshal(struct {
		*scan
		Why string `json:"why"`
	}{x, why})
	if err == nil {
		_, err = f.Write(append(data, '\n'))
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// of returns the scans of a statement.
func (j *journal) of(k *kept) (list []*scan) {
	for _, s := range j.scans {
		if slices.Contains(k.Scans, s.Key) {
			list = append(list, s)
		}
	}
	return list
}

// loose returns the scans of a trial that no statement is signed about.
func (j *journal) loose(of trial.Hash) []*scan {
	signed := map[string]bool{}
	for _, k := range j.kept {
		for _, key := range k.Scans {
			signed[key] = true
		}
	}
	return slices.DeleteFunc(j.waiting(of), func(s *scan) bool { return signed[s.Key] })
}

// record returns what was seen last of a unit, or nil.
func (j *journal) record(unit trial.Hash) *trial.UnitRecord {
	old := j.seen[unit]
	if old == nil || old.Record == nil {
		return nil
	}
	r, err := trial.ParseRecord("unit", old.Record)
	if err != nil {
		return nil
	}
	return r.(*trial.UnitRecord)
}

// remember notes what the log said of a unit. It is not waited for: to lose it loses no scan.
func (j *journal) remember(x *seen) {
	j.seen[x.Unit] = x
}

// close writes what was seen of units, and ends the use of the file.
func (j *journal) close() error {
	if err := j.append.file.Close(); err != nil {
		return err
	}
	if err := j.rewrite(); err != nil {
		return err
	}
	return j.append.file.Close()
}
