package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/trialproof/trialproof/cmd/frame"
)

// A site is the page of trial agent serve, and a browser that uses it.
type site struct {
	t       *testing.T
	base    string
	browser *http.Client
}

func (c *clinic) serveSite(t *testing.T) (*site, string) {
	t.Helper()
	p, err := startProcess(c.dir, append(os.Environ(), "PATH="+binDir), append(append([]string{"trial", "agent", "serve"}, c.flags...),
		"-key", "site-a.key",
		"-identity", "site-a.identity", "-dir", "site-a", "-index", "index")...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill(syscall.SIGTERM) })
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base, _, _ := strings.Cut(p.url, "/?")
	return &site{t, base, &http.Client{Jar: jar}}, p.url
}

// get returns a page.
func (s *site) get(path string) (int, string) {
	s.t.Helper()
	resp, err := s.browser.Get(s.base + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

var formName = regexp.MustCompile(`name="form" value="([A-Z0-9]+)"`)

// post sends a form of the page that is shown, as a browser does.
func (s *site) post(path string, fields url.Values, change ...func(*http.Request)) (int, string) {
	s.t.Helper()
	if fields.Get("form") == "" {
		_, page := s.get("/")
		fields.Set("form", formName.FindStringSubmatch(page)[1])
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, values := range fields {
		if err := w.WriteField(name, values[0]); err != nil {
			s.t.Fatal(err)
		}
	}
	w.Close()
	req, err := http.NewRequest("POST", s.base+path, &b)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Origin", s.base)
	for _, f := range change {
		f(req)
	}
	resp, err := s.browser.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestAgentPage does a coordinator's work on the page: consent and slip, a request, its release,
// an end with erasure.
func TestAgentPage(t *testing.T) {
	t.Parallel()
	c := newClinic(t, "")
	c.patient("P-001", observation("positive"))
	if err := os.Mkdir(filepath.Join(c.dir, "index"), 0o700); err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(filepath.Join(c.dir, "site-a.recipient"))
	if err != nil {
		t.Fatal(err)
	}
	c.write("index/recipients", string(own))
	s, address := c.serveSite(t)
	if status, _ := s.get("/"); status != http.StatusForbidden {
		t.Errorf("without the token: %d", status)
	}
	if status, page := s.get(strings.TrimPrefix(address, s.base)); status != http.StatusOK || !strings.Contains(page, "P-001") {
		t.Fatalf("%d %s", status, page)
	}

	// From the form to the slip.
	status, page := s.post("/give", url.Values{"subject": {"P-002"}, "to": {"lab, rival"}, "use": {"DUO:0000042"}, "language": {"fr"}})
	slip := regexp.MustCompile(`/file/slip-[0-9a-f]+\.html`).FindString(page)
	if status != http.StatusOK || slip == "" {
		t.Fatalf("%d %s", status, page)
	}
	if status, page := s.get(slip); status != http.StatusOK || !strings.Contains(page, "Votre accord") || !strings.Contains(page, "The "+
		"rival") {
		t.Errorf("the slip: %d %s", status, page)
	}
	if _, page := s.post("/give", url.Values{"to": {strings.Repeat("x", maxUpload)}}); !strings.Contains(page, "more than 4 MiB") {
		t.Error("a large upload:", page)
	}
	if _, page := s.post("/give", url.Values{"to": {"lab"}}); !strings.Contains(page, "nothing says whose data it is") {
		t.Errorf("without a person: %s", page)
	}
	if _, page := s.post("/give", url.Values{"to": {"nobody"}, "subject": {"P-003"}}); !strings.Contains(page, "no organisation nobody is "+
		"enrolled") {
		t.Errorf("for an unknown organisation: %s", page)
	}

	// A form that is sent twice acts once.
	_, page = s.get("/")
	twice := url.Values{"form": {formName.FindStringSubmatch(page)[1]}, "subject": {"P-004"}, "to": {"lab"}, "use": {"DUO:0000042"}}
	if _, page := s.post("/give", twice); !strings.Contains(page, "Print the slip") {
		t.Errorf("the first time: %s", page)
	}
	if _, page := s.post("/give", twice); !strings.Contains(page, "This was sent already") || strings.Count(page, "<td>P-004") != 1 {
		t.Errorf("sent twice: %s", page)
	}

	// A request, its approval, the release.
	c.write("plan.pdf", "the plan")
	request := c.trialCmd("access request", "-key", "lab.key", "-of", "site-a", "-use", "DUO:0000006", "-settle", "0", "plan.pdf")
	if _, page := s.get("/"); !strings.Contains(page, request) || !strings.Contains(page, "health, medical or biomedical research") {
		t.Fatalf("the request is not shown: %s", page)
	}
	if _, page := s.post("/release", url.Values{"id": {request}, "to": {"lab"}}); !strings.Contains(page, "is not approved by site-a") {
		t.Errorf("released before it was approved: %s", page)
	}
	s.post("/decide", url.Values{"id": {request}, "decision": {"approve"}})
	// Of P-002 no file is there: nothing is released under that consent, and it is said.
	_, page = s.post("/release", url.Values{"id": {request}, "to": {"lab"}})
	found := regexp.MustCompile(`/file/([^"]+\.package)"`).FindAllStringSubmatch(page, -1)
	if len(found) != 1 {
		t.Fatalf("%d packages are handed out: %s", len(found), page)
	}
	for _, name := range []string{found[0][1], found[0][1] + ".tlog-proof"} {
		_, data := s.get("/file/" + name)
		c.write("lab/"+name, data)
	}
	c.ok("trial", "open", "-policy", "policy", "-identity", "lab.identity", "-o", "opened.json", "lab/"+found[0][1], "P-001.json.age")
	if opened, err := os.ReadFile(filepath.Join(c.dir, "opened.json")); err != nil || string(opened) != observation("positive") {
		t.Errorf("opened: %s %v", opened, err)
	}

	// An end with erasure becomes due, and is done.
	_, page = s.get("/")
	handle := regexp.MustCompile(`(?s)P-002.*?name="id" value="([0-9a-f]{64})"`).FindStringSubmatch(page)[1]
	if _, page := s.post("/end", url.Values{"id": {handle}, "erase": {"yes"}}); !strings.Contains(page, "Due: erasure was asked for") {
		t.Errorf("nothing is due: %s", page)
	}
	if _, page := s.post("/erase", url.Values{"id": {handle}}); strings.Contains(page, "Due: erasure was asked for") {
		t.Errorf("it is due still: %s", page)
	}
	if status, data := s.get("/backup"); status != http.StatusOK || !strings.HasPrefix(data, "PK") || strings.Contains(data, "P-002") {
		t.Errorf("the backup: %d, %d bytes", status, len(data))
	}
}

// TestAgentPageGuard: nobody but who opened the printed address is answered, and no other page
// can have the browser act.
func TestAgentPageGuard(t *testing.T) {
	t.Parallel()
	c := newClinic(t, "")
	s, address := c.serveSite(t)
	query := strings.TrimPrefix(address, s.base)
	ask := func(what string, change func(*http.Request), want int) {
		t.Helper()
		req, err := http.NewRequest("GET", s.base+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		resp, err := s.browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d", what, resp.StatusCode)
		}
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	ask("by another name", host("evil.example"), http.StatusForbidden)
	ask("by another name with the right port", host("evil.example:"+req(s.base).Port()), http.StatusForbidden)
	ask("with a wrong token", func(r *http.Request) { r.URL.RawQuery = "token=AAAA" }, http.StatusForbidden)
	ask("with the token", func(*http.Request) {}, http.StatusOK)
	ask("with the token again", func(*http.Request) {}, http.StatusForbidden)
	query = "/"
	ask("with the session", func(*http.Request) {}, http.StatusOK)
	ask("with the session, by another name", host("evil.example"), http.StatusForbidden)
	for what, change := range map[string]func(*http.Request){
		"from another page":               func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
		"from a page of another port":     func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") },
		"from a file":                     func(r *http.Request) { r.Header.Set("Origin", "null") },
		"from nowhere":                    func(r *http.Request) { r.Header.Del("Origin") },
		"from another site by its header": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"without the cookie":              func(r *http.Request) { s.browser.Jar, _ = cookiejar.New(nil) },
	} {
		jar := s.browser.Jar
		status, body := s.post("/give", url.Values{"to": {"lab"}, "subject": {"P-001"}, "use": {"DUO:0000042"}}, change)
		s.browser.Jar = jar
		if status != http.StatusForbidden {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
	for _, path := range []string{"/file/site-a.key", "/file/..%2fsite-a.key", "/file/" + "policy", "/nothing"} {
		if status, _ := s.get(path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	if grants, _ := filepath.Glob(filepath.Join(c.dir, "site-a", "*.grant")); len(grants) != 0 {
		t.Errorf("consent was given: %v", grants)
	}
}

func req(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u
}

// TestAgentLock: one process at a time releases from a folder.
func TestAgentLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var said bytes.Buffer
	open := func() *agent {
		a := &agent{dir: dir}
		a.env = &env{Env: &frame.Env{Stderr: &said}}
		return a
	}
	unlock, err := open().lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := open().lock(ended); !errors.Is(err, context.Canceled) || !strings.Contains(said.String(), "waiting for it") {
		t.Errorf("%v: %s", err, &said)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if unlock, err = open().lock(t.Context()); err != nil || unlock() != nil {
		t.Error(err)
	}
	dir = filepath.Join(dir, "missing")
	if _, err := open().lock(t.Context()); !errors.As(err, new(frame.UsageError)) || !strings.Contains(err.Error(), "is no folder") {
		t.Error(err)
	}
}

// TestAgentPageHungLog: while the log does not answer, the page still answers what needs no log,
// and strangers.
func TestAgentPageHungLog(t *testing.T) {
	t.Parallel()
	c := newClinic(t, "")
	c.patient("P-001", observation("a"))
	to, err := url.Parse(c.log.url)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(to)
	var hung atomic.Bool
	arrived, goOn := make(chan bool, 100), make(chan bool)
	line := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hung.Load() {
			arrived <- true
			<-goOn
		}
		forward.ServeHTTP(w, r)
	}))
	defer line.Close()
	c.flags = []string{"-log", line.URL, "-policy", "policy"}
	s, address := c.serveSite(t)
	if status, page := s.get(strings.TrimPrefix(address, s.base)); status != http.StatusOK {
		t.Fatalf("%d %s", status, page)
	}
	hung.Store(true)
	shown := make(chan int, 1)
	go func() {
		status, _ := s.get("/")
		shown <- status
	}()
	<-arrived
	if status, _ := s.get("/file/none"); status != http.StatusNotFound {
		t.Errorf("a file: %d", status)
	}
	stranger := &site{t: t, base: s.base, browser: http.DefaultClient}
	if status, _ := stranger.get("/"); status != http.StatusForbidden {
		t.Errorf("a stranger: %d", status)
	}
	select {
	case <-shown:
		t.Error("they waited until the page gave up")
	default:
	}
	hung.Store(false)
	close(goOn)
	if status := <-shown; status != http.StatusOK {
		t.Errorf("the page: %d", status)
	}
}
