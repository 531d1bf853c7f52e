package conn_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// room is how many octets the pipe of openNarrow holds.
const room = 100

// openNarrow is openDeflate with a pipe that a pong can fill to its end.
func openNarrow(t *testing.T, role frame.Role, agreed *deflate.Params) (*conn.Conn, *inflater) {
	t.Helper()
	c, p := openPipe(t, role, conn.Handshake{Deflate: agreed}, &conn.Options{Compression: compressAll}, room)
	go c.Discard(t.Context())
	return c, newInflater(p, agreed)
}

// pongs is the payload of the pong that fills the pipe.
func (i *inflater) pongs() []byte {
	if i.role == frame.Server {
		return make([]byte, room-6)
	}
	return make([]byte, room-2)
}

// fill has the connection fill the pipe, so that no octet of what follows leaves.
func (i *inflater) fill() {
	i.t.Helper()
	i.sendFrame(frame.FIN, frame.OpPing, i.pongs())
	synctest.Wait()
}

// empty reads what fill had sent.
func (i *inflater) empty() {
	i.t.Helper()
	i.expectFrame(frame.FIN, frame.OpPong, i.pongs())
}

// A queued is a message that waits to be written.
type queued struct {
	text   string
	cancel context.CancelFunc
	err    <-chan error
}

// queue writes messages of 500 octets, each on a goroutine of its own, to a peer
// that reads nothing.
func queue(t *testing.T, c *conn.Conn, n int) []queued {
	var all []queued
	for i := range n {
		ctx, cancel := context.WithCancel(t.Context())
		text := fmt.Sprintf("%d%s", i, lines(499))
		all = append(all, queued{text, cancel, writeAsync(ctx, c, frame.OpText, []byte(text))})
		synctest.Wait()
	}
	return all
}

// With takeover a message to which others refer is sent although its writer has
// given up; the newest is not.
func TestCompressedCanceled(t *testing.T) {
	tests := []struct {
		name   string
		agreed *deflate.Params
		cancel []int // in this order
		kept   []int
	}{
		{"referred to", together, []int{2}, []int{2}},
		{"being written", together, []int{0}, []int{0}},
		{"newest", together, []int{4}, nil},
		{"newest, then the one before", together, []int{4, 3}, nil},
		{"one before the newest, then that", together, []int{3, 4}, []int{3}},
		{"all from the newest", together, []int{4, 3, 2, 1, 0}, nil},
		{"all from the oldest", together, []int{0, 1, 2, 3, 4}, []int{0, 1, 2, 3}},
		{"without takeover", alone, []int{2, 0, 4}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, in := openNarrow(t, role, tt.agreed)
				in.fill()
				messages := queue(t, c, 5)
				dropped := map[int]bool{}
				for _, i := range tt.cancel {
					messages[i].cancel()
					synctest.Wait()
					dropped[i] = true
				}
				for _, i := range tt.kept {
					delete(dropped, i)
				}
				for _, i := range tt.cancel {
					err := <-messages[i].err
					if !errors.Is(err, context.Canceled) || errors.Is(err, conn.ErrStillSent) == dropped[i] {
						t.Errorf("WriteMessage of message %d = %v; want it canceled, dropped = %v", i, err, dropped[i])
					}
				}
				in.empty()
				late := writeAsync(t.Context(), c, frame.OpText, []byte(messages[4].text))
				for i, m := range messages {
					if !dropped[i] {
						in.expectCompressed(m.text)
					}
				}
				in.expectCompressed(messages[4].text)
				if err := <-late; err != nil || c.Err() != nil {
					t.Errorf("WriteMessage = %v, Err = %v; want the connection to go on", err, c.Err())
				}
			})
		})
	}
}

// A writer whose context ends loses nothing of a compressed message.
func TestCompressedWriterCanceled(t *testing.T) {
	for _, agreed := range []*deflate.Params{alone, together} {
		for canceled := range 3 {
			t.Run(fmt.Sprintf("%+v/fragment %d", *agreed, canceled), func(t *testing.T) {
				bothRoles(t, func(t *testing.T, role frame.Role) {
					c, in := openNarrow(t, role, agreed)
					w := nextWriter(t, c, frame.OpBinary)
					want, raw := "", []byte(nil)
					for i, send := range []func(context.Context) error{w.Flush, w.Flush, w.Close} {
						text := fmt.Sprintf("%d%s", i, noise(999))
						writePart(t, w, text)
						want += text
						sent := false
						if i == canceled {
							in.fill()
							ctx, cancel := context.WithCancel(t.Context())
							go func() {
								synctest.Wait()
								cancel()
							}()
							// The first fragment can be taken back; what continues
							// it cannot.
							err := send(ctx)
							if sent = errors.Is(err, conn.ErrStillSent); !errors.Is(err, context.Canceled) || sent != (i > 0) {
								t.Fatalf("fragment %d: %v; want it canceled, and still sent from the second on", i, err)
							}
						}
						if i == canceled {
							in.empty()
						}
						done := make(chan error, 1)
						if sent {
							done <- nil
						} else {
							go func() { done <- send(t.Context()) }()
						}
						h, payload, err := in.next()
						if err != nil || h.Flags.Has(frame.RSV1) != (i == 0) || h.Flags.Has(frame.FIN) != (i == 2) {
							t.Fatalf("fragment %d is %v, %v", i, h.Flags, err)
						}
						raw = append(raw, payload...)
						if err := <-done; err != nil {
							t.Fatalf("fragment %d: %v", i, err)
						}
					}
					if got, err := in.d.Append(nil, raw, true, deflate.NoLimit); string(got) != want || err != nil {
						t.Fatalf("peer received %s, %v; want %s", short(got), err, short([]byte(want)))
					}
					if err := w.Flush(t.Context()); err != conn.ErrWriterDone {
						t.Errorf("Flush after the end = %v, want ErrWriterDone", err)
					}
					next := writeAsync(t.Context(), c, frame.OpText, []byte(lines(999)))
					in.expectCompressed(lines(999))
					if err := <-next; err != nil {
						t.Fatal(err)
					}
				})
			})
		}
	}
}
