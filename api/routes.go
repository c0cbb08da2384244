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
}

// allRoutes lists everything that HTTP serves.
func (s *Server) allRoutes() []route {
	return []route{
		{"POST", "/v1/statements", http.HandlerFunc(s.statement)},
		{"POST", batchPath, http.HandlerFunc(s.batch)},
		{"GET", "/v1/receipts/{id}", s.get(s.receipt)},
		{"GET", "/v1/entries/{index}", s.get(s.entry)},
		{"GET", "/v1/trials/entries", s.get(s.trialEntries, "trial", "from")},
		{"GET", "/v1/records/entries", s.get(s.recordEntries, "kind", "id", "from")},
		{"GET", "/v1/records/found", s.get(s.findRecords, "kind", "ids")},
		{"GET", "/v1/history", s.bounded(maxAnswers, s.get(s.history, "kind", "id", "size", "from"))},
		{"GET", "/v1/log", s.get(s.describeLog)},
		{"GET", streamPath, http.HandlerFunc(s.stream)},

		{"POST", relayPath, http.HandlerFunc(s.relayEnd)},
		{"GET", "/checkpoint", s.current(http.HandlerFunc(s.checkpoint))},
		{"GET", "/tile/{path}", http.HandlerFunc(s.tile)},
		{"GET", "/healthz", http.HandlerFunc(s.healthz)},
		{"GET", "/readyz", http.HandlerFunc(s.readyz)},
		{"GET", "/metrics", s.metrics.handler()},
		{"GET", "/openapi.json", http.HandlerFunc(describeRoutes)},
		{"GET", "/docs", http.HandlerFunc(s.docsPage)},
		{"GET", "/consent", http.HandlerFunc(patientPage)},
		{"GET", "/check", http.HandlerFunc(s.checkPage)},
		{"GET", "/check.html", http.HandlerFunc(s.checkFile)},
		{"GET", "/trial", s.current(s.bounded(maxAnswers, http.HandlerFunc(s.trialPage)))},
		{"GET", "/overview", s.current(s.bounded(maxAnswers, http.HandlerFunc(s.overviewPage)))},
		{"GET", "/overview.csv", s.current(s.bounded(maxTables, http.HandlerFunc(s.overviewCSV)))},
		{"GET", "/search", s.current(s.bounded(maxAnswers, http.HandlerFunc(s.searchPage)))},
		{"GET", "/org", s.current(s.bounded(maxAnswers, http.HandlerFunc(s.orgPage)))},
		{"GET", "/editor", http.HandlerFunc(s.editorPage)},
		{"GET", "/web/{file}", http.HandlerFunc(s.asset)},
		{"GET", "/", s.bounded(maxAnswers, http.HandlerFunc(s.indexPage))},
	}
}

// current serves what would mislead if it were old.
func (s *Server) current(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.service.log.Stale(); err != nil {
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// maxTables is how many tables of all trials are made at the same time.
const maxTables = 4

const (
	streamPath = "/v1/stream"
	relayPath  = "/relay/end"
)

// pattern returns the route's path in the form of http.ServeMux.
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
			if rt.path == relayPath && r.Method == http.MethodOptions { // a patient's page may come from another log
				w.Header().Set("Access-Control-Allow-Origin", "*")
				w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
				w.WriteHeader(http.StatusNoContent)
				return
			}
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

// routeOf returns the path of the route that served a request, for metrics: one of a fixed
// number of values.
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
