package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/trialtest"
	"github.com/trialproof/trialproof/trial/vault"
)

// The attacks on consent, each against real servers and witnesses. Each has a line in
// docs/threats.md.
var consentAttacks = []struct {
	name  string
	stage func(t *testing.T)
}{
	{"the operator logs a release after the end of its consent", releaseAfterEnd},
	{"the operator logs an old approval again", oldApproval},
	{"the operator hides a release from the patient's view", hiddenRelease},
	{"the operator shows the patient an old tree", oldTree},
	{"a relay says that it ended a consent, and drops the end", droppedEnd},
	{"a thief gives consent to itself for data that is not its own", thiefsConsent},
	{"a thief signs the shares of a file again, and names itself as the grantor", signedAgain},
	{"a consent for one organisation is used for another, or for another person", otherConsent},
	{"data is released to a recipient that was retired, or that a rival claims", otherRecipient},
	{"an agent is killed between logging a release and handing the data out", killedAgent},
	{"the log has too few replaying witnesses", plainWitnesses},
	{"a rival floods others with statements about them", flood},
}

func TestConsentAttacks(t *testing.T) {
	text, err := os.ReadFile("../../docs/threats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range consentAttacks {
		if !strings.Contains(string(text), "| "+a.name+" |") {
			t.Errorf("docs/threats.md has no line for %q", a.name)
		}
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.stage(t)
		})
	}
}

// consented has the operator log a consent of acme for acme, and returns its handle and a release
// under it.
func (o *operator) consented() (trial.Hash, *trial.Access) {
	o.t.Helper()
	r := &trial.Recipient{Common: trialtest.Common(), Action: "add", Org: "acme", Recipient: trialtest.Recipient("lab")}
	o.admit("ada")(r, trial.NamedSubject("recipient", r.ID()))
	o.admit("ada")(&trial.Consent{Common: trialtest.Common(), Action: "grant", Agents: []string{"acme"}, Elements: trial.Hash{1},
		Lock: trial.ConsentLock("A"), Org: "acme", To: "acme"}, []trial.Subject{{Name: "consent",
		Digest: trial.Digest{Salted256: trial.Hash{1}}}})
	handle := o.log.IDs[o.log.Size()-2]
	return handle, &trial.Access{Common: trialtest.Common(), Action: "release", Recipient: r.ID(),
		Consents: []trial.Released{{Consent: handle, Package: trial.Hash{1}}}}
}

func (o *operator) signer(who string) trial.Signer {
	o.t.Helper()
	key, ok := o.log.State.Record(trial.RecordKey{Kind: "key", ID: trialtest.Public(who).ID().String()}).(*trial.KeyRecord)
	if !ok {
		o.t.Fatalf("%s is not enrolled", who)
	}
	return trial.Signer{Enrolled: key.Enrolled, Key: key.Key, Org: key.Org, Role: key.Role}
}

// refused wants the replaying witnesses to refuse the log's tree by a rule.
func (o *operator) refused(old uint64, rule trial.Rule) {
	o.t.Helper()
	for _, name := range []string{"r1", "r2"} {
		if status, said := o.ask(name, old); status != http.StatusUnprocessableEntity || !strings.HasPrefix(said, string(rule)+" ") {
			o.t.Fatalf("%s answers %d %q, not 422 %s", name, status, said, rule)
		}
	}
}

func releaseAfterEnd(t *testing.T) {
	o := newOperator(t, 2, "r1", "r2", "w3")
	handle, release := o.consented()
	o.admit("ada")(&trial.Consent{Common: trialtest.Common(), Action: "end", Consent: handle}, trial.NamedSubject("consent", handle))
	old := o.log.Size()
	o.agree(0, "r1", "r2")
	o.force(o.forged("ada", o.signer("ada"), release, trial.NamedSubject("release", trial.ReleaseDigest(release.Consents))))
	o.refused(old, trial.RuleNotInForce)
}

func oldApproval(t *testing.T) {
	o := newOperator(t, 2, "r1", "r2", "w3")
	o.admit("ada")(&trial.Access{Common: trialtest.Common(), Action: "request", Of: "acme", Org: "acme", Use: []string{"DUO:0000006"}},
		[]trial.Subject{{Name: "request", Digest: trial.Digest{Salted256: trial.Hash{1}}}})
	request := o.log.IDs[o.log.Size()-2]
	decide := func(decision string) (trial.Predicate, []trial.Subject) {
		return &trial.Access{Common: trialtest.Common(), Action: "decide", Decision: decision, Request: request},
			trial.NamedSubject("request", request)
	}
	o.admit("ada")(decide("approve"))
	o.admit("ada")(decide("refuse"))
	old := o.log.Size()
	o.agree(0, "r1", "r2")
	p, s := decide("approve")
	o.force(o.forged("ada", o.signer("ada"), p, s))
	o.refused(old, trial.RuleTaken)
}

