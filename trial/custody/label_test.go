package custody_test

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"image"
	"image/color"
	"image/png"
	"io"

	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/trial/custody"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// scan draws modules with a quiet zone and returns what dmtxread reads.
func scan(t *testing.T, modules [][]bool) string {
	t.Helper()
	program, err := exec.LookPath("dmtxread")
	if err != nil {
		trialtest.Skip(t, "no dmtxread: it is in the package dmtx-utils")
	}
	const scale, margin = 6, 4
	side := (len(modules) + 2*margin) * scale
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			row, col := y/scale-margin, x/scale-margin
			img.SetGray(x, y, color.Gray{255})
			if row >= 0 && row < len(modules) && col >= 0 && col < len(modules[row]) && modules[row][col] {
				img.SetGray(x, y, color.Gray{0})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "label.png")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	// -G29 writes FNC1 as GS. -C0 corrects no error: the symbol has none.
	out, err := exec.Command(program, "-G29", "-N1", "-C0", "-m30000", file).Output()
	if err != nil {
		t.Fatalf("dmtxread: %v", err)
	}
	return string(out)
}

// TestSymbol reads symbols of many sizes with another implementation.
func TestSymbol(t *testing.T) {
	tok := tokenOf(t)
	sizes := map[int]bool{}
	for _, c := range []custody.Code{
		{Serial: "K-1"}, {Serial: "K-00017"}, {Serial: serial}, {Serial: "K-00017", Token: tok},
		{Serial: serial, Expiry: "2027-12-31"}, {Serial: serial, Expiry: "2027-12-31", Token: tok},
		{Serial: "(01)09506000134352(21)!%&'()*+,-./:;<=>?", Expiry: "2027-12-31", Lot: "abcdefghijklmnopqrst", Token: tok},
		{Serial: "(00)095060001343520000", Token: tok},
	} {
		modules, err := custody.Symbol(c)
		if err != nil {
			t.Errorf("%s: %v", c.Serial, err)
			continue
		}
		sizes[len(modules)] = true
		want := "\x1d" + c.Elements()
		if c.Elements() == c.Serial {
			want = c.Serial
		}
		got := scan(t, modules)
		if got != want {
			t.Errorf("%s: the symbol of %d modules is read as %q, not %q", c.Serial, len(modules), got, want)
		}
		if back, err := custody.Parse(got, year); err != nil || !same(back, c) {
			t.Errorf("%q: %+v, %v; want %+v", got, back, err, c)
		}
	}
	if len(sizes) < 5 {
		t.Errorf("only the sizes %v", sizes)
	}
}

func TestSymbolRefuses(t *testing.T) {
	for _, c := range []struct {
		code custody.Code
		why  string
	}{
		{custody.Code{}, "empty"},
		{custody.Code{Serial: "(01)09506000134353(21)A1"}, "but 2 is right"},
		{custody.Code{Serial: "(01)09506000134352(21)"}, "not 1 to 20"},
		{custody.Code{Serial: "(01)09506000134352(21)A#"}, "does not allow"},
		{custody.Code{Serial: "(01)09506000134352(21)A(10)B"}, "AI in brackets"},
		{custody.Code{Serial: "(01)09506000134352(21)A<GS>B"}, "reads as FNC1"},
		{custody.Code{Serial: "(00)09506000134352"}, "not 18"},
		{custody.Code{Serial: "(21)A1"}, "something else"},
		{custody.Code{Serial: "010950600013435221A1"}, "element string too"},
		{custody.Code{Serial: serial, Expiry: "2027-02-30"}, "not a day"},
		{custody.Code{Serial: serial, Lot: "a lot"}, "does not allow"},
	} {
		if _, err := custody.Symbol(c.code); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%+v: %v; want an error with %q", c.code, err, c.why)
		}
	}
}

// TestLabelSVG checks the modules, the margin and the texts of a label.
func TestLabelSVG(t *testing.T) {
	c := custody.Code{Serial: "(01)09506000134352(21)A<1&2", Expiry: "2027-12-31", Token: tokenOf(t)}
	lines := []string{"Trial <T-1> & co", `"quoted"`, "\u00c4rzte  \u85ac"}
	svg, err := custody.LabelSVG(c, lines)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := custody.Symbol(c)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			if s := strings.Trim(string(token), "\n"); s != "" {
				texts = append(texts, s)
			}
		case xml.StartElement:
			for _, a := range token.Attr {
				if token.Name.Local == "path" && a.Name.Local == "d" {
					checkPath(t, a.Value, modules)
				}
			}
		}
	}
	if want := append([]string{"(01)09506000134352", "(21)A<1&2", "(17)271231", "(99)" + token}, lines...); !slices.Equal(texts, want) {
		t.Errorf("texts %q, want %q", texts, want)
	}
	for _, line := range []string{"a\nb", "a\x00", "a\xff", "\uffff"} {
		if _, err := custody.LabelSVG(c, []string{line}); err == nil {
			t.Errorf("line %q is taken", line)
		}
	}
	if _, err := custody.LabelSVG(custody.Code{Serial: "(21)A1"}, nil); err == nil {
		t.Error("a label of no pack")
	}
}

// checkPath checks that a path has just the dark modules, two modules from the edges.
func checkPath(t *testing.T, path string, modules [][]bool) {
	t.Helper()
	got := make([][]bool, len(modules))
	for y := range got {
		got[y] = make([]bool, len(modules))
	}
	for _, run := range strings.Split(strings.TrimSuffix(path, "z"), "z") {
		var x, y, n, back int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &n, &back); err != nil || n != back || x < 2 || y < 2 {
			t.Fatalf("run %q: %v", run, err)
		}
		for i := range n {
			got[y-2][x-2+i] = true
		}
	}
	if !slices.EqualFunc(got, modules, slices.Equal) {
		t.Error("the path does not have the modules of the symbol")
	}
}
