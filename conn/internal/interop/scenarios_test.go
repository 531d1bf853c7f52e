package interop_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// A peer is an implementation in one role.
type peer struct {
	name  string
	role  frame.Role // ours
	start func(*testing.T) *actor
	can   ability
}

// An ability is something not every peer offers to its users.
type ability uint

const (
	ping      ability = 1 << iota // send pings, report pongs
	seePing                       // report pings
	fragment                      // send fragments
	anyCode                       // close with codes other than 1000 and 3000 to 4999
	noCode                        // close without a code
	raw                           // send octets beneath the protocol
	terminate                     // end TCP
	seeStatus                     // report the status of a refusal
)

// TestPeers runs the scenarios with each peer.
func TestPeers(t *testing.T) {
	const ws = ping | seePing | fragment | anyCode | noCode | raw | terminate | seeStatus
	const py = ping | fragment | anyCode | raw | terminate | seeStatus
	for _, p := range []peer{
		{"ws client", frame.Server, startNodeWS, ws},
		{"ws server", frame.Client, startNodeWS, ws},
		{"python client", frame.Server, startPython, py},
		{"python server", frame.Client, startPython, py},
		{"node client", frame.Server, startNode, noCode},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			o := &opener{role: p.role, theirs: p.start(t), scheme: "ws"}
			if p.role == frame.Server {
				o.server = serve(t, conn.AcceptOptions{})
			} else {
				o.theirs.do(t, command{Do: "listen", Protocols: []string{"a", "b"}})
				listening := o.theirs.next(t)
				if listening.Event != "listening" {
					t.Fatalf("the peer says %v", listening)
				}
				o.port = listening.Port
			}
			runScenarios(t, o, p.can)
		})
	}
}

// runScenarios runs those that a peer in its role is able to.
func runScenarios(t *testing.T, o *opener, can ability) {
	for _, s := range scenarios {
		if can&s.needs == s.needs && (s.role == nil || *s.role == o.role) {
			t.Run(s.name, func(t *testing.T) { s.run(t, o, can) })
		}
	}
}

// scenarios are what is tried with each peer that is able to.
var scenarios = []struct {
	name  string
	role  *frame.Role // ours; nil is either
	needs ability
	run   func(*testing.T, *opener, ability)
}{
	{"sizes", nil, 0, testSizes},
	{"pipelined messages", nil, 0, testPipelined},
	{"fragments they send", nil, fragment, testFragmentsTheirs},
	{"fragments we send", nil, 0, testFragmentsOurs},
	{"pings they send", nil, ping, testPingsTheirs},
	{"pings we send", nil, 0, testPingsOurs},
	{"pongs nobody asked for", nil, ping, testPongs},
	{"they close", nil, 0, testCloseTheirs},
	{"we close", nil, 0, testCloseOurs},
	{"last message before our Close frame", nil, 0, testLastMessage},
	{"last message before their Close frame", nil, 0, testLastMessageTheirs},
	{"they break off", nil, terminate, testTerminateTheirs},
	{"we break off", nil, 0, testTerminateOurs},
	{"subprotocols", nil, 0, testSubprotocols},
	{"violations", nil, raw, testViolations},
	{"message too big", new(frame.Server), 0, testTooBig},
	{"we refuse", new(frame.Server), 0, testRefuseOurs},
	{"they refuse", new(frame.Client), 0, testRefuseTheirs},
	{"early octets", new(frame.Client), 0, testEarly},
}

// text returns a text of that many octets, of characters of all lengths.
func text(octets int) string {
	const alphabet = "aé€😀\x00\u007f\u0080\uffff"
	return strings.Repeat(alphabet, octets/len(alphabet)) + strings.Repeat("z", octets%len(alphabet))
}

// binary returns that many octets of every value.
func binary(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 167 >> (i % 3))
	}
	return string(b)
}

// testSizes: each form of the payload length (RFC 6455, Section 5.2), both ways.
func testSizes(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536, 1 << 20} {
		s := text(size)
		p.theirs.do(t, command{Do: "text", Text: s})
		wantMessage(t, p.ours, frame.OpText, s)
		write(t, p.ours, frame.OpText, s)
		p.theirs.want(t, event{Event: "text", Text: s})

		s = binary(size)
		p.theirs.do(t, command{Do: "binary", Data: octets(s)})
		wantMessage(t, p.ours, frame.OpBinary, s)
		write(t, p.ours, frame.OpBinary, s)
		p.theirs.want(t, event{Event: "binary", Data: octets(s)})
	}
}

