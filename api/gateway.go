package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/trial"
)

// A gateway serves the service's methods as JSON, by calls within the process.
// It hands the generated code messages alone: no header of a request, and so no
// timeout, method or address claimed in one, gets past it.
type gateway struct {
	s   *Server
	mux *runtime.ServeMux
}

func newGateway(s *Server) (*gateway, error) {
	g := &gateway{s, runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, jsonCodec),
		runtime.WithErrorHandler(func(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
			if b, ok := r.Body.(*statementBody); ok && b.refusal != nil {
				err = b.refusal
				s.metrics.Refused(trial.RuleOf(err))
			}
			s.fail(w, r, err)
		}),
		// A path that the two routers read differently, such as one with %2F.
		runtime.WithRoutingErrorHandler(func(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int) {
			s.fail(w, r, nothingHere())
		}),
		runtime.WithForwardResponseOption(func(ctx context.Context, w http.ResponseWriter, m proto.Message) error {
			if r, ok := m.(*trialpb.Receipt); ok && r.Receipt == nil {
				w.Header().Set("Retry-After", "2")
				w.WriteHeader(http.StatusAccepted)
			}
			return nil
		}),
		runtime.WithIncomingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
	)}
	return g, trialpb.RegisterLogHandlerServer(context.Background(), g.mux, s.service)
}

func (g *gateway) serve(w http.ResponseWriter, r *http.Request, body io.ReadCloser) {
	inner := new(http.Request)
	*inner = *r
	inner.Header, inner.Body = http.Header{}, body
	if r.Method == http.MethodHead {
		inner.Method = http.MethodGet // net/http leaves the body out
	}
	w.Header().Set("Cache-Control", "no-cache")
	g.mux.ServeHTTP(w, inner)
}

// get serves a method whose message is in the path and the query, which has
// none but the parameters named.
func (g *gateway) get(parameters ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := checkQuery(r, parameters); err != nil {
			g.s.fail(w, r, err)
			return
		}
		if index := r.PathValue("index"); index != "" && !isDecimal(index) {
			g.s.fail(w, r, badRequest("index is not a decimal number"))
			return
		}
		g.serve(w, r, http.NoBody)
	})
}

// submit serves Submit.
func (g *gateway) submit(w http.ResponseWriter, r *http.Request) {
	// A page elsewhere can make a browser send other types without asking.
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		p := badRequest("the content type of a statement is application/json")
		p.status = http.StatusUnsupportedMediaType
		g.s.fail(w, r, p)
		return
	}
	err := checkQuery(r, nil)
	if err == nil {
		err = g.s.service.countAddress(r.Context())
	}
	if err != nil {
		g.s.fail(w, r, err)
		return
	}
	g.serve(w, r, &statementBody{ReadCloser: http.MaxBytesReader(w, r.Body, maxBody)})
}

// stream serves StreamEntries as lines of JSON: {"result":{...}} for each entry
// and, if it ends other than by the caller's leaving, {"error":{...}}.
func (g *gateway) stream(w http.ResponseWriter, r *http.Request) {
	err := checkQuery(r, []string{"from"})
	if err != nil {
		g.s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return
	}
	from, _ := strconv.ParseUint(r.URL.Query().Get("from"), 10, 64) // checked; none is 0
	// A stream may stay open for ever; only a reader that takes nothing is left.
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Time{})
	line := func(name string, value []byte) error {
		rc.SetWriteDeadline(time.Now().Add(requestTimeout))
		_, err := fmt.Fprintf(w, "{%q:%s}\n", name, value)
		return err
	}
	started := false
	err = g.s.service.stream(r.Context(), &trialpb.StreamEntriesRequest{From: from}, func(e *trialpb.Entry) error {
		started = true
		data, err := jsonCodec.Marshal(e)
		if err != nil {
			return err
		}
		return line("result", data)
	}, func() error {
		started = true
		err := rc.Flush() // the first sends the header: the stream is open
		rc.SetWriteDeadline(time.Time{})
		return err
	})
	switch {
	case !started:
		g.s.fail(w, r, err)
	case r.Context().Err() == nil:
		callOf(r.Context()).err = err
		value, _ := json.Marshal(problemOf(r.Context(), err).wire())
		line("error", value)
	}
}

// checkQuery refuses parameters that are not known, or given twice, or not in
// their form: one that is ignored would answer another question.
func checkQuery(r *http.Request, known []string) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("the query of the URL is malformed")
	}
	for name, values := range query {
		switch {
		case !slices.Contains(known, name):
			return badRequest(strings.TrimSpace(fmt.Sprintf("there is no parameter %.40q here %s", name, known)))
		case len(values) > 1:
			return badRequest(name + " is given twice")
		case (name == "from" || name == "size") && !isDecimal(values[0]):
			return badRequest(name + " is not a decimal number")
		}
	}
	return nil
}

// isDecimal takes uint64 in its one spelling.
func isDecimal(s string) bool {
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && strconv.FormatUint(n, 10) == s
}

// A statementBody is the body of a statement's request. It carries the refusal
// from the decoder past the generated code, which keeps an error's text alone.
type statementBody struct {
	io.ReadCloser
	refusal error
}

// A codec marshals messages to JSON and parses that of a statement strictly.
type codec struct{ runtime.JSONPb }

var jsonCodec = new(codec)

// Marshal returns one line of JSON, the same for the same message in every
// build, which protojson sees to it that its own is not.
func (*codec) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return json.Marshal(v)
	}
	data, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Compact(&b, data)
	return b.Bytes(), err
}

// NewDecoder returns a decoder of the one message that comes in a body.
func (*codec) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		body, ok := r.(*statementBody)
		req, ok2 := v.(*trialpb.SubmitRequest)
		if !ok || !ok2 {
			return errors.New("this method takes no body")
		}
		data, err := io.ReadAll(body)
		if _, over := errors.AsType[*http.MaxBytesError](err); over {
			body.refusal = &trial.Refusal{Rule: trial.RuleLimit, Detail: fmt.Sprintf("the request has over %d bytes", maxBody)}
		} else if err != nil {
			body.refusal = malformed("the request ends too early")
		} else {
			body.refusal = decodeSubmit(data, req)
		}
		return body.refusal
	})
}
