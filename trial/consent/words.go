package consent

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"rsc.io/qr"
)

// The words of slip and page in each language are one file in the folder words. Another language
// is one more file.
//
//go:embed words/*.json
var wordFiles embed.FS

var words = sync.OnceValue(func() map[string]map[string]string {
	list := map[string]map[string]string{}
	names, err := wordFiles.ReadDir("words")
	if err != nil {
		panic(err) // they are built in
	}
	for _, n := range names {
		data, err := wordFiles.ReadFile(path.Join("words", n.Name()))
		if err != nil {
			panic(err)
		}
		texts := map[string]string{}
		if err := json.Unmarshal(data, &texts); err != nil {
			panic(fmt.Sprintf("words/%s: %v", n.Name(), err))
		}
		list[strings.TrimSuffix(n.Name(), ".json")] = texts
	}
	return list
})

// Languages returns the languages that slip and page have words in, sorted.
func Languages() []string { return slices.Sorted(maps.Keys(words())) }

// LanguageNames returns the name of each language, in that language.
func LanguageNames() map[string]string {
	names := map[string]string{}
	for code, texts := range words() {
		names[code] = texts["language"]
	}
	return names
}

// Words returns the words of all languages as one JSON object, for the page.
func Words() []byte {
	data, err := json.Marshal(words())
	if err != nil {
		panic(err) // texts always encode
	}
	return data
}

//go:embed slip.html
var slipHTML string

var slipTemplate = template.Must(template.New("slip").Parse(slipHTML))

// OnSlip is what a slip says of one consent.
type OnSlip struct {
	To, Org string
	Agents  []string
	Until   string // may be empty
}

// Page returns the slip as a page to print. It has no script and loads nothing.
func (s *Slip) Page(consents []OnSlip) ([]byte, error) {
	address, err := s.URL()
	if err != nil {
		return nil, err
	}
	code, err := qr.Encode(address, qr.M)
	if err != nil {
		return nil, fmt.Errorf("the slip is too long for a square code: %w", err)
	}
	t := words()[s.Language]
	var lines []string
	for _, c := range consents {
		line := fill(t["slip_consent"], "TO", c.To, "ORG", c.Org, "AGENTS", strings.Join(c.Agents, " + "))
		if c.Until != "" {
			line += " " + fill(t["slip_until"], "UNTIL", c.Until)
		}
		lines = append(lines, line)
	}
	var codes []string
	for _, h := range s.Held() {
		codes = append(codes, Grouped(h.Code))
	}
	var b bytes.Buffer
	err = slipTemplate.Execute(&b, map[string]any{
		"Language": s.Language, "Words": t, "Consents": lines, "Codes": codes, "URL": template.URL(address), "QR": template.HTML(svg(code)),
	})
	return b.Bytes(), err
}

// fill puts values in the place of names in capitals between braces.
func fill(text string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(text) // in one pass: a value may have such a name in it
}

// svg draws a square code, with the quiet border that readers need.
func svg(c *qr.Code) string {
	const border = 4
	var b strings.Builder
	size := c.Size + 2*border
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img">`, size, size)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="`, size, size)
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+border, y+border)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String()
}
