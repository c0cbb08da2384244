package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // where the system has no time zones

	"github.com/trialproof/trialproof/cmd/frame"
	"github.com/trialproof/trialproof/trial/custody/sensor"
)

// sensorFlags say what a logger's file does not say itself.
type sensorFlags struct {
	zone, unit, dates, device, from, to string
	columns                             frame.Words
}

func (f *sensorFlags) define(fs *flag.FlagSet) {
	fs.StringVar(&f.zone, "tz", "", "time `zone` of the logger's times, such as Europe/Berlin or UTC, where the file does not say")
	fs.StringVar(&f.unit, "unit", "", "unit of the temperatures: `C`, F or K, where the file does not say")
	fs.StringVar(&f.dates, "dates", "", "`dmy` or mdy: how 03/04/2026 is meant")
	fs.StringVar(&f.device, "device", "", "take only the readings of the logger with this serial `number`, where the file has several")
	fs.Var(&f.columns, "column", "`USE=HEADER`, such as temperature=Probe 1: which column has the time, date, temperature or device; may be repeated")
	fs.StringVar(&f.from, "from", "", "when the leg began, a `time` such as 2026-03-01T08:00:00Z; default: the first reading")
	fs.StringVar(&f.to, "until", "", "when the leg ended, a `time` as of -from; default: the last reading")
}

func (f *sensorFlags) options() (o sensor.Options, from, to time.Time, err error) {
	o = sensor.Options{Unit: f.unit, Dates: f.dates, Device: f.device, Columns: map[string]string{}}
	if f.zone != "" {
		if o.Zone, err = time.LoadLocation(f.zone); err != nil {
			return o, from, to, frame.Usagef("-tz: %w", err)
		}
	}
	for _, c := range f.columns {
		use, header, ok := strings.Cut(c, "=")
		if !ok {
			return o, from, to, frame.Usagef("-column %q is not USE=HEADER, such as temperature=Probe 1", c)
		}
		o.Columns[use] = header
	}
	for _, x := range []struct {
		flag, text string
		to         *time.Time
	}{{"from", f.from, &from}, {"until", f.to, &to}} {
		if x.text == "" {
			continue
		}
		if *x.to, err = time.Parse(time.RFC3339, x.text); err != nil {
			return o, from, to, frame.Usagef("-%s: %w", x.flag, err)
		}
	}
	return o, from, to, nil
}

// An assessed is what a stability profile says of legs.
type assessed struct {
	all       sensor.Assessment // of all legs
	condition string
	lines     []string // for people
}

// assessFiles judges legs by a stability profile.
func assessFiles(profile string, f sensorFlags, files []string) (*assessed, error) {
	data, err := readSmall(profile)
	if err != nil {
		return nil, err
	}
	p, err := sensor.ParseProfile(data)
	if err != nil {
		return nil, frame.Usagef("%s: %w", profile, err)
	}
	o, from, to, err := f.options()
	if err != nil {
		return nil, err
	}
	if len(files) > 1 && (f.from != "" || f.to != "") {
		return nil, frame.Usagef("-from and -until are of one leg: give one file")
	}
	var legs []sensor.Assessment
	var lines []string
	for _, name := range files {
		data, err := readAtMost(name, maxLarge)
		if err != nil {
			return nil, err
		}
		if leg, err := sensor.ParseAssessment(data); err == nil { // an earlier leg, which travelled with the shipment
			if len(leg.Bands) != len(p.Bands) {
				return nil, frame.Usagef("%s is an assessment by another profile: it has %d bands, and %s %d", name, len(leg.Bands), profile, len(p.Bands))
			}
			legs = append(legs, leg)
			lines = append(lines, legLines(name, p, leg)...)
			continue
		}
		s, err := sensor.Read(name, data, o)
		if err != nil {
			return nil, frame.Usagef("%s: %w", name, err)
		}
		leg := p.Assess(s, from, to)
		legs = append(legs, leg)
		lines = append(lines, legLines(name, p, leg)...)
		for _, note := range s.Notes {
			lines = append(lines, "  note: "+note)
		}
	}
	all := p.Sum(legs...)
	condition := p.Condition(all)
	if len(legs) > 1 {
		lines = append(lines, "all legs:")
		for _, line := range all.Lines(p) {
			lines = append(lines, "  "+line)
		}
	}
	return &assessed{all, condition, append(lines, "condition: "+condition)}, nil
}

func legLines(name string, p sensor.Profile, a sensor.Assessment) (lines []string) {
	lines = append(lines, name+":")
	for _, line := range a.Lines(p) {
		lines = append(lines, "  "+line)
	}
	return lines
}

// assessTemperature says how long a medicine stood at which temperature, and in which condition it is.
func assessTemperature(ctx context.Context, e *env, args []string) error {
	var f sensorFlags
	var profile string
	var asJSON bool
	fs := e.Flags()
	fs.StringVar(&profile, "profile", "", "stability profile, a JSON `file`: how long the medicine may stand at which temperature")
	fs.BoolVar(&asJSON, "json", false, "print the assessment of all legs as JSON: it travels with the shipment, and is given as the file of an "+
		"earlier leg")
	f.define(fs)
	files, err := e.Parse(fs, args)
	if err != nil {
		return err
	}
	if profile == "" || len(files) == 0 {
		return frame.Usagef("-profile and the files of one or more legs, in their order, must be given")
	}
	a, err := assessFiles(profile, f, files)
	if err != nil {
		return err
	}
	if asJSON {
		data, err := json.Marshal(a.all)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.Stdout, "%s\n", data)
	} else {
		for _, line := range a.lines {
			fmt.Fprintln(e.Stdout, frame.Printable(line))
		}
	}
	switch a.condition {
	case sensor.OK:
		return nil
	case sensor.Excursion:
		return negative{errors.New("an excursion")}
	}
	return errors.New("it is not known whether the temperature was always in its bands")
}
