package sensor_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode/utf16"

	"github.com/trialproof/trialproof/trial/custody/sensor"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func utf16of(s string, order binary.AppendByteOrder, bom bool) string {
	var b []byte
	if bom {
		s = "\ufeff" + s
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

const hobo = "\"Plot Title: box 7\"\n" +
	"\"#\",\"Date Time, GMT-05:00\",\"Temp, °F (LGR S/N: 10360568, SEN S/N: 10360568)\",\"Coupler Attached (LGR S/N: 10360568)\"," +
	"\"End Of File\"\n" +
	"1,03/19/26 11:50:00 AM,41.0,Logged,\n2,03/19/26 12:00:00 PM,41.9,,\n3,03/19/26 12:05:00 PM,,,Logged\n"

const german = "Seriennummer;4711\nIntervall;10 min\n\nDatum;Uhrzeit;Temperatur [°C];Feuchte [%rF]\n" +
	"01.03.2026;09:50:00;5,1;45,0\n01.03.2026;10:00:00;-0,25;45,1\n01.03.2026;10:10:00;---;---\n"

// TestCSV reads files as loggers write them. Times were converted, and degrees worked out, by hand.
func TestCSV(t *testing.T) {
	utc := sensor.Options{Zone: time.UTC}
	berlin := sensor.Options{Zone: zone(t, "Europe/Berlin")}
	// 41.0 °F is 5 °C, 41.9 °F is 5.5 °C; 11:50 at -05:00 is 16:50 UTC.
	hoboWant := "10360568: 2026-03-19T16:50:00Z 5000; 2026-03-19T17:00:00Z 5500"
	germanWant := "4711: 2026-03-01T08:50:00Z 5100; 2026-03-01T09:00:00Z -250"
	for _, c := range []struct {
		name, file string
		o          sensor.Options
		want, note string
	}{
		{"HOBO", hobo, sensor.Options{}, hoboWant, `a reading is missing ("") (line 5)`},
		{"HOBO, Latin-1", latin1(hobo), sensor.Options{}, hoboWant, "(mdy)"},
		{"HOBO, UTF-16 LE with a mark", utf16of(hobo, binary.LittleEndian, true), sensor.Options{}, hoboWant, ""},
		{"HOBO, UTF-16 BE with a mark", utf16of(hobo, binary.BigEndian, true), sensor.Options{}, hoboWant, ""},
		{"HOBO, UTF-16 LE", utf16of(hobo, binary.LittleEndian, false), sensor.Options{}, hoboWant, ""},
		{"HOBO, UTF-16 BE", utf16of(hobo, binary.BigEndian, false), sensor.Options{}, hoboWant, ""},
		{"German, winter", german, berlin, germanWant, `the column "Feuchte [%rF]" was skipped`},
		{"German, mark and \\r\\n", "\ufeff" + strings.ReplaceAll(german, "\n", "\r\n"), berlin, germanWant,
			`a reading is missing ("---") (line 7)`},
		{"German, \\r", strings.ReplaceAll(german, "\n", "\r"), berlin, germanWant, ""},
		{"tabs", strings.ReplaceAll(german, ";", "\t"), berlin, germanWant, ""},
		{"Lascar", "EasyLog USB,Time,Celsius(°C),Humidity(%rh),Dew Point(°C),Serial Number\n1,2026-03-01 10:00:00,5.0,40,1.2,010035549\n" +
			"2,2026-03-01 10:05:00,5.5,41,1.3\n", utc, "010035549: 2026-03-01T10:00:00Z 5000; 2026-03-01T10:05:00Z 5500",
			`the column "Dew Point(°C)" was skipped`},
		{"iButton", "1-Wire/iButton Part Number: DS1921G-F5\n1-Wire/iButton Registration Number: 8400000036BF0121\n\nDate/Time," +
			"Unit,Value\n" +
			"21/08/16 9:05:00 PM,C,7.5\n22/08/16 1:20:00 AM,C,8\n", sensor.Options{Zone: time.UTC, Dates: "dmy"},
			"8400000036BF0121: 2016-08-21T21:05:00Z 7500; 2016-08-22T01:20:00Z 8000", ""},
		{"kelvin", "Timestamp,Temperature (K)\n2026-03-01T10:00:00Z,278.15\n", sensor.Options{}, ": 2026-03-01T10:00:00Z 5000", ""},
		{"offsets in the times", "Timestamp;Temp °C\n2026-03-01T10:00:00+01:00;5\n2026-03-01 10:05:30.5 +0100;6\n", sensor.Options{},
			": 2026-03-01T09:00:00Z 5000; 2026-03-01T09:05:30.5Z 6000", ""},
		{"the unit in a line before", "Device ID:;AB-1\nTemperature Unit:;°F\nDate;Time;Temperature\n2026-03-01;10:00;32\n", utc,
			"AB-1: 2026-03-01T10:00:00Z 0", ""},
		{"the unit under the names", "Date;Time;Temperature;Humidity\n;;°C;%\n2026-03-01;10:00;5;50\n", utc,
			": 2026-03-01T10:00:00Z 5000", ""},
		{"the unit with the value", "Date/Time;Temperature\n2026-03-01 10:00;5.1 °C\n2026-03-01 10:05;5.2C\n", utc,
			": 2026-03-01T10:00:00Z 5100; 2026-03-01T10:05:00Z 5200", ""},
		{"the unit by option", "Date/Time,Temperature\n2026-03-01 10:00,-4\n", sensor.Options{Zone: time.UTC, Unit: "F"},
			": 2026-03-01T10:00:00Z -20000", ""},
		{"French", "Horodatage;Température (°C);Humidité\n01/03/2026 10:00;5,1;40\n13/03/2026 10:00;5,2;40\n", utc,
			": 2026-03-01T10:00:00Z 5100; 2026-03-13T10:00:00Z 5200", "(dmy) follows"},
		{"Spanish, named order", "Fecha;Hora;Temperatura °C\n03/04/2026;10:00;5,1\n", sensor.Options{Zone: time.UTC, Dates: "dmy"},
			": 2026-04-03T10:00:00Z 5100", ""},
		{"American order", "Date,Time,Temp (C)\n03/04/2026,1:00 PM,5.1\n03/04/2026,12:00 AM,5.2\n", sensor.Options{Zone: time.UTC,
			Dates: "mdy"},
			": 2026-03-04T00:00:00Z 5200; 2026-03-04T13:00:00Z 5100", "the newest reading came first"},
		{"names of months", "Date,Time,Temp °C\n01-Mar-2026,10:00:00,5.1\n", utc, ": 2026-03-01T10:00:00Z 5100", ""},
		{"a comma within quotes", "Date/Time,Temp °C\n\"2026-03-01 10:00\",\"5,25\"\n", utc, ": 2026-03-01T10:00:00Z 5250", ""},
		{"more than milli-degrees", "Date/Time,Temp °C\n2026-03-01 10:00,8.0004\n2026-03-01 10:05,-8.0004\n", utc,
			": 2026-03-01T10:00:00Z 8000 8001; 2026-03-01T10:05:00Z -8001 -8000", ""},
		// 40 °F is 4.444… °C
		{"a repeating fraction", "Date/Time,Temp °F\n2026-03-01 10:00,40\n", utc, ": 2026-03-01T10:00:00Z 4444 4445", ""},
		{"NC and OL", "Date/Time,Temp °C\n2026-03-01 10:00,5.0\n2026-03-01 10:05,NC\n2026-03-01 10:10,OL\n2026-03-01 10:15,\n", utc,
			": 2026-03-01T10:00:00Z 5000", `a reading is missing ("OL") (line 4)`},
		{"out of order", "Date/Time,Temp °C\n2026-03-01 10:00,5.0\n2026-03-01 10:10,5.2\n2026-03-01 10:05,5.1\n2026-03-01 10:15,5.3\n",
			utc,
			": 2026-03-01T10:00:00Z 5000; 2026-03-01T10:05:00Z 5100; 2026-03-01T10:10:00Z 5200; 2026-03-01T10:15:00Z 5300",
			"(1 steps back)"},
		{"doubled", "Date/Time,Temp °C\n2026-03-01 10:00,5.0\n2026-03-01 10:00,5.0\n2026-03-01 10:05,5.1\n2026-03-01 10:05,9.1\n", utc,
			": 2026-03-01T10:00:00Z 5000; 2026-03-01T10:05:00Z 5100; 2026-03-01T10:05:00Z 9100", "readings that differ at the same time"},
		{"one of two channels", "Date/Time,Temp 1 °C,Temp 2 °C\n2026-03-01 10:00,5.0,6.0\n", sensor.Options{Zone: time.UTC,
			Columns: map[string]string{"temperature": "temp 2 °c"}}, ": 2026-03-01T10:00:00Z 6000", ""},
		{"named columns", "when,probe\n2026-03-01 10:00,5.0\n", sensor.Options{Zone: time.UTC, Unit: "C",
			Columns: map[string]string{"time": "when",
				"temperature": "probe"}}, ": 2026-03-01T10:00:00Z 5000", ""},
		{"one of two loggers", "Device,Timestamp,Temp °C\nA,2026-03-01 10:00,5.0\nB,2026-03-01 10:05,6.0\n", sensor.Options{Zone: time.UTC,
			Device: "b"}, "B: 2026-03-01T10:05:00Z 6000", `a temperature of the logger "A" was skipped`},
		{"lines after the readings", "Date/Time,Temp °C\n2026-03-01 10:00,5.0\n\nMinimum,5.0\nMaximum,5.0\n", utc,
			": 2026-03-01T10:00:00Z 5000",
			"the lines after the readings were skipped (2)"},
		{"no line end, one shape", "Date/Time,Temp °C\n2026-03-01 10:00,5.0\n2026-03-01 10:05,15.0", utc,
			": 2026-03-01T10:00:00Z 5000; 2026-03-01T10:05:00Z 15000", ""},
		{"a column of alarms", "Time,Celsius(°C),High Alarm (°C),Low Alarm (°C)\n2026-03-01 10:00,5.0,8.0,2.0\n", utc,
			": 2026-03-01T10:00:00Z 5000",
			`the column "High Alarm (°C)" was skipped`},
		{"a zone in the name", "Date/Time (UTC+2);Temp °C\n2026-03-01 10:00;5\n", berlin, ": 2026-03-01T08:00:00Z 5000",
			"-tz is not used"},
		{"a thermocouple", "Date/Time;Temperature K-Type (°C)\n2026-03-01 10:00;5\n", utc, ": 2026-03-01T10:00:00Z 5000", ""},
		{"a minus sign of typographers", "Date/Time;Temp °C\n2026-03-01 10:00;−5,5\n", utc, ": 2026-03-01T10:00:00Z -5500", ""},
	} {
		s, err := sensor.Read("log.csv", []byte(c.file), c.o)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.Device + ": " + showAll(s); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s\nnotes %q", c.name, got, c.want, s.Notes)
		}
		if !strings.Contains(strings.Join(s.Notes, "\n"), c.note) {
			t.Errorf("%s: no note %q in %q", c.name, c.note, s.Notes)
		}
		if len(s.Doubts) > 0 {
			t.Errorf("%s: doubts %v", c.name, s.Doubts)
		}
	}
}

// TestRefusedCSV reads files that are refused, and says why.
func TestRefusedCSV(t *testing.T) {
	utc := sensor.Options{Zone: time.UTC}
	const head = "Date/Time,Temp °C\n"
	for _, c := range []struct {
		name, file string
		o          sensor.Options
		want       string
	}{
		{"no zone", head + "2026-03-01 10:00,5.0\n", sensor.Options{}, "line 2: 2026-03-01 10:00:00 has no time zone: name it with -tz"},
		{"no unit", "Date/Time,Temperature\n2026-03-01 10:00,5.0\n", utc, "line 2: the file names no unit"},
		{"another unit by option", head + "2026-03-01 10:00,5.0\n", sensor.Options{Zone: time.UTC, Unit: "F"},
			"line 1: the file says C, -unit says F"},
		{"another unit with the value", head + "2026-03-01 10:00,41 F\n", utc, "line 2: the unit of \"41 F\" does not agree"},
		{"another unit before", "Unit,°F\n" + head + "2026-03-01 10:00,5.0\n", utc,
			"line 2: the column \"Temp °C\" is in C, a line before it says F"},
		{"day or month", head + "03/04/2026 10:00,5.0\n", utc, "line 2: \"03/04/2026\" may be day or month first: type -dates"},
		{"day and month", head + "13/04/2026 10:00,5.0\n04/13/2026 10:00,5.0\n", utc, "line 3: \"04/13/2026\" is no day"},
		{"the other order", head + "13/04/2026 10:00,5.0\n", sensor.Options{Zone: time.UTC, Dates: "mdy"},
			"line 2: \"13/04/2026\" is no day"},
		{"two channels", "Date/Time,Temp 1 °C,Temp 2 °C\n2026-03-01 10:00,5.0,6.0\n", utc,
			"line 1: the file has several columns of a temperature"},
		{"no header", "2026-03-01 10:00,5.0\n", utc, "no line names a column of times"},
		{"a column that is not there", head + "2026-03-01 10:00,5.0\n", sensor.Options{Zone: time.UTC,
			Columns: map[string]string{"temperature": "x"}},
			"no line has a column \"x\""},
		{"a text", head + "2026-03-01 10:00,cold\n", utc, "line 2: \"cold\" is not a decimal number"},
		{"no number", head + "2026-03-01 10:00,5.0.1\n", utc, "line 2: \"5.0.1\" is not a decimal number"},
		{"too cold", head + "2026-03-01 10:00,-273.16\n", utc, "line 2: -273.16 C is no temperature between"},
		{"too warm", head + "2026-03-01 10:00,1000.0001\n", utc, "line 2: 1000.0001 C is no temperature between"},
		{"no time", head + "yesterday,5.0\n", utc, "line 2: \"yesterday\" is no date and time"},
		{"no day", head + "2026-02-30 10:00,5.0\n", utc, "line 2: \"2026-02-30\" is no day"},
		{"hour 13 PM", head + "2026-03-01 13:00 PM,5.0\n", utc, "line 2: \"2026-03-01 13:00 PM\" has AM or PM"},
		{"a decimal comma that separates", head + "2026-03-01 10:00,5,1\n", utc, "line 2: it has more fields than the line of names"},
		{"a short line", "Date/Time,Nr,Temp °C\n2026-03-01 10:00,1\n2026-03-01 10:05,2,5.0\n", utc, "line 2: it has 2 fields"},
		{"cut after a field", "Date/Time,Temp °C\n2026-03-01 10:00,5.0\n2026-03-01 10:05", utc, "line 3: the last line is cut"},
		{"cut within a value", head + "2026-03-01 10:00,5.0\n2026-03-01 10:05,25", utc, "line 3: the last line is cut"},
		{"cut after the point", head + "2026-03-01 10:00,5.0\n2026-03-01 10:05,25.", utc, "line 3: the last line is cut"},
		{"cut within quotes", head + "\"2026-03-01 10:00\",\"5.0\"\n\"2026-03-01 10:05\",\"5", utc, "line 3: the last line is cut"},
		{"cut UTF-16", utf16of(head, binary.LittleEndian, true) + "2", utc, "it is cut"},
		{"another box", "Serial Number,123\n" + head + "2026-03-01 10:00,5.0\n", sensor.Options{Zone: time.UTC, Device: "124"},
			"the file has no temperature of the logger \"124\""},
		{"a box without a name", head + "2026-03-01 10:00,5.0\n", sensor.Options{Zone: time.UTC, Device: "124"},
			"no temperature of the logger"},
		{"two loggers", "Device,Timestamp,Temp °C\nA,2026-03-01 10:00,5.0\nB,2026-03-01 10:05,6.0\n", utc,
			"several loggers (\"A\", \"B\")"},
		{"a quote", head + "\"2026-03-01 10:00,5.0\n2026-03-01 10:05,5.0\n", utc, "line 2: a double quote"},
		{"nothing", "", utc, "the file is empty"},
		{"a PDF", "%PDF-1.4\x00", utc, "the file is no text"},
		{"XML", "<?xml version=\"1.0\"?>", utc, "XML or HTML"},
		{"an unknown unit", head, sensor.Options{Unit: "R"}, "-unit \"R\""},
		{"an unknown order", head, sensor.Options{Dates: "ymd"}, "-dates \"ymd\""},
		{"an unknown use", head, sensor.Options{Columns: map[string]string{"humidity": "x"}}, "no use of a column"},
		{"a clock that lost its time", head + "1970-01-01 00:00:10,5.0\n", utc, "line 2: the year 1970"},
		{"more than 1000 columns", "Date/Time,Temp °C" + strings.Repeat(",x", 999) + "\n2026-03-01 10:00,5.0\n", utc,
			"no line names a column"},
		{"a year before clocks", head + "1969-03-01 10:00,5.0\n", utc, "line 2: the year 1969"},
	} {
		s, err := sensor.Read("log.csv", []byte(c.file), c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read log.csv: ") {
			t.Errorf("%s: %v (%s), not %s", c.name, err, showAll(s), c.want)
		}
	}
	if _, err := sensor.ReadCSV(make([]byte, sensor.MaxSize+1), utc); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a large file: %v", err)
	}
	many := head + strings.Repeat("2026-03-01 10:00,5\n", 100)
	if _, err := sensor.ReadCSV([]byte(many), utc); err != nil {
		t.Errorf("100 lines: %v", err)
	}
}

