package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"

	"example.org/rfc6455/conn"
)

// browserCookie tells the connections of one browser from others, for its page to
// show what scripts cannot see.
const browserCookie = "wsecho"

// maxBrowsers is of how many browsers the last connection is remembered.
const maxBrowsers = 64

// lastConns are the connections that browsers opened last.
type lastConns struct {
	mu       sync.Mutex
	conns    map[string]*conn.Conn // by cookie
	browsers []string              // the keys of conns, in the order they came
}

// cookie gives a browser that has none its cookie, before h answers.
func (l *lastConns) cookie(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie(browserCookie); err != nil {
			http.SetCookie(w, &http.Cookie{Name: browserCookie, Value: rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
		}
		h.ServeHTTP(w, r)
	})
}

// opened remembers a connection, if it is a browser's that has the page.
func (l *lastConns) opened(r *http.Request, c *conn.Conn) {
	cookie, err := r.Cookie(browserCookie)
	if err != nil || len(cookie.Value) > len(rand.Text()) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		l.conns = make(map[string]*conn.Conn)
	}
	if l.conns[cookie.Value] == nil {
		if len(l.browsers) == maxBrowsers {
			delete(l.conns, l.browsers[0])
			l.browsers = l.browsers[1:]
		}
		l.browsers = append(l.browsers, cookie.Value)
	}
	l.conns[cookie.Value] = c
}

// ServeHTTP answers with what went over the browser's last connection.
func (l *lastConns) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c *conn.Conn
	if cookie, err := r.Cookie(browserCookie); err == nil {
		l.mu.Lock()
		c = l.conns[cookie.Value]
		l.mu.Unlock()
	}
	if c == nil {
		http.Error(w, "This browser has opened no connection.", http.StatusNotFound)
		return
	}
	type traffic struct {
		Messages   uint64  `json:"messages"`
		Octets     uint64  `json:"octets"`
		Compressed uint64  `json:"compressed"`
		Ratio      float64 `json:"ratio"` // of those that were compressed
	}
	of := func(t conn.Traffic) traffic { return traffic{t.Messages, t.Payload, t.Compressed, ratio(t)} }
	stats := c.Stats()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(map[string]any{"extensions": extensionsOf(c), "received": of(stats.Received), "sent": of(stats.Sent)})
}
