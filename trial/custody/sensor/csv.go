package sensor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ReadCSV reads a logger's table: lines about the logger, a line with the names of the columns,
// and a line for each reading. Fields are separated by semicolons, tabs, commas or bars, and may
// be within double quotes. Decimals have a point, or a comma where that does not separate fields.
func ReadCSV(data []byte, o Options) (Series, error) {
	text, err := decode(data)
	if err != nil {
		return Series{}, err
	}
	return readCSV(text, o)
}

// check checks the options.
func (o Options) check() error {
	if !slices.Contains([]string{"", "C", "F", "K"}, o.Unit) {
		return fmt.Errorf("-unit %q is no unit: type C, F or K", short(o.Unit))
	}
	if !slices.Contains([]string{"", "dmy", "mdy"}, o.Dates) {
		return fmt.Errorf("-dates %q is no order: type dmy or mdy", short(o.Dates))
	}
	for use := range o.Columns {
		if !slices.Contains([]string{"time", "date", "temperature", "device"}, use) {
			return fmt.Errorf("%q is no use of a column: type time, date, temperature or device", short(use))
		}
	}
	return nil
}

// A row is a line with a reading.
type row struct {
	line    int
	written string // date and time
	clock   clock
	degrees string
	unit    string
	device  string
}

// A table is a CSV file that is read.
type table struct {
	builder
	*header
	lines  []line
	logger string // from the lines before the header, "" if none
	degree string // unit of the file, "" if only the rows say it
	rows   []row
}

func readCSV(text string, o Options) (Series, error) {
	if err := o.check(); err != nil {
		return Series{}, err
	}
	t := &table{builder: builder{o: o}, lines: linesOf(text)}
	var err error
	if t.header, err = findHeader(t.lines, o); err != nil {
		return Series{}, err
	}
	for _, step := range []func() error{t.before, t.collect, t.dates, t.moments} {
		if err := step(); err != nil {
			return Series{}, err
		}
	}
	return t.finish()
}

// before reads the lines before the header: the logger and the unit.
func (t *table) before() error {
	t.logger, t.degree = t.header.logger, t.header.degree
	unit, sure := "", t.logger != "" // sure: a number, not only the name of a model
	for _, l := range t.lines[:t.line-1] {
		key, value := keyValue(l.text, t.delimiter)
		if value == "" {
			continue
		}
		switch w := words(key); {
		case deviceNames[w] && (t.logger == "" || !sure && serialIn.MatchString(w)):
			t.logger, sure = value, serialIn.MatchString(w)
		case unitNames[w] && unitOf(value) != "":
			if unit != "" && unit != unitOf(value) {
				return fmt.Errorf("line %d: the lines before the readings name two units", l.number)
			}
			unit = unitOf(value)
		}
	}
	if t.degree != "" && unit != "" && t.degree != unit {
		return fmt.Errorf("line %d: the column %q is in %s, a line before it says %s", t.line, short(t.names[t.degrees]), t.degree, unit)
	}
	if t.degree == "" {
		t.degree = unit
	}
	if t.degree != "" && t.o.Unit != "" && t.degree != t.o.Unit {
		return fmt.Errorf("line %d: the file says %s, -unit says %s: leave out -unit", t.line, t.degree, t.o.Unit)
	}
	for _, name := range t.skipped {
		t.note(0, fmt.Sprintf("the column %q was skipped", short(name)))
	}
	if t.zone != nil && t.o.Zone != nil {
		t.note(t.line, "the file names the zone of its times, "+t.zone.String()+": -tz is not used")
	}
	return nil
}

// keyValue splits a line such as "Serial Number: 123" or "Unit;°C".
func keyValue(s string, delimiter byte) (key, value string) {
	fields, ok := split(s, delimiter)
	if !ok || len(fields) == 0 {
		return "", ""
	}
	key = fields[0]
	for _, f := range fields[1:] {
		if f != "" && f != ":" && f != "=" {
			value = f
			break
		}
	}
	if value == "" {
		i := strings.IndexAny(key, ":=")
		if i < 0 {
			return "", ""
		}
		key, value = key[:i], key[i+1:]
	}
	return strings.TrimRight(key, ":= "), strings.TrimSpace(value)
}

