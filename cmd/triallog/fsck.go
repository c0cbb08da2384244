package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/trial/tile"
)

func fsck(ctx context.Context, e *frame.Env, args []string) error {
	var f folder
	fs := e.Flags()
	f.flags(fs)
	mend := fs.Bool("repair", false, "put back what is damaged, where its right bytes are known by the root that the log signed; each "+
		"file is first noted in DIR/"+repairsName)
	from := fs.String("from", "", "with -repair: `URL` of a mirror that has what stands nowhere here")
	if err := parse(e, fs, args); err != nil {
		return err
	}
	if f.dir == "" {
		return frame.Usagef("-dir must be given")
	}
	if *from != "" && !*mend {
		return frame.Usagef("-from belongs to -repair")
	}
	var mirror tile.Source
	if *from != "" {
		src, err := mirrorAt(*from)
		if err != nil {
			return err
		}
		mirror = src
	}
	repaired := 0
	how := logserver.Checking{Mirror: mirror}
	if *mend {
		how.Repair = func(m logserver.Mend) error {
			if m.Source == "the mirror" {
				m.Source += " " + *from
			}
			if err := f.note(m, time.Now()); err != nil {
				return fmt.Errorf("it could not be noted in %s: %w", f.path(repairsName), err)
			}
			repaired++
			_, err := fmt.Fprintf(e.Stdout, "%s was damaged (%s): put back from %s, noted in %s\n", m.Path, m.Why, m.Source,
				f.path(repairsName))
			return err
		}
	}
	n, err := f.check(ctx, e.Stdout, e.Stderr, how)
	if err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("%d things do not agree", n)
	}
	if repaired > 0 {
		fmt.Fprintf(e.Stdout, "files put back: %d. Keep %s, and find out what damaged them: a disk that fails once fails again\n",
			repaired, f.path(repairsName))
	}
	fmt.Fprintln(e.Stdout, "ok: tree, tiles, entry bundles, checkpoints, journal and state agree")
	return nil
}

// check prints what does not agree, one a line, and returns how much.
func (f *folder) check(ctx context.Context, w, words io.Writer, how logserver.Checking) (n int, err error) {
	s, err := f.open(ctx, false, nil)
	if how.Repair == nil && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)) {
		fmt.Fprintf(words, "%s cannot be written to: copies of its databases are checked, in %s\n", f.dir, os.TempDir())
		s, err = f.openCopy(ctx)
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	cfg, _, err := s.config(f)
	if err != nil {
		return 0, err
	}
	how.Found = func(problem string) {
		n++
		fmt.Fprintln(w, problem)
	}
	lines, err := readRepairs(f.path(repairsName))
	if err != nil {
		how.Found(err.Error())
	} else if len(lines) > 0 {
		fmt.Fprintf(words, "repairs noted in %s: %d; each line follows from the one before it\n", f.path(repairsName), len(lines))
	}
	return n, logserver.Check(ctx, cfg, how)
}

// openCopy opens the stores of a folder that is only read. SQLite must write where
// it reads what a crash left, so the databases are copied.
func (f *folder) openCopy(ctx context.Context) (_ *stores, err error) {
	s := new(stores)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.lock, err = sqlite.HoldDir(f.dir); err != nil {
		return nil, err
	}
	if s.temp, err = os.MkdirTemp("", "triallog-fsck-"); err != nil {
		return nil, err
	}
	g := folder{dir: s.temp, mysql: f.mysql, trillian: f.trillian, unchanged: f.mysql != ""}
	for _, name := range []string{logName, logName + "-wal", treeName, treeName + "-wal"} {
		if err := copyFile(g.path(name), f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := s.open(ctx, &g, false, nil); err != nil {
		return nil, fmt.Errorf("a copy of %s: %w", f.dir, err)
	}
	if f.mysql == "" {
		s.tiles = logserver.NewTileDir(f.path(tilesName))
	}
	return s, nil
}

func copyFile(to, from string) error {
	in, err := os.Open(filepath.Clean(from))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
