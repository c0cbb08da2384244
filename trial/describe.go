package trial

import "fmt"

// Describe says what a statement says, in one line. What it says of its own, each kind
// words in its own file.
func Describe(s *Statement) string { return s.Predicate.describe(s.Subjects) }

// said puts words before a text that is given.
func said(words, text string) string {
	if text == "" {
		return ""
	}
	return words + text
}

// because says why authority ended.
func because(reason string) string {
	if reason == "" {
		return "no reason stated"
	}
	return "because " + reason
}

// spaced puts a space behind a version that is given.
func spaced(version string) string {
	if version == "" {
		return ""
	}
	return version + " "
}

// following names the statement that another follows.
func following(id Hash) string {
	if id.IsZero() {
		return ""
	}
	return fmt.Sprintf(", after %.12s", id)
}
