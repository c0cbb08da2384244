// Package web has the pages that a log serves, and the verifier that they run in the browser. It
// knows how a page is put together, not what a log has: package api and the command trial page
// give it that. No page loads anything from elsewhere.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/trialproof/trialproof/trial/page"
)

//go:generate go run ./build

//go:embed *.html *.css *.js *.svg gen
var files embed.FS

// pages are the templates of what stands between header and footer.
var pages = template.Must(template.New("").ParseFS(files, "*.html"))

// ErrNoVerifier says that the program was built without what go generate ./api/web makes.
var ErrNoVerifier = errors.New("this program was built without the verifier for browsers: run go generate ./api/web and build it again")

// Modules are the parts of the verifier: one for receipts and histories, and one for all that
// follows about a trial. The comparison of outcomes is in the second: it needs nearly all of it.
var Modules = []string{"verify", "dossier"}

// A Module is one that this program was built with.
type Module struct {
	Name   string
	SHA256 string // of the WebAssembly, not compressed
	packed []byte // by gzip
}

// built are the modules by name. They do not change while the program runs.
var built = func() map[string]*Module {
	m := map[string]*Module{}
	for _, name := range Modules {
		packed, err := files.ReadFile("gen/" + name + ".wasm.gz")
		if err != nil {
			continue
		}
		sum := sha256.New()
		if err := Unpack(sum, packed); err != nil {
			continue // damaged: as if it was not there
		}
		m[name] = &Module{name, fmt.Sprintf("%x", sum.Sum(nil)), packed}
	}
	return m
}()

// Built returns the modules that this program was built with.
func Built() (list []*Module) {
	for _, name := range Modules {
		if m := built[name]; m != nil {
			list = append(list, m)
		}
	}
	return list
}

// Unpack writes the bytes of a file that File returned packed, for those who cannot.
func Unpack(w io.Writer, packed []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		_, err = io.Copy(w, z)
	}
	return err
}

// CSP is the content security policy of served pages: what came with the page from this origin,
// and the verifier.
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// A Page is what stands between header and footer, and the scripts that it runs, in order.
type Page struct {
	Title   string
	Path    string // as in Nav, of the page itself
	Body    template.HTML
	Footer  string
	Scripts []string
}

// Nav are the pages that every page leads to.
var Nav = []struct{ Path, Name string }{
	{"check", "Check a file"},
	{"overview", "Trials"},
	{"search", "Search"},
	{"editor", "Compare an article"},
}

// Body returns the contents of a page from its template.
func Body(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, name, data)
	return template.HTML(b.String()), err
}

type link struct {
	Path, Name string
	Here       bool
}

// layout is what the template page.html shows.
type layout struct {
	*Page
	Single        bool
	Policy        string
	Head, Scripts template.HTML
	Mark          template.HTML
	Nav           []link
}

// Served returns the page as a log serves it.
func (p *Page) Served() ([]byte, error) {
	l := layout{Page: p, Head: `<link rel="stylesheet" href="web/style.css"><link rel="icon" href="web/mark.svg">`}
	for _, name := range p.Scripts {
		l.Scripts += template.HTML(`<script src="web/` + name + `"></script>`)
	}
	for _, n := range Nav {
		l.Nav = append(l.Nav, link{n.Path, n.Name, n.Path == p.Path})
	}
	return l.execute()
}

// Single returns the page as one file that needs no network, with modules of the verifier.
func (p *Page) Single(modules ...string) ([]byte, error) {
	style, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	l := layout{Page: p, Single: true, Head: template.HTML("<style>" + string(style) + "</style>")}
	for _, name := range modules {
		m := built[name]
		if m == nil {
			return nil, ErrNoVerifier
		}
		l.Scripts += template.HTML(`<script type="application/octet-stream" id="wasm-` + name + `">` +
			base64.StdEncoding.EncodeToString(m.packed) + "</script>\n")
	}
	policy := ""
	for _, name := range p.Scripts {
		data, _, _, err := File(name)
		if err != nil {
			return nil, err
		}
		policy += " " + digest(data)
		l.Scripts += template.HTML("<script>" + string(data) + "</script>\n")
	}
	l.Policy = "default-src 'none'; script-src" + policy + " 'wasm-unsafe-eval'; style-src " + digest(style) +
		"; base-uri 'none'; form-action 'none'"
	return l.execute()
}

// Print returns the page as one file for paper, with page numbers, and on each page a line and a
// picture (PNG) that say which proof it belongs to.
func (p *Page) Print(line string, picture []byte) ([]byte, error) {
	style, err := files.ReadFile("style.css")
	if err != nil {
		return nil, err
	}
	style = fmt.Appendf(style, "@page { size: A4; margin: 21mm 15mm 16mm; "+
		"@top-left { content: %q; font: 8pt sans-serif; color: #444; } "+
		"@top-right { content: url(\"data:image/png;base64,%s\"); } "+
		"@bottom-right { content: counter(page) \" of \" counter(pages); font: 8pt sans-serif; } }\n",
		line, base64.StdEncoding.EncodeToString(picture))
	l := layout{Page: p, Single: true, Head: template.HTML("<style>" + string(style) + "</style>"),
		Policy: "default-src 'none'; img-src data:; style-src " + digest(style) + "; base-uri 'none'; form-action 'none'"}
	return l.execute()
}

// digest returns the source expression of CSP for an element with this text.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (l layout) execute() ([]byte, error) {
	mark, err := files.ReadFile("mark.svg")
	if err != nil {
		return nil, err
	}
	l.Mark = template.HTML(bytes.Replace(bytes.TrimSpace(mark), []byte(` xmlns="http://www.w3.org/2000/svg"`), nil, 1))
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "page.html", l); err != nil {
		return nil, err
	}
	return page.Visible(b.Bytes()), nil
}

// types are the media types of the files that pages load.
var types = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".wasm": "application/wasm"}

// File returns a file that pages load, by its name, with its media type. If packed is true the
// bytes are compressed by gzip. The error is ErrNoVerifier for a part of the verifier that was
// not built, and fs.ErrNotExist for anything that no page loads.
func File(name string) (data []byte, mediaType string, packed bool, err error) {
	mediaType = types[path.Ext(name)]
	if mediaType == "" || strings.Contains(name, "/") {
		return nil, "", false, fs.ErrNotExist
	}
	if module, ok := strings.CutSuffix(name, ".wasm"); ok {
		if m := built[module]; m != nil {
			return m.packed, mediaType, true, nil
		}
		if slices.Contains(Modules, module) {
			return nil, "", false, ErrNoVerifier
		}
		return nil, "", false, fs.ErrNotExist
	}
	if name == "wasm_exec.js" {
		if data, err = files.ReadFile("gen/" + name); err != nil {
			err = ErrNoVerifier
		}
		return data, mediaType, false, err
	}
	data, err = files.ReadFile(name)
	return data, mediaType, false, err
}

// CheckPage returns the page that checks files and receipts.
func CheckPage(single bool) (*Page, error) {
	body, err := Body("check.html", struct {
		Single  bool
		Modules []*Module
	}{single, Built()})
	footer := "Files are checked on your computer. This page asks for nothing but what it is made of."
	return &Page{Title: "Check a file - Trialproof", Path: "check", Body: body, Footer: footer,
		Scripts: []string{"wasm_exec.js", "load.js", "check.js"}}, err
}

// CheckFile returns the page that checks files and receipts as one file. Callers share it and must
// not change it.
var CheckFile = sync.OnceValues(func() ([]byte, error) {
	p, err := CheckPage(true)
	if err != nil {
		return nil, err
	}
	return p.Single(Modules...)
})
