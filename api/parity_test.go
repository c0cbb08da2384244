package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestParity: gRPC and JSON answer the same to the same question.
func TestParity(t *testing.T) {
	f := newFixture(t, setup{})
	id := f.enrol()
	org, subjects := trialtest.Org("other", "Other", "eve")
	f.submit("registrar", org, subjects)
	claim := func(who string, id trial.Hash) {
		f.submit(who, &trial.Identifier{Common: trialtest.Common(), Identifier: "nct:NCT00000001", Trial: id}, trial.NamedSubject("trial",
			id))
	}
	claim("ada", id)
	p, s := trialtest.Register("E-1", "other")
	claim("eve", f.submit("eve", p, s).ID)
	ctx := t.Context()
	none := trial.Hash{9}.String()

	g := newGolden(t, "parity")
	for _, c := range []struct {
		path   string
		call   func() (proto.Message, error)
		status int
	}{
		{"/v1/log", func() (proto.Message, error) { return f.grpc.GetLog(ctx, &trialpb.GetLogRequest{}) }, 200},
		{"/v1/receipts/" + id.String(), func() (proto.Message, error) {
			return f.grpc.GetReceipt(ctx, &trialpb.GetReceiptRequest{Id: id.String()})
		}, 200},
		{"/v1/receipts/" + none, func() (proto.Message, error) {
			return f.grpc.GetReceipt(ctx, &trialpb.GetReceiptRequest{Id: none})
		}, 404},
		{"/v1/receipts/ABC", func() (proto.Message, error) {
			return f.grpc.GetReceipt(ctx, &trialpb.GetReceiptRequest{Id: "ABC"})
		}, 400},
		{"/v1/entries/0", func() (proto.Message, error) { return f.grpc.GetEntry(ctx, &trialpb.GetEntryRequest{}) }, 200},
		{"/v1/entries/2", func() (proto.Message, error) { return f.grpc.GetEntry(ctx, &trialpb.GetEntryRequest{Index: 2}) }, 200},
		{"/v1/entries/99999", func() (proto.Message, error) {
			return f.grpc.GetEntry(ctx, &trialpb.GetEntryRequest{Index: 99999})
		}, 404},
		{"/v1/trials/entries?trial=" + id.String(), func() (proto.Message, error) {
			return f.grpc.ListTrialEntries(ctx, &trialpb.ListTrialEntriesRequest{Trial: id.String()})
		}, 200},
		{"/v1/trials/entries?trial=sponsor:acme/X-1&from=5", func() (proto.Message, error) {
			return f.grpc.ListTrialEntries(ctx, &trialpb.ListTrialEntriesRequest{Trial: "sponsor:acme/X-1", From: 5})
		}, 200},
		{"/v1/trials/entries?trial=NCT00000009", func() (proto.Message, error) {
			return f.grpc.ListTrialEntries(ctx, &trialpb.ListTrialEntriesRequest{Trial: "NCT00000009"})
		}, 404},
		{"/v1/trials/entries?trial=NCT00000001", func() (proto.Message, error) {
			return f.grpc.ListTrialEntries(ctx, &trialpb.ListTrialEntriesRequest{Trial: "NCT00000001"})
		}, 409},
		{"/v1/trials/entries", func() (proto.Message, error) {
			return f.grpc.ListTrialEntries(ctx, &trialpb.ListTrialEntriesRequest{})
		}, 400},
		{"/v1/records/entries?kind=org&id=acme", func() (proto.Message, error) {
			return f.grpc.ListRecordEntries(ctx, &trialpb.ListRecordEntriesRequest{Kind: "org", Id: "acme"})
		}, 200},
		{"/v1/records/entries?kind=org&id=nobody", func() (proto.Message, error) {
			return f.grpc.ListRecordEntries(ctx, &trialpb.ListRecordEntriesRequest{Kind: "org", Id: "nobody"})
		}, 200},
		{"/v1/records/found?kind=identifier&ids=nct:NCT00000009,nct:NCT00000001,sponsor:acme/X-1", func() (proto.Message, error) {
			return f.grpc.FindRecords(ctx, &trialpb.FindRecordsRequest{Kind: "identifier", Ids: []string{"nct:NCT00000009", "nct:NCT00000001",
				"sponsor:acme/X-1"}})
		}, 200},
		{"/v1/records/found?kind=org&ids=nobody", func() (proto.Message, error) {
			return f.grpc.FindRecords(ctx, &trialpb.FindRecordsRequest{Kind: "org", Ids: []string{"nobody"}})
		}, 200},
		{"/v1/records/found?kind=org&ids=", func() (proto.Message, error) {
			return f.grpc.FindRecords(ctx, &trialpb.FindRecordsRequest{Kind: "org"})
		}, 400},
		{"/v1/records/found?kind=org&ids=acme,,", func() (proto.Message, error) {
			return f.grpc.FindRecords(ctx, &trialpb.FindRecordsRequest{Kind: "org", Ids: []string{"acme", "", ""}})
		}, 400},
		{"/v1/records/found?kind=org&ids=a" + strings.Repeat(",a", pageEntries), func() (proto.Message, error) {
			return f.grpc.FindRecords(ctx, &trialpb.FindRecordsRequest{Kind: "org", Ids: strings.Split("a"+strings.Repeat(",a", pageEntries), ",")})
		}, 400},
		{"/v1/records/entries?kind=person&id=ada", func() (proto.Message, error) {
			return f.grpc.ListRecordEntries(ctx, &trialpb.ListRecordEntriesRequest{Kind: "person", Id: "ada"})
		}, 400},
		{"/v1/records/entries?kind=org", func() (proto.Message, error) {
			return f.grpc.ListRecordEntries(ctx, &trialpb.ListRecordEntriesRequest{Kind: "org"})
		}, 400},
	} {
		a := f.get(c.path)
		g.add(c.path, a)
		m, err := c.call()
		if a.status != c.status {
			t.Errorf("%s: status %d, %s", c.path, a.status, a.body)
			continue
		}
		if err != nil {
			w, st := a.wire(t), status.Convert(err)
			if code.Code(st.Code()).String() != w.Code || st.Message() != w.Message || c.status == 200 {
				t.Errorf("%s: gRPC %v, JSON %+v", c.path, err, w)
			}
			continue
		}
		if data, _ := marshal(m); string(data) != a.body || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s:\ngRPC %s\nJSON %s", c.path, data, a.body)
		}
		head := f.send(http.MethodHead, c.path, "")
		if head.status != 200 || head.body != "" {
			t.Errorf("HEAD %s: status %d, body %q", c.path, head.status, head.body)
		}
	}
}

