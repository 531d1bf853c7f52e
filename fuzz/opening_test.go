package fuzz_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/internal/reference"
	"example.org/rfc6455/handshake"
)

// A call is a tape as a net.Conn. If answer is set the peer sends what it makes of
// the first octets that were written.
type call struct {
	tape
	answer func(request []byte) [][]byte
}

func (c *call) Read(p []byte) (int, error) {
	c.mu.Lock()
	if c.answer != nil {
		c.pieces, c.answer = c.answer(c.written), nil
	}
	c.mu.Unlock()
	return c.tape.Read(p)
}

func (c *call) LocalAddr() net.Addr         { return &net.TCPAddr{} }
func (c *call) RemoteAddr() net.Addr        { return &net.TCPAddr{} }
func (c *call) SetDeadline(time.Time) error { return nil }

// FuzzAccept: a server opens a connection for the requests that package handshake
// allows, answers all others with their status, and reads what came together with
// the request as if it had come later.
func FuzzAccept(f *testing.F) {
	for i, s := range slices.Concat(requests, requestVariants()) {
		f.Add([]byte(s), []byte{byte(i), 200, 200}, []byte(nil))
	}
	hello := unhex(f, "8185 37fa213d 7f9f4d5158")
	f.Add(append([]byte(requests[1]), hello...), []byte{255}, []byte{1})
	f.Add(append([]byte(strings.Replace(requests[0], "example.com\r\nUp", "b\r\nUp", 1)), hello...), []byte{1}, []byte{2})
	f.Add(append([]byte(strings.Replace(requests[0], "http://example.com", "http://server.example.com", 1)), hello...), []byte{255, 100}, []byte{2})
	fuzz(f, func(t *testing.T, octets, cuts, how []byte) {
		if len(octets) > 1<<12 {
			return
		}
		var p handshake.Parser
		r, n, err := p.ParseRequest(octets)
		if err == nil && n > 0 {
			if err = r.Validate(); err == nil {
				err = (*handshake.Origins)(nil).Check(r)
			}
		}
		for _, list := range [][][]byte{{octets}, pieces(octets, cuts), pieces(octets, bytes.Repeat([]byte{1}, len(octets)))} {
			for i := range list {
				list[i] = bytes.Clone(list[i])
			}
			nc := &call{tape: tape{pieces: list}}
			c, got := conn.AcceptConn(context.Background(), nc, &conn.AcceptOptions{
				Options:      conn.Options{MaxMessageSize: 1 << 10, PingInterval: conn.NoLimit, MaxControlRate: conn.NoLimit},
				Subprotocols: []string{"superchat", "chat"},
			})
			switch {
			case n == 0 && err == nil: // the request did not come to its end
				if c != nil || !errors.Is(got, io.EOF) || len(nc.written) > 0 {
					t.Fatalf("%q: %v, answered with %q", octets, got, nc.written)
				}
			case err != nil:
				checkRefused(t, got, err, nc.written)
				if c != nil || !nc.closed {
					t.Fatalf("%q is refused and goes on", octets)
				}
			case got != nil:
				t.Fatalf("%q: %v", octets, got)
			default:
				checkAccepted(t, c, r, nc, octets[n:], how)
			}
		}
	})
}

// checkRefused checks the error and the answer to a request.
func checkRefused(t *testing.T, got, want error, written []byte) {
	a, _ := errors.AsType[*handshake.Error](got)
	b, _ := errors.AsType[*handshake.Error](want)
	if a != b {
		t.Fatalf("error %v; want %v", got, want)
	}
	r, n, err := new(handshake.Parser).ParseResponse(written)
	if err != nil || n == 0 || r.Status != b.Status() || !hasTokenReference(r.Header.Values("Connection"), "close") {
		t.Fatalf("%v is answered with %q", want, written)
	}
	if length, _ := strconv.Atoi(strings.Join(r.Header.Values("Content-Length"), "")); length != len(written)-n {
		t.Fatalf("%v is answered with %q", want, written)
	}
}

// checkAccepted checks the answer to a request, and the connection that follows it.
func checkAccepted(t *testing.T, c *conn.Conn, r *handshake.Request, nc *call, rest, how []byte) {
	names, _ := r.Subprotocols()
	offer := &handshake.Offer{Key: r.Key(), Subprotocols: names}
	a, n, err := new(handshake.Parser).ParseResponse(nc.written)
	if err != nil || n != len(nc.written) || a.Validate(offer) != nil || a.Subprotocol() != handshake.Subprotocol([]string{"superchat", "chat"}, names) {
		t.Fatalf("answered with %q", nc.written)
	}
	if c.Subprotocol() != a.Subprotocol() || c.Target() != r.Target || c.Role() != frame.Server || len(c.Extensions()) > 0 {
		t.Fatalf("subprotocol %q, target %q, role %v, extensions %v", c.Subprotocol(), c.Target(), c.Role(), c.Extensions())
	}
	nc.written = nil
	server := reference.Receiver{Server: true, MaxMessage: 1 << 10}
	got := readAll(t, c, how)
	got.written = nc.written
	got.check(t, server, server.Receive(rest))
}

