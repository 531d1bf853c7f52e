// Package script holds what is played to WebSocket implementations to compare
// them, and makes it up: a [Script] is a role, an opening handshake and the octets
// that follow, in the pieces in which they are written. [Generate] makes one of
// the choices of a [Source], [Script.Minimize] reduces one that shows something.
//
// Functions may be called concurrently; a Source serves one goroutine.
package script

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"example.org/rfc6455/frame"
)

// Limit is the longest message, in octets, that implementations are told to
// receive.
const Limit = 70_000

// Key is the Sec-WebSocket-Key of [Request].
const Key = "dGhlIHNhbXBsZSBub25jZQ=="

// Request is the opening handshake of a client that has nothing unusual.
const Request = "GET /chat HTTP/1.1\r\n" +
	"Host: server.example.com\r\n" +
	"Upgrade: websocket\r\n" +
	"Connection: Upgrade\r\n" +
	"Sec-WebSocket-Key: " + Key + "\r\n" +
	"Sec-WebSocket-Version: 13\r\n\r\n"

// Accept stands in the head of a response for the Sec-WebSocket-Accept of the
// request that it answers.
const Accept = "{accept}"

// Response is the opening handshake of a server that has nothing unusual.
const Response = "HTTP/1.1 101 Switching Protocols\r\n" +
	"Upgrade: websocket\r\n" +
	"Connection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: " + Accept + "\r\n\r\n"

// A Script is what one peer sends over one connection, up to the end of its side
// of the stream. The zero value is a server's peer that sends a usual opening
// handshake and nothing else.
type Script struct {
	// Role is that of the implementation: a Server receives a request and masked
	// frames, a Client a response and unmasked ones.
	Role frame.Role

	// Head is the opening handshake, the header section of a request or a
	// response with its empty line. Empty means [Request] or [Response].
	Head string

	// Early is how many octets of Stream are sent with the opening handshake,
	// without waiting for that of the other side. 0 <= Early <= len(Stream)
	Early int

	// Stream is what is sent after Head.
	Stream []byte

	// Sizes are the sizes of the pieces, in octets, in which everything is
	// written, one after the other and then from the start again. They are
	// positive. Empty means in as few pieces as possible.
	Sizes []int
}

// Opening returns the opening handshake that is played.
func (s *Script) Opening() string {
	switch {
	case s.Head != "":
		return s.Head
	case s.Role == frame.Client:
		return Response
	}
	return Request
}

// Pieces returns b in pieces of s.Sizes. They are slices of b.
func (s *Script) Pieces(b []byte) [][]byte {
	if len(s.Sizes) == 0 {
		if len(b) == 0 {
			return nil
		}
		return [][]byte{b}
	}
	var pieces [][]byte
	for i := 0; len(b) > 0; i++ {
		n := min(s.Sizes[i%len(s.Sizes)], len(b))
		pieces = append(pieces, b[:n:n])
		b = b[n:]
	}
	return pieces
}

// Equal reports whether s and t play the same.
func (s *Script) Equal(t *Script) bool {
	return s.Role == t.Role && s.Head == t.Head && s.Early == t.Early &&
		slices.Equal(s.Stream, t.Stream) && slices.Equal(s.Sizes, t.Sizes)
}

// String returns the script on one line, which [Parse] understands: the role, and
// those of the fields head, early, stream and sizes that are not zero, such as
//
//	server early=6 stream=818537fa213d7f9f4d5158 sizes=1,3
func (s *Script) String() string {
	b := []byte(s.Role.String())
	if s.Head != "" {
		b = strconv.AppendQuote(append(b, " head="...), s.Head)
	}
	if s.Early != 0 {
		b = strconv.AppendInt(append(b, " early="...), int64(s.Early), 10)
	}
	if len(s.Stream) != 0 {
		b = hex.AppendEncode(append(b, " stream="...), s.Stream)
	}
	for i, n := range s.Sizes {
		sep := ","
		if i == 0 {
			sep = " sizes="
		}
		b = strconv.AppendInt(append(b, sep...), int64(n), 10)
	}
	return string(b)
}

// ErrSyntax is a line that [Script.String] does not return.
var ErrSyntax = errors.New("not a script")

// Parse returns the script that a line stands for. The error matches [ErrSyntax].
func Parse(line string) (*Script, error) {
	s := new(Script)
	role, rest, _ := strings.Cut(line, " ")
	switch role {
	case frame.Server.String():
	case frame.Client.String():
		s.Role = frame.Client
	default:
		return nil, fmt.Errorf("%w: role %q", ErrSyntax, role)
	}
	for rest != "" {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, fmt.Errorf("%w: %q", ErrSyntax, rest)
		}
		value, next, _ := strings.Cut(after, " ")
		var err error
		switch name {
		case "head":
			// The value is quoted and may have spaces.
			if value, err = strconv.QuotedPrefix(after); err == nil {
				next = strings.TrimPrefix(after[len(value):], " ")
				s.Head, err = strconv.Unquote(value)
			}
		case "early":
			s.Early, err = strconv.Atoi(value)
		case "stream":
			s.Stream, err = hex.DecodeString(value)
		case "sizes":
			for size := range strings.SplitSeq(value, ",") {
				n, e := strconv.Atoi(size)
				if e != nil || n <= 0 {
					return nil, fmt.Errorf("%w: size %q", ErrSyntax, size)
				}
				s.Sizes = append(s.Sizes, n)
			}
		default:
			err = errors.New("unknown")
		}
		if err != nil {
			return nil, fmt.Errorf("%w: field %q: %v", ErrSyntax, name, err)
		}
		rest = next
	}
	if s.Early < 0 || s.Early > len(s.Stream) {
		return nil, fmt.Errorf("%w: early=%d of %d octets", ErrSyntax, s.Early, len(s.Stream))
	}
	return s, nil
}
