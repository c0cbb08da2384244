package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/custody"
)

// TestCustodyKept: what becomes of scans that an earlier run could not log, where something happened in
// between.
func TestCustodyKept(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	p := newPharmacy(t, "")
	list, serials := kits(12)
	packing := p.issue(list)
	p.stock("site-a", serials...)
	at := map[string]*custody.Pack{}
	for _, x := range packing.All() {
		at[x.Serial] = x
	}
	had := func(serial, want string) {
		t.Helper()
		if got := p.had(p.unitOf(at[serial])); got != "issue ship receive"+want {
			t.Errorf("%s: %s, want %s", serial, got, want)
		}
	}
	holder := p.hand("acme")
	p.trialCmd("delegate", "-key", "acme.key", "-trial", p.trial, "-to", "site-a", "-kinds", "codebreak")

	// In a masked trial one pack is not held without a code break, in a later run neither.
	p.journalOf("site-a", "hold", serials[0])
	if out := p.custody(exitInvalid, "the trial is masked", "site-a", "return", serials[1]); !strings.Contains(out, "and 1 refused") {
		t.Errorf("%s", out)
	}
	had(serials[0], "")
	p.journalOf("site-a", "hold", "-unblinds", "supply", serials[0])
	p.custody(exitInvalid, "1 logged now", "site-a", "return", serials[1])
	had(serials[0], " hold")
	if _, out, _ := p.run(append(append([]string{"trial", "history"}, p.flags...), p.trial)...); strings.Count(out,
		"code break in trial") != 1 {
		t.Errorf("the code break is not logged once:\n%s", out)
	}

	// The same pack scanned twice, because the program was killed and forgot that it had answered.
	name := p.journalOf("site-a", "ship", "-to", "site-b", serials[2], serials[3])
	var forgot []string
	for line := range strings.Lines(read(t, name)) {
		if x, err := parseJournalLine([]byte(line)); err == nil && x.Seen == nil {
			forgot = append(forgot, line)
		}
	}
	p.write("out-site-a/custody.scans", strings.Join(forgot, ""))
	p.journalOf("site-a", "ship", "-to", "site-b", serials[2])
	p.custody(exitInvalid, "3 scans of an earlier run, not logged then: 2 logged now and 1 refused", "site-a", "return", serials[1])
	had(serials[2], " ship")
	had(serials[3], " ship")

	// A statement that was signed and never arrived, and acts of others since: only what forbids it stops
	// it.
	line := newBadLine(t, p.log.url, 1)
	line.fails(1)
	line.only(0)
	logURL := p.flags[1]
	p.flags[1] = line.URL
	p.custody(exitPending, "KEPT", "site-a", "dispense", "-subject", "1004", serials[4], serials[5])
	p.flags[1] = logURL
	for i, act := range []trial.Custody{{Action: "hold"}, {Action: "free"}, {Action: "recall"}} {
		serial, n := serials[4], uint64(3+i)
		if act.Action == "recall" {
			serial, n = serials[5], 3
		}
		act.Units = []trial.Unit{{N: n, Unit: p.unitOf(at[serial])}}
		if _, err := holder.submit(act); err != nil {
			t.Fatal(err)
		}
	}
	if out := p.custody(exitInvalid, "1 logged now and 1 refused", "site-a", "return", serials[1]); !strings.Contains(out,
		"REFUSED "+serials[5]+": R18") {
		t.Errorf("%s", out)
	}
	had(serials[4], " hold free dispense")
	had(serials[5], " recall")

	// Two acts of one pack in their order, beside one of another pack.
	p.journalOf("site-a", "dispense", "-subject", "1005", serials[6])
	p.journalOf("site-a", "return", serials[6])
	p.journalOf("site-a", "ship", "-to", "depot", serials[6])
	p.journalOf("site-a", "dispense", "-subject", "1005", serials[7])
	p.journalOf("site-a", "return", serials[7])
	p.journalOf("site-a", "ship", "-to", "depot", serials[7])
	p.custody(exitInvalid, "6 logged now and 0 refused", "site-a", "return", serials[1])
	had(serials[6], " dispense return ship")
	had(serials[7], " dispense return ship")

	// Of another trial: that one's next run logs it, under its own rules and in its own receipts.
	p.journalOf("site-a", "dispense", "-subject", "1006", serials[8])
	first, id, sees := p.trial, p.id, p.sees
	p.register("X-2")
	p.sees = nil
	p.custody(exitInvalid, "1 scan is of another trial", "site-a", "dispense", "-subject", "1006", packCode("K-1").Human())
	p.trial, p.id, p.sees = first, id, sees
	had(serials[8], "")
	p.custody(exitInvalid, "1 logged now", "site-a", "return", serials[1])
	had(serials[8], " dispense")
	p.custody(exitDone, "1 given out", "site-a", "sheet", "-subject", "1006")

	// A key that is revoked before its scans are logged: another of the organisation logs them.
	p.ok("trial", "keygen", "-name", "Second of site-a", "-org", "site-a", "-out", "second")
	p.trialCmd("enrol", "-key", "site-a.key", "-role", "administrator", "second.pub")
	p.flags[1] = line.URL
	p.custody(exitPending, "KEPT", "site-a", "dispense", "-subject", "1007", serials[9])
	p.flags[1] = logURL
	p.trialCmd("revoke", "-key", "second.key", "-reason", "lost", "site-a.pub")
	p.custody(exitInvalid, "R6", "site-a", "return", serials[1])
	had(serials[9], "")
	args := p.custodyArgs("site-a", "return", serials[1])
	args[slices.Index(args, "site-a.key")] = "second.key"
	if _, out, _ := p.run(args...); !strings.Contains(out, "1 logged now") {
		t.Errorf("%s", out)
	}
	had(serials[9], " dispense")
}

