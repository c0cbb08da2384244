package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/study"
)

// A dossier is everything that a log has about one trial, checked: the trial's
// history, those of its numbers, and what its documents say.
type dossier struct {
	id        string             // what was typed
	timeline  *trial.Timeline    // nil: only observations on a number are logged
	verdicts  []*history.Verdict // that all of it rests on
	proofs    [][]byte           // of the verdicts, as trial verify-history reads them
	versions  []study.Version
	files     []trial.Hash // documents that versions were read from, in place of facts
	unread    []string     // documents whose content neither facts nor a file tell
	unchained []string     // observations whose predecessor is not logged for their number
}

// dossier fetches and checks the histories of a trial and of its numbers. Documents
// are read from files, by their digests, where given; else their facts tell.
func (r *remote) dossier(ctx context.Context, typed string, files []string) (*dossier, error) {
	key, err := r.recordKey(typed)
	if err != nil {
		return nil, err
	}
	d := &dossier{id: typed}
	if err := r.histories(ctx, d, key); err != nil {
		return nil, err
	}
	if v := d.verdicts[0]; v.Record == nil {
		return nil, fmt.Errorf("%w: nothing is logged for %s up to size %d", errInvalid, typed, v.Checkpoint.Size)
	}
	d.timeline = d.verdicts[0].Timeline(0)
	found, err := d.find(files)
	if err != nil {
		return nil, err
	}
	d.read(found)
	return d, nil
}

// histories fetches the history of a trial and those of its numbers, all of one
// tree: an older tree for one of them would hide what was logged since.
func (r *remote) histories(ctx context.Context, d *dossier, key trial.RecordKey) error {
	for range 10 { // a log that grows meanwhile is asked again
		data, v, err := r.trialHistory(ctx, key)
		if err != nil {
			return err
		}
		d.verdicts, d.proofs = []*history.Verdict{v}, [][]byte{data}
		for _, number := range registryNumbers(v.Record) {
			data, v, err := r.history(ctx, number)
			if err != nil {
				return err
			}
			d.verdicts, d.proofs = append(d.verdicts, v), append(d.proofs, data)
		}
		if d.sameTree() == nil {
			return nil
		}
	}
	return fmt.Errorf("%w; ask again, for the log may be growing", d.sameTree())
}

// sameTree returns an error where the histories are not all of one tree.
func (d *dossier) sameTree() error {
	first := d.verdicts[0].Checkpoint.Tree
	for _, v := range d.verdicts[1:] {
		if v.Checkpoint.Tree != first {
			return fmt.Errorf("the history of %s is of the tree of size %d, that of %s of the tree of size %d", d.verdicts[0].Key.ID, first.Size, v.Key.ID, v.Checkpoint.Size)
		}
	}
	return nil
}

// registryNumbers returns the records of a trial's registry numbers, whose histories
// have what was observed of it; none for other records.
func registryNumbers(r trial.Record) (keys []trial.RecordKey) {
	rec, ok := r.(*trial.TrialRecord)
	if !ok {
		return nil
	}
	for _, id := range rec.Identifiers {
		if !strings.HasPrefix(id, "sponsor:") {
			keys = append(keys, trial.RecordKey{Kind: "identifier", ID: id})
		}
	}
	return keys
}

// located calls f with each statement that is in effect, once.
func (d *dossier) located(f func(e trial.Located, id trial.Hash, st *trial.Statement)) {
	seen := map[uint64]bool{}
	void := map[trial.Hash]bool{}
	if d.timeline != nil {
		for _, i := range d.timeline.Items {
			seen[i.Index] = true
			if i.InEffect() {
				f(i.Located, i.ID, i.Statement)
			} else {
				void[i.ID] = true
			}
		}
	}
	for _, v := range d.verdicts {
		for _, e := range v.Entries {
			if e.Statement == nil || seen[e.Index] {
				continue
			}
			seen[e.Index] = true
			if id, st := e.Statement.Effective(); !void[id] {
				f(e, id, st)
			}
		}
	}
}