func TestQueries(t *testing.T) {
	f := newFixture(t, setup{})
	g := newGolden(t, "queries")
	for _, path := range []string{
		"/v1/log?x=1", "/v1/entries/x", "/v1/entries/-1", "/v1/entries/01", "/v1/entries/0x1", "/v1/entries/18446744073709551616",
		"/v1/entries/0?from=1", "/v1/trials/entries?trial=a&trial=b", "/v1/trials/entries?trial=a&form=3",
		"/v1/trials/entries?trial=a&from=+1", "/v1/records/entries?kind=org&id=a&from=", "/v1/stream?from=x", "/v1/stream?to=3",
		"/v1/stream?from=1&from=2",
		"/v1/log?%zz",
	} {
		a := f.get(path)
		g.add(path, a)
		if a.status != http.StatusBadRequest || a.wire(t).Code != "INVALID_ARGUMENT" {
			t.Errorf("%s: status %d, %s", path, a.status, a.body)
		}
	}
}

// TestOddPaths: paths that routers read in more than one way find nothing.
func TestOddPaths(t *testing.T) {
	f := newFixture(t, setup{})
	id := strings.Repeat("0", 64)
	g := newGolden(t, "paths")
	paths := map[string]int{
		"/v1/receipts/a%2Fb": 404, "/v1/receipts/" + id + ":verb": 400, "/v1/receipts/" + id + "%2F": 404, "/v1/receipts/": 404,
		"/v1/receipts/%ff": 400, "/v1/receipts/" + id + "/x": 404, "/v1/entries/0:0": 400, "/v1/entries/%30": 200, "/v1/entries/0%2F1": 400,
		"/v1/log/": 404, "/v1/log%2F": 404, "/v1": 404, "/nowhere": 404, "/tile/0%2F000.p%2F2": 200, "/tile/%2e%2e": 400,
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		a, want := f.get(path), paths[path]
		if !strings.HasPrefix(path, "/tile/") {
			g.add(path, a)
		}
		if a.status != want {
			t.Errorf("%s: status %d, wanted %d: %s", path, a.status, want, a.body)
		} else if want != 200 {
			a.wire(t)
		}
	}
}

