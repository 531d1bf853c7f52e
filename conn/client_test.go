package conn_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

func TestDial(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nc, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		b, err := handshake.AppendResponse(nil, r.Header.Get("Sec-WebSocket-Key"), "", nil, nil)
		if err != nil {
			t.Error(err)
		}
		nc.Write(b)
		c := conn.New(nc, frame.Server, conn.Handshake{}, nil)
		for m, err := range c.Messages(c.Context()) {
			if err != nil || c.WriteMessage(c.Context(), m.Opcode, m.Payload) != nil {
				return
			}
		}
	}))
	defer s.Close()
	c, err := conn.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.WriteMessage(t.Context(), frame.OpText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	op, p, err := c.ReadMessage(t.Context())
	if op != frame.OpText || string(p) != "hello" || err != nil {
		t.Errorf("ReadMessage() = %v, %q, %v; want text, hello, nil", op, p, err)
	}
	if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
		t.Error(err)
	}
}
