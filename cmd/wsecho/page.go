package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
)

//go:embed page.html
var pageHTML string

// newPage returns the handler of the page for browsers. Its own script and
// style are all that the page may load, and WebSocket connections all that it
// may open.
func newPage() http.Handler {
	policy := "default-src 'none'; connect-src ws: wss:; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" +
		"; script-src " + hashOf("script") + "; style-src " + hashOf("style")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		w.Write([]byte(pageHTML))
	})
}

// hashOf returns the source expression of Content Security Policy for the one
// element of the page with the tag.
func hashOf(tag string) string {
	_, rest, _ := strings.Cut(pageHTML, "<"+tag+">")
	content, _, _ := strings.Cut(rest, "</"+tag+">")
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
