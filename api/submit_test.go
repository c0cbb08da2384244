package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// body returns the JSON of a submission.
func body(envelope, key []byte) string {
	return `{"envelope":` + string(envelope) + `,"key":"` + base64.StdEncoding.EncodeToString(key) + `"}`
}

// message returns the same over gRPC.
func message(t testing.TB, envelope, key []byte) *trialpb.SubmitRequest {
	t.Helper()
	var e wireEnvelope
	fatal(t, json.Unmarshal(envelope, &e))
	req := &trialpb.SubmitRequest{
		Envelope: &trialpb.Envelope{Payload: e.Payload, PayloadType: e.PayloadType},
		Key:      base64.StdEncoding.EncodeToString(key),
	}
	for _, s := range e.Signatures {
		req.Envelope.Signatures = append(req.Envelope.Signatures, &trialpb.Signature{Keyid: s.KeyID, Sig: s.Sig})
	}
	return req
}

func TestSubmit(t *testing.T) {
	f := newFixture(t, setup{})
	id := f.enrol()
	p, s := f.document(id)
	got := f.submit("ada", p, s)
	v, err := receipt.Verify(f.policy, []byte(got.Receipt), receipt.Document{Name: "d", Digest: sha256.Sum256([]byte("document 1"))})
	fatal(t, err)
	if v.Index != got.Index || got.ID != trial.StatementID(trialtest.Payload(t, p, s)) {
		t.Errorf("answer has index %d and id %s; the receipt %d", got.Index, got.ID, v.Index)
	}
	again, err := f.client.Receipt(t.Context(), got.ID)
	fatal(t, err)
	if again != got {
		t.Errorf("by its id: %+v, submitted: %+v", again, got)
	}
	entry, err := f.client.Entry(t.Context(), got.Index)
	fatal(t, err)
	raw, err := f.log.Entry(t.Context(), got.Index)
	fatal(t, err)
	if entry.Entry.Entry != string(raw) || entry.Index != got.Index || len(entry.Proof) == 0 {
		t.Errorf("entry %+v", entry)
	}
	if _, err := f.policy.Open([]byte(entry.Checkpoint)); err != nil {
		t.Error(err)
	}
	for _, typed := range []string{id.String(), "sponsor:acme/X-1"} {
		about, err := f.client.Trial(t.Context(), typed)
		fatal(t, err)
		if about.Trial != id.String() || len(about.Entries) != 2 || about.Entries[1].Entry != string(raw) || about.Size != f.log.Size() {
			t.Errorf("trial %s: %+v", typed, about)
		}
	}
	about, err := f.client.Record(t.Context(), "org", "acme")
	fatal(t, err)
	if len(about.Entries) == 0 || about.Trial != "" {
		t.Errorf("org: %+v", about)
	}
}

func TestSubmitTwice(t *testing.T) {
	f := newFixture(t, setup{})
	id := f.enrol()
	p, s := f.document(id)
	envelope, key := trialtest.Sign(t, "ada", p, s)
	first := f.post(body(envelope, key))
	size := f.log.Size()
	second := f.post(body(envelope, key))
	if first.status != 200 || second.status != 200 || first.body != second.body {
		t.Errorf("first %d %s, second %d %s", first.status, first.body, second.status, second.body)
	}
	overGRPC, err := f.grpc.Submit(t.Context(), message(t, envelope, key))
	fatal(t, err)
	if data, _ := marshal(overGRPC); string(data) != first.body {
		t.Errorf("over gRPC %s, over HTTP %s", data, first.body)
	}
	if f.log.Size() != size {
		t.Errorf("the size went from %d to %d", size, f.log.Size())
	}
}

