package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// What a handshake agreed on can be asked for.
func TestConnHandshake(t *testing.T) {
	type key struct{}
	bothRoles(t, func(t *testing.T, role frame.Role) {
		h := conn.Handshake{
			Target:      "/chat?room=1",
			Subprotocol: "chat.v2",
			Extensions:  []handshake.Extension{{Name: "x-test"}},
			Data:        key{},
		}
		c, _ := openPipe(t, role, h, nil, 0)
		if c.Role() != role || c.Target() != h.Target || c.Subprotocol() != h.Subprotocol || c.Data() != h.Data {
			t.Errorf("Role, Target, Subprotocol, Data = %v, %q, %q, %v", c.Role(), c.Target(), c.Subprotocol(), c.Data())
		}
		if diff := cmp.Diff(h.Extensions, c.Extensions()); diff != "" {
			t.Errorf("Extensions mismatch (-want +got):\n%s", diff)
		}
		if l, r := c.LocalAddr().String(), c.RemoteAddr().String(); l != "192.0.2.1:1" || r != "192.0.2.2:2" {
			t.Errorf("addresses = %s, %s", l, r)
		}
		got := c.LogValue().Group()
		want := []slog.Attr{slog.String("role", role.String()), slog.String("remote", "192.0.2.2:2"),
			slog.String("target", h.Target), slog.String("subprotocol", h.Subprotocol)}
		if len(got) != len(want) {
			t.Fatalf("LogValue = %v, want %v", got, want)
		}
		for i := range want {
			if !got[i].Equal(want[i]) {
				t.Errorf("LogValue has %v, want %v", got[i], want[i])
			}
		}
	})
}

// State, Done, Err and Context tell of the end, and not before.
func TestConnLifetime(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		ctx := c.Context()
		check := func(s conn.State, ended bool) {
			t.Helper()
			if c.State() != s || (c.Err() != nil) != ended || (ctx.Err() != nil) != ended {
				t.Errorf("State = %v, Err = %v, context's %v; want %v", c.State(), c.Err(), ctx.Err(), s)
			}
			select {
			case <-c.Done():
				if !ended {
					t.Error("Done is closed")
				}
			default:
				if ended {
					t.Error("Done is not closed")
				}
			}
		}
		check(conn.StateOpen, false)
		r := receive(c)
		p.sendClose(frame.CloseGoingAway, "")
		synctest.Wait()
		check(conn.StateClosing, false)
		p.expectClose(frame.CloseGoingAway, "")
		p.hangsUp()
		got := <-r
		synctest.Wait()
		check(conn.StateClosed, true)
		if got.err != c.Err() || context.Cause(ctx) != c.Err() || c.Context() != ctx {
			t.Errorf("ReadMessage = %v, Err = %v, cause = %v; want the same", got.err, c.Err(), context.Cause(ctx))
		}

		late, _ := open(t, role, nil)
		late.CloseNow()
		if ctx := late.Context(); context.Cause(ctx) != late.Err() {
			t.Errorf("Context of an ended connection = %v, want its end as the cause", context.Cause(ctx))
		}
	})
}

