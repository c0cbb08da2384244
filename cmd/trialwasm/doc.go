// Command trialwasm is the receipt verifier for a web page: package receipt
// compiled to WebAssembly, and nothing else. It knows no network and no clock;
// files are digested by the page and never handed in.
//
//	GOOS=js GOARCH=wasm go build -o verify.wasm ./cmd/trialwasm
//
// Once it runs (see wasm_exec.js in Go's lib/wasm) the page calls
//
//	trialproofVerify(policyText, receiptText, [{name, sha256hex}, ...])
//
// which returns {ok: true, text} or {ok: false, part, error}, where part is as
// in receipt.Problem, or "policy" or "arguments".
package main
