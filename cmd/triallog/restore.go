package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/durable"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/engine"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/logserver/sqlstore"
	"github.com/trialproof/trialproof/trial/tile/fetch"
)

// restore makes the databases of a log again from what is served of it: by its
// old server, by a mirror, or from a copy of its tiles. The folder's key may be
// another than the log had, if the policy has both: so a log changes hands.
func restore(ctx context.Context, e *frame.Env, args []string) (err error) {
	var f folder
	flags := e.Flags()
	f.flags(flags)
	from := flags.String("from", "", "`URL` under which checkpoint and tile/entries/... are served, https://, http:// or file:///")
	unwitnessed := flags.Bool("unwitnessed", false, "restore with a policy that asks for no witness: then only "+checkpointName+" in "+
		"the folder, if it is there, tells whether the URL serves an old copy")
	if err := parse(e, flags, args); err != nil {
		return err
	}
	if f.dir == "" || *from == "" {
		return frame.Usagef("-from and -dir must be given")
	}
	source, err := mirrorAt(*from)
	if err != nil {
		return err
	}
	cfg, _, err := f.config()
	if err != nil {
		return err
	}
	if err := f.next(&cfg); err != nil {
		return err
	}
	if err := f.witnessed(cfg.Policy, *unwitnessed); err != nil {
		return err
	}
	s := new(stores)
	if s.lock, err = sqlite.LockDir(f.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if done, err := f.vacant(ctx); err != nil {
		return err
	} else if done {
		return f.finished(e)
	}
	plan, err := logserver.PlanRestore(ctx, cfg, source)
	if err != nil {
		return err
	}
	tree := plan.Tree()
	fmt.Fprintf(e.Stderr, "restoring %s at size %d\n", tree.Origin, tree.Size)
	if err := f.clear(ctx, *from); err != nil {
		return err
	}
	if err := s.open(ctx, &f, true, nil); err != nil {
		return err
	}
	cfg.Tree, cfg.Tiles = s.tree, s.tiles
	start, p := time.Now(), e.Progress("restored")
	err = plan.Restore(ctx, cfg, s.store, func(done, total uint64) {
		p.Show("%d of %d entries, %.0f a second", done, total, float64(done)/time.Since(start).Seconds())
	})
	p.End()
	if err != nil {
		return fmt.Errorf("%w (what was written is no log yet: restore again, and it is written anew)", err)
	}
	if err := durable.Remove(f.path(restoringName)); err != nil {
		return err
	}
	took := time.Since(start)
	fmt.Fprintf(e.Stderr, "restored %d entries in %v, %.0f a second; next: see that no other server runs this log, then triallog serve "+
		"-dir %s%s%s\n",
		tree.Size, took.Round(time.Millisecond), float64(tree.Size)/took.Seconds(), frame.Quoted(f.dir), f.sameDatabase(),
		f.typedDatabase())
	fmt.Fprintf(e.Stdout, "%s size %d root %x\n", tree.Origin, tree.Size, tree.Root)
	return nil
}

// vacant asks that no log is written over: the folder and database hold none, or
// an unfinished restore, which the file restoring tells. Where that stands beside
// a log, only its removal was left to do.
func (f *folder) vacant(ctx context.Context) (done bool, err error) {
	marked, err := readOptional(f.path(restoringName))
	if err != nil {
		return false, err
	}
	if marked == nil {
		for _, name := range []string{logName, treeName, tilesName} {
			if _, err := os.Stat(f.path(name)); err == nil {
				return false, fmt.Errorf("%s is there: a restore writes over nothing; take %s, %s and %s away first (a copy of the "+
					"tiles can be restored from)", f.path(name), logName, treeName, tilesName)
			}
		}
	}
	db, dialect, err := f.journal(ctx)
	if db == nil || err != nil {
		return false, err
	}
	finished, err := sqlstore.Finished(ctx, db, dialect)
	err = errors.Join(err, db.Close())
	switch {
	case err != nil || !finished:
		return false, err
	case marked == nil:
		return false, fmt.Errorf("the database holds a log already: name another, or serve it with triallog serve -dir %s%s%s",
			frame.Quoted(f.dir), f.sameDatabase(), f.typedDatabase())
	}
	return true, nil
}

func (f *folder) finished(e *frame.Env) error {
	if err := durable.Remove(f.path(restoringName)); err != nil {
		return err
	}
	where := frame.Quoted(f.dir) + f.sameDatabase()
	fmt.Fprintf(e.Stderr, "an earlier restore had written everything; next: triallog fsck -dir %s, and triallog serve -dir %s%s\n",
		where, where, f.typedDatabase())
	return nil
}

// journal opens the database that the journal is in; nil if it is a file that is
// not there.
func (f *folder) journal(ctx context.Context) (*sql.DB, sqlstore.Dialect, error) {
	if f.mysql != "" {
		db, err := engine.OpenMySQL(ctx, f.mysql)
		return db, sqlstore.MySQL, err
	}
	if _, err := os.Stat(f.path(logName)); errors.Is(err, fs.ErrNotExist) {
		return nil, sqlstore.SQLite, nil
	}
	db, err := sqlite.OpenDB(f.path(logName))
	return db, sqlstore.SQLite, err
}

// clear marks the folder, and removes what an unfinished restore has left. With
// the mark nothing but restore works on the folder.
func (f *folder) clear(ctx context.Context, from string) error {
	if err := durable.ReplaceAlone(f.path(restoringName), []byte(from+"\n"), 0o644); err != nil {
		return err
	}
	if f.mysql == "" {
		for _, name := range []string{logName, treeName} {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.RemoveAll(f.path(name + suffix)); err != nil {
					return err
				}
			}
		}
		return durable.Remove(f.path(tilesName))
	}
	db, err := engine.OpenMySQL(ctx, f.mysql)
	if err != nil {
		return err
	}
	return errors.Join(sqlstore.Clear(ctx, db, func(tree int64) error {
		if f.trillian != "" {
			return nil // its storage is Trillian's own; a tree that nobody names does no harm
		}
		return engine.Drop(ctx, engine.Config{MySQL: f.mysql, TreeID: tree})
	}), db.Close())
}

// mirrorAt returns who serves a copy of the tiles. A mirror that is busy for a moment
// does not end a restore of hours.
func mirrorAt(from string) (*fetch.Client, error) {
	c, err := fetch.New(from, fetch.Options{Wait: time.Minute, Tries: 5})
	if err != nil {
		return nil, frame.Usagef("-from %v", err)
	}
	return c, nil
}
