package trial

import "fmt"

// Describe says in one line what a statement says. Each kind has the words for it in its own
// file.
func Describe(s *Statement) string { return s.Predicate.describe(s.Subjects) }

// said returns words followed by text, or nothing if text is empty.
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

// spaced returns a version followed by a space, or nothing if it is empty.
func spaced(version string) string {
	if version == "" {
		return ""
	}
	return version + " "
}

// following says which statement this one follows, or returns nothing if it follows none.
func following(id Hash) string {
	if id.IsZero() {
		return ""
	}
	return fmt.Sprintf(", after %.12s", id)
}

// Count returns a number with its noun, such as "1 entry" or "2 entries".
func Count[N int | int64 | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
