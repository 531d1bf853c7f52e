package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed chat.html
	chatHTML string
)

// newPage returns the handler of a page for browsers. Its own script and style
// are all that the page may load, beside scripts from the source, and connections
// to this server and WebSocket connections all that it may open.
func newPage(html, source string) http.Handler {
	policy := "default-src 'none'; connect-src 'self' ws: wss:; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" +
		"; script-src " + hashOf(html, "script") + source + "; style-src " + hashOf(html, "style")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		w.Write([]byte(html))
	})
}

// newChatPage returns the handler of the page that chats over Socket.IO, with the
// official client or a small one of its own.
func newChatPage(official bool) http.Handler {
	const place = "<!-- the official client, if there is one -->"
	if official {
		return newPage(strings.Replace(chatHTML, place, `<script src="/socket.io/socket.io.js"></script>`, 1), " 'self'")
	}
	return newPage(strings.Replace(chatHTML, place+"\n", "", 1), "")
}

// hashOf returns the source expression of Content Security Policy for the one
// element of the page with the tag and no attributes.
func hashOf(html, tag string) string {
	_, rest, _ := strings.Cut(html, "<"+tag+">")
	content, _, _ := strings.Cut(rest, "</"+tag+">")
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
