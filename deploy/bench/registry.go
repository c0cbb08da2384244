package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Imports say how fast the records of a registry are logged, with a receipt for each.
type Imports struct {
	Conditions
	Records   int                `json:"records"`
	Seconds   float64            `json:"seconds"`
	PerSecond float64            `json:"per_second"`
	CPU       map[string]float64 `json:"cpu_ms"` // a record, by program
	Busy      float64            `json:"busy"`   // share of all cores
	Bytes     int64              `json:"bytes"`  // that the log's folder grew by, a record
}

func (b *bench) imports(ctx context.Context) error {
	n := b.records
	if b.long {
		n = max(n, 100_000)
	}
	r := &Imports{Records: n}
	err := measure(&r.Conditions, func() error { return b.imported(ctx, r) })
	b.results.Imports = r
	return err
}

func (b *bench) imported(ctx context.Context, r *Imports) error {
	o, err := b.newLog(ctx, nil, 1)
	if err != nil {
		return err
	}
	if err := writeRegistry(filepath.Join(o.dir, "export.json"), r.Records); err != nil {
		return err
	}
	before := treeSize(filepath.Join(o.dir, "log"))
	rate, err := metered(o.programs(), func() (v Rate, err error) {
		cmd, err := b.start("import", o.dir, filepath.Join(b.bin, "trial"), "import", "-log", o.logs[0].url, "-policy", "policy", "-key", o.key,
			"-json", "-seen", "2026-03-01", "ctgov", "export.json")
		if err != nil {
			return v, err
		}
		start := time.Now()
		<-cmd.ended
		v.Seconds, v.Receipts = time.Since(start).Seconds(), r.Records
		if state := cmd.cmd.ProcessState; !state.Success() {
			return v, fmt.Errorf("trial import: %s", lastLines(cmd.words()))
		}
		v.ClientCPU = (cmd.cmd.ProcessState.UserTime() + cmd.cmd.ProcessState.SystemTime()).Seconds()
		var said struct {
			Records int            `json:"records"`
			Counts  map[string]int `json:"counts"`
		}
		words := cmd.words()
		if err := json.Unmarshal([]byte(words[max(0, indexOf(words, '{')):]), &said); err != nil {
			return v, fmt.Errorf("trial import: %w: %s", err, lastLines(words))
		}
		if said.Records != r.Records || said.Counts["new"] != r.Records {
			return v, fmt.Errorf("trial import logged %v of %d records", said.Counts, r.Records)
		}
		return v, nil
	})
	if err != nil {
		return err
	}
	r.Seconds, r.PerSecond, r.CPU, r.Busy = rate.Seconds, float64(r.Records)/rate.Seconds, rate.CPU, rate.Busy
	r.Bytes = (treeSize(filepath.Join(o.dir, "log")) - before) / int64(r.Records)
	b.tell("import: %d records in %.1f s, %.0f/s; %s ms of processor time, %.0f %% of all cores", r.Records, r.Seconds, r.PerSecond,
		rounded(r.CPU), 100*r.Busy)
	return nil
}

func indexOf(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// writeRegistry writes an export of ClinicalTrials.gov with generated records.
func writeRegistry(name string, n int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	w.WriteString(`{"studies": [`)
	for i := range n {
		if i > 0 {
			w.WriteString(",\n")
		}
		fmt.Fprintf(w, `{"protocolSection": {
	"identificationModule": {"nctId": "NCT%08[1]d", "orgStudyIdInfo": {"id": "GEN-%[1]d"}, "briefTitle": "Examplinib %[1]d in Chronic Low Back Pain",
		"officialTitle": "A Randomised, Double-Blind, Placebo-Controlled Trial of Examplinib %[1]d mg in Adults With Chronic Low Back Pain"},
	"statusModule": {"statusVerifiedDate": "2026-01", "overallStatus": "COMPLETED", "startDateStruct": {"date": "2024-0%[2]d", "type": "ACTUAL"},
		"primaryCompletionDateStruct": {"date": "2025-0%[2]d-15", "type": "ACTUAL"}, "studyFirstSubmitDate": "2024-01-05",
		"lastUpdateSubmitDate": "2026-01-10", "lastUpdatePostDateStruct": {"date": "2026-01-1%[2]d", "type": "ACTUAL"}},
	"sponsorCollaboratorsModule": {"leadSponsor": {"name": "Example Pharma", "class": "INDUSTRY"}},
	"oversightModule": {"oversightHasDmc": true, "isFdaRegulatedDrug": true, "isFdaRegulatedDevice": false},
	"designModule": {"studyType": "INTERVENTIONAL", "phases": ["PHASE3"], "enrollmentInfo": {"count": %[1]d, "type": "ACTUAL"}},
	"outcomesModule": {"primaryOutcomes": [{"measure": "Change from baseline in pain intensity on the 0-10 numeric rating scale", "timeFrame": "%[2]d weeks"}],
		"secondaryOutcomes": [{"measure": "Sleep quality on the Pittsburgh Sleep Quality Index", "timeFrame": "12 weeks"}]},
	"contactsLocationsModule": {"locations": [{"country": "United States"}, {"country": "Germany"}]}}, "hasResults": false}`, 10_000_000+i, 1+i%9)
	}
	w.WriteString("]}\n")
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
