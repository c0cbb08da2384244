//go:build !wasm

package trial_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/trialproof/trialproof/"

// A pkg is what go list says of a package.
type pkg struct {
	ImportPath, Dir                    string
	Standard                           bool
	Imports, TestImports, XTestImports []string
}

// list returns the module's packages and all that they import, without tests.
func list(t *testing.T) map[string]*pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Dir,Standard,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	all := map[string]*pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := dec.Decode(p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// within reports whether path is one of the trees named.
func within(path string, trees ...string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") })
}

// TestImports checks which package may import which.
func TestImports(t *testing.T) {
	all := list(t)
	var own []string
	for path, p := range all {
		if strings.HasPrefix(path, module) && !p.Standard {
			own = append(own, strings.TrimPrefix(path, module))
		}
	}
	slices.Sort(own)
	for _, must := range []string{"trial", "trial/smap", "trial/checkpoint", "trial/tile", "trial/receipt", "trial/history",
		"trial/evidence", "trial/outcome", "trial/study", "trial/compare", "trial/deadline", "trial/element", "trial/timeline",
		"trial/dossier", "trial/audit", "trial/trialtest", "trial/vault", "trial/consent", "registry", "witness", "logserver"} {
		if !slices.Contains(own, must) {
			t.Fatalf("go list does not name %s: %v", must, own)
		}
	}
	// reach returns the packages that a package leads to, each with the way there. It does not
	// look inside the standard library, nor behind a package that is not allowed: the first one
	// is enough.
	reach := func(from string, stop func(string) bool) map[string]string {
		way := map[string]string{module + from: from}
		for queue := []string{module + from}; len(queue) > 0; queue = queue[1:] {
			p := all[queue[0]]
			if p == nil || p.Standard || stop(queue[0]) {
				continue
			}
			for _, to := range p.Imports {
				if way[to] == "" {
					way[to] = way[queue[0]] + " -> " + strings.TrimPrefix(to, module)
					queue = append(queue, to)
				}
			}
		}
		return way
	}
	pure := []string{"golang.org/x/mod", "github.com/gowebpki/jcs", "github.com/transparency-dev/formats", "golang.org/x/crypto",
		"filippo.io/mldsa"}
	impure := []string{"net/http", "net", "os", "os/exec", "database/sql", "math/rand", "syscall", "plugin", "log", "log/slog", "testing"}
	const (
		trillian = "github.com/google/trillian"
		grpc     = "google.golang.org/grpc"
		sql      = "database/sql"
	)
	sqlDrivers := []string{"github.com/go-sql-driver/mysql", "modernc.org/sqlite"}

	for _, r := range []struct {
		of     []string
		only   []string // outside the standard library, in everything it leads to
		direct []string // never imported by the package itself
		never  []string // in nothing it leads to
		why    string
	}{
		{of: []string{"trial", "trial/smap", "trial/checkpoint", "trial/tile", "trial/receipt", "trial/timeline"},
			only: append([]string{module + "trial", module + "trial/smap"}, pure...), direct: impure,
			never: []string{module + "trial/audit", module + "trial/trialtest"},
			why: "the rules replay exactly and compile to wasm: no clock, network, file or chance, and nothing that a verifier would " +
				"have to trust beside"},
		{of: []string{"trial"}, only: append([]string{module + "trial", module + "trial/smap"}, pure...), never: []string{module +
			"trial/timeline"},
			why: "what is admitted does not depend on how it reads"},
		{of: []string{"trial/checkpoint"}, only: append([]string{module + "trial/checkpoint"}, pure...),
			why: "a checkpoint is bytes and keys: it knows no statement and no rule"},
		{of: []string{"trial/tile"}, only: []string{module + "trial/tile"}, direct: impure,
			why: "tiles are paths and bytes: they need nothing but the standard library"},
		{of: []string{"trial/tile/fetch"}, only: []string{module + "trial/tile"},
			why: "whoever reads tiles, a witness too, does it with the standard library alone"},
		{of: []string{"trial/history", "trial/evidence"}, only: append([]string{module + "trial"}, pure...), direct: impure,
			never: []string{module + "trial/audit", module + "trial/trialtest"},
			why:   "what is shown to others is checked offline, anywhere: no clock, network or file"},
		{of: []string{"trial/dossier"}, only: append([]string{module + "trial", "golang.org/x/text"}, pure...), direct: impure,
			never: []string{module + "trial/audit", module + "trial/tile/fetch", module + "trial/trialtest"},
			why:   "a report is worked out anew by whoever checks it, in a browser too: no clock, network or file"},
		{of: []string{"trial/element"}, only: append([]string{module + "trial", "golang.org/x/text"}, pure...), direct: impure,
			never: []string{module + "trial/audit", module + "trial/trialtest"},
			why:   "a part of a document is shown to others like a receipt, and checked offline: no clock, network or file"},
		{of: []string{"trial/consent"}, only: append([]string{module + "trial", "filippo.io/age", "filippo.io/hpke", "golang.org/x/sys", "golang.org/x/text",
			"rsc.io/qr"}, pure...), direct: impure, never: []string{"net/http", "os/exec", "database/sql", module + "trial/audit", module + "trial/trialtest",
			"filippo.io/age/agessh", "filippo.io/age/plugin"},
			why: "what a consent permits is judged from what is given: no file, no network, no clock, and no keys but those of the vault"},
		{of: []string{"trial/custody"}, only: append([]string{module + "trial", "github.com/boombuler/barcode"}, pure...), direct: impure,
			never: []string{module + "trial/audit", module + "trial/trialtest"},
			why:   "codes and events are read from what is given, in a browser too: no clock, network or file"},
		{of: []string{"trial/dataset"}, only: append([]string{module + "trial/dataset", module + "trial/smap"}, pure...), direct: impure,
			why: "a disclosure of a table is checked offline, in a browser too, and a statement has its commitment: no clock, network or file"},
		{of: []string{"trial/vault"}, only: append([]string{module + "trial", "filippo.io/age", "filippo.io/hpke", "golang.org/x/sys"}, pure...),
			direct: []string{"net", "net/http", "os", "os/exec", sql, "math/rand", "math/rand/v2", "time", "log", "log/slog", "testing"},
			never: []string{module + "trial/receipt", module + "trial/history", module + "trial/element", module + "trial/audit", module +
				"trial/consent", module + "trial/trialtest", "filippo.io/age/agessh", "filippo.io/age/plugin"},
			why: "a vault is given streams and keys: it knows no file, no clock, no log and no consent, and takes hybrid keys alone"},
		{of: []string{"trial/outcome"}, only: []string{module + "trial/outcome"}, direct: append([]string{"time"}, impure...),
			why: "outcomes are matched by text alone, the same on every machine and in the page: no clock, network or file"},
		{of: []string{"trial/study", "trial/compare", "trial/deadline"}, only: append([]string{module + "trial", module + "trial/study",
			module + "trial/outcome", "golang.org/x/text"}, pure...), direct: impure,
			never: []string{module + "trial/receipt", module + "trial/history", module + "trial/audit", module + "trial/trialtest"},
			why: "what documents say is judged the same on every machine, from versions that others have proven: no clock, network, " +
				"file, receipt or log"},
		{of: []string{"trial/custody/sensor"}, only: []string{module + "trial/custody/sensor"}, direct: impure,
			why: "temperatures are judged from bytes alone, the same on every machine: no clock, network or file, and the standard library " +
				"alone"},
		{of: []string{"trial/dataset/table"}, only: []string{module + "trial/dataset/table"}, direct: append([]string{"time"}, impure...),
			why: "tables are read from streams, the same on every machine and in the page: no clock, network or file, and the standard " +
				"library alone"},
		{of: []string{"trial/audit"}, only: append([]string{module + "trial", "github.com/transparency-dev/merkle"}, pure...),
			direct: []string{"net/http", "os", "os/exec", sql},
			never:  []string{module + "trial/trialtest"}, why: "an audit reads tiles through an interface: it knows neither HTTP nor " +
				"the server"},
		{of: []string{"trial/trialtest"}, only: append([]string{module + "trial"}, pure...),
			why: "what tests share must not pull a server into them"},
		{of: []string{"witness"}, only: []string{module + "witness", "golang.org/x/mod", "filippo.io/mldsa",
			"github.com/transparency-dev/formats", "golang.org/x/crypto", "golang.org/x/sys"},
			never: append([]string{module + "trial", grpc},
				sqlDrivers...), why: "a stranger audits the witness: it knows no trial, and imports no log"},
		{of: []string{"witness/replay"}, only: append([]string{module + "witness", module + "trial", "github.com/transparency-dev/merkle",
			"golang.org/x/sys"}, pure...), direct: []string{"net/http", "net"},
			never: []string{module + "trial/tile/fetch", module +
				"trial/trialtest"}, why: "what a replaying witness sees is given to it: a simulation runs it with no network"},
		{of: []string{"logserver"}, never: append([]string{trillian, grpc, sql, module + "api"}, sqlDrivers...),
			why: "the sequencer decides before any engine or database sees it: they stand behind interfaces"},
		{of: []string{"api"}, direct: []string{trillian, sql}, never: append([]string{trillian, module + "logserver/engine", module +
			"logserver/sqlstore"}, sqlDrivers...), why: "the API translates and does nothing else"},
		{of: []string{"api/web", "trial/page"}, only: append([]string{module + "trial", module + "api/web", "golang.org/x/text", "rsc.io/qr"}, pure...),
			never: []string{"net/http", sql, module + "trial/audit", module + "trial/trialtest"},
			why:   "pages are drawn from what was verified, by a log, a command and the browser alike: they know no server"},
		{of: []string{"api/client"}, only: append([]string{module + "trial", module + "api/client"}, pure...), never: []string{grpc, sql,
			module + "api", module + "logserver"}, why: "what a sponsor runs speaks HTTP alone"},
		{of: []string{"durable"}, only: []string{module + "durable"},
			why: "files are files: whoever writes one needs the standard library alone"},
		{of: []string{"registry"}, only: []string{module + "durable", "golang.org/x/sys"},
			why: "who asks a registry knows no log, no key and no record: whatever takes the records judges them"},
		{of: []string{"cmd/frame"}, only: []string{module + "cmd/frame", "github.com/mattn/go-isatty", "golang.org/x/sys"},
			why: "what the programs share knows none of them, and a witness has it too"},
		{of: []string{"cmd/trial"}, never: append([]string{sql, grpc, trillian, module + "logserver", module + "witness"}, sqlDrivers...),
			why: "sponsors and regulators get a small program without database or gRPC"},
		{of: []string{"cmd/trialwitness"}, only: append([]string{module + "witness", module + "trial", module + "cmd/frame", module +
			"cmd/trialwitness", "github.com/transparency-dev/merkle", "golang.org/x/sys", "github.com/mattn/go-isatty"}, pure...),
			never: append([]string{sql, grpc, trillian}, sqlDrivers...), why: "a witness is the witness, and to replay the audit, and " +
				"no more"},
		{of: []string{"cmd/trialwasm"}, never: append([]string{sql, grpc, "net/http", module + "logserver", module + "trial/audit"},
			sqlDrivers...), why: "the page loads the verifier alone"},
	} {
		for _, name := range r.of {
			p := all[module+name]
			if p == nil {
				t.Logf("%s does not exist yet", name)
				continue
			}
			for _, to := range p.Imports {
				if slices.Contains(r.direct, to) {
					t.Errorf("%s imports %s: %s", name, to, r.why)
				}
			}
			wrong := func(to string) bool {
				// A rule about trial/receipt is not one about trial alone.
				return slices.ContainsFunc(r.never, func(n string) bool {
					if strings.HasPrefix(n, module) && n != module+"trial" && n != module+"logserver" || n == sql || n == "net/http" {
						return to == n && to != module+name
					}
					return within(to, n)
				}) || r.only != nil && all[to] != nil && !all[to].Standard && to != module+name && !within(to, r.only...)
			}
			for to, way := range reach(name, wrong) {
				if wrong(to) {
					t.Errorf("%s: %s", way, r.why)
				}
			}
		}
	}

	for _, r := range []struct {
		what  []string
		by    []string // alone, and by tests
		tests bool     // by tests of anyone
		why   string
	}{
		{[]string{trillian}, []string{"logserver/engine", "logserver/sqlite"}, false, "Trillian is one engine; it can be another"},
		{[]string{sql}, []string{"logserver/sqlstore", "logserver/engine", "logserver/sqlite", "cmd/triallog"}, true,
			"databases stay behind the stores"},
		{[]string{module + "api/trialpb"}, []string{"api"}, true, "protocol buffer types stop at the wire"},
		{[]string{module + "trial/audit"}, []string{"cmd/trial", "cmd/triallog", "witness/replay"}, true,
			"the server admits by trial alone; replaying is others' check on it"},
		{[]string{module + "witness"}, []string{"cmd/trialwitness", "cmd/triallog", "witness/replay"}, true,
			"no log is its own witness but in the demonstration"},
		{[]string{module + "logserver"}, []string{"api", "logserver/engine", "logserver/sqlstore", "logserver/sqlite", "logserver/journaltest",
			"cmd/triallog"},
			true, "the log is wired in one place"},
		{[]string{module + "logserver/journaltest"}, nil, true, "what holds journals to their contract is for tests"},
		{[]string{"filippo.io/age"}, []string{"trial/vault", "cmd/triallog"}, true,
			"age imports os, and what is replayed or compiled to wasm must not; one package knows which keys are taken, and the " +
				"demonstration makes some"},
		{[]string{module + "trial/trialtest", "pgregory.net/rapid", "github.com/rogpeppe/go-internal", "testing"},
			[]string{"trial/trialtest", "logserver/journaltest"}, true, "test helpers stay in tests"},
		{[]string{"github.com/secure-systems-lab/go-securesystemslib", "filippo.io/torchwood", "github.com/transparency-dev/tessera"},
			nil, true,
			"second opinions are for tests: their parsers are looser than ours"},
	} {
		for _, name := range own {
			p := all[module+name]
			imports := slices.Clone(p.Imports)
			if !r.tests {
				imports = append(append(imports, p.TestImports...), p.XTestImports...)
			}
			for _, to := range imports {
				hit := slices.ContainsFunc(r.what, func(w string) bool {
					if strings.HasPrefix(w, module) || w == sql || w == "testing" {
						return to == w
					}
					return within(to, w)
				})
				if hit && !slices.Contains(r.by, name) {
					t.Errorf("%s imports %s, which is for %v alone: %s", name, to, r.by, r.why)
				}
			}
		}
	}
}

// TestPureSources reads the sources of everything that is replayed: nothing in them may lead to
// different verdicts on two machines or on two days.
func TestPureSources(t *testing.T) {
	forbidden := map[string][]string{ // by import path: nil is all of it
		"time":          {"Now", "Since", "Until", "Local", "LoadLocation", "Sleep", "After", "NewTimer", "Tick"},
		"math/rand":     nil,
		"math/rand/v2":  nil,
		"math":          nil,
		"os":            nil,
		"net/http":      nil,
		"os/exec":       nil,
		"database/sql":  nil,
		"unsafe":        nil,
		"reflect":       nil,
		"unicode":       nil, // its tables grow with each Go release
		"runtime":       nil,
		"crypto/rand":   {"Read", "Text", "Int"}, // Reader is handed to signers
		"encoding/json": {"Number"},
	}
	n := 0
	for _, dir := range []string{".", "smap", "checkpoint", "receipt", "history", "evidence", "timeline", "dossier"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			n++
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			names := map[string]string{} // import path by the name in the file
			for _, spec := range f.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				name := path[strings.LastIndex(path, "/")+1:]
				if spec.Name != nil {
					name = spec.Name.Name
				}
				if name == "." || name == "_" {
					t.Errorf("%s: import of %s as %s", file, path, name)
				}
				names[name] = path
				// They read and write members, as encoding/json does, and decide nothing by them.
				quick := path == "reflect" && (file == "quickpredicate.go" || file == "quickencode.go")
				if members, ok := forbidden[path]; ok && members == nil && !quick {
					t.Errorf("%s imports %s", file, path)
				}
			}
			ast.Inspect(f, func(node ast.Node) bool {
				switch node := node.(type) {
				case *ast.SelectorExpr:
					if x, ok := node.X.(*ast.Ident); ok && slices.Contains(forbidden[names[x.Name]], node.Sel.Name) {
						t.Errorf("%s: %s.%s", set.Position(node.Pos()), x.Name, node.Sel.Name)
					}
				case *ast.Ident:
					if node.Name == "float32" || node.Name == "float64" || node.Name == "complex128" {
						t.Errorf("%s: %s", set.Position(node.Pos()), node.Name)
					}
				case *ast.BasicLit:
					if node.Kind == token.FLOAT || node.Kind == token.IMAG {
						t.Errorf("%s: %s", set.Position(node.Pos()), node.Value)
					}
				case *ast.GoStmt:
					if dir == "." {
						t.Errorf("%s: a goroutine in the rules", set.Position(node.Pos()))
					}
				}
				return true
			})
		}
	}
	if n < 20 {
		t.Fatalf("only %d files found", n)
	}
}
