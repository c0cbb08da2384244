package api

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/trialproof/trialproof/api/web"
	"github.com/trialproof/trialproof/trial/consent"
)

var (
	//go:embed web/consent.html
	consentHTML string

	// The words are JSON in which nothing can end the element that they stand in.
	consentPage = strings.Replace(consentHTML, "{{.}}", strings.ReplaceAll(string(consent.Words()), "<", `\u003c`), 1)

	// The relays of a slip may be elsewhere.
	consentPolicy = strings.Replace(web.CSP, "connect-src 'self'", "connect-src 'self' https:", 1)
)

// docsPage serves the page about the interface for programs.
func (s *Server) docsPage(w http.ResponseWriter, r *http.Request) {
	body, err := web.Body("docs.html", nil)
	s.show(w, r, &web.Page{Title: "Interface of the log - " + s.service.log.Origin(), Body: body, Footer: s.footer(),
		Scripts: []string{"docs.js"}}, err)
}

// patientPage shows who had access under the consents of a slip, which stands behind the # of the
// address and never reaches this server.
func patientPage(w http.ResponseWriter, r *http.Request) {
	writePage(w, consentPolicy, http.StatusOK, []byte(consentPage))
}

func writePage(w http.ResponseWriter, policy string, status int, page []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Security-Policy", policy)
	w.WriteHeader(status)
	w.Write(page)
}
