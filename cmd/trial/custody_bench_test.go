package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
)

// TestCustodyScanRate measures how long a scanner waits for its answer, on SQLite with three replaying
// witnesses of which two must agree, in a trial of 100,000 units:
//
//	TRIALPROOF_TEST_LARGE=1 go test ./cmd/trial -run CustodyScanRate -v -timeout 30m
//
// TRIALPROOF_TEST_UNITS is another number of units.
func TestCustodyScanRate(t *testing.T) {
	if os.Getenv("TRIALPROOF_TEST_LARGE") == "" {
		t.Skip("a measurement: set TRIALPROOF_TEST_LARGE=1")
	}
	units, scans := trial.MaxUnits, 300
	if text := os.Getenv("TRIALPROOF_TEST_UNITS"); text != "" {
		fmt.Sscan(text, &units)
	}
	p := newPharmacy(t, "")
	depot, site := p.hand("depot"), p.hand("site-a")
	began := time.Now()
	var list []trial.Unit
	for i := range units {
		u := trial.Unit{Unit: trial.UnitCommitment(packHandle(fmt.Sprintf("K-%06d", i)))}
		if list = append(list, u); len(list) == trial.MaxCustodyUnits || i == units-1 {
			if _, err := depot.submit(trial.Custody{Action: "issue", Units: list}); err != nil {
				t.Fatal(err)
			}
			list = nil
		}
	}
	t.Logf("%d units issued in %s", units, time.Since(began).Round(time.Second))
	codes := make([]string, 3*scans)
	for i := range codes {
		codes[i] = packCode(fmt.Sprintf("K-%06d", i)).Human()
	}
	for chunk := range slices.Chunk(codes, trial.MaxCustodyUnits) {
		var list []trial.Unit
		for _, code := range chunk {
			serial := strings.TrimPrefix(code[:strings.Index(code, "(99)")], "(91)")
			list = append(list, trial.Unit{N: 1, Unit: trial.UnitID(p.id, trial.UnitCommitment(packHandle(serial)))})
		}
		ship, err := depot.submit(trial.Custody{Action: "ship", To: "site-a", Units: list})
		if err != nil {
			t.Fatal(err)
		}
		if len(chunk) < trial.MaxCustodyUnits {
			continue // they are received below
		}
		for i := range list {
			list[i].N = 2
		}
		if _, err := site.submit(trial.Custody{Action: "receive", Condition: "ok", Ship: ship, Units: list}); err != nil {
			t.Fatal(err)
		}
	}
	received := len(codes) / trial.MaxCustodyUnits * trial.MaxCustodyUnits
	p.scanRate("dispense", codes[:scans], "-subject", "1001")
	p.scanRate("dispense", codes[scans:2*scans], "-subject", "1002", "-wait")
	p.scanRate("receive", codes[received:], "-condition", "ok")
	p.scanRate("return", codes[:scans])
}

// scanRate scans codes one by one, each when the one before is answered, and says how long that took.
func (p *pharmacy) scanRate(action string, codes []string, more ...string) {
	p.t.Helper()
	args := append(p.custodyArgs("site-a", action, more...), "-scan", "-")
	cmd := exec.Command(filepath.Join(binDir, "trial"), args[1:]...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = p.dir, &stderr
	in, out := must(cmd.StdinPipe()), bufio.NewReader(must(cmd.StdoutPipe()))
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	var took []time.Duration
	for _, code := range codes {
		began := time.Now()
		io.WriteString(in, code+"\n")
		answer := must(out.ReadString('\n'))
		took = append(took, time.Since(began))
		if !strings.HasPrefix(answer, "ok ") {
			p.t.Fatalf("%s", answer)
		}
	}
	began := time.Now()
	in.Close()
	if err := cmd.Wait(); err != nil {
		p.t.Fatalf("%v\n%s", err, &stderr)
	}
	ended := time.Since(began)
	_, last, _ := strings.Cut(stderr.String(), "scanned: ")
	last, _, _ = strings.Cut(last, ";")
	slices.Sort(took)
	p.t.Logf("%s %s: %d scans, each answered in %.1f ms (median), %.1f ms (99 of 100), %.1f ms at most; the end took %d ms; %s", action,
		strings.Join(more, " "), len(codes), ms(took[len(took)/2]), ms(took[len(took)*99/100]), ms(took[len(took)-1]), ended.Milliseconds(), last)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
