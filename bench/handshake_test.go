package bench

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.org/rfc6455/conn"
)

// What a program and a browser ask with.
var heads = []struct{ name, head string }{
	{"minimal", "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"},
	{"browser", "GET /chat?room=1 HTTP/1.1\r\nHost: localhost:8080\r\nConnection: Upgrade\r\nPragma: no-cache\r\n" +
		"Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
		"Upgrade: websocket\r\nOrigin: http://localhost:8080\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Accept-Language: en-US,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"},
}

// BenchmarkAccept measures an opening handshake in memory, from the request to an
// open connection and its end: on a connection of one's own and over net/http,
// whose own work is left out.
func BenchmarkAccept(b *testing.B) {
	options := &conn.AcceptOptions{Options: conn.Options{PingInterval: conn.NoLimit}}
	for _, h := range heads {
		b.Run(fmt.Sprintf("head=%s/own", h.name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c, err := conn.AcceptConn(b.Context(), &once{endless: endless{octets: []byte(h.head)}}, options)
				if err != nil {
					b.Fatal(err)
				}
				c.CloseNow()
			}
		})
		b.Run(fmt.Sprintf("head=%s/http", h.name), func(b *testing.B) {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(h.head)))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				c, err := conn.Accept(hijacked{httptest.NewRecorder(), &once{}}, r, options)
				if err != nil {
					b.Fatal(err)
				}
				c.CloseNow()
			}
		})
	}
}

// A hijacked response gives its stream to whoever asks.
type hijacked struct {
	*httptest.ResponseRecorder
	s net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.s, bufio.NewReadWriter(bufio.NewReader(h.s), bufio.NewWriter(h.s)), nil
}
