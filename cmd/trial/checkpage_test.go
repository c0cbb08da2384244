package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A checkCase is a set of files, and what page and command must make of them.
type checkCase struct {
	name    string
	files   []string // given to the page, with a policy first unless it is the log's own
	verdict string
	part    string
	shows   string
}

// checkFiles writes the files of the cases to w's folder: a good file and what a careless or a
// hostile person does to it, its receipt and its policy.
func checkFiles(w *town) []checkCase {
	t := w.t
	t.Helper()
	w.write("plan.pdf", "the plan\n")
	w.write("secret.pdf", "the secret plan\n")
	submit := func(args ...string) {
		w.trialCmd("submit", append([]string{"-key", "ada.key", "-trial", w.trial, "-kind", "protocol", "-version", "1.0"}, args...)...)
	}
	submit("plan.pdf")
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "sap", "-version", "1.0", "-analysis", "final", "-private", "secret.pdf")
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	proof, policy := read("plan.pdf.tlog-proof"), read("policy")
	r, err := receipt.Parse([]byte(read("secret.pdf.tlog-proof")))
	if err != nil {
		t.Fatal(err)
	}
	r.Openings = nil
	w.write("altered/plan.pdf", "the plan, changed\n")
	w.write("altered/plan.pdf.tlog-proof", proof)
	i := strings.LastIndex(proof, "\n— ") + 40
	w.write("forged/plan.pdf", "the plan\n")
	w.write("forged/plan.pdf.tlog-proof", strings.Replace(proof, "index ", "index 1", 1))
	w.write("cosigned/plan.pdf", "the plan\n")
	w.write("cosigned/plan.pdf.tlog-proof", proof[:i]+flipped(proof[i])+proof[i+1:])
	w.write("saltless/secret.pdf", "the secret plan\n")
	w.write("saltless/secret.pdf.tlog-proof", string(r.Marshal()))
	w.write("all/policy", strings.Replace(policy, "group g 2 ", "group g 3 ", 1))
	text, _, _ := w.apart(append(append([]string{"trial", "history", "-json"}, w.flags...), w.trial)...)
	w.write("history.json", text)
	h, err := history.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	h.Entries = h.Entries[:len(h.Entries)-1]
	cut, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	w.write("left-out/history.json", string(cut))
	w.run(append(append([]string{"trial", "report"}, w.flags...), "-o", "report.html", w.trial)...)
	w.write("altered/report.json", strings.Replace(read("report.json"), `"holder": "acme"`, `"holder": "rival"`, 1))
	vectors, err := filepath.Abs("../../docs/vectors")
	if err != nil {
		t.Fatal(err)
	}
	vectors += string(filepath.Separator)
	vkey := w.ok("triallog", "init", "-dir", "other", "-origin", "other.example/trials", "-registrar", "registrar.pub")
	first := strings.Index(policy, "witness w1")
	w.write("other/policy", "log "+vkey+"\n"+policy[first:])
	w.write("none/policy", strings.Replace(policy[:first]+policy[first:], "log.example/trials", "other.example/trials", 1))
	return []checkCase{
		{"a good file", []string{"policy", "plan.pdf", "plan.pdf.tlog-proof"}, "valid", "", "plan.pdf is, to the byte, the protocol that was logged."},
		{"an altered file", []string{"policy", "altered/plan.pdf", "altered/plan.pdf.tlog-proof"}, "invalid", "file", "plan.pdf is not what was logged."},
		{"an altered receipt", []string{"policy", "forged/plan.pdf", "forged/plan.pdf.tlog-proof"}, "invalid", "inclusion proof", "Not valid"},
		{"an altered signature", []string{"policy", "cosigned/plan.pdf", "cosigned/plan.pdf.tlog-proof"}, "invalid", "checkpoint", "Not valid"},
		{"a damaged policy", []string{"none/policy", "plan.pdf", "plan.pdf.tlog-proof"}, "cannot be checked", "", "policy"},
		{"another log's policy", []string{"other/policy", "plan.pdf", "plan.pdf.tlog-proof"}, "invalid", "checkpoint", "Not valid"},
		{"a missing quorum", []string{"all/policy", "plan.pdf", "plan.pdf.tlog-proof"}, "invalid", "quorum", "the policy asks for"},
		{"a private file", []string{"policy", "secret.pdf", "secret.pdf.tlog-proof"}, "valid", "", "secret.pdf is, to the byte, the sap that was logged."},
		{"a private file without salt", []string{"policy", "saltless/secret.pdf", "saltless/secret.pdf.tlog-proof"}, "cannot be checked", "", "this receipt has no salt"},
		{"a history", []string{"policy", "history.json"}, "cannot be checked", "", "This is everything that was logged for the trial"},
		{"a history with an entry left out", []string{"policy", "left-out/history.json"}, "invalid", "", "some are withheld"},
		{"a report", []string{"policy", "report.json"}, "cannot be checked", "", "its comparison and its deadlines follow from them"},
		{"an altered report", []string{"policy", "altered/report.json"}, "invalid", "", "it was altered, or made by another version of the program"},
		{"evidence", []string{vectors + "policies/two-of-three", vectors + "evidence/fork.json"}, "invalid", "", "Proven: the log misbehaved"},
		{"a file without a receipt", []string{"policy", "plan.pdf"}, "cannot be checked", "", "There is no receipt for plan.pdf."},
	}
}

