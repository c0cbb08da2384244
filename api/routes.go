package api

import (
	"net/http"
	"strings"
)

// A route is one method and path that is served. GET serves HEAD as well.
type route struct {
	method  string
	path    string // as in OpenAPI
	handler http.Handler

	// What OpenAPI says of a route that trialproof.proto does not describe.
	summary  string
	produces string
}

// allRoutes lists everything that HTTP serves.
func (s *Server) allRoutes() []route {
	get := s.getters()
	const text, js, html = "text/plain", "application/json", "text/html"
	return []route{
		{method: "POST", path: "/v1/statements", handler: http.HandlerFunc(s.statement)},
		{method: "GET", path: "/v1/receipts/{id}", handler: get["/v1/receipts/{id}"]},
		{method: "GET", path: "/v1/entries/{index}", handler: get["/v1/entries/{index}"]},
		{method: "GET", path: "/v1/trials/entries", handler: get["/v1/trials/entries"]},
		{method: "GET", path: "/v1/records/entries", handler: get["/v1/records/entries"]},
		{method: "GET", path: "/v1/history", handler: get["/v1/history"]},
		{method: "GET", path: "/v1/log", handler: get["/v1/log"]},
		{method: "GET", path: streamPath, handler: http.HandlerFunc(s.stream)},

		{"GET", "/checkpoint", http.HandlerFunc(s.checkpoint), "The newest published checkpoint with its cosignatures (c2sp.org/tlog-checkpoint).", text},
		{"GET", "/tile/{path}", http.HandlerFunc(s.tile), "A tile such as 0/x001/067, or an entry bundle such as entries/000.p/8 (c2sp.org/tlog-tiles).", "application/octet-stream"},
		{"GET", "/healthz", http.HandlerFunc(s.healthz), "Says that the process answers.", text},
		{"GET", "/readyz", http.HandlerFunc(s.readyz), "Says whether the log takes submissions; with status 503, why it does not.", text},
		{"GET", "/metrics", s.metrics.handler(), "Counters for Prometheus.", text},
		{"GET", "/openapi.json", http.HandlerFunc(s.describeRoutes), "This description (OpenAPI 2.0).", js},
		{"GET", "/docs", http.HandlerFunc(docsPage), "This description as a page.", html},
		{"GET", "/", http.HandlerFunc(s.indexPage), "A page about the log.", html},
	}
}

const streamPath = "/v1/stream"

// pattern returns the route's path as http.ServeMux has it.
func (rt route) pattern() string {
	if rt.path == "/" {
		return "/{$}"
	}
	return strings.Replace(rt.path, "{path}", "{path...}", 1)
}

// newMux serves the routes, and answers anything else with a problem.
func newMux(s *Server, routes []route) http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		allow := rt.method
		if allow == http.MethodGet {
			allow = "GET, HEAD"
		}
		mux.Handle(rt.method+" "+rt.pattern(), rt.handler)
		mux.HandleFunc(rt.pattern(), func(w http.ResponseWriter, r *http.Request) {
			p := badRequest("the method here is " + allow)
			p.status = http.StatusMethodNotAllowed
			w.Header().Set("Allow", allow)
			s.fail(w, r, p)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, nothingHere())
	})
	return mux
}

func nothingHere() error { return notFound("nothing is served here: /docs lists what is") }

// routeOf returns the path of the route that served a request, for metrics: one
// of a fixed number of values.
func routeOf(pattern string) string {
	_, path, found := strings.Cut(pattern, " ")
	if !found {
		path = pattern
	}
	switch path {
	case "/{$}":
		return "/"
	case "/", "":
		return "none"
	}
	return path
}
