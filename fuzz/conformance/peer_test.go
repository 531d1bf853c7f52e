package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"example.org/rfc6455/mask"
)

// A peer is a small echo server or client with at most one fault.
type peer struct {
	role  frame.Role
	fault string
	// ignores is a rule that it does not apply.
	ignores error

	nc       net.Conn
	text     frame.UTF8
	sequence frame.Sequence
	message  []byte
	keys     mask.Keys

	inflater   *deflate.Decompressor // nil unless messages may be compressed
	compressor *deflate.Compressor
	compressed bool // whether message is
}

// has reports whether the peer has a fault.
func (p *peer) has(fault string) bool { return p.fault == fault }

// excuse returns err unless it is about the rule that the peer ignores.
func (p *peer) excuse(err error) error {
	if err == p.ignores {
		return nil
	}
	return err
}

// accept serves a connection: the peer is the server.
func (p *peer) accept(nc net.Conn) {
	defer nc.Close()
	var b []byte
	var r *handshake.Request
	for n := 0; n == 0; {
		var parser handshake.Parser
		var err error
		if r, n, err = parser.ParseRequest(b); err != nil {
			p.refuse(nc, err)
			return
		}
		if n > 0 {
			b = b[n:]
			break
		}
		if b, err = more(nc, b); err != nil {
			return
		}
	}
	key := r.Key()
	if p.has("any key") {
		key = handshake.NewKey()
	}
	err := r.Validate()
	switch {
	case p.has("any version") && errors.Is(err, handshake.ErrVersion), p.has("any key") && errors.Is(err, handshake.ErrKey):
	case err != nil:
		p.refuse(nc, err)
		return
	}
	if p.has("wrong accept") {
		key = handshake.NewKey()
	}
	offers, _ := r.Extensions()
	if p.refusesOffers(offers) {
		p.refuse(nc, handshake.ErrExtension)
		return
	}
	response, _ := handshake.AppendResponse(nil, key, "", p.agree(offers), nil)
	if p.has("any key") {
		response = bytes.Replace(response, []byte(handshake.Accept(key)), []byte(handshake.Accept(r.Key())), 1)
	}
	nc.Write(response)
	if p.has("loses early octets") {
		b = nil
	}
	p.run(nc, b)
}

func (p *peer) refuse(nc net.Conn, err error) {
	e, _ := errors.AsType[*handshake.Error](err)
	b, _ := handshake.AppendRefusal(nil, e.Status(), e.Fields(), "")
	nc.Write(b)
}

// dial runs a case: the peer is the client.
func (p *peer) dial(nc net.Conn, id string) {
	defer nc.Close()
	o := &handshake.Offer{Target: "/runCase?agent=broken&casetuple=" + id, Host: "example.com", Key: handshake.NewKey()}
	o.Extensions = p.offers()
	if p.has("one key for all") {
		o.Key = "dGhlIHNhbXBsZSBub25jZQ=="
	}
	request, _ := handshake.AppendRequest(nil, o)
	nc.Write(request)
	var b []byte
	for {
		var parser handshake.Parser
		r, n, err := parser.ParseResponse(b)
		if err == nil && n > 0 {
			err = r.Validate(o)
			if p.has("any accept") && errors.Is(err, handshake.ErrAccept) || p.has("any status") && errors.Is(err, handshake.ErrStatus) {
				err = nil
			}
			if answers, _ := r.Extensions(); err == nil {
				err = p.confirm(answers)
			}
		}
		if err != nil {
			return
		}
		if n > 0 {
			b = b[n:]
			break
		}
		if b, err = more(nc, b); err != nil {
			return
		}
	}
	if p.has("loses early octets") {
		b = nil
	}
	p.run(nc, b)
}

// more reads more octets behind b.
func more(nc net.Conn, b []byte) ([]byte, error) {
	buf := make([]byte, 4<<10)
	n, err := nc.Read(buf)
	if n > 0 {
		err = nil
	}
	return append(b, buf[:n]...), err
}

// run reads frames until the connection is over.
func (p *peer) run(nc net.Conn, b []byte) {
	p.nc = nc
	for {
		h, n, err := frame.ParseHeader(b)
		if err = p.excuse(err); err == nil && n > 0 {
			err = p.excuse(h.Validate(p.role, p.extensions()))
		}
		if err != nil {
			p.fail(err)
			return
		}
		payload := slices.Clone(b[n:min(int64(len(b)), int64(n)+h.Length)])
		if h.Flags.Has(frame.MASK) {
			mask.Apply(payload, h.Key)
		}
		if n == 0 || int64(len(payload)) < h.Length {
			if h.Opcode == frame.OpText && !h.Flags.Has(frame.RSV1) && !p.valid(payload, false) && !p.has("late UTF-8") {
				p.fail(frame.ErrInvalidUTF8)
				return
			}
			if b, err = more(nc, b); err != nil {
				return
			}
			continue
		}
		b = b[n+len(payload):]
		if !p.take(h, payload, b) {
			return
		}
	}
}

// valid reports whether a text may go on with payload.
func (p *peer) valid(payload []byte, last bool) bool {
	text := p.text
	return text.Next(payload) == len(payload) && (!last || text.Complete())
}