// testPipelined: many messages on their way at once stay in order.
func testPipelined(t *testing.T, o *opener, _ ability) {
	const n = 1000
	p := o.open(t)
	message := func(i int) string { return strings.Repeat(fmt.Sprint(i, " "), i%100) }
	for i := range n {
		p.theirs.do(t, command{Do: "text", Text: message(i)})
	}
	for i := range n {
		wantMessage(t, p.ours, frame.OpText, message(i))
		write(t, p.ours, frame.OpText, message(i))
	}
	for i := range n {
		p.theirs.want(t, event{Event: "text", Text: message(i)})
	}
}

// testFragmentsTheirs: fragments add up to a message, whatever their sizes.
func testFragmentsTheirs(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	for _, parts := range [][]string{
		{"one, ", "two, ", "three"},
		{"", "middle", ""},
		{text(65536), text(126), text(1)},
	} {
		p.theirs.do(t, command{Do: "fragments", Parts: parts})
		wantMessage(t, p.ours, frame.OpText, strings.Join(parts, ""))
	}
}

// testFragmentsOurs: fragments may be cut within a character, and have control
// frames between them (RFC 6455, Section 5.4).
func testFragmentsOurs(t *testing.T, o *opener, can ability) {
	p := o.open(t)
	w, err := p.ours.NextWriter(frame.OpText)
	if err != nil {
		t.Fatal(err)
	}
	wake := func() { p.theirs.do(t, command{Do: "text", Text: "wake"}) }
	for i, part := range []string{"sign: \xe2\x82", "\xac", text(70000)} {
		if _, err := w.Write(t.Context(), []byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			pingAndRead(t, p.ours, wake)
			if can&seePing != 0 {
				if e := p.theirs.next(t); e.Event != "ping" {
					t.Fatalf("the peer saw %v; want a ping", e)
				}
			}
		}
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.theirs.want(t, event{Event: "text", Text: "sign: €" + text(70000)})
}

// pingAndRead pings on our end while a goroutine reads it. The peer's wake sends
// the message for which that waits.
func pingAndRead(t *testing.T, c *conn.Conn, wake func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	type message struct {
		payload string
		err     error
	}
	done := make(chan message, 1)
	go func() {
		_, p, err := c.ReadMessage(ctx)
		done <- message{string(p), err}
	}()
	if _, err := c.Ping(ctx); err != nil {
		t.Fatalf("Ping: %v", err)
	}
	wake()
	if m := <-done; m.payload != "wake" || m.err != nil {
		t.Fatalf("ReadMessage beside the ping = %q, %v", m.payload, m.err)
	}
}

// testPingsTheirs: a pong has the payload of its ping (RFC 6455, Section 5.5.3).
func testPingsTheirs(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	for _, size := range []int{0, 1, 125} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, _, err := p.ours.ReadMessage(ctx)
			done <- err
		}()
		p.theirs.do(t, command{Do: "ping", Data: octets(binary(size))})
		p.theirs.want(t, event{Event: "pong", Data: octets(binary(size))})
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatalf("ReadMessage: %v", err)
		}
	}
	wantOpen(t, p)
}

// testPingsOurs: a ping is answered, more than once, and messages go on.
func testPingsOurs(t *testing.T, o *opener, can ability) {
	p := o.open(t)
	for range 3 {
		pingAndRead(t, p.ours, func() { p.theirs.do(t, command{Do: "text", Text: "wake"}) })
		if can&seePing != 0 {
			if e := p.theirs.next(t); e.Event != "ping" {
				t.Fatalf("the peer saw %v; want a ping", e)
			}
		}
	}
	wantOpen(t, p)
}

// wantOpen sends a message each way.
func wantOpen(t *testing.T, p pair) {
	t.Helper()
	p.theirs.do(t, command{Do: "text", Text: "there"})
	wantMessage(t, p.ours, frame.OpText, "there")
	write(t, p.ours, frame.OpText, "back")
	p.theirs.want(t, event{Event: "text", Text: "back"})
}

// testPongs: an unsolicited pong is legal and means nothing (RFC 6455, Section
// 5.5.3).
func testPongs(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	p.theirs.do(t, command{Do: "pong"})
	p.theirs.do(t, command{Do: "pong", Data: "I am here"})
	wantOpen(t, p)
}

// closings are codes and reasons of a Close frame.
var closings = []struct {
	code   frame.CloseCode
	reason string
	needs  ability
}{
	{1000, "", 0},
	{1000, "done", 0},
	{1001, "going", anyCode},
	{1002, "", anyCode},
	{1003, "", anyCode},
	{1007, "", anyCode},
	{1008, "", anyCode},
	{1009, "", anyCode},
	{1011, "broken", anyCode},
	{1012, "", anyCode},
	{1013, "", anyCode},
	{1014, "", anyCode},
	{3000, "", 0},
	{3999, "três", 0},
	{4000, text(123), 0},
	{4999, strings.Repeat("€", 41), 0},
	{frame.CloseNoStatusReceived, "", noCode},
}

