package rivals_test

import (
	"bytes"
	"compress/flate"
	"io"
	"testing"

	klauspost "github.com/klauspost/compress/flate"

	"example.org/rfc6455/conn/deflate"
)

// tail is what a sender removes from the end of each message (RFC 7692, Section
// 7.2.1).
const tail = "\x00\x00\xff\xff"

// A compress function returns the payload that stands for a message, valid until
// the next call.
type compress func(message []byte) []byte

// A compressor makes functions that compress the messages of a connection.
type compressor struct {
	lib string
	new func(tb testing.TB, takeover bool) compress
}

var compressors = []compressor{
	{"ours:fast", ours(deflate.Fast)},
	{"ours:good", ours(deflate.Good)},
	{"std:1", func(tb testing.TB, takeover bool) compress {
		return standard(tb, takeover, func(w io.Writer) (flateWriter, error) { return flate.NewWriter(w, 1) })
	}},
	{"std:6", func(tb testing.TB, takeover bool) compress {
		return standard(tb, takeover, func(w io.Writer) (flateWriter, error) { return flate.NewWriter(w, 6) })
	}},
	{"klauspost:1", func(tb testing.TB, takeover bool) compress {
		return standard(tb, takeover, func(w io.Writer) (flateWriter, error) { return klauspost.NewWriter(w, 1) })
	}},
	{"klauspost:6", func(tb testing.TB, takeover bool) compress {
		return standard(tb, takeover, func(w io.Writer) (flateWriter, error) { return klauspost.NewWriter(w, 6) })
	}},
	{"klauspost:stateless", stateless},
}

// ours returns what a connection would send: the message itself where compressing
// does not make it shorter.
func ours(level deflate.Level) func(testing.TB, bool) compress {
	return func(tb testing.TB, takeover bool) compress {
		c, err := deflate.NewCompressor(deflate.MaxWindowBits, deflate.ContextTakeover(takeover), level)
		if err != nil {
			tb.Fatal(err)
		}
		dst := make([]byte, 0, 64<<10)
		return func(message []byte) []byte {
			payload, ok := c.Append(dst, message)
			if !ok {
				return message
			}
			return payload
		}
	}
}

// A flateWriter is the Writer of compress/flate, and of what has the same methods.
type flateWriter interface {
	io.Writer
	Flush() error
	Reset(io.Writer)
}

func standard(tb testing.TB, takeover bool, open func(io.Writer) (flateWriter, error)) compress {
	var out bytes.Buffer
	w, err := open(&out)
	if err != nil {
		tb.Fatal(err)
	}
	return func(message []byte) []byte {
		out.Reset()
		if !takeover {
			w.Reset(&out)
		}
		if _, err := w.Write(message); err != nil {
			tb.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			tb.Fatal(err)
		}
		return bytes.TrimSuffix(out.Bytes(), []byte(tail))
	}
}

// stateless compresses with a writer that keeps nothing. With takeover it is
// given the octets before the message, of which it uses 8 KiB.
func stateless(tb testing.TB, takeover bool) compress {
	const most = 8 << 10
	var out bytes.Buffer
	window := make([]byte, 0, 2*most)
	return func(message []byte) []byte {
		out.Reset()
		if err := klauspost.StatelessDeflate(&out, message, false, window); err != nil {
			tb.Fatal(err)
		}
		if takeover {
			window = append(window, message...)
			window = window[:copy(window, window[max(len(window)-most, 0):])]
		}
		return bytes.TrimSuffix(out.Bytes(), []byte(tail))
	}
}

// A decompress function returns the message of n octets that a payload stands
// for, valid until the next call.
type decompress func(payload []byte, n int) []byte

// A decompressor makes functions that inflate the messages of a connection.
type decompressor struct {
	lib string
	new func(tb testing.TB, takeover bool) decompress
}

var decompressors = []decompressor{
	{"ours", func(tb testing.TB, takeover bool) decompress {
		d, err := deflate.NewDecompressor(deflate.MaxWindowBits, deflate.ContextTakeover(takeover))
		if err != nil {
			tb.Fatal(err)
		}
		dst := make([]byte, 0, 64<<10)
		return func(payload []byte, n int) []byte {
			message, err := d.Append(dst, payload, true, 64<<10)
			if err != nil {
				tb.Fatal(err)
			}
			return message
		}
	}},
	{"std", func(tb testing.TB, takeover bool) decompress { return reading(tb, takeover, flate.NewReader) }},
	{"klauspost", func(tb testing.TB, takeover bool) decompress { return reading(tb, takeover, klauspost.NewReader) }},
}

// reading inflates with a reader of compress/flate, or of what has the same
// methods. It makes it easy for them: with takeover all messages are one stream,
// so no window is ever set up again, and how long a message is going to be is
// known, which it is not to a library.
func reading(tb testing.TB, takeover bool, open func(io.Reader) io.ReadCloser) decompress {
	var in bytes.Buffer
	r := open(&in)
	dst := make([]byte, 64<<10)
	return func(payload []byte, n int) []byte {
		if !takeover {
			in.Reset()
		}
		in.Write(payload)
		in.WriteString(tail)
		if !takeover {
			if err := r.(flate.Resetter).Reset(&in, nil); err != nil {
				tb.Fatal(err)
			}
		}
		if _, err := io.ReadFull(r, dst[:n]); err != nil {
			tb.Fatal(err)
		}
		return dst[:n]
	}
}
