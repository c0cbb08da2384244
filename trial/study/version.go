package study

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/trialproof/trialproof/trial"
)

// A Version is a study as one entry of a log has it, from its facts or from a file that the
// entry commits to.
type Version struct {
	*Study
	Entry   uint64     // index in the log
	ID      trial.Hash // identity of the statement
	Kind    string     // of the statement: registration, protocol, results, document or observation
	Org     string     // whose key signed it
	Whose   string     // who stands behind it: ByHolder and so on
	File    string     // name of the file, if only files are compared and nothing is logged
	Digest  trial.Hash // of the document; zero if the entry only commits to it with a salt
	Logged  string     // day of admission, UTC, by the log's clock
	Claimed string     // day that the source or the signer gives for this version; "" if none
	// Conflicts are the entries with the same source, format and claimed day whose documents
	// have other bytes: nobody can know which of them the source showed.
	Conflicts []uint64
}

// These say who stands behind a version's day.
const (
	ByLog    = "the log"
	BySource = "claimed by the source"
)

// Day returns the version's day, and who stands behind it: the claimed day if one is given. It
// is the log's if the version was logged by then.
func (v *Version) Day() (day, by string) {
	if v.Logged != "" && (v.Claimed == "" || v.Claimed >= v.Logged) {
		return v.Logged, ByLog
	}
	return v.Claimed, BySource
}

// Name names a version as people can find it: by its entry, or by its file if nobody has logged
// it.
func (v *Version) Name() string { return nameOf(v.Entry, v.File) }

// Name names the version that first had a value.
func (v *Value) Name() string { return nameOf(v.Entry, v.File) }

func nameOf(entry uint64, file string) string {
	if file != "" {
		return file
	}
	return fmt.Sprintf("entry %d", entry)
}

// NewVersions sorts versions by their days, and those of one day in the order of the log, and
// finds conflicts.
func NewVersions(list []Version) []Version {
	slices.SortStableFunc(list, func(a, b Version) int {
		x, _ := a.Day()
		y, _ := b.Day()
		return cmp.Or(strings.Compare(x, y), cmp.Compare(a.Entry, b.Entry))
	})
	for i := range list {
		list[i].Conflicts = nil
	}
	for _, places := range sameDay(list) {
		for _, i := range places {
			for _, j := range places {
				if len(list[i].Conflicts) == maxConflicts {
					break
				}
				if contradict(&list[i], &list[j]) {
					list[i].Conflicts = append(list[i].Conflicts, list[j].Entry)
				}
			}
		}
	}
	return list
}

// sameDay returns the indexes of the observations that claim to be of one source, format and
// day.
func sameDay(list []Version) [][]int {
	type shown struct{ day, format, number string }
	same := map[shown][]int{}
	for i := range list {
		if v := &list[i]; v.Kind == "observation" && v.Claimed != "" {
			key := shown{v.Claimed, v.Format, v.Number("nct")}
			same[key] = append(same[key], i)
		}
	}
	return slices.Collect(maps.Values(same))
}

// maxConflicts is how many contradicting versions are named for one version.
const maxConflicts = 20

// contradict reports whether two copies of one source and day cannot both be what it showed.
func contradict(a, b *Version) bool { return a.Digest != b.Digest && !sameSaid(a, b) }

// sameSaid reports whether two copies say the same, whatever else is in their bytes.
func sameSaid(a, b *Version) bool {
	x, y := a.Study.said(), b.Study.said()
	return x[0] != "" && x[0] == y[0] && (x[1] == y[1] || x[1] == "" || y[1] == "")
}

// Said returns a text that is equal for studies in which everything that is read is equal,
// except for the number of an answer of a registry's history.
func (s *Study) Said() string {
	said := s.said()
	return said[0] + said[1]
}

// said returns what a study says, as far as facts go, and everything that is read of it if it
// does not come from facts. Each is "" if it is not known.
func (s *Study) said() (said [2]string) {
	if s.saying != nil {
		return *s.saying
	}
	defer func() { s.saying = &said }()
	f := s.facts
	if !s.PartOnly {
		f, _ = s.Facts()
		long, err := json.Marshal([]any{s.Outcomes, s.Reported, s.Summary, s.Eligibility, s.Sections, s.Countries})
		if err != nil {
			return said
		}
		said[1] = string(long)
	}
	if f == nil {
		return said
	}
	bare := *f
	bare.Version = "" // the number of an answer of the history
	if data, err := bare.Marshal(); err == nil {
		said[0] = string(data)
	}
	return said
}

// A Value is what a version said about one thing; it is the first version that said so.
type Value struct {
	Date
	Entry uint64
	Day   string
	By    string // who stands behind Day
	Org   string // the organisation that logged it
	Whose string // who stands behind the value
	File  string `json:",omitempty"` // in place of an entry, if only files are compared
}

// History returns every value that an event's date had, in the order of versions, each from the
// first version that gave it.
func History(versions []Version, event string) []Value {
	var list []Value
	for i := range versions {
		d := versions[i].Date(event)
		if d.Date == "" || len(list) > 0 && list[len(list)-1].Date == d {
			continue
		}
		day, by := versions[i].Day()
		v := &versions[i]
		list = append(list, Value{d, v.Entry, day, by, v.Org, v.Whose, v.File})
	}
	return list
}

// begunStatuses are the statuses of a trial that has begun.
var begunStatuses = []string{"recruiting", "enrolling-by-invitation", "active-not-recruiting", "suspended", "terminated", "completed"}

// Begun returns the start of a version that says that the trial had begun: its start is before
// the day of the version, whatever its kind is, and its status is not one of a trial that is
// still to begin.
func (v *Version) Begun() (start string, ok bool) {
	start = v.Date(Start).Date
	day, _ := v.Day()
	_, last, ok := span(start)
	return start, ok && last < day && slices.Contains(begunStatuses, v.Status)
}
