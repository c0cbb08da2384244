package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/api/client"
	"github.com/trialproof/trialproof/registry"
	"github.com/trialproof/trialproof/trial"
)

// TestFollowKilled kills a follow with signal 9 while it logs, again and again, and changes
// records in between. Nothing is lost and nothing is logged twice.
func TestFollowKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	stores(t, func(t *testing.T, store string) {
		w := newTown(t, store)
		s := generatedRegistry(t, 160)
		receipts := filepath.Join(w.dir, "receipts", "ctgov.receipts")
		for i, at := range []int{1, 50, 51, 90, 130} {
			cmd := exec.Command(filepath.Join(binDir, "trial"), w.following(s)...)
			var said bytes.Buffer
			cmd.Stderr = &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			for n := 0; n < at; { // receipts
				data, _ := os.ReadFile(receipts)
				n = bytes.Count(data, []byte("\nreceipt "))
				select {
				case err := <-ended:
					t.Fatalf("it ended: %v\n%s", err, &said)
				case <-time.After(time.Millisecond):
				}
			}
			cmd.Process.Kill()
			<-ended
			s.next(fmt.Sprintf("2026-08-%d", 13+i))
			s.update("NCT10000003", fmt.Sprintf("2026-08-%d", 13+i))
			s.update(fmt.Sprintf("NCT10000%03d", at), fmt.Sprintf("2026-08-%d", 13+i))
		}
		_, said, status := w.follow(s, nil)
		if status != exitDone {
			t.Fatalf("status %d\n%s", status, said)
		}
		t.Logf("%d observations of %d records, %s", w.chained(s), len(s.records), said)
		size := w.size()
		if _, _, status := w.follow(s, nil); status != exitDone || w.size() != size {
			t.Errorf("status %d, the log has %s entries and had %s", status, w.size(), size)
		}
	})
}

// TestFollowAlone: two follows never share a state; a state that is damaged or of another
// registry or log is refused; Ctrl-C ends a follow well.
func TestFollowAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	w := newTown(t, "")
	s := generatedRegistry(t, 100)
	state := filepath.Join(w.dir, "state")
	second, ctx := "", context.Background()
	ctx, cancel := context.WithCancel(ctx)
	s.before = func(http.ResponseWriter, *http.Request, int) bool {
		if second == "" { // the first follow waits for this answer
			_, second, _ = w.apart(append([]string{"trial"}, w.following(s, "-once")...)...)
		}
		return false
	}
	was := sleep
	t.Cleanup(func() { sleep = was })
	rounds := 0
	sleep = func(ctx context.Context, d time.Duration) error {
		if d == time.Hour {
			rounds++
			s.next(fmt.Sprintf("2026-08-%d", 12+rounds))
			s.update("NCT10000005", fmt.Sprintf("2026-08-%d", 12+rounds))
			if rounds == 4 {
				cancel()
			}
		}
		return ctx.Err()
	}
	var e bytes.Buffer
	if status := run(ctx, w.following(s), strings.NewReader(""), io.Discard, &e); status != exitDone || rounds != 4 {
		t.Errorf("status %d after %d rounds\n%s", status, rounds, &e)
	}
	sleep = was
	if !strings.Contains(second, "another process follows with") {
		t.Errorf("the second follow: %s", second)
	}
	if got := len(w.observations()["nct:NCT10000005"]); got != 4 {
		t.Errorf("%d observations in 4 rounds", got)
	}
	refused := func(what, want string, args ...string) {
		t.Helper()
		if _, said, status := w.follow(s, nil, args...); status != exitUsage || !strings.Contains(said, want) {
			t.Errorf("%s: status %d\n%s", what, status, said)
		}
	}
	refused("another registry", "is of the API", "-api", "http://localhost:1/")
	data, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	later := strings.Replace(string(data), `"since": "2026`, `"since": "2027`, 1)
	for _, bad := range []string{"", "{", string(data[:len(data)-20]), later} {
		if err := os.WriteFile(state, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		refused("a damaged state", "is damaged")
	}
	other := registry.State{Registry: "ctgov", API: s.url, Log: "another.example", Org: "acme", Since: "2026-03-01"}
	if err := other.Write(state); err != nil {
		t.Fatal(err)
	}
	refused("another log", "is of the log another.example")
	// Begun anew, nothing is logged twice.
	size := w.size()
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	if _, said, status := w.follow(s, nil); status != exitDone {
		t.Errorf("begun anew: %s", said)
	}
	if n := w.chained(s); n != 104 {
		t.Errorf("%d observations, from a log of %s entries", n, size)
	}
	for what, args := range map[string][]string{
		"http elsewhere": {"-api", "http://example.org/"}, "no pause": {"-api", "https://example.org/", "-pause", "0s"},
		"a file": {"export.json"},
		"a day":  {"-since", "yesterday"}, "dry": {"-n"}, "seen": {"-seen", "2026-03-01"},
	} {
		if _, said, status := w.follow(s, nil, args...); status != exitUsage {
			t.Errorf("%s: status %d\n%s", what, status, said)
		}
	}
}

