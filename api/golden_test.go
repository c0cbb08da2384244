package api

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/logserver"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A golden is a file of testdata with answers over HTTP, byte by byte: status, headers and
// body. The logs of tests have one key and one clock, so only the day and the request's id
// change.
type golden struct {
	file string
	said strings.Builder
}

func newGolden(t *testing.T, name string) *golden {
	g := &golden{file: filepath.Join("testdata", name+".golden")}
	t.Cleanup(func() {
		if !t.Failed() {
			g.compare(t)
		}
	})
	return g
}

// add records the answer to a request.
func (g *golden) add(question string, a answer) {
	fmt.Fprintf(&g.said, "== %s\n%d\n", question, a.status)
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		value := strings.Join(a.header[name], " | ")
		if name == "Date" || name == "X-Request-Id" {
			value = "..."
		}
		fmt.Fprintf(&g.said, "%s: %s\n", name, value)
	}
	fmt.Fprintf(&g.said, "\n%s", a.body)
	if !strings.HasSuffix(a.body, "\n") {
		g.said.WriteString("\n(no line end)\n")
	}
}

func (g *golden) compare(t *testing.T) {
	if *update {
		fatal(t, os.MkdirAll(filepath.Dir(g.file), 0o777))
		fatal(t, os.WriteFile(g.file, []byte(g.said.String()), 0o666))
		return
	}
	data, err := os.ReadFile(g.file)
	fatal(t, err)
	want, got := strings.Split(string(data), "\n== "), strings.Split(g.said.String(), "\n== ")
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) {
			t.Fatalf("%s has %d answers, this run %d: write it anew with -update", g.file, len(want), len(got))
		}
		if want[i] != got[i] {
			t.Errorf("%s: wanted\n%s\ngot\n%s", g.file, want[i], got[i])
		}
	}
}

// TestAnswers: every call's answer, with its headers, also if the method, the path or the query
// is odd.
func TestAnswers(t *testing.T) {
	f := newFixture(t, setup{})
	id := f.enrol()
	p, s := f.document(id)
	envelope, key := trialtest.Sign(t, "ada", p, s)
	statement := trial.StatementID(trialtest.Payload(t, p, s)).String()
	g := newGolden(t, "answers")
	ask := func(method, path, body string, headers ...string) {
		t.Helper()
		g.add(strings.Join(append([]string{method, path}, headers...), " "), f.send(method, path, body, headers...))
	}
	const js = "application/json"
	ask("POST", "/v1/statements", body(envelope, key), "Content-Type", js)
	ask("POST", "/v1/statements", body(envelope, key), "Content-Type", "Application/JSON; charset=utf-8", "Accept", "text/html", "Te",
		"trailers",
		"Grpc-Timeout", "1n", "Grpc-Metadata-X", "y", "X-Http-Method-Override", "GET", "Accept-Encoding", "gzip", "Origin",
		"https://elsewhere.example")
	ask("POST", "/v1/statements", body(envelope, key)+strings.Repeat(" ", maxBody), "Content-Type", js)
	ask("POST", "/v1/statements?dry=1", body(envelope, key), "Content-Type", js)
	ask("POST", "/v1/statements?a=;b", body(envelope, key), "Content-Type", js)
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json-seq",
		"application/json;", "application/json; a; b"} {
		ask("POST", "/v1/statements", body(envelope, key), "Content-Type", contentType)
	}
	known := []string{
		"/v1/receipts/" + statement, "/v1/entries/0", "/v1/entries/5", "/v1/trials/entries?trial=" + id.String(),
		"/v1/trials/entries?trial=+sponsor%3Aacme%2FX-1&from=6", "/v1/records/entries?kind=org&id=acme",
		"/v1/records/entries?from=0&id=none&kind=org",
		"/v1/history?kind=org&id=acme", "/v1/history?kind=identifier&id=nct:NCT99999999&size=0&from=0",
		fmt.Sprintf("/v1/history?kind=trial&id=%s&size=%d", id, f.log.Size()), fmt.Sprintf("/v1/history?kind=trial&id=%s&size=%d&from=6",
			id, f.log.Size()), "/v1/log",
	}
	for _, path := range known {
		ask("GET", path, "")
		ask("HEAD", path, "")
	}
	ask("GET", "/v1/log", "a body", "Content-Type", "text/plain", "Te", "trailers", "Accept", "text/html", "If-None-Match", "*", "Range",
		"bytes=0-1")
	for _, path := range []string{
		"/v1/receipts/" + trial.Hash{}.String(), "/v1/receipts/x", "/v1/entries/99", "/v1/history?kind=org&id=acme&size=99",
		"/v1/history?kind=org&id=acme&from=3", "/v1/history?kind=key&id=" +
			trialtest.Public("ada").ID().String(), "/v1/history?kind=org&id=acme&size=9007199254740993",
		"/v1/history", "/v1/history?kind=log&id=%ff", "/v1/history?kind=org&id=%00", "/v1/records/entries?kind=identifier&id=%E2%80%A8",
		"/v1/records/entries?kind=org&id=", "/v1/records/entries?kind=&id=acme", "/v1/trials/entries?trial=%ff",
		"/v1/trials/entries?trial=+", "/v1/trials/entries?trial[]=a",
		"/v1/trials/entries?TRIAL=a", "/v1/trials/entries?trial.x=a", "/v1/receipts/x?id=y", "/v1/entries/0?index=1", "/v1/log?",
		"/v1/log?&&", "/v1/log?=", "/v1/log?a;b",
		"/v1/trials/entries?trial=a&from=18446744073709551615", "/v1/stream?from=18446744073709551615", "/v1/stream?from=",
		"/checkpoint?x=1", "//v1/log", "/v1/../v1/log", "/v1/%6cog",
		"/v1/entries/00", "/v1/entries/ 1", "/v2/log", "/v1/statements/", "/v1/statements/x", "/V1/log",
	} {
		ask("GET", path, "")
	}
	ask("HEAD", "/v1/entries/99", "")
	ask("HEAD", "/v1/stream?from=1", "")
	ask("HEAD", "/v1/stream?x=1", "")
	ask("HEAD", "/nowhere", "")
	for _, rt := range f.api.routes {
		path := strings.NewReplacer("{", "", "}", "").Replace(rt.path)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO"} {
			if method != rt.method && (method != "HEAD" || rt.method == "POST") {
				ask(method, path, "")
			}
		}
	}
	ask("OPTIONS", "/nowhere", "")
	ask("POST", "/nowhere", "")
}

