package conn_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/handshake"
)

func TestK10URL(t *testing.T) {
	tests := []struct {
		name, url string
		err       error
	}{
		{"CR LF in the path", "ws://h/a\r\nX: y", conn.ErrURL},
		{"CR LF in the host", "ws://h\r\n/", conn.ErrURL},
		{"NUL", "ws://h/\x00", conn.ErrURL},
		{"space in the path", "ws://h/a b", conn.ErrURL},
		{"space before", " ws://h/", conn.ErrURL},
		{"space in the host", "ws://a b/", conn.ErrURL},
		{"DEL", "ws://h/\x7f", conn.ErrURL},
		{"not ASCII", "ws://h/é", conn.ErrURL},
		{"not ASCII in the host", "ws://é/", conn.ErrURL},
		{"escapes in the host", "ws://%C3%A9/", conn.ErrURL},
		{"bad escape", "ws://h/%zz", conn.ErrURL},
		{"bad escape in the query", "ws://h/?%zz", handshake.ErrTarget},
		{"fragment", "ws://h/#a", conn.ErrURL},
		{"empty fragment", "ws://h/#", conn.ErrURL},
		{"port 0", "ws://h:0/", conn.ErrURL},
		{"port 65536", "ws://h:65536/", conn.ErrURL},
		{"port that is a name", "ws://h:http/", conn.ErrURL},
		{"negative port", "ws://h:-1/", conn.ErrURL},
		{"no host", "ws:///a", conn.ErrURL},
		{"no host but a port", "ws://:80/", conn.ErrURL},
		{"opaque", "ws:h", conn.ErrURL},
		{"no scheme", "//h/", conn.ErrURL},
		{"host alone", "h", conn.ErrURL},
		{"empty", "", conn.ErrURL},
		{"another scheme", "ftp://h/", conn.ErrURL},
		{"file", "file:///h", conn.ErrURL},
		{"unfinished IPv6", "ws://[::1/", conn.ErrURL},
		{"name in brackets", "ws://[h]/", conn.ErrURL},
		{"IPv4 in brackets", "ws://[1.2.3.4]/", conn.ErrURL},
		{"empty zone", "ws://[fe80::1%25]/", conn.ErrURL},
		{"CR LF in the zone", "ws://[fe80::1%25a%0d%0a]/", conn.ErrURL},
		{"zone not escaped", "ws://[fe80::1%en1]/", conn.ErrURL},
		{"two slashes", "ws://h//evil/", handshake.ErrTarget},
		{"escaped dots", "ws://h/%2e%2e/", handshake.ErrTarget},
		{"angle bracket in the query", "ws://h/?<", handshake.ErrTarget},
		{"CR LF in the user name", "ws://a%0d%0aX:p@h/", conn.ErrURL},
		{"CR LF in the password", "ws://a:%0d%0aX@h/", conn.ErrURL},
		{"colon in the user name", "ws://a%3ab:c@h/", conn.ErrURL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, n, err := dialScript(t, tt.url, nil)
			if !errors.Is(err, tt.err) || len(n.addresses) != 0 {
				t.Errorf("Dial(%q) = %v after %q; want %v", tt.url, err, n.addresses, tt.err)
			}
		})
	}
	t.Run("secrets", func(t *testing.T) {
		for _, u := range []string{"ws://user:secret@h:x/?token=secret", "ws://user:secret/@h/", "ws://user:secr%zzet@h/"} {
			_, _, err := dialScript(t, u, nil)
			if err == nil || strings.Contains(err.Error(), "secr") {
				t.Errorf("Dial() = %v", err)
			}
		}
	})
}

// FuzzDialURL: a URL is refused before anything is dialed, or leads to a port that
// exists and to a request that a server accepts.
func FuzzDialURL(f *testing.F) {
	for _, u := range []string{"ws://h", "wss://h:444/a%20b?c=d", "http://u:p@[fe80::1%25en1]:81/?", "ws://h/a/../b//c", "ws://[::]/%zz"} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, u string) {
		var dialed string
		head := make(chan string, 1)
		_, err := conn.Dial(t.Context(), u, &conn.DialOptions{
			Proxy: http.ProxyURL(nil),
			NetDial: func(_ context.Context, _, address string) (net.Conn, error) {
				dialed = address
				a, b := conntest.Pipe(0)
				go func() {
					defer b.Close()
					var first [1]byte
					if n, _ := b.Read(first[:]); n == 0 || first[0] != 'G' {
						head <- "" // TLS
						return
					}
					head <- "G" + readHead(t, b)
				}()
				return a, nil
			},
		})
		own, ok := errors.AsType[*handshake.Error](err)
		if unusable := errors.Is(err, conn.ErrURL) || ok && own.Status() != 0; err == nil || unusable != (dialed == "") {
			t.Fatalf("Dial(%q) = %v after dialing %q", u, err, dialed)
		}
		if dialed == "" {
			return
		}
		host, port, err := net.SplitHostPort(dialed)
		if n, _ := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(host, "\r\n\x00 ") {
			t.Errorf("Dial(%q) dialed %q", u, dialed)
		}
		if h := <-head; h != "" {
			var p handshake.Parser
			r, n, err := p.ParseRequest([]byte(h))
			if err != nil || n != len(h) || r.Validate() != nil {
				t.Errorf("Dial(%q) sent %q: %v", u, h, err)
			}
		}
	})
}