// TestCustodyWait: with -wait, one statement has what all participants of a morning got, and nobody sees
// how many each got; the sheet of each has its own.
func TestCustodyWait(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	p := newPharmacy(t, "")
	list, serials := kits(6)
	p.issue(list)
	p.stock("site-a", serials...)
	p.write("morning.txt", strings.Join([]string{serials[0], "subject 1002", serials[1], serials[2], "subject 1003", serials[3],
		serials[4], serials[5]}, "\r"))
	out := p.piped("morning.txt", exitDone, p.custodyArgs("site-a", "dispense", "-subject", "1001", "-wait", "-scan", "-")...)
	if !strings.Contains(out, "6 logged in 1 statement, 0 refused, 0 kept") {
		t.Errorf("%s", out)
	}
	for subject, want := range map[string][]string{"1001": serials[:1], "1002": serials[1:3], "1003": serials[3:6], "1004": nil} {
		out := p.custody(exitDone, "", "site-a", "sheet", "-subject", subject)
		for _, serial := range serials {
			if strings.Contains(out, serial+" ") != slices.Contains(want, serial) {
				t.Errorf("the sheet of %s:\n%s", subject, out)
			}
		}
	}
	// A run that cannot log them keeps them together, whatever the next run does.
	list, serials = strings.ReplaceAll(list, "K-", "M-"), nil
	p.write("more.csv", list)
	p.custody(exitDone, "issued", "depot", "issue", "-list", "more.csv")
	p.write("tokens.csv", read(t, filepath.Join(p.dir, "out-depot", "more.tokens.csv")))
	p.stock("site-a", "M-00001", "M-00002")
	for i, serial := range []string{"M-00001", "M-00002"} {
		p.journalOf("site-a", "dispense", "-wait", "-subject", fmt.Sprint(1005+i), serial)
	}
	p.custody(exitInvalid, "2 logged now and 0 refused, in 1 statement", "site-a", "dispense", "-subject", "1", packCode("none").Human())
}
