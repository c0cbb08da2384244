package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/trial/receipt"
)

// alterFile alters one byte of a document and expects the verifier to name it.
func (s *story) alterFile(ctx context.Context) error {
	s.say("One digit of the results is altered. The receipt no longer fits.")
	d := s.documents[2]
	text, err := os.ReadFile(d.file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(d.file, bytes.Replace(text, []byte("-0.9"), []byte("-1.9"), 1), 0o644); err != nil {
		return err
	}
	_, verr := s.check(d)
	p, ok := errors.AsType[*receipt.Problem](verr)
	if !ok || p.Part != "file" || !strings.Contains(p.Detail, filepath.Base(d.file)) {
		return fmt.Errorf("the altered file was not caught: %v", verr)
	}
	s.detail("caught: %v", verr)
	return os.WriteFile(d.file, text, 0o644)
}

// alterStores alters a row of a copy of the database, then a tile of another
// copy, and expects fsck to name each.
func (s *story) alterStores(ctx context.Context) error {
	s.say("The operator's own stores: the log stops, and copies of its folder are altered.")
	if err := s.server.stop(); err != nil {
		return fmt.Errorf("stop the log: %w", err)
	}
	s.server = nil
	var out bytes.Buffer
	if n, err := s.log.check(ctx, &out, &out, logserver.Checking{}); err != nil || n > 0 {
		return fmt.Errorf("the log itself is not sound: %v %s", err, &out)
	}
	s.detail("fsck of the log itself: all agrees")
	entry := s.documents[1].index
	for _, t := range []struct {
		what  string
		alter func(dir string) error
		named string // what fsck must say
	}{
		{
			"one byte of a row of the database", func(dir string) error { return alterRow(ctx, filepath.Join(dir, treeName), entry) },
			fmt.Sprintf("entry %d: the database holds other bytes", entry),
		},
		{
			"one byte of a tile", func(dir string) error {
				return alterByte(filepath.Join(dir, tilesName, "tile", "0", "000"), int64(32*entry))
			},
			fmt.Sprintf("tile/0/000 is damaged: byte %d of it", 32*entry),
		},
		{
			"one byte of an entry bundle", func(dir string) error {
				return alterText(filepath.Join(dir, tilesName, "tile", "entries", "000"), `"role":"administrator"`,
					`"role":"bdministrator"`)
			},
			"tile/entries/000 is damaged: byte",
		},
	} {
		copied := folder{dir: s.path("altered")}
		if err := os.CopyFS(copied.dir, os.DirFS(s.log.dir)); err != nil {
			return err
		}
		if err := t.alter(copied.dir); err != nil {
			return fmt.Errorf("alter %s: %w", t.what, err)
		}
		var out bytes.Buffer
		n, err := copied.check(ctx, &out, &out, logserver.Checking{})
		if err != nil {
			return err
		}
		line := lineWith(out.String(), t.named)
		if n == 0 || line == "" {
			return fmt.Errorf("%s was altered and not caught by name: %s", t.what, &out)
		}
		s.detail("altered %s; fsck names it:\n  %s", t.what, line)
		if err := os.RemoveAll(copied.dir); err != nil {
			return err
		}
	}
	s.say("The log starts again, asks its witnesses what they last saw, and goes on.")
	if err := s.serve(ctx); err != nil {
		return err
	}
	return s.auditAll(ctx)
}

func lineWith(text, part string) string {
	for _, line := range strings.Split(text, "\n") {
		if line != "" && strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

// alterRow alters one byte of the leaf that Trillian keeps at an index.
func alterRow(ctx context.Context, file string, index uint64) (err error) {
	db, err := sqlite.OpenDB(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var id, leaf []byte
	err = db.QueryRowContext(ctx, `SELECT d.LeafIdentityHash, d.LeafValue FROM LeafData d
		JOIN SequencedLeafData s ON s.TreeId = d.TreeId AND s.LeafIdentityHash = d.LeafIdentityHash
		WHERE s.SequenceNumber = ?`, index).Scan(&id, &leaf)
	if err != nil {
		return err
	}
	leaf[len(leaf)/2] ^= 1
	res, err := db.ExecContext(ctx, `UPDATE LeafData SET LeafValue = ? WHERE LeafIdentityHash = ?`, leaf, id)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("%d rows altered: %w", n, err)
	}
	return nil
}

func alterByte(file string, at int64) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	data[at] ^= 1
	return os.WriteFile(file, data, 0o644)
}

func alterText(file, old, new string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Contains(data, []byte(old)) {
		return fmt.Errorf("%s has no %s", file, old)
	}
	return os.WriteFile(file, bytes.Replace(data, []byte(old), []byte(new), 1), 0o644)
}
