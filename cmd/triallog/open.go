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
	"strings"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/logserver/engine"
	"github.com/trialproof/trialproof/logserver/sqlite"
	"github.com/trialproof/trialproof/logserver/sqlstore"
)

// A folder is where a log lives: its key and policy, a copy of its newest
// checkpoint and, unless they are in MySQL, its databases and tiles.
type folder struct {
	dir       string
	mysql     string // DSN; empty: SQLite in the folder
	mysqlFile string // that has the DSN; empty: the DSN was typed or is in the environment
	trillian  string // addresses of log servers; empty: Trillian runs in this process
	unchanged bool   // the tables stay as they are, of whatever version
}

func (f *folder) flags(fs *flag.FlagSet) {
	fs.StringVar(&f.dir, "dir", "", "`folder` of the log")
	fs.StringVar(&f.mysql, "mysql", "",
		"keep the log in MySQL or MariaDB: `DSN` such as user:password@tcp(host:3306)/database; default: "+mysqlVariable)
	fs.StringVar(&f.trillian, "trillian", "", "keep the tree in trillian_log_server and trillian_log_signer, which run apart: `address` "+
		"such as host:8090, or several with commas between them; the journal stays in -mysql or in the folder")
	fs.StringVar(&f.mysqlFile, mysqlFile, "", "`file` with the DSN, which other users of this machine then cannot see in the list of "+
		"processes")
}

const (
	mysqlVariable = "TRIALPROOF_MYSQL"
	mysqlFile     = "mysql-file"
)

// connectionString gives the flag -mysql, where there is one and it was not given, what
// the file or the environment has. It is a secret: it is never printed.
func connectionString(fs *flag.FlagSet) error {
	dsn := fs.Lookup("mysql")
	if dsn == nil {
		return nil
	}
	given := false
	fs.Visit(func(f *flag.Flag) { given = given || f.Name == mysqlFile })
	switch file := fs.Lookup(mysqlFile).Value.String(); {
	case given && file == "": // an unset variable in somebody's script
		return frame.Usagef("-%s is given with nothing behind it", mysqlFile)
	case file != "" && dsn.Value.String() != "":
		return frame.Usagef("-mysql and -%s are two names of one thing: give one of them", mysqlFile)
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return frame.AsUsage(err)
		}
		text := strings.TrimSpace(string(data))
		if text == "" || strings.ContainsAny(text, "\r\n") {
			return frame.Usagef("%s is not one line with a connection string", file)
		}
		return dsn.Value.Set(text)
	case dsn.Value.String() == "":
		return dsn.Value.Set(os.Getenv(mysqlVariable))
	}
	return nil
}

// sameDatabase are the flags by which a command that is suggested uses the same database.
// What is in the environment needs none.
func (f *folder) sameDatabase() (flags string) {
	if f.mysqlFile != "" {
		flags += " -" + mysqlFile + " " + frame.Quoted(f.mysqlFile)
	}
	if f.trillian != "" {
		flags += " -trillian " + frame.Quoted(f.trillian)
	}
	return flags
}

