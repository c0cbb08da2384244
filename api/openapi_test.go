package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/trialproof/trialproof/api/trialpb"
	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/trial"
	"github.com/trialproof/trialproof/trial/trialtest"
)

// A schema is the part of JSON Schema that the OpenAPI document uses.
type schema struct {
	Ref        string `json:"$ref"`
	Type       string
	Items      *schema
	Properties map[string]*schema
}

type content map[string]struct {
	Schema  *schema
	Example any
}

type operation struct {
	Summary    string
	Parameters []struct{ Name, In, Example string }
	Request    *struct{ Content content } `json:"requestBody"`
	Responses  map[string]struct{ Content content }
}

type document struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]*schema }
}

// wrong says where a value does not have the shape of the schema, or returns "" if it has.
func (d *document) wrong(at string, s *schema, v any) string {
	if s == nil {
		return at + " has no schema"
	}
	if s.Ref != "" {
		return d.wrong(at, d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")], v)
	}
	switch v := v.(type) {
	case string:
		if s.Type == "string" {
			return ""
		}
	case []any:
		for _, x := range v {
			if why := d.wrong(at+"[]", s.Items, x); s.Type == "array" && why != "" {
				return why
			}
		}
		if s.Type == "array" {
			return ""
		}
	case map[string]any:
		for name, x := range v {
			if why := d.wrong(at+"."+name, s.Properties[name], x); s.Type == "object" && why != "" {
				return why
			}
		}
		if s.Type == "object" {
			return ""
		}
	}
	return at + " is no " + s.Type
}

// TestOpenAPI: every route is described and every description is of a route. Each call's
// example is answered with the example of its answer, which has the shape that its schema says.
// With -update the examples of the calls of /v1 are written again.
func TestOpenAPI(t *testing.T) {
	f := newFixture(t, setup{})
	id := f.enrol()
	p, s := f.document(id)
	envelope, key := trialtest.Sign(t, "ada", p, s)
	statement := trial.StatementID(trialtest.Payload(t, p, s)).String()
	if *update {
		f.writeExamples(body(envelope, key), statement)
	}
	a := f.get("/openapi.json")
	var doc document
	fatal(t, json.Unmarshal(openAPI, &doc))
	if a.body != string(openAPI) || doc.OpenAPI != "3.1.0" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("version %q, header %v", doc.OpenAPI, a.header)
	}
	described := 0
	for _, rt := range f.api.routes { // in this order: the statement comes before its receipt
		op, ok := doc.Paths[rt.path][strings.ToLower(rt.method)]
		if !ok {
			t.Errorf("%s %s is served and not described", rt.method, rt.path)
			continue
		}
		described++
		if a := f.send(http.MethodPut, strings.NewReplacer("{", "", "}", "").Replace(rt.path),
			""); a.status != http.StatusMethodNotAllowed {
			t.Errorf("PUT %s: status %d", rt.path, a.status)
		}
		if rt.path == "/check.html" && len(web.Built()) == 0 { // go generate ./api/web was not run
			continue
		}
		if rt.path != "/relay/end" { // its example needs a consent: see TestRelay
			f.example(&doc, rt.method, rt.path, op)
		}
	}
	n := 0
	for _, item := range doc.Paths {
		n += len(item)
	}
	if n != described {
		t.Errorf("%d operations are described, %d of them are served", n, described)
	}
	for _, path := range []string{"/v1/statements", "/v1/receipts/{id}"} {
		for _, op := range doc.Paths[path] {
			if _, ok := op.Responses["202"]; !ok {
				t.Errorf("%s: pending is not described", path)
			}
		}
	}
	methods := len(trialpb.Log_ServiceDesc.Methods) + len(trialpb.Log_ServiceDesc.Streams)
	v1 := 0
	for path := range doc.Paths {
		if strings.HasPrefix(path, "/v1/") {
			v1++
		}
	}
	if v1 != methods {
		t.Errorf("gRPC has %d methods, /v1 %d", methods, v1)
	}
}

