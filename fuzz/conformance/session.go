package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
	"example.org/rfc6455/mask"
)

// A step is a part of a case. An error says why the case has failed, or is that
// of the session's context.
type step func(s *session) error

// A session is one run of a case.
type session struct {
	ctx     context.Context
	c       *Case
	role    frame.Role    // of the tester
	timeout time.Duration // for an answer that is owed at once
	log     *journal
	keys    mask.Keys

	// dial connects to the server again. It is nil when clients are tested.
	dial  func(ctx context.Context) (net.Conn, error)
	offer handshake.Offer // the request, when a server is tested

	// request is that of the client when one is tested, early what came with it,
	// and keyUsed whether its Sec-WebSocket-Key has been seen before.
	request *handshake.Request
	invalid error // what is wrong with the request
	early   []byte
	keyUsed bool

	nc net.Conn
	w  *wire // nil before the opening handshake is done

	agreed     *deflate.Params     // nil unless permessage-deflate is in use
	compressor *deflate.Compressor // of the tester's messages
	sent       volume              // of those that it compressed, or could have
	budget     int64               // for the octets of the messages of a case

	deadline time.Time // for the answers to what was sent last
	unread   []event   // put back by a step
	pending  []byte    // the rest of a frame that is half sent
	owed     [][]byte  // payloads of pings that came in the middle of it

	closeSent bool // whether the tester has sent a Close frame
	bounded   bool // whether the peer may say that it has had enough

	verdict, closing Verdict
	why, closingWhy  string
	server           string // the Server field of the response
	code             frame.CloseCode
}

// peer returns what is tested, as the report calls it.
func (s *session) peer() string {
	if s.role == frame.Client {
		return "server"
	}
	return "client"
}

// run runs the case and gives the verdicts.
func (s *session) run() {
	s.verdict, s.closing = OK, OK
	open := s.c.open
	if open == nil {
		open = opened
	}
	err := open(s)
	steps := s.c.steps
	if err == nil && s.c.deflate != nil && s.agreed == nil {
		s.verdict, s.why = Unimplemented, fmt.Sprintf("the %s does not agree to permessage-deflate", s.peer())
		steps = []step{closes}
	}
	for _, step := range steps {
		if err != nil {
			break
		}
		err = step(s)
	}
	if s.w != nil {
		s.w.close()
	} else if s.nc != nil {
		s.nc.Close()
	}
	if err != nil && !errors.Is(err, errDone) {
		s.verdict, s.why = Failed, err.Error()
		if s.closingWhy == "" {
			s.closing, s.closingWhy = Failed, "the case ended before it could close the connection"
		}
	}
	if s.c.Group() == "close" && s.closing < s.verdict {
		s.verdict, s.why = s.closing, s.closingWhy
	}
	if s.why == "" {
		s.why = "as expected"
	}
	if s.closingWhy == "" {
		s.closingWhy = "as expected"
	}
	if s.c.info {
		s.verdict, s.closing = Information, Information
	}
}

// tolerate makes the verdict tolerable at best.
func (s *session) tolerate(format string, args ...any) {
	if s.verdict == OK {
		s.verdict, s.why = Tolerable, fmt.Sprintf(format, args...)
	}
}

// inform says what happened, in a case that is for information.
func (s *session) inform(format string, args ...any) { s.why = fmt.Sprintf(format, args...) }

// judgeClosing makes the verdict about the end of the connection v at best.
func (s *session) judgeClosing(v Verdict, format string, args ...any) {
	if v < s.closing || s.closingWhy == "" {
		s.closing, s.closingWhy = min(v, s.closing), fmt.Sprintf(format, args...)
	}
}

// scale stretches d with Options.Timeout, for which d assumes a second.
func (s *session) scale(d time.Duration) time.Duration {
	return time.Duration(d.Seconds() * float64(s.timeout))
}

// patience is how long an answer may take.
func (s *session) patience() time.Duration {
	if s.c.limit != 0 {
		return s.scale(s.c.limit)
	}
	return s.timeout
}

// await gives the peer time for an answer from now on.
func (s *session) await() { s.deadline = time.Now().Add(s.patience()) }

