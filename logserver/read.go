package logserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// ErrDisputed says that an identifier is claimed for two trials, so that it names
// neither.
var ErrDisputed = errors.New("disputed")

// A Located entry is a leaf of the published tree with its index.
type Located struct {
	Index uint64
	Raw   []byte
}

// maxAbout bounds the entries about one record that one call reads.
const maxAbout = 1000

// About returns the entries of the published tree about a record, from an index on, at most
// limit (0 means as many as one call gives). That none is left out is only the operator's
// claim: only a proof of completeness, checked by the client, shows it.
func (l *Log) About(ctx context.Context, key trial.RecordKey, from uint64, limit int) ([]Located, error) {
	if limit <= 0 || limit > maxAbout {
		limit = maxAbout
	}
	if l.view.lacks(key, l.publishedSize()) {
		return nil, nil
	}
	indexes, err := l.journal.Entries(ctx, key, from, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: look up entries of %s %s: %w", ErrStore, key.Kind, key.ID, err)
	}
	size := l.publishedSize()
	var list []Located
	for _, i := range indexes {
		if i >= size {
			break
		}
		raws, err := l.hashes.entriesAt(ctx, []uint64{i})
		if err != nil {
			return nil, err
		}
		list = append(list, Located{i, raws[0]})
	}
	return list, nil
}

// Resolve returns the id of the trial that was typed: a trial's id or at least its first 12
// digits, a registry's number, sponsor:ORG/NUMBER, or the sponsor's number alone. ErrNotFound
// says that nothing is published under it; ErrDisputed, that it is claimed for two trials or
// stands for several.
func (l *Log) Resolve(ctx context.Context, typed string) (trial.Hash, error) {
	if id, err := trial.ParseHash(typed); err == nil {
		list, err := l.About(ctx, trial.RecordKey{Kind: "trial", ID: id.String()}, 0, 1)
		if err == nil && len(list) == 0 {
			err = ErrNotFound
		}
		return id, err
	}
	id, err := trial.ParseIdentifier(typed)
	if err != nil && !strings.HasPrefix(typed, "sponsor:") {
		return l.resolveShort(typed) // not a registry's number: a sponsor's own number must not pass for one
	}
	if err != nil {
		id = typed // sponsor:ORG/NUMBER
	}
	rec, _ := l.view.record(trial.RecordKey{Kind: "identifier", ID: id}).(*trial.IdentifierRecord)
	switch {
	case rec == nil || len(rec.Claims) == 0: // an observation binds nothing
		return trial.Hash{}, ErrNotFound
	case rec.Disputed():
		return trial.Hash{}, fmt.Errorf("%w: %s is claimed by %s and by %s: name the trial by its id",
			ErrDisputed, id, rec.Claims[0].Org, rec.Claims[1].Org)
	}
	return rec.Trial(), nil
}

// resolveShort returns the one trial that a short name stands for.
func (l *Log) resolveShort(typed string) (trial.Hash, error) {
	switch list := l.view.named(typed); len(list) {
	case 0:
		return trial.Hash{}, ErrNotFound
	case 1:
		return list[0], nil
	default:
		return trial.Hash{}, fmt.Errorf("%w: %.64q stands for %d trials, %s and %s among them: give the whole id, or sponsor:ORG/NUMBER",
			ErrDisputed, typed, len(list), list[0], list[1])
	}
}

// Records returns the records of a kind as of the published tree, in no particular order.
func (l *Log) Records(kind string) []trial.Record { return l.view.ofKind(kind) }

// Record returns a record as of the published tree, or nil if there is none.
func (l *Log) Record(key trial.RecordKey) trial.Record { return l.view.record(key) }
