//go:build js && wasm

// Package export gives functions of Go to the scripts of a page. It knows nothing of trials.
package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/receipt"
)

// A Failure is what a script is told in place of a value.
type Failure struct {
	Verdict string `json:"verdict"` // invalid, or cannot be checked
	Part    string `json:"part,omitempty"`
	Error   string `json:"error"`
}

// ErrArguments says that a script has called a function wrongly.
var ErrArguments = errors.New("wrong arguments")

// ErrInvalid is wrapped if what was checked does not hold.
var ErrInvalid = errors.New("invalid")

// Invalid says that what was checked does not hold, unless err is that it needs a newer program.
func Invalid(err error) error {
	if _, ok := errors.AsType[*trial.NewerRules](err); ok {
		return err
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}

// failure says an error as trial verify -json does.
func failure(err error) *Failure {
	f := &Failure{Verdict: "cannot be checked", Error: err.Error()}
	if p, ok := errors.AsType[*receipt.Problem](err); ok {
		return &Failure{"invalid", p.Part, err.Error()}
	}
	if _, ok := errors.AsType[*trial.Refusal](err); ok || errors.Is(err, ErrInvalid) {
		f.Verdict = "invalid"
	}
	return f
}

// An Object is what a page finds under a name of the window: trialproof for one.
type Object struct{ v js.Value }

// New returns the object of the window with a name; it is made if it is not there.
func New(name string) Object {
	v := js.Global().Get(name)
	if v.IsUndefined() {
		v = js.Global().Get("Object").New()
		js.Global().Set(name, v)
	}
	return Object{v}
}

// Anonymous returns an object for a function to return, for a page that calls several functions
// about one thing.
func Anonymous() Object { return Object{js.Global().Get("Object").New()} }

// Func adds a function that answers JSON text: {"value": ...} or {"failure": ...}.
func (o Object) Func(name string, kinds string, f func(args []js.Value) (any, error)) {
	o.v.Set(name, function(kinds, f))
}

// function returns a function of JavaScript. Each letter of kinds is an argument: s is a text, b
// an array of bytes, t either of them (see Bytes), and f a function.
func function(kinds string, f func(args []js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		return answer(call(kinds, args, f))
	})
}

// answer returns an object as it is, and else JSON text.
func answer(value any, err error) any {
	if o, ok := value.(Object); ok && err == nil {
		return o.v
	}
	var a any = map[string]any{"value": value}
	if err != nil {
		a = map[string]any{"failure": failure(err)}
	}
	data, err := json.Marshal(a)
	if err != nil {
		panic(err) // what is answered are plain values
	}
	return string(data)
}

func call(kinds string, args []js.Value, f func(args []js.Value) (any, error)) (value any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v", r) // the page goes on
		}
	}()
	if len(args) != len(kinds) {
		return nil, fmt.Errorf("%w: %d are given, %d are wanted", ErrArguments, len(args), len(kinds))
	}
	for i, kind := range kinds {
		ok := args[i].Type() == js.TypeString
		switch kind {
		case 'b':
			ok = args[i].InstanceOf(js.Global().Get("Uint8Array"))
		case 't':
			ok = ok || args[i].InstanceOf(js.Global().Get("Uint8Array"))
		case 'f':
			ok = args[i].Type() == js.TypeFunction
		}
		if !ok {
			return nil, fmt.Errorf("%w: number %d is of another type", ErrArguments, i+1)
		}
	}
	return f(args)
}

// Bytes returns the bytes of an argument: those of a file as they are, or a text in UTF-8.
func Bytes(v js.Value) []byte {
	if v.Type() == js.TypeString {
		return []byte(v.String())
	}
	data := make([]byte, v.Length())
	js.CopyBytesToGo(data, v)
	return data
}

// Async adds a function that answers with a promise of what Func's answers, and may wait for
// promises itself.
func (o Object) Async(name string, kinds string, f func(args []js.Value) (any, error)) {
	o.v.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
		return js.Global().Get("Promise").New(js.FuncOf(func(_ js.Value, settle []js.Value) any {
			go func() { settle[0].Invoke(answer(call(kinds, args, f))) }() // a promise is waited for while the page goes on
			return nil
		}))
	}))
}

// Await waits for a promise. It must not be called by what a page calls directly.
func Await(promise js.Value) (js.Value, error) {
	type result struct {
		v   js.Value
		err error
	}
	done := make(chan result, 1)
	first := func(args []js.Value) js.Value {
		if len(args) == 0 {
			return js.Undefined()
		}
		return args[0]
	}
	kept := js.FuncOf(func(_ js.Value, args []js.Value) any { done <- result{v: first(args)}; return nil })
	failed := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- result{err: errors.New(first(args).Get("message").String())}
		return nil
	})
	defer kept.Release()
	defer failed.Release()
	promise.Call("then", kept, failed)
	r := <-done
	return r.v, r.err
}

// Run tells the page that the functions are there, and keeps the program running.
func (o Object) Run() {
	o.v.Set("ready", true)
	select {}
}