func TestStats(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		early := wire(t, role^frame.Client, "8105:48656c6c6f")
		c, p := openPipe(t, role, conn.Handshake{Early: bytes.Clone(early)}, nil, 0)
		r := receive(c)
		frames := "0103:48656c 8902:6869 8002:6c6f 8a00: 827e0080:" + strings.Repeat("2a", 128)
		p.send(frames)
		p.expect("8a02:6869")
		m, err := conn.Prepare(frame.OpText, []byte("prepared"))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WritePrepared(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if err := c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 200)); err != nil {
			t.Fatal(err)
		}
		w := nextWriter(t, c, frame.OpText)
		writePart(t, w, "He")
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		writePart(t, w, "llo")
		synctest.Wait()
		sent := conn.Traffic{Messages: 2, Payload: 8 + 200 + 2, Control: 1, Octets: 4 + 10 + 204 + 4}
		received := conn.Traffic{Messages: 3, Payload: 5 + 5 + 128, Control: 2, Octets: uint64(len(early) + len(wire(t, p.role, frames)))}
		if role == frame.Client {
			sent.Octets += 4 * 4
		}
		want := conn.Stats{Received: received, Sent: sent, EarlyOctets: uint64(len(early)), MaxMessageSize: 1 << 20}
		if diff := cmp.Diff(want, c.Stats()); diff != "" {
			t.Errorf("Stats mismatch (-want +got):\n%s", diff)
		}
		closeWriter(t, w)
		for range 4 {
			if _, _, err := p.next(); err != nil {
				t.Fatal(err)
			}
		}
		p.closes(frame.CloseNormalClosure, "")
		<-r
		want.Sent.Messages++
		want.Sent.Payload += 3
		want.Sent.Control++
		want.Sent.Octets += 5 + 4
		want.Received.Control++
		want.Received.Octets += uint64(len(wire(t, p.role, "8802:03e8")))
		if role == frame.Client {
			want.Sent.Octets += 2 * 4
		}
		if diff := cmp.Diff(want, c.Stats()); diff != "" {
			t.Errorf("Stats at the end mismatch (-want +got):\n%s", diff)
		}
	})
}

// After the end the queue counts what could not be sent.
func TestStatsQueued(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openPipe(t, role, conn.Handshake{}, nil, 100)
		for range 2 {
			go c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 125))
			synctest.Wait()
		}
		whole := 2 * (2 + 125)
		if role == frame.Client {
			whole += 2 * 4
		}
		p.Reset()
		c.CloseNow()
		synctest.Wait()
		if s := c.Stats(); s.QueuedFrames != 2 || s.QueuedOctets+int(s.Sent.Octets) != whole || s.Sent.Octets != 100 || s.Sent.Messages != 0 {
			t.Errorf("Stats = %+v, want 2 frames queued and 100 of %d octets sent", s, whole)
		}
	})
}

func TestHooks(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var got []string
		note := func(s string) { got = append(got, s) }
		var opened *conn.Conn
		var c *conn.Conn
		hooks := &conn.Hooks{
			OnOpen: func(c *conn.Conn) {
				opened = c
				note("open in state " + c.State().String())
			},
			OnMessage: func(_ *conn.Conn, d conn.Direction, op frame.Opcode, octets int64) {
				note(d.String() + " " + op.String() + " of " + string(rune('0'+octets)))
			},
			OnClose: func(h *conn.Conn, err *conn.CloseError) {
				if h.Err() != err || h.State() != conn.StateClosed {
					t.Errorf("OnClose in state %v with %v, Err = %v", h.State(), err, h.Err())
				}
				h.Close(frame.CloseNormalClosure, "") // harmless
				h.CloseNow()
				note("close " + err.Code.String())
			},
		}
		c, p := open(t, role, &conn.Options{Hooks: hooks})
		if opened != c {
			t.Error("OnOpen was not called before New returned")
		}
		p.send("8105:48656c6c6f 0201:2a 0000: 8900: 8001:2a")
		checkRead(t, c, frame.OpText, "Hello")
		checkRead(t, c, frame.OpBinary, "**")
		p.send("8103:616263")
		nextReader(t, c, frame.OpText) // abandoned; it was all there
		if err := c.WriteMessage(t.Context(), frame.OpText, []byte("four")); err != nil {
			t.Fatal(err)
		}
		m, err := conn.Prepare(frame.OpBinary, []byte("six..."))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.WritePrepared(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		w := nextWriter(t, c, frame.OpText)
		writePart(t, w, "se")
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		writePart(t, w, "ven..")
		closeWriter(t, w)
		c.WriteMessage(t.Context(), frame.OpText, []byte("\xff"))
		c.CloseNow()
		c.CloseNow()
		want := []string{
			"open in state open", "received text of 5", "received binary of 2", "received text of 3",
			"sent text of 4", "sent binary of 6", "sent text of 7", "close 1006 abnormal closure",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("calls mismatch (-want +got):\n%s", diff)
		}
	})
}

