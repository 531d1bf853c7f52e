package conn_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// peerKey is the masking key of all frames that a peer sends as a client.
const peerKey mask.Key = 0x3d21fa37

// bothRoles runs a test in a bubble with the connection in each role.
func bothRoles(t *testing.T, test func(t *testing.T, role frame.Role)) {
	t.Helper()
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		t.Run(role.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, role) })
		})
	}
}

// A peer is the other side of a connection, played octet by octet.
type peer struct {
	*conntest.End
	t    testing.TB
	role frame.Role // of the peer

	extensions frame.Flags // reserved bits that frames may have
}

// open returns a connection in the role, and its peer. Options of the peer's
// side of the pipe are the defaults.
func open(t testing.TB, role frame.Role, o *conn.Options) (*conn.Conn, *peer) {
	t.Helper()
	return openPipe(t, role, conn.Handshake{}, o, 0)
}

// openPipe is open with a handshake and a pipe that holds buffer octets.
func openPipe(t testing.TB, role frame.Role, h conn.Handshake, o *conn.Options, buffer int) (*conn.Conn, *peer) {
	t.Helper()
	end, p := newPeer(t, role, buffer)
	return newConn(t, end, role, h, o), p
}

// newPeer returns the end for a connection in the role, and its peer.
func newPeer(t testing.TB, role frame.Role, buffer int) (*conntest.End, *peer) {
	end, other := conntest.Pipe(buffer)
	// What never comes is a failed test, not a bubble in which all wait.
	other.SetDeadline(time.Now().Add(24 * time.Hour))
	t.Cleanup(func() { other.Reset() })
	return end, &peer{End: other, t: t, role: role ^ frame.Client}
}

// newConn is conn.New with a clean-up.
func newConn(t testing.TB, rwc io.ReadWriteCloser, role frame.Role, h conn.Handshake, o *conn.Options) *conn.Conn {
	c := conn.New(rwc, role, h, o)
	t.Cleanup(func() { c.CloseNow() })
	return c
}

// unhex decodes hex digits; spaces do not count.
func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wire returns the octets of frames that a role sends, written in hex as
// "head:payload" with spaces between them, such as "8105:48656c6c6f 8900:". The
// heads are those of frames that are not masked: for a client MASK and peerKey
// are added, and the payload is masked.
func wire(t testing.TB, sender frame.Role, frames string) []byte {
	t.Helper()
	var b []byte
	for f := range strings.FieldsSeq(frames) {
		head, payload, _ := strings.Cut(f, ":")
		h, p := unhex(t, head), unhex(t, payload)
		if sender == frame.Client {
			h[1] |= 0x80
			h = binary.LittleEndian.AppendUint32(h, uint32(peerKey))
			mask.Apply(p, peerKey)
		}
		b = append(append(b, h...), p...)
	}
	return b
}

