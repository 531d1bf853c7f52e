package conn_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// nextReader begins to read a message, which has to be of this opcode.
func nextReader(t testing.TB, c *conn.Conn, op frame.Opcode) conn.MessageReader {
	t.Helper()
	r, err := c.NextReader(t.Context())
	if err != nil || r.Opcode() != op {
		t.Fatalf("NextReader = %v, %v; want %v", r.Opcode(), err, op)
	}
	return r
}

// checkPart reads octets of a message, which have to be these.
func checkPart(t testing.TB, r conn.MessageReader, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if n, err := io.ReadFull(r.With(context.Background()), b); string(b[:n]) != want || err != nil {
		t.Fatalf("read %q, %v; want %q", b[:n], err, want)
	}
}

// checkEOF finds that a message is at its end, however often one asks.
func checkEOF(t testing.TB, r conn.MessageReader) {
	t.Helper()
	for range 2 {
		if n, err := r.Read(t.Context(), make([]byte, 8)); n != 0 || err != io.EOF {
			t.Fatalf("Read = %d, %v; want EOF", n, err)
		}
	}
}

func TestMessageReader(t *testing.T) {
	tests := []struct {
		name   string
		frames string
		want   string
	}{
		{name: "one frame", frames: "8205:48656c6c6f", want: "Hello"},
		{name: "empty", frames: "8200:"},
		{name: "empty fragments", frames: "0200: 0000: 8900: 8000:"},
		{name: "fragments", frames: "0203:48656c 8a00: 0000: 8902:6869 8002:6c6f", want: "Hello"},
		{name: "long", frames: "027e4000:" + strings.Repeat("2a", 1<<14) + " 807e8000:" + strings.Repeat("2b", 1<<15),
			want: strings.Repeat("*", 1<<14) + strings.Repeat("+", 1<<15)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			eachDelivery(t, nil, func(t *testing.T, c *conn.Conn, p *peer) {
				for _, wrap := range []func(io.Reader) io.Reader{
					func(r io.Reader) io.Reader { return r }, iotest.OneByteReader,
				} {
					go p.send(tt.frames)
					r := nextReader(t, c, frame.OpBinary)
					got, err := io.ReadAll(wrap(r.With(t.Context())))
					if string(got) != tt.want || err != nil {
						t.Fatalf("read %s, %v; want %s", short(got), err, short([]byte(tt.want)))
					}
					checkEOF(t, r)
					synctest.Wait()
				}
			})
		})
	}
}

// A MessageReader is not closed: what is left of its message is passed over by
// whatever reads next.
func TestMessageReaderAbandoned(t *testing.T) {
	tests := []struct {
		name  string
		first string // frames that come before the message is abandoned
		read  string // octets that are read of them
		rest  string // frames that come afterwards
	}{
		{name: "unread", first: "8105:48656c6c6f"},
		{name: "partly read", first: "8105:48656c6c6f", read: "He"},
		{name: "read, but for EOF", first: "8105:48656c6c6f", read: "Hello"},
		{name: "first fragment read", first: "0103:48656c", read: "Hel", rest: "8002:6c6f"},
		{name: "first fragment unread", first: "0103:48656c", rest: "8900: 0002:6c6f 8000:"},
		{name: "empty first fragment", first: "0100:", rest: "8002:6c6f"},
	}
	next := map[string]func(t *testing.T, c *conn.Conn){
		"ReadMessage": func(t *testing.T, c *conn.Conn) { checkRead(t, c, frame.OpBinary, "next") },
		"NextReader": func(t *testing.T, c *conn.Conn) {
			r := nextReader(t, c, frame.OpBinary)
			checkPart(t, r, "next")
			checkEOF(t, r)
		},
		"canceled, then ReadMessage": func(t *testing.T, c *conn.Conn) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errTest)
			if _, _, err := c.ReadMessage(ctx); !errors.Is(err, errTest) {
				t.Errorf("ReadMessage = %v, want the cause", err)
			}
			checkRead(t, c, frame.OpBinary, "next")
		},
	}
	for _, tt := range tests {
		for name, next := range next {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				bothRoles(t, func(t *testing.T, role frame.Role) {
					c, p := open(t, role, nil)
					p.send(tt.first)
					r := nextReader(t, c, frame.OpText)
					checkPart(t, r, tt.read)
					time.AfterFunc(time.Second, func() {
						p.send(tt.rest)
						p.send("8204:6e657874 8103:656e64")
					})
					next(t, c)
					if n, err := r.Read(t.Context(), make([]byte, 8)); n != 0 || err != conn.ErrReaderDone {
						t.Errorf("the first reader: %d, %v; want ErrReaderDone", n, err)
					}
					checkRead(t, c, frame.OpText, "end")
				})
			})
		}
	}
}

