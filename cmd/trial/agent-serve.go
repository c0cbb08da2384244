package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
)

// agentServe serves a small page for people of a site who type no commands.
func agentServe(ctx context.Context, e *env, args []string) error {
	p := &agentPage{a: &agent{now: time.Now}}
	var identity, listen string
	rest, err := p.a.begin(e, args, true, func(fs *flag.FlagSet) {
		fs.StringVar(&p.a.dir, "dir", "", "`folder` with grants and FILE.protected files, for packages, receipts and slips")
		fs.StringVar(&identity, "identity", os.Getenv(identityVariable), "identity `file` that opens your shares, grants and index; default: "+
			"what "+
			identityVariable+" names")
		fs.StringVar(&listen, "listen", "127.0.0.1:0", "`address` to serve the page at; keep it on this machine")
		p.index.flags(fs)
	})
	if err != nil {
		return err
	}
	if p.a.dir == "" || identity == "" || len(rest) > 0 {
		return frame.Usagef("-dir and -identity must be given")
	}
	if p.a.key.Org == "" {
		return frame.Usagef("%s does not say of which organisation the key is: use the key file that trial keygen made", p.a.keyFile)
	}
	if p.a.keyFrom == fromConfiguration {
		return frame.Usagef("the key of your configuration signs only after a question on the terminal, and the page asks none: name the key " +
			"with -key")
	}
	if p.a.ids, err = readIdentities(identity); err != nil {
		return err
	}
	if err := os.MkdirAll(p.a.dir, 0o700); err != nil {
		return frame.AsUsage(err)
	}
	return p.serve(ctx, e, listen)
}

// An agentPage is the site's page. Whoever opens the address with the token that is printed once
// has a session; nobody else is answered.
type agentPage struct {
	a     *agent
	index index
	hosts []string // that the browser may name

	acting sync.Mutex // one action at a time

	mu      sync.Mutex      // guards what follows, and is not held while the log is asked
	token   string          // of the address; "" once it was used
	session string          // of the cookie
	forms   map[string]bool // that were shown and not sent yet
	last    done            // what the last action has to say, shown once
}

//go:embed agent.html
var agentHTML string

var agentTemplate = template.Must(template.New("agent").Parse(agentHTML))

const sessionCookie = "trialproof-agent"

