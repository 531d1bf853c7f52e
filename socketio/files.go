package socketio

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

// files are the scripts for browsers, each read when it is asked for first.
type files struct {
	mu     sync.Mutex
	loaded map[string]*file
}

// A file is a script, ready to be served.
type file struct {
	contentType string
	etag        string
	plain, gzip []byte
}

// scripts are the names that are served, and each with .map.
var scripts = map[string]bool{
	"socket.io.js": true, "socket.io.min.js": true, "socket.io.esm.min.js": true, "socket.io.msgpack.min.js": true,
}

// serve answers a request for a script, and reports whether it was one. With cors,
// pages of any origin may import it: it is the same for everybody.
func (f *files) serve(w http.ResponseWriter, r *http.Request, from fs.FS, cors bool) bool {
	name := path.Base(r.URL.Path)
	script, isMap := strings.CutSuffix(name, ".map")
	if !scripts[script] {
		return false
	}
	s := f.load(from, name, isMap)
	if s == nil {
		http.NotFound(w, r)
		return true
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return true
	}
	h := w.Header()
	if cors {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	h.Set("Content-Type", s.contentType)
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("ETag", s.etag)
	h.Add("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if matches(r.Header.Get("If-None-Match"), s.etag) {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	body := s.plain
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = s.gzip
	}
	if r.Method == http.MethodGet {
		w.Write(body) // who does not take it does not want it
	}
	return true
}

// load returns a script, or nil if there is none.
func (f *files) load(from fs.FS, name string, isMap bool) *file {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.loaded[name]; s != nil {
		return s
	}
	plain, err := fs.ReadFile(from, name)
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(plain)
	s := &file{contentType: "application/javascript; charset=utf-8", etag: `"` + hex.EncodeToString(sum[:16]) + `"`, plain: plain}
	if isMap {
		s.contentType = "application/json; charset=utf-8"
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(plain) // a buffer takes everything
	z.Close()
	s.gzip = b.Bytes()
	if f.loaded == nil {
		f.loaded = map[string]*file{}
	}
	f.loaded[name] = s
	return s
}

// matches reports whether an If-None-Match names the entity tag, weakly or strongly
// (RFC 9110, Section 13.1.2).
func matches(field, etag string) bool {
	for tag := range strings.SplitSeq(field, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether an Accept-Encoding allows gzip (RFC 9110, Section
// 12.5.3).
func acceptsGzip(field string) bool {
	for coding := range strings.SplitSeq(field, ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, _ := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
		return strings.Trim(q, "0.") != "" || q == ""
	}
	return false
}