// TestAnswersInTrouble: the answers if the log has stopped or the caller's time is over.
func TestAnswersInTrouble(t *testing.T) {
	w := new(testWitness)
	f := newFixture(t, setup{
		witness: w, limits: Limits{PerKey: Rate{PerSecond: 0.5, Burst: 1}, Streams: 1, Submissions: 1},
		log: func(c *logserver.Config) { c.QuorumWait = 50 * time.Millisecond },
	})
	g := newGolden(t, "trouble")
	p, s := trialtest.Org("acme", "Acme", "ada")
	envelope, key := trialtest.Sign(t, "registrar", p, s)
	w.silent.Store(true)
	g.add("pending", f.post(body(envelope, key)))
	id := trial.StatementID(trialtest.Payload(t, p, s)).String()
	g.add("its receipt", f.get("/v1/receipts/"+id))
	g.add("its receipt, HEAD", f.send("HEAD", "/v1/receipts/"+id, ""))
	g.add("too many by one key", f.post(body(envelope, key)))
	f.clock.Add(time.Hour)
	f.api.service.submitting <- struct{}{}
	g.add("too many at once", f.post(body(envelope, key)))
	<-f.api.service.submitting
	f.api.service.streaming <- struct{}{}
	g.add("too many streams", f.get("/v1/stream"))
	<-f.api.service.streaming

	ended := map[string]answer{}
	left, leave := context.WithCancel(t.Context())
	leave()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for what, ctx := range map[string]context.Context{"gone": left, "too late": late} {
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, "POST", "/v1/statements", strings.NewReader(body(envelope, key)))
		r.Header.Set("Content-Type", "application/json")
		f.clock.Add(time.Hour)
		f.api.HTTP().ServeHTTP(rec, r)
		ended[what] = answer{rec.Code, rec.Header(), rec.Body.String()}
	}
	g.add("the caller has left", ended["gone"])
	g.add("the caller's time is up", ended["too late"])
	f.close()
	f.clock.Add(time.Hour)
	g.add("closed", f.post(body(envelope, key)))
	g.add("closed, malformed", f.post(`{"envelope":{},"key":""}`))
}
