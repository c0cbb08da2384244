package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A tab is a page in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newTab starts Chromium with a page of a size.
func newTab(t *testing.T, width, height int) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	program, err := exec.LookPath("chromium")
	if err != nil {
		trialtest.Skip(t, "chromium is not installed: deploy/test.sh installs it")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.WindowSize(width, height), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("js-flags", "--expose-gc"), chromedp.WSURLReadTimeout(patience))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return &tab{t, ctx}
}

// needVerifier skips a test if the program is built without the verifier for browsers.
func needVerifier(t *testing.T) {
	t.Helper()
	if len(web.Built()) != len(web.Modules) {
		trialtest.Skip(t, web.ErrNoVerifier.Error())
	}
}

func (b *tab) open(address string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatal(err)
	}
}

// poll waits until an expression is true in the page.
func (b *tab) poll(what, expression string) {
	b.t.Helper()
	var err error
	for range 10 {
		if _, err = chromedp.Run(b.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(50*time.Millisecond),
			chromedp.WithPollingTimeout(patience))); err == nil {
			return
		}
		if !strings.Contains(err.Error(), "Cannot find context") { // the page was left for another one meanwhile
			break
		}
	}
	b.t.Fatalf("%s: %v; the page says\n%s", what, err, b.text())
}

func (b *tab) text() string { return eval[string](b, "document.body.innerText") }

// eval returns the value of an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// shows waits until the page shows texts.
func (b *tab) shows(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.poll(text, fmt.Sprintf(`document.body.innerText.replace(/\s+/g, " ").includes(%q)`, text))
	}
}

// press waits for a button with a text, and presses it.
func (b *tab) press(text string) {
	b.t.Helper()
	b.poll(text, fmt.Sprintf(`(() => { const b = [...document.querySelectorAll("button")].find(b => !b.hidden && b.textContent.includes(%q)); `+
		`if (!b) return false; b.click(); return true; })()`, text))
}

// give chooses files in the page's field for files.
func (b *tab) give(files ...string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.SetUploadFiles("#files", files)); err != nil {
		b.t.Fatal(err)
	}
}

// asked returns how many requests the page has made.
func (b *tab) asked() int {
	b.t.Helper()
	return eval[int](b, `performance.getEntriesByType("resource").length`)
}

// picture writes a picture of the whole page to the folder that TRIALPROOF_TEST_PICTURES names, for
// people to look at.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("TRIALPROOF_TEST_PICTURES")
	if dir == "" {
		return
	}
	data, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// look sets the width of the page and its colours, light or dark.
func (b *tab) look(width int, scheme string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(int64(width), 900), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})); err != nil {
		b.t.Fatal(err)
	}
}

// accessible wants axe-core to find nothing wrong with the page. TRIALPROOF_TEST_AXE names its script.
func (b *tab) accessible(what string) {
	b.t.Helper()
	name := os.Getenv("TRIALPROOF_TEST_AXE")
	if name == "" {
		trialtest.Skip(b.t, "TRIALPROOF_TEST_AXE names no axe.min.js: npm install axe-core")
	}
	script, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	eval[bool](b, string(script)+"\n;true")
	eval[bool](b, `(window.found = null, axe.run().then(r => window.found = r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 200) + " " + n.failureSummary).join("; "))), true)`)
	b.poll("axe", "!!window.found")
	for _, v := range eval[[]string](b, "window.found") {
		b.t.Errorf("%s: %s", what, v)
	}
	// Nothing is wider than the window.
	if over := eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		b.t.Errorf("%s is %d pixels wider than the window", what, over)
	}
}
