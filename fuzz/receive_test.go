package fuzz_test

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/internal/reference"
)

// A tape is a stream whose peer has sent all it will ever send: Read returns the
// pieces, one a call, and then io.EOF. It keeps what is written.
type tape struct {
	mu      sync.Mutex
	pieces  [][]byte
	written []byte
	closed  bool
}

func (t *tape) Read(p []byte) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.pieces) > 0 && len(t.pieces[0]) == 0 {
		t.pieces = t.pieces[1:]
	}
	switch {
	case t.closed:
		return 0, net.ErrClosed
	case len(t.pieces) == 0:
		return 0, io.EOF
	}
	n = copy(p, t.pieces[0])
	t.pieces[0] = t.pieces[0][n:]
	return n, nil
}

func (t *tape) Write(p []byte) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, net.ErrClosed
	}
	t.written = append(t.written, p...)
	return len(p), nil
}

func (t *tape) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return nil
}

func (t *tape) CloseWrite() error                { return nil }
func (t *tape) SetReadDeadline(time.Time) error  { return nil }
func (t *tape) SetWriteDeadline(time.Time) error { return nil }

// A received is what a connection has made of octets.
type received struct {
	messages []reference.Message
	parts    map[int]bool // those that were not read to their end, by their index
	end      error
	written  []byte
}

// receive has a connection read octets in pieces, of which the first came together
// with the opening handshake. How it reads is chosen by how.
func receive(t *testing.T, r reference.Receiver, list [][]byte, how source) (got received) {
	nc := &tape{pieces: list[1:]}
	c := connect(nc, r, list[0], &conn.Options{
		MaxMessageSize: int64(r.MaxMessage), TolerateNonMinimalLength: r.NonMinimal, MaxControlRate: conn.NoLimit, PingInterval: conn.NoLimit,
	})
	got = readAll(t, c, how)
	got.written = nc.written
	return got
}

// readAll reads from a connection until it ends.
func readAll(t *testing.T, c *conn.Conn, how source) (got received) {
	got.parts = map[int]bool{}
	for got.end == nil {
		var m reference.Message
		var whole bool
		m, whole, got.end = readOne(t, c, &how)
		if got.end == nil || m.Payload != "" {
			got.parts[len(got.messages)] = !whole
			got.messages = append(got.messages, m)
		}
	}
	if _, _, again := c.ReadMessage(context.Background()); again != got.end || c.Err() != got.end || c.State() != conn.StateClosed {
		t.Fatalf("Err = %v, ReadMessage = %v, state %v after %v", c.Err(), again, c.State(), got.end)
	}
	return got
}

// connect returns a connection that receives as r does, with early octets.
func connect(nc io.ReadWriteCloser, r reference.Receiver, early []byte, o *conn.Options) *conn.Conn {
	role, h := frame.Client, conn.Handshake{Early: bytes.Clone(early)}
	if r.Server {
		role = frame.Server
	}
	if r.Deflate {
		h.Deflate = &deflate.Params{}
	}
	return conn.New(nc, role, h, o)
}

// readOne reads a message in one of the ways that there are. It reports whether it
// was read to its end.
func readOne(t *testing.T, c *conn.Conn, how *source) (m reference.Message, whole bool, err error) {
	ctx := context.Background()
	switch how.next(4) {
	case 0:
		op, p, err := c.ReadMessage(ctx)
		return messageOf(op, p), true, err
	case 1:
		op, p, err := c.AppendMessage(ctx, []byte(">"))
		if p[0] != '>' || err != nil && len(p) > 1 {
			t.Fatalf("AppendMessage(>) = %q, %v", p, err)
		}
		return messageOf(op, p[1:]), true, err
	}
	in, err := c.NextReader(ctx)
	if err != nil {
		return m, false, err
	}
	most := 1 << 20
	if how.next(4) == 3 {
		most = how.next(20) // then it is left alone
	}
	b := make([]byte, 1+how.next(200))
	var p []byte
	for len(p) < most {
		n, err := in.Read(ctx, b[:min(len(b), most-len(p))])
		p = append(p, b[:n]...)
		if err == io.EOF {
			return messageOf(in.Opcode(), p), true, nil
		}
		if err != nil {
			return messageOf(in.Opcode(), p), false, err
		}
	}
	return messageOf(in.Opcode(), p), false, nil
}

func messageOf(op frame.Opcode, p []byte) reference.Message {
	return reference.Message{Text: op == frame.OpText, Payload: string(p)}
}

// complete puts the wanted messages in place of beginnings of them that were read.
func (got *received) complete(want []reference.Message) {
	for i, m := range got.messages {
		if i < len(want) && got.parts[i] && m.Text == want[i].Text && strings.HasPrefix(want[i].Payload, m.Payload) {
			got.messages[i] = want[i]
		}
	}
	// A part of one message more may have been read before the end.
	if n := len(want); len(got.messages) == n+1 && got.parts[n] {
		got.messages = got.messages[:n]
	}
}