func TestPending(t *testing.T) {
	w := new(testWitness)
	f := newFixture(t, setup{witness: w, log: func(c *logserver.Config) { c.QuorumWait = 50 * time.Millisecond }})
	org, subjects := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", org, subjects)
	if _, err := f.client.Submit(t.Context(), envelope, key); errors.Is(err, client.ErrPending) {
		_, err := f.log.Await(t.Context(), 2)
		fatal(t, err)
	} else {
		fatal(t, err)
	}

	w.silent.Store(true)
	size := f.log.Size()
	p, s := trialtest.Register("X-2")
	envelope, key = trialtest.Sign(t, "ada", p, s)
	id := trial.StatementID(trialtest.Payload(t, p, s))
	a := f.post(body(envelope, key))
	if want := `{"id":"` + id.String() + `"}`; a.status != http.StatusAccepted || a.body != want || a.header.Get("Retry-After") == "" {
		t.Errorf("status %d, body %s, wanted %s", a.status, a.body, want)
	}
	if a := f.get("/v1/receipts/" + id.String()); a.status != http.StatusAccepted {
		t.Errorf("receipt: status %d, body %s", a.status, a.body)
	}
	if r, err := f.client.Submit(t.Context(), envelope, key); !errors.Is(err, client.ErrPending) || r.ID != id {
		t.Errorf("client: %+v, %v", r, err)
	}
	if r, err := f.grpc.Submit(t.Context(), message(t, envelope, key)); err != nil || r.GetId() != id.String() || r.Receipt != nil ||
		r.Index != nil {
		t.Errorf("gRPC: %v, %v", r, err)
	}
	if f.log.Size() != size {
		t.Error("published without the witness")
	}

	w.silent.Store(false)
	_, err := f.log.Await(t.Context(), size)
	fatal(t, err)
	r, err := f.client.Receipt(t.Context(), id)
	fatal(t, err)
	if _, err := receipt.Verify(f.policy, []byte(r.Receipt)); err != nil {
		t.Error(err)
	}
}

// TestSubmitterLeaves: a statement stays in the pool if its submitter leaves.
func TestSubmitterLeaves(t *testing.T) {
	w := new(testWitness)
	f := newFixture(t, setup{witness: w})
	org, subjects := trialtest.Org("acme", "Acme", "ada")
	f.submit("registrar", org, subjects)
	w.silent.Store(true)
	size := f.log.Size()
	p, s := trialtest.Register("X-3")
	envelope, key := trialtest.Sign(t, "ada", p, s)
	id := trial.StatementID(trialtest.Payload(t, p, s))
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := f.client.Submit(ctx, envelope, key)
		left <- err
	}()
	for {
		if _, err := f.log.Receipt(t.Context(), id); errors.Is(err, logserver.ErrPending) {
			break // it has been taken
		}
		if t.Context().Err() != nil {
			t.Fatal("never taken")
		}
	}
	leave()
	if err := <-left; !errors.Is(err, client.ErrUnavailable) {
		t.Fatalf("the submitter got %v", err)
	}
	w.silent.Store(false)
	_, err := f.log.Await(t.Context(), size)
	fatal(t, err)
	found, err := f.client.Receipt(t.Context(), id)
	fatal(t, err)
	again, err := f.client.Submit(t.Context(), envelope, key)
	fatal(t, err)
	if again != found || f.log.Size() != found.Index+2 {
		t.Errorf("again %+v, found %+v, size %d", again, found, f.log.Size())
	}
}

