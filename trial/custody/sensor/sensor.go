package sensor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a file.
const (
	MaxSize     = 16 << 20 // bytes
	MaxReadings = 1_000_000
	maxNotes    = 100
)

// Options say what a file does not say itself.
type Options struct {
	Zone    *time.Location    // of times without an offset; they are refused if it is nil
	Unit    string            // "C", "F" or "K", of temperatures without a unit; another unit in the file is refused
	Dates   string            // "dmy" or "mdy": how 03/04/2026 is read; "": refused if the file leaves it open
	Columns map[string]string // a CSV column's header by its use: "time", "date", "temperature", "device"
	Device  string            // only this logger's readings; a file that has none of them is refused
}

// A Reading is a temperature at one time, or the lowest and the highest over a period.
type Reading struct {
	From, To time.Time // UTC; equal for a point
	Min, Max int64     // milli-degrees Celsius, rounded outwards; equal for a point of whole milli-degrees
}

// A Doubt is a time, or a period, at which a file says that the temperature is not known. A leg
// with a doubt is never ok.
type Doubt struct {
	From, To time.Time
	Why      string
}

// A Series is what one logger recorded.
type Series struct {
	Device   string    // as the file names it, "" if it does not
	From, To time.Time // the first and last time that the file shows, of missing readings too; zero if none
	Readings []Reading // by From, To, Min and Max; equal ones once
	Doubts   []Doubt   // by From
	Notes    []string  // what was sorted, skipped, doubled or assumed, for people
}

// Read reads EPCIS JSON or a logger's CSV file; which one it is shows in its first byte. The
// name is for messages.
func Read(name string, data []byte, o Options) (Series, error) {
	s, err := read(data, o)
	if err != nil {
		return Series{}, fmt.Errorf("read %s: %w", name, err)
	}
	return s, nil
}

func read(data []byte, o Options) (Series, error) {
	text, err := decode(data)
	if err != nil {
		return Series{}, err
	}
	start := bytes.TrimLeft([]byte(text[:min(len(text), 4096)]), " \t\r\n")
	switch {
	case len(start) == 0 && len(text) <= 4096:
		return Series{}, errors.New("the file is empty")
	case bytes.HasPrefix(start, []byte("{")), bytes.HasPrefix(start, []byte("[{")), bytes.Equal(bytes.TrimSpace(start), []byte("[]")),
		bytes.HasPrefix(start, []byte("[")) && bytes.HasPrefix(bytes.TrimLeft(start[1:], " \t\r\n"), []byte("{")):
		return readEPCIS(text, o)
	case bytes.HasPrefix(start, []byte("<")):
		return Series{}, errors.New("this is XML or HTML: export the readings as CSV or EPCIS 2.0 JSON")
	}
	return readCSV(text, o)
}

// A builder collects a series.
type builder struct {
	o       Options
	series  Series
	devices []string // of the temperatures that were met, in order; "" for one without a device
	other   int      // temperatures of other loggers
	what    []string // notes
	count   []int
	first   []int
	index   map[string]int
}

// note notes what was found in a line; the same words in many lines become one note.
func (b *builder) note(line int, what string) {
	if i, ok := b.index[what]; ok {
		b.count[i]++
		return
	}
	if b.index == nil {
		b.index = map[string]int{}
	}
	if len(b.what) == maxNotes {
		what = "further notes were left out"
		if _, ok := b.index[what]; ok {
			return
		}
	}
	b.index[what] = len(b.what)
	b.what, b.count, b.first = append(b.what, what), append(b.count, 1), append(b.first, line)
}

// span notes that the file shows a time.
func (b *builder) span(from, to time.Time) {
	if b.series.From.IsZero() || from.Before(b.series.From) {
		b.series.From = from.UTC()
	}
	if b.series.To.IsZero() || to.After(b.series.To) {
		b.series.To = to.UTC()
	}
}

