//go:build js && wasm

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"syscall/js"

	"github.com/trialproof/trialproof/cmd/trialwasm/export"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/history"
	"github.com/trialproof/trialproof/trial/receipt"
)

func main() {
	o := export.New("trialproof")
	o.Func("policy", "t", describePolicy)
	o.Func("digester", "", func([]js.Value) (any, error) { return digester(sha256.New()), nil })
	o.Func("verify", "tts", verify)
	o.Func("history", "tt", wholeHistory)
	o.Func("reader", "ts", reader)
	o.Run()
}

// describePolicy says what a policy asks for.
func describePolicy(args []js.Value) (any, error) {
	p, err := policy(args[0])
	if err != nil {
		return nil, err
	}
	return map[string]any{"digest": p.Digest(), "quorum": p.QuorumText(), "origins": origins(p), "unwitnessed": p.Unwitnessed()}, nil
}

func origins(p *checkpoint.Policy) (list []string) {
	for _, l := range p.Logs {
		list = append(list, l.Name())
	}
	return list
}

func policy(text js.Value) (*checkpoint.Policy, error) {
	p, err := checkpoint.ParsePolicy(export.Bytes(text))
	if err != nil {
		return nil, fmt.Errorf("the policy: %w", err)
	}
	return p, nil
}

// digester returns an object that computes a SHA-256 piece by piece, so that a file of any size
// takes little memory.
func digester(h hash.Hash) export.Object {
	var buf []byte
	o := export.Anonymous()
	o.Func("write", "b", func(args []js.Value) (any, error) {
		n := args[0].Length()
		if n > len(buf) {
			buf = make([]byte, n)
		}
		js.CopyBytesToGo(buf[:n], args[0])
		h.Write(buf[:n])
		return n, nil
	})
	o.Func("sum", "", func([]js.Value) (any, error) { return fmt.Sprintf("%x", h.Sum(nil)), nil })
	return o
}

// A file is what a page knows of a file that was dropped.
type file struct {
	Name   string     `json:"name"`
	SHA256 trial.Hash `json:"sha256"`
}

// verify checks a receipt: the policy's text, the receipt's, and a list of files in JSON.
func verify(args []js.Value) (any, error) {
	p, err := policy(args[0])
	if err != nil {
		return nil, err
	}
	var files []file
	if err := json.Unmarshal([]byte(args[2].String()), &files); err != nil {
		return nil, fmt.Errorf("%w: the files: %w", export.ErrArguments, err)
	}
	var docs []receipt.Document
	for _, f := range files {
		docs = append(docs, receipt.Document{Name: f.Name, Digest: f.SHA256})
	}
	v, err := receipt.Verify(p, export.Bytes(args[1]), docs...)
	if err != nil {
		return nil, err
	}
	return map[string]any{"summary": v.Summary(false), "plain": v.Plain("")}, nil
}

// wholeHistory checks a history that trial history -json printed.
func wholeHistory(args []js.Value) (any, error) {
	p, err := policy(args[0])
	if err != nil {
		return nil, err
	}
	data := export.Bytes(args[1])
	if err := history.CheckMembers(data); err != nil {
		return nil, export.Invalid(err)
	}
	h, err := history.Parse(data)
	if err != nil {
		return nil, export.Invalid(err)
	}
	v, err := h.Verify(p)
	if err != nil {
		return nil, export.Invalid(err)
	}
	return v.Plain(), nil
}

// reader returns an object that checks a history page by page, as a log serves it.
func reader(args []js.Value) (any, error) {
	p, err := policy(args[0])
	if err != nil {
		return nil, err
	}
	first, err := history.ParsePage([]byte(args[1].String()))
	if err != nil {
		return nil, export.Invalid(err)
	}
	r, err := history.NewReader(p, first)
	if err != nil {
		return nil, export.Invalid(err)
	}
	o := export.Anonymous()
	o.Func("more", "", func([]js.Value) (any, error) {
		size, from, more := r.More()
		return map[string]any{"size": fmt.Sprint(size), "from": fmt.Sprint(from), "more": more}, nil
	})
	o.Func("add", "s", func(args []js.Value) (any, error) {
		page, err := history.ParsePage([]byte(args[0].String()))
		if err == nil {
			err = r.Add(page.Entries)
		}
		if err != nil {
			return nil, export.Invalid(err)
		}
		return len(page.Entries), nil
	})
	verdict := func(f func(v *history.Verdict) (any, error)) (any, error) {
		v, err := r.Verdict()
		if err != nil {
			return nil, export.Invalid(err)
		}
		return f(v)
	}
	o.Func("verdict", "", func([]js.Value) (any, error) {
		return verdict(func(v *history.Verdict) (any, error) { return v.Plain(), nil })
	})
	o.Func("since", "s", func(args []js.Value) (any, error) { // what became of a statement
		return verdict(func(v *history.Verdict) (any, error) {
			id, err := trial.ParseHash(args[0].String())
			if err != nil {
				return nil, err
			}
			return v.Since(id), nil
		})
	})
	return o, nil
}
