package conn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// isDocumented reports whether err is the end of a connection that the octets of
// a peer have brought about.
func isDocumented(err error) bool {
	end, ok := errors.AsType[*conn.CloseError](err)
	if !ok {
		return false
	}
	_, ofFrame := errors.AsType[*frame.Error](end.Err)
	_, ofConn := errors.AsType[*conn.Error](end.Err)
	return end.Err == nil && end.By == conn.Peer || end.Err == io.ErrUnexpectedEOF && end.By == conn.Network ||
		(ofFrame || ofConn) && end.By == conn.Local
}

// readScript reads from a connection to which octets come in pieces of Split,
// and ends them. How it reads is a matter of seed. It returns the messages, the
// end, and the octets that the connection wrote.
func readScript(t *testing.T, role frame.Role, agreed *deflate.Params, octets []byte, split, early int, seed uint64) (messages []string, end error, written []byte) {
	rng := rand.New(rand.NewPCG(seed, 1))
	local, other := conntest.Pipe(1 << 20)
	var reading sync.WaitGroup
	reading.Go(func() {
		written, _ = io.ReadAll(other)
		other.Close()
	})
	other.Write(octets[early:])
	other.CloseWrite()
	c := conn.New(conntest.Inject(local, conntest.Faults{Read: conntest.Flow{Split: split}}), role,
		conn.Handshake{Early: bytes.Clone(octets[:early]), Deflate: agreed},
		&conn.Options{MaxMessageSize: 1 << 12, PingInterval: conn.NoLimit})
	for end == nil {
		switch how := rng.IntN(4); how {
		case 0, 1:
			var m []byte
			var op frame.Opcode
			if how == 0 {
				op, m, end = c.ReadMessage(context.Background())
			} else {
				op, m, end = c.AppendMessage(context.Background(), []byte(">"))
				m = m[1:]
			}
			if end == nil {
				messages = append(messages, op.String()+" "+string(m))
			}
		default:
			var r conn.MessageReader
			if r, end = c.NextReader(context.Background()); end != nil {
				break
			}
			var m []byte
			b := make([]byte, 1+rng.IntN(100))
			for err := error(nil); err == nil && end == nil; {
				var n int
				n, err = r.Read(context.Background(), b)
				m = append(m, b[:n]...)
				if err == io.EOF {
					messages = append(messages, r.Opcode().String()+" "+string(m))
				} else {
					end = err
				}
			}
		}
	}
	if _, _, again := c.ReadMessage(context.Background()); again != end || c.Err() != end {
		t.Errorf("Err = %v, ReadMessage = %v after %v", c.Err(), again, end)
	}
	reading.Wait()
	return messages, end, written
}

// compression returns what a connection has agreed on if it compresses: that
// later messages refer to earlier ones.
func compression(deflated bool) *deflate.Params {
	if deflated {
		return &deflate.Params{}
	}
	return nil
}

// FuzzRead: whatever a peer sends, the messages and the end are the same however
// it arrives and is read, the end is one that is documented, and what comes back
// are whole frames, the last a Close frame with the code of the end.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\x81\x05Hello"), true, false, byte(1), byte(3), uint64(1))
	f.Add([]byte("\x01\x03Hel\x89\x02hi\x80\x02lo\x88\x02\x03\xe8\x81\x00"), true, false, byte(3), byte(0), uint64(2))
	f.Add([]byte("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x80\x00\x00\x00\x00\x88\x80\x00\x00\x00\x00"), false, false, byte(2), byte(30), uint64(3))
	f.Add([]byte("\x82\x7e\x10\x00"+strings.Repeat("*", 4096)+"\x82\x7e\x10\x01"), true, false, byte(100), byte(200), uint64(4))
	f.Add([]byte("\x01\x01\xf0\x00\x03\x9f\x90\xb1\x80\x01\xff"), true, false, byte(1), byte(1), uint64(5))
	f.Add([]byte("\x88\x03\x03\xe8\xff"), true, false, byte(1), byte(2), uint64(6))
	f.Add([]byte("\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x41\x03\xf2\x00\x11\x80\x02\x00\x00"), true, true, byte(1), byte(4), uint64(7))
	f.Add([]byte("\xc1\x05\xf2\x00\x11\x00\x00\xc2\x02\xff\xff\x81\x05Hello"), true, true, byte(2), byte(0), uint64(8))
	f.Fuzz(func(t *testing.T, octets []byte, client, deflated bool, split, early byte, seed uint64) {
		if len(octets) > 1<<16 {
			return
		}
		role := frame.Server
		if client {
			role = frame.Client
		}
		synctest.Test(t, func(t *testing.T) {
			agreed := compression(deflated)
			want, end, written := readScript(t, role, agreed, octets, 0, 0, 0)
			if !isDocumented(end) {
				t.Errorf("ended with %v", end)
			}
			checkAnswer(t, role, agreed, end, written)
			got, gotEnd, written := readScript(t, role, agreed, octets, int(split), min(int(early), len(octets)), seed)
			checkAnswer(t, role, agreed, gotEnd, written)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("messages mismatch (-at once +in pieces):\n%s", diff)
			}
			a, _ := errors.AsType[*conn.CloseError](end)
			b, _ := errors.AsType[*conn.CloseError](gotEnd)
			// What comes first, an octet that cannot be inflated or a character that
			// is none, is a matter of the pieces.
			inflating := deflated && a != nil && a.By == conn.Local
			if b == nil || a.By != b.By || !inflating && *a != *b {
				t.Errorf("ended with %v at once, and %v in pieces", end, gotEnd)
			}
		})
	})
}

