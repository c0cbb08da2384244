//go:build js && wasm

package main

import (
	"errors"
	"fmt"
	"syscall/js"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/checkpoint"
	"github.com/trialproof/trialproof/trial/receipt"
)

func main() {
	js.Global().Set("trialproofVerify", js.FuncOf(func(_ js.Value, args []js.Value) any { return verify(args) }))
	select {} // the page goes on calling
}

func verify(args []js.Value) map[string]any {
	if len(args) != 3 || args[0].Type() != js.TypeString || args[1].Type() != js.TypeString || !js.Global().Get("Array").Call("isArray",
		args[2]).Bool() {
		return failed("arguments", errors.New("they are the policy's text, the receipt's text and a list of {name, sha256hex}"))
	}
	policy, err := checkpoint.ParsePolicy([]byte(args[0].String()))
	if err != nil {
		return failed("policy", err)
	}
	var docs []receipt.Document
	for i := range args[2].Length() {
		doc := args[2].Index(i)
		if doc.Type() != js.TypeObject || doc.Get("name").Type() != js.TypeString || doc.Get("sha256hex").Type() != js.TypeString {
			return failed("arguments", fmt.Errorf("file %d has not the texts name and sha256hex", i+1))
		}
		digest, err := trial.ParseHash(doc.Get("sha256hex").String())
		if err != nil {
			return failed("arguments", fmt.Errorf("sha256hex of file %d: %w", i+1, err))
		}
		docs = append(docs, receipt.Document{Name: doc.Get("name").String(), Digest: digest})
	}
	verdict, err := receipt.Verify(policy, []byte(args[1].String()), docs...)
	if p, ok := errors.AsType[*receipt.Problem](err); ok {
		return map[string]any{"ok": false, "part": p.Part, "error": p.Detail}
	} else if err != nil {
		return failed("receipt", err)
	}
	return map[string]any{"ok": true, "text": verdict.Text()}
}

func failed(part string, err error) map[string]any {
	return map[string]any{"ok": false, "part": part, "error": err.Error()}
}