func hiddenRelease(t *testing.T) {
	o := newOperator(t, 2, "r1", "r2", "w3")
	handle, release := o.consented()
	o.admit("ada")(release, trial.NamedSubject("release", trial.ReleaseDigest(release.Consents)))
	o.agree(0, "r1", "r2")
	if out, status := o.run("trial", "consent", "log", "-log", o.http.URL, "-policy", o.policy, handle.String()); status != 0 ||
		!strings.Contains(out, "handed the data out to acme") {
		t.Fatalf("without a lie: %d %s", status, out)
	}
	for what, lie := range map[string]func(*history.History){
		"the entry is left out": func(h *history.History) { h.Entries = h.Entries[:1] },
		"the entry and the record are left out": func(h *history.History) {
			h.Entries, h.Record = h.Entries[:1], strings.Replace(h.Record, `"releases":1,`, "", 1)
		},
		"there is no such consent": func(h *history.History) { h.Entries, h.Record = nil, "" },
	} {
		o.lie = lie
		for _, verb := range []string{"log", "watch"} {
			args := []string{"trial", "consent", verb, "-log", o.http.URL, "-policy", o.policy}
			if verb == "watch" {
				args = append(args, "-once")
			}
			if out, status := o.run(append(args, handle.String())...); status != exitInvalid || !strings.Contains(out, "history") {
				t.Errorf("%s, trial consent %s: %d %s", what, verb, status, out)
			}
		}
	}
}

func oldTree(t *testing.T) {
	o := newOperator(t, 2, "r1", "r2", "w3")
	handle, release := o.consented()
	old := o.log.Size()
	o.agree(0, "r1", "r2")
	before := o.fork(old)
	before.published = o.published
	o.admit("ada")(release, trial.NamedSubject("release", trial.ReleaseDigest(release.Consents)))
	o.agree(old, "r1", "r2")

	w := &watch{now: time.Now, seen: map[trial.Hash]map[uint64]bool{}, alarmed: map[string]bool{}}
	var said bytes.Buffer
	e := &env{Env: &frame.Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said}}
	look := func(of *operator) string {
		t.Helper()
		w.url, w.policyFile = of.http.URL, o.policy
		if err := w.open(e, false); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, a := range w.look(t.Context(), []trial.Hash{handle}) {
			texts = append(texts, a.What)
		}
		return strings.Join(texts, " ")
	}
	if got := look(o); got != "access" {
		t.Fatalf("the release: %q", got)
	}
	if got := look(o); got != "" {
		t.Errorf("the same again: %q", got)
	}
	if got := look(before); !strings.Contains(got, "shrunk") {
		t.Errorf("an older tree: %q", got)
	}
	w.size = 0
	w.now = func() time.Time { return time.Now().Add(3 * time.Hour) }
	if got := look(o); !strings.Contains(got, "stale") {
		t.Errorf("a tree of three hours ago: %q", got)
	}
}

func droppedEnd(t *testing.T) {
	c := newClinic(t, "")
	asked := 0
	false200 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		fmt.Fprintf(w, `{"id":%q,"index":"7","receipt":""}`, trial.Hash{1})
	}))
	defer false200.Close()
	c.patient("P-001", observation("a"), "-relay", false200.URL, "-relay", c.log.url)
	_, out, status := c.run(append(append([]string{"trial", "consent", "end"}, c.flags...), "-wait", "1s", "P-001.html")...)
	if status != 0 || asked != 1 || !strings.Contains(out, "relay "+false200.URL+": it says that it ended the consent") ||
		!strings.Contains(out, "has ended: its history shows it") {
		t.Errorf("%d, asked %d times: %s", status, asked, out)
	}
	c.patient("P-002", observation("a"), "-relay", false200.URL)
	_, out, status = c.run(append(append([]string{"trial", "consent", "end"}, c.flags...), "-wait", "1s", "P-002.html")...)
	if status == 0 || !strings.Contains(out, "NOT ended") {
		t.Errorf("%d: %s", status, out)
	}
}

