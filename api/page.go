package api

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/trialproof/trialproof/trial/consent"
)

// The pages load nothing from elsewhere, and their content security policy allows only the
// scripts and styles that came with them.
var (
	//go:embed web/docs.html
	docsHTML string
	//go:embed web/consent.html
	consentHTML string

	docsPolicy = contentPolicy(docsHTML)

	// The words are JSON in which nothing can end the element that they stand in. The relays of
	// a slip may be elsewhere.
	consentPage   = strings.Replace(consentHTML, "{{.}}", strings.ReplaceAll(string(consent.Words()), "<", `\u003c`), 1)
	consentPolicy = strings.Replace(contentPolicy(consentHTML), "connect-src 'self'", "connect-src 'self' https:", 1)
)

// contentPolicy returns the policy of a page: its own inline elements by their
// digests, requests to its own origin, and nothing else.
func contentPolicy(page string) string {
	policy := "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	for _, element := range []string{"style", "script"} {
		if _, rest, found := strings.Cut(page, "<"+element+">"); found {
			text, _, _ := strings.Cut(rest, "</"+element+">")
			sum := sha256.Sum256([]byte(text))
			policy += "; " + element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		}
	}
	return policy
}

func docsPage(w http.ResponseWriter, r *http.Request) {
	writePage(w, docsPolicy, http.StatusOK, []byte(docsHTML))
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
