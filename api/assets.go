package api

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/trialproof/trialproof/api/web"
)

// asset serves a file that pages load: the style, their scripts, and the verifier.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	data, mediaType, packed, err := web.File(r.PathValue("file"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.fail(w, r, nothingHere())
		return
	case errors.Is(err, web.ErrNoVerifier):
		s.fail(w, r, notFound(err.Error()))
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	if packed {
		h.Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
		} else if data, err = web.Unpack(data); err != nil {
			s.fail(w, r, err)
			return
		}
	}
	sum := sha256.Sum256(data)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	h.Set("Etag", tag)
	h.Set("Cache-Control", "no-cache") // asked for again each time: a page and its script must be of one version
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", mediaType)
	w.Write(data)
}

// checkPage serves the page that checks files and receipts.
func (s *Server) checkPage(w http.ResponseWriter, r *http.Request) {
	p, err := web.CheckPage(false)
	s.show(w, r, p, err)
}

// editorPage serves the form that compares an article's outcomes with a trial's record.
func (s *Server) editorPage(w http.ResponseWriter, r *http.Request) {
	body, err := web.Body("editor.html", nil)
	s.show(w, r, &web.Page{Title: "Compare an article - " + s.service.log.Origin(), Path: "editor", Body: body, Footer: s.footer(),
		Scripts: []string{"wasm_exec.js", "load.js", "editor.js"}}, err)
}

// checkFile serves the same as one file to keep.
func (s *Server) checkFile(w http.ResponseWriter, r *http.Request) {
	data, err := web.CheckFile()
	if errors.Is(err, web.ErrNoVerifier) {
		err = notFound(err.Error())
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Disposition", `attachment; filename="check.html"`)
	writePage(w, "default-src 'none'; frame-ancestors 'none'; sandbox", data) // it is to be saved, and opened from disk
}

// failPage answers a person who looks at a page: with the error's words and status.
func (s *Server) failPage(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r.Context(), err)
	body, berr := web.Body("problem.html", p.message)
	if berr != nil {
		s.fail(w, r, err)
		return
	}
	data, perr := (&web.Page{Title: "Not found - Trialproof", Body: body, Footer: s.footer()}).Served()
	if perr != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", web.CSP)
	w.WriteHeader(p.status)
	w.Write(data)
}

// show serves a page.
func (s *Server) show(w http.ResponseWriter, r *http.Request, p *web.Page, err error) {
	var data []byte
	if err == nil {
		data, err = p.Served()
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writePage(w, web.CSP, data)
}