// encode returns a frame as a role sends it.
func encode(t testing.TB, sender frame.Role, flags frame.Flags, op frame.Opcode, payload []byte) []byte {
	t.Helper()
	h := frame.Header{Flags: flags, Opcode: op}
	if sender == frame.Client {
		h.Flags |= frame.MASK
		h.Key = peerKey
	}
	b, err := frame.AppendFrame(nil, h, payload)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write sends octets as they are.
func (p *peer) write(b []byte) {
	p.t.Helper()
	if n, err := p.Write(b); err != nil {
		p.t.Fatalf("peer wrote %d of %d octets: %v", n, len(b), err)
	}
}

// send sends frames written as for wire.
func (p *peer) send(frames string) {
	p.t.Helper()
	p.write(wire(p.t, p.role, frames))
}

// sendFrame sends a frame.
func (p *peer) sendFrame(flags frame.Flags, op frame.Opcode, payload []byte) {
	p.t.Helper()
	p.write(encode(p.t, p.role, flags, op, payload))
}

// sendText sends a text message in one frame.
func (p *peer) sendText(s string) {
	p.t.Helper()
	p.sendFrame(frame.FIN, frame.OpText, []byte(s))
}

// next reads a frame that is legal on its own, and returns its header without
// the key and its payload unmasked.
func (p *peer) next() (frame.Header, []byte, error) {
	var b [frame.MaxHeaderSize]byte
	var h frame.Header
	for n := 0; ; n++ {
		var size int
		var err error
		if h, size, err = frame.ParseHeader(b[:n]); err != nil {
			return h, nil, err
		}
		if size > 0 {
			break
		}
		if _, err := io.ReadFull(p, b[n:n+1]); err != nil {
			if n > 0 {
				err = io.ErrUnexpectedEOF
			}
			return h, nil, err
		}
	}
	if err := h.Validate(p.role, p.extensions); err != nil {
		return h, nil, err
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(p, payload); err != nil {
		return h, nil, io.ErrUnexpectedEOF
	}
	mask.Apply(payload, h.Key)
	h.Flags &^= frame.MASK
	h.Key = 0
	return h, payload, nil
}

// expectFrame reads the next frame, which has to be this one.
func (p *peer) expectFrame(flags frame.Flags, op frame.Opcode, payload []byte) {
	p.t.Helper()
	h, got, err := p.next()
	if err != nil || h.Flags != flags || h.Opcode != op || !bytes.Equal(got, payload) {
		p.t.Fatalf("peer received %v %v %s, %v; want %v %v %s", h.Flags, h.Opcode, short(got), err, flags, op, short(payload))
	}
}

// expectText reads the next frame, which has to be a text message.
func (p *peer) expectText(s string) {
	p.t.Helper()
	p.expectFrame(frame.FIN, frame.OpText, []byte(s))
}

// expect reads frames, which have to be these. They are written as for wire.
func (p *peer) expect(frames string) {
	p.t.Helper()
	for f := range strings.FieldsSeq(frames) {
		head, payload, _ := strings.Cut(f, ":")
		h, _, err := frame.ParseHeader(unhex(p.t, head))
		if err != nil {
			p.t.Fatal(err)
		}
		p.expectFrame(h.Flags, h.Opcode, unhex(p.t, payload))
	}
}

// expectClose reads the next frame, which has to be a Close frame.
func (p *peer) expectClose(code frame.CloseCode, reason string) {
	p.t.Helper()
	payload, err := frame.AppendClose(nil, code, reason)
	if err != nil {
		p.t.Fatal(err)
	}
	p.expectFrame(frame.FIN, frame.OpClose, payload)
}

// closes sends a Close frame and expects the closing handshake from there: the
// answer, and that the server is the first to end TCP (RFC 6455, Section
// 7.1.1).
func (p *peer) closes(code frame.CloseCode, reason string) {
	p.t.Helper()
	p.sendClose(code, reason)
	p.expectClose(code, "")
	p.hangsUp()
}

// sendClose sends a Close frame.
func (p *peer) sendClose(code frame.CloseCode, reason string) {
	p.t.Helper()
	payload, err := frame.AppendClose(nil, code, reason)
	if err != nil {
		p.t.Fatal(err)
	}
	p.sendFrame(frame.FIN, frame.OpClose, payload)
}

// hangsUp ends TCP after a closing handshake: a server does at once, a client
// after its peer.
func (p *peer) hangsUp() {
	p.t.Helper()
	if p.role == frame.Client {
		p.expectEOF()
	} else {
		p.expectNothing()
	}
	p.Close()
}

// expectFailure reads the Close frame of a connection that fails with the code,
// finds that TCP ends behind it, and ends it as well.
func (p *peer) expectFailure(code frame.CloseCode) {
	p.t.Helper()
	p.expectClose(code, "")
	p.expectEOF()
	p.Close()
}

// expectEOF finds that the connection sends no more.
func (p *peer) expectEOF() {
	p.t.Helper()
	var b [1]byte
	if n, err := p.Read(b[:]); n > 0 || err != io.EOF {
		p.t.Fatalf("peer read %x, %v; want EOF", b[:n], err)
	}
}

// expectNothing finds that nothing has come, and that the connection has not
// ended.
func (p *peer) expectNothing() {
	p.t.Helper()
	synctest.Wait()
	var b [64]byte
	p.SetReadDeadline(time.Now())
	n, err := p.Read(b[:])
	p.SetReadDeadline(time.Now().Add(24 * time.Hour))
	if n > 0 || !isTimeout(err) {
		p.t.Fatalf("peer read %x, %v; want nothing", b[:n], err)
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && e.Timeout()
}

// short is a payload for a message of a test.
func short(p []byte) string {
	if len(p) <= 40 {
		return hex.EncodeToString(p)
	}
	return hex.EncodeToString(p[:40]) + "…"
}

// A reception is what a reader got until the connection ended.
type reception struct {
	messages []string // "text Hello"
	err      error
	took     time.Duration
}

// receive reads until there is an error, on another goroutine.
func receive(c *conn.Conn) <-chan reception {
	ch := make(chan reception, 1)
	start := time.Now()
	go func() {
		var r reception
		for {
			op, p, err := c.ReadMessage(context.Background())
			if err != nil {
				r.err, r.took = err, time.Since(start)
				ch <- r
				return
			}
			r.messages = append(r.messages, op.String()+" "+string(p))
		}
	}()
	return ch
}

// checkEnd compares how a connection ended with what is wanted. A nil cause is
// a closing handshake.
func checkEnd(t testing.TB, err error, by conn.Party, code frame.CloseCode, reason string, cause error) {
	t.Helper()
	end, ok := errors.AsType[*conn.CloseError](err)
	switch {
	case !ok:
		t.Errorf("error = %v, want a *CloseError", err)
	case end.By != by || end.Code != code || end.Reason != reason || !errors.Is(end.Err, cause):
		t.Errorf("error = {%v %q by %v: %v}, want {%v %q by %v: %v}", end.Code, end.Reason, end.By, end.Err, code, reason, by, cause)
	}
}

// checkRead reads a message, which has to be this one.
func checkRead(t testing.TB, c *conn.Conn, op frame.Opcode, want string) {
	t.Helper()
	gotOp, p, err := c.ReadMessage(context.Background())
	if gotOp != op || string(p) != want || err != nil {
		t.Fatalf("ReadMessage = %v %s, %v; want %v %s", gotOp, short(p), err, op, short([]byte(want)))
	}
}
