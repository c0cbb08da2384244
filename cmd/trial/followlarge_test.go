//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFollowGenerated measures a follow: 300 generated records and 30 that change, or 20,000 and
// 2,000 where TRIALPROOF_TEST_LARGE is set.
//
//	TRIALPROOF_TEST_LARGE=1 go test ./cmd/trial -run FollowGenerated -v -timeout 60m
func TestFollowGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short")
	}
	n, changed := 300, 30
	if os.Getenv("TRIALPROOF_TEST_LARGE") != "" {
		n, changed = 20_000, 2_000
	}
	stores(t, func(t *testing.T, store string) {
		w := newTown(t, store)
		s := heavyRegistry(t, n)
		s.mu.Lock()
		s.most = 1000
		s.mu.Unlock()
		measured := func(what string, records int) {
			t.Helper()
			logged, kept := treeSize(t, filepath.Join(w.dir, "log")), treeSize(t, filepath.Join(w.dir, "receipts"))
			cmd := exec.Command(filepath.Join(binDir, "trial"), w.following(s, "-once", "-json")...)
			var said bytes.Buffer
			cmd.Stderr = &said
			began := time.Now()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			memory := peak(cmd)
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, &said)
			}
			took := time.Since(began)
			logged, kept = treeSize(t, filepath.Join(w.dir, "log"))-logged, treeSize(t, filepath.Join(w.dir, "receipts"))-kept
			t.Logf("%s: %d records in %s (%.1f a second); the log's folder grew by %d bytes a record, the receipts and records by %d; "+
				"the follow had %s at most\n%s", what, records, took.Round(time.Millisecond), float64(records)/took.Seconds(), logged/int64(records),
				kept/int64(records), memory(), strings.TrimSpace(said.String()))
		}
		measured("first", n)
		s.next("2026-08-13")
		for _, number := range s.numbers()[:changed] {
			s.update(number, "2026-08-13")
		}
		measured("changed", changed)
		s.next("2026-08-14")
		measured("again, with nothing new", changed)
		if got := w.chained(s); got != n+changed {
			t.Errorf("%d observations", got)
		}
	})
}

// peak watches how much memory a process has and returns the most once it has ended. What the
// system says of a process that has ended counts this process's memory too.
func peak(cmd *exec.Cmd) func() string {
	last := make(chan string, 1)
	go func() {
		high := "nothing known"
		for {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			_, rest, found := strings.Cut(string(status), "VmHWM:")
			if line, _, _ := strings.Cut(rest, "\n"); found {
				high = strings.TrimSpace(line)
			}
			if err != nil {
				last <- high
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return func() string { return <-last }
}

// treeSize returns the bytes of the files below a folder.
func treeSize(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// heavyRegistry serves generated records that are as large as real ones are on average, about
// 15 kB of which 4 kB are facts.
func heavyRegistry(t *testing.T, n int) *registryServer {
	s := generatedRegistry(t, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	for number, r := range s.records {
		var outcomes, places []string
		for i := range 9 {
			outcomes = append(outcomes, fmt.Sprintf(`{"measure":"Change from baseline in the score of item %d of the scale of %s",`+
				`"timeFrame":"week %d","description":"Assessed by an independent reader who does not know which treatment was given; `+
				`higher values are worse"}`, i, number, 4*i))
		}
		for i := range 30 {
			places = append(places, fmt.Sprintf(`{"facility":"Site %d of %s","city":"Springfield","country":"United States","zip":"%05d"}`,
				i, number, i))
		}
		r = strings.Replace(r, `"secondaryOutcomes":[`, `"secondaryOutcomes":[`+strings.Join(outcomes, ",")+",", 1)
		r = strings.Replace(r, `"locations":[`, `"locations":[`+strings.Join(places, ",")+",", 1)
		s.records[number] = strings.Replace(r, `"protocolSection":{`, `"protocolSection":{"descriptionModule":{"detailedDescription":"`+
			strings.Repeat("Patients of "+number+" are seen every four weeks at their site. ", 100)+`"},`, 1)
	}
	return s
}
