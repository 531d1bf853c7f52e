package socketio_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// TestFiles: scripts are served with an entity tag and compressed, and nothing else
// is.
func TestFiles(t *testing.T) {
	script := strings.Repeat("script ", 1000)
	server := &socketio.Server{Files: fstest.MapFS{
		"socket.io.js": {Data: []byte(script)}, "socket.io.js.map": {Data: []byte("{}")}, "secret.js": {Data: []byte("secret")},
	}}
	bubble(t, server, func(t *testing.T, w *world) {
		get := func(method, path string, fields ...string) response {
			r, err := http.NewRequest(method, "http://server/socket.io/"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range fields {
				k, v, _ := strings.Cut(f, ": ")
				r.Header.Set(k, v)
			}
			return w.do(r)
		}
		plain := get("GET", "socket.io.js")
		etag := plain.Header.Get("ETag")
		if plain.StatusCode != 200 || plain.body != script || plain.Header.Get("Content-Type") != "application/javascript; charset=utf-8" ||
			plain.Header.Get("Cache-Control") != "public, max-age=0" || len(etag) != 34 {
			t.Errorf("GET is answered with %d, %v", plain.StatusCode, plain.Header)
		}
		tests := []struct {
			name, method, path string
			fields             []string
			status             int
			body, encoding     string
		}{
			{"again", "GET", "socket.io.js?x", nil, 200, script, ""},
			{"map", "GET", "socket.io.js.map", nil, 200, "{}", ""},
			{"head", "HEAD", "socket.io.js", nil, 200, "", ""},
			{"known", "GET", "socket.io.js", []string{"If-None-Match: " + etag}, 304, "", ""},
			{"known weakly", "GET", "socket.io.js", []string{`If-None-Match: "x", W/` + etag}, 304, "", ""},
			{"any", "GET", "socket.io.js", []string{"If-None-Match: *"}, 304, "", ""},
			{"other", "GET", "socket.io.js", []string{`If-None-Match: "x"`}, 200, script, ""},
			{"compressed", "GET", "socket.io.js", []string{"Accept-Encoding: br, GZip;q=0.5"}, 200, script, "gzip"},
			{"not compressed", "GET", "socket.io.js", []string{"Accept-Encoding: br, gzip;q=0"}, 200, script, ""},
			{"missing", "GET", "socket.io.min.js", nil, 404, "404 page not found\n", ""},
			{"method", "POST", "socket.io.js", nil, 405, "method not allowed\n", ""},
			{"other file", "GET", "secret.js", nil, 400, `{"code":0,"message":"Transport unknown"}`, ""},
		}
		for _, tt := range tests {
			r := get(tt.method, tt.path, tt.fields...)
			body := r.body
			if r.Header.Get("Content-Encoding") == "gzip" {
				z, err := gzip.NewReader(bytes.NewReader([]byte(body)))
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(z)
				if err != nil {
					t.Fatal(err)
				}
				body = string(b)
			}
			if r.StatusCode != tt.status || body != tt.body || r.Header.Get("Content-Encoding") != tt.encoding {
				t.Errorf("%s: %d %q %.100q; want %d %q %.100q", tt.name, r.StatusCode, r.Header.Get("Content-Encoding"), body, tt.status, tt.encoding, tt.body)
			}
		}
	})
}

// TestFilesCORS: pages of other origins may import a script if they may connect.
func TestFilesCORS(t *testing.T) {
	for _, cors := range []*engineio.CORS{nil, {}} {
		server := &socketio.Server{
			Engine: &engineio.Options{CORS: cors}, Files: fstest.MapFS{"socket.io.esm.min.js": {Data: []byte("export {}")}},
		}
		bubble(t, server, func(t *testing.T, w *world) {
			r, err := http.NewRequest("GET", "http://server/socket.io/socket.io.esm.min.js", nil)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if cors != nil {
				want = "*"
			}
			if got := w.do(r).Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("CORS %v: %q, want %q", cors, got, want)
			}
		})
	}
}
