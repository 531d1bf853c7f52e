package handshake_test

import (
	"errors"
	"maps"
	"net/http"
	"testing"

	"example.org/rfc6455/handshake"
	"github.com/google/go-cmp/cmp"
)

func TestErrorAnswers(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
		field  string
		answer map[string]string
	}{
		{name: "class", err: handshake.ErrOrigin, status: 403, field: "Origin"},
		{name: "method", err: handshake.ErrMethod, status: 405, answer: map[string]string{"Allow": "GET"}},
		{name: "version", err: handshake.ErrVersion, status: 426, field: "Sec-WebSocket-Version",
			answer: map[string]string{"Sec-WebSocket-Version": "13", "Upgrade": "websocket"}},
		{name: "no Upgrade", err: (&handshake.Request{Method: "GET", Proto: "HTTP/1.1", Host: "a"}).Validate(),
			status: 426, field: "Upgrade", answer: map[string]string{"Upgrade": "websocket"}},
		{name: "no Connection", err: (&handshake.Request{Method: "GET", Proto: "HTTP/1.1", Host: "a",
			Header: http.Header{"Upgrade": {"websocket"}}}).Validate(), status: 400, field: "Connection"},
		{name: "HTTP/1.0", err: (&handshake.Request{Proto: "HTTP/1.0"}).Validate(),
			status: 426, answer: map[string]string{"Upgrade": "websocket"}},
		{name: "HTTP/2, method", err: (&handshake.Request{Method: "GET"}).ValidateConnect(),
			status: 405, answer: map[string]string{"Allow": "CONNECT"}},
		{name: "HTTP/2, version", err: (&handshake.Request{Method: "CONNECT", Host: "a", Protocol: "websocket"}).ValidateConnect(),
			status: 400, field: "Sec-WebSocket-Version", answer: map[string]string{"Sec-WebSocket-Version": "13"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, ok := errors.AsType[*handshake.Error](tt.err)
			if !ok || e.Status() != tt.status || e.Field() != tt.field {
				t.Fatalf("%v: status %d, field %q; want %d, %q", tt.err, e.Status(), e.Field(), tt.status, tt.field)
			}
			got := maps.Collect(e.Fields())
			if len(got) != len(tt.answer) || len(got) > 0 && cmp.Diff(tt.answer, got) != "" {
				t.Errorf("%v: Fields() = %v, want %v", tt.err, got, tt.answer)
			}
			for range e.Fields() {
				break // an iterator that is stopped
			}
			if _, err := handshake.AppendRefusal(nil, e.Status(), e.Fields(), ""); err != nil {
				t.Errorf("%v cannot be sent: %v", tt.err, err)
			}
		})
	}
}

// TestErrorClasses checks that every class matches itself alone.
func TestErrorClasses(t *testing.T) {
	classes := []*handshake.Error{
		handshake.ErrTooLarge, handshake.ErrHeader, handshake.ErrTarget, handshake.ErrProto, handshake.ErrMethod,
		handshake.ErrHost, handshake.ErrBody, handshake.ErrUpgrade, handshake.ErrVersion, handshake.ErrKey,
		handshake.ErrSubprotocol, handshake.ErrExtension, handshake.ErrOrigin, handshake.ErrStatus,
		handshake.ErrAccept, handshake.ErrField, handshake.ErrPattern,
	}
	texts := make(map[string]bool)
	for i, e := range classes {
		for j, class := range classes {
			if errors.Is(e, class) != (i == j) {
				t.Errorf("errors.Is(%v, %v) = %v", e, class, i != j)
			}
		}
		if e.Unwrap() != nil {
			t.Errorf("%v wraps %v", e, e.Unwrap())
		}
		if texts[e.Error()] {
			t.Errorf("two classes say %q", e)
		}
		texts[e.Error()] = true
	}
}
