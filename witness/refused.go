package witness

import (
	"crypto/sha256"
	"errors"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

// SPEC: If the origin is known, and the signature is valid, the witness MAY log
// the request even if the checkpoint fails one of the consistency checks above
// (but MUST NOT cosign the checkpoint), as it might be proof of log misbehavior.
//
// Only somebody who can sign for the log can make us keep anything: a text is kept once, with no
// signature but the log's. These limits apply to a log that is hostile or broken. Forks are in a
// file of their own, from which nothing pushes out the first ones. Of other refusals the newest are
// kept, at least one generation.
const (
	maxRefused      = 512     // in one generation; there are two
	maxRefusedBytes = 1 << 20 // the same
	maxForks        = 1000
	maxForksBytes   = 16 << 20
)

// A refusedIndex says what is in the files refused, refused.old and forks.
type refusedIndex struct {
	texts, oldTexts map[textHash]point // of refused and refused.old
	bytes           int                // of refused
	forks           map[textHash]bool  // by the pair's second text
	forksBytes      int
}

type textHash [sha256.Size]byte

type point struct {
	size int64
	root tlog.Hash
}

func hashText(cp *checkpoint) textHash { return sha256.Sum256([]byte(cp.text)) }

func (cp *checkpoint) point() point { return point{cp.size, cp.root} }

func (x *refusedIndex) has(h textHash) bool {
	_, now := x.texts[h]
	_, before := x.oldTexts[h]
	return now || before || x.forks[h]
}

// rival reports whether a checkpoint of the same size and another root was
// refused.
func (x *refusedIndex) rival(p point) bool {
	for _, texts := range []map[textHash]point{x.texts, x.oldTexts} {
		for _, q := range texts {
			if q.size == p.size && q.root != p.root {
				return true
			}
		}
	}
	return false
}

func (l *ledger) loadRefused() error {
	x := &l.refused
	*x = refusedIndex{forks: make(map[textHash]bool)}
	var err error
	if x.texts, x.bytes, err = l.readTexts("refused"); err != nil {
		return err
	}
	if x.oldTexts, _, err = l.readTexts("refused.old"); err != nil {
		return err
	}
	err = l.journal("forks").each(func(line []byte) error {
		_, second, err := parseFork(line)
		if err == nil {
			x.forks[hashText(second)] = true
			x.forksBytes += len(line) + 1
		}
		return err
	})
	l.counts.forks.Store(int64(len(x.forks)))
	return err
}

func (l *ledger) readTexts(name string) (map[textHash]point, int, error) {
	texts, size := make(map[textHash]point), 0
	err := l.journal(name).each(func(line []byte) error {
		cp, _, err := parseNoteLine(line)
		if err == nil {
			texts[hashText(cp)] = cp.point()
			size += len(line) + 1
		}
		return err
	})
	return texts, size, err
}

// keepRefused keeps a checkpoint that was not cosigned, and keeps it as a fork if one of the
// same size and another root was signed before; l.mu is held. The answer to the client does not
// depend on it, so failures are only logged.
func (l *ledger) keepRefused(cur *record, cp *checkpoint, signed string, why error) {
	l.counts.refused.Add(1)
	if l.refused.has(hashText(cp)) {
		return
	}
	rival, known, err := l.rivalOf(cur, cp)
	switch {
	case err != nil:
		l.cfg.Logger.Error("looking for a fork failed", "origin", l.origin, "err", err)
		fallthrough
	case rival == nil && !known:
		if conflict, ok := errors.AsType[*ConflictError](why); ok {
			// In this way a log that has just started, or that has just been told of us, finds
			// out where we are. Nothing is wrong.
			l.cfg.Logger.Info("told the log the size to start from", "origin", l.origin, "start", conflict.Size, "size", cp.size)
		} else {
			l.cfg.Logger.Warn("refused a checkpoint the log signed",
				"origin", l.origin, "size", cp.size, "root", cp.root.String(), "why", why)
		}
		l.keepText(cp, signed)
	case rival != nil:
		if !l.keepFork(rival, []byte(signed), cp) {
			l.keepText(cp, signed)
		}
	}
}

// rivalOf returns the note of another root at cp's size, if the log is known to have signed
// one; known says that this very checkpoint was cosigned. The history is searched on disk,
// because refusals are rare and memory is limited.
func (l *ledger) rivalOf(cur *record, cp *checkpoint) (rival []byte, known bool, err error) {
	if cur.note != nil && cp.size <= cur.cp.size {
		was, note, err := l.journal("history").search(cp.size)
		if err != nil {
			return nil, false, err
		}
		if was != nil && was.size == cp.size {
			if was.root != cp.root {
				return note, false, nil
			}
			if was.text == cp.text {
				return nil, true, nil
			}
		}
	}
	rival, err = l.refusedRival(cp.point())
	return rival, false, err
}

// refusedRival returns a refused note of the same size and another root.
func (l *ledger) refusedRival(p point) (rival []byte, err error) {
	if !l.refused.rival(p) {
		return nil, nil
	}
	for _, name := range []string{"refused", "refused.old"} {
		err := l.journal(name).each(func(line []byte) error {
			cp, note, err := parseNoteLine(line)
			if err == nil && cp.size == p.size && cp.root != p.root {
				rival = note
			}
			return err
		})
		if rival != nil || err != nil {
			return rival, err
		}
	}
	return nil, nil
}

// keepIfFork compares a checkpoint that was just cosigned with those refused before. Even then
// a witness must cosign what follows from its record; whoever reads the evidence decides what
// becomes of the log. l.mu is held.
func (l *ledger) keepIfFork(rec *record) {
	rival, err := l.refusedRival(rec.cp.point())
	if err != nil {
		l.cfg.Logger.Error("looking for a fork failed", "origin", l.origin, "err", err)
	}
	if rival != nil {
		l.keepFork(rival, rec.note, &rec.cp)
	}
}

// keepText appends to refused and turns generations over when it is full.
func (l *ledger) keepText(cp *checkpoint, signed string) {
	x, line := &l.refused, noteLine([]byte(signed))
	if len(x.texts) >= maxRefused || x.bytes+len(line)+1 > maxRefusedBytes {
		err := l.cfg.Files.Rename(l.path("refused"), l.path("refused.old"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			l.cfg.Logger.Error("keeping a refused checkpoint failed", "origin", l.origin, "err", err)
			return
		}
		x.texts, x.oldTexts, x.bytes = make(map[textHash]point), x.texts, 0
	}
	if err := l.journal("refused").append(line); err != nil {
		l.cfg.Logger.Error("keeping a refused checkpoint failed", "origin", l.origin, "err", err)
		return
	}
	x.texts[hashText(cp)] = cp.point()
	x.bytes += len(line) + 1
}

// keepFork appends a pair to forks; second is the parsed form of the second note. It returns
// false if the file is full or cannot be written.
func (l *ledger) keepFork(first, secondNote []byte, second *checkpoint) bool {
	x := &l.refused
	h := hashText(second)
	if x.forks[h] {
		return true
	}
	l.cfg.Logger.Error("FORK: the log signed two roots for one size; see `trialwitness forks`",
		"origin", l.origin, "size", second.size, "root", second.root.String())
	line := forkLine(first, secondNote)
	if len(x.forks) >= maxForks || x.forksBytes+len(line)+1 > maxForksBytes {
		return false
	}
	if err := l.journal("forks").append(line); err != nil {
		l.cfg.Logger.Error("keeping fork evidence failed", "origin", l.origin, "err", err)
		return false
	}
	x.forks[h] = true
	x.forksBytes += len(line) + 1
	l.counts.forks.Add(1)
	return true
}
