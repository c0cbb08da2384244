package sensor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Profile says how long a medicine may stand at which temperature. Its bands are judged in
// their order: the first that holds a reading counts.
type Profile struct {
	Bands  []Band
	MaxGap int64 // minutes between two readings; a longer gap is unknown
}

// A Band is a range of temperatures, both ends included, in milli-degrees Celsius.
type Band struct {
	Min, Max int64
	Minutes  *int64 // how long a pack may be in it over all legs, nil: without bound
}

// Limits of a profile.
const (
	MaxBands   = 16
	maxMinutes = 100 * 366 * 24 * 60
)

// ParseProfile reads a profile such as
// {"bands":[{"min":2000,"max":8000},{"min":2000,"max":25000,"minutes":1440}],"maxGap":15}.
// It refuses unknown and missing members, members that occur twice, fractions, and bands that
// could never count.
func ParseProfile(data []byte) (Profile, error) {
	p, err := parseProfile(data)
	if err != nil {
		return Profile{}, fmt.Errorf("stability profile: %w", err)
	}
	return p, nil
}

func parseProfile(data []byte) (p Profile, err error) {
	if len(data) > 1<<16 {
		return p, errors.New("it has more than 65536 bytes")
	}
	t, root, err := parse(strings.TrimPrefix(string(data), "\ufeff"), nil)
	if err != nil {
		return p, err
	}
	if err := t.members(root, []string{"bands", "maxGap"}, nil); err != nil {
		return p, err
	}
	if p.MaxGap, err = t.integer(root, "maxGap", 1, maxMinutes); err != nil {
		return p, err
	}
	bands := root.get("bands")
	if bands.kind != '[' || len(bands.kids) == 0 || len(bands.kids) > MaxBands {
		return p, t.errorf(bands, "bands is not a list of 1 to %d bands", MaxBands)
	}
	for i, n := range bands.kids {
		if err := t.members(n, []string{"min", "max"}, []string{"minutes"}); err != nil {
			return p, err
		}
		var b Band
		if b.Min, err = t.integer(n, "min", lowest, highest); err != nil {
			return p, err
		}
		if b.Max, err = t.integer(n, "max", lowest, highest); err != nil {
			return p, err
		}
		if b.Min > b.Max {
			return p, t.errorf(n, "band %d: min %d is above max %d", i+1, b.Min, b.Max)
		}
		if n.get("minutes") != nil {
			minutes, err := t.integer(n, "minutes", 0, maxMinutes)
			if err != nil {
				return p, err
			}
			b.Minutes = &minutes
		}
		for j, earlier := range p.Bands {
			if earlier.Min <= b.Min && b.Max <= earlier.Max {
				return p, t.errorf(n, "band %d is within band %d and would never count: put the narrower band first", i+1, j+1)
			}
		}
		p.Bands = append(p.Bands, b)
	}
	return p, nil
}

// members checks that n is an object with all members that must be there and no unknown one.
func (t *tree) members(n *node, must, may []string) error {
	if n.kind != '{' {
		return t.errorf(n, "an object is missing")
	}
	known := map[string]bool{}
	for _, name := range may {
		known[name] = true
	}
	for _, name := range must {
		known[name] = true
		if n.get(name) == nil {
			return t.errorf(n, "%s is missing", name)
		}
	}
	for i, name := range n.keys {
		if !known[name] {
			return t.errorf(n.kids[i], "%q is not a known member", short(name))
		}
		if n.kids[i].kind == 'n' {
			return t.errorf(n.kids[i], "%s is null: leave it out", name)
		}
	}
	return nil
}

// integer returns a whole number of a member within bounds.
func (t *tree) integer(n *node, name string, low, high int64) (int64, error) {
	m := n.get(name)
	v, err := strconv.ParseInt(m.text, 10, 64)
	if m.kind != '0' || err != nil || v < low || v > high {
		return 0, t.errorf(m, "%s is not a whole number from %d to %d", name, low, high)
	}
	return v, nil
}

// class returns the first band that holds both temperatures, len(p.Bands) if none does.
func (p Profile) class(low, high int64) int {
	for i, b := range p.Bands {
		if b.Min <= low && high <= b.Max {
			return i
		}
	}
	return len(p.Bands)
}