// TestUnknownFields: a message with a field that is not known is refused. A newer caller may
// rely on the field.
func TestUnknownFields(t *testing.T) {
	f := newFixture(t, setup{})
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	unknown := []byte{0x9a, 0x06, 0x01, 'x'} // field 99
	for i, edit := range []func(*trialpb.SubmitRequest){
		func(r *trialpb.SubmitRequest) { r.ProtoReflect().SetUnknown(unknown) },
		func(r *trialpb.SubmitRequest) { r.Envelope.ProtoReflect().SetUnknown(unknown) },
		func(r *trialpb.SubmitRequest) { r.Envelope.Signatures[0].ProtoReflect().SetUnknown(unknown) },
		func(r *trialpb.SubmitRequest) { r.Envelope = nil },
		func(r *trialpb.SubmitRequest) { r.Envelope.Signatures = nil },
		func(r *trialpb.SubmitRequest) { r.Key += "\n" },
		func(r *trialpb.SubmitRequest) { r.Envelope.Payload += "\n" },
	} {
		req := message(t, envelope, key)
		edit(req)
		_, err := f.grpc.Submit(t.Context(), req)
		st := status.Convert(err)
		if st.Code() != codes.InvalidArgument || len(st.Details()) != 1 || st.Details()[0].(*errdetails.ErrorInfo).Reason != "R1" {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, err := f.grpc.Submit(t.Context(), message(t, envelope, key)); err != nil {
		t.Error(err)
	}
}

// TestProblems checks the table of errors, for those that no request here causes.
func TestProblems(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	reason := errors.New("the reason")
	for _, c := range []struct {
		ctx    context.Context
		err    error
		code   codes.Code
		status int
		text   string
	}{
		{t.Context(), logserver.ErrNotFound, codes.NotFound, 404, "not found"},
		{t.Context(), fmt.Errorf("read tile: %w", logserver.ErrNotFound), codes.Internal, 500, "internal error"},
		{t.Context(), logserver.ErrClosing, codes.Unavailable, 503, logserver.ErrClosing.Error()},
		{t.Context(), errors.Join(logserver.ErrClosing, reason), codes.Unavailable, 503, logserver.ErrClosing.Error()},
		{t.Context(), fmt.Errorf("%w: %w", logserver.ErrNotReady, reason), codes.Unavailable, 503,
			"the log is not ready: the reason; send it again later"},
		{t.Context(), logserver.ErrLost, codes.Unavailable, 503, "this server of the log no longer leads: send it again"},
		{t.Context(), fmt.Errorf("%w: two", logserver.ErrDisputed), codes.FailedPrecondition, 409, "disputed: two"},
		{t.Context(), reason, codes.Internal, 500, "internal error"},
		{t.Context(), context.Canceled, codes.Internal, 500, "internal error"}, // not the caller's context
		{gone, context.Canceled, codes.Canceled, 499, "the caller has left"},
		{t.Context(), &trial.Refusal{Rule: "R99", Detail: "x"}, codes.InvalidArgument, 400, "R99: : x"},
	} {
		p := problemOf(c.ctx, c.err)
		if p.code != c.code || p.status != c.status || p.message != c.text || (p.status == 503) != (p.retry > 0) {
			t.Errorf("%v: %+v", c.err, p)
		}
	}
	for _, rule := range []trial.Rule{"R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11", "R12"} {
		if _, ok := ruleAnswers[rule]; !ok {
			t.Errorf("%s (%s) has no answer", rule, trial.RuleText(rule))
		}
	}
}
