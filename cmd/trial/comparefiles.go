package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/compare"
	"github.com/trialproof/trialproof/trial/study"
)

// compareFiles compares versions that are files alone: with no log, no key and no
// network. Nothing says then that a file is what a register showed, nor when.
func (e *env) compareFiles(names []string, article string, asJSON bool) error {
	if len(names) == 0 || len(names) == 1 && article == "" {
		return frame.Usagef("two files must be given, EARLIER and LATER, or one and -article FILE; or -log, -policy and one trial")
	}
	_, outcomes, err := readArticle(article)
	if err != nil {
		return err
	}
	var list []study.Version
	for i, name := range names {
		if _, err := regular(name); err != nil {
			if len(names) == 1 {
				err = fmt.Errorf("%w: a file is wanted, or -log and -policy to ask a log", err)
			}
			return frame.AsUsage(err)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return frame.AsUsage(err)
		}
		s, err := parseOne(name, data)
		if err != nil {
			return err
		}
		v := study.Version{Study: s, Entry: uint64(i), File: name, Kind: "file", Claimed: s.Dated}
		if s.Format == study.USDM {
			v.Kind = "protocol" // which does not say what was reported
		}
		list = append(list, v)
	}
	if err := oneTrial(list); err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(v study.Version) bool { return v.Claimed == "" }) {
		list = study.NewVersions(list) // by their days; else in the order in which they were given
	}
	report := compare.Compare(list, outcomes)
	if list[0].File != names[0] {
		report.Notes = append(report.Notes, fmt.Sprintf("%s is the earlier one by the days that the files declare", list[0].File))
	}
	if asJSON {
		return printJSON(e, report)
	}
	e.printComparison(report)
	fmt.Fprintln(e.Stdout, "from these files alone: no log proves when they were shown, nor that nothing was left out")
	return nil
}

// oneTrial refuses files that name two trials of one register.
func oneTrial(list []study.Version) error {
	for _, v := range list[1:] {
		x, y := list[0].Number("nct"), v.Number("nct")
		if x != y && x != "" && y != "" && !hasNumber(list[0].Study, y) && !hasNumber(v.Study, x) {
			return fmt.Errorf("%w: these are two trials: %s is of %s, %s of %s", errInvalid, list[0].File, x, v.File, y)
		}
	}
	return nil
}

// hasNumber reports whether a study has a number, if only as an obsolete one.
func hasNumber(s *study.Study, number string) bool {
	return slices.ContainsFunc(s.Identifiers, func(id study.Identifier) bool { return id.Value == number })
}
