package custody

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/datamatrix"
)

// quiet is the margin around the symbol in modules. GS1 asks for one.
const quiet = 2

// Symbol returns the modules of the Data Matrix (ECC 200) of c, true for dark, by rows from the
// top. It is a GS1 DataMatrix, with FNC1 in first position; but that of a kit number alone is
// plain. There is no quiet zone.
func Symbol(c Code) (modules [][]bool, err error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("draw symbol: %w", err)
	}
	text := c.Elements()
	if !c.bare() {
		fnc1 := string([]byte{datamatrix.FNC1})
		text = fnc1 + strings.ReplaceAll(text, gs, fnc1)
	}
	code, err := datamatrix.EncodeWithColor(text, barcode.ColorScheme8)
	if err != nil {
		return nil, fmt.Errorf("draw symbol: %w", err)
	}
	size := code.Bounds()
	modules = make([][]bool, size.Dy())
	for y := range modules {
		modules[y] = make([]bool, size.Dx())
		for x := range modules[y] {
			red, _, _, _ := code.At(x, y).RGBA()
			modules[y][x] = red == 0
		}
	}
	return modules, nil
}

// LabelSVG returns a label as an SVG: the symbol of c, its text for people, and lines below.
// A module is half a millimetre wide. The lines are UTF-8 without control characters.
func LabelSVG(c Code, lines []string) ([]byte, error) {
	modules, err := Symbol(c)
	if err != nil {
		return nil, err
	}
	texts := append(humanLines(c), lines...)
	chars := 0
	for _, line := range texts {
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0xfffe || r == 0xffff }) {
			return nil, fmt.Errorf("draw label: the line %q is not UTF-8 without control characters: give each line by itself", line)
		}
		chars = max(chars, utf8.RuneCountInString(line))
	}
	// The text is 4 modules high with 5 modules a line; a letter of it is 2.4 modules wide.
	side := len(modules) + 2*quiet
	width, height := max(side, 2*quiet+(chars*12+4)/5), side+5*len(texts)+quiet
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %d %d">`+"\n",
		halfMillimetres(width), halfMillimetres(height), width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	b.WriteString(`<path fill="#000" shape-rendering="crispEdges" d="`)
	for y, row := range modules {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", quiet+from, quiet+y, x-from, x-from)
			}
		}
	}
	b.WriteString("\"/>\n")
	for i, line := range texts {
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-family="monospace" font-size="4" xml:space="preserve">`, quiet, side+5*i+4)
		if err := xml.EscapeText(&b, []byte(line)); err != nil {
			return nil, fmt.Errorf("draw label: %w", err)
		}
		b.WriteString("</text>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// humanLines returns the text of c for people, one element a line.
func humanLines(c Code) []string {
	if c.bare() {
		return []string{c.Serial}
	}
	var lines []string
	for _, e := range c.elements() {
		lines = append(lines, "("+e.ai+")"+e.value)
	}
	return lines
}

// halfMillimetres returns n half millimetres as a length in SVG.
func halfMillimetres(n int) string { return fmt.Sprintf("%d.%dmm", n/2, n%2*5) }