// FuzzDialResponse: a client opens a connection for the responses that package
// handshake allows, interim ones before them passed over, and reads what came
// together with the response. It says of all others what was wrong.
func FuzzDialResponse(f *testing.F) {
	const switching = "HTTP/1.1 101 \r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n"
	for i, s := range append([]string{
		switching + "\r\n",
		switching + "Sec-WebSocket-Protocol: chat\r\n\r\n\x81\x00\x89\x01a\x88\x02\x03\xe8",
		"HTTP/1.1 100 \r\n\r\nHTTP/1.1 403 \r\nContent-Length: 2\r\n\r\nno",
		"HTTP/1.1 103 a\r\nLink: b\r\n\r\n" + switching + "\r\n\x01\x01a\x80\x00",
		strings.Repeat("HTTP/1.1 100 \r\n\r\n", 9) + switching + "\r\n",
		"HTTP/1.1 503 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
		"HTTP/1.0 302 \r\nLocation: /\r\n\r\n", switching + "Content-Length: 0\r\n\r\n", switching + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	}, slices.Concat(responses, responseVariants())...) {
		f.Add([]byte(s), []byte{byte(10 + i), 100}, []byte{byte(i)})
	}
	fuzz(f, func(t *testing.T, response, cuts, how []byte) {
		if len(response) > 1<<12 {
			return
		}
		var want error
		opened := false
		for i, list := range [][]byte{nil, cuts, bytes.Repeat([]byte{1}, len(response))} {
			var wire []byte
			offer := &handshake.Offer{Subprotocols: []string{"chat"}}
			nc := &call{answer: func(request []byte) [][]byte {
				r, n, err := new(handshake.Parser).ParseRequest(request)
				if err != nil || n != len(request) || r.Validate() != nil {
					t.Fatalf("request %q: %v", request, err)
				}
				offer.Key = r.Key()
				wire = bytes.ReplaceAll(response, []byte("{accept}"), []byte(handshake.Accept(r.Key())))
				return pieces(bytes.Clone(wire), list)
			}}
			c, err := conn.DialConn(context.Background(), nc, "ws://h/", &conn.DialOptions{
				Options:      conn.Options{MaxMessageSize: 1 << 10, PingInterval: conn.NoLimit, MaxControlRate: conn.NoLimit},
				Subprotocols: offer.Subprotocols,
			})
			if e, ok := errors.AsType[*conn.RefusedError](err); ok {
				// The key is another one each time, and may be cut off with the text.
				if len(e.Body) == 1<<10 {
					e.Body = ""
				}
				e.Body = strings.ReplaceAll(e.Body, handshake.Accept(offer.Key), "{accept}")
			}
			if i == 0 {
				want, opened = err, c != nil
			}
			if (err == nil) != (c != nil) || opened != (c != nil) {
				t.Fatalf("%q: %v in pieces of %v; at once %v", response, err, list, want)
			}
			r, rest := final(wire)
			if opens := r != nil && r.Validate(offer) == nil; opens != (err == nil) {
				t.Fatalf("%q: %v; want a connection: %t", response, err, opens)
			}
			if err != nil {
				checkDialError(t, err, want)
				if !nc.closed {
					t.Fatalf("%q: %v, and the connection is still there", response, err)
				}
				continue
			}
			if c.Subprotocol() != r.Subprotocol() {
				t.Fatalf("%q opens a connection with subprotocol %q", response, c.Subprotocol())
			}
			nc.written = nil
			client := reference.Receiver{MaxMessage: 1 << 10}
			got := readAll(t, c, how)
			got.written = nc.written
			got.check(t, client, client.Receive(rest))
		}
	})
}

// final returns the response behind the interim ones, eight at most, and what follows
// it. It is nil if there is none.
func final(octets []byte) (r *handshake.Response, rest []byte) {
	for range 9 {
		r, n, err := new(handshake.Parser).ParseResponse(octets)
		if err != nil || n == 0 {
			return nil, nil
		}
		octets = octets[n:]
		if !r.Interim() {
			return r, octets
		}
	}
	return nil, nil
}

// checkDialError checks that err is one that Dial documents, and says what want says.
func checkDialError(t *testing.T, err, want error) {
	a, refused := errors.AsType[*conn.RefusedError](err)
	b, _ := errors.AsType[*conn.RefusedError](want)
	if refused && b != nil && (a.Status != b.Status || a.Body != b.Body || len(a.Body) > 1<<10) {
		t.Fatalf("%v; want %v", err, want)
	}
	e, broken := errors.AsType[*handshake.Error](err)
	same, _ := errors.AsType[*handshake.Error](want)
	if !refused && !broken && !errors.Is(err, io.ErrUnexpectedEOF) || broken && e != same || (b == nil) == refused {
		t.Fatalf("%v; want %v", err, want)
	}
}