func TestMessageReaderZero(t *testing.T) {
	var r conn.MessageReader
	if n, err := r.Read(t.Context(), make([]byte, 8)); n != 0 || err != conn.ErrReaderDone {
		t.Errorf("Read = %d, %v; want ErrReaderDone", n, err)
	}
}

// A streaming read whose context ends loses nothing, wherever the octets are
// cut. Control frames on the way are no part of the message.
func TestMessageReaderContext(t *testing.T) {
	frames := "0103:48656c 8902:6869 0000: 8a01:2a 8002:6c6f"
	bothRoles(t, func(t *testing.T, role frame.Role) {
		all := wire(t, role^frame.Client, frames)
		for cut := range all {
			c, p := open(t, role, nil)
			p.write(all[:cut])
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
			defer cancel()
			r, err := c.NextReader(ctx)
			if errors.Is(err, errTest) {
				time.AfterFunc(time.Second, func() { p.write(all[cut:]) })
				r, err = c.NextReader(t.Context())
			} else {
				time.AfterFunc(2*time.Second, func() { p.write(all[cut:]) })
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []byte
			for use, b := ctx, make([]byte, 2); ; {
				n, err := r.Read(use, b)
				got = append(got, b[:n]...)
				if errors.Is(err, errTest) && n == 0 {
					use = t.Context()
				} else if err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("cut at %d: Read = %d, %v", cut, n, err)
				}
			}
			if string(got) != "Hello" {
				t.Errorf("cut at %d: read %q, want Hello", cut, got)
			}
			p.expect("8a02:6869")
		}
	})
}

// A message of which ReadMessage has gathered a part can be streamed. The part
// stays what it is while other connections read.
func TestMessageReaderBehindReadMessage(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		long := strings.Repeat("part", 5000)
		p.sendFrame(0, frame.OpText, []byte(long))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := c.ReadMessage(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("ReadMessage = %v, want DeadlineExceeded", err)
		}
		r := nextReader(t, c, frame.OpText)
		for range 500 {
			checkPart(t, r, "part")
		}
		conn.ScribblePools()
		checkPart(t, r, long[:4*4500])
		p.sendFrame(frame.FIN, frame.OpContinuation, []byte("end"))
		checkPart(t, r, "end")
		checkEOF(t, r)
		p.sendText("next")
		checkRead(t, c, frame.OpText, "next")
	})
}

// The errors of a stream are those of the connection.
func TestMessageReaderFailure(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		p.send("0103:48656c")
		r := nextReader(t, c, frame.OpText)
		checkPart(t, r, "Hel")
		go func() {
			p.send("8001:ff")
			p.expectFailure(frame.CloseInvalidFramePayloadData)
		}()
		n, err := r.Read(t.Context(), make([]byte, 8))
		if n != 0 {
			t.Errorf("Read = %d octets", n)
		}
		checkEnd(t, err, conn.Local, frame.CloseInvalidFramePayloadData, "", frame.ErrInvalidUTF8)
		if _, again := r.Read(t.Context(), make([]byte, 8)); again != err {
			t.Errorf("then Read = %v, want %v", again, err)
		}
		if _, again := c.NextReader(t.Context()); again != err {
			t.Errorf("then NextReader = %v, want %v", again, err)
		}
	})
}
