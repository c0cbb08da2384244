package main

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"
)

// sameButDay returns which of the known records a record is, but for the day of its download;
// -1 for none. Only the one before it and the one behind it in the order of their days are
// looked at: a registry that goes back to what it said before is another version.
func sameButDay(known []logged, r *importRecord) int {
	before, behind := -1, -1
	for i := range known {
		switch d := known[i].dated; {
		case d < r.Dated && (before < 0 || d >= known[before].dated):
			before = i
		case d > r.Dated && (behind < 0 || d < known[behind].dated):
			behind = i
		}
	}
	for _, i := range []int{before, behind} {
		if i >= 0 && known[i].sameBut(r) {
			return i
		}
	}
	return -1
}

// sameBut reports whether a record is the one that is logged, but for the day on which
// it was downloaded, where the registry writes it.
func (l *logged) sameBut(r *importRecord) bool {
	if l.dated == "" || r.Dated == "" || l.dated == r.Dated {
		return false
	}
	then, err1 := time.Parse(time.DateOnly, l.dated)
	now, err2 := time.Parse(time.DateOnly, r.Dated)
	if err1 != nil || err2 != nil {
		return false
	}
	for _, form := range []struct{ before, day string }{
		{`"versionHolder"`, time.DateOnly}, {`"VersionHolder"`, "January 2, 2006"}, {`"VersionHolder"`,
			"January 02, 2006"}, {"<download_date>ClinicalTrials.gov processed this data on", "January 2, 2006"},
		{"<download_date>ClinicalTrials.gov processed this data on", "January 02, 2006"},
	} {
		if at := bytes.LastIndex(r.bytes, []byte(form.before)); at >= 0 {
			head, tail := r.bytes[:at+len(form.before)], r.bytes[at+len(form.before):]
			earlier := bytes.Replace(tail, []byte(now.Format(form.day)), []byte(then.Format(form.day)), 1)
			if sha256.Sum256(slices.Concat(head, earlier)) == l.digest {
				return true
			}
		}
	}
	return false
}

// same reports whether two records say the same: in all that is read of them, or as far
// as facts go where the earlier one is there by its facts alone. The number of a version
// is told only by answers of the registry's history.
func (l *logged) same(r *importRecord) bool {
	if l.study != nil {
		return l.study.Said() == r.study.Said()
	}
	p, q := *l.facts, *r.facts
	p.Version, q.Version = "", ""
	x, err1 := p.Marshal()
	y, err2 := q.Marshal()
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