// The hook is told of messages that nobody waits for when they have left, and not
// of those that did not.
func TestHooksPosted(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var got []string
		c, p := openPipe(t, role, conn.Handshake{}, &conn.Options{Hooks: &conn.Hooks{
			OnMessage: func(c *conn.Conn, d conn.Direction, op frame.Opcode, octets int64) {
				got = append(got, fmt.Sprint(d, " ", op, " of ", octets))
				c.Stats() // may be asked here
			},
		}}, 1)
		var hub conn.Hub
		hub.Add(c)
		if err := postTexts(t, c, "a", "bc"); err != nil {
			t.Fatal(err)
		}
		hub.Broadcast(prepare(t, "def"), nil)
		if _, err := c.NetConn(frame.OpBinary).Write([]byte("ghij")); err != nil {
			t.Fatal(err)
		}
		postTexts(t, c, "lost")
		synctest.Wait()
		if len(got) > 0 {
			t.Errorf("calls before anything has left: %q", got)
		}
		for _, s := range []string{"a", "bc", "def"} {
			p.expectText(s)
		}
		p.expectFrame(frame.FIN, frame.OpBinary, []byte("ghij"))
		c.CloseNow()
		synctest.Wait()
		want := []string{
			"sent text of 1", "sent text of 2", "sent text of 3", "sent binary of 4",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("calls mismatch (-want +got):\n%s", diff)
		}
	})
}

// OnClose is called once, whoever ends the connection how often.
func TestHooksCloseOnce(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		calls := 0
		c, p := open(t, role, &conn.Options{Hooks: &conn.Hooks{OnClose: func(*conn.Conn, *conn.CloseError) { calls++ }}})
		r := receive(c)
		for range 10 {
			go c.CloseNow()
			go c.Close(frame.CloseNormalClosure, "")
		}
		p.Reset()
		<-r
		synctest.Wait()
		if calls != 1 {
			t.Errorf("OnClose was called %d times", calls)
		}
	})
}

// The log tells of the beginning and the end, and has no payload.
func TestLogger(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		var log bytes.Buffer
		c, p := open(t, role, &conn.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		p.sendText("secret")
		checkRead(t, c, frame.OpText, "secret")
		r := receive(c)
		p.closes(frame.CloseGoingAway, "")
		<-r
		synctest.Wait()
		records := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(records) != 2 || strings.Contains(log.String(), "secret") {
			t.Errorf("log = %q, want two records without the payload", records)
		}
		for _, r := range records {
			if !strings.Contains(r, "conn.role="+role.String()) || !strings.Contains(r, "conn.remote=192.0.2.2:2") {
				t.Errorf("record %q does not name the connection", r)
			}
		}
	})
}

// bareStream is a stream without deadlines, addresses or CloseWrite.
type bareStream struct{ io.ReadWriteCloser }

