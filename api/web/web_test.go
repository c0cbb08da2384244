package web

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// inks are the colours of text, and the colours that they stand on. Each pair is in the table of
// docs/design.md.
var inks = []struct {
	ink string
	on  []string
}{
	{"ink", []string{"paper", "raised", "ok-bg", "bad-bg", "warn-bg"}},
	{"soft", []string{"paper", "raised"}},
	{"accent", []string{"paper", "raised", "warn-bg", "bad-bg"}},
	{"paper", []string{"accent"}}, // the text of a button that is first
	{"ok", []string{"paper", "raised"}},
	{"bad", []string{"paper", "raised"}},
	{"warn", []string{"paper", "raised"}},
}

// TestContrast computes the contrast of each text with what it stands on, by WCAG 2.2, from the
// variables of style.css: it is 4.5 or more (AA), and what docs/design.md says.
func TestContrast(t *testing.T) {
	style, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := colours(t, string(style))
	design, err := os.ReadFile("../../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` on `([a-z-]+)` \\| (.*) \\|$").FindAllStringSubmatch(string(design), -1) {
		rows[m[1]+" on "+m[2]] = m[3]
	}
	pairs := 0
	for _, x := range inks {
		for _, on := range x.on {
			pairs++
			var row []string
			for _, scheme := range []string{"light", "dark", "print"} {
				ratio := contrast(t, schemes[scheme][x.ink], schemes[scheme][on])
				if ratio < 4.5 {
					t.Errorf("%s, %s on %s: %.2f, and WCAG AA asks for 4.5", scheme, x.ink, on, ratio)
				}
				row = append(row, fmt.Sprintf("%.1f", math.Floor(ratio*10)/10))
			}
			if name := x.ink + " on " + on; rows[name] != strings.Join(row, " | ") {
				t.Errorf("docs/design.md says %q of %s, and style.css leads to %q", rows[name], name, strings.Join(row, " | "))
			}
		}
	}
	if len(rows) != pairs {
		t.Errorf("docs/design.md has %d rows of contrast, and there are %d pairs", len(rows), pairs)
	}
	// What is no text, but must be seen: WCAG asks for 3.
	for scheme, c := range schemes {
		for _, x := range []string{"soft", "accent", "ok", "bad", "warn"} {
			if ratio := contrast(t, c[x], c["raised"]); ratio < 3 {
				t.Errorf("%s, a border of %s: %.2f, and WCAG asks for 3", scheme, x, ratio)
			}
		}
	}
	// No rule has a colour of its own: each is one of the variables.
	rules := regexp.MustCompile(`(?s):root \{.*?\}`).ReplaceAllString(string(style), "")
	if other := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(`).FindAllString(rules, -1); len(other) > 0 {
		t.Errorf("style.css has colours that are no variables: %q", other)
	}
}

// colours returns the variables of the three schemes. What a scheme does not say is as in the light one.
func colours(t *testing.T, style string) map[string]map[string]string {
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(style, -1)
	if len(blocks) != 3 {
		t.Fatalf("style.css has %d lists of variables, wanted light, dark and print", len(blocks))
	}
	all := map[string]map[string]string{}
	for i, scheme := range []string{"light", "dark", "print"} {
		all[scheme] = map[string]string{}
		for name, value := range all["light"] {
			all[scheme][name] = value
		}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(blocks[i][1], -1) {
			all[scheme][m[1]] = m[2]
		}
	}
	return all
}

// contrast returns the contrast ratio of two colours, such as #fff and #1c5a88.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance returns the relative luminance of a colour.
func luminance(t *testing.T, colour string) float64 {
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = strings.Join([]string{hex[:1], hex[:1], hex[1:2], hex[1:2], hex[2:], hex[2:]}, "")
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("%q is no colour", colour)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// TestLuminance holds the formula to values that are known.
func TestLuminance(t *testing.T) {
	for _, x := range []struct {
		a, b  string
		ratio float64
	}{{"#000", "#ffffff", 21}, {"#777777", "#fff", 4.48}, {"#767676", "#fff", 4.54}, {"#1c5a88", "#1c5a88", 1}} {
		if got := contrast(t, x.a, x.b); math.Abs(got-x.ratio) > 0.005 {
			t.Errorf("%s on %s: %.3f, wanted %.2f", x.a, x.b, got, x.ratio)
		}
	}
}
