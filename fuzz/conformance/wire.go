package conformance

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// maxInflated is how much a compressed message of the peer may inflate to.
const maxInflated = 128 << 20

// A wire is the tester's end of a connection after the opening handshake. It
// sends whatever octets it is given, and turns those of the peer into events as
// they come. Unlike a connection for use it has no limits, answers nothing by
// itself, and goes on after what should end it.
type wire struct {
	nc   net.Conn
	role frame.Role // of the tester
	log  *journal

	mu     sync.Mutex
	events []event
	keys   []mask.Key    // of the peer's frames
	volume volume        // of the peer's messages
	paused chan struct{} // while reading is, to be closed when it goes on
	ready  chan struct{} // has a value after an event was added
	done   chan struct{} // closed when nothing more is read

	// The rest is the reader's.
	head      []byte // of the frame, as far as it has come
	header    frame.Header
	left      int64    // of the payload
	inPayload bool     // whether head is complete
	key       mask.Key // for the next octet of the payload
	raw       []byte   // of the frame, for the log
	control   []byte
	message   []byte
	sequence  frame.Sequence
	broken    bool // what follows a violation means nothing

	inflater   *deflate.Decompressor // nil unless permessage-deflate is in use
	compressed bool                  // whether message is
}

// A volume counts messages and their octets.
type volume struct {
	messages, compressed int
	payload, wire        int // octets of messages, and of the frames' payloads
}

type kind uint8

const (
	gotMessage kind = iota
	gotPing
	gotPong
	gotClose
	gotViolation // the peer's frame broke a rule
	gotEnd       // of TCP
)

// An event is something that the peer did.
type event struct {
	kind    kind
	opcode  frame.Opcode // of a message
	payload []byte
	code    frame.CloseCode // of a Close frame
	err     error           // the violation, or why TCP ended: nil after a FIN
}

// newWire begins to read. Early are the octets that came with the handshake.
// Without an inflater no message may be compressed.
func newWire(nc net.Conn, role frame.Role, early []byte, inflater *deflate.Decompressor, log *journal) *wire {
	w := &wire{nc: nc, role: role, log: log, inflater: inflater, ready: make(chan struct{}, 1), done: make(chan struct{})}
	go w.read(early)
	return w
}

func (w *wire) read(early []byte) {
	defer close(w.done)
	w.take(early)
	buf := make([]byte, 64<<10)
	for {
		w.mu.Lock()
		paused := w.paused
		w.mu.Unlock()
		if paused != nil {
			<-paused
		}
		n, err := w.nc.Read(buf)
		w.take(buf[:n])
		if err != nil {
			w.ended(err)
			return
		}
	}
}

func (w *wire) ended(err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	if len(w.head) > 0 && !w.broken {
		w.log.add(Received, w.raw, int64(len(w.raw)), "part of a frame")
	}
	if err == io.EOF {
		err = nil
		w.log.note("the peer has ended its side of TCP")
	} else {
		w.log.note("TCP has failed: %v", err)
	}
	w.push(event{kind: gotEnd, err: err})
}

// pause stops reading until resume is called. What is being read still comes.
func (w *wire) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = make(chan struct{})
	w.log.note("the tester stops reading")
}

func (w *wire) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.paused != nil {
		close(w.paused)
		w.paused = nil
		w.log.note("the tester reads again")
	}
}

// push adds an event.
func (w *wire) push(e event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// pop takes the oldest event.
func (w *wire) pop() (e event, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == 0 {
		return e, false
	}
	e = w.events[0]
	w.events = w.events[1:]
	return e, true
}

// maskingKeys returns the keys of the frames that have come.
func (w *wire) maskingKeys() []mask.Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.keys
}

// received returns how much has come in messages.
func (w *wire) received() volume {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.volume
}

// take decodes octets of the peer.
func (w *wire) take(b []byte) {
	for len(b) > 0 && !w.broken {
		if w.inPayload {
			n := min(int64(len(b)), w.left)
			w.takePayload(b[:n])
			b = b[n:]
			continue
		}
		had := len(w.head)
		w.head = append(w.head, b[:min(len(b), frame.MaxHeaderSize-had)]...)
		h, n, err := frame.ParseHeader(w.head)
		switch {
		case n == 0 && err == nil:
			b = b[len(w.head)-had:]
			w.raw = w.head
			continue
		case n == 0:
			w.violate(err)
			return
		}
		b = b[n-had:]
		w.head = w.head[:n]
		w.begin(h, err)
	}
}

