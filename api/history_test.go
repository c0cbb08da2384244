package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// TestHistory serves histories of two trials and a number, checks them as the client does, and
// has a lying server alter them in every way. Each alteration is refused and named.
func TestHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	f := newFixture(t, setup{})
	id := f.enrol()
	p, s := trialtest.Register("X-2")
	other := f.submit("ada", p, s).ID
	f.submit("ada", &trial.Identifier{Common: trialtest.Common(), Identifier: "nct:NCT00000001", Trial: id}, trial.NamedSubject("trial",
		id))
	for i := range 9 {
		of := id
		if i%3 == 2 {
			of = other
		}
		p, s := f.document(of)
		f.submit("ada", p, s)
	}
	policy := f.policy
	get := func(kind, id string) *history.History {
		t.Helper()
		a := f.get(fmt.Sprintf("/v1/history?kind=%s&id=%s", kind, id))
		if a.status != 200 {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		h, err := history.Parse([]byte(a.body))
		fatal(t, err)
		return h
	}
	h := get("trial", id.String())
	v, err := h.Verify(policy)
	fatal(t, err)
	// Registration, identifier, and six documents.
	if len(v.Entries) != 8 || v.Record.EntryTree().Count != 8 || v.Replayed {
		t.Fatalf("%d entries, record has %d, replayed %v", len(v.Entries), v.Record.EntryTree().Count, v.Replayed)
	}
	for i, e := range v.Entries[1:] {
		if e.Index <= v.Entries[i].Index {
			t.Fatal("entries out of order")
		}
	}
	if v, err := get("identifier", "nct:NCT00000001").Verify(policy); err != nil || len(v.Entries) != 1 ||
		v.Record.(*trial.IdentifierRecord).Claims[0].Trial != id {
		t.Fatalf("identifier: %v", err)
	}
	if v, err := get("org", "acme").Verify(policy); err != nil || len(v.Entries) != 1 {
		t.Fatalf("org: %v", err)
	}
	// Absence is proven, and cannot be claimed of what is there.
	absent := get("identifier", "nct:NCT99999999")
	if v, err := absent.Verify(policy); err != nil || v.Record != nil || len(v.Entries) != 0 {
		t.Fatalf("absence: %v", err)
	}
	foreign := get("trial", other.String())

	clone := func() *history.History {
		data, err := json.Marshal(h)
		fatal(t, err)
		c, err := history.Parse(data)
		fatal(t, err)
		return c
	}
	for _, c := range []struct {
		what string
		lie  func(h *history.History)
		says string
	}{
		{"an entry withheld", func(h *history.History) { h.Entries = append(h.Entries[:3], h.Entries[4:]...) },
			"only 7 are shown: some are withheld"},
		{"the last withheld", func(h *history.History) { h.Entries = h.Entries[:7] }, "withheld"},
		{"one of another trial put in", func(h *history.History) {
			h.Entries = append(h.Entries,
				foreign.Entries[len(foreign.Entries)-1])
		}, "some are about something else"},
		{"one exchanged for another trial's", func(h *history.History) { h.Entries[7] = foreign.Entries[len(foreign.Entries)-1] },
			"another put in its place"},
		{"one invented", func(h *history.History) {
			h.Entries[4].Entry = strings.Replace(h.Entries[4].Entry, `"role":"administrator"`, `"role":"signer"`, 1)
		}, "inclusion proof"},
		{"two swapped", func(h *history.History) { h.Entries[2], h.Entries[3] = h.Entries[3], h.Entries[2] }, "the order was changed"},
		{"two swapped with their indexes", func(h *history.History) {
			h.Entries[2].Entry, h.Entries[3].Entry = h.Entries[3].Entry, h.Entries[2].Entry
		}, "inclusion proof"},
		{"all withheld", func(h *history.History) { h.Entries, h.Record = nil, "" }, "withheld"},
		{"absence of what is there", func(h *history.History) {
			h.Entries, h.Record, h.Map = nil, "", absent.Map
		}, "does not"},
		{"the record altered", func(h *history.History) { h.Record = strings.Replace(h.Record, `"count":8`, `"count":7`, 1) },
			"not the one in the map"},
		{"another's record", func(h *history.History) { h.Record, h.Map = foreign.Record, foreign.Map }, "another path"},
		{"presence of what is absent", func(h *history.History) { h.Kind, h.ID = "identifier", "nct:NCT99999999" }, ""},
		{"a record where there is none", func(h *history.History) { *h = *absent; h.Record = foreign.Record },
			"which the map does not have"},
		{"an older state entry", func(h *history.History) { h.State = h.Entries[0] }, "not at the end"},
		{"another checkpoint", func(h *history.History) { h.Checkpoint = strings.Replace(h.Checkpoint, "\n", "x\n", 1) }, ""},
	} {
		l := clone()
		c.lie(l)
		if _, err := l.Verify(policy); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", c.what, err, c.says)
		}
	}
	if a := f.get("/v1/history?kind=person&id=ada"); a.status != 400 {
		t.Errorf("an unknown kind: status %d", a.status)
	}
	msg, err := f.grpc.GetHistory(context.Background(), &trialpb.GetHistoryRequest{Kind: "trial", Id: id.String()})
	fatal(t, err)
	if msg.GetRecord() != h.Record || len(msg.GetEntries()) != 8 {
		t.Error("gRPC gives another history")
	}
}
