package page

import (
	"html/template"
	"strings"
	"unicode"
)

// maxWords is how many words of two texts are compared; longer ones are shown one after the other.
const maxWords = 600

// words shows two texts as one, in which words that went are marked as deleted and words that came
// as inserted.
func words(before, after string) template.HTML {
	a, b := split(before), split(after)
	var out strings.Builder
	mark := func(tag string, list []string) {
		if text := strings.TrimSpace(strings.Join(list, "")); text != "" {
			out.WriteString("<" + tag + ">" + template.HTMLEscapeString(text) + "</" + tag + "> ")
		}
	}
	if len(a) > maxWords || len(b) > maxWords {
		mark("del", a)
		mark("ins", b)
		return template.HTML(out.String())
	}
	// common[i][j] is the length of the longest common subsequence of a[i:] and b[j:].
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var gone, came []string
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			mark("del", gone)
			mark("ins", came)
			gone, came = nil, nil
			out.WriteString(template.HTMLEscapeString(a[i]))
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			gone = append(gone, a[i])
			i++
		default:
			came = append(came, b[j])
			j++
		}
	}
	mark("del", gone)
	mark("ins", came)
	return template.HTML(strings.TrimSuffix(out.String(), " "))
}

// split returns the words of a text, each with one space behind it.
func split(text string) (list []string) {
	for _, word := range strings.FieldsFunc(text, unicode.IsSpace) {
		list = append(list, word+" ")
	}
	return list
}