// Over a stream without deadlines everything works, except that what needs a
// deadline ends the connection.
func TestBareStream(t *testing.T) {
	begin := func(t *testing.T, role frame.Role, o *conn.Options, buffer int) (*conn.Conn, *peer) {
		end, p := newPeer(t, role, buffer)
		return newConn(t, bareStream{end}, role, conn.Handshake{}, o), p
	}
	t.Run("messages", func(t *testing.T) {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			c, p := begin(t, role, nil, 0)
			if c.LocalAddr() != nil || c.RemoteAddr() != nil {
				t.Errorf("addresses = %v, %v; want none", c.LocalAddr(), c.RemoteAddr())
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			for range 3 {
				p.send("0103:48656c")
				time.AfterFunc(time.Second, func() { p.send("8002:6c6f") })
				if _, m, err := c.ReadMessage(ctx); string(m) != "Hello" || err != nil {
					t.Fatalf("ReadMessage = %q, %v", m, err)
				}
				if err := c.WriteMessage(ctx, frame.OpText, []byte("answer")); err != nil {
					t.Fatal(err)
				}
				p.expectText("answer")
				time.Sleep(40 * time.Second) // no deadline is left behind
				if role == frame.Server {
					p.pong(p.expectPing())
					break
				}
			}
			r := receive(c)
			p.sendClose(frame.CloseNormalClosure, "")
			p.expectClose(frame.CloseNormalClosure, "")
			p.expectEnd(role)
			checkEnd(t, (<-r).err, conn.Peer, frame.CloseNormalClosure, "", nil)
		})
	})
	t.Run("failure", func(t *testing.T) {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			c, p := begin(t, role, nil, 0)
			r := receive(c)
			p.send("8300:")
			p.expectFailure(frame.CloseProtocolError)
			checkEnd(t, (<-r).err, conn.Local, frame.CloseProtocolError, "", frame.ErrReservedOpcode)
		})
	})
	t.Run("canceled read", func(t *testing.T) {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			c, _ := begin(t, role, nil, 0)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, _, err := c.ReadMessage(ctx)
			if !errors.Is(err, net.ErrClosed) || time.Since(start) != time.Second || c.Err() != err {
				t.Errorf("ReadMessage = %v after %v, Err = %v; want the end of the connection after 1s", err, time.Since(start), c.Err())
			}
		})
	})
	t.Run("stalled message", func(t *testing.T) {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			c, p := begin(t, role, nil, 0)
			p.write(wire(t, p.role, "8105:48656c6c6f")[:1])
			if got := <-receive(c); !errors.Is(got.err, net.ErrClosed) || got.took != 30*time.Second {
				t.Errorf("ReadMessage = %v after %v, want the end after 30s", got.err, got.took)
			}
		})
	})
	t.Run("blocked write", func(t *testing.T) {
		bothRoles(t, func(t *testing.T, role frame.Role) {
			c, _ := begin(t, role, nil, 64)
			start := time.Now()
			err := c.WriteMessage(t.Context(), frame.OpBinary, make([]byte, 1000))
			if !errors.Is(err, net.ErrClosed) || time.Since(start) != 10*time.Second {
				t.Errorf("WriteMessage = %v after %v, want the end after 10s", err, time.Since(start))
			}
		})
	})
}

// expectEnd finds that a connection in the role ends a stream that has no
// CloseWrite.
func (p *peer) expectEnd(role frame.Role) {
	p.t.Helper()
	if role == frame.Client {
		p.Close()
		return
	}
	p.expectEOF()
	p.Close()
}

// A connection over net.Pipe, which has neither a buffer nor CloseWrite.
func TestNetPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		client := newConn(t, a, frame.Client, conn.Handshake{}, nil)
		server := newConn(t, b, frame.Server, conn.Handshake{}, nil)
		r := receive(server)
		for _, s := range []string{"one", "", strings.Repeat("long", 100_000)} {
			if err := client.WriteMessage(t.Context(), frame.OpText, []byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Close(frame.CloseNormalClosure, ""); err != nil {
			t.Errorf("Close = %v", err)
		}
		got := <-r
		checkEnd(t, got.err, conn.Peer, frame.CloseNormalClosure, "", nil)
		if len(got.messages) != 3 || got.messages[0] != "text one" || got.messages[1] != "text " || len(got.messages[2]) != 400_005 {
			t.Errorf("%d messages arrived, want 3", len(got.messages))
		}
	})
}

// The deadlines of a connection are its own: one that others have set ends it
// instead of keeping a reader busy.
func TestForeignDeadline(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		end, _ := conntest.Pipe(0)
		c := newConn(t, end, role, conn.Handshake{}, nil)
		end.SetReadDeadline(time.Now().Add(time.Second))
		if got := <-receive(c); !errors.Is(got.err, net.ErrClosed) || got.took != time.Second {
			t.Errorf("ReadMessage = %v after %v, want the end after 1s", got.err, got.took)
		}
	})
}