func thiefsConsent(t *testing.T) {
	c := newClinic(t, "")
	c.patient("P-001", observation("a"))
	// Whoever signs, the consent is of the signer's own organisation.
	stolen := c.trialCmd("consent give", "-key", "rival.key", "-subject", "P-001", "-data", "Observation", "-use", "DUO:0000042", "-to",
		"rival", "-agents",
		"site-a", "-slip", "thief.html")
	c.copyTo("site-a", stolen+".grant")
	_, out, status := c.run(append(append([]string{"trial", "agent", "release"}, c.flags...), "-key", "site-a.key", "-identity",
		"site-a.identity",
		"-dir", "site-a", "-to", "rival")...)
	if status != exitInvalid || !strings.Contains(out, "consents of rival do not count for it, only those of site-a") {
		t.Errorf("%d: %s", status, out)
	}
	// Nobody can stop an agent by sending it what is no grant.
	if err := os.WriteFile(filepath.Join(c.dir, "site-a", "0.grant"), []byte("age-encryption.org/v1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, out, status := c.release(); status != 0 || !strings.Contains(out, "0.grant is left out") {
		t.Errorf("a damaged grant: %d %s", status, out)
	}
}

func signedAgain(t *testing.T) {
	c := newClinic(t, "")
	c.patient("P-001", observation("a"))
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(c.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	p, _, err := vault.ParseProtected(read("P-001.json.protected"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := trial.ParseKeyFile(read("rival.key"))
	if err != nil {
		t.Fatal(err)
	}
	p.Org, p.Grantors = "rival", []string{"rival"}
	signed, err := p.Sign(key.Signer)
	if err != nil {
		t.Fatal(err)
	}
	// Beside the right one it hides nothing, though it is read first.
	c.write("site-a/0.protected", string(signed))
	if _, out, status := c.release(); status != 0 {
		t.Errorf("beside the right one: %d %s", status, out)
	}
	own := c.trialCmd("consent give", "-key", "rival.key", "-subject", "P-001", "-data", "Observation", "-use", "DUO:0000042", "-to",
		"rival", "-agents",
		"site-a", "-slip", "thief.html")
	c.copyTo("site-a", own+".grant")
	_, out, status := c.run(append(append([]string{"trial", "agent", "release"}, c.flags...), "-key", "site-a.key", "-identity",
		"site-a.identity",
		"-dir", "site-a", "-to", "rival")...)
	if status != exitInvalid || !strings.Contains(out, "was made for a FILE.protected that said something else") {
		t.Errorf("%d: %s", status, out)
	}
}

func otherConsent(t *testing.T) {
	c := newClinic(t, "")
	first := c.patient("P-001", observation("a"))
	c.patient("P-002", observation("b"))
	_, out, status := c.run(append(append([]string{"trial", "agent", "release"}, c.flags...), "-key", "site-a.key", "-identity",
		"site-a.identity",
		"-dir", "site-a", "-to", "rival", "-consent", first)...)
	if status != exitInvalid || !strings.Contains(out, "it was given for lab, not for rival") {
		t.Errorf("%d: %s", status, out)
	}
	if _, out, status := c.release("-consent", first); status != 0 {
		t.Fatalf("%d: %s", status, out)
	}
	packages, _ := filepath.Glob(filepath.Join(c.dir, "site-a", "*.package"))
	if len(packages) != 1 {
		t.Fatalf("%d packages", len(packages))
	}
	name, err := filepath.Rel(c.dir, packages[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, out, status := c.run("trial", "open", "-policy", "policy", "-identity", "lab.identity", "-o", "b.json", name,
		"P-002.json.age"); status != exitInvalid ||
		!strings.Contains(out, "does not open this file") {
		t.Errorf("the package of P-001 for the file of P-002: %d %s", status, out)
	}
}

func otherRecipient(t *testing.T) {
	c := newClinic(t, "")
	c.patient("P-001", observation("a"))
	// The rival claims the laboratory's recipient as its own: that is another recipient.
	c.trialCmd("recipient add", "-key", "rival.key", "lab.recipient")
	if _, out, status := c.release(); status != 0 {
		t.Fatalf("%d: %s", status, out)
	}
	c.trialCmd("recipient retire", "-key", "lab.key", "-reason", "lost", "lab.recipient")
	if _, out, status := c.release(); status != exitInvalid || !strings.Contains(out, "lab has no recipient in the log") {
		t.Errorf("%d: %s", status, out)
	}
	c.identity("new")
	c.trialCmd("recipient add", "-key", "lab.key", "new.recipient")
	if _, out, status := c.release(); status != 0 {
		t.Errorf("with a new recipient: %d %s", status, out)
	}
}

// cutAfter is a proxy of the log that forwards everything, and loses the answer to a statement
// once it is told to.
type cutAfter struct {
	*httptest.Server
	mu  sync.Mutex
	cut bool
}

func newCut(t *testing.T, to string) *cutAfter {
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(u)
	x := &cutAfter{}
	p.ModifyResponse = func(resp *http.Response) error {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.cut && strings.HasSuffix(resp.Request.URL.Path, "/v1/statements") {
			return errors.New("the line is cut")
		}
		return nil
	}
	p.ErrorLog = nil
	p.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err error) { w.WriteHeader(http.StatusBadGateway) }
	x.Server = httptest.NewServer(p)
	t.Cleanup(x.Close)
	return x
}

func (x *cutAfter) set(cut bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cut = cut
}

func killedAgent(t *testing.T) {
	c := newClinic(t, "")
	handle := c.patient("P-001", observation("a"))
	line := newCut(t, c.log.url)
	c.flags = []string{"-log", line.URL, "-policy", "policy"}
	count := func(pattern string) int {
		names, _ := filepath.Glob(filepath.Join(c.dir, "site-a", pattern))
		return len(names)
	}
	lose := func() {
		t.Helper()
		line.set(true)
		if _, out, status := c.release(); status != exitPending || !strings.Contains(out, "nothing was handed out") {
			t.Fatalf("%d: %s", status, out)
		}
		line.set(false)
	}
	lose()
	if count("*.package") != 0 || count("*.package.pending") != 1 || count("access-*.statement") != 1 {
		t.Fatal("what was logged is not kept, or was handed out without its receipt")
	}
	// At once: what was logged is handed out, and a new release follows.
	if _, out, status := c.release(); status != 0 || count("*.package") != 2 || count("*.pending") != 0 || count("*.statement") != 0 {
		t.Fatalf("%d, %d packages, %d pending: %s", status, count("*.package"), count("*.pending"), out)
	}
	// A day later: nothing of the old release is handed out, because the consent may have ended.
	lose()
	a := &agent{dir: filepath.Join(c.dir, "site-a"), now: func() time.Time { return time.Now().Add(24 * time.Hour) }}
	var said bytes.Buffer
	a.url, a.policyFile, a.keyFile = c.log.url, filepath.Join(c.dir, "policy"), filepath.Join(c.dir, "site-a.key")
	e := &env{Env: &frame.Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said}}
	if err := errors.Join(a.open(e, true), a.resume(t.Context())); err != nil {
		t.Fatal(err)
	}
	if count("*.package") != 2 || count("*.pending") != 0 || !strings.Contains(said.String(), "was not handed out") {
		t.Errorf("a day later: %d packages, %d pending: %s", count("*.package"), count("*.pending"), &said)
	}
	// The consent ends while a release is on its way: what was logged before the end may be handed
	// out while it is fresh; nothing more.
	c.trialCmd("consent end", "-key", "site-a.key", handle)
	if _, out, status := c.release(); status != exitInvalid || !strings.Contains(out, "R18") || count("*.package") != 2 {
		t.Errorf("after the end: %d, %d packages: %s", status, count("*.package"), out)
	}
}

func plainWitnesses(t *testing.T) {
	w := newTown(t, "")
	c := &clinic{w}
	c.identity("site")
	size := func() string { return c.ok("trial", "show", c.log.url+"/0") }
	before := size()
	if err := os.Mkdir(filepath.Join(c.dir, "site"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, out, status := c.run(append(append([]string{"trial", "agent", "release"}, c.flags...), "-key", "ada.key", "-identity",
		"site.identity", "-dir", "site",
		"-to", "acme")...)
	if status != exitPending || !strings.Contains(out, "nothing was logged and nothing was released") || !strings.Contains(out,
		"trialwitness keygen -replay") {
		t.Errorf("%d: %s", status, out)
	}
	if after := size(); after != before {
		t.Errorf("something was logged: %s", after)
	}
}

func flood(t *testing.T) {
	c := newClinic(t, "")
	lines := func(org string) int {
		_, out, status := c.run(append(append([]string{"trial", "history"}, c.flags...), "org:"+org)...)
		if status != 0 {
			t.Fatalf("%d: %s", status, out)
		}
		return strings.Count(out, "\n")
	}
	before := lines("site-a") + lines("lab")
	c.write("plan.pdf", "spam")
	for i := range 3 {
		c.trialCmd("access request", "-key", "rival.key", "-of", "site-a", "-use", "DUO:0000006", "-settle", "0", "-out", fmt.Sprintf("out%d",
			i), "plan.pdf")
		c.trialCmd("consent give", "-key", "rival.key", "-subject", "X", "-use", "DUO:0000042", "-to", "lab", "-agents", "site-a", "-slip",
			fmt.Sprintf("spam%d.html", i))
	}
	if after := lines("site-a") + lines("lab"); after != before {
		t.Errorf("a rival's statements are in the histories of others: %d lines, before %d", after, before)
	}
}