// TestMissing checks that a probe that fell off, a sensor beyond its range and a last line that
// may be cut are not ok, at the ends of a file too.
func TestMissing(t *testing.T) {
	p := profile(t, design)
	const head = "Date/Time,Temp °C\n2026-03-01 10:00,5.0\n2026-03-01 10:10,5.0\n"
	for _, c := range []struct {
		name, rows string
		want       string
		unknown    int64 // minutes
	}{
		{"one reading is missing", "2026-03-01 10:15,NC\n2026-03-01 10:20,5.0\n", sensor.OK, 0},
		{"readings are missing in the middle", "2026-03-01 10:20,NC\n2026-03-01 10:30,5.0\n", sensor.Unknown, 20},
		{"15 minutes are missing at the end", "2026-03-01 10:20,\n2026-03-01 10:25,\n", sensor.OK, 0},
		{"20 minutes are missing at the end", "2026-03-01 10:20,\n2026-03-01 10:30,---\n", sensor.Unknown, 20},
		{"20 minutes are missing at the start", "2026-03-01 09:40,---\n", sensor.Unknown, 20},
		{"beyond the range", "2026-03-01 10:15,HI\n2026-03-01 10:20,5.0\n", sensor.Unknown, 0},
		{"beyond the range at the end", "2026-03-01 10:15,HI\n", sensor.Unknown, 0},
		{"a last line of which nobody can tell", "2026-03-01 10:15,5.25\n2026-03-01 10:20,5.0", sensor.Unknown, 0},
	} {
		s, err := sensor.ReadCSV([]byte(head+c.rows), sensor.Options{Zone: time.UTC})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		a := p.Assess(s, time.Time{}, time.Time{})
		if got := p.Condition(a); got != c.want || a.Unknown != c.unknown*60 {
			t.Errorf("%s: %s with %d unknown seconds, not %s with %d minutes; notes %q", c.name, got, a.Unknown, c.want, c.unknown,
				s.Notes)
		}
	}
}

