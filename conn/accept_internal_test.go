package conn

import (
	"testing"

	"example.org/rfc6455/frame"
)

// Connections that are accepted one after the other with the same options share them,
// and with others do not.
func TestShareOptions(t *testing.T) {
	accept := func(o *AcceptOptions) *Options {
		a := newAcceptance(o)
		defer a.release()
		return a.options
	}
	one, other := &AcceptOptions{}, &AcceptOptions{Options: Options{MaxMessageSize: 1}}
	shared := accept(one)
	if accept(one) != shared {
		t.Error("the same options are there twice")
	}
	if got := accept(other); got == shared || got.MaxMessageSize != 1 {
		t.Errorf("MaxMessageSize is %d, want 1", got.MaxMessageSize)
	}
	if got, want := *accept(one), one.Options.withDefaults(frame.Server); got != want {
		t.Errorf("options %+v, want %+v", got, want)
	}
}
