// Command build makes what the pages run in a browser: the verifier in WebAssembly, in two
// modules, and Go's script that starts them. It writes to the folder gen of api/web.
//
//	go generate ./api/web
//
// The same sources and the same version of Go give the same bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// modules are the programs by the name of the module.
var modules = map[string]string{
	"verify":  "cmd/trialwasm",
	"dossier": "cmd/trialwasm/dossier",
}

func main() {
	if err := build("gen"); err != nil {
		fmt.Fprintln(os.Stderr, "build the pages' verifier:", err)
		os.Exit(1)
	}
}

func build(to string) error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	script, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, "wasm_exec.js"), script, 0o644); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "trialproof-wasm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for name, of := range modules {
		wasm := filepath.Join(tmp, name)
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", wasm, "github.com/trialproof/trialproof/"+of)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", of, err, out)
		}
		data, err := os.ReadFile(wasm)
		if err != nil {
			return err
		}
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(data); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name+".wasm.gz"), packed.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Printf("%s.wasm %d bytes, compressed %d, SHA-256 %x\n", name, len(data), packed.Len(), sha256.Sum256(data))
	}
	return nil
}
