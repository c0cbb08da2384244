package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	trillianlog "github.com/google/trillian/log"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/storage"

	"github.com/trialproof/trialproof/logserver/sqlite"
)

// store is Trillian's storage over one of the databases.
type store struct {
	log   storage.LogStorage
	admin storage.AdminStorage
	close func() error
}

// Create makes an empty tree and returns its id. The caller keeps the id, because Open finds
// the tree by it. The database's file and tables are created if they do not exist. The tree is
// durable when Create returns. A tree whose id was lost does no harm.
func Create(ctx context.Context, cfg Config) (treeID int64, err error) {
	if cfg.Trillian != "" {
		treeID, err := createRemote(ctx, cfg.Trillian)
		if err != nil {
			return 0, fmt.Errorf("create tree in Trillian at %s: %w", cfg.Trillian, err)
		}
		return treeID, nil
	}
	s, err := cfg.store(ctx, true)
	if err != nil {
		return 0, fmt.Errorf("create tree: %w", err)
	}
	defer func() { err = errors.Join(err, s.close()) }()

	tree, err := storage.CreateTree(ctx, s.admin, newTree())
	if err != nil {
		return 0, fmt.Errorf("create tree: %w", err)
	}
	srv := s.server(newClock(cfg.Now))
	if _, err := srv.InitLog(ctx, &trillian.InitLogRequest{LogId: tree.TreeId}); err != nil {
		return 0, fmt.Errorf("create tree %d: %w", tree.TreeId, err)
	}
	return tree.TreeId, nil
}

// Open opens the tree that Create made, with Trillian in this process or apart. It creates nothing: a
// database or a tree that does not exist is an error.
func Open(ctx context.Context, cfg Config) (*Tree, error) {
	if cfg.Trillian != "" {
		t, err := openRemote(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("open tree %d in Trillian at %s: %w", cfg.TreeID, cfg.Trillian, err)
		}
		return t, nil
	}
	s, err := cfg.store(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("open tree: %w", err)
	}
	tree, err := s.tree(ctx, cfg.TreeID)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open tree %d: %w", cfg.TreeID, err), s.close())
	}
	c := newClock(cfg.Now)
	t, err := openTree(ctx, s.backend(tree, c), tree.TreeId, c, s.close)
	if err != nil {
		return nil, fmt.Errorf("open tree %d: %w", cfg.TreeID, err)
	}
	return t, nil
}

func (cfg Config) store(ctx context.Context, create bool) (*store, error) {
	installKlog()
	if cfg.Logger != nil {
		LogTo(cfg.Logger)
	}
	switch {
	case (cfg.SQLite == "") == (cfg.MySQL == ""):
		return nil, errors.New("name one database, SQLite or MySQL")
	case cfg.MySQL != "":
		return openMySQLStore(ctx, cfg.MySQL, create)
	case create:
		return sqliteStore(sqlite.CreateStorage(ctx, cfg.SQLite))
	default:
		return sqliteStore(sqlite.OpenStorage(ctx, cfg.SQLite))
	}
}

func sqliteStore(s *sqlite.Storage, err error) (*store, error) {
	if err != nil {
		return nil, err
	}
	return &store{s.Log, s.Admin, s.Close}, nil
}

// tree reads the tree's description and makes sure that it has a root: asking Trillian's server
// for the root of a tree without one leaks a transaction.
func (s *store) tree(ctx context.Context, id int64) (*trillian.Tree, error) {
	tree, err := storage.GetTree(ctx, s.admin, id)
	if err != nil {
		return nil, err
	}
	if err := usable(tree); err != nil {
		return nil, err
	}
	tx, err := s.log.SnapshotForTree(ctx, tree)
	if tx != nil {
		err = errors.Join(err, tx.Close())
	}
	return tree, err
}

// usable checks that a log can be kept in a tree.
func usable(tree *trillian.Tree) error {
	if tree.TreeType != trillian.TreeType_PREORDERED_LOG {
		return fmt.Errorf("it is a %s, want PREORDERED_LOG", tree.TreeType)
	}
	if tree.Deleted || tree.TreeState != trillian.TreeState_ACTIVE {
		return fmt.Errorf("it is deleted or %s, want ACTIVE", tree.TreeState)
	}
	return nil
}

func (s *store) server(c *clock) *server.TrillianLogRPCServer {
	return server.NewTrillianLogRPCServer(extension.Registry{
		AdminStorage: s.admin,
		LogStorage:   s.log,
		QuotaManager: quota.Noop(),
	}, c)
}

func (s *store) backend(tree *trillian.Tree, c *clock) backend {
	trillianlog.InitMetrics(nil)
	known := &store{log: s.log, admin: oneTree{s.admin, tree}}
	return backend{
		client: inProcess{known.server(c)},
		integrate: func(ctx context.Context, limit int) error {
			const guardWindow, maxRootDuration = 0, time.Duration(0)
			_, err := trillianlog.IntegrateBatch(ctx, tree, limit, guardWindow, maxRootDuration, c, s.log, quota.Noop())
			return err
		},
	}
}