// testCloseTheirs: our end sees their code and reason, and answers with the code.
func testCloseTheirs(t *testing.T, o *opener, can ability) {
	for _, c := range closings {
		if c.needs&^can != 0 {
			continue
		}
		p := o.open(t)
		do := command{Do: "close", Code: int(c.code), Reason: c.reason}
		if c.code == frame.CloseNoStatusReceived {
			do.Code = 0
		}
		p.theirs.do(t, do)
		if end := wantClosed(t, p.ours, conn.CloseError{Code: c.code, Reason: c.reason, By: conn.Peer}); end.Err != nil {
			t.Errorf("close with %v: %v", c.code, end.Err)
		}
		p.theirs.wantEnd(t, event{Event: "close", Code: int(c.code), Clean: true})
	}
}

// testCloseOurs: their end sees our code and reason, and answers.
func testCloseOurs(t *testing.T, o *opener, can ability) {
	for _, c := range closings {
		p := o.open(t)
		if err := p.ours.Close(c.code, c.reason); err != nil {
			t.Errorf("Close(%v, %q): %v", c.code, c.reason, err)
		}
		p.theirs.want(t, event{Event: "close", Code: int(c.code), Reason: c.reason, Clean: true})
		// Some peers answer with the reason, too.
		if end, ok := errors.AsType[*conn.CloseError](p.ours.Err()); !ok || end.Code != c.code || end.By != conn.Local || end.Err != nil {
			t.Errorf("after Close(%v): %v", c.code, p.ours.Err())
		}
	}
}

// testLastMessage: what was written before Close arrives before it.
func testLastMessage(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	write(t, p.ours, frame.OpText, text(1<<20))
	if err := p.ours.Close(frame.CloseNormalClosure, "bye"); err != nil {
		t.Errorf("Close: %v", err)
	}
	p.theirs.want(t, event{Event: "text", Text: text(1 << 20)})
	p.theirs.want(t, event{Event: "close", Code: 1000, Reason: "bye", Clean: true})
}

// testLastMessageTheirs: the messages that came before the Close frame can be read
// after it came.
func testLastMessageTheirs(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	p.theirs.do(t, command{Do: "text", Text: text(1 << 20)})
	p.theirs.do(t, command{Do: "binary", Data: "last"})
	p.theirs.do(t, command{Do: "close", Code: 3000, Reason: "bye"})
	wantMessage(t, p.ours, frame.OpText, text(1<<20))
	wantMessage(t, p.ours, frame.OpBinary, "last")
	wantClosed(t, p.ours, conn.CloseError{Code: 3000, Reason: "bye", By: conn.Peer})
	p.theirs.wantEnd(t, event{Event: "close", Code: 3000, Clean: true})
}

// testTerminateTheirs: the end of TCP without a Close frame is 1006 (RFC 6455,
// Section 7.1.5).
func testTerminateTheirs(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	p.theirs.do(t, command{Do: "terminate"})
	if end := wantClosed(t, p.ours, conn.CloseError{Code: frame.CloseAbnormalClosure, By: conn.Network}); end.Err == nil {
		t.Error("CloseError.Err is nil; want what TCP said")
	}
	p.theirs.wantEnd(t, event{Event: "close", Code: 1006})
}

// testTerminateOurs: the same from the other side.
func testTerminateOurs(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	p.ours.CloseNow()
	p.theirs.wantEnd(t, event{Event: "close", Code: 1006})
}

// testSubprotocols: both ends agree on one (RFC 6455, Section 1.9).
func testSubprotocols(t *testing.T, o *opener, _ ability) {
	p := o.open(t, "b")
	if got := p.ours.Subprotocol(); got != "b" {
		t.Errorf("Subprotocol() = %q; want b", got)
	}
	p.ours.CloseNow()
	p.theirs.wantEnd(t, event{Event: "close", Code: 1006})
	p = o.open(t, "c", "b", "a")
	if got := p.ours.Subprotocol(); got != "a" && (o.role == frame.Server || got != "b") {
		t.Errorf("Subprotocol() = %q; want a, which our server prefers", got)
	}
}