// find reads the documents, and the facts, among the files and in the folders that
// the statements commit to.
func (d *dossier) find(files []string) (map[trial.Hash]*study.Study, error) {
	wanted := map[trial.Hash]bool{}
	facts := map[trial.Hash]bool{}
	d.located(func(_ trial.Located, _ trial.Hash, st *trial.Statement) {
		for _, s := range st.Subjects {
			if !s.Digest.SHA256.IsZero() {
				wanted[s.Digest.SHA256] = true
			}
		}
		if c := trial.ContentOf(st); c != nil && !c.FactsDigest.IsZero() {
			facts[c.FactsDigest] = true
		}
	})
	found := map[trial.Hash]*study.Study{}
	take := func(record []byte) {
		h := trial.Hash(sha256.Sum256(record))
		switch {
		case found[h] != nil:
		case wanted[h]:
			if s, err := study.Parse(record); err == nil {
				found[h] = s
			}
		case facts[h]:
			if f, err := trial.ParseFacts(record); err == nil {
				found[h] = study.FromFacts(f)
			}
		}
	}
	for _, name := range files {
		err := filepath.WalkDir(name, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			err = study.Split(f, func(_ int, record []byte) error {
				take(record)
				return nil
			})
			if _, ok := errors.AsType[*fs.PathError](err); ok {
				return err
			}
			return nil // a file that is no export is no document of this trial
		})
		if err != nil {
			return nil, usageError{err}
		}
	}
	return found, nil
}

// read makes versions of the statements.
func (d *dossier) read(found map[trial.Hash]*study.Study) {
	var list []study.Version
	observed := map[trial.Hash]bool{}
	d.located(func(e trial.Located, id trial.Hash, st *trial.Statement) {
		if st.Predicate.Kind() == "observation" {
			observed[id] = true
		}
	})
	d.located(func(e trial.Located, id trial.Hash, st *trial.Statement) {
		v := study.Version{Entry: e.Index, ID: id, Kind: st.Predicate.Kind(), Org: e.Signer.Org, Logged: e.Time.Std().Format(time.DateOnly)}
		if o, ok := st.Predicate.(*trial.Observation); ok {
			v.Claimed = o.Dated
			if !o.Previous.IsZero() && !observed[o.Previous] {
				d.unchained = append(d.unchained, fmt.Sprintf("entry %d names an observation before it that is not logged for this number", e.Index))
			}
		}
		if d.timeline != nil {
			if i := d.timeline.Find(id); i != nil && v.Claimed == "" {
				v.Claimed = i.Value("dated")
			}
		}
		content := trial.ContentOf(st)
		for _, s := range st.Subjects {
			v.Digest = s.Digest.SHA256
			if v.Study = found[v.Digest]; v.Study != nil {
				d.files = append(d.files, v.Digest)
				list = append(list, v)
				return
			}
		}
		if content == nil {
			return
		}
		v.Digest = st.Subjects[0].Digest.SHA256
		switch {
		case content.Facts != nil:
			v.Study = study.FromFacts(content.Facts)
		case !content.FactsDigest.IsZero() && found[content.FactsDigest] != nil:
			d.files = append(d.files, content.FactsDigest)
			v.Study = found[content.FactsDigest]
		case !content.FactsDigest.IsZero():
			d.unread = append(d.unread, fmt.Sprintf("entry %d (%s) commits to facts of SHA-256 %s: give them or its file with -files to have it read", e.Index, v.Kind, content.FactsDigest))
			return
		default:
			d.unread = append(d.unread, fmt.Sprintf("entry %d (%s) has no facts: give its file with -files to have it read", e.Index, v.Kind))
			return
		}
		list = append(list, v)
	})
	d.versions = study.NewVersions(list)
}

// stated is an error where the histories are complete by the operator's word only.
func (d *dossier) stated() error {
	if slices.ContainsFunc(d.verdicts, func(v *history.Verdict) bool { return !v.Replayed }) {
		return errStated
	}
	return nil
}
