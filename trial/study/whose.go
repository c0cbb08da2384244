package study

import (
	"cmp"
	"maps"
	"slices"
)

// These say who stands behind a version. Any enrolled organisation may log what it says a
// registry showed. What such a third party logs must not decide what is said about another's
// trial, so every version says who stands behind it.
const (
	ByHolder    = "the trial's holder"
	ByDelegate  = "delegated by the trial's holder"
	ByRegistrar = "the registrar"
	ByNamed     = "named by the reader"
	ByReader    = "the reader's own file"
	ByOther     = "third party"
)

// Decides reports whether the version may decide a verdict. A version for which Whose is empty
// decides nothing.
func (v *Version) Decides() bool { return decides(v.Whose) }

func decides(whose string) bool {
	switch whose {
	case ByHolder, ByDelegate, ByRegistrar, ByNamed, ByReader:
		return true
	}
	return false
}

// Copies are what one third party logged.
type Copies struct {
	Org      string
	Versions []Version
}

// Part returns the versions that decide, and those of third parties by their organisations'
// ids. It finds the conflicts within each list anew: a third party's copy that contradicts the
// holder's does not contest the holder's.
func Part(versions []Version) (deciding []Version, others []Copies) {
	for _, v := range versions {
		if v.Decides() {
			deciding = append(deciding, v)
			continue
		}
		i, found := slices.BinarySearchFunc(others, v.Org, func(c Copies, org string) int { return cmp.Compare(c.Org, org) })
		if !found {
			others = slices.Insert(others, i, Copies{Org: v.Org})
		}
		others[i].Versions = append(others[i].Versions, v)
	}
	for i := range others {
		others[i].Versions = NewVersions(others[i].Versions)
	}
	return NewVersions(deciding), others
}

// With returns the versions that decide together with those of one third party.
func (c *Copies) With(deciding []Version) []Version {
	return NewVersions(slices.Concat(deciding, c.Versions))
}

// Sides returns what each organisation leads to if organisations that decide log different
// things for the same day of one source: its own versions, and all versions of the others that
// do not contradict its own. It returns nil if no organisation contradicts another. The
// reader's own files contradict nobody here, because the reader has chosen them.
func Sides(deciding []Version) (sides []Copies) {
	type rival struct {
		org   string
		place int
	}
	against := map[rival]bool{} // the organisation says something else than the version there
	orgs := map[string]bool{}
	for _, places := range sameDay(deciding) {
		for _, i := range places {
			for _, j := range places {
				a, b := &deciding[i], &deciding[j]
				if a.Org != b.Org && a.Whose != ByReader && b.Whose != ByReader && contradict(a, b) {
					against[rival{a.Org, j}], orgs[a.Org] = true, true
				}
			}
		}
	}
	for _, org := range slices.Sorted(maps.Keys(orgs)) {
		side := Copies{Org: org}
		for i, v := range deciding {
			if !against[rival{org, i}] {
				side.Versions = append(side.Versions, v)
			}
		}
		side.Versions = NewVersions(side.Versions)
		sides = append(sides, side)
	}
	return sides
}

// Alone returns the beginning of a verdict that rests only on third parties' copies, as in "by
// example-cro's copies alone: overdue".
func Alone(orgs []string) string {
	text := ""
	for i, org := range orgs {
		switch {
		case i == 0:
		case i == len(orgs)-1:
			text += " and "
		default:
			text += ", "
		}
		text += org + "'s"
	}
	return "by " + text + " copies alone: "
}
