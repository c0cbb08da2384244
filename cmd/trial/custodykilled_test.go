package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
)

// A badLine is a network in front of the log. It fails as often as it is told, in one of three ways: what
// is sent does not arrive, what is answered does not come back, or half of the answer does.
type badLine struct {
	*httptest.Server
	mu     sync.Mutex // guards what follows
	random *rand.Rand
	often  float64
	how    int // 0 to 2: in that way only; -1: in any
	lost   int // answers to statements that were logged
}

func newBadLine(t *testing.T, to string, seed uint64) *badLine {
	t.Helper()
	pass := httputil.NewSingleHostReverseProxy(must(url.Parse(to)))
	x := &badLine{random: rand.New(rand.NewPCG(seed, 0)), how: -1}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		statement := r.Method == http.MethodPost
		x.mu.Lock()
		fails, how := x.random.Float64() < x.often && statement, x.random.IntN(3)
		if x.how >= 0 {
			how = x.how
		}
		x.mu.Unlock()
		if fails && how == 0 {
			panic(http.ErrAbortHandler) // the connection ends
		}
		if !fails {
			pass.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		pass.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK {
			x.mu.Lock()
			x.lost++
			x.mu.Unlock()
		}
		if how == 1 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Length", fmt.Sprint(answer.Body.Len()))
		w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
	}))
	x.Config.ErrorLog = nil
	t.Cleanup(x.Close)
	return x
}

func (x *badLine) fails(often float64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.often = often
}

func (x *badLine) only(how int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.how = how
}

// A desk is a site at which packs are scanned while the program is killed and the network fails.
type desk struct {
	*pharmacy
	random *rand.Rand
	args   []string
	done   map[string]string // what was answered, by serial
}

// run starts the program, scans what has no answer yet, and ends the program by a signal after some
// answers. It ends by itself when all are answered.
func (d *desk) run(serials []string, sig syscall.Signal, after int) (said string) {
	d.t.Helper()
	cmd := exec.Command(filepath.Join(binDir, "trial"), d.args[1:]...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = d.dir, &stderr
	in, out := must(cmd.StdinPipe()), must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	var left strings.Builder
	for _, serial := range serials {
		if d.done[serial] == "" {
			left.WriteString(serial + "\n")
		}
	}
	go func() {
		defer in.Close()
		io.WriteString(in, left.String())
	}()
	lines := bufio.NewScanner(out)
	answers := map[string]string{}
	for lines.Scan() {
		said += lines.Text() + "\n"
		word, rest, _ := strings.Cut(lines.Text(), " ")
		serial, _, _ := strings.Cut(strings.TrimSpace(rest), ":")
		answers[serial] = word
		if after--; after == 0 && sig != 0 {
			cmd.Process.Signal(sig)
		}
	}
	err := cmd.Wait()
	if err != nil && cmd.ProcessState.ExitCode() != exitPending && cmd.ProcessState.ExitCode() != exitInvalid && sig != syscall.SIGKILL {
		d.t.Fatalf("%v\n%s%s", err, said, &stderr)
	}
	maps.Copy(d.done, answers)
	return said + stderr.String()
}

// TestCustodyKilled scans packs while the program is killed with signal 9 or interrupted after any number
// of answers, and while the network loses what is sent and what is answered. Every scan is logged,
// and none twice.
func TestCustodyKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	n := 36
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		n = 400
	}
	stores(t, func(t *testing.T, store string) {
		p := newPharmacy(t, store)
		list, serials := kits(n)
		packing := p.issue(list)
		unit := map[string]trial.Hash{}
		for _, x := range packing.All() {
			unit[x.Serial] = p.unitOf(x)
		}
		p.custody(exitDone, "", "depot", "ship", append([]string{"-to", "site-a"}, serials...)...)
		line := newBadLine(t, p.log.url, 7)
		p.flags[slices.Index(p.flags, "-log")+1] = line.URL
		for _, action := range []string{"receive", "dispense"} {
			line.fails(0.4)
			d := &desk{pharmacy: p, random: rand.New(rand.NewPCG(8, 0)), done: map[string]string{}}
			d.args = p.custodyArgs("site-a", action, "-scan", "-")
			if action == "receive" {
				d.args = append(d.args, "-condition", "ok")
			} else {
				d.args = append(d.args, "-subject", "1001")
			}
			runs := 0
			for len(d.done) < n && runs < 10*n {
				sig := syscall.SIGKILL
				if d.random.IntN(4) == 0 {
					sig = syscall.SIGINT
				}
				d.run(serials, sig, 1+d.random.IntN(4))
				runs++
			}
			line.fails(0)
			said := d.run(nil, 0, 0)
			journal := read(t, filepath.Join(p.dir, "out-site-a", "custody.scans"))
			if strings.Contains(journal, `"scan":`) || strings.Contains(journal, `"kept":`) {
				t.Errorf("something is left:\n%s\n%s", journal, said)
			}
			refused := 0
			for _, serial := range serials {
				a := p.account(unit[serial])
				if got := strings.Count(" "+p.had(unit[serial])+" ", " "+action+" "); got != 1 {
					t.Errorf("%s, answered %s: %s %d times", serial, d.done[serial], action, got)
				}
				if x := a.Last(action); d.done[serial] == "REFUSED" { // scanned again after an answer that nobody saw
					refused++
				} else if x == nil {
					t.Errorf("%s, answered %s, is not logged", serial, d.done[serial])
				}
			}
			t.Logf("%s: %d packs in %d runs, %d scanned again, %d answers of the log lost", action, n, runs, refused, line.lost)
			if line.lost == 0 || runs < n/8 {
				t.Error("the network lost nothing, or nothing was killed")
			}
		}
		if out := p.custody(exitDone, "", "site-a", "sheet", "-subject", "1001"); !strings.Contains(out,
			fmt.Sprintf("%d given out, 0 taken back", n)) {
			t.Errorf("the sheet lacks packs:\n%s", out)
		}
	})
}

