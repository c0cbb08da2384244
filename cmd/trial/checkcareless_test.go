package main

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/trialproof/trialproof/trial/history"
)

// TestCheckCareless gives the page for files what careless people and hostile sponsors give it: each
// verdict is about what it says it is about, and one file that cannot be read does not hide the others.
func TestCheckCareless(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	w := newTown(t, "")
	checkFiles(w)
	read := func(name string) string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	proof := read("plan.pdf.tlog-proof")
	w.write("bom/plan.pdf", read("plan.pdf"))
	w.write("bom/plan.pdf.tlog-proof", "\ufeff"+proof)
	w.write("crlf/plan.pdf.tlog-proof", strings.ReplaceAll(proof, "\n", "\r\n"))
	w.write("proof.txt", proof)
	w.write("zipped/plan.pdf.tlog-proof", "PK\x03\x04"+proof)
	w.write("empty.pdf", "")
	w.write("folder/x", "")
	_, vkey, err := note.GenerateKey(rand.Reader, "other.example/trials")
	if err != nil {
		t.Fatal(err)
	}
	other := "log " + vkey + "\nquorum none\n"
	w.write("other/policy", other)
	w.write("protocol.txt", other) // a document that could be a policy
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "document", "protocol.txt")

	page := newTab(t, 1100, 900)
	open := func() {
		t.Helper()
		page.open(w.log.url + "/check")
		page.poll("the verifier runs", `document.body.dataset.ready === "true"`)
	}
	in := func(names ...string) (files []string) {
		for _, name := range names {
			files = append(files, filepath.Join(w.dir, name))
		}
		return files
	}
	const good = "plan.pdf is, to the byte, the protocol that was logged."
	for _, c := range []struct {
		name     string
		files    []string
		verdicts string // of the cards, in order
		shows    string
	}{
		{"a renamed receipt", []string{"plan.pdf", "proof.txt"}, "valid", good},
		{"a receipt with a byte order mark", []string{"bom/plan.pdf", "bom/plan.pdf.tlog-proof"},
			"cannot be checked", "it begins with a byte order mark"},
		{"a receipt with other line ends", []string{"plan.pdf", "crlf/plan.pdf.tlog-proof"}, "cannot be checked", "the receipt cannot be read"},
		{"a zipped receipt", []string{"plan.pdf", "zipped/plan.pdf.tlog-proof"}, "invalid", "Not valid"},
		{"an empty file", []string{"empty.pdf"}, "cannot be checked", "There is no receipt for empty.pdf."},
		{"the same twice", []string{"plan.pdf", "plan.pdf", "plan.pdf.tlog-proof", "plan.pdf.tlog-proof"}, "valid", good},
		{"two receipts", []string{"plan.pdf", "plan.pdf.tlog-proof", "proof.txt"}, "valid,valid", "no file was compared"},
		{"two files of one name", []string{"plan.pdf", "altered/plan.pdf", "plan.pdf.tlog-proof"},
			"invalid", "Two different files named plan.pdf were given."},
		{"two policies", []string{"other/policy", "policy", "plan.pdf", "plan.pdf.tlog-proof"},
			"valid", "Two policies were given, policy and then policy."},
		{"another log's policy", []string{"other/policy", "plan.pdf", "plan.pdf.tlog-proof"}, "invalid", "is this the policy of that log?"},
		{"a document that could be a policy", []string{"protocol.txt", "protocol.txt.tlog-proof", "plan.pdf", "plan.pdf.tlog-proof"},
			"valid,valid", "protocol.txt is, to the byte, the document that was logged."},
	} {
		open()
		page.give(in(c.files...)...)
		page.shows(c.shows)
		if got := eval[string](page, `[...document.querySelectorAll("[data-verdict]")].map(c => c.dataset.verdict).join()`); got != c.verdicts {
			t.Errorf("%s: %q, want %q:\n%s", c.name, got, c.verdicts, page.text())
		}
	}

	// A file that cannot be read, or shrinks while it is read, is named; the others are judged.
	open()
	eval[bool](page, `(() => {
		const read = Blob.prototype.arrayBuffer, stream = Blob.prototype.stream;
		const given = new DataTransfer(), field = document.getElementById("files");
		Blob.prototype.arrayBuffer = function () {
			return this.name === "folder" ? Promise.reject(new Error("gone")) : read.call(this.name === "shrunk.pdf" ? new Blob() : this);
		};
		Blob.prototype.stream = function () { return this.name === "shrunk video" ? new Blob().stream() : stream.call(this); };
		for (const name of ["folder", "shrunk.pdf"]) given.items.add(new File(["abc"], name));
		given.items.add(new File([new Uint8Array(5 << 20)], "shrunk video")); // too long to be read at once
		field.files = given.files;
		field.dispatchEvent(new Event("change"));
		return true;
	})()`)
	page.shows("folder could not be read.", "shrunk.pdf could not be read.", "shrunk video could not be read.", "it has become shorter while it was read")
	page.give(in("plan.pdf", "plan.pdf.tlog-proof")...)
	page.shows(good, "folder could not be read.")

	// An old browser, which cannot read into memory that it is given, reads files all the same.
	open()
	eval[bool](page, `(Blob.prototype.stream = function () { throw new TypeError("no such thing here"); }, true)`)
	w.write("video", strings.Repeat("abcdefgh", 5<<17))
	page.give(in("plan.pdf", "plan.pdf.tlog-proof", "video")...)
	page.shows(good, fmt.Sprintf("There is no receipt for video. Add its receipt, video.tlog-proof, which was written when the file was submitted. SHA-256 %x",
		sha256.Sum256([]byte(read("video")))))

	// What became of a statement: too few replaying witnesses prove nothing, and a log that does not
	// answer has not lied.
	l := newLiar(t, w.log.url)
	ask := func(shows string) {
		t.Helper()
		page.open(l.URL + "/check")
		page.poll("the verifier runs", `document.body.dataset.ready === "true"`)
		page.give(in("policy", "plan.pdf", "plan.pdf.tlog-proof")...)
		page.shows(good)
		page.press("Ask the log what became of it since")
		page.shows(shows)
	}
	ask("Nothing that was logged since replaces it (complete as the operator states up to the log's size")
	l.lies(nil, func(h *history.History, q url.Values) { // withholds all but the first, and must not be asked for ever
		h.Entries = h.Entries[:1]
		if q.Has("from") {
			h.Entries = nil
		}
	})
	ask("What the log answers does not hold")
	l.lies(nil, nil)
	page.open(l.URL + "/check")
	page.poll("the verifier runs", `document.body.dataset.ready === "true"`)
	page.give(in("policy", "plan.pdf", "plan.pdf.tlog-proof")...)
	page.shows(good)
	l.CloseClientConnections()
	l.Listener.Close()
	page.press("Ask the log what became of it since")
	page.shows("It is not known what became of it:")

	// A part under a policy without witnesses says so, as a receipt does.
	w.write("parts.json", registryRecord("NCT09900001", "Pain after surgery", "Pain intensity", "2021-01-08"))
	w.write("secret", strings.Repeat("0123456789abcdef", 4)+"\n")
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "document", "-version", "2.0", "-private", "-elements", "secret",
		"parts.json")
	w.run("trial", "disclose", "-elements", "secret", "-part", "endpoints/1", "-o", "part.json", "parts.json")
	line, _, _ := strings.Cut(read("policy"), "\n")
	w.write("none/unwitnessed", line+"\nquorum none\n")
	open()
	page.give(in("none/unwitnessed", "part.json")...)
	page.shows("in what was logged:", "No witness: nobody independent has seen this log.")
}
