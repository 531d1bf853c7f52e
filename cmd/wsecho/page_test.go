package main

import (
	"mime"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

// TestPage: each page is one file, and its policy lets nothing else in.
func TestPage(t *testing.T) {
	for _, path := range []string{"/", "/chat.html"} {
		t.Run(path, func(t *testing.T) { testPage(t, path) })
	}
}

func testPage(t *testing.T, path string) {
	synctest.Test(t, func(t *testing.T) {
		r, body := newSite(t).get(t, path)
		if r.StatusCode != http.StatusOK || !strings.HasPrefix(body, "<!doctype html>") {
			t.Errorf("GET %s: %s and %q", path, r.Status, body)
		}
		header := r.Header
		if media, _, err := mime.ParseMediaType(header.Get("Content-Type")); media != "text/html" || err != nil {
			t.Errorf("Content-Type is %q", header.Get("Content-Type"))
		}
		policy := header.Get("Content-Security-Policy")
		for _, tag := range []string{"script", "style"} {
			if strings.Count(body, "<"+tag+">") != 1 || strings.Count(body, "<"+tag) != 1 {
				t.Errorf("the page has not exactly one <%s>", tag)
			}
			if !strings.Contains(policy, tag+"-src 'sha256-") {
				t.Errorf("the policy has no hash for %s: %s", tag, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("the policy is %s", policy)
		}
		for _, bad := range []string{`(src|href)="(https?:)?//`, `innerHTML`, `insertAdjacentHTML`, `document\.write`, ` style="`, ` on[a-z]+="`} {
			if found := regexp.MustCompile(bad).FindString(body); found != "" {
				t.Errorf("the page has %q", found)
			}
		}
	})
}
