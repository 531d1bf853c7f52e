package conn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// upgradeRequest is a request that is accepted (RFC 6455, Section 1.3).
const upgradeRequest = "GET /chat HTTP/1.1\r\n" +
	"Host: server.example.com\r\n" +
	"Upgrade: websocket\r\n" +
	"Connection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
	"Sec-WebSocket-Version: 13\r\n" +
	"\r\n"

// addressed is a connection from another address.
type addressed struct {
	net.Conn
	remote string
}

func (a addressed) RemoteAddr() net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", a.remote)
	if err != nil {
		panic(err)
	}
	return addr
}

// An acceptance is the result of AcceptConn.
type acceptance struct {
	c    *conn.Conn
	err  error
	took time.Duration
}

// acceptConn runs AcceptConn on one end of a pipe and returns the other.
func acceptConn(t *testing.T, ctx context.Context, o *conn.AcceptOptions) (*conntest.End, <-chan acceptance) {
	a, b := conntest.Pipe(0)
	b.SetDeadline(time.Now().Add(time.Hour))
	t.Cleanup(func() { b.Close() })
	accepted := make(chan acceptance, 1)
	start := time.Now()
	go func() {
		c, err := conn.AcceptConn(ctx, a, o)
		if c != nil {
			t.Cleanup(func() { c.CloseNow() })
		}
		accepted <- acceptance{c, err, time.Since(start)}
	}()
	return b, accepted
}

// TestAcceptConnSilence: the request has to be there after
// Options.HandshakeTimeout, however it comes.
func TestAcceptConnSilence(t *testing.T) {
	tests := []struct {
		name  string
		every time.Duration // between two octets; zero for none
	}{
		{"H1 nothing", 0},
		{"H2 an octet every 9 seconds", 9 * time.Second},
		{"H2 an octet every 100 milliseconds", 100 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, accepted := acceptConn(t, t.Context(), nil)
				if tt.every > 0 {
					go func() {
						for i := range len(upgradeRequest) {
							if _, err := io.WriteString(b, upgradeRequest[i:i+1]); err != nil {
								return
							}
							time.Sleep(tt.every)
						}
					}()
				}
				got := <-accepted
				if got.c != nil || !errors.Is(got.err, os.ErrDeadlineExceeded) || got.took != 10*time.Second {
					t.Errorf("AcceptConn = %v, %v after %v; want a timeout after 10s", got.c, got.err, got.took)
				}
				if n, err := io.Copy(io.Discard, b); n > 0 || isTimeout(err) {
					t.Errorf("client got %d octets, %v; want the end", n, err)
				}
				synctest.Wait()
				time.Sleep(tt.every)
			})
		})
	}
}

// TestAcceptConnContext: the end of the context ends the handshake.
func TestAcceptConnContext(t *testing.T) {
	for _, sent := range []string{"", "GET / HTTP/1.1\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errWhy)
			defer cancel()
			b, accepted := acceptConn(t, ctx, nil)
			io.WriteString(b, sent)
			got := <-accepted
			if got.c != nil || !errors.Is(got.err, errWhy) || got.took != time.Second {
				t.Errorf("AcceptConn = %v, %v after %v; want the cause after 1s", got.c, got.err, got.took)
			}
			if _, err := io.Copy(io.Discard, b); isTimeout(err) {
				t.Error("the connection was left open")
			}
		})
	}
}

// TestAcceptConnContextAfter: once there is a connection, the context has no
// power over it.
func TestAcceptConnContextAfter(t *testing.T) {
	for _, when := range []string{"opened", "accepted"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := &conn.AcceptOptions{}
			if when == "opened" {
				o.Hooks = &conn.Hooks{OnOpen: func(*conn.Conn) { cancel() }}
			}
			b, accepted := acceptConn(t, ctx, o)
			io.WriteString(b, upgradeRequest)
			got := <-accepted
			if got.err != nil {
				t.Fatalf("canceled when %s: AcceptConn = _, %v", when, got.err)
			}
			cancel()
			readHead(t, b)
			b.Write(encode(t, frame.Client, frame.FIN, frame.OpText, []byte("hello")))
			checkRead(t, got.c, frame.OpText, "hello")
		})
	}
}