// take takes a frame, behind which rest has come. It reports whether there may
// be more.
func (p *peer) take(h frame.Header, payload, rest []byte) bool {
	switch {
	case h.Opcode == frame.OpPing:
		if p.has("only the last pong") && len(rest) > 0 {
			return true
		}
		if p.has("empty pongs") {
			payload = nil
		}
		if !p.has("no pongs") {
			p.send(frame.OpPong, payload)
		}
	case h.Opcode == frame.OpPong:
		if p.has("answers pongs") {
			p.send(frame.OpPong, payload)
		}
	case h.Opcode == frame.OpClose:
		p.close(payload)
		return false
	case h.Opcode.IsReserved():
	default:
		return p.takeData(h, payload)
	}
	return true
}

func (p *peer) takeData(h frame.Header, payload []byte) bool {
	if err := p.excuse(p.sequence.Next(h)); err != nil {
		p.fail(err)
		return false
	}
	if h.Opcode != frame.OpContinuation {
		p.text, p.message = frame.UTF8{}, nil
		p.compressed = h.Flags.Has(frame.RSV1) && p.inflater != nil
	}
	fin := h.Flags.Has(frame.FIN)
	if p.sequence.Opcode() == frame.OpText && p.ignores != frame.ErrInvalidUTF8 && !p.compressed {
		if p.has("late UTF-8") {
			if whole := append(p.message, payload...); fin && !p.valid(whole, true) {
				p.fail(frame.ErrInvalidUTF8)
				return false
			}
		} else if !p.valid(payload, fin) {
			p.fail(frame.ErrInvalidUTF8)
			return false
		} else {
			p.text.Next(payload)
		}
	}
	p.message = append(p.message, payload...)
	if !fin {
		return true
	}
	if p.compressed && !p.inflate() {
		return false
	}
	op := p.sequence.Opcode()
	if p.compressed && op == frame.OpText && p.ignores != frame.ErrInvalidUTF8 && !p.valid(p.message, true) {
		p.fail(frame.ErrInvalidUTF8)
		return false
	}
	switch {
	case p.has("binary echoes"):
		op = frame.OpBinary
	case p.has("cuts at 64 KiB"):
		p.message = p.message[:min(len(p.message), 1<<16-1)]
	case p.has("drops empty messages") && len(p.message) == 0:
		return true
	}
	p.send(op, p.message)
	if p.has("echoes twice") {
		p.send(op, p.message)
	}
	return true
}

// close answers a Close frame.
func (p *peer) close(payload []byte) {
	if _, _, err := frame.ParseClose(payload); p.excuse(err) != nil {
		p.fail(err)
		return
	}
	switch {
	case p.has("no answer to Close"):
		return
	case p.has("empty answer to Close"):
		payload = nil
	case p.has("1011 for every Close"):
		payload = []byte{1011 >> 8, 1011 & 0xff}
	}
	p.send(frame.OpClose, payload)
	if p.has("message after Close") {
		p.send(frame.OpText, []byte("one more"))
	}
	p.hangUp()
}

// fail fails the connection.
func (p *peer) fail(err error) {
	code := frame.CloseProtocolError
	if e, ok := errors.AsType[*frame.Error](err); ok {
		code = e.CloseCode()
	}
	p.failWith(code)
}

func (p *peer) failWith(code frame.CloseCode) {
	switch {
	case p.has("1011 for every failure"):
		code = frame.CloseInternalError
	case p.has("no Close frame when failing"):
		return
	case p.has("ignores failures"):
		io.Copy(io.Discard, p.nc)
		return
	}
	payload, _ := frame.AppendClose(nil, code, "")
	p.send(frame.OpClose, payload)
	p.hangUp()
}

// hangUp ends TCP so that the peer can read the last frame.
func (p *peer) hangUp() {
	if p.has("leaves TCP open") {
		io.Copy(io.Discard, p.nc)
		return
	}
	if c, ok := p.nc.(interface{ CloseWrite() error }); ok && p.role == frame.Server {
		c.CloseWrite()
	}
	io.Copy(io.Discard, p.nc)
}

// send sends a frame.
func (p *peer) send(op frame.Opcode, payload []byte) {
	h := frame.Header{Flags: frame.FIN, Opcode: op}
	if p.compressor != nil && !op.IsControl() {
		h.Flags |= frame.RSV1
		payload = p.compressor.AppendPiece(nil, payload, true)
	}
	if (p.role == frame.Client) != p.has("wrong masking") {
		h.Flags |= frame.MASK
		h.Key = p.keys.Next()
		if p.has("one masking key") {
			h.Key = 0x3d21fa37
		}
	}
	b, _ := frame.AppendFrame(nil, h, payload)
	if p.has("long lengths") && len(payload) <= 125 {
		b = slices.Concat([]byte{b[0], b[1]&0x80 | 126, 0, b[1] & 0x7f}, b[2:])
	}
	p.nc.Write(b)
}

// listenAs accepts connections of l as peers with a fault.
func listenAs(l net.Listener, fault string, ignores error) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		go (&peer{role: frame.Server, fault: fault, ignores: ignores}).accept(nc)
	}
}

// dialAs runs a case as a peer with a fault.
func dialAs(dial func(ctx context.Context, network, address string) (net.Conn, error), id, fault string, ignores error) error {
	nc, err := dial(context.Background(), "tcp", "example.com:80")
	if err == nil {
		(&peer{role: frame.Client, fault: fault, ignores: ignores}).dial(nc, strings.ReplaceAll(id, " ", "%20"))
	}
	return err
}