// TestClocksGoBack reads local times of Berlin around 2026-10-25 03:00, when clocks went back to
// 02:00 (01:00 UTC), and around 2026-03-29 02:00, when they went forward to 03:00.
func TestClocksGoBack(t *testing.T) {
	berlin := sensor.Options{Zone: zone(t, "Europe/Berlin")}
	const head = "Date/Time;Temp °C\n"
	read := func(times ...string) (string, error) {
		text := head
		for i, at := range times {
			text += at + ";" + string(rune('1'+i)) + "\n"
		}
		s, err := sensor.ReadCSV([]byte(text), berlin)
		return showAll(s), err
	}
	both := []string{"2026-10-25 01:30", "2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 02:00", "2026-10-25 02:30",
		"2026-10-25 03:00"}
	want := "2026-10-24T23:30:00Z 1000; 2026-10-25T00:00:00Z 2000; 2026-10-25T00:30:00Z 3000; 2026-10-25T01:00:00Z 4000; " +
		"2026-10-25T01:30:00Z 5000; 2026-10-25T02:00:00Z 6000"
	if got, err := read(both...); got != want || err != nil {
		t.Errorf("both hours: %s, %v", got, err)
	}
	reversed := slices.Clone(both)
	slices.Reverse(reversed)
	want = "2026-10-24T23:30:00Z 6000; 2026-10-25T00:00:00Z 5000; 2026-10-25T00:30:00Z 4000; 2026-10-25T01:00:00Z 3000; " +
		"2026-10-25T01:30:00Z 2000; 2026-10-25T02:00:00Z 1000"
	if got, err := read(reversed...); got != want || err != nil {
		t.Errorf("both hours, the newest first: %s, %v", got, err)
	}
	if got, err := read("2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 03:00"); err != nil ||
		got != "2026-10-25T00:00:00Z 1000; 2026-10-25T01:00:00Z 2000; 2026-10-25T02:00:00Z 3000" {
		t.Errorf("each hour once: %s, %v", got, err)
	}
	for _, times := range [][]string{
		{"2026-10-25 01:30", "2026-10-25 02:30", "2026-10-25 03:30"}, {"2026-10-25 02:30"},
		{"2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 02:10", "2026-10-25 02:05"},
	} {
		if got, err := read(times...); err == nil || !strings.Contains(err.Error(), "occurs twice") {
			t.Errorf("%v: %s, %v", times, got, err)
		}
	}
	if got, err := read("2026-03-29 01:30", "2026-03-29 02:30"); err == nil || !strings.Contains(err.Error(),
		"line 3: 2026-03-29 02:30:00 does not exist") {
		t.Errorf("the hour that is left out: %s, %v", got, err)
	}
	if got, err := read("2026-03-29 01:30",
		"2026-03-29 03:00"); err != nil || got != "2026-03-29T00:30:00Z 1000; 2026-03-29T01:00:00Z 2000" {
		t.Errorf("clocks go forward: %s, %v", got, err)
	}
}