// typedDatabase says what a command that is suggested lacks: a connection string that was
// typed is not printed.
func (f *folder) typedDatabase() string {
	if f.mysql == "" || f.mysqlFile != "" || f.mysql == os.Getenv(mysqlVariable) {
		return ""
	}
	return " (with the same -mysql, which is a secret and not shown; -" + mysqlFile + " FILE or " + mysqlVariable + " keep it out of sight)"
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// files of the folder.
const (
	keyName        = "log.key"
	vkeyName       = "log.vkey"
	nextKeyName    = "log.next.key" // while one key follows the other
	nextVKeyName   = "log.next.vkey"
	nextPubName    = "log.next.pub" // what the registrar announces it with
	oldKeyName     = "log.old.key"  // retired
	oldVKeyName    = "log.old.vkey"
	policyName     = "policy"
	checkpointName = "checkpoint"
	treeName       = "tree.db" // Trillian's
	logName        = "log.db"  // the journal
	tilesName      = "tiles"
	restoringName  = "restoring" // while a restore is not finished
)

// stores are the log's databases, open.
type stores struct {
	tree  *engine.Tree
	store *sqlstore.Store
	tiles logserver.TileStore
	lock  *sqlite.Lock
	db    *sql.DB
	temp  string // folder of copies, removed at the end
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
	if s.temp != "" {
		errs = append(errs, os.RemoveAll(s.temp))
	}
	return errors.Join(errs...)
}

// open opens the stores, or makes them for a new log.
func (f *folder) open(ctx context.Context, create bool, logger *slog.Logger) (_ *stores, err error) {
	s := new(stores)
	if !create { // before anything is made in a folder whose name was typed wrong
		if err := f.there(); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.lock, err = sqlite.LockDir(f.dir); err != nil {
		return nil, err
	}
	if from, err := readOptional(f.path(restoringName)); err != nil {
		return nil, err
	} else if from != nil {
		return nil, fmt.Errorf("%s holds a restore that was not finished: run triallog restore -dir %s -from %s%s again%s",
			f.dir, frame.Quoted(f.dir), frame.Quoted(string(trimLine(from))), f.sameDatabase(), f.typedDatabase())
	}
	return s, s.open(ctx, f, create, logger)
}

// there refuses a folder that holds nothing of a log.
func (f *folder) there() error {
	if st, err := os.Stat(f.dir); errors.Is(err, os.ErrNotExist) {
		return frame.Usagef("there is no folder %s: check -dir (triallog init makes a log in a new folder)", f.dir)
	} else if err != nil {
		return frame.AsUsage(err)
	} else if !st.IsDir() {
		return frame.Usagef("%s is not a folder: -dir names the log's folder", f.dir)
	}
	for _, name := range []string{keyName, policyName, logName, restoringName} {
		if _, err := os.Stat(f.path(name)); !errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	return frame.Usagef("the folder %s holds no log: check -dir (triallog init makes a log in a new folder, "+
		"triallog restore fills it from a lost one's tiles)", f.dir)
}

// open opens the stores of a folder that is locked.
func (s *stores) open(ctx context.Context, f *folder, create bool, logger *slog.Logger) (err error) {
	if logger != nil { // before the database is reached: what its driver says goes there too
		engine.LogTo(logger)
	}
	cfg := engine.Config{MySQL: f.mysql, Logger: logger}
	dialect := sqlstore.MySQL
	if f.mysql != "" {
		s.db, err = engine.OpenMySQL(ctx, f.mysql)
	} else {
		cfg.SQLite, dialect = f.path(treeName), sqlstore.SQLite
		if _, serr := os.Stat(f.path(logName)); serr != nil && !create {
			return fmt.Errorf("%s holds no log (triallog init makes one, triallog restore fills it from a lost one's tiles): %w", f.dir,
				serr)
		}
		s.db, err = sqlite.OpenDB(f.path(logName))
	}
	if err != nil {
		return err
	}
	if f.trillian != "" {
		cfg.MySQL, cfg.SQLite, cfg.Trillian = "", "", f.trillian
	}
	if create {
		if cfg.TreeID, err = engine.Create(ctx, cfg); err != nil {
			return err
		}
		s.store, err = sqlstore.Create(ctx, s.db, dialect, cfg.TreeID)
	} else {
		if !f.unchanged {
			if err := sqlstore.Upgrade(ctx, s.db, dialect); err != nil {
				return err
			}
		}
		s.store, err = sqlstore.Open(ctx, s.db, dialect)
	}
	if err != nil {
		return err
	}
	cfg.TreeID = s.store.TreeID()
	if s.tree, err = engine.Open(ctx, cfg); err != nil {
		return err
	}
	s.tiles = logserver.NewTileDir(f.path(tilesName))
	if f.mysql != "" {
		s.tiles = s.store.Tiles()
	}
	return nil
}

// config is what logserver needs of the stores and the folder.
func (s *stores) config(f *folder) (logserver.Config, []byte, error) {
	cfg, policy, err := f.config()
	cfg.Tree, cfg.Journal, cfg.Tiles = s.tree, s.store, s.tiles
	if f.mysql == "" {
		cfg.Files = []string{f.path(logName)}
		if f.trillian == "" {
			cfg.Files = append(cfg.Files, f.path(treeName))
		}
	}
	return cfg, policy, err
}