// FuzzDialURL: a URL and options are refused before anything is dialed, without
// quoting the password, or lead to an address that exists and to a request that a
// server accepts, which asks for what net/url finds in the URL.
func FuzzDialURL(f *testing.F) {
	for _, u := range []string{
		"ws://h", "wss://h:444/a%20b?c=d", "http://u:secret@[fe80::1%25en1]:81/?", "ws://h/a/../b//c", "ws://[::]/%zz", "ws://h:0/", "ws://h:65536", "ws://h/#f",
		"ftp://h", "//h", "ws://u%3a:secret@h/", "ws://h\r\n/", "ws://H.example.:0080/?a b", "ws://[::1%25%0a]/", "https://h/?q", "ws://h/%2e%2e/", "WS://h//x",
	} {
		f.Add(u, "", "Origin", "http://example.com", "chat")
		f.Add(u, "b:1", "Authorization", "x", "")
	}
	f.Add("ws://h", "b c", "X", "y\r\nz", "a,b")
	f.Add("ws://h", "", "Sec-WebSocket-Key", "", "a")
	fuzz(f, func(t *testing.T, raw, host, field, value, subprotocol string) {
		var dialed string
		nc := &call{}
		o := &conn.DialOptions{
			Proxy: http.ProxyURL(nil), Host: host, Header: http.Header{field: {value}},
			NetDial: func(_ context.Context, _, address string) (net.Conn, error) {
				dialed = address
				return nc, nil
			},
		}
		if subprotocol != "" {
			o.Subprotocols = []string{subprotocol}
		}
		_, err := conn.Dial(context.Background(), raw, o)
		e, ok := errors.AsType[*handshake.Error](err)
		if refused := errors.Is(err, conn.ErrURL) || ok && e.Status() != 0; err == nil || refused != (dialed == "") {
			t.Fatalf("Dial(%q) = %v after dialing %q", raw, err, dialed)
		}
		if dialed == "" {
			if password := "secret"; strings.Contains(raw, password) && strings.Contains(err.Error(), password) && !strings.Contains(host+field+value+subprotocol, password) {
				t.Fatalf("Dial(%q) = %v", raw, err)
			}
			return
		}
		u, err := new(url.URL).Parse(raw) // without dot segments
		if err != nil {
			t.Fatalf("Dial(%q) dialed %q; net/url says %v", raw, dialed, err)
		}
		standard := map[string]string{"ws": "80", "http": "80", "wss": "443", "https": "443"}[u.Scheme]
		port, _ := strconv.Atoi(u.Port())
		if u.Port() == "" {
			port, _ = strconv.Atoi(standard)
		}
		if standard == "" || port < 1 || port > 65535 || dialed != net.JoinHostPort(u.Hostname(), strconv.Itoa(port)) || u.Fragment != "" || u.Hostname() == "" {
			t.Fatalf("Dial(%q) dialed %q", raw, dialed)
		}
		if standard == "443" {
			if len(nc.written) == 0 || nc.written[0] != 0x16 {
				t.Fatalf("Dial(%q) sent %q instead of TLS", raw, nc.written)
			}
			return
		}
		checkDialRequest(t, u, o, nc.written, field, value, subprotocol)
	})
}

// checkDialRequest checks the octets that were sent to dial u.
func checkDialRequest(t *testing.T, u *url.URL, o *conn.DialOptions, written []byte, field, value, subprotocol string) {
	p := handshake.Parser{Limits: handshake.Limits{MaxSize: -1, MaxLine: -1}}
	r, n, err := p.ParseRequest(written)
	if err != nil || n != len(written) || r.Validate() != nil || r.Target != u.RequestURI() {
		t.Fatalf("%q is dialed with %q: %v", u, written, err)
	}
	host := o.Host
	if host == "" {
		host, _, _ = strings.Cut(u.Hostname(), "%") // a zone is nobody else's business
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if port, _ := strconv.Atoi(u.Port()); u.Port() != "" && port != 80 {
			host += ":" + strconv.Itoa(port)
		}
	}
	if r.Host != host {
		t.Fatalf("%q is dialed with host %q; want %q", u, r.Host, host)
	}
	names, _ := r.Subprotocols()
	if strings.Join(names, ",") != subprotocol {
		t.Fatalf("%q is dialed with subprotocols %q; want %q", u, names, subprotocol)
	}
	if got := r.Header.Values(field); len(got) == 0 || got[0] != strings.Trim(value, " \t") {
		t.Fatalf("%q is dialed with %q: %q; want %q", u, field, got, value)
	}
	if u.User != nil && !strings.EqualFold(field, "Authorization") {
		password, _ := u.User.Password()
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
		if got := r.Header.Values("Authorization"); len(got) != 1 || got[0] != want {
			t.Fatalf("%q is dialed with Authorization %q; want %q", u, got, want)
		}
	}
}
