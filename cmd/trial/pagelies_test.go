package main

import (
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/history"
)

// TestPageLies: what a server shows beside or behind the content of a trial's page, and a question other
// than the one in the address, are found out; and nobody is accused of what a reader's own policy or
// the name that was typed brings about.
func TestPageLies(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	w := startTown(t, "", true)
	w.trialCmd("org", "-key", "registrar.key", "-id", "acme", "-name", "Acme", "ada.pub")
	w.trial = w.trialCmd("register", "-key", "ada.key", "-number", "X-1")
	other := w.trialCmd("register", "-key", "ada.key", "-number", "X-2")
	w.trialCmd("identify", "-key", "ada.key", "-trial", w.trial, "NCT03421379")
	w.trialCmd("identify", "-key", "ada.key", "-trial", other, "NCT03421381")
	w.write("v1.pdf", "one\n")
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "protocol", "-version", "1.0", "v1.pdf")

	l := newLiar(t, w.log.url)
	page := newTab(t, 1100, 900)
	const (
		proven = "Checked by your browser: this page is what the log proves"
		lie    = "This log's server showed something else than its log proves"
		fails  = "What this log's server answers does not hold"
	)
	open := func(query string, shows ...string) {
		t.Helper()
		page.open(l.URL + "/trial?" + query)
		page.poll("the page is checked", `["ok", "warn", "bad"].includes((document.getElementById("checked") || {dataset: {}}).dataset.state)`)
		page.shows(shows...)
	}
	replace := func(from, to string) func(string) string {
		return func(html string) string {
			if !strings.Contains(html, from) {
				t.Errorf("the page has no %q", from)
			}
			return strings.Replace(html, from, to, 1)
		}
	}
	// hidden opens the page and wants that nothing of a lie is left on it.
	hidden := func(name, query string, change func(string) string, shows ...string) {
		t.Helper()
		l.lies(change, nil)
		open(query, shows...)
		if strings.Contains(page.text(), "MADE UP") || eval[bool](page, `!!document.querySelector("[id=lie]")`) {
			t.Errorf("%s: what the server made up is on the page:\n%s", name, page.text())
		}
		if eval[bool](page, `[document.body, ...document.querySelectorAll("*")].some(e => e.shadowRoot)`) {
			t.Errorf("%s: the page has a shadow tree", name)
		}
	}
	const question = `<div id="content" data-question="`
	for _, mode := range []string{"open", "closed"} {
		shadow := `<template shadowrootmode="` + mode + `"><p>MADE UP</p></template>`
		hidden("a shadow tree of the content", "id=X-1", func(html string) string {
			i := strings.Index(html, question)
			j := i + strings.Index(html[i:], ">") + 1
			return html[:j] + shadow + html[j:]
		}, "protocol version 1.0")
		hidden("a shadow tree of the body", "id=X-1", replace("<body>", "<body>"+shadow), "protocol version 1.0")
	}
	hidden("a paragraph before the content", "id=X-1", replace(question, `<p>MADE UP</p>`+question), lie)
	hidden("an element after the page", "id=X-1", replace("</main>", `</main><dialog open id="lie">MADE UP</dialog>`), lie)
	hidden("an attribute of the content", "id=X-1", replace(`<div id="content"`, `<div id="content" class="void" hidden`), proven)
	if eval[bool](page, `document.getElementById("content").hidden`) {
		t.Error("the server hides the content")
	}
	l.lies(replace("Pages are its operator", "MADE UP. Pages are its operator"), nil)
	open("id=X-1", lie)
	l.lies(replace("Compare an article", "MADE UP"), nil)
	open("id=X-1", lie)
	l.lies(replace(`href="v1/entries/`, `href="v1/entries/1`), nil)
	open("id=X-1", lie)

	// Another question than the one that was asked: the page of another trial, or of another day.
	l.lies(nil, nil)
	pageOf := func(query string) string {
		_, body := fetched(t, w.log.url+"/trial?"+query)
		return string(body)
	}
	for asked, shown := range map[string]string{"id=NCT03421379": "id=NCT03421381", "id=" + w.trial: "id=" + other,
		"id=NCT03421379&on=2020-01-01": "id=NCT03421379&on=2020-01-02", "id=NCT03421379&before=4": "id=NCT03421379"} {
		answer := pageOf(shown)
		l.lies(func(string) string { return answer }, nil)
		open(asked, lie)
	}
	answer := pageOf("id=X-2")
	l.lies(func(string) string { return answer }, nil)
	open("id=X-1", fails, "another trial than was asked for")
	l.lies(replace(`protocol version 1.0`, `protocol version MADE UP`), nil)
	open("id=X-1", lie)
	l.lies(func(html string) string {
		i := strings.Index(html, "&#34;size&#34;:&#34;") + len("&#34;size&#34;:&#34;")
		j := i + strings.Index(html[i:], "&#34;")
		return strings.Replace(html[:i]+"0"+html[j:], "protocol version 1.0", "protocol version MADE UP", 1)
	}, nil)
	open("id=X-1", "Drawn anew by your browser from what the log proves", "could not be compared")
	l.lies(func(html string) string {
		i := strings.Index(html, "&#34;at&#34;:&#34;") + len("&#34;at&#34;:&#34;")
		day := html[i : i+10]
		return strings.NewReplacer("as of "+day, "as of 2010-01-01", "broken line is "+day, "broken line is 2010-01-01").Replace(html[:i] + "2010-01-01" + html[i+10:])
	}, nil)
	open("id=X-1", "Checked by your browser, but as of another day", "as of 2010-01-01")
	l.lies(nil, nil)
	open("id=X-1", proven, "is the operator's word: a registry's number", "which witnesses saw by")

	// Nothing is logged: that is proven, too, and not to be made up.
	open("id=NCT09999999", proven, "Nothing is logged for NCT09999999")
	hides := strings.ReplaceAll(pageOf("id=NCT09999999"), "NCT09999999", "NCT03421379")
	l.lies(func(string) string { return hides }, nil)
	open("id=NCT03421379", lie, "protocol version 1.0")
	l.lies(nil, func(h *history.History, q url.Values) {
		if q.Get("kind") == "trial" {
			h.Entries = nil
		}
	})
	open("id=NCT03421379", fails)
	l.lies(nil, nil)

	// A reader's own policy: another quorum is no lie of the server's, and neither is another log's policy.
	own := func(text string, shows ...string) {
		t.Helper()
		w.write("own-policy", text)
		if _, err := chromedp.Run(page.ctx, chromedp.SetUploadFiles("#own-policy", []string{filepath.Join(w.dir, "own-policy")})); err != nil {
			t.Fatal(err)
		}
		page.shows(shows...)
	}
	data, err := os.ReadFile(filepath.Join(w.dir, "policy"))
	if err != nil {
		t.Fatal(err)
	}
	mine := string(data)
	open("id=NCT03421379", proven)
	own(mine, proven, "your policy own-policy")
	own(strings.Replace(mine, "group g 2 ", "group g 1 ", 1), proven, "your policy own-policy", "which needs these witnesses: 1 of")
	if strings.Contains(page.text(), lie) {
		t.Error("a policy with another quorum accuses the server")
	}
	_, vkey, err := note.GenerateKey(rand.Reader, "other.example/trials")
	if err != nil {
		t.Fatal(err)
	}
	_, witnesses, _ := strings.Cut(mine, "\n")
	own("log "+vkey+"\n"+witnesses, "This does not hold under your policy own-policy")
	if strings.Contains(page.text(), "witnesses and auditors") {
		t.Error("another log's policy accuses the server")
	}
	own("\ufeff"+mine, "Not checked: this page is the operator's word")
	l.lies(replace("protocol version 1.0", "protocol version 0.9"), nil)
	open("id=NCT03421379", lie)
	own(mine, lie, "your policy own-policy")
}
