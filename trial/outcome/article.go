package outcome

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

const (
	articleLimit = 1 << 20 // bytes of a list of outcomes
	outcomeLimit = 10_000  // outcomes of a list, counting each time point
)

// ParseArticle reads a list of an article's outcomes, UTF-8, at most 1 MiB. It is
// text, a table (CSV, with tabs or semicolons too), or JSON where it begins with [ or {:
//
//	primary: pain at 6 and 12 weeks
//	Secondary outcomes: quality of life; sleep
//
//	Primary Outcome Measures:
//	1. Pain [Time Frame: 12 weeks]
//
//	level,measure,time frame
//	primary,pain,6 weeks
//
//	{"primary": ["pain at 6 weeks"], "secondary": [{"measure": "quality of life", "timeFrame": "12 weeks"}]}
//	[{"level": "primary", "measure": "pain"}]
//
// Each outcome has a level: its own, or that of the heading above it. An outcome without a level, or
// a heading that is not understood, is an error that names the line: no level is guessed. For an
// article that does not state levels, write "not stated: pain at 6 weeks". Empty lines are ignored.
// An outcome at several time points is returned as one for each, as by SplitTimePoints. An outcome
// of more than 10,000 bytes is an error.
func ParseArticle(data []byte) ([]Outcome, error) {
	if len(data) > articleLimit {
		return nil, fmt.Errorf("parse outcomes: %d bytes; at most %d are read", len(data), articleLimit)
	}
	if !utf8.Valid(data) || bytes.HasPrefix(data, []byte("%PDF")) || bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return nil, errors.New("parse outcomes: not UTF-8 text (a PDF, a word processor's file, or UTF-16?); save the list as UTF-8 text")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	begins := bytes.TrimLeft(data, " \t\r\n")
	if len(begins) == 0 {
		return nil, errors.New("parse outcomes: empty; give one outcome a line, a table, or JSON")
	}
	var list []Outcome
	var err error
	if begins[0] == '{' || begins[0] == '[' && json.Valid(begins) ||
		bytes.HasPrefix(begins, []byte("[{")) || bytes.HasPrefix(begins, []byte(`["`)) {
		list, err = parseJSON(data, len(data)-len(begins))
	} else {
		list, err = parseText(string(data))
	}
	if err != nil {
		return nil, fmt.Errorf("parse outcomes: %w", err)
	}
	var split []Outcome
	for _, o := range list {
		split = append(split, SplitTimePoints(o)...)
		if len(split) > outcomeLimit {
			return nil, fmt.Errorf("parse outcomes: more than %d, each time point being one", outcomeLimit)
		}
	}
	if len(split) == 0 {
		return nil, errors.New("parse outcomes: the list has none")
	}
	return split, nil
}
