package rivals_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/handshake"
)

// The requests of a program and of a browser.
var requests = []struct{ head, text string }{
	{"minimal", "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"},
	{"browser", "GET /chat?room=1 HTTP/1.1\r\nHost: localhost:8080\r\nConnection: Upgrade\r\nPragma: no-cache\r\n" +
		"Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
		"Upgrade: websocket\r\nOrigin: http://localhost:8080\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Accept-Language: en-US,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"},
}

// A visitor is a server's side of a connection in memory whose client sends a request
// and nothing after it.
type visitor struct {
	request []byte
	read    int // octets of request
	opened  bool
	closed  chan struct{}

	mu   sync.Mutex
	cond sync.Cond // told when one of the next two is set
	late bool      // whether the read deadline has passed
	over bool
}

func newVisitor(request []byte) *visitor {
	v := &visitor{request: request, closed: make(chan struct{}, 1)}
	v.cond.L = &v.mu
	return v
}

// again makes v another visitor.
func (v *visitor) again() { v.read, v.opened, v.late, v.over = 0, false, false, false }

func (v *visitor) Read(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := copy(p, v.request[v.read:])
	v.read += n
	for n == 0 && !v.late && !v.over {
		v.cond.Wait()
	}
	switch {
	case v.over:
		return n, net.ErrClosed
	case v.late && n == 0:
		return 0, os.ErrDeadlineExceeded
	}
	return n, nil
}

var switching = []byte("HTTP/1.1 101 ")

func (v *visitor) Write(p []byte) (int, error) {
	v.opened = v.opened || bytes.HasPrefix(p, switching)
	return len(p), nil
}

func (v *visitor) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.over {
		v.over = true
		v.cond.Broadcast()
		v.closed <- struct{}{}
	}
	return nil
}

func (v *visitor) SetReadDeadline(t time.Time) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.late = !t.IsZero() && time.Until(t) <= 0
	v.cond.Broadcast()
	return nil
}

func (v *visitor) SetDeadline(t time.Time) error  { return v.SetReadDeadline(t) }
func (*visitor) SetWriteDeadline(time.Time) error { return nil }
func (*visitor) LocalAddr() net.Addr              { return visitorAddr }
func (*visitor) RemoteAddr() net.Addr             { return visitorAddr }

var visitorAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}

// BenchmarkHandshake measures an opening handshake in memory without net/http: from a
// request that is read to the response that is written. Ours is with the connection
// that begins then, and its end; ours:package is what package handshake does of that.
func BenchmarkHandshake(b *testing.B) {
	var parser handshake.Parser
	reader := bufio.NewReader(nil)
	buf, response := make([]byte, 4096), make([]byte, 0, 4096)
	options := &conn.AcceptOptions{Options: conn.Options{PingInterval: conn.NoLimit}}
	gwsUpgrader := gws.NewUpgrader(&gws.BuiltinEventHandler{}, nil)
	libraries := []struct {
		lib    string
		accept func(v *visitor) error
	}{
		{"ours", func(v *visitor) error {
			c, err := conn.AcceptConn(b.Context(), v, options)
			if err == nil {
				c.CloseNow()
			}
			return err
		}},
		{"ours:package", func(v *visitor) error {
			n, err := v.Read(buf)
			if err != nil {
				return err
			}
			r, _, err := parser.ParseRequest(buf[:n])
			if err == nil {
				err = r.Validate()
			}
			if err == nil {
				err = (*handshake.Origins)(nil).Check(r)
			}
			if err == nil {
				response, err = handshake.AppendResponse(response[:0], r.Key(), "", nil, nil)
			}
			if err == nil {
				_, err = v.Write(response)
			}
			return err
		}},
		{"gobwas", func(v *visitor) error {
			_, err := gobwas.Upgrade(v)
			return err
		}},
		{"gws", func(v *visitor) error {
			reader.Reset(v) // as its own server has it
			r, err := http.ReadRequest(reader)
			if err == nil {
				_, err = gwsUpgrader.UpgradeFromConn(v, reader, r)
			}
			return err
		}},
	}
	for _, r := range requests {
		for _, l := range libraries {
			b.Run("head="+r.head+"/lib="+l.lib, func(b *testing.B) {
				b.ReportAllocs()
				v := newVisitor([]byte(r.text))
				p := newPace(4 << 10)
				for b.Loop() {
					v.again()
					if err := l.accept(v); err != nil || !v.opened {
						b.Fatal(err, v.opened)
					}
					select {
					case <-v.closed:
					default:
					}
					p.done()
				}
				p.report(b)
			})
		}
	}
}

// A hall is the listener of a server that visitors come to.
type hall chan net.Conn

func (h hall) Accept() (net.Conn, error) {
	if nc, ok := <-h; ok {
		return nc, nil
	}
	return nil, net.ErrClosed
}

func (hall) Close() error   { return nil }
func (hall) Addr() net.Addr { return visitorAddr }

// BenchmarkHandshakeHTTP measures an opening handshake in memory through the server
// of net/http, until the connection is closed again. The limit is that of a handler
// which takes the connection over and writes a response of fixed octets.
func BenchmarkHandshakeHTTP(b *testing.B) {
	fixed := []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
	options := &conn.AcceptOptions{Options: conn.Options{PingInterval: conn.NoLimit}}
	gwsUpgrader := gws.NewUpgrader(&gws.BuiltinEventHandler{}, nil)
	libraries := []struct {
		lib   string
		serve func(w http.ResponseWriter, r *http.Request) (io.Closer, error)
	}{
		{"ours", func(w http.ResponseWriter, r *http.Request) (io.Closer, error) {
			c, err := conn.Accept(w, r, options)
			return now{c}, err
		}},
		{"gorilla", func(w http.ResponseWriter, r *http.Request) (io.Closer, error) {
			return new(gorilla.Upgrader).Upgrade(w, r, nil)
		}},
		{"coder", func(w http.ResponseWriter, r *http.Request) (io.Closer, error) {
			c, err := coder.Accept(w, r, nil)
			return closer(func() error { return c.CloseNow() }), err
		}},
		{"gobwas", func(w http.ResponseWriter, r *http.Request) (io.Closer, error) {
			nc, _, _, err := gobwas.UpgradeHTTP(r, w)
			return nc, err
		}},
		{"gws", func(w http.ResponseWriter, r *http.Request) (io.Closer, error) {
			c, err := gwsUpgrader.Upgrade(w, r)
			return closer(func() error { return c.NetConn().Close() }), err
		}},
		{"limit", func(w http.ResponseWriter, r *http.Request) (io.Closer, error) {
			nc, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, err = nc.Write(fixed)
			}
			return nc, err
		}},
	}
	for _, r := range requests {
		for _, l := range libraries {
			b.Run("head="+r.head+"/lib="+l.lib, func(b *testing.B) {
				h := make(hall)
				defer close(h)
				go http.Serve(h, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					c, err := l.serve(w, r)
					if err != nil {
						b.Error(err)
						return
					}
					c.Close()
				}))
				b.ReportAllocs()
				v := newVisitor([]byte(r.text))
				p := newPace(4 << 10)
				for b.Loop() {
					v.again()
					h <- v
					<-v.closed
					if !v.opened {
						b.Fatal("no response")
					}
					p.done()
				}
				p.report(b)
			})
		}
	}
}

// now closes one of ours at once.
type now struct{ c *conn.Conn }

func (n now) Close() error { return n.c.CloseNow() }

// A closer closes what has another method for it.
type closer func() error

func (c closer) Close() error { return c() }
