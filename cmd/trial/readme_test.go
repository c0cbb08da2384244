//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trialproof/trialproof/trial/trialtest"
)

var (
	block = regexp.MustCompile("(?s)```sh\n(.*?)```")
	port  = regexp.MustCompile(`127\.0\.0\.1:\d+`)

	quickstartDir = regexp.MustCompile(`^triallog quickstart -dir (\S+)`)
)

// TestReadme runs the README's commands. It is short, and so is the way to the first
// receipt that verifies.
func TestReadme(t *testing.T) {
	t.Parallel()
	needVerifier(t)
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(strings.Fields(string(text))); n >= 1200 {
		t.Errorf("the README has %d words, and under 1,200 is what people read", n)
	}
	n := 0
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		first, _, verified := strings.Cut(m[1], "trial verify")
		n += strings.Count(first, "\n")
		if verified {
			n++
			break
		}
	}
	if n < 5 || n > 12 {
		t.Errorf("%d commands lead to the first receipt that verifies, and 12 are enough", n)
	}
	runPages(t, 5, []string{"../../README.md"}, "valid: protocol.pdf", "altered.pdf", "not what was logged",
		"these 2 entries are all that was logged")
}

// TestPages runs the walk that begins with setting up a log and ends with its audit.
func TestPages(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	needVerifier(t)
	runPages(t, 17, []string{"../../docs/setup.md", "../../docs/sponsor.md", "../../docs/regulator.md", "../../docs/auditor.md",
		"../../docs/integrator.md", "../../docs/witness.md"},
		"valid: protocol.pdf", "valid: results.pdf", "not what was logged",
		// The questions of an inspection, each with its answer.
		"protocol version 2.0 (global) was in force", "protocol-2.pdf is among them", // which protocol, on a day
		", SAP after the lock it serves: ", ", corrected: ", // was the SAP final; what was changed
		"missing: no results of the final analysis, though its database is locked", // what is missing
		"signed (approval) by administrator of example-pharma", "about entry 14",   // who signed, with what meaning
		"this 1 entry is all of kind signature",
		"all after first-enrolment that was logged", // what changed since
		"nothing of kind observation was logged",
		"inspection.zip",
		"records 2: 1 new, 0 unchanged, 1 "+
			"changed", `outcome demoted: "primary: Pain intensity`, // what the registry showed, and what changed
		`not reported: primary "Pain intensity`, "FDA-RES overdue, due 2027-10-30", "the report lists these entries",
		"changed: endpoints/1 from entry", // one endpoint, alone
		"clean: log.example/trials",
		`"origin":"log.example/trials"`, `"openapi": "3.1.0"`, "complete as stated by the "+
			"operator", `"code":"INVALID_ARGUMENT"`, `"code":"NOT_FOUND"`,
		"university.example/witness+") // the witness's page names its key
}

// runPages runs every command of pages, from top to bottom, in one empty folder.
// Only the ports are others, and after each server is started the next command
// waits until it listens. The pages have at least so many blocks of commands, and
// they print what is wanted, in this order.
func runPages(t *testing.T, blocks int, pages []string, wants ...string) {
	t.Helper()
	var text []byte
	for _, page := range pages {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, data...)
	}
	page := strings.Join(pages, ", ")
	var script strings.Builder
	// What a page has just written is complete: nothing waits for it.
	script.WriteString("trial() { local c=$1; shift; case $c in submit|register) command trial $c -settle=0s \"$@\";; *) command trial " +
		"$c \"$@\";; esac; }\n")
	script.WriteString("set -eu\nup() { until (exec 3<>/dev/tcp/${1%:*}/${1#*:}) 2>/dev/null; do sleep 0.05; done; }\n")
	free := map[string]string{}
	n := 0
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		n++
		code := port.ReplaceAllStringFunc(m[1], func(addr string) string {
			if free[addr] == "" {
				free[addr] = freePorts(t, 4) // triallog quickstart takes the three that follow
			}
			return free[addr]
		})
		for line := range strings.Lines(code) {
			script.WriteString(line)
			if strings.HasSuffix(line, "&\n") {
				script.WriteString("up " + port.FindString(line) + "\n")
				if dir := quickstartDir.FindStringSubmatch(line); dir != nil { // it writes the policy last, and then says that it listens
					script.WriteString("until test -e " + dir[1] + "/policy; do sleep 0.05; done\n")
				}
			}
		}
	}
	if n < blocks {
		t.Fatalf("only %d blocks of commands were found", n)
	}
	script.WriteString("echo page-done\n")
	cmd := exec.Command("bash", "-c", script.String())
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+binDir+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"XDG_CONFIG_HOME="+t.TempDir()) // what a page sets, no other test finds
	// Servers in the background hold no pipe of ours open.
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(2*patience, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err = cmd.Wait()
	timer.Stop()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the servers
	said, rerr := os.ReadFile(out.Name())
	if rerr != nil {
		t.Fatal(rerr)
	}
	if err != nil || !strings.Contains(string(said), "page-done") {
		t.Fatalf("the commands of %s: %v\n%s", page, err, said)
	}
	rest := string(said)
	for _, want := range wants {
		_, behind, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("the commands of %s did not print %q behind what is wanted before it:\n%s", page, want, said)
		}
		rest = behind
	}
}

