package conn

import (
	"context"
	"io"

	"example.org/rfc6455/frame"
)

// A MessageReader reads one message in pieces, as they come. It is made by
// [Conn.NextReader] and valid until the next message is asked for.
type MessageReader struct {
	c      *Conn
	serial uint64
	opcode frame.Opcode
}

// streamed is the state of the message that a MessageReader reads.
type streamed struct {
	payload []byte // what has come and was not handed out
	open    bool   // whether the message has octets that were not handed out
	end     bool   // whether payload ends it
	unread  bool   // whether the rest of the message is passed over
}

// abandon passes over what is left of the message.
func (s *streamed) abandon() {
	s.unread = s.unread || s.open && !s.end
	s.open = false
}

// passOver reports whether ev is of a message that was abandoned.
func (s *streamed) passOver(ev *event) bool {
	over := s.unread
	if ev.end {
		s.unread = false
	}
	return over
}

// NextReader waits for the next message and returns a reader for its payload,
// of which nothing but what the caller has not read yet is held in memory.
// Whatever was left of the message before is passed over.
//
// Options.MaxMessageSize and the timeouts hold for streamed messages, too; time
// between two reads does not count. The errors are those of
// [Conn.ReadMessage].
func (c *Conn) NextReader(ctx context.Context) (MessageReader, error) {
	ctx = c.beyond(ctx)
	if err := c.beginRead(ctx); err != nil {
		return MessageReader{}, err
	}
	defer c.endRead()
	c.beginMessage()
	ev := event{opcode: c.proto.frames.Opcode(), payload: c.message}
	if c.partial {
		c.dropMessage() // the part of a message is the reader's now
	} else if err := c.next(ctx, &ev); err == errCanceled {
		return MessageReader{}, canceled("read", ctx)
	} else if err != nil {
		return MessageReader{}, err
	}
	c.stream = streamed{payload: ev.payload, open: true, end: ev.end}
	return MessageReader{c, c.serial, ev.opcode}, nil
}

// Opcode returns frame.OpText or frame.OpBinary.
func (r MessageReader) Opcode() frame.Opcode { return r.opcode }

// Read reads up to len(p) octets of the message, and waits if none have come
// yet. After the last it returns [io.EOF]. It does not retain p.
//
// When ctx ends the error is its cause, nothing is lost and reading can go on,
// even in the middle of a frame. The other errors are those of
// [Conn.ReadMessage] and [ErrReaderDone].
func (r MessageReader) Read(ctx context.Context, p []byte) (n int, err error) {
	c := r.c
	if c == nil {
		return 0, ErrReaderDone
	}
	ctx = c.beyond(ctx)
	if err := c.beginRead(ctx); err != nil {
		return 0, err
	}
	defer c.endRead()
	s := &c.stream
	if !s.open || r.serial != c.serial {
		return 0, ErrReaderDone
	}
	for len(s.payload) == 0 {
		if s.end {
			return 0, io.EOF
		}
		var ev event
		if err := c.next(ctx, &ev); err == errCanceled {
			return 0, canceled("read", ctx)
		} else if err != nil {
			return 0, err
		}
		s.payload, s.end = ev.payload, ev.end
	}
	n = copy(p, s.payload)
	s.payload = s.payload[n:]
	return n, nil
}

// With returns the reader as an [io.Reader] whose Read waits until ctx ends at
// most.
func (r MessageReader) With(ctx context.Context) io.Reader { return contextReader{r, ctx} }

type contextReader struct {
	r   MessageReader
	ctx context.Context
}

func (r contextReader) Read(p []byte) (int, error) { return r.r.Read(r.ctx, p) }