// write sends octets, which have been logged. That the peer has ended TCP is not
// an error: what it sent before is still to be read.
func (s *session) write(b []byte) error {
	s.nc.SetWriteDeadline(time.Now().Add(max(s.patience(), 5*s.timeout)))
	_, err := s.nc.Write(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the %s has stopped reading", s.peer())
	case err != nil:
		s.log.note("not everything could be sent: %v", err)
	}
	return nil
}

// encode returns the octets of a frame, and logs it.
func (s *session) encode(dst []byte, f raw) []byte {
	at := len(dst)
	dst = f.append(dst, s.role, &s.keys)
	s.closeSent = s.closeSent || f.opcode == frame.OpClose
	flags := f.flags
	if (s.role == frame.Client) != f.unlike {
		flags |= frame.MASK
	}
	s.log.add(Sent, dst[at:], int64(len(dst)-at), "%s", describe(flags, f.opcode, f.length()))
	return dst
}

// sendAll sends frames in a single write.
func (s *session) sendAll(frames ...raw) error {
	var b []byte
	for _, f := range frames {
		b = s.encode(b, f)
	}
	s.await()
	return s.write(b)
}

// errSilent says that nothing came in time.
var errSilent = errors.New("nothing came in time")

// next returns the next event before deadline, or errSilent. It answers pings.
func (s *session) next(deadline time.Time) (event, error) {
	e, err := s.nextEvent(deadline)
	if err != nil || !s.bounded {
		return e, err
	}
	if done, err := s.bound(e); done {
		return e, cmp.Or(err, errDone)
	}
	return e, nil
}

func (s *session) nextEvent(deadline time.Time) (event, error) {
	if len(s.unread) > 0 {
		e := s.unread[0]
		s.unread = s.unread[1:]
		return e, nil
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for {
		e, ok := s.w.pop()
		if ok && e.kind == gotPing {
			if err := s.answerPing(e.payload); err != nil {
				return event{}, err
			}
			continue
		}
		if ok {
			return e, nil
		}
		select {
		case <-s.w.ready:
		case <-timer.C:
			return event{}, errSilent
		case <-s.ctx.Done():
			return event{}, context.Cause(s.ctx)
		}
	}
}

// answerPing answers a ping, and those before it, unless a frame is half sent.
func (s *session) answerPing(payload []byte) error {
	s.owed = append(s.owed, payload)
	if len(s.pending) > 0 {
		return nil
	}
	var b []byte
	for _, payload := range s.owed {
		b = s.encode(b, data(frame.OpPong, payload))
	}
	s.owed = nil
	return s.write(b)
}

// sleep waits for d, whatever the peer does.
func (s *session) sleep(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// tell says what an event is, for a verdict.
func (s *session) tell(e event) string {
	switch e.kind {
	case gotMessage:
		return fmt.Sprintf("the %s sent a %v message of %d octets%s", s.peer(), e.opcode, len(e.payload), excerpt(e.payload))
	case gotPong:
		return fmt.Sprintf("the %s sent a pong of %d octets%s", s.peer(), len(e.payload), excerpt(e.payload))
	case gotClose:
		return fmt.Sprintf("the %s sent a Close frame with %s", s.peer(), codeName(e.code))
	case gotViolation:
		return fmt.Sprintf("the %s sent a frame that breaks a rule itself: %v", s.peer(), e.err)
	}
	return fmt.Sprintf("the %s %s", s.peer(), ending(e.err))
}

func codeName(code frame.CloseCode) string {
	if code == frame.CloseNoStatusReceived {
		return "no code"
	}
	return "code " + code.String()
}

// excerpt shows a short payload.
func excerpt(p []byte) string {
	if len(p) == 0 || len(p) > 64 {
		return ""
	}
	return ", " + strconv.Quote(string(p))
}

func newSession(ctx context.Context, c *Case, role frame.Role, o *Options) *session {
	return &session{
		ctx:     ctx,
		c:       c,
		role:    role,
		timeout: o.Timeout,
		budget:  o.Volume,
		log:     &journal{began: time.Now(), every: o.EveryOctet, heavy: c.heavy},
	}
}

// result is what came of the case that was run.
func (s *session) result() Result {
	return Result{
		Case:     s.c,
		Verdict:  s.verdict,
		Why:      s.why,
		Close:    s.closing,
		CloseWhy: s.closingWhy,
		Code:     s.code,
		Duration: time.Since(s.log.began),
		Log:      s.log.finish(),
	}
}
