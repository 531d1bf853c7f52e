package conn_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		err  *conn.Error
		code frame.CloseCode
	}{
		{conn.ErrMessageTooBig, frame.CloseMessageTooBig},
		{conn.ErrTooManyFragments, frame.ClosePolicyViolation},
		{conn.ErrTooManyControlFrames, frame.ClosePolicyViolation},
		{conn.ErrStalled, frame.ClosePolicyViolation},
	} {
		if tt.err.CloseCode() != tt.code || !strings.HasPrefix(tt.err.Error(), "conn: ") {
			t.Errorf("%v has code %v, want %v", tt.err, tt.err.CloseCode(), tt.code)
		}
	}
}

func TestCloseError(t *testing.T) {
	tests := []struct {
		err    conn.CloseError
		text   string
		normal bool
	}{
		{conn.CloseError{Code: frame.CloseNormalClosure, By: conn.Peer}, "conn: closed by peer: 1000 normal closure", true},
		{conn.CloseError{Code: frame.CloseGoingAway, Reason: "bye\n", By: conn.Local}, `conn: closed by this side: 1001 going away "bye\n"`, true},
		{conn.CloseError{Code: frame.CloseNoStatusReceived, By: conn.Peer}, "conn: closed by peer: 1005 no status received", true},
		{conn.CloseError{Code: 4000, By: conn.Peer}, "conn: closed by peer: 4000", false},
		{conn.CloseError{Code: frame.CloseNormalClosure, By: conn.Local, Err: conn.ErrSlowConsumer}, "", false},
		{conn.CloseError{Code: frame.CloseAbnormalClosure, Err: io.ErrUnexpectedEOF}, "conn: closed by network: 1006 abnormal closure: unexpected EOF", false},
	}
	for _, tt := range tests {
		if tt.text != "" && tt.err.Error() != tt.text {
			t.Errorf("Error = %q, want %q", tt.err.Error(), tt.text)
		}
		if tt.err.Normal() != tt.normal {
			t.Errorf("%v: Normal = %v", &tt.err, tt.err.Normal())
		}
		if !errors.Is(&tt.err, net.ErrClosed) || tt.err.Err != nil && !errors.Is(&tt.err, tt.err.Err) {
			t.Errorf("%v does not match net.ErrClosed and its cause", &tt.err)
		}
	}
}

func TestRefusedError(t *testing.T) {
	for _, tt := range []struct {
		err  conn.RefusedError
		text string
	}{
		{conn.RefusedError{Status: 403}, "conn: handshake refused: 403 Forbidden"},
		{conn.RefusedError{Status: 799, Body: "no\n"}, `conn: handshake refused: 799: "no\n"`},
	} {
		if tt.err.Error() != tt.text {
			t.Errorf("Error = %q, want %q", tt.err.Error(), tt.text)
		}
	}
}

func TestStrings(t *testing.T) {
	for _, tt := range []struct {
		got, want string
	}{
		{conn.Network.String(), "network"},
		{conn.Peer.String(), "peer"},
		{conn.Local.String(), "this side"},
		{conn.Party(9).String(), "Party(9)"},
		{conn.StateConnecting.String(), "connecting"},
		{conn.StateOpen.String(), "open"},
		{conn.StateClosing.String(), "closing"},
		{conn.StateClosed.String(), "closed"},
		{conn.State(9).String(), "State(9)"},
		{conn.Received.String(), "received"},
		{conn.Sent.String(), "sent"},
	} {
		if tt.got != tt.want {
			t.Errorf("String = %q, want %q", tt.got, tt.want)
		}
	}
}