// collect splits the lines after the header into rows.
func (t *table) collect() error {
	lastTime := t.lastTime()
	fewest := len(t.names) // fields of a row so far
	device := ""           // Lascar's files name it in the first row alone
	for i := t.line; i < len(t.lines); i++ {
		l := t.lines[i]
		if strings.TrimSpace(strings.ReplaceAll(l.text, string(rune(t.delimiter)), "")) == "" {
			if !l.ended && strings.TrimSpace(l.text) != "" {
				return t.cut(l)
			}
			continue
		}
		fields, ok := split(l.text, t.delimiter)
		field := func(column int) string {
			if column < 0 || column >= len(fields) {
				return ""
			}
			return fields[column]
		}
		written := field(t.moment)
		if t.moment < 0 {
			written = strings.TrimSpace(field(t.date) + " " + field(t.clock))
		}
		if i == t.line && isUnitRow(fields, t.header) {
			if t.degree != "" && t.degree != unitOf(field(t.degrees)) {
				return fmt.Errorf("line %d: the units under the names differ from those before", l.number)
			}
			t.degree = unitOf(field(t.degrees))
			continue
		}
		last := i == len(t.lines)-1
		if !ok && last {
			return t.cut(l)
		}
		if !ok {
			return fmt.Errorf("line %d: a double quote does not end, or text follows one", l.number)
		}
		if i > t.line && strings.TrimSpace(t.lines[i-1].text) == "" && len(t.rows) > 0 && i > lastTime {
			t.note(l.number, fmt.Sprintf("the lines after the readings were skipped (%d)", len(t.lines)-i))
			break
		}
		for _, extra := range fields[min(len(fields), len(t.names)):] {
			if extra != "" {
				return fmt.Errorf("line %d: it has more fields than the line of names: if decimals have a comma, export with "+
					"semicolons", l.number)
			}
		}
		if need := max(t.moment, t.date, t.clock, t.degrees, t.unit); len(fields) <= need {
			if last {
				return t.cut(l)
			}
			return fmt.Errorf("line %d: it has %d fields, but the column %q is number %d", l.number, len(fields), short(t.names[need]),
				need+1)
		}
		if d := field(t.device); d != "" {
			device = d
		}
		t.rows = append(t.rows, row{line: l.number, written: written, degrees: field(t.degrees), unit: field(t.unit), device: device})
		if len(t.rows) > MaxReadings {
			return fmt.Errorf("line %d: the file has more than %d readings: split it by time", l.number, MaxReadings)
		}
		if last && !l.ended {
			if len(fields) < fewest {
				return t.cut(l)
			}
			if err := t.open(l, fields); err != nil {
				return err
			}
		}
		fewest = min(fewest, len(fields))
	}
	return nil
}

// isUnitRow reports whether the fields are units and no reading, as some loggers write them
// under the names.
func isUnitRow(fields []string, h *header) bool {
	if h.degrees >= len(fields) || unitOf(fields[h.degrees]) == "" {
		return false
	}
	for _, i := range []int{h.moment, h.date, h.clock} {
		if i >= 0 && i < len(fields) && strings.ContainsAny(fields[i], "0123456789") {
			return false
		}
	}
	return true
}

// lastTime returns the index of the last line that has something like a time.
func (t *table) lastTime() int {
	for i := len(t.lines) - 1; i > 0; i-- {
		fields, _ := split(t.lines[i].text, t.delimiter)
		for _, f := range fields {
			if strings.Contains(f, ":") && strings.ContainsAny(f, "0123456789") || isoDate.MatchString(f) || plainDate.MatchString(f) {
				return i
			}
		}
	}
	return 0
}

func (t *table) cut(l line) error {
	return fmt.Errorf("line %d: the last line is cut: ask for the whole file", l.number)
}

// open judges a last line without a line end. It is whole if its last field is none that counts,
// or ends as this field does in all other rows, after a character that is no digit. Else it is
// cut, or nobody can tell.
func (t *table) open(l line, fields []string) error {
	column := len(fields) - 1
	mine := &t.rows[len(t.rows)-1]
	var of func(r row) string
	switch {
	case column == t.degrees:
		of = func(r row) string { return r.degrees }
	case column == t.moment || column == max(t.date, t.clock) && t.moment < 0:
		of = func(r row) string { return r.written }
	case column == t.unit:
		of = func(r row) string { return r.unit }
	default:
		return nil
	}
	if strings.HasSuffix(strings.TrimRight(l.text, " "), `"`) {
		return nil
	}
	shape, same, other := shapeOf(of(*mine)), 0, 0
	for _, r := range t.rows[:len(t.rows)-1] {
		switch {
		case missing(of(r)):
		case shapeOf(of(r)) == shape:
			same++
		default:
			other++
		}
	}
	switch {
	case other > 0 && same == 0:
		return t.cut(l)
	case other > 0 || same == 0 || !strings.Contains(shape, " "):
		mine.unit = openEnd
	}
	return nil
}

// openEnd marks the row of which nobody can tell whether it is whole.
const openEnd = "\x00"

// shapeOf returns how a field ends: the characters that are no digits, and how many digits follow
// the last of them. It has a space if there are both.
func shapeOf(s string) string {
	s = strings.TrimLeft(s, "+-−")
	rest := strings.TrimRight(s, "0123456789")
	others := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return -1
		case r >= 'A' && r <= 'Z':
			return 'A'
		}
		return r
	}, rest)
	if others == "" {
		return fmt.Sprintf("%d", len(s)-len(rest))
	}
	return fmt.Sprintf("%s %d", others, len(s)-len(rest))
}