// begin begins a frame whose header is complete.
func (w *wire) begin(h frame.Header, err error) {
	w.header, w.left, w.key, w.inPayload = h, h.Length, h.Key, true
	w.raw = append([]byte(nil), w.head...)
	if err == nil {
		err = h.Validate(w.role, w.extensions())
	}
	if err == nil {
		err = w.sequence.Next(h)
	}
	if err != nil {
		w.violate(err)
		return
	}
	if h.Flags.Has(frame.MASK) {
		w.mu.Lock()
		w.keys = append(w.keys, h.Key)
		w.mu.Unlock()
	}
	if h.Opcode.IsControl() {
		w.control = nil
	} else if h.Opcode != frame.OpContinuation {
		w.message, w.compressed = nil, h.Flags.Has(frame.RSV1)
	}
	if h.Length == 0 {
		w.end()
	}
}

// extensions returns the reserved bits that were agreed on.
func (w *wire) extensions() frame.Flags {
	if w.inflater == nil {
		return 0
	}
	return frame.RSV1
}

// takePayload takes some of the payload of the frame.
func (w *wire) takePayload(b []byte) {
	size := int64(len(w.head)) + w.header.Length
	if room := w.log.keep(size) - int64(len(w.raw)); room > 0 {
		w.raw = append(w.raw, b[:min(room, int64(len(b)))]...)
	}
	into := &w.message
	if w.header.Opcode.IsControl() {
		into = &w.control
	}
	at := len(*into)
	*into = append(*into, b...)
	w.key = mask.Apply((*into)[at:], w.key)
	if w.left -= int64(len(b)); w.left == 0 {
		w.end()
	}
}

// end ends a frame.
func (w *wire) end() {
	h := w.header
	w.log.add(Received, w.raw, int64(len(w.head))+h.Length, "%s", describe(h.Flags, h.Opcode, uint64(h.Length)))
	w.head, w.raw, w.inPayload = w.head[:0], nil, false
	switch h.Opcode {
	case frame.OpPing:
		w.push(event{kind: gotPing, payload: w.control})
	case frame.OpPong:
		w.push(event{kind: gotPong, payload: w.control})
	case frame.OpClose:
		code, _, err := frame.ParseClose(w.control)
		if err != nil {
			w.violate(err)
			return
		}
		w.push(event{kind: gotClose, code: code, payload: w.control})
	default:
		if h.Flags.Has(frame.FIN) {
			w.endMessage()
		}
	}
}

// endMessage ends a message.
func (w *wire) endMessage() {
	octets := len(w.message)
	if w.compressed {
		inflated, err := w.inflater.Append(nil, w.message, true, maxInflated)
		if err != nil {
			w.violate(err)
			return
		}
		w.message = inflated
	}
	w.mu.Lock()
	w.volume.add(len(w.message), octets, w.compressed)
	w.mu.Unlock()
	w.push(event{kind: gotMessage, opcode: w.sequence.Opcode(), payload: w.message})
	w.message = nil
}

func (v *volume) add(payload, wire int, compressed bool) {
	v.messages++
	if compressed {
		v.compressed++
	}
	v.payload += payload
	v.wire += wire
}

// violate reports a broken rule. What follows is read, but means nothing.
func (w *wire) violate(err error) {
	w.broken = true
	if len(w.raw) > 0 {
		w.log.add(Received, w.raw, int64(len(w.raw)), "frame that breaks a rule: %v", err)
	}
	w.push(event{kind: gotViolation, err: err})
}

// closeWrite ends the tester's side of TCP alone. It reports whether nc can.
func (w *wire) closeWrite() bool {
	c, ok := w.nc.(interface{ CloseWrite() error })
	if ok {
		w.log.note("the tester ends its side of TCP")
		c.CloseWrite()
	}
	return ok
}

// reset ends TCP with a reset, where nc can.
func (w *wire) reset() {
	w.log.note("the tester resets TCP")
	resetConn(w.nc)
}

func resetConn(nc net.Conn) {
	if c, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = c.NetConn()
	}
	switch c := nc.(type) {
	case interface{ Reset() error }:
		c.Reset()
	case interface{ SetLinger(int) error }:
		c.SetLinger(0)
	}
	nc.Close()
}

// close ends TCP, and waits for the reader.
func (w *wire) close() {
	w.resume()
	w.nc.Close()
	<-w.done
}

// ending says how TCP ended.
func ending(err error) string {
	switch {
	case err == nil:
		return "ended TCP"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset TCP"
	}
	return "lost TCP (" + err.Error() + ")"
}