// TestStrictJSON: every encoding of a request except the canonical one is refused, and nothing
// is repaired.
func TestStrictJSON(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	size := f.log.Size()
	p, s := trialtest.Register("X-4")
	envelope, key := trialtest.Sign(t, "ada", p, s)
	good := body(envelope, key)
	k := base64.StdEncoding.EncodeToString(key)
	edit := func(old, new string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	spellings := map[string]string{
		"empty":                      "",
		"truncated":                  good[:len(good)-1],
		"truncated in the envelope":  good[:40],
		"something behind":           good + "{}",
		"no object":                  "[" + good + "]",
		"null":                       "null",
		"empty object":               "{}",
		"null envelope":              `{"envelope":null,"key":"` + k + `"}`,
		"null key":                   edit(`"`+k+`"`, "null"),
		"no key":                     `{"envelope":` + string(envelope) + `}`,
		"unknown member":             edit(`"key":`, `"extra":1,"key":`),
		"unknown member in envelope": edit(`{"payload":`, `{"extra":1,"payload":`),
		"unknown member in sig":      edit(`{"keyid":`, `{"cert":"","keyid":`),
		"duplicate member":           edit(`"key":`, `"key":"`+k+`","key":`),
		"duplicate in envelope":      edit(`"payloadType":`, `"payloadType":"application/vnd.in-toto+json","payloadType":`),
		"another case":               edit(`"key":`, `"Key":`),
		"another case in envelope":   edit(`"payloadType":`, `"payloadtype":`),
		"proto's names":              edit(`"payloadType":`, `"payload_type":`),
		"white space in envelope":    edit(`"payload":`, `"payload": `),
		"other order in envelope": strings.Replace(edit(`"payloadType":"application/vnd.in-toto+json",`, ""), `{"payload":`,
			`{"payloadType":"application/vnd.in-toto+json","payload":`, 1),
		"escaped character":          edit(`"application/vnd`, `"\u0061pplication/vnd`),
		"payload of bytes not UTF-8": edit(`"payload":"`, "\"payload\":\"\xff"),
		"key with a line break":      edit(k, k[:8]+`\n`+k[8:]),
		"key without padding":        edit(k, strings.TrimRight(k, "=")),
		"key not base64":             edit(k, "*"),
		"payload with a space":       edit(`"payload":"`, `"payload":" `),
		"number for a string":        edit(`"application/vnd.in-toto+json"`, "1"),
		"no signature":               edit(string(envelope[strings.Index(string(envelope), `"signatures"`):]), `"signatures":[]}`),
	}
	g := newGolden(t, "spellings")
	for _, name := range slices.Sorted(maps.Keys(spellings)) {
		a := f.post(spellings[name])
		g.add(name, a)
		if w := a.wire(t); a.status != http.StatusBadRequest || w.Rule != "R1" || w.Code != "INVALID_ARGUMENT" ||
			!strings.HasPrefix(w.Message, "R1: malformed: ") {
			t.Errorf("%s: status %d, %+v", name, a.status, w)
		}
	}
	if f.log.Size() != size {
		t.Fatal("something was logged")
	}
	if a := f.get("/metrics"); !strings.Contains(a.body, fmt.Sprintf("trialproof_refused_total{rule=\"R1\"} %d\n", len(spellings))) {
		t.Error("they are not counted")
	}
	// The JSON around the envelope is not logged, and may have any encoding.
	if a := f.post("{ \"key\" : \"" + k + "\",\n\"envelope\":" + string(envelope) + " }\n"); a.status != http.StatusOK {
		t.Errorf("other white space outside: status %d, %s", a.status, a.body)
	}
}

func TestSubmitRequests(t *testing.T) {
	f := newFixture(t, setup{})
	f.enrol()
	size := f.log.Size()
	p, s := trialtest.Register("X-5")
	envelope, key := trialtest.Sign(t, "ada", p, s)
	good := body(envelope, key)

	if a := f.post(good + strings.Repeat(" ", 2*65535)); a.status != http.StatusRequestEntityTooLarge || a.wire(t).Rule != "R2" {
		t.Errorf("oversized body: status %d, %s", a.status, a.body)
	}
	large := message(t, envelope, key)
	large.Key = strings.Repeat("A", 2*65535)
	if _, err := f.grpc.Submit(t.Context(), large); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("oversized message: %v", err)
	}
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json-seq"} {
		if a := f.send("POST", "/v1/statements", good, "Content-Type", contentType); a.status != http.StatusUnsupportedMediaType {
			t.Errorf("content type %q: status %d, %s", contentType, a.status, a.body)
		}
	}
	for _, method := range []string{"GET", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		a := f.send(method, "/v1/statements", good, "Content-Type", "application/json")
		if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST" {
			t.Errorf("%s: status %d, allow %q", method, a.status, a.header.Get("Allow"))
		}
	}
	if a := f.send("POST", "/v1/statements?dry=1", good, "Content-Type", "application/json"); a.status != http.StatusBadRequest {
		t.Errorf("with a parameter: status %d", a.status)
	}
	// No header reaches the method: neither a deadline nor another method.
	if f.log.Size() != size {
		t.Fatal("something was logged")
	}
	a := f.send("POST", "/v1/statements", good, "Content-Type", "application/json; charset=utf-8", "Grpc-Timeout", "1n",
		"X-HTTP-Method-Override", "GET")
	if a.status != http.StatusOK {
		t.Errorf("status %d, %s", a.status, a.body)
	}
}

// TestToEntries: a page has at most what gRPC clients accept, from the tree whose size it says.
func TestToEntries(t *testing.T) {
	large := make([]byte, maxPage/2)
	list := []logserver.Located{{Index: 3, Raw: large}, {Index: 5, Raw: large}, {Index: 8, Raw: []byte("x")}, {Index: 9, Raw: []byte("y")}}
	for _, c := range []struct {
		from, want int
		size       uint64
	}{{0, 2, 10}, {1, 3, 10}, {1, 2, 9}, {2, 1, 9}, {0, 0, 3}} {
		page := toEntries(list[c.from:], c.size)
		if len(page.Entries) != c.want || page.Size != c.size {
			t.Errorf("from %d, size %d: %d entries, wanted %d", c.from, c.size, len(page.Entries), c.want)
		}
	}
	if page := toEntries([]logserver.Located{{Index: 0, Raw: make([]byte, maxPage+1)}}, 1); len(page.Entries) != 1 {
		t.Error("a page without an entry says that there are no more")
	}
}