// TestFollowHostile: whatever a registry shows is reported or refused, escapes nothing on a
// terminal, and stops no other record.
func TestFollowHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	w := newTown(t, "")
	s := generatedRegistry(t, 30)
	s.records["NCT10000001"] = titled.ReplaceAllString(s.records["NCT10000001"], `${1}"\u001b[31mred\u202e `)
	bad := map[string]string{
		"NCT10000002": strings.Replace(s.records["NCT10000002"], `"hasResults"`, `"hasResults":1,"hasResults"`, 1), // a member twice
		"NCT10000003": dailyCopy(s.records["NCT10000003"], "2999-01-01"),
		"NCT10000004": strings.Replace(s.records["NCT10000004"], `"nctId":"NCT10000004"`, `"nctId":"NCT1000000\n"`, 1),
		"NCT10000005": strings.Replace(s.records["NCT10000005"], `"count":10000005`, `"count":"five"`, 1),
	}
	var but []string
	for n, r := range bad {
		if s.records[n] == r {
			t.Fatal(n)
		}
		s.records[n] = r
		but = append(but, n)
	}
	answers := []string{"<html>", `{"studies":[{"isrctn":"ISRCTN12345678"}]}`, `{"studies":[],"nextPageToken":"a\u0000b"}`, `{"studies":[`}
	s.before = func(rw http.ResponseWriter, _ *http.Request, n int) bool {
		if n > len(answers) {
			return false
		}
		if n == 1 {
			rw.Header().Set("Content-Type", "text/html")
		}
		io.WriteString(rw, answers[n-1])
		return true
	}
	out, said, status := w.follow(s, nil)
	if status != exitInvalid || !strings.Contains(said, "4 of 30 records are refused") {
		t.Errorf("status %d\n%s", status, said)
	}
	if strings.ContainsAny(out+said, "\x1b\u202e\x00") {
		t.Errorf("control characters:\n%q", out+said)
	}
	for _, want := range []string{"application/json", "another registry's", "no token", "cut off"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
	if n := strings.Count(out, "refused "); n != 4 {
		t.Errorf("%d refusals are reported\n%s", n, out)
	}
	if n := w.chained(s, but...); n != 26 {
		t.Errorf("%d observations", n)
	}
	// What is right later is logged then.
	for i, n := range but {
		s.records[n] = generatedRegistry(t, 30).records[n]
		s.update(n, fmt.Sprintf("2026-08-1%d", 2+i%2))
	}
	s.next("2026-08-14")
	if _, said, status := w.follow(s, nil); status != exitDone || w.chained(s) != 30 {
		t.Errorf("status %d\n%s", status, said)
	}
	// A registry that answers nothing right ends one round with the reason.
	s.before = func(rw http.ResponseWriter, _ *http.Request, n int) bool {
		rw.WriteHeader(http.StatusForbidden)
		return true
	}
	s.next("2026-08-15")
	if _, said, status := w.follow(s, nil); status != exitPending || strings.Count(said, "status 403") != followTries {
		t.Errorf("status %d\n%s", status, said)
	}
}

