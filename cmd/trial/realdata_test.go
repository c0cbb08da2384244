package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// A town is a log with its witnesses and people, as processes, for tests that
// are not scripts.
type town struct {
	t         *testing.T
	dir       string
	log       *process
	witnesses []*process
	flags     []string // of commands that speak to the log
	trial     string   // a registered trial's id
}

// newTown makes a log over a store, three witnesses of which two must agree,
// an organisation with the administrator ada, and a trial.
func newTown(t *testing.T, store string) *town {
	t.Helper()
	w := startTown(t, store, false)
	w.trialCmd("org", "-key", "registrar.key", "-id", "acme", "-name", "Acme", "ada.pub")
	w.trial = w.trialCmd("register", "-key", "ada.key", "-number", "X-1")
	return w
}

// startTown starts a log and its witnesses, which replay if that is asked for.
func startTown(t *testing.T, store string, replay bool, serve ...string) *town {
	t.Helper()
	w := &town{t: t, dir: t.TempDir()}
	env := append(os.Environ(), "PATH="+binDir)
	w.ok("trial", "keygen", "-name", "Rita Registrar", "-org", "registrar", "-out", "registrar")
	w.ok("trial", "keygen", "-name", "Ada Lovelace", "-org", "acme", "-out", "ada")
	if store == "" {
		store = "-mysql="
	}
	vkey := w.ok("triallog", "init", "-dir", "log", "-origin", "log.example/trials", "-registrar", "registrar.pub", store)
	address, log, keygen := "127.0.0.1:0", vkey, []string{"trialwitness", "keygen"}
	if replay {
		address = freeAddress()
		log, keygen = vkey+"=http://"+address, append(keygen, "-replay")
	}
	policy := "log " + vkey + "\n"
	for _, name := range []string{"w1", "w2", "w3"} {
		full := name + ".example"
		if replay {
			full += "/replay"
		}
		wkey := w.ok(append(keygen, "-name", full, "-key", name+".key")...)
		p, err := startProcess(w.dir, env, "trialwitness", "serve", "-key", name+".key", "-dir", name, "-listen", "127.0.0.1:0", "-log",
			log)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.cmd.Process.Kill() })
		w.witnesses = append(w.witnesses, p)
		policy += "witness " + name + " " + wkey + " " + p.url + "\n"
	}
	policy += "group g 2 w1 w2 w3\nquorum g\n"
	for _, name := range []string{"policy", "log/policy"} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(policy), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if w.log, err = startProcess(w.dir, env, append([]string{"triallog", "serve", "-dir", "log", store, "-listen", address}, serve...)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.log.cmd.Process.Kill() })
	w.flags = []string{"-log", w.log.url, "-policy", "policy"}
	return w
}

// run runs a command and returns its last word on stdout, its output and status.
func (w *town) run(args ...string) (last, out string, status int) {
	w.t.Helper()
	stdout, stderr, status := w.apart(args...)
	if words := strings.Fields(stdout); len(words) > 0 {
		last = words[len(words)-1]
	}
	return last, stdout + stderr, status
}

