package outcome

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	articleLimit = 1 << 20 // bytes of a list of outcomes
	outcomeLimit = 10_000  // outcomes of a list, each time point one
)

// An ArticleOutcome is an outcome that an article reports. Level is "primary",
// "secondary" or "other", and empty where the list does not say.
type ArticleOutcome struct {
	Level string
	Text
}

// ParseArticle reads a list of an article's outcomes, UTF-8, at most 1 MiB. It is
// text, one outcome a line, or JSON where it begins with [ or {:
//
//	primary: pain at 6 and 12 weeks
//	secondary: quality of life
//
//	["pain at 6 weeks", {"level": "secondary", "measure": "quality of life", "timeFrame": "12 weeks"}]
//	{"primary": ["pain at 6 weeks"], "secondary": [...], "outcomes": [...]}
//
// Empty lines are passed over. An outcome at several time points comes back as one for
// each, by SplitTimePoints; one of more than 10,000 bytes is an error. A field that is not of the form is an error.
func ParseArticle(data []byte) ([]ArticleOutcome, error) {
	if len(data) > articleLimit {
		return nil, fmt.Errorf("parse outcomes: %d bytes; at most %d are read", len(data), articleLimit)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("parse outcomes: not UTF-8; save the list as UTF-8 text")
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if len(data) == 0 {
		return nil, errors.New("parse outcomes: empty; give one outcome a line, or JSON")
	}
	var list []ArticleOutcome
	var err error
	switch data[0] {
	case '[':
		list, err = parseList("", data)
	case '{':
		list, err = parseLevels(data)
	default:
		list, err = parseLines(string(data))
	}
	if err != nil {
		return nil, fmt.Errorf("parse outcomes: %w", err)
	}
	var split []ArticleOutcome
	for _, o := range list {
		for _, t := range SplitTimePoints(o.Text) {
			split = append(split, ArticleOutcome{o.Level, t})
		}
		if len(split) > outcomeLimit {
			return nil, fmt.Errorf("parse outcomes: more than %d, each time point being one", outcomeLimit)
		}
	}
	if len(split) == 0 {
		return nil, errors.New("parse outcomes: the list holds none")
	}
	return split, nil
}

func parseLines(s string) ([]ArticleOutcome, error) {
	var list []ArticleOutcome
	n := 0
	for line := range strings.Lines(s) {
		n++
		o := ArticleOutcome{Text: Text{Measure: strings.TrimSpace(line)}}
		if o.Measure == "" {
			continue
		}
		if head, rest, ok := strings.Cut(o.Measure, ":"); ok {
			if level, err := levelOf(head); err == nil && level != "" {
				o.Level, o.Measure = level, strings.TrimSpace(rest)
			}
		}
		if o.Measure == "" {
			return nil, fmt.Errorf("line %d: a level and no outcome", n)
		}
		if len(o.Measure) > textLimit {
			return nil, fmt.Errorf("line %d: %d bytes; at most %d are read of an outcome", n, len(o.Measure), textLimit)
		}
		list = append(list, o)
	}
	return list, nil
}

// levelOf reads a level as people write it: "Primary outcome", "secondary".
func levelOf(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	for _, end := range []string{"s", " outcome", " endpoint", " end point"} {
		s = strings.TrimSuffix(s, end)
	}
	switch s {
	case "", "primary", "secondary", "other":
		return s, nil
	}
	return "", fmt.Errorf("level is %.40q; it is primary, secondary or other", s)
}

// decode reads one JSON value and nothing after it, without fields that v has not.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("read JSON: it ends too early")
		}
		return fmt.Errorf("read JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("read JSON: more follows the list")
	}
	return nil
}

func parseLevels(data []byte) ([]ArticleOutcome, error) {
	var levels struct {
		Outcomes  json.RawMessage `json:"outcomes"`
		Primary   json.RawMessage `json:"primary"`
		Secondary json.RawMessage `json:"secondary"`
	}
	if err := decode(data, &levels); err != nil {
		return nil, err
	}
	var list []ArticleOutcome
	for _, part := range []struct {
		level string
		data  json.RawMessage
	}{{"primary", levels.Primary}, {"secondary", levels.Secondary}, {"", levels.Outcomes}} {
		if part.data == nil {
			continue
		}
		more, err := parseList(part.level, part.data)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// parseList reads an array of outcomes, of the level where they do not say another.
func parseList(level string, data []byte) ([]ArticleOutcome, error) {
	var items []json.RawMessage
	if err := decode(data, &items); err != nil {
		return nil, err
	}
	var list []ArticleOutcome
	for i, item := range items {
		o := ArticleOutcome{Level: level}
		var err error
		if item[0] == '"' {
			err = decode(item, &o.Measure)
		} else {
			var fields struct {
				Level     string `json:"level"`
				Measure   string `json:"measure"`
				TimeFrame string `json:"timeFrame"`
			}
			if err = decode(item, &fields); err == nil {
				o.Measure, o.TimeFrame = fields.Measure, fields.TimeFrame
				var said string
				if said, err = levelOf(fields.Level); err == nil && said != "" {
					if level != "" && said != level {
						err = fmt.Errorf("level is %s, in the list of %s", said, level)
					}
					o.Level = said
				}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("outcome %d: %w", i+1, err)
		}
		o.Measure, o.TimeFrame = strings.TrimSpace(o.Measure), strings.TrimSpace(o.TimeFrame)
		if o.Measure == "" {
			return nil, fmt.Errorf("outcome %d: no measure", i+1)
		}
		if n := max(len(o.Measure), len(o.TimeFrame)); n > textLimit {
			return nil, fmt.Errorf("outcome %d: %d bytes; at most %d are read", i+1, n, textLimit)
		}
		list = append(list, o)
	}
	return list, nil
}
