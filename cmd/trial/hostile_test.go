//go:build unix

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/trialproof/trialproof/trial/trialtest"
)

// hostile are files that no honest program wrote, whatever reads them.
func hostile(good []byte) map[string][]byte {
	files := map[string][]byte{
		"empty": nil, "a line feed": []byte("\n"), "null": []byte("null\n"), "an object": []byte("{}\n"), "a list": []byte("[]\n"), "a " +
			"number": []byte("1e999\n"),
		"NUL":       make([]byte, 1000),
		"deep":      bytes.Repeat([]byte("["), 1<<20),
		"deep text": bytes.Repeat([]byte(`{"entries":`), 1<<16),
		"BOM":       append([]byte("\xef\xbb\xbf"), good...),
		"more":      append(good[:len(good):len(good)], "{}x"...),
		"no UTF-8":  bytes.Replace(good, []byte(`"`), []byte("\"\xff"), 1),
	}
	for n := 1; n < len(good); n += max(1, len(good)/20) {
		files[fmt.Sprint("cut to ", n)] = good[:n]
	}
	return files
}

// ends runs a command that has to end by itself, and soon.
func ends(t *testing.T, dir string, args ...string) (status int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	type result struct {
		status int
		said   string
	}
	done := make(chan result, 1)
	go func() {
		var out, words bytes.Buffer
		status := run(ctx, args, nil, &out, &words)
		done <- result{status, out.String() + words.String()}
	}()
	select {
	case r := <-done:
		return r.status, r.said
	case <-ctx.Done():
		t.Fatalf("%v does not end", args)
		return 0, ""
	}
}

// TestHostileState: an audit is never resumed from what is no state of this log's,
// leaves it as it is, and says what to do.
func TestHostileState(t *testing.T) {
	t.Parallel()
	b := newBadLog(t, 20)
	state := filepath.Join(b.dir, "state")
	args := []string{"audit", "-log", b.URL, "-policy", b.policy, "-state", state}
	b.want(exitDone, args, "clean: ")
	good, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	files := hostile(good)
	other := newBadLog(t, 20) // the same log's name and key, and another history
	b.want(exitDone, []string{"audit", "-log", other.URL, "-policy", b.policy, "-state", filepath.Join(b.dir, "same")})
	mallory := trialtest.Cosigner{Key: "mallory.example", Alg: 1}
	files["of another log"] = bytes.ReplaceAll(good, []byte(trialtest.Origin), []byte(mallory.Key))
	files["records twice"] = bytes.Replace(good, []byte(`"records":[`), []byte(`"records":[{"kind":"org","record":{}},`), 1)
	files["many records"] = bytes.Replace(good, []byte(`"records":[`),
		[]byte(`"records":[`+strings.Repeat(`{"kind":"org","record":null},`, 20_000)), 1)
	files["members twice"] = bytes.Replace(good, []byte(`{"checkpoint":`), []byte(`{"genesis":"","checkpoint":`), 1)
	for name, data := range files {
		if err := os.WriteFile(state, data, 0o644); err != nil {
			t.Fatal(err)
		}
		status, said := ends(t, b.dir, args...)
		if status == exitDone || !strings.Contains(said, "remove it to begin with the first entry") {
			t.Errorf("%s: status %d\n%.500s", name, status, said)
		}
		if now, err := os.ReadFile(state); err != nil || !bytes.Equal(now, data) {
			t.Errorf("%s: the file is another one now: %v", name, err)
		}
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(state, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, said := ends(t, b.dir, args...); status != exitUsage || !strings.Contains(said, "not a file") {
		t.Errorf("a pipe: status %d\n%s", status, said)
	}
}

// TestHostileHistory: no file but a history holds as one, and a log's answer is
// handed on as what was checked of it, and nothing else.
func TestHostileHistory(t *testing.T) {
	t.Parallel()
	o := newOperator(t, 2, "r1", "r2")
	o.document("1.0", "2.0")
	o.agree(0, "r1", "r2")
	id := o.trial().String()
	shown, status := o.run("trial", "history", "-json", "-log", o.http.URL, "-policy", o.policy, id)
	if status != exitDone {
		t.Fatal(status, shown)
	}
	good := []byte(shown)
	files := hostile(good)
	delete(files, "BOM")
	replaced := func(old, now string) []byte {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("%q is not in the history", old)
		}
		return bytes.Replace(good, []byte(old), []byte(now), 1)
	}
	files["negative"] = replaced(`"index":"`, `"index":"-`)
	files["largest"] = replaced(`"index":"`, `"index":"18446744073709551615","n":"`)
	files["many siblings"] = replaced(`"siblings":[`, `"siblings":[`+strings.Repeat(`"`+strings.Repeat("A", 43)+`=",`, 20_000))
	files["long path"] = replaced(`"path":[`, `"path":[`+strings.Repeat(`"`+strings.Repeat("A", 43)+`=",`, 20_000))
	files["many entries"] = replaced(`"entries":[`, `"entries":[`+strings.Repeat(`{},`, 50_000))
	files["many signatures"] = replaced(`\n","state"`, `\n`+strings.Repeat(`\u2014 a.example AAAAAAAA\n`, 20_000)+`","state"`)
	files["a kind"] = replaced(`"kind":"trial"`, `"kind":"../trial"`)
	file := filepath.Join(o.dir, "h")
	for name, data := range files {
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if status, said := ends(t, o.dir, "verify-history", "-policy", o.policy, file); status != exitInvalid || strings.Contains(said,
			"entries are all") {
			t.Errorf("%s: status %d\n%.500s", name, status, said)
		}
		if status, said := ends(t, o.dir, "evidence", "-policy", o.policy, file); status != exitInvalid || strings.Contains(said,
			"proven: ") {
			t.Errorf("%s, as evidence: status %d\n%.500s", name, status, said)
		}
	}

	// What the log adds to its answer is not handed on.
	o.dress = func(data []byte) []byte {
		return append([]byte(`{"ID":"of another","note":"believe me \u009b2J",`), data[1:]...)
	}
	dressed, status := o.run("trial", "history", "-json", "-log", o.http.URL, "-policy", o.policy, id)
	if status != exitDone || dressed != shown {
		t.Errorf("status %d: the history is not what was checked\n%.300s", status, dressed)
	}
	if out, status := o.run("trial", "export", "-log", o.http.URL, "-policy", o.policy, "-o", "x.zip", id); status != exitDone {
		t.Fatal(status, out)
	}
	z, err := zip.OpenReader(filepath.Join(o.dir, "x.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	names := map[string]bool{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil || bytes.Contains(data, []byte("believe me")) {
			t.Errorf("%s hands on what nobody checked: %v", f.Name, err)
		}
		if name := strings.ToLower(f.Name); !filepath.IsLocal(name) || strings.ContainsAny(name, `\:`) || names[name] {
			t.Errorf("the name %q", name)
		} else {
			names[name] = true
		}
	}
	if !names["history.json"] || !names["org-acme.json"] || !names["log-log.example_trials.json"] {
		t.Errorf("it holds %v", names)
	}
}
