package api

import (
	"context"
	"math"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
)

var (
	serviceName  = trialpb.Log_ServiceDesc.ServiceName
	streamMethod = trialpb.Log_StreamEntries_FullMethodName
)

// GRPC returns a server of the log over gRPC, with health and reflection; the caller gives it a
// listener. The options are added to its own; certificates come as options.
func (s *Server) GRPC(opts ...grpc.ServerOption) *grpc.Server {
	g := grpc.NewServer(append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxBody),
		grpc.MaxSendMsgSize(2 * maxPage),
		grpc.MaxHeaderListSize(maxHeader),
		grpc.MaxConcurrentStreams(1024),
		grpc.ConnectionTimeout(headerTimeout),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 20 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 15 * time.Minute, Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.ChainUnaryInterceptor(s.unary),
		grpc.ChainStreamInterceptor(s.streaming),
	}, opts...)...)
	trialpb.RegisterLogServer(g, s.service)
	grpc_health_v1.RegisterHealthServer(g, &health{log: s.service.log, poll: time.Second})
	reflection.Register(g)
	return g
}

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	ctx, c := newCall(ctx, peerAddress(ctx))
	defer s.ended(ctx, c, info.FullMethod, time.Now(), &err)
	grpc.SetHeader(ctx, metadata.Pairs("x-request-id", c.id))
	return next(ctx, req)
}

func (s *Server) streaming(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	ctx, c := newCall(stream.Context(), peerAddress(stream.Context()))
	defer s.ended(ctx, c, info.FullMethod, time.Now(), &err)
	// This is sent at once, so that a caller knows that its stream is open.
	if err := stream.SendHeader(metadata.Pairs("x-request-id", c.id)); err != nil {
		return err
	}
	return next(srv, &contextStream{stream, ctx})
}

// ended makes a problem of the error of a log's method, and of a panic, and records the call.
func (s *Server) ended(ctx context.Context, c *call, method string, start time.Time, err *error) {
	if v := recover(); v != nil {
		*err = panicError(v)
	}
	c.err = *err
	if *err != nil && strings.HasPrefix(method, "/"+serviceName+"/") {
		*err = s.service.problem(ctx, *err)
	}
	code := status.Code(*err)
	s.record(ctx, c, "grpc", "", method, code.String(), failedCode(code), start)
}

type contextStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *contextStream) Context() context.Context { return s.ctx }

func peerAddress(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// A health is gRPC's health service. Serving means that the log is ready.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	log  *logserver.Log
	poll time.Duration // how often Watch checks
}

func (h *health) status(service string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
	switch {
	case service != "" && service != serviceName:
		return grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN, status.Error(codes.NotFound, "no such service")
	case h.log.Ready() != nil:
		return grpc_health_v1.HealthCheckResponse_NOT_SERVING, nil
	}
	return grpc_health_v1.HealthCheckResponse_SERVING, nil
}

// Check implements grpc_health_v1.HealthServer.
func (h *health) Check(ctx context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	st, err := h.status(req.GetService())
	if err != nil {
		return nil, err
	}
	return &grpc_health_v1.HealthCheckResponse{Status: st}, nil
}

// Watch implements grpc_health_v1.HealthServer. It ends when the log stops, so that it does not
// delay a graceful stop of the server.
func (h *health) Watch(
	req *grpc_health_v1.HealthCheckRequest, stream grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse],
) error {
	tick := time.NewTicker(h.poll)
	defer tick.Stop()
	ctx := stream.Context()
	stopped := make(chan struct{})
	go func() {
		h.log.Await(ctx, math.MaxUint64) // no log grows so large, so this waits until the log stops or ctx ends
		close(stopped)
	}()
	last := grpc_health_v1.HealthCheckResponse_UNKNOWN
	for {
		over := h.log.Err() != nil // read before the status, which then says so
		if st, _ := h.status(req.GetService()); st != last {
			last = st
			if err := stream.Send(&grpc_health_v1.HealthCheckResponse{Status: st}); err != nil {
				return err
			}
		}
		if over {
			return status.Error(codes.Unavailable, "the log has stopped")
		}
		select {
		case <-tick.C:
		case <-stopped:
			if ctx.Err() != nil {
				return status.FromContextError(ctx.Err()).Err()
			}
		}
	}
}
