package main

import (
	"context"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/trialproof/trialproof/trial/consent"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// browser starts Chromium with a page of a size, and returns its context.
func browser(t *testing.T, width, height int) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		trialtest.Skip(t, "chromium is not installed: deploy/test.sh installs it")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.WindowSize(width, height), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(patience))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

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
	if testing.Short() {
		t.Skip("left out with -short")
	}
	ctx := browser(t, 1000, 900)
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
	open := func(address string) {
		t.Helper()
		if _, err := chromedp.Run(ctx, chromedp.Navigate(address)); err != nil {
			t.Fatal(err)
		}
	}
	// poll waits until an expression is true in the page.
	poll := func(what, expression string) {
		t.Helper()
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience))); err != nil {
			page, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
			t.Fatalf("%s: %v; the page says\n%s", what, err, page)
		}
	}
	shows := func(texts ...string) {
		t.Helper()
		for _, text := range texts {
			poll(text, fmt.Sprintf(`document.body.innerText.replace(/\s+/g, " ").includes(%q)`, text))
		}
	}
	press := func(text string) {
		t.Helper()
		poll(text, fmt.Sprintf(`(() => { const b = [...document.querySelectorAll("button")].find(b => b.textContent.includes(%q)); if (!b) return false; b.click(); return true; })()`, text))
	}
	open(address)
	shows("The lab peut recevoir vos données", "Personne n’a eu vos données", "Cet accord est valable")
	if _, out, status := c.release(); status != 0 {
		t.Fatalf("%d: %s", status, out)
	}
	// Another language looks again, too.
	press("English")
	shows("The site-a gave your data to The lab", "New: your data was given out")
	press("Stop")
	shows("Really stop?")
	held := slip.Held()[0]
	for what, secret := range map[string]string{"the code": held.Code, "the slip's secret": string(slip.Master)} {
		if found(map[string][]byte{"the wire": wire.bytes()}, []byte(secret)) != "" {
			t.Errorf("%s has left the browser before the button was pressed", what)
		}
	}
	press("Yes, stop")
	shows("You ended this consent")
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
	open(c.slipAddress("P-002.html"))
	press("Stop")
	press("Yes, stop")
	shows("did not stop it", "It is NOT stopped yet", "This consent stands")
}

// bytes returns what has passed by now.
func (x *tap) bytes() []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]byte(nil), x.data.Bytes()...)
}