// check compares what a connection has made of octets with what there is to be
// made of them.
func (got *received) check(t *testing.T, r reference.Receiver, want reference.Outcome) {
	got.complete(want.Messages)
	end, ok := errors.AsType[*conn.CloseError](got.end)
	if !ok {
		t.Fatalf("ended with %v", got.end)
	}
	if errors.Is(end, deflate.ErrNoOutput) {
		return // where that is the case is for FuzzInflate to say
	}
	if !slices.Equal(want.Messages, got.messages) {
		t.Errorf("messages mismatch (-want +got):\n%s", cmp.Diff(want.Messages, got.messages))
	}
	pongs, code := parseAnswers(t, r, got.written)
	if want.End.Open {
		return
	}
	checkPongs(t, want.Pings, pongs)
	_, ofFrame := errors.AsType[*frame.Error](end.Err)
	_, ofConn := errors.AsType[*conn.Error](end.Err)
	switch want.End.How {
	case reference.Lost:
		ok = end.By == conn.Network && end.Code == frame.CloseAbnormalClosure && end.Err == io.ErrUnexpectedEOF && code == 0
	case reference.Closed:
		ok = end.By == conn.Peer && int(end.Code) == want.End.Code && end.Reason == want.End.Reason && end.Err == nil && code == want.End.Code
	case reference.Failed:
		ok = end.By == conn.Local && slices.Contains(want.End.Codes, int(end.Code)) && (ofFrame || ofConn) && code == int(end.Code)
	}
	if !ok || !errors.Is(end, net.ErrClosed) {
		t.Errorf("ended with %v, and a Close frame with %d; want %+v", end, code, want.End)
	}
}

// parseAnswers reads what a connection that receives as r does has written: whole
// legal frames, pongs and at last perhaps a Close frame, whose code is zero if there
// is none.
func parseAnswers(t *testing.T, r reference.Receiver, octets []byte) (pongs []string, code int) {
	frames, broken, at := reference.Receiver{Server: !r.Server}.Frames(octets)
	if broken != "" || at != len(octets) {
		t.Fatalf("wrote %x: %q at %d", octets, broken, at)
	}
	for i, f := range frames {
		switch {
		case !f.IsWhole(), code != 0:
			t.Fatalf("wrote %x: frame %d is not whole, or behind a Close frame", octets, i)
		case f.Opcode == 10:
			pongs = append(pongs, string(f.Payload))
		case f.Opcode == 8:
			var failure int
			if code, _, failure = reference.Close(f.Payload); failure != 0 {
				t.Fatalf("wrote the Close payload %x", f.Payload)
			}
		default:
			t.Fatalf("wrote %x: frame %d has opcode %d", octets, i, f.Opcode)
		}
	}
	return pongs, code
}

// checkPongs checks that pongs answer pings: in order, the newest one in any case
// (Section 5.5.3).
func checkPongs(t *testing.T, pings, pongs []string) {
	if len(pings) > 0 && (len(pongs) == 0 || pongs[len(pongs)-1] != pings[len(pings)-1]) {
		t.Errorf("the newest of the pings %q is not answered by %q", pings, pongs)
		return
	}
	for _, p := range pongs {
		i := slices.Index(pings, p)
		if i < 0 {
			t.Errorf("pongs %q answer the pings %q", pongs, pings)
			return
		}
		pings = pings[i+1:]
	}
}

// FuzzServerReceive: whatever a client sends, however it arrives and is read, a
// server makes of it what RFC 6455 says: messages, pongs, the end and its code, and
// a Close frame that says so.
func FuzzServerReceive(f *testing.F) { fuzzReceive(f, true) }

// FuzzClientReceive is [FuzzServerReceive] for what a server sends to a client.
func FuzzClientReceive(f *testing.F) { fuzzReceive(f, false) }

// receiveLimit is how many octets a message may have.
const receiveLimit = 1 << 10

func fuzzReceive(f *testing.F, server bool) {
	var all []byte
	addStreams(f, server, func(octets []byte) {
		f.Add(octets, uint8(0), []byte{0, 1, 1, 2, 5}, []byte{0, 1, 2, 3})
		f.Add(octets, uint8(1), []byte{2, 3}, []byte{2, 1, 3, 2, 3, 5, 9})
		f.Add(octets, uint8(2), []byte{255, 255}, []byte{1})
		if frames, broken, _ := (reference.Receiver{Server: server}).Frames(octets); broken == "" && len(frames) < 4 {
			all = append(all, octets...)
		}
	})
	f.Add(all, uint8(0), []byte{100, 100, 100}, []byte{0, 2, 0, 50})
	// Messages of as many octets as they may have, and of one more.
	for n := receiveLimit; n <= receiveLimit+1; n++ {
		p := bytes.Repeat([]byte("a"), n)
		r := reference.Receiver{Server: server}
		f.Add(encode(r, 0x82, p), uint8(0), []byte{200}, []byte{1, 2, 60})
		f.Add(append(encode(r, 0x01, p[:1000]), encode(r, 0x80, p[1000:])...), uint8(0), []byte{200}, []byte{0, 2})
		f.Add(encode(r, 0xc2, newStandardCompressor(f, flate.BestCompression).message(p)), uint8(1), []byte{3}, []byte{0, 1, 2})
	}
	// More fragments than a message may have: empty ones, and others.
	r := reference.Receiver{Server: server}
	for _, tt := range []struct {
		payload string
		n       int
	}{{"", 1030}, {"a", 1100}} {
		endless := encode(r, 0x01, []byte(tt.payload))
		for range tt.n {
			endless = append(endless, encode(r, 0x00, []byte(tt.payload))...)
		}
		f.Add(endless, uint8(0), []byte{255}, []byte{2, 1})
	}
	fuzz(f, func(t *testing.T, octets []byte, options uint8, cuts, how []byte) {
		if len(octets) > 1<<14 {
			return
		}
		r := reference.Receiver{Server: server, Deflate: options&1 != 0, NonMinimal: options&2 != 0, MaxMessage: receiveLimit}
		want := r.Receive(octets)
		for _, list := range [][][]byte{{nil, octets}, pieces(octets, cuts), pieces(octets, bytes.Repeat([]byte{1}, len(octets)))} {
			for i := range list {
				list[i] = bytes.Clone(list[i]) // to be unmasked in place
			}
			got := receive(t, r, list, how)
			got.check(t, r, want)
		}
	})
}