// example makes the call that the document gives as an example.
func (f *fixture) example(doc *document, method, path string, op operation) {
	f.t.Helper()
	query := url.Values{}
	target := path
	for _, p := range op.Parameters {
		if p.In == "path" {
			target = strings.ReplaceAll(target, "{"+p.Name+"}", p.Example)
		} else if p.Example != "" {
			query.Set(p.Name, p.Example)
		}
	}
	var sent string
	sentAs := "application/json"
	if op.Request != nil {
		if path == batchPath {
			sentAs = "application/x-ndjson"
		}
		c := op.Request.Content[sentAs]
		if why := doc.wrong("the request", c.Schema, c.Example); why != "" {
			f.t.Errorf("%s %s: %s", method, path, why)
		}
		data, err := json.Marshal(c.Example)
		fatal(f.t, err)
		sent = string(data)
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	if path == streamPath {
		kind, line := f.streamExample(target)
		c := op.Responses["200"].Content[kind]
		f.compareExample(doc, target, line, c.Schema, c.Example)
		return
	}
	a := f.send(method, target, sent, "Content-Type", sentAs)
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	c, ok := op.Responses["200"].Content[kind]
	if a.status != http.StatusOK || !ok || op.Summary == "" || op.Responses["default"].Content["application/json"].Schema == nil {
		f.t.Errorf("%s %s: status %d, %s, which is not as described: %s", method, target, a.status, kind, a.body)
		return
	}
	if strings.HasPrefix(path, "/v1/") {
		f.compareExample(doc, target, a.body, c.Schema, c.Example)
	}
}

// streamExample reads the first line of a stream, which does not end by itself.
func (f *fixture) streamExample(target string) (kind, line string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "GET", f.http.URL+target, nil)
	fatal(f.t, err)
	resp, err := http.DefaultClient.Do(req)
	fatal(f.t, err)
	defer resp.Body.Close()
	var first json.RawMessage
	fatal(f.t, json.NewDecoder(resp.Body).Decode(&first))
	return resp.Header.Get("Content-Type"), string(first)
}

func (f *fixture) compareExample(doc *document, target, body string, s *schema, example any) {
	f.t.Helper()
	var got any
	fatal(f.t, json.Unmarshal([]byte(body), &got))
	if why := doc.wrong("the answer", s, got); why != "" {
		f.t.Errorf("%s: %s", target, why)
	}
	if !reflect.DeepEqual(got, example) {
		f.t.Errorf("%s: the example is another than the answer, %s: write it anew with -update", target, body)
	}
}

// writeExamples puts a statement, its identity and the answers to the examples into the document.
func (f *fixture) writeExamples(request, statement string) {
	var doc map[string]any
	fatal(f.t, json.Unmarshal(openAPI, &doc))
	at := func(v any, names ...string) map[string]any {
		for _, name := range names {
			v = v.(map[string]any)[name]
		}
		return v.(map[string]any)
	}
	raw := func(text string) (v any) {
		fatal(f.t, json.Unmarshal([]byte(text), &v))
		return v
	}
	at(doc, "paths", "/v1/statements", "post", "requestBody", "content", "application/json")["example"] = raw(request)
	at(doc, "paths", "/v1/statements", "post", "responses", "200", "content", "application/json")["example"] =
		raw(f.send("POST", "/v1/statements", request, "Content-Type", "application/json").body)
	const lines = "application/x-ndjson"
	at(doc, "paths", batchPath, "post", "requestBody", "content", lines)["example"] = raw(request)
	at(doc, "paths", batchPath, "post", "responses", "200", "content", lines)["example"] =
		raw(f.send("POST", batchPath, request, "Content-Type", lines).body)
	for path, item := range at(doc, "paths") {
		if !strings.HasPrefix(path, "/v1/") || path == "/v1/statements" || path == batchPath {
			continue
		}
		op := at(item, "get")
		query := url.Values{}
		target := path
		list, _ := op["parameters"].([]any)
		for _, p := range list {
			p := p.(map[string]any)
			if path == "/v1/receipts/{id}" {
				p["example"] = statement
			}
			value, _ := p["example"].(string)
			if p["in"] == "path" {
				target = strings.ReplaceAll(target, "{"+p["name"].(string)+"}", value)
			} else if value != "" {
				query.Set(p["name"].(string), value)
			}
		}
		if path == streamPath {
			_, line := f.streamExample(target + "?" + query.Encode())
			at(op, "responses", "200", "content", "application/x-ndjson")["example"] = raw(line)
			continue
		}
		at(op, "responses", "200", "content", "application/json")["example"] = raw(f.get(target + "?" + query.Encode()).body)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	fatal(f.t, enc.Encode(doc))
	fatal(f.t, os.WriteFile("openapi.json", b.Bytes(), 0o666))
	openAPI = slices.Clone(b.Bytes())
}
