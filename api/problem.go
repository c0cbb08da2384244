package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
)

// A problem is an error in the form that callers see, over gRPC and HTTP alike. Only this file
// makes problems from the application's errors.
type problem struct {
	code    codes.Code
	status  int        // of HTTP
	rule    trial.Rule // of a refusal
	message string
	retry   time.Duration // 0 if the same call will not succeed later
}

func (p *problem) Error() string { return p.message }

// ruleAnswers says how the refusal by a rule is answered. A rule that is not here cannot be
// broken by a submission; it would be answered as malformed.
var ruleAnswers = map[trial.Rule]struct {
	code   codes.Code
	status int
}{
	trial.RuleMalformed:   {codes.InvalidArgument, http.StatusBadRequest},
	trial.RuleLimit:       {codes.InvalidArgument, http.StatusRequestEntityTooLarge},
	trial.RuleNotEnrolled: {codes.PermissionDenied, http.StatusForbidden},
	trial.RuleSignature:   {codes.InvalidArgument, http.StatusBadRequest},
	trial.RuleLog:         {codes.InvalidArgument, http.StatusBadRequest},
	trial.RuleRevoked:     {codes.PermissionDenied, http.StatusForbidden},
	trial.RuleRole:        {codes.PermissionDenied, http.StatusForbidden},
	trial.RuleHolder:      {codes.PermissionDenied, http.StatusForbidden},
	trial.RuleUnknown:     {codes.NotFound, http.StatusNotFound},
	trial.RulePredecessor: {codes.FailedPrecondition, http.StatusConflict},
	trial.RuleTaken:       {codes.AlreadyExists, http.StatusConflict},
	trial.RuleSignedAt:    {codes.InvalidArgument, http.StatusBadRequest},
	trial.RuleKeyLimits:   {codes.PermissionDenied, http.StatusForbidden},
	trial.RuleNotInForce:  {codes.FailedPrecondition, http.StatusConflict},
}

const retryNotReady = 2 * time.Second

// problemOf returns err as callers see it. An error that is not the application's own is an
// internal error and nothing more: the details are for the operator, as are those of a failing
// database.
func problemOf(ctx context.Context, err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*trial.Refusal](err); ok {
		a, ok := ruleAnswers[r.Rule]
		if !ok {
			a = ruleAnswers[trial.RuleMalformed]
		}
		return &problem{code: a.code, status: a.status, rule: r.Rule, message: r.Error()}
	}
	if newer, ok := errors.AsType[*trial.NewerRules](err); ok {
		return &problem{code: codes.Unimplemented, status: http.StatusNotImplemented,
			message: "the log accepts nothing: it " + newer.Error()}
	}
	switch {
	// The error must be equal, not wrapped: a tile or a checkpoint that is missing inside the
	// log comes wrapped and is not a caller's mistake.
	case err == logserver.ErrNotFound:
		return notFound("not found")
	case errors.Is(err, logserver.ErrTilePath):
		return badRequest("not a tile's path: it is like /tile/0/x001/067 or /tile/entries/000.p/8")
	case errors.Is(err, logserver.ErrDisputed):
		return &problem{code: codes.FailedPrecondition, status: http.StatusConflict, message: err.Error()}
	case errors.Is(err, logserver.ErrGone):
		return &problem{code: codes.OutOfRange, status: http.StatusGone, message: err.Error()}
	case errors.Is(err, logserver.ErrClosing):
		return unavailable(logserver.ErrClosing.Error())
	case errors.Is(err, logserver.ErrNotReady):
		return unavailable(err.Error() + "; send it again later")
	case errors.Is(err, logserver.ErrLost):
		return unavailable("this server of the log no longer leads: send it again")
	case ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		return &problem{code: codes.DeadlineExceeded, status: http.StatusGatewayTimeout,
			message: "the caller's deadline has passed: submit the same again"}
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return &problem{code: codes.Canceled, status: statusClientGone, message: "the caller has left"}
	case errors.Is(err, logserver.ErrStore):
		return unavailable(logserver.ErrStore.Error() + ": send it again later")
	}
	return &problem{code: codes.Internal, status: http.StatusInternalServerError, message: "internal error"}
}

// problem is problemOf for an error of the log. What fails because the log is not ready, such as
// a read of a database that is gone, is answered with the reason.
func (s *service) problem(ctx context.Context, err error) *problem {
	p := problemOf(ctx, err)
	if p.code == codes.Internal {
		if why := s.log.Ready(); why != nil {
			return problemOf(ctx, why)
		}
	}
	return p
}

// statusClientGone appears only in logs and metrics.
const statusClientGone = 499

func badRequest(message string) *problem {
	return &problem{code: codes.InvalidArgument, status: http.StatusBadRequest, message: message}
}

func notFound(message string) *problem {
	return &problem{code: codes.NotFound, status: http.StatusNotFound, message: message}
}

func unavailable(message string) *problem {
	return &problem{code: codes.Unavailable, status: http.StatusServiceUnavailable, message: message, retry: retryNotReady}
}

func tooMany(message string, retry time.Duration) *problem {
	return &problem{code: codes.ResourceExhausted, status: http.StatusTooManyRequests, message: message, retry: retry}
}

// GRPCStatus makes package status use the problem.
func (p *problem) GRPCStatus() *status.Status {
	st := status.New(p.code, p.message)
	var details []protoadapt.MessageV1
	if p.rule != "" {
		details = append(details, &errdetails.ErrorInfo{Reason: string(p.rule), Domain: "trialproof"})
	}
	if p.retry > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(p.retry)})
	}
	if with, err := st.WithDetails(details...); err == nil {
		return with
	}
	return st
}

// wire returns the JSON of a problem.
func (p *problem) wire() any {
	return struct {
		Code    string     `json:"code"` // a google.rpc.Code
		Rule    trial.Rule `json:"rule,omitempty"`
		Message string     `json:"message"`
	}{code.Code(p.code).String(), p.rule, p.message}
}

// proto returns the problem as the answer to one statement of a batch.
func (p *problem) proto() *trialpb.Problem {
	m := &trialpb.Problem{Code: code.Code(p.code).String(), Message: p.message}
	if p.rule != "" {
		rule := string(p.rule)
		m.Rule = &rule
	}
	return m
}

// write answers a request with the problem.
func (p *problem) write(w http.ResponseWriter) {
	body, _ := json.Marshal(p.wire()) // strings always encode
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retry.Seconds()))))
	}
	w.WriteHeader(p.status)
	w.Write(append(body, '\n'))
}