// TestKeysPage runs the commands of docs/keys.md.
func TestKeysPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	if _, err := exec.LookPath("age"); err != nil {
		trialtest.Skip(t, "age is not installed")
	}
	runPages(t, 6, []string{"../../docs/keys.md"}, "as registrar of registrar", "+ log log.example/trials")
}

// TestOperatorPage runs the drills of docs/operator.md.
func TestOperatorPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	runPages(t, 10, []string{"../../docs/operator.md"},
		"ok: tree, tiles",                             // the log that is given up
		"valid: protocol.pdf", "log.example/trials-2", // adopted
		"valid: protocol.pdf", "when:      no later than", // by its old receipt
		"valid: receipts-1/protocol.pdf.tlog-proof",
		"complete as stated by the operator",
		"this key cosigned the log log.example/trials before, and folder w1/", "is gone", // a witness's folder
		"tile/0/000 is damaged: byte 100", "put back from entry bundle tile/entries/000", // a flipped bit
		`{"previous":"e3b0c442`, "ok: tree, tiles",
		"log.example/trials-2 size", "last-backup", // a backup
		"log.example/trials-2 size", "ok: tree, tiles", "clean: log.example/trials-2", "valid: protocol.pdf")
}

// TestConsentPage runs the commands of docs/consent.md.
func TestConsentPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	if err := exec.Command("age-keygen", "-pq", "-o", filepath.Join(t.TempDir(), "identity")).Run(); err != nil {
		trialtest.Skip(t, "age-keygen of age 1.3 is not installed: deploy/test.sh builds it")
	}
	runPages(t, 10, []string{"../../docs/consent.md"},
		"stands, and this slip can end it", "release of data under 1 consent", "R18", "nothing was released", "handed the data out to lab",
		"released by site under consent", "opened.json", "says that it has erased", "Disclosure without consent (public-health)",
		"valid: this stands as use/1")
}

// TestDatasetsPage runs the commands of docs/datasets.md.
func TestDatasetsPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	runPages(t, 5, []string{"../../docs/datasets.md"},
		"equal: 2 rows of 2 columns", "row 3 of 3", "AETERM: rash", "valid: these rows stand so in table ae", "AETERM: headache", "row 2 of 2", "SEX: M")
}

// TestCustodyPage runs the commands of docs/custody.md, and checks what they print: the depot's, a
// pharmacist's morning with a warm pack, an expired one, a clone and a network that is gone, the holder's and
// the inspector's.
func TestCustodyPage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out with -short")
	}
	runPages(t, 15, []string{"../../docs/custody.md"},
		"7 units issued, with 9 labels",
		"6 scanned: 6 logged in 1 statement, 0 refused", "EPCIS event ni:///sha-256;", "1 logged in 1 statement",
		// The morning: a shipment with a warm box.
		"5 scanned: 5 logged in 2 statements, 0 refused, 0 kept",
		"outside all bands: 20 minutes", "condition: excursion\n", "ok      K-0003: received", "2 scanned: 2 logged in 1 statement",
		"ok      C-1: opened, entry ",
		// Giving out.
		"ok      K-0001: GIVEN OUT, entry ",
		"REFUSED K-0003: R18: it is on hold since entry ", "do not give it out\a\n",
		"REFUSED K-0005: it expired on 2020-01-31: do not give it out\a\n",
		"REFUSED K-0001: scanned already, for participant 1001. If this is another pack with the same label, set both apart",
		"ok      K-0002: GIVEN OUT", "REFUSED K-9999: K-9999 is not in the packing list", "6 scanned: 2 logged in 2 statements, 4 refused",
		// Taking back, reporting, looking up.
		"ok      K-0001: taken back", "ok      K-0002: reported",
		"ON HOLD since entry ", "NOT TO BE GIVEN OUT: R18", "receive   by site-a, condition excursion",
		"REFUSED K-0011: R8: it is with site-a", "1 logged in 1 statement", "suspicion about 1 unit",
		"participant 1001", "K-0001  ", "1 given out, 1 taken back, 0 with the participant",
		"KEPT    K-0012: GIVEN OUT; the log cannot be reached", "checked as of ", "1 scan is kept in custody",
		"1 scan of an earlier run, not logged then: 1 logged now", "1 scanned: 1 logged in 1 statement",
		// The holder.
		"packs of the investigational product issued: 8", "packs: 5 in stock, 1 given out, 2 given back", "packs on hold: 4",
		"ok      K-0003: no longer on hold",
		"nothing was logged: the trial is masked", "code break in trial", "recall of 2 units", "code break in trial", "recall of 2 units",
		// The inspector.
		"packs.zip holds the histories of 9 packs",
		"now: given out by site-a", "in its case: ", "open      by site-a", "MAY BE GIVEN OUT by site-a", "free      by sponsor",
		"valid: ../site-a/warm.csv is the custody that was logged", "all legs:", "condition: excursion",
		"recall of 2 units", "these 4 entries are all that was logged for unit ")
}