// dates parses the times of the rows, in the one order of day, month and year that all of them
// allow.
func (t *table) dates() error {
	orders := []order{order(t.o.Dates)}
	if t.o.Dates == "" {
		orders = []order{isoOrder, dmy, mdy, ymd}
	}
	errs := map[order]error{}
	var fits []order // the orders that all rows allow
	for _, o := range orders {
		clocks := make([]clock, len(t.rows))
		var err error
		for i, r := range t.rows {
			if clocks[i], err = parseClock(r.written, o); err != nil {
				err = fmt.Errorf("line %d: %w", r.line, err)
				break
			}
		}
		errs[o] = err
		if err == nil {
			fits = append(fits, o)
			for i := range t.rows {
				t.rows[i].clock = clocks[i]
			}
		}
		if o == isoOrder && !errors.Is(err, errOrder) {
			return err
		}
	}
	switch {
	case len(fits) == 0 && t.o.Dates == "":
		return errs[dmy]
	case len(fits) == 0:
		return errs[orders[0]]
	case len(fits) > 1:
		return errs[isoOrder]
	case len(orders) > 1:
		t.note(0, "the order of day, month and year ("+string(fits[0])+") follows from the dates themselves")
	}
	return nil
}

// moments resolves the times and adds the readings.
func (t *table) moments() error {
	zone := t.zone
	if zone == nil {
		zone = t.o.Zone
	}
	if n := len(t.rows); n > 1 && t.rows[n-1].clock.wall.Before(t.rows[0].clock.wall) {
		slices.Reverse(t.rows)
		t.note(0, "the newest reading came first, and the lines were reversed")
	}
	times, err := resolve(t.rows, zone)
	if err != nil {
		return err
	}
	for i, r := range t.rows {
		device := r.device
		if device == "" {
			device = t.logger
		}
		if err := t.row(r, device, times[i]); err != nil {
			return fmt.Errorf("line %d: %w", r.line, err)
		}
	}
	return nil
}

// row adds the reading of a row.
func (t *table) row(r row, device string, at time.Time) error {
	if r.unit == openEnd {
		if t.wanted(r.line, device) {
			t.doubt(r.line, at, at, "the last line has no line end and may be cut: it is not counted; if it is whole, add a line end")
		}
		return nil
	}
	unit, text := t.degree, r.degrees
	if t.unit >= 0 && r.unit != "" {
		if unit = unitOf(r.unit); unit == "" {
			t.note(r.line, "a row in "+short(r.unit)+" was skipped")
			return nil
		}
		if t.degree != "" && t.degree != unit {
			return fmt.Errorf("the row is in %s, the file says %s", unit, t.degree)
		}
	}
	if !t.wanted(r.line, device) {
		return nil
	}
	if missing(text) {
		t.span(at, at)
		t.note(r.line, fmt.Sprintf("a reading is missing (%q)", short(text)))
		return nil
	}
	if beyond[strings.ToLower(text)] {
		t.doubt(r.line, at, at, "the logger was beyond its range ("+short(text)+")")
		return nil
	}
	if rest := strings.TrimRight(text, "°ºCFKcfk℃℉ \u00a0"); rest != text {
		own := unitOf(text[len(rest):])
		if own == "" || unit != "" && own != unit {
			return fmt.Errorf("the unit of %q does not agree with %q", short(text), unit)
		}
		unit, text = own, rest
	}
	if unit == "" {
		unit = t.o.Unit
	}
	switch {
	case unit == "":
		return errors.New("the file names no unit of temperature: name it with -unit C, F or K")
	case t.o.Unit != "" && unit != t.o.Unit:
		return fmt.Errorf("the file says %s, -unit says %s: leave out -unit", unit, t.o.Unit)
	}
	text = strings.Replace(text, "−", "-", 1)
	if !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	low, high, err := milli(text, unit)
	if err != nil {
		return err
	}
	return t.add(at, at, low, high)
}

var (
	// Fields that say that there is no reading, and those that say that the sensor could not show it.
	noReading = set(`|-|--|---|----|--.-|---.-|--.--|nc|n/c|n.c.|ol|o.l.|nan|n/a|na|#n/a|null|none|nil|err|error|err.|fault|fail|
		failed|open|short|invalid|no data|nodata|no sensor|missing|bad|disconnected|not connected|n.a.|?|???|****|####|
		*|fehler|kein wert|no reading|void|erreur`)
	beyond = set(`hi|lo|high|low|over|under|overrange|underrange|over range|under range|ovr|udr|inf|-inf|+inf|hhh|lll|hh|ll|
		overflow|underflow`)
)

// missing reports whether a field says that there is no reading.
func missing(s string) bool { return noReading[strings.ToLower(s)] }
