package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/trillian"
	"github.com/google/trillian/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/trialproof/trialproof/logserver"
)

var errFault = errors.New("injected fault")

// faulty is a backend one of whose calls fails.
type faulty struct {
	logClient
	next backend
	at   int    // the number of the call that fails, from 1
	how  string // "lost": nothing is done; "done": it is done, but the answer is lost; "half": half a batch is done
	call int
}

func inject(tree *Tree, at int, how string) *faulty {
	f := &faulty{logClient: tree.backend.client, next: tree.backend, at: at, how: how}
	tree.backend = backend{client: f, integrate: f.integrate}
	return f
}

// do counts a call and runs it unless it is to be lost.
func do[T any](f *faulty, run func() (T, error)) (T, error) {
	var none T
	f.call++
	if f.call != f.at {
		return run()
	}
	if f.how != "lost" {
		if _, err := run(); err != nil {
			return none, err
		}
	}
	return none, errFault
}

func (f *faulty) integrate(ctx context.Context, limit int) error {
	if f.how == "half" && f.call+1 == f.at {
		limit = (limit + 1) / 2
	}
	_, err := do(f, func() (struct{}, error) { return struct{}{}, f.next.integrate(ctx, limit) })
	return err
}

func (f *faulty) AddSequencedLeaves(ctx context.Context, req *trillian.AddSequencedLeavesRequest,
	_ ...grpc.CallOption) (*trillian.AddSequencedLeavesResponse, error) {
	if f.how == "half" && f.call+1 == f.at {
		req.Leaves = req.Leaves[:(len(req.Leaves)+1)/2]
	}
	return do(f, func() (*trillian.AddSequencedLeavesResponse, error) { return f.logClient.AddSequencedLeaves(ctx, req) })
}

func (f *faulty) GetLatestSignedLogRoot(ctx context.Context, req *trillian.GetLatestSignedLogRootRequest,
	_ ...grpc.CallOption) (*trillian.GetLatestSignedLogRootResponse, error) {
	return do(f, func() (*trillian.GetLatestSignedLogRootResponse, error) {
		return f.logClient.GetLatestSignedLogRoot(ctx, req)
	})
}

func (f *faulty) GetLeavesByRange(ctx context.Context, req *trillian.GetLeavesByRangeRequest,
	_ ...grpc.CallOption) (*trillian.GetLeavesByRangeResponse, error) {
	return do(f, func() (*trillian.GetLeavesByRangeResponse, error) { return f.logClient.GetLeavesByRange(ctx, req) })
}

// TestFaults fails each call of a series of appends in each way. The append that met the fault
// is called again with the same bytes, also by another process, and must lead to the same tree.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	batches := []struct{ first, n uint64 }{{0, 1}, {1, 9}, {10, 300}, {300, 10}, {305, maxMessageLeaves + 1}}
	const total = 305 + maxMessageLeaves + 1
	all := testLeaves(0, total)

	// run appends everything and returns how many calls it took and how many appends failed.
	run := func(t *testing.T, cfg Config, at int, how string, restart bool) (calls, failed int) {
		tree, closeNow := open(t, cfg)
		f := inject(tree, at, how)
		for _, b := range batches {
			for try := 0; ; try++ {
				err := tree.Append(t.Context(), b.first, all[b.first:b.first+b.n])
				if err == nil {
					break
				}
				failed++
				if errors.Is(err, logserver.ErrTreeConflict) || try > 0 {
					t.Fatalf("call %d %s: append %v, try %d: %v", at, how, b, try, err)
				}
				if restart {
					closeNow()
					tree, closeNow = open(t, cfg)
					f.next = tree.backend
				}
			}
		}
		calls, tree.backend = f.call, f.next
		check(t, tree, all)
		closeNow()
		return calls, failed
	}

	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		calls, _ := run(t, create(t, newConfig(t)), 0, "", false)
		if calls < 14 {
			t.Fatalf("the appends took %d calls, want 14 or more", calls)
		}
		failures := 0
		for _, how := range []string{"lost", "done", "half"} {
			for at := 1; at <= calls; at++ {
				_, failed := run(t, create(t, newConfig(t)), at, how, at%2 == 0)
				failures += failed
			}
		}
		if failures == 0 {
			t.Error("no fault was ever seen: they were not injected")
		}
	})
}

