package peers

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

// A tape is the connection that an implementation is given: reading it plays a
// script, what is written is recorded. Each Read returns a piece of the script or
// a part of one; after the last it returns io.EOF, and writing goes on. Nothing
// waits but for the opening handshake: no octet of the script's stream after the
// early ones is read before the implementation has sent its part of it.
type tape struct {
	script *script.Script

	mu      sync.Mutex
	changed sync.Cond // mu
	play    [][]byte  // pieces that are left and may be read
	later   [][]byte  // those after the handshake
	opened  bool      // whether the implementation has sent its part of the handshake
	closed  bool
	expired bool // whether the read deadline has passed

	head  int // octets of play that are left of the head
	taken int // octets read after the head

	sent   []byte
	writes []write
	ended  chan struct{} // closed with the tape
}

// A write says how many octets of the stream had been taken when those of sent
// from an offset on were written.
type write struct{ offset, taken int }

func newTape(s *script.Script) *tape {
	t := &tape{script: s, ended: make(chan struct{})}
	t.changed.L = &t.mu
	if s.Role == frame.Server {
		t.greet(s.Opening())
	}
	if s.Role == frame.Server && announcesBody.MatchString(s.Head) {
		// Such a client sends its body, whatever it is, without waiting.
		t.play = append(t.play, s.Pieces(s.Stream[s.Early:])...)
		t.opened = true
		return t
	}
	t.later = s.Pieces(s.Stream[s.Early:])
	return t
}

// announcesBody finds the fields of a request with a body (RFC 9112, Section 6).
var announcesBody = regexp.MustCompile(`(?i)\n(content-length\s*:\s*[^0\s]|transfer-encoding\s*:)`)

// greet makes the head readable, and in one piece with the end of it the
// early octets.
func (t *tape) greet(head string) {
	t.head = len(head)
	t.play = t.script.Pieces([]byte(head))
	if early := t.script.Stream[:t.script.Early]; len(early) > 0 {
		last := &t.play[len(t.play)-1]
		*last = append(*last, early...) // a copy: the piece has no room
	}
}

// open sees whether the implementation's part of the handshake is there.
func (t *tape) open() {
	end := bytes.Index(t.sent, []byte("\r\n\r\n"))
	if end < 0 {
		return
	}
	t.opened = true
	if t.script.Role == frame.Client {
		t.greet(strings.ReplaceAll(t.script.Opening(), script.Accept, acceptFor(t.sent)))
	} else if status(t.sent) != 101 {
		return // there is nothing more to say
	}
	t.play = append(t.play, t.later...)
}

// keyField finds the key in a request.
var keyField = regexp.MustCompile(`(?i)\r\nsec-websocket-key: *(\S+)`)

// acceptFor returns the Sec-WebSocket-Accept for a request (Section 4.2.2).
func acceptFor(request []byte) string {
	key := ""
	if m := keyField.FindSubmatch(request); m != nil {
		key = string(m[1])
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// status returns the status code of a response, and 0 if it is none.
func status(response []byte) int {
	after, ok := bytes.CutPrefix(response, []byte("HTTP/1."))
	if !ok || len(after) < 5 {
		return 0
	}
	code, _ := strconv.Atoi(string(after[2:5]))
	return code
}

// Read implements [net.Conn].
func (t *tape) Read(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		switch {
		case t.closed:
			return 0, net.ErrClosed
		case t.expired:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case len(t.play) > 0:
			n := copy(p, t.play[0])
			if t.play[0] = t.play[0][n:]; len(t.play[0]) == 0 {
				t.play = t.play[1:]
			}
			ofHead := min(n, t.head)
			t.head -= ofHead
			t.taken += n - ofHead
			return n, nil
		case t.opened:
			return 0, io.EOF
		}
		t.changed.Wait()
	}
}

// Write implements [net.Conn].
func (t *tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, net.ErrClosed
	}
	t.writes = append(t.writes, write{len(t.sent), t.taken})
	t.sent = append(t.sent, p...)
	if !t.opened {
		t.open()
		t.changed.Broadcast()
	}
	return len(p), nil
}

// Close implements [net.Conn].
func (t *tape) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return net.ErrClosed
	}
	t.closed = true
	close(t.ended)
	t.changed.Broadcast()
	return nil
}

// SetReadDeadline implements [net.Conn]. A time to come never passes: the tape
// does not keep a reader waiting.
func (t *tape) SetReadDeadline(d time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expired = !d.IsZero() && !d.After(time.Now())
	t.changed.Broadcast()
	return nil
}

// SetWriteDeadline implements [net.Conn]; a Write takes no time.
func (t *tape) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements [net.Conn].
func (t *tape) SetDeadline(d time.Time) error { return t.SetReadDeadline(d) }

// LocalAddr implements [net.Conn].
func (t *tape) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

// RemoteAddr implements [net.Conn].
func (t *tape) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 2} }

// outcome returns what came of the script, with the messages that the application
// received and, for a client, whether it went on after the response.
func (t *tape) outcome(messages []script.Message, accepted bool) *script.Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := &script.Outcome{Messages: messages, At: -1}
	head, rest, complete := bytes.Cut(t.sent, []byte("\r\n\r\n"))
	for complete && status(head) == http.StatusContinue {
		head, rest, complete = bytes.Cut(rest, []byte("\r\n\r\n"))
	}
	if t.script.Role == frame.Server {
		if complete {
			o.Status = status(head)
		}
	} else if accepted {
		o.Status = http.StatusSwitchingProtocols
	}
	if o.Status != http.StatusSwitchingProtocols {
		return o
	}
	o.Sent(t.script.Role, rest, func(offset int) int {
		offset += len(t.sent) - len(rest)
		taken := 0
		for _, w := range t.writes {
			if w.offset <= offset {
				taken = w.taken
			}
		}
		return taken
	})
	return o
}