// TestCut cuts files after each byte. What is left is refused, in doubt, or the same readings up
// to some time.
func TestCut(t *testing.T) {
	options := sensor.Options{Zone: time.UTC, Unit: "", Dates: "mdy"}
	files := map[string]string{
		"HOBO": hobo, "German": strings.ReplaceAll(german, "---", "12,5"),
		"whole degrees": "Date/Time,Temp °C\n2026-03-01 10:00,5\n2026-03-01 10:05,15\n2026-03-01 10:10,25",
		"mixed":         "Date/Time,Temp °C\n2026-03-01 10:00,5.25\n2026-03-01 10:05,15.5\n2026-03-01 10:10,25.75",
		"time last":     "Temp °C,Date/Time\n5.5,2026-03-01 10:00:00\n5.5,2026-03-01 10:05:30\n5.5,2026-03-01 10:10:15",
		"PM":            "Temp °C,Date/Time\n5.5,3/1/2026 1:00 PM\n5.5,3/1/2026 11:30 PM\n5.5,3/1/2026 11:45 PM",
	}
	for name, file := range files {
		whole, err := sensor.Read(name, []byte(file), options)
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for i := range len(file) {
			s, err := sensor.Read(name, []byte(file[:i]), options)
			if err != nil {
				continue
			}
			read++
			for j, r := range s.Readings {
				if len(s.Readings) > len(whole.Readings) || r != whole.Readings[j] {
					t.Errorf("%s cut after %q: %s of %s", name, file[max(0, i-30):i], showAll(s), showAll(whole))
					break
				}
			}
		}
		if read == 0 {
			t.Errorf("%s: nothing that is cut is read", name)
		}
	}
}