// TestCustodyTwoPrograms: a folder is one program's at a time.
func TestCustodyTwoPrograms(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	p := newPharmacy(t, "")
	list, serials := kits(2)
	packing := p.issue(list)
	p.stock("site-a", serials...)
	cmd := exec.Command(filepath.Join(binDir, "trial"), p.custodyArgs("site-a", "dispense", "-subject", "1", "-scan", "-")[1:]...)
	cmd.Dir = p.dir
	in, out := must(cmd.StdinPipe()), bufio.NewReader(must(cmd.StdoutPipe()))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	io.WriteString(in, serials[0]+"\n")
	if answer := must(out.ReadString('\n')); !strings.Contains(answer, "GIVEN OUT") {
		t.Fatal(answer)
	}
	said := p.custody(exitUsage, "", "site-a", "dispense", "-subject", "2", serials[1])
	if !strings.Contains(said, "another") {
		t.Errorf("%s", said)
	}
	io.WriteString(in, serials[1]+"\n")
	if answer := must(out.ReadString('\n')); !strings.Contains(answer, "GIVEN OUT") {
		t.Fatal(answer)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, x := range packing.All() {
		if got := p.had(p.unitOf(x)); got != "issue ship receive dispense" {
			t.Errorf("%s: %s", x.Serial, got)
		}
	}
}

// journalOf keeps scans of packs without a network, and returns the journal's file.
func (p *pharmacy) journalOf(org, action string, args ...string) string {
	p.t.Helper()
	url := p.flags[1]
	p.flags[1] = "http://" + freeAddress()
	defer func() { p.flags[1] = url }()
	p.custody(exitPending, "KEPT", org, action, args...)
	return filepath.Join(p.dir, "out-"+org, "custody.scans")
}

// TestCustodyJournalSpoilt: a last line that is not whole was never answered; a line that was altered
// stops the program before anything is logged or forgotten.
func TestCustodyJournalSpoilt(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	p := newPharmacy(t, "")
	list, serials := kits(3)
	packing := p.issue(list)
	p.stock("site-a", serials...)
	at := map[string]*custody.Pack{}
	for _, x := range packing.All() {
		at[x.Serial] = x
	}
	name := p.journalOf("site-a", "dispense", "-subject", "1", serials[0])
	whole := read(t, name)
	two := read(t, p.journalOf("site-a", "dispense", "-subject", "1", serials[1]))
	const journal = "out-site-a/custody.scans"
	first := strings.Index(two, "\n") + 1
	second := first + strings.Index(two[first:], "\n") + 1
	if !strings.Contains(two[first:second], `"scan":`) || !strings.HasPrefix(whole, two[:first]) {
		t.Fatalf("%s", two)
	}
	for what, data := range map[string]string{
		"a letter is another": two[:40] + "_" + two[41:],
		"a letter is gone":    two[:first-4] + two[first-3:],
		"a line says nothing": two + string(journalBytes(journalLine{})),
		"a line is no object": "[]\n" + two,
		"the file is another": "serial,lot\nK-1,L\n",
	} {
		p.write(journal, data)
		p.custody(exitUsage, "custody.scans: line ", "site-a", "return", serials[2])
		if got := read(t, name); got != data {
			t.Errorf("%s: the file was changed", what)
		}
	}
	for _, cut := range []int{first + 1, first + 30, second - 2} {
		p.write(journal, two[:cut])
		p.custody(exitInvalid, "", "site-a", "dispense", "-subject", "1", serials[0]) // it is logged by now
	}
	for serial, want := range map[string]string{serials[0]: "issue ship receive dispense", serials[1]: "issue ship receive"} {
		if got := p.had(p.unitOf(at[serial])); got != want {
			t.Errorf("%s: %s, want %s", serial, got, want)
		}
	}
	p.write(journal, two[:second]+strings.Repeat("\x00", 5000)) // the file has grown, and what was added is not there
	p.custody(exitInvalid, "1 logged now and 1 refused", "site-a", "dispense", "-subject", "1", serials[1])
	if got := p.had(p.unitOf(at[serials[1]])); got != "issue ship receive dispense" {
		t.Errorf("%s", got)
	}
}

// TestCustodyDiskFull: what cannot be written is not kept, and no later write makes as if it were.
func TestCustodyDiskFull(t *testing.T) {
	j, err := openJournal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := j.add(journalLine{Scan: &scan{Key: "a"}}); err != nil {
		t.Fatal(err)
	}
	file := j.append.file
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	j.append.file = full
	if err := j.add(journalLine{Scan: &scan{Key: "b"}}); err == nil || len(j.scans) != 1 {
		t.Errorf("%v, %d scans", err, len(j.scans))
	}
	if err := j.done(j.scans); err == nil || len(j.scans) != 1 {
		t.Errorf("%v, %d scans", err, len(j.scans))
	}
	full.Close()
	j.append.file = file
	if err := j.add(journalLine{Scan: &scan{Key: "c"}}); err == nil {
		t.Error("it is written to behind a line of which nobody knows whether it is whole")
	}
	j.close()
	again, err := openJournal(filepath.Dir(j.name))
	if err != nil || len(again.scans) != 1 || again.scans[0].Key != "a" {
		t.Errorf("%v, %d scans", err, len(again.scans))
	}
}
