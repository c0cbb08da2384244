package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/trialproof/trialproof/api/trialpb"
)

// describe returns the OpenAPI document of the routes: what was generated from
// trialproof.proto, the plain routes beside it, and how errors are answered.
func describe(routes []route) ([]byte, error) {
	var doc struct {
		Swagger     string                               `json:"swagger"`
		Info        json.RawMessage                      `json:"info"`
		Consumes    []string                             `json:"consumes"`
		Produces    []string                             `json:"produces"`
		Paths       map[string]map[string]map[string]any `json:"paths"`
		Definitions map[string]any                       `json:"definitions"`
	}
	if err := json.Unmarshal(trialpb.OpenAPI, &doc); err != nil {
		return nil, fmt.Errorf("api: generated OpenAPI document: %w", err)
	}
	for _, rt := range routes {
		if rt.summary == "" {
			continue // of trialproof.proto
		}
		op := map[string]any{
			"summary":   rt.summary,
			"produces":  []string{rt.produces},
			"responses": map[string]any{"200": map[string]any{"description": "The answer."}},
			"tags":      []string{"Files"},
		}
		if strings.Contains(rt.path, "{path}") {
			op["parameters"] = []any{map[string]any{"name": "path", "in": "path", "required": true, "type": "string"}}
		}
		doc.Paths[rt.path] = map[string]map[string]any{strings.ToLower(rt.method): op}
	}
	doc.Definitions["problem"] = map[string]any{
		"type":        "object",
		"description": "An error. The header X-Request-Id names the request in the operator's log.",
		"properties": map[string]any{
			"code":    map[string]any{"type": "string", "description": "A google.rpc.Code, such as PERMISSION_DENIED."},
			"rule":    map[string]any{"type": "string", "description": "Id of the rule that a statement breaks, such as R3: see docs/spec.md."},
			"message": map[string]any{"type": "string", "description": "What is wrong, and what would be right."},
		},
	}
	for path, item := range doc.Paths {
		for _, op := range item {
			responses, ok := op["responses"].(map[string]any)
			if !ok {
				return nil, fmt.Errorf("api: generated OpenAPI document: %s has no responses", path)
			}
			responses["default"] = map[string]any{
				"description": "An error: 400 malformed, 403 not entitled, 404 not there, 409 in conflict with what is logged, 413 too large, 429 too often, 503 not ready.",
				"schema":      map[string]any{"$ref": "#/definitions/problem"},
			}
			if path == "/v1/statements" || strings.HasPrefix(path, "/v1/receipts/") {
				responses["202"] = map[string]any{
					"description": "Pending: the statement is in the log, its receipt is not there yet; /readyz says why. The answer has its id alone.",
					"schema":      map[string]any{"$ref": "#/definitions/v1Receipt"},
				}
			}
		}
	}
	return json.MarshalIndent(doc, "", "  ")
}

func (s *Server) describeRoutes(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(s.openAPI)
}
