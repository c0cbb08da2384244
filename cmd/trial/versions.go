package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	id        string          // what was typed
	timeline  *trial.Timeline // nil: only observations on a number are logged
	histories []proven        // of the trial, then of its numbers
	orgs      []proven        // of who holds the trial, then of the others that have to do with it
	versions  []study.Version
	files     []trial.Hash // documents that versions were read from, in place of facts
	unread    []string     // documents whose content neither facts nor a file tell
	unchained []string     // observations whose predecessor is not logged for their number
	withdrawn []string     // observations that who logged them took back
	from      []string     // organisations whose word the reader takes

	own map[trial.Hash]*study.Study // the reader's records of the trial that are not logged
}

// dossier fetches and checks the histories of a trial and of what more names. Documents
// are read from the reader's files, by their digests, where given; else their facts tell.
func (r *remote) dossier(ctx context.Context, typed string, word *trusted, more func(*history.Verdict) []trial.RecordKey) (*dossier, error) {
	key, err := r.trialKey(typed)
	if err != nil {
		return nil, err
	}
	list, err := r.oneTree(ctx, key, more)
	if err != nil {
		return nil, err
	}
	if v := list[0]; v.Record == nil {
		return nil, fmt.Errorf("%w: nothing is logged for %s up to size %d", errInvalid, typed, v.Checkpoint.Size)
	}
	d := newDossier(typed, list)
	d.from = word.from
	found, err := d.find(word.files)
	if err != nil {
		return nil, err
	}
	d.read(found)
	return d, nil
}

// newDossier returns the dossier of histories as oneTree returns them.
func newDossier(typed string, list []proven) *dossier {
	d := &dossier{id: typed, histories: list, timeline: list[0].Timeline(0)}
	if n := slices.IndexFunc(list, isOrg); n > 0 {
		d.histories, d.orgs = list[:n], list[n:]
	}
	return d
}

func isOrg(p proven) bool { return p.Key.Kind == "org" }

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
	d.observations(func(e trial.Located, o *trial.Observation) {
		if !o.Withdraw.IsZero() {
			void[o.Withdraw] = true
		}
	})
	for _, v := range d.histories {
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

// observations calls f with each observation, and each withdrawal of one, in the order
// of the log.
func (d *dossier) observations(f func(trial.Located, *trial.Observation)) {
	for _, v := range d.histories {
		for _, e := range v.Entries {
			if e.Statement == nil {
				continue
			}
			if o, ok := e.Statement.Statement.Predicate.(*trial.Observation); ok {
				f(e, o)
			}
		}
	}
}

// find reads the documents, and the facts, among the files and in the folders that
// the statements commit to, and the reader's own records of the trial's numbers, which
// nobody has logged.
func (d *dossier) find(files []string) (map[trial.Hash]*study.Study, error) {
	d.own = map[trial.Hash]*study.Study{}
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
		case d.own[h] == nil:
			if s, err := study.Parse(record); err == nil && d.isOf(s) {
				d.own[h] = s
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
	observed := map[trial.Hash]trial.Located{}
	d.observations(func(e trial.Located, o *trial.Observation) {
		if o.Withdraw.IsZero() {
			observed[e.Statement.ID] = e
		} else if of, ok := observed[o.Withdraw]; ok {
			d.withdrawn = append(d.withdrawn, fmt.Sprintf("entry %d, an observation by %s, was withdrawn by entry %d (%s) and is not read", of.Index, of.Signer.Org, e.Index, o.Reason))
		}
	})
	d.located(func(e trial.Located, id trial.Hash, st *trial.Statement) {
		v := study.Version{Entry: e.Index, ID: id, Kind: st.Predicate.Kind(), Org: e.Signer.Org, Whose: d.whose(e, st), Logged: e.Time.Std().Format(time.DateOnly)}
		if o, ok := st.Predicate.(*trial.Observation); ok {
			if !o.Withdraw.IsZero() {
				return
			}
			v.Claimed = o.Dated
			if _, known := observed[o.Previous]; !o.Previous.IsZero() && !known {
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
				if v.Kind == "observation" { // its day is what the record says, whatever day its logger gave it
					if !d.isOf(v.Study) {
						d.unread = append(d.unread, fmt.Sprintf("entry %d of %s commits to a file that is no record of this number: it is not read", v.Entry, v.Org))
						return
					}
					v.Claimed = v.Study.Dated
				}
				v.Whose = study.ByReader
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
		if v.Kind == "observation" && v.Study.Number("nct") != "" && !d.isOf(v.Study) {
			d.unread = append(d.unread, fmt.Sprintf("entry %d of %s has the facts of another number than the one it is logged for: it is not read", v.Entry, v.Org))
			return
		}
		list = append(list, v)
	})
	for _, h := range slices.SortedFunc(maps.Keys(d.own), byBytes) {
		s := d.own[h]
		name := fmt.Sprintf("your file of SHA-256 %.12s", h)
		if s.Dated == "" {
			d.unread = append(d.unread, name+" declares no day, so what it says cannot be put among the versions")
			continue
		}
		d.files = append(d.files, h)
		list = append(list, study.Version{Study: s, File: name, Kind: "observation", Whose: study.ByReader, Digest: h, Claimed: s.Dated})
	}
	slices.SortFunc(d.files, byBytes)
	slices.SortFunc(list, func(a, b study.Version) int {
		return cmp.Or(cmp.Compare(a.Entry, b.Entry), strings.Compare(a.File, b.File))
	})
	d.versions = study.NewVersions(list)
}

func byBytes(a, b trial.Hash) int { return bytes.Compare(a[:], b[:]) }

// isOf reports whether a study bears one of the numbers that the histories are of.
func (d *dossier) isOf(s *study.Study) bool {
	for _, id := range s.Identifiers {
		number, err := trial.ParseIdentifier(id.Value)
		if err == nil && slices.ContainsFunc(d.histories, func(p proven) bool { return p.Key == trial.RecordKey{Kind: "identifier", ID: number} }) {
			return true
		}
	}
	return false
}

// stated is an error where the histories are complete by the operator's word only.
func (d *dossier) stated() error {
	if !d.histories[0].Replayed { // provenByAll made it speak for all
		return errStated
	}
	return nil
}
