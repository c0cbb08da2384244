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
	sum := sha256.Sum256(data)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	h := w.Header()
	unpack := false
	if packed {
		h.Add("Vary", "Accept-Encoding")
		if unpack = !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"); unpack {
			tag += "-unpacked"
		} else {
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Etag", `"`+tag+`"`)
	h.Set("Cache-Control", "no-cache") // asked for again each time: a page and its script must be of one version
	if r.Header.Get("If-None-Match") == h.Get("Etag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", mediaType)
	switch {
	case !unpack:
		w.Write(data)
	case r.Method != http.MethodHead:
		web.Unpack(w, data) // piece by piece: whoever reads slowly must not hold all of it in memory
	}
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
	writePage(w, "default-src 'none'; frame-ancestors 'none'; sandbox", http.StatusOK, data) // it is to be saved, and opened from disk
}

// failPage answers a person who looks at a page: with what callers may see of the error, and its status.
// It keeps the error for the server's log, as fail does.
func (s *Server) failPage(w http.ResponseWriter, r *http.Request, err error) {
	callOf(r.Context()).err = err
	p := problemOf(r.Context(), err)
	body, berr := web.Body("problem.html", p.message)
	title := "Not answered"
	if p.status == http.StatusNotFound {
		title = "Not found"
	}
	s.showStatus(w, r, p.status, &web.Page{Title: title + " - " + s.service.log.Origin(), Body: body, Footer: s.footer()}, berr)
}

// show serves a page.
func (s *Server) show(w http.ResponseWriter, r *http.Request, p *web.Page, err error) {
	s.showStatus(w, r, http.StatusOK, p, err)
}

// showStatus serves a page with a status.
func (s *Server) showStatus(w http.ResponseWriter, r *http.Request, status int, p *web.Page, err error) {
	var data []byte
	if err == nil {
		data, err = p.Served()
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writePage(w, web.CSP, status, data)
}
