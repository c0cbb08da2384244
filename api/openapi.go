package api

import (
	_ "embed"
	"net/http"
)

// openAPI describes every route (OpenAPI 3.1), with an example of each call and of its
// answer. It is kept by hand: TestOpenAPI makes every call and compares the answers.
//
//go:embed openapi.json
var openAPI []byte

func describeRoutes(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(openAPI)
}