// TestAcceptConnNoise: what cannot become a request is refused when its first
// wrong octet has come.
func TestAcceptConnNoise(t *testing.T) {
	tests := []struct{ name, sent string }{
		{"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n"},
		{"zeros", strings.Repeat("\x00", 100)},
		{"a frame", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"},
		{"bare LF", "GET / HTTP/1.1\n"},
		{"a line without end", "GET /" + strings.Repeat("a", 8300)},
		{"a head without end", "GET / HTTP/1.1\r\n" + strings.Repeat("A: "+strings.Repeat("a", 1000)+"\r\n", 17)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				refusals := make(chan conn.Refusal, 1)
				b, accepted := acceptConn(t, t.Context(), &conn.AcceptOptions{Options: conn.Options{Hooks: &conn.Hooks{
					OnRefuse: func(r conn.Refusal) { refusals <- r },
				}}})
				io.WriteString(b, tt.sent)
				answer, err := io.ReadAll(b)
				b.Close()
				got := <-accepted
				e, ok := errors.AsType[*handshake.Error](got.err)
				if !ok || got.took != 0 {
					t.Errorf("AcceptConn = %v after %v; want a *handshake.Error at once", got.err, got.took)
				}
				if !strings.HasPrefix(string(answer), "HTTP/1.1 4") || err != nil {
					t.Errorf("client got %q, %v", answer, err)
				}
				if r := <-refusals; r.Request != nil || r.Status != e.Status() || r.Remote != "192.0.2.2:2" {
					t.Errorf("OnRefuse got %+v", r)
				}
			})
		})
	}
}

// TestAcceptConnRefusedPeer: whatever a refused client does, it is gone after half
// a second.
func TestAcceptConnRefusedPeer(t *testing.T) {
	tests := []struct {
		name string
		do   func(b *conntest.End)
		took time.Duration
	}{
		{"closes", func(b *conntest.End) { io.ReadAll(b); b.Close() }, 0},
		{"resets", func(b *conntest.End) { b.Reset() }, 0},
		{"waits", func(b *conntest.End) {}, 500 * time.Millisecond},
		{"sends without end", func(b *conntest.End) { io.Copy(b, zeros{}) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, accepted := acceptConn(t, t.Context(), nil)
				io.WriteString(b, change("-Upgrade"))
				tt.do(b)
				got := <-accepted
				if got.took != tt.took || got.err == nil {
					t.Errorf("AcceptConn = %v after %v, want %v", got.err, got.took, tt.took)
				}
			})
		})
	}
}

// TestAcceptConnRefusedTLS: nor does one wait for the closing alert.
func TestAcceptConnRefusedTLS(t *testing.T) {
	for _, fill := range []int{0, 3500} { // of 4096 octets: the answer fits, or does not
		synctest.Test(t, func(t *testing.T) {
			server, client := tlsPair(t, 4096)
			io.WriteString(client, change("-Upgrade"))
			server.SetWriteDeadline(time.Now().Add(time.Hour))
			server.Write(make([]byte, fill))
			start := time.Now()
			_, err := conn.AcceptConn(t.Context(), server, nil)
			if took := time.Since(start); err == nil || took != 500*time.Millisecond {
				t.Errorf("AcceptConn = %v after %v; want 500ms", err, took)
			}
		})
	}
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestAcceptConnBrokenPeer: a client that goes away before the response gets no
// handler.
func TestAcceptConnBrokenPeer(t *testing.T) {
	tests := []struct {
		name string
		sent string
		do   func(b *conntest.End) error
	}{
		{"H24 closes before the request", "", (*conntest.End).Close},
		{"H24 half-closes inside the request", "GET /", (*conntest.End).CloseWrite},
		{"H24 resets inside the request", "GET /", (*conntest.End).Reset},
		{"H24 is gone before the response", upgradeRequest, (*conntest.End).Reset},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := conntest.Pipe(0)
				io.WriteString(b, tt.sent)
				tt.do(b)
				start := time.Now()
				c, err := conn.AcceptConn(t.Context(), a, nil)
				if c != nil || err == nil || time.Since(start) != 0 {
					t.Errorf("AcceptConn = %v, %v after %v; want an error at once", c, err, time.Since(start))
				}
			})
		})
	}
}

// TestAcceptConnOctetByOctet: a request in pieces is a request.
func TestAcceptConnOctetByOctet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.Pipe(0)
		defer b.Close()
		io.WriteString(b, upgradeRequest)
		c, err := conn.AcceptConn(t.Context(), conntest.Inject(a, conntest.Faults{
			Read:  conntest.Flow{Split: 1},
			Write: conntest.Flow{Split: 1},
		}), &conn.AcceptOptions{Options: conn.Options{HandshakeTimeout: conn.NoLimit}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if head := readHead(t, b); field(head, "Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
			t.Errorf("response\n%s", head)
		}
	})
}

// TestAcceptConnTLS: a TLS connection is accepted as it is, early octets and all.
func TestAcceptConnTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, config := certificate(t, "server.example.com", time.Hour, x509.NewCertPool())
		config.ServerName = "server.example.com"
		a, b := conntest.Pipe(0)
		accepted := make(chan *conn.Conn, 1)
		go func() {
			c, err := conn.AcceptConn(t.Context(), tls.Server(a, &tls.Config{Certificates: []tls.Certificate{cert}}), nil)
			if err != nil {
				t.Error(err)
			}
			accepted <- c
		}()
		client := tls.Client(b, config)
		defer client.Close()
		client.Write(append([]byte(upgradeRequest), encode(t, frame.Client, frame.FIN, frame.OpText, []byte("early"))...))
		readHead(t, client)
		c := <-accepted
		defer c.CloseNow()
		checkRead(t, c, frame.OpText, "early")
	})
}
