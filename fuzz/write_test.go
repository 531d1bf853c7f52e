package fuzz_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/internal/reference"
)

// FuzzWrite: whatever calls an application makes, on however many goroutines and
// with contexts that end, what leaves are whole legal frames up to where the
// connection was cut off; each message that was reported as sent is among them
// once, in the order of its goroutine, and none that was taken back is.
func FuzzWrite(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0}, false, false, byte(1))
	f.Add([]byte{0, 200, 8, 1, 100, 1, 1, 4, 4, 4, 2, 100, 2, 2, 5, 6, 0, 1}, true, true, byte(7))
	f.Add(bytes.Repeat([]byte{3, 250, 1, 0, 90, 2, 1, 30, 9, 2, 60, 3}, 8), false, false, byte(64))
	f.Add(bytes.Repeat([]byte{2, 17, 3, 1, 255, 9, 3, 33, 8, 4, 7, 7, 5, 1, 1}, 8), true, true, byte(33))
	f.Add([]byte{1, 1, 50, 0, 2, 0, 40, 0, 0, 250, 3, 7, 1, 1, 7}, false, false, byte(0))
	fuzz(f, func(t *testing.T, octets []byte, client, deflated bool, buffer byte) {
		if len(octets) > 1<<10 {
			return
		}
		r := reference.Receiver{Server: !client, Deflate: deflated}
		synctest.Test(t, func(t *testing.T) { writeScript(t, r, source(octets), 1+int(buffer)) })
	})
}

// writeScript has goroutines of an application make the calls of a script on a
// connection that receives as r does.
func writeScript(t *testing.T, r reference.Receiver, s source, buffer int) {
	const writers = 3
	local, other := conntest.Pipe(buffer)
	c := connect(local, r, nil, &conn.Options{
		PingInterval: 20 * time.Second, WriteTimeout: time.Minute, Compression: &conn.Compression{MinSize: conn.NoLimit},
	})
	pause := time.Duration(s.next(4)) * time.Second
	var background sync.WaitGroup
	background.Go(func() { c.Discard(context.Background()) })
	var written bytes.Buffer
	background.Go(func() {
		b := make([]byte, 512)
		for {
			n, err := other.Read(b)
			written.Write(b[:n])
			if err != nil {
				other.Close()
				return
			}
			time.Sleep(pause / 8)
		}
	})
	var hub conn.Hub
	hub.Add(c)
	var mu sync.Mutex
	var sent [writers][]string // messages that were sent, by writer
	back := map[string]bool{}  // that were taken back
	writing := make([]chan func(w *conn.MessageWriter, m *string) *conn.MessageWriter, writers)
	var working sync.WaitGroup
	for i := range writing {
		writing[i] = make(chan func(*conn.MessageWriter, *string) *conn.MessageWriter, 1<<10)
		working.Go(func() {
			var w *conn.MessageWriter
			var m string
			for call := range writing[i] {
				w = call(w, &m)
			}
		})
	}
	note := func(writer int, m string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			sent[writer] = append(sent[writer], m)
		} else if c.Err() == nil && !errors.Is(err, conn.ErrStillSent) {
			back[m] = true
		}
	}
	serial := 0
	for len(s) > 0 {
		serial++
		writer := s.next(writers)
		call, size := s.next(10), s.next(256)
		if call > 1 {
			size *= 4
		}
		message := strings.Repeat("é", size) + string(rune('0'+writer)) + string(rune(0x4e00+serial))
		begin := func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }
		if limit := s.next(8); limit > 4 {
			begin = func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(context.Background(), time.Duration(limit-5)*700*time.Millisecond)
			}
		}
		writing[writer] <- func(w *conn.MessageWriter, m *string) *conn.MessageWriter {
			ctx, cancel := begin()
			defer cancel()
			switch {
			case call <= 1:
				note(writer, message, c.WriteMessage(ctx, frame.OpText, []byte(message)))
			case call == 2:
				p, err := conn.Prepare(frame.OpText, []byte(message))
				if err != nil {
					t.Error(err)
				}
				note(writer, message, c.WritePrepared(ctx, p))
			case call == 3:
				p, err := conn.Prepare(frame.OpText, []byte("posted"))
				if err != nil {
					t.Error(err)
				}
				hub.Broadcast(p, nil)
			case call == 4:
				c.Ping(ctx)
			case call == 5:
				time.Sleep(time.Second)
			case call == 6 && size > 900:
				c.Close(frame.CloseNormalClosure, "script")
			case call == 6 && size > 850:
				c.CloseNow()
			case w == nil:
				w, _ = c.NextWriter(frame.OpText)
				*m = ""
				if w == nil {
					return nil
				}
				fallthrough
			case call < 9:
				n, err := w.Write(ctx, []byte(message))
				*m += message[:n]
				if err == nil && call == 7 {
					w.Flush(ctx)
				}
			default:
				// What is begun has to end, or others wait for it.
				for {
					err := w.Close(ctx)
					ctx = context.Background()
					if err == nil {
						note(writer, *m, nil)
					}
					if err == nil || c.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
						return nil
					}
				}
			}
			return w
		}
	}
	for i := range writing {
		writing[i] <- func(w *conn.MessageWriter, m *string) *conn.MessageWriter {
			if w != nil && utf8.ValidString(*m) {
				if err := w.Close(context.Background()); err == nil {
					note(i, *m, nil)
				}
			}
			return nil
		}
		close(writing[i])
	}
	working.Wait()
	synctest.Wait()
	cutOff := c.Err()
	c.Close(frame.CloseNormalClosure, "")
	background.Wait()

	peer := reference.Receiver{Server: !r.Server, Deflate: r.Deflate, MaxMessage: 1 << 20}
	frames, broken, at := peer.Frames(written.Bytes())
	end, _ := errors.AsType[*conn.CloseError](c.Err())
	torn := at < written.Len() || len(frames) > 0 && !frames[len(frames)-1].IsWhole()
	if broken != "" || torn && end.Err == nil {
		t.Fatalf("after %d frames: %q; the end was %v (%v before Close)", len(frames), broken, c.Err(), cutOff)
	}
	for _, f := range frames[:max(0, len(frames)-1)] {
		if f.Opcode == 8 {
			t.Fatal("a frame behind a Close frame")
		}
	}
	o := peer.Receive(written.Bytes())
	if o.End.How == reference.Failed {
		t.Fatalf("what was written is wrong: %+v", o.End)
	}
	var received []string
	for _, m := range o.Messages {
		received = append(received, m.Payload)
	}
	for i := range sent {
		rest := received
		for _, m := range sent[i] {
			at := slices.Index(rest, m)
			if at < 0 {
				if end.Err != nil {
					break // it had left, and was lost on the way
				}
				t.Fatalf("writer %d: message of %d octets was not received, or not in order", i, len(m))
			}
			rest = rest[at+1:]
		}
	}
	seen := map[string]bool{}
	for _, m := range received {
		if back[m] || seen[m] {
			t.Fatalf("message of %d octets was received although it was taken back (%v), or again (%v)", len(m), back[m], seen[m])
		}
		seen[m] = m != "posted"
	}
}