// checkAnswer checks what a connection in the role has written to a peer whose
// octets led to end.
func checkAnswer(t *testing.T, role frame.Role, agreed *deflate.Params, end error, written []byte) {
	t.Helper()
	frames, err := parseFrames(role, agreed, written)
	if err != nil {
		t.Errorf("wrote %x: %v", written, err)
		return
	}
	e, _ := errors.AsType[*conn.CloseError](end)
	if e == nil {
		return
	}
	var last *sentFrame
	if len(frames) > 0 {
		last = &frames[len(frames)-1]
	}
	if e.By == conn.Network {
		if last != nil && last.Opcode == frame.OpClose {
			t.Errorf("a Close frame although the connection ended with %v", end)
		}
		return
	}
	if last == nil || last.Opcode != frame.OpClose {
		t.Errorf("no Close frame although the connection ended with %v", end)
		return
	}
	if code, _, _ := frame.ParseClose(last.payload); code != e.Code {
		t.Errorf("Close frame with %v, and the connection ended with %v", code, end)
	}
}

// A sentFrame is a frame that a connection has written.
type sentFrame struct {
	frame.Header
	payload []byte
}

// parseFrames decodes what a connection in the role has written: whole frames that are
// legal in their order, with nothing behind a Close frame.
func parseFrames(role frame.Role, agreed *deflate.Params, octets []byte) (frames []sentFrame, err error) {
	d := frame.Decoder{Role: role ^ frame.Client}
	if agreed != nil {
		d.Extensions = frame.RSV1
	}
	for len(octets) > 0 {
		p, n, err := d.Next(octets)
		switch {
		case err != nil:
			return frames, err
		case n == 0, !p.Last():
			return frames, io.ErrUnexpectedEOF
		case len(frames) > 0 && frames[len(frames)-1].Opcode == frame.OpClose:
			return frames, errors.New("a frame behind a Close frame")
		}
		octets = octets[n:]
		frames = append(frames, sentFrame{p.Header, p.Payload})
		if p.Header.Opcode == frame.OpClose {
			if _, _, err := frame.ParseClose(p.Payload); err != nil {
				return frames, err
			}
		}
	}
	return frames, nil
}

// messages returns the messages that frames add up to, inflated. All are text.
func messages(t *testing.T, frames []sentFrame) (all []string) {
	inflater, err := deflate.NewDecompressor(deflate.MaxWindowBits, deflate.Takeover)
	if err != nil {
		t.Fatal(err)
	}
	var message []byte
	compressed := false
	for _, f := range frames {
		if f.Opcode.IsControl() {
			continue
		}
		if f.Opcode != frame.OpContinuation {
			compressed = f.Flags.Has(frame.RSV1)
			message = nil
		}
		last := f.Flags.Has(frame.FIN)
		if compressed {
			if message, err = inflater.Append(message, f.payload, last, deflate.NoLimit); err != nil {
				t.Fatalf("message %d: %v", len(all), err)
			}
		} else {
			message = append(message, f.payload...)
		}
		if last {
			if !utf8.Valid(message) {
				t.Fatalf("message %d is not UTF-8: %s", len(all), short(message))
			}
			all = append(all, string(message))
		}
	}
	return all
}

// Calls that an application makes are read from octets.
type calls struct{ octets []byte }

// next returns the next octet modulo n, and zero behind the last.
func (s *calls) next(n int) int {
	if len(s.octets) == 0 {
		return 0
	}
	v := int(s.octets[0]) % n
	s.octets = s.octets[1:]
	return v
}

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
	f.Fuzz(func(t *testing.T, octets []byte, client, deflated bool, buffer byte) {
		if len(octets) > 1<<10 {
			return
		}
		role := frame.Server
		if client {
			role = frame.Client
		}
		synctest.Test(t, func(t *testing.T) { writeScript(t, role, compression(deflated), &calls{octets}, 1+int(buffer)) })
	})
}

func writeScript(t *testing.T, role frame.Role, agreed *deflate.Params, s *calls, buffer int) {
	const writers = 3
	local, other := conntest.Pipe(buffer)
	c := conn.New(local, role, conn.Handshake{Deflate: agreed},
		&conn.Options{PingInterval: 20 * time.Second, WriteTimeout: time.Minute, Compression: compressAll})
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
	for len(s.octets) > 0 {
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

	frames, err := parseFrames(role, agreed, written.Bytes())
	end, _ := errors.AsType[*conn.CloseError](c.Err())
	if err != nil && !(err == io.ErrUnexpectedEOF && end.Err != nil) {
		t.Fatalf("after %d frames: %v; the end was %v (%v before Close)", len(frames), err, c.Err(), cutOff)
	}
	received := messages(t, frames)
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
