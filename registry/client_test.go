package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

const oneRecord = `{"protocolSection":{"identificationModule":{"nctId":"NCT00000001"},` +
	`"statusModule":{"lastUpdatePostDateStruct":{"date":"2026-03-01"}}}}`

// serve returns a client of a server that answers as f does.
func serve(t *testing.T, f http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	c, err := NewClient(s.URL+"/api/v2/", "Trialproof-test")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answering returns a client of a server that gives one answer.
func answering(t *testing.T, kind, body string) *Client {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
	})
}

// TestAsk: what is asked is what the API's document says, by a program that names itself.
func TestAsk(t *testing.T) {
	var asked []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery)
		if r.UserAgent() != "Trialproof-test" || r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("headers %v", r.Header)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		if r.URL.Path == "/api/v2/version" {
			io.WriteString(z, `{"apiVersion":"2.0.5","dataTimestamp":"2026-03-10T09:00:05"}`)
			return
		}
		fmt.Fprintf(z, "{\"totalCount\":2,\"studies\":[\n%s,\n {\"é\": 1} ],\"more\":{},\"nextPageToken\":\"a+b/&c\"}\n", oneRecord)
	})
	v, err := c.Version(t.Context())
	if err != nil || v != at("2026-03-10T09:00:05") {
		t.Errorf("%v, %v", v, err)
	}
	p, err := c.Page(t.Context(), Ask{From: "2026-03-01", Size: 200})
	if err != nil || p.Next != "a+b/&c" || p.Total != 2 || len(p.Records) != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	if r := p.Records[0]; string(r.Bytes) != oneRecord || r.Number != "NCT00000001" || r.Day != "2026-03-01" {
		t.Errorf("%+v", r)
	}
	if r := p.Records[1]; string(r.Bytes) != `{"é": 1}` || r.Number != "" || r.Day != "" {
		t.Errorf("%+v", r)
	}
	if _, err := c.Page(t.Context(), Ask{From: "2026-03-01", To: "2026-03-02", Token: p.Next, Size: 50}); err != nil {
		t.Error(err)
	}
	want := "GET /api/v2/version?\n" +
		"GET /api/v2/studies?countTotal=true&filter.advanced=AREA%5BLastUpdatePostDate%5DRANGE%5B2026-03-01%2CMAX%5D&format=json&pageSize=200&" +
		"sort=LastUpdatePostDate%3Aasc\n" +
		"GET /api/v2/studies?filter.advanced=AREA%5BLastUpdatePostDate%5DRANGE%5B2026-03-01%2C2026-03-02%5D&format=json&pageSize=50&" +
		"pageToken=a%2Bb%2F%26c&sort=LastUpdatePostDate%3Aasc"
	if got := strings.Join(asked, "\n"); got != want {
		t.Errorf("asked\n%s\nwant\n%s", got, want)
	}
}

// TestAnswers: an answer that is not what the API gives is an error that says so.
func TestAnswers(t *testing.T) {
	for body, want := range map[string]string{
		`{"studies":[` + oneRecord + `]}`:                    "",
		`{"studies":[]}`:                                     "",
		`{"studies":[],"nextPageToken":null,"totalCount":0}`: "",
		`{"studies":[` + oneRecord[:50]:                      "cut off",
		`{"studies":[` + oneRecord + `]`:                     "cut off",
		``:                                                   "cut off",
		`{"studies":[` + oneRecord + `]} {}`:                 "something follows",
		`{"studies":[],"studies":[]}`:                        "twice",
		`[` + oneRecord + `]`:                                "no object",
		`{"studies":{}}`:                                     "not a list",
		`{"totalCount":1}`:                                   "no list of studies",
		`{"trials":[{"isrctn":"12345678"}]}`:                 "no list of studies",
		`{"studies":[{"isrctn":"12345678"}]}`:                "another registry's",
		`{"studies":[],"nextPageToken":7}`:                   "not valid JSON",
		`{"studies":[],"nextPageToken":"a b"}`:               "no token",
		`{"studies":[],"nextPageToken":"\u0000"}`:            "no token",
		`{"studies":[],"nextPageToken":"é"}`:                 "no token",
		`{"studies":[],"nextPageToken":"` + strings.Repeat("a", 2049) + `"}`: "no token",
		`{"studies":[` + strings.Repeat("{},", 1000) + `{}]}`:                "more than 1000 records",
		`{"studies":[` + strings.Repeat("[", 20000):                          "not valid JSON",
		`{"studies":[],"totalCount":"many"}`:                                 "not valid JSON",
	} {
		_, err := answering(t, "application/json", body).Page(t.Context(), Ask{})
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", body, err, want)
		}
	}
	for _, kind := range []string{"text/html", "text/html; charset=utf-8", "", "application/jsonx", "text/plain"} {
		_, err := answering(t, kind, `{"studies":[]}`).Page(t.Context(), Ask{})
		if err == nil || !strings.Contains(err.Error(), "not application/json") {
			t.Errorf("%q: %v", kind, err)
		}
	}
	for _, v := range []string{`{}`, `{"dataTimestamp":"yesterday"}`, `[]`, `{"dataTimestamp":"2026-03-10T09:00:05"`,
		`{"dataTimestamp":"2026-13-10T09:00:05"}`} {
		if got, err := answering(t, "application/json", v).Version(t.Context()); err == nil {
			t.Errorf("%s: %v", v, got)
		}
	}
}

