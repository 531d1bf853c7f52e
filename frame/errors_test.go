package frame_test

import (
	"errors"
	"fmt"
	"testing"

	"example.org/rfc6455/frame"
)

// TestErrors: each sentinel is found through wrapping, carries its close code
// and is like no other.
func TestErrors(t *testing.T) {
	texts := map[string]string{}
	for name, err := range sentinels {
		wrapped := fmt.Errorf("read: %w", err)
		if !errors.Is(wrapped, err) {
			t.Errorf("%s is not found in %v", name, wrapped)
		}
		e, ok := errors.AsType[*frame.Error](wrapped)
		if !ok {
			t.Fatalf("%s is no *Error", name)
		}
		want := frame.CloseProtocolError
		if name == "ErrInvalidUTF8" {
			want = frame.CloseInvalidFramePayloadData
		}
		if got := e.CloseCode(); got != want {
			t.Errorf("%s.CloseCode() = %v, want %v", name, got, want)
		}
		if other, ok := texts[e.Error()]; ok || e.Error() == "" {
			t.Errorf("%s and %s say the same: %v", name, other, e)
		}
		texts[e.Error()] = name
	}
	// The caller's own mistakes say nothing to the peer.
	for _, err := range []error{frame.ErrHeader, frame.ErrPayload} {
		if _, ok := errors.AsType[*frame.Error](err); ok {
			t.Errorf("%v is an *Error", err)
		}
	}
}