func (b *builder) doubt(line int, from, to time.Time, why string) {
	b.span(from, to)
	b.note(line, why)
	b.series.Doubts = append(b.series.Doubts, Doubt{from.UTC(), to.UTC(), why})
}

// add adds a reading.
func (b *builder) add(from, to time.Time, low, high int64) error {
	if len(b.series.Readings) == MaxReadings {
		return fmt.Errorf("the file has more than %d readings: split it by time", MaxReadings)
	}
	b.span(from, to)
	b.series.Readings = append(b.series.Readings, Reading{from.UTC(), to.UTC(), low, high})
	return nil
}

// wanted notes the logger of a temperature and reports whether its readings are wanted.
func (b *builder) wanted(line int, device string) bool {
	if b.o.Device != "" && !strings.EqualFold(device, b.o.Device) {
		b.other++
		if device == "" {
			b.note(line, "a temperature that names no logger was skipped")
		} else {
			b.note(line, fmt.Sprintf("a temperature of the logger %q was skipped", short(device)))
		}
		return false
	}
	if !slices.ContainsFunc(b.devices, func(d string) bool { return strings.EqualFold(d, device) }) && len(b.devices) < 10 {
		b.devices = append(b.devices, device)
	}
	return true
}

// finish orders the readings and checks that they are of one logger.
func (b *builder) finish() (Series, error) {
	s := &b.series
	switch {
	case len(b.devices) > 1:
		list := slices.Clone(b.devices)
		for i, d := range list {
			if list[i] = strconv.Quote(short(d)); d == "" {
				list[i] = "one without a name"
			}
		}
		return Series{}, fmt.Errorf("the file has temperatures of several loggers (%s): name the one that travelled with the pack "+
			"with -device",
			strings.Join(list, ", "))
	case len(b.devices) == 1:
		s.Device = b.devices[0]
	case b.other > 0:
		return Series{}, fmt.Errorf("the file has no temperature of the logger %q, but %d of others: check that it is the file of "+
			"this box",
			short(b.o.Device), b.other)
	}
	if len(s.Readings) == 0 && len(s.Doubts) == 0 {
		b.note(0, "the file has no temperature")
	}
	if !slices.IsSortedFunc(s.Readings, func(a, b Reading) int { return a.From.Compare(b.From) }) {
		back := 0
		for i := range s.Readings {
			if i > 0 && s.Readings[i].From.Before(s.Readings[i-1].From) {
				back++
			}
		}
		b.note(0, fmt.Sprintf("the readings were not in the order of their times (%d steps back) and were sorted", back))
	}
	slices.SortStableFunc(s.Readings, compare)
	n := len(s.Readings)
	s.Readings = slices.Compact(s.Readings)
	if twice := n - len(s.Readings); twice > 0 {
		b.note(0, fmt.Sprintf("readings that the file has twice count once (%d)", twice))
	}
	for i := range s.Readings {
		if i > 0 && s.Readings[i].From.Equal(s.Readings[i-1].From) && s.Readings[i].To.Equal(s.Readings[i-1].To) {
			b.note(0, "readings that differ at the same time: the worse counts")
		}
	}
	slices.SortStableFunc(s.Doubts, func(a, b Doubt) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), strings.Compare(a.Why, b.Why))
	})
	s.Doubts = slices.Compact(s.Doubts)
	for i, what := range b.what {
		switch {
		case b.count[i] > 1 && b.first[i] > 0:
			what += fmt.Sprintf(" (%d times, first in line %d)", b.count[i], b.first[i])
		case b.count[i] > 1:
			what += fmt.Sprintf(" (%d times)", b.count[i])
		case b.first[i] > 0:
			what += fmt.Sprintf(" (line %d)", b.first[i])
		}
		s.Notes = append(s.Notes, what)
	}
	return *s, nil
}

func compare(a, b Reading) int {
	return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.Min, b.Min), cmp.Compare(a.Max, b.Max))
}

// short returns a text of a file for a message.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
