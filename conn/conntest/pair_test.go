package conntest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

func TestPairRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		client, server := conntest.Pair(nil, nil)
		if client.Role() != frame.Client || server.Role() != frame.Server {
			t.Errorf("roles %v, %v; want client, server", client.Role(), server.Role())
		}
		for _, way := range []struct {
			from, to *conn.Conn
			text     string
		}{{client, server, "question"}, {server, client, "answer"}} {
			if err := way.from.WriteMessage(ctx, frame.OpText, []byte(way.text)); err != nil {
				t.Fatal(err)
			}
			op, p, err := way.to.ReadMessage(ctx)
			if op != frame.OpText || string(p) != way.text || err != nil {
				t.Errorf("ReadMessage = %v %q, %v; want text %q", op, p, err, way.text)
			}
		}
		go server.Discard(ctx)
		if err := client.Close(frame.CloseNormalClosure, ""); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}

// TestPairOptions: each side has its own.
func TestPairOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := conntest.Pair(&conn.Options{MaxMessageSize: 5}, &conn.Options{MaxMessageSize: 6})
		defer client.CloseNow()
		defer server.CloseNow()
		if c, s := client.Stats().MaxMessageSize, server.Stats().MaxMessageSize; c != 5 || s != 6 {
			t.Errorf("MaxMessageSize %d, %d; want 5, 6", c, s)
		}
	})
}

func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		a, err := l.Dial(t.Context(), "tcp", "example.com:80")
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		writeAll(t, a, "hello")
		wantRead(t, b, "hello", nil)
		if diff := cmp.Diff(b.LocalAddr(), l.Addr()); diff != "" {
			t.Errorf("Addr is not that of accepted connections:\n%s", diff)
		}
		wantErr(t, "Close", l.Close(), nil)
		writeAll(t, b, "goodbye")
		wantRead(t, a, "goodbye", nil)
	})
}

// TestListenerClosed: nothing begins any more, and nobody is left waiting.
func TestListenerClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		waiting, err := l.Dial(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		wantErr(t, "first Close", l.Close(), nil)
		wantErr(t, "second Close", l.Close(), net.ErrClosed)
		wantRead(t, waiting, "", syscall.ECONNRESET)
		_, err = l.Dial(t.Context(), "tcp", "")
		wantErr(t, "Dial", err, syscall.ECONNREFUSED)
		_, err = l.Accept()
		wantErr(t, "Accept", err, net.ErrClosed)
	})
}

// TestListenerUnblocks: Close ends an Accept and a Dial that wait.
func TestListenerUnblocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := conntest.Listen()
		accepting := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			accepting <- err
		}()
		synctest.Wait()
		l.Close()
		wantErr(t, "Accept", <-accepting, net.ErrClosed)

		l = conntest.Listen()
		for range 128 {
			if _, err := l.Dial(t.Context(), "tcp", ""); err != nil {
				t.Fatal(err)
			}
		}
		why := errors.New("too slow")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		_, err := l.Dial(ctx, "tcp", "")
		wantErr(t, "Dial beyond the backlog", err, why)

		dialing := make(chan error, 1)
		go func() {
			_, err := l.Dial(t.Context(), "tcp", "")
			dialing <- err
		}()
		synctest.Wait()
		l.Close()
		// Either it was refused, or it got a place and was reset.
		if err := <-dialing; err != nil {
			wantErr(t, "Dial", err, syscall.ECONNREFUSED)
		}
	})
}

// TestListenerCloseRace: a connection made while the listener is closed is
// refused, accepted or reset, and never left waiting.
func TestListenerCloseRace(t *testing.T) {
	for range 1000 {
		synctest.Test(t, func(t *testing.T) {
			l := conntest.Listen()
			var all sync.WaitGroup
			all.Go(func() {
				if c, err := l.Accept(); err == nil {
					c.Close()
				}
			})
			for range 3 {
				all.Go(func() {
					if c, err := l.Dial(t.Context(), "tcp", ""); err == nil {
						c.Read(make([]byte, 1)) // for ever, if it was forgotten
					}
				})
			}
			all.Go(func() { l.Close() })
			all.Wait()
		})
	}
}

// Code that is given a connection is tested without a network.
func ExamplePair() {
	ctx := context.Background()
	client, server := conntest.Pair(nil, nil)
	go func() { // the code under test
		defer server.CloseNow()
		for m, err := range server.Messages(ctx) {
			if err != nil {
				return
			}
			server.WriteMessage(ctx, m.Opcode, append([]byte("echo of "), m.Payload...))
		}
	}()

	client.WriteMessage(ctx, frame.OpText, []byte("hello"))
	op, p, err := client.ReadMessage(ctx)
	fmt.Printf("%v %s %v\n", op, p, err)
	fmt.Println(client.Close(frame.CloseNormalClosure, ""))
	// Output:
	// text echo of hello <nil>
	// <nil>
}

// Faults between the two sides: the network cuts a message off.
func ExamplePair_faults() {
	a, b := conntest.Pipe(0)
	faulty := conntest.Inject(a, conntest.Faults{
		Write: conntest.Flow{After: 20, Then: conntest.Truncate},
	})
	client := conn.New(faulty, frame.Client, conn.Handshake{}, nil)
	server := conn.New(b, frame.Server, conn.Handshake{}, nil)
	defer client.CloseNow()
	defer server.CloseNow()

	go client.WriteMessage(context.Background(), frame.OpText, []byte("longer than the network likes"))
	_, _, err := server.ReadMessage(context.Background())
	end, _ := errors.AsType[*conn.CloseError](err)
	fmt.Println(end.By, end.Code)
	// Output: network 1006 abnormal closure
}

// A server and a client, with the opening handshake, without a network.
func ExampleListener() {
	l := conntest.Listen()
	server := &http.Server{Handler: &conn.Server{
		Options: &conn.AcceptOptions{Subprotocols: []string{"chat"}},
		Handler: func(c *conn.Conn) {
			c.WriteMessage(c.Context(), frame.OpText, []byte("welcome to "+c.Target()))
		},
	}}
	go server.Serve(l)
	defer server.Close()

	ctx := context.Background()
	c, err := conn.Dial(ctx, "ws://chat.example/lobby", &conn.DialOptions{
		NetDial:      l.Dial,
		Subprotocols: []string{"chat"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseNow()
	_, p, _ := c.ReadMessage(ctx)
	fmt.Printf("%s: %s\n", c.Subprotocol(), p)
	// Output: chat: welcome to /lobby
}