// TestCrash stops between adding and integrating, and opens the tree again.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		cfg := create(t, newConfig(t))
		tree, closeNow := open(t, cfg)
		leaves := testLeaves(0, 600)
		if err := tree.Append(t.Context(), 0, leaves[:100]); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		tree.backend.integrate = func(context.Context, int) error { cancel(); return errFault }
		if err := tree.Append(ctx, 100, leaves[100:]); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context.Canceled", err)
		}
		closeNow()

		tree, _ = open(t, cfg)
		check(t, tree, leaves[:100])
		if err := tree.Append(t.Context(), 100, leaves[100:]); err != nil {
			t.Fatal(err)
		}
		check(t, tree, leaves)
	})
}

// client answers calls from functions if they are set, and like a backend otherwise.
type client struct {
	logClient
	add  func(*trillian.AddSequencedLeavesRequest) (*trillian.AddSequencedLeavesResponse, error)
	root func() (*trillian.SignedLogRoot, error)
	// leaves changes the answer to a range.
	leaves func([]*trillian.LogLeaf) []*trillian.LogLeaf
}

func (c client) GetLeavesByRange(ctx context.Context, req *trillian.GetLeavesByRangeRequest,
	_ ...grpc.CallOption) (*trillian.GetLeavesByRangeResponse, error) {
	resp, err := c.logClient.GetLeavesByRange(ctx, req)
	if err == nil && c.leaves != nil {
		resp.Leaves = c.leaves(resp.Leaves)
	}
	return resp, err
}

func (c client) AddSequencedLeaves(ctx context.Context, req *trillian.AddSequencedLeavesRequest,
	_ ...grpc.CallOption) (*trillian.AddSequencedLeavesResponse, error) {
	if c.add != nil {
		return c.add(req)
	}
	return c.logClient.AddSequencedLeaves(ctx, req)
}

func (c client) GetLatestSignedLogRoot(ctx context.Context, req *trillian.GetLatestSignedLogRootRequest,
	_ ...grpc.CallOption) (*trillian.GetLatestSignedLogRootResponse, error) {
	if c.root != nil {
		r, err := c.root()
		return &trillian.GetLatestSignedLogRootResponse{SignedLogRoot: r}, err
	}
	return c.logClient.GetLatestSignedLogRoot(ctx, req)
}

// TestBounded: a store refuses leaves and has none of them.
func TestBounded(t *testing.T) {
	tree := newTestTree(t, Config{SQLite: t.TempDir() + "/tree.db"})
	answers := map[string]func(*trillian.AddSequencedLeavesRequest) (*trillian.AddSequencedLeavesResponse, error){
		"conflicts": func(req *trillian.AddSequencedLeavesRequest) (*trillian.AddSequencedLeavesResponse, error) {
			res := &trillian.AddSequencedLeavesResponse{}
			for range req.Leaves {
				res.Results = append(res.Results, &trillian.QueuedLogLeaf{Status: status.New(codes.FailedPrecondition, "no").Proto()})
			}
			return res, nil
		},
		"too few results": func(*trillian.AddSequencedLeavesRequest) (*trillian.AddSequencedLeavesResponse, error) {
			return &trillian.AddSequencedLeavesResponse{}, nil
		},
		"a lie": func(req *trillian.AddSequencedLeavesRequest) (*trillian.AddSequencedLeavesResponse, error) {
			return &trillian.AddSequencedLeavesResponse{Results: make([]*trillian.QueuedLogLeaf, len(req.Leaves))}, nil
		},
	}
	honest := tree.backend.client
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			calls := 0
			tree.backend.client = client{logClient: honest,
				add: func(req *trillian.AddSequencedLeavesRequest) (*trillian.AddSequencedLeavesResponse, error) {
					calls++
					return answer(req)
				}}
			err := tree.Append(t.Context(), 0, testLeaves(0, 3))
			if err == nil || errors.Is(err, logserver.ErrTreeConflict) {
				t.Errorf("got %v, want an error that is no verdict", err)
			}
			if calls != attempts {
				t.Errorf("leaves were added %d times, want %d", calls, attempts)
			}
		})
	}
	tree.backend.client = honest
	check(t, tree, nil)
}

