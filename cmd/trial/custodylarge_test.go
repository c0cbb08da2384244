package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
)

// TestCustodyLarge takes packs from the manufacturer over a depot and three sites to participants, under
// two of three replaying witnesses, and checks their chains from one export without a network: 300
// packs, or 10,000 where TRIALPROOF_TEST_LARGE is set.
//
//	TRIALPROOF_TEST_LARGE=1 go test ./cmd/trial -run CustodyLarge -v -timeout 60m
func TestCustodyLarge(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	n := 300
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		n = 10_000
	}
	stores(t, func(t *testing.T, store string) {
		p := newPharmacy(t, store)
		timed := func(what string, do func()) {
			began := time.Now()
			do()
			t.Logf("%s: %s", what, time.Since(began).Round(10*time.Millisecond))
		}
		list, serials := kits(n)
		var packing *custody.Packing
		timed(fmt.Sprintf("%d packs issued", n), func() { packing = p.issue(list) })
		at := map[string]*custody.Pack{}
		for _, x := range packing.All() {
			at[x.Serial] = x
		}
		share := slices.Collect(slices.Chunk(serials, (n+2)/3))
		sites := []string{"site-a", "site-b", "site-c"}
		timed("shipped and received", func() {
			for i, site := range sites {
				p.scans("depot", "ship", share[i], "-to", site)
				p.scans(site, "receive", share[i], "-condition", "ok")
			}
		})
		timed("half of them given out", func() {
			for i, site := range sites {
				p.scans(site, "dispense", share[i][:len(share[i])/2], "-subject", "S-"+site, "-wait")
			}
		})
		if out := p.trialStatus(); !strings.Contains(out, fmt.Sprintf("product issued: %d", n)) ||
			!strings.Contains(out, fmt.Sprintf("%d given out", len(share[0])/2+len(share[1])/2+len(share[2])/2)) {
			t.Errorf("%s", out)
		}

		// What section 1 of the design says of fakes.
		given, stocked := share[0][0], share[0][len(share[0])-1]
		invented := packCode("K-99999").Human()
		p.custody(exitInvalid, "NOT LOGGED", "", "check", invented)
		p.custody(exitInvalid, "it may be a fake", "site-a", "dispense", "-subject", "1", invented)
		p.custody(exitInvalid, "R10", "site-a", "dispense", "-subject", "1", given)                // a clone, dispensed again
		p.custody(exitInvalid, "R10", "site-b", "receive", "-condition", "ok", stocked)            // a clone, received again
		p.custody(exitInvalid, "R8", "site-b", "dispense", "-subject", "1", stocked)               // diverted
		p.custody(exitDone, "reported", "site-b", "suspect", "-reason", "wrong-hand", share[0][1]) // and reported
		p.custody(exitDone, "REPORTED as suspicious by site-b", "", "check", share[0][1])          //
		p.custody(exitDone, "look at the seal yourself", "", "check", share[1][len(share[1])-1])   // swapped contents
		p.custody(exitDone, "NOT TO BE GIVEN OUT: R10", "", "check", share[2][len(share[2])/2-1])  // given out
		p.custody(exitInvalid, "another token than the packing list", "site-c", "return", otherToken(at[given]))

		p.write("codes.txt", strings.Join(append(slices.Clone(serials), invented), "\n"))
		timed(fmt.Sprintf("%d packs exported", n), func() {
			p.piped("codes.txt", exitDone, p.custodyArgs("", "export", "-packing", "tokens.csv", "-o", "packs.zip", "-scan", "-")...)
		})
		info := must(os.Stat(filepath.Join(p.dir, "packs.zip")))
		p.stop()
		var slowest, total time.Duration
		sample := []string{given, stocked, share[0][1], serials[n/3], serials[n/2], serials[n-1]}
		for _, serial := range sample {
			began := time.Now()
			out := p.checksOffline(at[serial].Human())
			took := time.Since(began)
			slowest, total = max(slowest, took), total+took
			for _, want := range []string{"issue     by depot", "ship      by depot to site-", "receive   by site-",
				"proven by replaying witnesses"} {
				if !strings.Contains(out, want) {
					t.Errorf("%s: no %q in\n%s", serial, want, out)
				}
			}
		}
		if out := p.checksOffline(invented); !strings.Contains(out, "NOT LOGGED") || !strings.Contains(out, "proven by replaying witnesses") {
			t.Errorf("the invented pack, from the export: %s", out)
		}
		t.Logf("from an export of %d bytes, the chain of a pack is checked in %d ms on average, %d ms at most", info.Size(),
			total.Milliseconds()/int64(len(sample)), slowest.Milliseconds())
	})
}

// otherToken is a label with the serial of a pack and a token of somebody's own.
func otherToken(x *custody.Pack) string {
	code := x.Code
	code.Token = packCode("forged").Token
	return code.Human()
}

// checksOffline checks a pack from the export alone.
func (p *pharmacy) checksOffline(code string) string {
	p.t.Helper()
	_, out, status := p.run("trial", "custody", "check", "-policy", "policy", "-trial", p.trial, "-in", "packs.zip", code)
	if status != exitDone && status != exitInvalid {
		p.t.Fatalf("%d: %s", status, out)
	}
	return out
}

// scans has an organisation scan packs.
func (p *pharmacy) scans(org, action string, serials []string, args ...string) {
	p.t.Helper()
	p.write("scans.txt", strings.Join(serials, "\r\n"))
	out := p.piped("scans.txt", exitDone, p.custodyArgs(org, action, append(args, "-scan", "-")...)...)
	most := trial.MaxCustodyUnits
	if action == "dispense" {
		most = trial.MaxDispensed
	}
	statements := trial.Count((len(serials)+most-1)/most, "statement", "statements")
	if want := fmt.Sprintf("%[1]d scanned: %[1]d logged in %[2]s, 0 refused, 0 kept", len(serials), statements); !strings.Contains(out, want) {
		p.t.Fatalf("%s %s: want %q\n%s", org, action, want, out[max(0, len(out)-500):])
	}
}

// piped runs a command with a file as its standard input.
func (p *pharmacy) piped(file string, status int, args ...string) string {
	p.t.Helper()
	in := must(os.Open(filepath.Join(p.dir, file)))
	defer in.Close()
	cmd := exec.Command(filepath.Join(binDir, args[0]), args[1:]...)
	var out strings.Builder
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.dir, in, &out, &out
	cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != status {
		p.t.Fatalf("%v: status %d, want %d\n%s", args, got, status, &out)
	}
	return out.String()
}
