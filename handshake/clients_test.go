package handshake_test

import (
	"errors"
	"strings"
	"testing"

	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

// clients are request heads as clients send them, in their order and spelling.
var clients = map[string]string{
	// RFC 6455, Section 1.2.
	"rfc6455": lines(
		"GET /chat HTTP/1.1",
		"Host: server.example.com",
		"Upgrade: websocket",
		"Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Origin: http://server.example.com",
		"Sec-WebSocket-Protocol: chat, superchat",
		"Sec-WebSocket-Version: 13",
	),
	"minimal": lines(
		"GET / HTTP/1.1",
		"Host: localhost:8080",
		"Upgrade: websocket",
		"Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Version: 13",
	),
	"chromium": lines(
		"GET /ws?room=1&name=%C3%A9 HTTP/1.1",
		"Host: localhost:8080",
		"Connection: Upgrade",
		"Pragma: no-cache",
		"Cache-Control: no-cache",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
		"Upgrade: websocket",
		"Origin: http://localhost:8080",
		"Sec-WebSocket-Version: 13",
		"Accept-Encoding: gzip, deflate, br, zstd",
		"Accept-Language: en-GB,en;q=0.9,de;q=0.8",
		"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
		"Sec-WebSocket-Protocol: chat.v2, chat.v1",
	),
	"firefox": lines(
		"GET /ws HTTP/1.1",
		"Host: localhost:8080",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
		"Accept: */*",
		"Accept-Language: en-GB,en;q=0.5",
		"Accept-Encoding: gzip, deflate, br, zstd",
		"Sec-WebSocket-Version: 13",
		"Origin: http://localhost:8080",
		"Sec-WebSocket-Extensions: permessage-deflate",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Connection: keep-alive, Upgrade",
		"Cookie: session=0123456789abcdef0123456789abcdef",
		"Sec-Fetch-Dest: empty",
		"Sec-Fetch-Mode: websocket",
		"Sec-Fetch-Site: same-origin",
		"Pragma: no-cache",
		"Cache-Control: no-cache",
		"Upgrade: websocket",
	),
	"node-ws": lines(
		"GET /ws HTTP/1.1",
		"Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Connection: Upgrade",
		"Upgrade: websocket",
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
		"Host: localhost:8080",
	),
	"undici": lines(
		"GET /ws HTTP/1.1",
		"host: localhost:8080",
		"connection: upgrade",
		"upgrade: websocket",
		"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
		"sec-websocket-version: 13",
		"sec-websocket-extensions: permessage-deflate; client_max_window_bits",
		"accept: */*",
		"accept-language: *",
		"sec-fetch-mode: websocket",
		"user-agent: node",
		"pragma: no-cache",
		"cache-control: no-cache",
		"accept-encoding: gzip, deflate",
	),
	"python-websockets": lines(
		"GET /ws HTTP/1.1",
		"Host: localhost:8080",
		"Upgrade: websocket",
		"Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
		"User-Agent: Python/3.11 websockets/17.0",
	),
	"go-canonical-names": lines(
		"GET /ws HTTP/1.1",
		"Host: localhost:8080",
		"Connection: Upgrade",
		"Sec-Websocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover",
		"Sec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-Websocket-Version: 13",
		"Upgrade: websocket",
	),
	"no-spaces": lines(
		"GET /ws HTTP/1.1",
		"Host:localhost:8080",
		"Upgrade:websocket",
		"Connection:keep-alive,Upgrade",
		"Sec-WebSocket-Version:13",
		"Sec-WebSocket-Key:dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Protocol:a,b",
		"Sec-WebSocket-Extensions:permessage-deflate;server_no_context_takeover;client_no_context_takeover",
	),
	"through-a-proxy": lines(
		"GET http://localhost:8080/ws HTTP/1.1",
		"X-Forwarded-For: 192.0.2.1",
		"X-Forwarded-Proto: https",
		"HOST: LOCALHOST:8080",
		"connection: keep-alive",
		"CONNECTION: upgrade",
		"upgrade: WebSocket",
		"sec-websocket-key:\t dGhlIHNhbXBsZSBub25jZQ==\t ",
		"sec-websocket-version: 13",
		"content-length: 0",
		"origin: http://localhost:8080",
		"user-agent: \xe9\t\xff",
	),
}

// lines ends every line with CR LF and the head with an empty one.
func lines(s ...string) string { return strings.Join(s, "\r\n") + "\r\n\r\n" }

// parseRequest parses a head that is whole and acceptable.
func parseRequest(t testing.TB, head string) *handshake.Request {
	t.Helper()
	r, n, err := new(handshake.Parser).ParseRequest([]byte(head))
	if n != len(head) || err != nil {
		t.Fatalf("ParseRequest(%q) = _, %d, %v; want %d", head, n, err, len(head))
	}
	return r
}

func TestClients(t *testing.T) {
	type params = []handshake.Extension
	offers := map[string]params{
		"chromium":           {ext("permessage-deflate", "client_max_window_bits", "")},
		"firefox":            {ext("permessage-deflate")},
		"node-ws":            {ext("permessage-deflate", "client_max_window_bits", "")},
		"undici":             {ext("permessage-deflate", "client_max_window_bits", "")},
		"python-websockets":  {ext("permessage-deflate", "client_max_window_bits", "")},
		"go-canonical-names": {ext("permessage-deflate", "client_no_context_takeover", "", "server_no_context_takeover", "")},
		"no-spaces":          {ext("permessage-deflate", "server_no_context_takeover", "", "client_no_context_takeover", "")},
	}
	subprotocols := map[string][]string{
		"rfc6455":   {"chat", "superchat"},
		"chromium":  {"chat.v2", "chat.v1"},
		"no-spaces": {"a", "b"},
	}
	for name, head := range clients {
		t.Run(name, func(t *testing.T) {
			r := parseRequest(t, head)
			if err := errors.Join(r.Validate(), (*handshake.Origins)(nil).Check(r)); err != nil {
				t.Errorf("Validate and Check = %v", err)
			}
			if r.Key() != sampleKey {
				t.Errorf("Key() = %q, want %q", r.Key(), sampleKey)
			}
			list, err := r.Extensions()
			if diff := cmp.Diff(offers[name], list); diff != "" || err != nil {
				t.Errorf("Extensions() = _, %v; mismatch (-want +got):\n%s", err, diff)
			}
			names, err := r.Subprotocols()
			if diff := cmp.Diff(subprotocols[name], names); diff != "" || err != nil {
				t.Errorf("Subprotocols() = _, %v; mismatch (-want +got):\n%s", err, diff)
			}
		})
	}
}
