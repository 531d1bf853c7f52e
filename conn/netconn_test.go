package conn_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

// TestNetConn holds the view against the rules for every net.Conn.
func TestNetConn(t *testing.T) {
	nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
		client, server := conntest.Pair(nil, nil)
		stop = func() {
			client.CloseNow()
			server.CloseNow()
		}
		return client.NetConn(frame.OpBinary), server.NetConn(frame.OpBinary), stop, nil
	})
}

func TestNetConnIsAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := conntest.Pair(nil, nil)
		writer, reader := client.NetConn(frame.OpBinary), server.NetConn(frame.OpBinary)
		go func() {
			for _, message := range []string{"one", "", "two", "three"} {
				if _, err := writer.Write([]byte(message)); err != nil {
					t.Errorf("Write(%q) = %v", message, err)
				}
			}
			client.WriteMessage(t.Context(), frame.OpText, []byte(" and text"))
			if err := writer.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		}()
		got, err := io.ReadAll(reader)
		if want := "onetwothree and text"; string(got) != want || err != nil {
			t.Errorf("ReadAll = %q, %v; want %q", got, err, want)
		}
		if reader.LocalAddr() == nil || reader.RemoteAddr() == nil {
			t.Errorf("addresses %v and %v; want those of the transport", reader.LocalAddr(), reader.RemoteAddr())
		}
	})
}

func TestNetConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := conntest.Pair(nil, nil)
		defer client.CloseNow()
		defer server.CloseNow()
		reader := server.NetConn(frame.OpBinary)
		begin := time.Now()
		reader.SetReadDeadline(begin.Add(time.Second))
		time.AfterFunc(500*time.Millisecond, func() { reader.SetReadDeadline(begin.Add(3 * time.Second)) })
		_, err := reader.Read(make([]byte, 1))
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read past the deadline = %v; want a timeout", err)
		}
		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("Read waited %v; want the 3 s to which the deadline was moved", waited)
		}
		reader.SetDeadline(time.Time{})
		go client.WriteMessage(t.Context(), frame.OpBinary, []byte("late"))
		b := make([]byte, 8)
		if n, err := reader.Read(b); string(b[:n]) != "late" || err != nil {
			t.Errorf("Read after the deadline = %q, %v; want the message", b[:n], err)
		}
		client.CloseNow()
		if _, err := reader.Read(b); !errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
			t.Errorf("Read after the transport was lost = %v; want an error that is not io.EOF", err)
		}
	})
}
