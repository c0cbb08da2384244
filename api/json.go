package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/trialproof/trialproof/api/trialpb"
)

// This file serves the service's methods as JSON, by calls within the process. A method sees
// only its message. No header of a request, and so no timeout, method or address claimed in
// one, gets past the handlers.

func (s *Server) receipt(ctx context.Context, r *http.Request) (proto.Message, error) {
	id := r.PathValue("id")
	if strings.Contains(id, "/") { // it was sent as %2F
		return nil, nothingHere()
	}
	return s.service.GetReceipt(ctx, &trialpb.GetReceiptRequest{Id: id})
}

func (s *Server) entry(ctx context.Context, r *http.Request) (proto.Message, error) {
	index, ok := parseDecimal(r.PathValue("index"))
	if !ok {
		return nil, badRequest("index is not a decimal number")
	}
	return s.service.GetEntry(ctx, &trialpb.GetEntryRequest{Index: index})
}

func (s *Server) trialEntries(ctx context.Context, r *http.Request) (proto.Message, error) {
	return s.service.ListTrialEntries(ctx, &trialpb.ListTrialEntriesRequest{Trial: text(r, "trial"), From: number(r, "from")})
}

func (s *Server) recordEntries(ctx context.Context, r *http.Request) (proto.Message, error) {
	return s.service.ListRecordEntries(ctx, &trialpb.ListRecordEntriesRequest{
		Kind: text(r, "kind"), Id: text(r, "id"), From: number(r, "from"),
	})
}

func (s *Server) findRecords(ctx context.Context, r *http.Request) (proto.Message, error) {
	req := &trialpb.FindRecordsRequest{Kind: text(r, "kind")}
	if ids := text(r, "ids"); ids != "" {
		req.Ids = strings.Split(ids, ",")
	}
	return s.service.FindRecords(ctx, req)
}

func (s *Server) history(ctx context.Context, r *http.Request) (proto.Message, error) {
	return s.service.GetHistory(ctx, &trialpb.GetHistoryRequest{
		Kind: text(r, "kind"), Id: text(r, "id"), Size: number(r, "size"), From: number(r, "from"),
	})
}

func (s *Server) describeLog(ctx context.Context, r *http.Request) (proto.Message, error) {
	return s.service.GetLog(ctx, &trialpb.GetLogRequest{})
}

// get serves a method whose query may have only the parameters named.
func (s *Server) get(method func(context.Context, *http.Request) (proto.Message, error), parameters ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := checkQuery(r, parameters); err != nil {
			s.fail(w, r, err)
			return
		}
		m, err := method(r.Context(), r)
		s.answer(w, r, m, err)
	})
}

// answer answers with a method's message as JSON, or with its error.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, m proto.Message, err error) {
	var data []byte
	if err == nil {
		data, err = marshal(m)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	if r, ok := m.(*trialpb.Receipt); ok && r.Receipt == nil {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(http.StatusAccepted)
	}
	w.Write(data)
}

// marshal returns one line of JSON, the same for the same message in every build. protojson
// deliberately does not promise that.
func marshal(m proto.Message) ([]byte, error) {
	if r, ok := m.(*trialpb.Receipt); ok && r.Receipt != nil && r.Index != nil && utf8.ValidString(*r.Receipt) {
		return marshalReceipt(r), nil
	}
	data, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Compact(&b, data)
	return b.Bytes(), err
}

// marshalReceipt is marshal for the answer to a submission.
func marshalReceipt(r *trialpb.Receipt) []byte {
	b := make([]byte, 0, len(*r.Receipt)+256)
	b = append(appendText(append(b, `{"id":`...), r.Id), `,"index":"`...)
	b = append(strconv.AppendUint(b, *r.Index, 10), `","receipt":`...)
	return append(appendText(b, *r.Receipt), '}')
}

// appendText appends a JSON string.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		i := strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' })
		if i < 0 {
			break
		}
		b = append(b, s[:i]...)
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = fmt.Appendf(b, `\u%04x`, c)
		}
		s = s[i+1:]
	}
	return append(append(b, s...), '"')
}

// checkQuery refuses parameters that are not known, are given twice or do not have their form:
// an ignored parameter would mean that another question is answered.
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
		case name == "from" || name == "size":
			if _, ok := parseDecimal(values[0]); !ok {
				return badRequest(name + " is not a decimal number")
			}
		}
	}
	return nil
}

// parseDecimal parses a uint64 in its canonical form.
func parseDecimal(s string) (n uint64, ok bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && strconv.FormatUint(n, 10) == s
}

// text returns a parameter that checkQuery has checked, or "" if it is not given.
func text(r *http.Request, name string) string { return r.URL.Query().Get(name) }

// number returns a parameter that checkQuery has checked, or 0 if it is not given.
func number(r *http.Request, name string) uint64 {
	n, _ := parseDecimal(text(r, name))
	return n
}