// flipped returns another character of base64.
func flipped(c byte) string {
	if c == 'A' {
		return "B"
	}
	return "A"
}

// TestCheckPage checks files in the page of a log and in the one file that trial page writes. The
// network is cut after loading, and nothing is asked of anyone. What the page says is what trial
// verify -json says.
func TestCheckPage(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	w := newTown(t, "")
	cases := checkFiles(w)
	w.ok("trial", "page", "-o", "check.html")
	page := newTab(t, 1100, 900)
	for _, from := range []string{w.log.url + "/check", "file://" + filepath.Join(w.dir, "check.html")} {
		page.open(from)
		page.poll("the verifier runs", `document.body.dataset.ready === "true"`)
		if strings.HasPrefix(from, "http") { // the second module is fetched in advance
			page.poll("all is loaded", `performance.getEntriesByType("resource").some(r => r.name.endsWith("/dossier.wasm") && r.responseEnd > 0)`)
			page.give(filepath.Join(w.dir, "plan.pdf"), filepath.Join(w.dir, "plan.pdf.tlog-proof"))
			page.shows("Checked with the policy that this log publishes. Its operator chose it.")
			page.press("Ask the log what became of it since")
			page.shows("Nothing that was logged since replaces it")
			page.picture("check")
			page.press("Start again")
			w.stop()
		}
		asked := page.asked()
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				page := &tab{t, page.ctx}
				eval[bool](page, `document.getElementById("start-again").click(), true`)
				var files []string
				for _, f := range c.files {
					if !filepath.IsAbs(f) {
						f = filepath.Join(w.dir, f)
					}
					files = append(files, f)
				}
				page.give(files...)
				page.poll("a verdict", `!!document.querySelector("#verdicts [data-verdict]")`)
				page.shows(c.shows)
				got := eval[map[string]string](page, `(() => { const d = document.querySelector("#verdicts [data-verdict]").dataset; return {verdict: d.verdict, part: d.part || "", summary: d.summary || ""}; })()`)
				if got["verdict"] != c.verdict || got["part"] != c.part {
					t.Errorf("the page says %q, part %q; want %q, part %q\n%s", got["verdict"], got["part"], c.verdict, c.part, page.text())
				}
				c.agrees(w, got["summary"])
				page.picture("check-" + strings.ReplaceAll(c.name, " ", "-"))
			})
		}
		if n := page.asked(); n != asked {
			t.Errorf("%s made %d requests while files were checked: %s", from, n-asked,
				eval[string](page, `performance.getEntriesByType("resource").map(r => r.name).join("\n")`))
		}
	}
}

// agrees compares the verdict of trial verify -json.
func (c checkCase) agrees(w *town, summary string) {
	w.t.Helper()
	if len(c.files) < 3 || c.name == "a damaged policy" { // the command refuses the policy before it looks at the file
		return
	}
	out, _, _ := w.apart("trial", "verify", "-json", "-policy", c.files[0], c.files[1])
	var said map[string]any
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	part, _ := said["part"].(string)
	if said["verdict"] != c.verdict || part != c.part {
		w.t.Errorf("%s: the command says %s", c.name, out)
	}
	if summary == "" {
		return
	}
	var shown map[string]any
	if err := json.Unmarshal([]byte(summary), &shown); err != nil {
		w.t.Fatal(err)
	}
	for _, docs := range []any{said["documents"], shown["documents"]} { // the page knows no folders
		for _, d := range docs.([]any) {
			d.(map[string]any)["file"] = filepath.Base(d.(map[string]any)["file"].(string))
		}
	}
	if !reflect.DeepEqual(said, shown) {
		w.t.Errorf("%s: the command says\n%s\nthe page\n%s", c.name, out, summary)
	}
}

// TestCheckPageLargeFile checks a file of 200 MB: the page's memory does not grow with it.
func TestCheckPageLargeFile(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	w := newTown(t, "")
	block := make([]byte, 1<<20)
	rand.Read(block)
	if err := os.WriteFile(filepath.Join(w.dir, "large.pdf"), bytes.Repeat(block, 200), 0o644); err != nil {
		t.Fatal(err)
	}
	w.trialCmd("submit", "-key", "ada.key", "-trial", w.trial, "-kind", "document", "large.pdf")
	page := newTab(t, 1100, 900)
	page.open(w.log.url + "/check")
	page.poll("the verifier runs", `document.body.dataset.ready === "true"`)
	memory := func() int { // of scripts, and of the verifier
		return eval[int](page, `(gc(), performance.memory.usedJSHeapSize)`)
	}
	before := memory()
	page.give(filepath.Join(w.dir, "large.pdf"), filepath.Join(w.dir, "large.pdf.tlog-proof"))
	page.shows("large.pdf is, to the byte, the document that was logged.")
	if grown := memory() - before; grown > 64<<20 {
		t.Errorf("a file of 200 MB takes %d MB of memory", grown>>20)
	} else {
		t.Logf("200 MB: the heap grew by %d kB", grown>>10)
	}
}
