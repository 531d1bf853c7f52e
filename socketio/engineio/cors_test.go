package engineio_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/socketio/engineio"
	"github.com/google/go-cmp/cmp"
)

// TestCORS: what browsers are told about pages of the same origin, of one that is
// allowed, and of others.
func TestCORS(t *testing.T) {
	const (
		same    = "http://example.com"
		allowed = "https://app.example"
		foreign = "https://evil.example"
		query   = "EIO=4&transport=polling"
	)
	origins := []string{allowed}
	tests := []struct {
		name    string
		options engineio.Options
		method  string
		origin  string
		status  int
		header  map[string]string // the fields about CORS
	}{
		{"off", engineio.Options{Origins: origins}, "GET", allowed, 200, nil},
		{"off, preflight", engineio.Options{Origins: origins}, "OPTIONS", allowed, 400, nil},
		{"no origin", engineio.Options{Origins: origins, CORS: &engineio.CORS{}}, "GET", "", 200, map[string]string{"Vary": "Origin"}},
		{"same origin", engineio.Options{Origins: origins, CORS: &engineio.CORS{}}, "GET", same, 200,
			map[string]string{"Access-Control-Allow-Origin": same, "Vary": "Origin"}},
		{"allowed", engineio.Options{Origins: origins, CORS: &engineio.CORS{}}, "GET", allowed, 200,
			map[string]string{"Access-Control-Allow-Origin": allowed, "Vary": "Origin"}},
		{"foreign", engineio.Options{Origins: origins, CORS: &engineio.CORS{}}, "GET", foreign, 403, map[string]string{"Vary": "Origin"}},
		{"foreign, preflight", engineio.Options{Origins: origins, CORS: &engineio.CORS{}}, "OPTIONS", foreign, 204, map[string]string{
			"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE", "Access-Control-Allow-Headers": "x-a,x-b",
			"Vary": "Origin,Access-Control-Request-Headers"}},
		{"preflight", engineio.Options{Origins: origins, CORS: &engineio.CORS{Credentials: true, MaxAge: time.Minute}}, "OPTIONS", allowed, 204,
			map[string]string{"Access-Control-Allow-Origin": allowed, "Access-Control-Allow-Credentials": "true",
				"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE", "Access-Control-Allow-Headers": "x-a,x-b",
				"Access-Control-Max-Age": "60", "Vary": "Origin,Access-Control-Request-Headers"}},
		{"preflight as it was configured", engineio.Options{Origins: origins, CORS: &engineio.CORS{Methods: []string{"GET", "POST"}, AllowedHeaders: []string{"x-c"}}},
			"OPTIONS", allowed, 204, map[string]string{"Access-Control-Allow-Origin": allowed, "Access-Control-Allow-Methods": "GET,POST",
				"Access-Control-Allow-Headers": "x-c", "Vary": "Origin"}},
		{"exposed", engineio.Options{Origins: origins, CORS: &engineio.CORS{ExposedHeaders: []string{"X-D", "X-E"}}}, "GET", allowed, 200,
			map[string]string{"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": "X-D,X-E", "Vary": "Origin"}},
		{"any", engineio.Options{InsecureAnyOrigin: true, CORS: &engineio.CORS{}}, "GET", foreign, 200, map[string]string{"Access-Control-Allow-Origin": "*"}},
		{"any, with credentials", engineio.Options{InsecureAnyOrigin: true, CORS: &engineio.CORS{Credentials: true}}, "GET", foreign, 200,
			map[string]string{"Access-Control-Allow-Origin": foreign, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}},
		{"of a refusal", engineio.Options{Origins: origins, CORS: &engineio.CORS{}, AllowRequest: func(*http.Request) error { return &engineio.RefusedError{} }},
			"GET", allowed, 403, map[string]string{"Access-Control-Allow-Origin": allowed, "Vary": "Origin"}},
	}
	for _, tt := range tests {
		inBubble(t, tt.name, func(t *testing.T) {
			w := serve(t, &tt.options, nil)
			header := []string{"Access-Control-Request-Headers", "x-a,x-b"}
			if tt.origin != "" {
				header = append(header, "Origin", tt.origin)
			}
			a := w.request(tt.method, query, "", header...)
			if a.status != tt.status {
				t.Errorf("status %d, want %d", a.status, tt.status)
			}
			if tt.status == 204 && a.header.Get("Content-Length") != "0" && a.header["Content-Length"] != nil {
				t.Errorf("Content-Length %q", a.header["Content-Length"])
			}
			got := map[string]string{}
			for name, values := range a.header {
				if name == "Vary" || strings.HasPrefix(name, "Access-Control-") {
					got[name] = strings.Join(values, ",")
				}
			}
			if tt.header == nil {
				tt.header = map[string]string{}
			}
			if diff := cmp.Diff(tt.header, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}