// TestBadRoots: Trillian answers with roots that are not possible.
func TestBadRoots(t *testing.T) {
	tree := newTestTree(t, Config{SQLite: t.TempDir() + "/tree.db"})
	honest := tree.backend.client
	refused := func(name string, root *trillian.SignedLogRoot, why string) {
		t.Helper()
		tree.backend.client = client{logClient: honest, root: func() (*trillian.SignedLogRoot, error) { return root, nil }}
		if size, _, err := tree.Head(t.Context()); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got size %d and %v, want a word of %q", name, size, err, why)
		}
		tree.backend.client = honest
	}

	// What storage/mysql returns for a failed query.
	empty, err := (&types.LogRootV1{}).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	refused("empty", &trillian.SignedLogRoot{LogRoot: empty}, "could not be read")
	refused("missing", nil, "read tree head")

	small, err := honest.GetLatestSignedLogRoot(t.Context(), &trillian.GetLatestSignedLogRootRequest{LogId: tree.treeID})
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Append(t.Context(), 0, testLeaves(0, 3)); err != nil {
		t.Fatal(err)
	}
	refused("of before", small.SignedLogRoot, "shrunk")
	check(t, tree, testLeaves(0, 3))
}

// TestBadRanges: Trillian answers with other leaves than it was asked for.
func TestBadRanges(t *testing.T) {
	tree := newTestTree(t, Config{SQLite: t.TempDir() + "/tree.db"})
	all := testLeaves(0, 10)
	if err := tree.Append(t.Context(), 0, all); err != nil {
		t.Fatal(err)
	}
	honest := tree.backend.client
	type leaves = []*trillian.LogLeaf
	for name, test := range map[string]struct {
		change func(leaves) leaves
		ok     bool
	}{
		"none":                {func(leaves) leaves { return nil }, false},
		"too many":            {func(l leaves) leaves { return append(l, &trillian.LogLeaf{LeafIndex: 10}) }, false},
		"others":              {func(l leaves) leaves { return append(l[1:], l[0]) }, false},
		"one is missing":      {func(l leaves) leaves { return append(l[:1], l[2:]...) }, false},
		"fewer, to be had on": {func(l leaves) leaves { return l[:(len(l)+1)/2] }, true},
	} {
		t.Run(name, func(t *testing.T) {
			tree.backend.client = client{logClient: honest, leaves: test.change}
			got, err := tree.Leaves(t.Context(), 0, 10)
			if (err == nil) != test.ok {
				t.Errorf("got %d leaves and %v, want success %v", len(got), err, test.ok)
			}
			if test.ok {
				check(t, tree, all)
			}
		})
	}
}

// TestTwoLeaders: two engines over one tree append the same, like two servers that both believe
// that they lead.
func TestTwoLeaders(t *testing.T) {
	test(t, func(t *testing.T, newConfig func(testing.TB) Config) {
		cfg := create(t, newConfig(t))
		all := testLeaves(0, 200)
		errs := make(chan error)
		for range 2 {
			tree, _ := open(t, cfg)
			go func() {
				errs <- func() error {
					for first := 0; first < len(all); first += 10 {
						var err error
						for range 20 {
							if err = tree.Append(t.Context(), uint64(first), all[first:first+10]); err == nil {
								break
							}
						}
						if err != nil {
							return fmt.Errorf("append at %d: %w", first, err)
						}
					}
					return nil
				}()
			}()
		}
		for range 2 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		tree, _ := open(t, cfg)
		check(t, tree, all)
	})
}
