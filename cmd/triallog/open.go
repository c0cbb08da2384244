package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/engine"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/logserver/sqlstore"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A folder is where a log lives: its key and policy, a copy of its newest
// checkpoint and, unless they are in MySQL, its databases and tiles.
type folder struct {
	dir   string
	mysql string // DSN; empty: SQLite in the folder
}

func (f *folder) flags(fs *flag.FlagSet) {
	fs.StringVar(&f.dir, "dir", "", "`folder` of the log")
	fs.StringVar(&f.mysql, "mysql", "", "keep the log in MySQL or MariaDB: `DSN` such as user:password@tcp(host:3306)/database")
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// files of the folder.
const (
	keyName        = "log.key"
	vkeyName       = "log.vkey"
	policyName     = "policy"
	checkpointName = "checkpoint"
	treeName       = "tree.db" // Trillian's
	logName        = "log.db"  // the journal
	tilesName      = "tiles"
)

// stores are the log's databases, open.
type stores struct {
	tree  *engine.Tree
	store *sqlstore.Store
	tiles logserver.TileStore
	lock  *sqlite.Lock
	db    *sql.DB
}

func (s *stores) Close() error {
	var errs []error
	if s.tree != nil {
		errs = append(errs, s.tree.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// open opens the stores, or makes them for a new log.
func (f *folder) open(ctx context.Context, create bool, logger *slog.Logger) (_ *stores, err error) {
	s := new(stores)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.lock, err = sqlite.LockDir(f.dir); err != nil {
		return nil, err
	}
	cfg := engine.Config{MySQL: f.mysql, Logger: logger}
	dialect := sqlstore.MySQL
	if f.mysql != "" {
		s.db, err = engine.OpenMySQL(ctx, f.mysql)
	} else {
		cfg.SQLite, dialect = f.path(treeName), sqlstore.SQLite
		if _, serr := os.Stat(f.path(logName)); serr != nil && !create {
			return nil, fmt.Errorf("%s holds no log (triallog init makes one): %w", f.dir, serr)
		}
		s.db, err = sqlite.OpenDB(f.path(logName))
	}
	if err != nil {
		return nil, err
	}
	if create {
		if cfg.TreeID, err = engine.Create(ctx, cfg); err != nil {
			return nil, err
		}
		s.store, err = sqlstore.Create(ctx, s.db, dialect, cfg.TreeID)
	} else {
		s.store, err = sqlstore.Open(ctx, s.db, dialect)
	}
	if err != nil {
		return nil, err
	}
	cfg.TreeID = s.store.TreeID()
	if s.tree, err = engine.Open(ctx, cfg); err != nil {
		return nil, err
	}
	s.tiles = logserver.NewTileDir(f.path(tilesName))
	if f.mysql != "" {
		s.tiles = s.store.Tiles()
	}
	return s, nil
}

// config is what logserver needs of the folder.
func (f *folder) config(s *stores) (logserver.Config, []byte, error) {
	skey, err := os.ReadFile(f.path(keyName))
	if err != nil {
		return logserver.Config{}, nil, fmt.Errorf("read the log's key: %w", err)
	}
	signer, err := note.NewSigner(string(trimLine(skey)))
	if err != nil {
		return logserver.Config{}, nil, fmt.Errorf("%s: %w", f.path(keyName), err)
	}
	text, err := os.ReadFile(f.path(policyName))
	if err != nil {
		return logserver.Config{}, nil, fmt.Errorf("read the policy: %w", err)
	}
	policy, err := receipt.ParsePolicy(text)
	if err != nil {
		return logserver.Config{}, nil, fmt.Errorf("%s: %w", f.path(policyName), err)
	}
	vkey, err := os.ReadFile(f.path(vkeyName))
	if err != nil {
		return logserver.Config{}, nil, fmt.Errorf("read the log's verifier key: %w", err)
	}
	if l := policy.Log(signer.Name()); l == nil || l.VKey != string(trimLine(vkey)) {
		return logserver.Config{}, nil, fmt.Errorf("%s: it has no line for this log: add `log %s`", f.path(policyName), trimLine(vkey))
	}
	return logserver.Config{
		Signer: signer, Policy: policy, Tree: s.tree, Journal: s.store, Tiles: s.tiles,
		CheckpointFile: f.path(checkpointName),
	}, text, nil
}

func trimLine(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}