func (p *agentPage) serve(ctx context.Context, e *env, listen string) error {
	if host, _, err := net.SplitHostPort(listen); err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		return frame.Usagef("-listen %s is every address of this machine: name the one under which browsers reach the page, such as "+
			"127.0.0.1:8080", listen)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return frame.AsUsage(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	p.hosts = []string{addr.String()}
	if addr.IP.IsLoopback() {
		p.hosts = append(p.hosts, fmt.Sprintf("localhost:%d", addr.Port))
	} else {
		fmt.Fprintf(e.Stderr, "trial %s: warning: %s can be reached from other machines, and what is sent there can be read on the way\n",
			e.Command(), listen)
		if host, _, err := net.SplitHostPort(listen); err == nil && host != "" {
			p.hosts = append(p.hosts, listen)
		}
	}
	p.token = rand.Text()
	address := fmt.Sprintf("http://%s/?token=%s", addr, p.token)
	fmt.Fprintln(e.Stdout, address)
	fmt.Fprintf(e.Stderr, "trial %s: listening on %s (open this address in a browser on this machine; it works once). Press Ctrl-C to "+
		"end\n", e.Command(), address)
	srv := &http.Server{Handler: p.guard(p.routes()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 5 * time.Minute, MaxHeaderBytes: 16 << 10}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return srv.Shutdown(stop)
}

func (p *agentPage) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("POST /give", p.give)
	mux.HandleFunc("POST /decide", p.decide)
	mux.HandleFunc("POST /release", p.release)
	mux.HandleFunc("POST /end", p.end)
	mux.HandleFunc("POST /erase", p.erase)
	mux.HandleFunc("GET /file/{name}", p.file)
	mux.HandleFunc("GET /backup", p.backup)
	return mux
}

// guard answers only requests that come from a page of this server: by the host that the browser
// names, so that no other name leads here (DNS rebinding); by the session's cookie; and for
// whatever changes something by where the request comes from (cross-site requests).
func (p *agentPage) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri "+
			"'none'; "+
			"img-src data:")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		if !slices.Contains(p.hosts, r.Host) {
			http.Error(w, "this page is served at "+strings.Join(p.hosts, " and ")+" alone", http.StatusForbidden)
			return
		}
		if token := r.URL.Query().Get("token"); token != "" && r.Method == http.MethodGet {
			p.begin(w, r, token)
			return
		}
		p.mu.Lock()
		session := p.session
		p.mu.Unlock()
		c, err := r.Cookie(sessionCookie)
		if err != nil || session == "" || subtle.ConstantTimeCompare([]byte(c.Value), []byte(session)) != 1 {
			http.Error(w, "open the address that trial agent serve has printed; it works once", http.StatusForbidden)
			return
		}
		if r.Method != http.MethodGet {
			origin := r.Header.Get("Origin")
			if err := cross.Check(r); err != nil || !slices.Contains(p.hosts, strings.TrimPrefix(origin, "http://")) {
				http.Error(w, "this request does not come from this page", http.StatusForbidden)
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		}
		ctx, cancel := context.WithTimeout(r.Context(), actTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// maxUpload bounds what is sent to the page, in bytes.
const maxUpload = 4 << 20

// begin changes the token of the address for a session.
func (p *agentPage) begin(w http.ResponseWriter, r *http.Request, token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(p.token)) != 1 {
		http.Error(w, "this address was used already, or was never printed: start trial agent serve again", http.StatusForbidden)
		return
	}
	p.token, p.session = "", rand.Text()
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: p.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// A done is what an action has to say.
type done struct {
	Failed string   // why it failed
	Said   []string // by the command
	Slip   string   // a file to print
	Files  []string // to hand over
}

// act runs an action with a command's own words, and leads back to the page, which shows what came
// of it. A form that is sent twice acts once.
func (p *agentPage) act(w http.ResponseWriter, r *http.Request, do func(a *agent) (done, error)) {
	p.acting.Lock()
	defer p.acting.Unlock()
	err := r.ParseMultipartForm(maxUpload) // what cannot be parsed has no form
	o := done{Failed: "This was sent already, or the page was too old. Nothing was done now: see below how things stand."}
	if errors.As(err, new(*http.MaxBytesError)) {
		o.Failed = fmt.Sprintf("Nothing was done: what was sent has more than %d MiB, far more than a FHIR Consent.", maxUpload>>20)
	} else if p.takeForm(r.PostFormValue("form")) {
		var said, data bytes.Buffer
		o, err = do(p.quiet(&data, &said))
		for line := range strings.Lines(said.String()) {
			o.Said = append(o.Said, strings.TrimSpace(line))
		}
		if err != nil {
			o.Failed = err.Error()
		}
	}
	p.mu.Lock()
	p.last = o
	p.mu.Unlock()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// An action may take actTime, and to show the page viewTime: the log may hang.
const (
	actTime  = 2 * time.Minute
	viewTime = 20 * time.Second
)

// takeForm reports whether a form was shown and not sent yet.
func (p *agentPage) takeForm(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ok := p.forms[name]
	delete(p.forms, name)
	return ok
}

// quiet returns the agent as it acts for the page: there is no terminal to ask on.
func (p *agentPage) quiet(stdout, stderr io.Writer) *agent {
	a, e := *p.a, *p.a.env.Env
	e.Stdin, e.Stdout, e.Stderr = strings.NewReader(""), stdout, stderr
	a.env = &env{Env: &e, policyFrom: p.a.env.policyFrom}
	return &a
}

// maxForms is how many forms that were shown may still be sent.
const maxForms = 100

// form returns the name of the forms of a page that is shown. The caller holds mu.
func (p *agentPage) form() string {
	if len(p.forms) >= maxForms || p.forms == nil {
		p.forms = map[string]bool{}
	}
	name := rand.Text()
	p.forms[name] = true
	return name
}