// TestFollowTroubledLog: while the log is down, takes nothing from the key or waits for its
// witnesses, a follow waits where it is; and it goes on with files that somebody has damaged.
func TestFollowTroubledLog(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	address := freeAddress()
	w := startTown(t, "", false, "-listen", address, "-quorum-wait=1s")
	w.trialCmd("org", "-key", "registrar.key", "-id", "acme", "-name", "Acme", "ada.pub")
	serve := func() {
		t.Helper()
		p, err := startProcess(w.dir, append(os.Environ(), "PATH="+binDir), "triallog", "serve", "-dir", "log", "-mysql=", "-listen", address,
			"-quorum-wait=1s")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.cmd.Process.Kill() })
		w.log = p
	}
	halt := func() {
		w.log.cmd.Process.Kill()
		<-w.log.ended
	}
	s := generatedRegistry(t, 120)
	s.before = func(_ http.ResponseWriter, _ *http.Request, n int) bool {
		if n == 2 {
			halt()
		}
		return false
	}
	asked := 0
	_, said, status := w.follow(s, func(time.Duration) {
		asked = s.asked
		serve()
	})
	if status != exitDone || asked != 2 || s.asked != 3 || !strings.Contains(said, "cannot be reached") {
		t.Errorf("a log that is down: status %d, asked %d times by then, %d in all\n%s", status, asked, s.asked, said)
	}
	w.chained(s)

	// A statement that is damaged is put aside; one of another document is left alone.
	receipts := filepath.Join(w.dir, "receipts")
	s.next("2026-08-13")
	s.update("NCT10000007", "2026-08-13")
	for _, name := range []string{"ctgov.sending", "protocol.pdf.statement"} {
		if err := os.WriteFile(filepath.Join(receipts, name), []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, said, status = w.follow(s, nil)
	err := os.Remove(filepath.Join(receipts, "protocol.pdf.statement"))
	if err != nil || status != exitDone || !strings.Contains(said, "put aside") {
		t.Errorf("damaged: status %d, %v\n%s", status, err, said)
	}
	w.chained(s)

	// The key is revoked: nothing is passed over.
	w.ok("trial", "keygen", "-name", "Grace Hopper", "-org", "acme", "-out", "grace")
	w.trialCmd("enrol", "-key", "ada.key", "-role", "signer", "grace.pub")
	w.trialCmd("revoke", "-key", "ada.key", "grace.pub")
	s.next("2026-08-14")
	for _, n := range s.numbers()[:5] {
		s.update(n, "2026-08-14")
	}
	_, said, status = w.follow(s, nil, "-key", filepath.Join(w.dir, "grace.key"))
	if refused, _ := filepath.Glob(filepath.Join(receipts, "*refused*")); status != exitInvalid || len(refused) > 0 {
		t.Errorf("revoked: status %d, %v\n%s", status, refused, said)
	}
	if _, said, status := w.follow(s, nil); status != exitDone {
		t.Errorf("and with another key: status %d\n%s", status, said)
	}
	w.chained(s)

	// Too few witnesses: the records are logged, and the next version names them all the same.
	for _, p := range w.witnesses {
		p.cmd.Process.Signal(os.Interrupt)
		<-p.ended
	}
	s.next("2026-08-15")
	s.update("NCT10000008", "2026-08-15")
	if _, said, status := w.follow(s, nil); status != exitPending || !strings.Contains(said, "wait for witnesses") {
		t.Errorf("no witnesses: status %d\n%s", status, said)
	}
	s.next("2026-08-16")
	s.update("NCT10000008", "2026-08-16")
	line, err := os.ReadFile(filepath.Join(receipts, "ctgov.sending"))
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := parseSending(line)
	if err != nil {
		t.Fatal(err)
	}
	back := false
	if _, said, status := w.follow(s, func(time.Duration) {
		if !back {
			w.witnessesBack()
			w.cosigned(waiting.id)
			back = true
		}
	}); status != exitDone {
		t.Errorf("witnesses again: status %d\n%s", status, said)
	}
	w.chained(s)
	if n := len(w.observations()["nct:NCT10000008"]); n != 3 {
		t.Errorf("%d observations of a record with 3 versions", n)
	}
}

// cosigned waits until the log has the receipt of a statement.
func (w *town) cosigned(id trial.Hash) {
	w.t.Helper()
	c, err := client.New(w.log.url)
	if err != nil {
		w.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if _, err := c.Receipt(w.t.Context(), id); err == nil {
			return
		} else if time.Now().After(deadline) {
			w.t.Fatal(err)
		}
	}
}

// witnessesBack starts the witnesses again where they were.
func (w *town) witnessesBack() {
	w.t.Helper()
	vkey, err := os.ReadFile(filepath.Join(w.dir, "log", "log.vkey"))
	if err != nil {
		w.t.Fatal(err)
	}
	for i, name := range []string{"w1", "w2", "w3"} {
		p, err := startProcess(w.dir, append(os.Environ(), "PATH="+binDir), "trialwitness", "serve", "-key", name+".key", "-dir", name,
			"-listen", strings.TrimPrefix(w.witnesses[i].url, "http://"), "-log", strings.TrimSpace(string(vkey)))
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { p.cmd.Process.Kill() })
		w.witnesses[i] = p
	}
}
