package checkpoint

import "slices"

// Margin returns how many of the witnesses for which agreed returns true must be lost, at least,
// before the others no longer satisfy the quorum; 0 if they do not satisfy it now. With a quorum
// of none it is -1: no loss matters.
func (p *Policy) Margin(agreed func(witness int) bool) int {
	if p.Unwitnessed() {
		return -1
	}
	return p.margin(p.quorum, agreed)
}

// margin relies on each name being a member of one group at most: a witness that is lost is
// lost to that group alone.
func (p *Policy) margin(name string, agreed func(int) bool) int {
	m := p.members[name]
	if m.need == 0 {
		if agreed(m.witness) {
			return 1
		}
		return 0
	}
	var margins []int // of the members that agree
	for _, of := range m.of {
		if n := p.margin(of, agreed); n > 0 {
			margins = append(margins, n)
		}
	}
	if len(margins) < m.need {
		return 0
	}
	slices.Sort(margins)
	sum := 0
	for _, n := range margins[:len(margins)-m.need+1] {
		sum += n
	}
	return sum
}