// apart runs a command and returns what it printed to each of its outputs.
func (w *town) apart(args ...string) (stdout, stderr string, status int) {
	w.t.Helper()
	args = finished(args)
	cmd := exec.Command(filepath.Join(binDir, args[0]), args[1:]...)
	var o, e strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, &o, &e
	if err := cmd.Run(); cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// ok runs a command that must succeed.
func (w *town) ok(args ...string) string {
	w.t.Helper()
	last, out, status := w.run(args...)
	if status != 0 {
		w.t.Fatalf("%v: status %d\n%s", args, status, out)
	}
	return last
}

// trialCmd runs a command of trial's that speaks to the log.
func (w *town) trialCmd(name string, args ...string) string {
	w.t.Helper()
	return w.ok(slices.Concat([]string{"trial"}, strings.Fields(name), w.flags, args)...)
}

// write writes a file of w's folder.
func (w *town) write(name, text string) {
	w.t.Helper()
	name = filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// stop ends every server: what follows has no network.
func (w *town) stop() {
	for _, p := range append(w.witnesses, w.log) {
		p.cmd.Process.Kill()
		<-p.ended
	}
}

// realFiles returns files of the kinds that trials really produce, and skips
// the test where they are not.
func realFiles(t *testing.T) map[string][]string {
	t.Helper()
	root := "../../../shared/data"
	if _, err := os.Stat(root); err != nil {
		trialtest.Skip(t, "the real input files are not here")
	}
	files := map[string][]string{}
	for kind, pattern := range map[string]string{
		"PDF": "protocol-pdf/*.pdf", "CT.gov JSON": "ctgov-v2/studies/*.json", "CT.gov XML": "ctgov-xml-versions/*.xml",
		"USDM": "usdm/*.json", "XPT": "xpt/*.xpt", "FHIR": "fhir-r6-ebm/*.json", "Dataset-JSON": "dataset-json/*",
	} {
		list, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 { // one folder further down
			list, err = filepath.Glob(filepath.Join(root, filepath.Dir(pattern), "*", filepath.Base(pattern)))
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range list {
			if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() && len(files[kind]) < 5 {
				files[kind] = append(files[kind], name)
			}
		}
	}
	return files
}

// TestRealFiles submits real files by the command line, each kind as a statement
// of several files, and verifies every receipt with nothing running.
func TestRealFiles(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	kinds := realFiles(t)
	n := 0
	for _, list := range kinds {
		n += len(list)
	}
	if n < 20 || len(kinds) < 5 {
		t.Fatalf("%d files of %d kinds, want at least 20 of 5", n, len(kinds))
	}
	stores(t, func(t *testing.T, store string) {
		w := newTown(t, store)
		var submitted []string
		for kind, list := range kinds {
			var names []string
			for _, from := range list {
				data, err := os.ReadFile(from)
				if err != nil {
					t.Fatal(err)
				}
				// The names stay here; some hold spaces and capitals.
				name := filepath.Join(w.dir, strings.ReplaceAll(kind, " ", "-"), filepath.Base(from))
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, data, 0o644); err != nil {
					t.Fatal(err)
				}
				names = append(names, name)
			}
			w.trialCmd("submit", append([]string{"-key", "ada.key", "-trial", w.trial, "-kind", "document", "-private"}, names[:1]...)...)
			if len(names) > 1 {
				w.trialCmd("submit", append([]string{"-key", "ada.key", "-trial", w.trial, "-kind", "document"}, names[1:]...)...)
			}
			submitted = append(submitted, names...)
		}
		w.stop()
		_, out, status := w.run(append([]string{"trial", "verify", "-policy", "policy"}, submitted...)...)
		if got := strings.Count(out, "\nwhat:"); status != 0 || got != len(submitted) {
			t.Fatalf("status %d, %d of %d files valid\n%s", status, got, len(submitted), out)
		}
		t.Logf("%d files of %d kinds submitted and verified", len(submitted), len(kinds))
		// One byte of each, altered: each is refused by its name.
		for _, name := range submitted {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
			_, out, status := w.run("trial", "verify", "-policy", "policy", name)
			if status != 1 || !strings.Contains(out, "file: "+name) {
				t.Fatalf("%s altered: status %d\n%s", name, status, out)
			}
		}
	})
}

// TestNoPersonalData submits every kind through the command line with file names,
// printed names and addresses that must not leave, and looks for them in
// everything that the log serves and stores.
func TestNoPersonalData(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	w := newTown(t, "")
	hostile := filepath.Join(w.dir, "Prof. Ada Lovelace <ada@clinic.example> +44 20 7946 0958.pdf")
	submit := func(args ...string) string {
		w.t.Helper()
		if err := os.RemoveAll(hostile + ".tlog-proof"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(hostile, []byte(strings.Join(args, " ")), 0o644); err != nil {
			t.Fatal(err)
		}
		return w.trialCmd("submit", slices.Concat([]string{"-key", "ada.key"}, args, []string{hostile})...)
	}
	w.trialCmd("identify", "-key", "ada.key", "-trial", w.trial, "NCT03421379")
	w.ok("trial", "keygen", "-name", "Grace Hopper", "-org", "acme", "-out", "grace")
	w.trialCmd("enrol", "-key", "ada.key", "grace.pub")
	w.trialCmd("register", "-key", "grace.key", "-number", "X-2", hostilePath(t, hostile))
	for _, args := range [][]string{
		{"-kind", "protocol", "-version", "1"},
		{"-kind", "sap", "-version", "1", "-analysis", "final"},
		{"-kind", "milestone", "-event", "database-lock", "-analysis", "final", "-date", "2026-03"},
		{"-kind", "results", "-analysis", "final"},
		{"-kind", "document"},
		{"-kind", "document", "-private"},
	} {
		submit(append(args, "-trial", w.trial)...)
	}
	submit("-kind", "observation", "-trial", "NCT03421379", "-date", "2026-03-01")
	// What would be public text is refused if it looks like an address.
	for _, args := range [][]string{
		{"register", "-number", "ada@clinic.example"},
		{"submit", "-kind", "document", "-trial", w.trial, "-version", "ada@clinic.example", hostilePath(t, hostile+"2")},
	} {
		_, out, status := w.run(slices.Concat([]string{"trial", args[0]}, w.flags, []string{"-key", "ada.key"}, args[1:])...)
		if status != 1 || !strings.Contains(out, "R1") {
			t.Fatalf("%v: status %d\n%s", args, status, out)
		}
	}
	w.trialCmd("revoke", "-key", "ada.key", "grace.pub")
	w.stop()
	kinds := 0
	err := filepath.WalkDir(filepath.Join(w.dir, "log"), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if filepath.Base(filepath.Dir(name)) == "entries" {
			kinds += strings.Count(decodePayloads(t, data), "predicateType")
			data = append(data, decodePayloads(t, data)...)
		}
		for _, secret := range []string{"Lovelace", "Hopper", "Registrar", "clinic", "7946 0958", ".pdf"} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if kinds < 13 {
		t.Fatalf("only %d statements were looked through", kinds)
	}
}

func hostilePath(t *testing.T, name string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(name), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

var payload = regexp.MustCompile(`"payload":"([A-Za-z0-9+/=]+)"`)

// decodePayloads returns the statements within entries.
func decodePayloads(t *testing.T, data []byte) string {
	t.Helper()
	var b strings.Builder
	for _, m := range payload.FindAllSubmatch(data, -1) {
		p, err := base64.StdEncoding.DecodeString(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		b.Write(p)
		b.WriteByte('\n')
	}
	return b.String()
}
