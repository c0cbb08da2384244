package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/trillian"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The remote engine is stock trillian_log_server and trillian_log_signer, of which there may be
// several. The signer integrates when its turn comes; Append waits for that. Trillian's storage is
// theirs, so nothing of batched.go helps here: a leaf costs them three statements.

const (
	// remoteWait bounds one call.
	remoteWait = 30 * time.Second
	// signerWait is how long the signer may integrate nothing, although there are leaves, before
	// Append looks what is missing and says so.
	signerWait = time.Second
	// signerLook is how often it is asked.
	signerLook = 10 * time.Millisecond
	// maxAnswer bounds an answer: maxRange leaves of the largest size.
	maxAnswer = 32 << 20
)

// dial connects to one of the log servers, whose addresses are separated by commas. Another one
// takes its place when it is gone. The connection is not encrypted: it is for a network of the
// operator's own. Nobody believes what comes over it.
func dial(addresses string) (*grpc.ClientConn, error) {
	var list []resolver.Address
	for a := range strings.SplitSeq(addresses, ",") {
		if a = strings.TrimSpace(a); a != "" {
			list = append(list, resolver.Address{Addr: a})
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no address of a log server is named")
	}
	r := manual.NewBuilderWithScheme("trillian")
	r.InitialState(resolver.State{Addresses: list})
	return grpc.NewClient("trillian:///log", grpc.WithResolvers(r), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)), grpc.WithUnaryInterceptor(bounded))
}

// bounded gives each call a time limit.
func bounded(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, remoteWait)
	defer cancel()
	return invoke(ctx, method, req, reply, cc, opts...)
}

// createRemote is Create for the remote engine.
func createRemote(ctx context.Context, addresses string) (treeID int64, err error) {
	conn, err := dial(addresses)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tree, err := trillian.NewTrillianAdminClient(conn).CreateTree(ctx, &trillian.CreateTreeRequest{Tree: newTree()})
	if err != nil {
		return 0, err
	}
	_, err = trillian.NewTrillianLogClient(conn).InitLog(ctx, &trillian.InitLogRequest{LogId: tree.TreeId})
	return tree.TreeId, err
}

// newTree describes the tree of a log.
func newTree() *trillian.Tree {
	return &trillian.Tree{
		TreeState:       trillian.TreeState_ACTIVE,
		TreeType:        trillian.TreeType_PREORDERED_LOG,
		DisplayName:     "trialproof",
		MaxRootDuration: durationpb.New(0), // a root only for new leaves
	}
}

// openRemote is Open for the remote engine.
func openRemote(ctx context.Context, cfg Config) (*Tree, error) {
	conn, err := dial(cfg.Trillian)
	if err != nil {
		return nil, err
	}
	tree, err := trillian.NewTrillianAdminClient(conn).GetTree(ctx, &trillian.GetTreeRequest{TreeId: cfg.TreeID})
	if err == nil {
		err = usable(tree)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	t := &Tree{treeID: cfg.TreeID, clock: newClock(cfg.Now), close: conn.Close, reads: make(chan struct{}, maxReads)}
	t.backend = backend{client: trillian.NewTrillianLogClient(conn), integrate: t.awaitSigner}
	if _, _, err := t.Head(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return t, nil
}

// awaitSigner waits until the signer has integrated something. An error says that it has not for
// a while: it is gone, or a leaf is missing.
func (t *Tree) awaitSigner(ctx context.Context, _ int) error {
	before := t.size.Load()
	tick := time.NewTicker(signerLook)
	defer tick.Stop()
	end := time.NewTimer(signerWait)
	defer end.Stop()
	for {
		if size, _, err := t.Head(ctx); err != nil {
			return err
		} else if size > before {
			return nil
		}
		select {
		case <-tick.C:
		case <-end.C:
			return fmt.Errorf("trillian_log_signer has integrated nothing for %s: is it running, and one of them elected?", signerWait)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
