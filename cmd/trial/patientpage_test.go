package main

import (
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/history"
)

// slipAddress returns the address that a slip's square code has.
func (c *clinic) slipAddress(name string) string {
	c.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	m := regexp.MustCompile(`href="([^"]+/consent#[^"]+)"`).FindStringSubmatch(string(data))
	if m == nil {
		c.t.Fatalf("%s has no address", name)
	}
	return html.UnescapeString(m[1])
}

// TestPatientPage opens the page of a slip in a browser: it shows who had access, sends no code
// before the button is pressed, and then ends the consent.
func TestPatientPage(t *testing.T) {
	t.Parallel()
	page := newTab(t, 1000, 900)
	c := newClinic(t, "")
	handle := c.patient("P-001", observation("a"), "-language", "fr")
	wire := &tap{}
	proxy := wire.listen(t, c.log.url)
	slip, err := consent.ParseSlip(c.slipAddress("P-001.html"))
	if err != nil {
		t.Fatal(err)
	}
	slip.Log, slip.Relays = proxy, []string{proxy}
	address, err := slip.URL()
	if err != nil {
		t.Fatal(err)
	}
	page.open(address)
	page.shows("The lab peut recevoir vos données", "Personne n’a eu vos données", "Cet accord est valable")
	if _, out, status := c.release(); status != 0 {
		t.Fatalf("%d: %s", status, out)
	}
	// Another language looks again, too.
	page.press("English")
	page.shows("The site-a gave your data to The lab", "New: your data was given out")
	page.press("Stop")
	page.shows("Really stop?")
	held := slip.Held()[0]
	for what, secret := range map[string]string{"the code": held.Code, "the slip's secret": string(slip.Master)} {
		if found(map[string][]byte{"the wire": wire.bytes()}, []byte(secret)) != "" {
			t.Errorf("%s has left the browser before the button was pressed", what)
		}
	}
	page.press("Yes, stop")
	page.shows("You ended this consent")
	if found(map[string][]byte{"the wire": wire.bytes()}, []byte(held.Code)) == "" {
		t.Error("the code was not sent, and yet the consent ended")
	}
	if found(map[string][]byte{"the wire": wire.bytes()}, []byte(slip.Master)) != "" {
		t.Error("the slip's secret has left the browser")
	}
	if _, out, _ := c.run(append(append([]string{"trial", "consent", "log"}, c.flags...), handle)...); !strings.Contains(out, "ended on") {
		t.Errorf("the log: %s", out)
	}

	// A relay that drops the end is named, and nothing is called ended.
	c.patient("P-002", observation("b"), "-relay", c.log.url+"/nothing-here")
	page.open(c.slipAddress("P-002.html"))
	page.press("Stop")
	page.press("Yes, stop")
	page.shows("did not stop it", "It is NOT stopped yet", "This consent stands")
}

// bytes returns what has passed by now.
func (x *tap) bytes() []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]byte(nil), x.data.Bytes()...)
}

// TestPatientPageLies has the log's server hide a release from a patient, and show an old tree: the
// page says so.
func TestPatientPageLies(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	page := newTab(t, 390, 900)
	c := newClinic(t, "")
	c.patient("P-001", observation("a"))
	l := newLiar(t, c.log.url)
	slip, err := consent.ParseSlip(c.slipAddress("P-001.html"))
	if err != nil {
		t.Fatal(err)
	}
	slip.Log = l.URL
	address, err := slip.URL()
	if err != nil {
		t.Fatal(err)
	}
	open := func() {
		t.Helper()
		page.open("about:blank") // an address that differs behind the # alone would not be loaded again
		page.open(address)
	}
	open()
	page.shows("Nobody has had your data", "Your phone or computer has checked this list: nothing is left out")
	if _, out, status := c.release(); status != 0 {
		t.Fatalf("%d: %s", status, out)
	}
	open()
	page.shows("The site-a gave your data to The lab", "has checked this list")
	page.accessible("the patient's page")
	ofConsent := func(q url.Values) bool { return q.Get("kind") == "consent" }
	for what, lie := range map[string]func(h *history.History){
		"the release is left out": func(h *history.History) { h.Entries = h.Entries[:1] },
		"the release and the record's count are left out": func(h *history.History) {
			h.Entries, h.Record = h.Entries[:1], strings.Replace(h.Record, `"releases":1,`, "", 1)
		},
		"there is no such consent": func(h *history.History) { h.Entries, h.Record = nil, "" },
	} {
		l.lies(nil, func(h *history.History, q url.Values) {
			switch {
			case ofConsent(q) && q.Get("from") != "":
				h.Entries = nil // a further page has nothing
			case ofConsent(q):
				lie(h)
			}
		})
		open()
		page.shows("Do not trust this page")
		if text := page.text(); strings.Contains(text, "Nobody has had your data") || strings.Contains(text, "has checked this list") {
			t.Errorf("%s: the page says\n%s", what, text)
		}
	}
}
