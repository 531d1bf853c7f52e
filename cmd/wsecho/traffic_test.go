package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"github.com/google/go-cmp/cmp"
)

// small is a ratio that is to be expected of what repeats.
var small = regexp.MustCompile(`0\.0\d+`)

// TestTraffic: a browser that has the page is told what its last connection has come
// to, and nobody else.
func TestTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		cookie := func() string {
			t.Helper()
			r, _ := s.get(t, "/")
			if cookies := r.Cookies(); len(cookies) == 1 {
				return cookies[0].Name + "=" + cookies[0].Value
			}
			t.Fatalf("cookies %v", r.Cookies())
			return ""
		}
		open := func(cookie, query string) *conn.Conn {
			t.Helper()
			c, err := s.dial(t, "/echo"+query, &conn.DialOptions{
				Header:  http.Header{"Cookie": {cookie}},
				Options: conn.Options{Compression: withContext()},
			})
			if err != nil {
				t.Fatal(err)
			}
			exchange(t, c, frame.OpText, strings.Repeat("compress me, ", 100))
			synctest.Wait()
			return c
		}
		want := func(cookie, want string) {
			t.Helper()
			_, body := s.get(t, "/traffic", "Cookie", cookie)
			body = small.ReplaceAllString(strings.TrimSpace(body), "small")
			if diff := cmp.Diff(want, body); diff != "" {
				t.Errorf("GET /traffic (-want +got):\n%s", diff)
			}
		}
		const (
			nothing    = "This browser has opened no connection."
			plain      = `{"extensions":"","received":{"messages":1,"octets":1300,"compressed":0,"ratio":0},"sent":{"messages":1,"octets":1300,"compressed":0,"ratio":0}}`
			compressed = `{"extensions":"permessage-deflate","received":{"messages":1,"octets":1300,"compressed":1,"ratio":small},"sent":{"messages":1,"octets":1300,"compressed":1,"ratio":small}}`
		)
		one, other := cookie(), cookie()
		if r, _ := s.get(t, "/", "Cookie", one); len(r.Cookies()) != 0 {
			t.Errorf("a browser with a cookie is given %v", r.Cookies())
		}
		want(one, nothing)
		open(one, "?deflate=off")
		want(one, plain)
		want(other, nothing)
		want("", nothing)
		c := open(one, "?deflate=on")
		want(one, compressed)
		c.Close(frame.CloseNormalClosure, "")
		want(one, compressed)
		open("", "")
		open("wsecho="+strings.Repeat("x", 1000), "")
		want("wsecho="+strings.Repeat("x", 1000), nothing)
		for i := range maxBrowsers {
			want(one, compressed)
			open(fmt.Sprintf("wsecho=%d", i), "").CloseNow()
		}
		want(one, nothing)
		var last struct{ Extensions *string }
		if _, body := s.get(t, "/traffic", "Cookie", fmt.Sprintf("wsecho=%d", maxBrowsers-1)); json.Unmarshal([]byte(body), &last) != nil || last.Extensions == nil {
			t.Errorf("the last browser is told %q", body)
		}
	})
}
