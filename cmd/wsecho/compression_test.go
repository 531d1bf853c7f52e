package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"github.com/google/go-cmp/cmp"
)

// TestDeflate: the flag and the query decide what is agreed on, and the log tells
// it together with the ratio.
func TestDeflate(t *testing.T) {
	tests := []struct {
		flag, query string
		want        string // extensions in use
	}{
		{"off", "", ""},
		{"on", "", "permessage-deflate"},
		{"on", "?deflate=off", ""},
		{"off", "?deflate=on", "permessage-deflate"},
		{"off", "?deflate=noctx", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
		{"off", "?swb=9&cwb=8", "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8"},
		{"on", "?deflate=noctx&level=good&minsize=0", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
	}
	text := strings.Repeat("compress me, ", 100)
	for _, path := range []string{"/echo", "/chat"} {
		for _, tt := range tests {
			t.Run(tt.flag+path+tt.query, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, "-deflate", tt.flag)
					c, err := s.dial(t, path+tt.query, &conn.DialOptions{Options: conn.Options{Compression: &conn.Compression{
						Config: deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover},
					}}})
					if err != nil {
						t.Fatal(err)
					}
					if got := extensionsOf(c); got != tt.want {
						t.Errorf("extensions %q, want %q", got, tt.want)
					}
					exchange(t, c, frame.OpText, text)
					c.Close(frame.CloseNormalClosure, "")
					synctest.Wait()
					logged := s.journal.records(t, "connection")
					if len(logged) != 2 {
						t.Fatalf("logged %v", logged)
					}
					if got, _ := logged[0]["extensions"].(string); got != tt.want {
						t.Errorf("the log has extensions %q, want %q", got, tt.want)
					}
					for _, direction := range []string{"received", "sent"} {
						ratio, ok := logged[1][direction+"_ratio"].(float64)
						if ok != (tt.want != "") || ratio > 0.1 {
							t.Errorf("%s_ratio is %v", direction, logged[1][direction+"_ratio"])
						}
					}
				})
			})
		}
	}
}

// TestDeflateQuery: what a query cannot be is refused with what it can.
func TestDeflateQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for _, query := range []string{
			"x=y", "deflate=", "deflate=yes", "deflate", "swb=7", "swb=16", "swb=08", "cwb=+9", "cwb=a", "level=1", "minsize=-1", "minsize=x",
			"deflate=on&deflate=on", "deflate=off&swb=9", "swb=9;cwb=9",
		} {
			_, err := s.dial(t, "/echo?"+query, nil)
			refused, ok := errors.AsType[*conn.RefusedError](err)
			if !ok || refused.Status != http.StatusBadRequest ||
				!strings.Contains(refused.Body, "deflate=off|on|noctx, swb=8..15, cwb=8..15, level=fast|good, minsize=OCTETS") {
				t.Errorf("%s is answered with %v", query, err)
			}
		}
		logged := s.journal.records(t, "handshake refused")
		var got []float64
		for _, r := range logged {
			got = append(got, r["status"].(float64))
		}
		want := make([]float64, 15)
		for i := range want {
			want[i] = http.StatusBadRequest
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("logged statuses mismatch (-want +got):\n%s", diff)
		}
	})
}