// TestStatus: what an answer other than 200 says is kept: what it is, and how long to wait.
func TestStatus(t *testing.T) {
	for _, s := range []struct {
		code  int
		after string
		want  time.Duration
		token bool // the error is about the token
	}{
		{429, "120", 2 * time.Minute, false}, {503, "Tue, 10 Mar 2026 10:00:00 GMT", time.Hour, false},
		{503, "Tue, 10 Mar 2026 08:00:00 GMT", 0, false},
		{429, "99999999999999999999999", maxWait, false}, {429, "1000000000", maxWait, false}, {500, "-5", 0, false}, {429, "soon", 0, false},
		{400, "", 0, true}, {404, "", 0, true}, {403, "", 0, true},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			if s.after != "" {
				w.Header().Set("Retry-After", s.after)
			}
			w.WriteHeader(s.code)
			io.WriteString(w, "no\n"+strings.Repeat("x", 1000))
		})
		c.now = func() time.Time { return at("2026-03-10T09:00:00") }
		_, err := c.Page(t.Context(), Ask{Token: "x"})
		got, ok := errors.AsType[*Status](err)
		if !ok || got.Code != s.code || got.After != s.want || len(got.Text) != 300 || errors.Is(err, errToken) != s.token {
			t.Errorf("%d %q: %v, waits %v", s.code, s.after, err, got.After)
		}
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
	})
	if _, err := c.Version(t.Context()); err == nil || !strings.Contains(err.Error(), "it leads to http://192.0.2.1/") {
		t.Errorf("a redirect: %v", err)
	}
}

// TestLarge: an answer of 300 MB, packed or not, takes no more memory than is read of it.
func TestLarge(t *testing.T) {
	zeros := bytes.Repeat([]byte(" "), 1<<20)
	for _, packed := range []bool{false, true} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			var out io.Writer = w
			if packed {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				defer z.Close()
				out = z
			}
			for range 300 {
				if _, err := out.Write(zeros); err != nil {
					return
				}
			}
		})
		c.limit = 8 << 20
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := c.Page(t.Context(), Ask{})
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrTooLarge) || after.TotalAlloc-before.TotalAlloc > 200<<20 {
			t.Errorf("%v, %d MB", err, (after.TotalAlloc-before.TotalAlloc)>>20)
		}
		if _, err := c.Version(t.Context()); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
	}
}

// TestCutOff: an answer that ends in its middle is an error, and an ended context ends it.
func TestCutOff(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"studies":[`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	if _, err := c.Page(t.Context(), Ask{}); err == nil || !strings.Contains(err.Error(), "ends early") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c = serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := c.Page(ctx, Ask{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAddress(t *testing.T) {
	for api, ok := range map[string]bool{
		CTGov: true, "http://127.0.0.1:8000": true, "http://localhost/api": true, "http://[::1]:80/": true,
		"http://example.org": false, "http://127.0.0.1.example.org": false, "http://0.0.0.0": false, "ftp://127.0.0.1": false, "": false,
		"https://u:p@example.org": false, "https://example.org?x=y": false, "https://example.org#x": false, "clinicaltrials.gov": false,
	} {
		if _, err := NewClient(api, "x"); (err == nil) != ok {
			t.Errorf("%s: %v", api, err)
		}
	}
}
