package engine

import (
	"context"

	"github.com/google/trillian"
	"github.com/google/trillian/server"
	"google.golang.org/grpc"
)

// backend is everything that a Tree needs of Trillian: the seam between it and the ways to run
// Trillian, and the place where tests inject faults.
type backend struct {
	client logClient
	// integrate makes Trillian integrate added leaves, at most limit of them, from the
	// integrated size on. What it integrated, which may be nothing, is durable when it returns
	// nil. An error says nothing about what was integrated.
	integrate func(ctx context.Context, limit int) error
}

// logClient is the part of trillian.TrillianLogClient that is used.
type logClient interface {
	AddSequencedLeaves(
		context.Context, *trillian.AddSequencedLeavesRequest, ...grpc.CallOption,
	) (*trillian.AddSequencedLeavesResponse, error)
	GetLatestSignedLogRoot(
		context.Context, *trillian.GetLatestSignedLogRootRequest, ...grpc.CallOption,
	) (*trillian.GetLatestSignedLogRootResponse, error)
	GetLeavesByRange(context.Context, *trillian.GetLeavesByRangeRequest, ...grpc.CallOption) (*trillian.GetLeavesByRangeResponse, error)
	GetConsistencyProof(
		context.Context, *trillian.GetConsistencyProofRequest, ...grpc.CallOption,
	) (*trillian.GetConsistencyProofResponse, error)
}

var _ logClient = trillian.TrillianLogClient(nil)

// inProcess calls Trillian's log server without a connection in between.
type inProcess struct{ s *server.TrillianLogRPCServer }

func (p inProcess) AddSequencedLeaves(
	ctx context.Context, req *trillian.AddSequencedLeavesRequest, _ ...grpc.CallOption,
) (*trillian.AddSequencedLeavesResponse, error) {
	return p.s.AddSequencedLeaves(ctx, req)
}

func (p inProcess) GetLatestSignedLogRoot(
	ctx context.Context, req *trillian.GetLatestSignedLogRootRequest, _ ...grpc.CallOption,
) (*trillian.GetLatestSignedLogRootResponse, error) {
	return p.s.GetLatestSignedLogRoot(ctx, req)
}

func (p inProcess) GetLeavesByRange(
	ctx context.Context, req *trillian.GetLeavesByRangeRequest, _ ...grpc.CallOption,
) (*trillian.GetLeavesByRangeResponse, error) {
	return p.s.GetLeavesByRange(ctx, req)
}

func (p inProcess) GetConsistencyProof(
	ctx context.Context, req *trillian.GetConsistencyProofRequest, _ ...grpc.CallOption,
) (*trillian.GetConsistencyProofResponse, error) {
	return p.s.GetConsistencyProof(ctx, req)
}
