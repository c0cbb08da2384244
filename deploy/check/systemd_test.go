package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSystemd: systemd reads the units without a warning, says that they are confined, and
// their commands are ours.
func TestSystemd(t *testing.T) {
	const where = "/usr/local/bin/"
	for _, name := range []string{"triallog.service", "triallog-backup.service", "trialwitness.service"} {
		text := read(t, "systemd/"+name)
		started := 0
		for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
			command, ok := strings.CutPrefix(line, "ExecStart="+where)
			if !ok {
				continue
			}
			started++
			words := strings.Fields(command)
			commandLine(t, name, words[0], words[1:])
			if name == "triallog-backup.service" != (words[1] == "backup") {
				t.Errorf("%s starts %s", name, command)
			}
		}
		if started != 1 {
			t.Errorf("%s starts %d of our programs", name, started)
		}
	}
	for _, key := range []string{"log.key", "log.next.key", "log.old.key"} {
		if !strings.Contains(read(t, "systemd/triallog-backup.service"), "-/var/lib/triallog/"+key) {
			t.Errorf("the backup can read %s", key)
		}
	}

	analyze := tool(t, "systemd-analyze")
	verify := func(name, text string) (said string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, where, binDir+"/")), 0o644); err != nil {
			t.Fatal(err)
		}
		said, err := run(t, "", analyze, "verify", "--man=no", file)
		if err != nil {
			said += err.Error()
		}
		// 0 to 100: without any of the settings it is 96.
		if more, err := run(t, "", analyze, "security", "--offline=true", "--threshold=15", file); err != nil {
			said += more
		}
		return said
	}
	for _, name := range []string{"triallog.service", "triallog-backup.service", "trialwitness.service"} {
		text := read(t, "systemd/"+name)
		if said := verify(name, text); said != "" {
			t.Errorf("%s: %s", name, said)
		}
		for old, now := range map[string]string{"ProtectSystem=": "ProtectSystm=", "PrivateTmp=yes": "PrivateTmp=perhaps",
			"CapabilityBoundingSet=\n": "", where: "/nowhere/"} {
			if said := verify(name, strings.Replace(text, old, now, 1)); said == "" {
				t.Errorf("%s: nothing notices that %q became %q", name, old, now)
			}
		}
	}
}

// python is Debian's, which has Debian's modules.
const python = "/usr/bin/python3"

// TestSystemCalls has a log, its backup and a witness do all that the metrics are of, with the
// system calls that their units allow. What a unit does not allow fails.
func TestSystemCalls(t *testing.T) {
	tool(t, "systemd-analyze")
	if said, err := run(t, "", python, "-c", "import seccomp"); err != nil {
		if os.Getenv("TRIALPROOF_TEST_NOSKIP") != "" {
			t.Fatalf("this test must not be skipped here: %v: %s", err, said)
		}
		t.Skip("python3-seccomp is not installed")
	}
	s := newStand(t)
	s.units = map[string]string{"triallog": "triallog.service", "trialwitness": "trialwitness.service"}
	s.running()
	for _, unit := range []string{"triallog-backup.service", "triallog.service", "trialwitness.service"} {
		text := read(t, "systemd/"+unit)
		if unit == "triallog-backup.service" { // the other two are at work
			s.units["triallog"] = unit
			s.run(0, "triallog", "backup", "-dir", "log", "-to", "backup", "-from", s.log)
		}
		s.write("few.service", strings.Replace(text, "=@system-service", "=@basic-io", 1))
		said, err := run(t, s.dir, python, s.path("testdata/confined.py"), "few.service", filepath.Join(binDir, "triallog"), "version")
		if err == nil {
			t.Errorf("%s: nothing keeps calls from a program: %s", unit, said)
		}
	}
}