// testViolations: what breaks the rules is answered with the right code.
func testViolations(t *testing.T, o *opener, can ability) {
	type violation struct {
		what string
		wire octets
		code frame.CloseCode
		err  error
	}
	violations := []violation{
		{"a frame without a mask", "\x81\x01x", frame.CloseProtocolError, frame.ErrMaskRequired},
		{"a reserved opcode", "\x83\x80\x00\x00\x00\x00", frame.CloseProtocolError, frame.ErrReservedOpcode},
		{"a reserved bit", "\x91\x80\x00\x00\x00\x00", frame.CloseProtocolError, frame.ErrReservedBits},
		{"a fragmented ping", "\x09\x80\x00\x00\x00\x00", frame.CloseProtocolError, frame.ErrControlFragmented},
		{"a continuation of nothing", "\x80\x80\x00\x00\x00\x00", frame.CloseProtocolError, frame.ErrUnexpectedContinuation},
		{"a text that is not UTF-8", "\x81\x82\x00\x00\x00\x00\xc0\xaf", frame.CloseInvalidFramePayloadData, frame.ErrInvalidUTF8},
		{"a Close frame of one octet", "\x88\x81\x00\x00\x00\x00\x03", frame.CloseProtocolError, frame.ErrClosePayload},
		{"a message of 1 GiB", "\x82\xff\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00", frame.CloseMessageTooBig, conn.ErrMessageTooBig},
	}
	if o.role == frame.Client {
		violations = []violation{
			{"a frame with a mask", "\x81\x81\x00\x00\x00\x00x", frame.CloseProtocolError, frame.ErrMaskForbidden},
			{"a reserved opcode", "\x83\x00", frame.CloseProtocolError, frame.ErrReservedOpcode},
			{"a reserved bit", "\x91\x00", frame.CloseProtocolError, frame.ErrReservedBits},
			{"a text that is not UTF-8", "\x81\x02\xc0\xaf", frame.CloseInvalidFramePayloadData, frame.ErrInvalidUTF8},
			{"a message of 1 GiB", "\x82\x7f\x00\x00\x00\x00\x40\x00\x00\x00", frame.CloseMessageTooBig, conn.ErrMessageTooBig},
		}
	}
	for _, v := range violations {
		p := o.open(t)
		p.theirs.do(t, command{Do: "raw", Data: v.wire})
		if end := wantClosed(t, p.ours, conn.CloseError{Code: v.code, By: conn.Local}); !errors.Is(end, v.err) {
			t.Errorf("%s: %v; want %v", v.what, end, v.err)
		}
		p.theirs.wantEnd(t, event{Event: "close", Code: int(v.code), Clean: true})
	}
}

// testTooBig: a message over the limit, all of it sent, is answered with 1009.
func testTooBig(t *testing.T, o *opener, _ ability) {
	p := o.open(t)
	p.theirs.do(t, command{Do: "binary", Data: octets(binary(1<<20 + 1))})
	if end := wantClosed(t, p.ours, conn.CloseError{Code: frame.CloseMessageTooBig, By: conn.Local}); !errors.Is(end, conn.ErrMessageTooBig) {
		t.Errorf("%v; want ErrMessageTooBig", end)
	}
	p.theirs.wantEnd(t, event{Event: "close", Code: 1009, Clean: true})
}

// testRefuseOurs: their client sees the status that our server refuses with.
func testRefuseOurs(t *testing.T, o *opener, can ability) {
	o.theirs.begin()
	o.theirs.do(t, command{Do: "connect", URL: o.server.url(o.scheme, "/refuse")})
	if can&seeStatus == 0 {
		// Pages are not told more, so that they cannot explore a network.
		o.theirs.want(t, event{Event: "error"})
		return
	}
	if e := o.theirs.next(t); e.Event != "refused" || e.Status != 401 || e.Text != "" && e.Text != "who is it" {
		t.Errorf("the peer saw %v; want 401", e)
	}
}

// testRefuseTheirs: our client returns the status and the body.
func testRefuseTheirs(t *testing.T, o *opener, _ ability) {
	c, err := conn.Dial(t.Context(), o.url("/refuse"), nil)
	if err == nil {
		c.CloseNow()
		t.Fatal("Dial succeeded")
	}
	refused, ok := errors.AsType[*conn.RefusedError](err)
	if !ok {
		t.Fatalf("Dial: %v; want a RefusedError", err)
	}
	if refused.Status != 401 || refused.Body != "who is it" || refused.Header.Get("WWW-Authenticate") != `Basic realm="x"` {
		t.Errorf("Dial: %#v", refused)
	}
}

// testEarly: a message and a Close frame that come with the handshake are read.
func testEarly(t *testing.T, o *opener, _ ability) {
	for range 20 {
		o.theirs.begin()
		c := dial(t, o.url("/bye"), nil)
		wantMessage(t, c, frame.OpText, "bye")
		wantClosed(t, c, conn.CloseError{Code: 4000, Reason: "gone", By: conn.Peer})
		o.theirs.wantEnd(t, event{Event: "close", Code: 4000, Clean: true})
	}
}
