// Command trialwasm is the verifier for a web page: packages receipt and history compiled to
// WebAssembly. It knows no network and no clock. Files are digested piece by piece and are never
// kept.
//
//	go generate ./api/web
//
// builds it, and its companion dossier, for the pages that a log serves. Once it runs (see
// wasm_exec.js in Go's lib/wasm) a page finds its functions in the object trialproof. Each takes
// texts and returns JSON text, {"value": ...} or {"failure": {verdict, part, error}}, where verdict
// is "invalid" or "cannot be checked", and part is as in receipt.Problem:
//
//	policy(text)                     what a policy asks for
//	verify(policy, receipt, files)   files is JSON: [{"name": ..., "sha256": hex}, ...]
//	history(policy, text)            a history as trial history -json prints it
//	reader(policy, page)             an object that checks a history page by page
//	digester()                       an object that computes a SHA-256 piece by piece
package main
