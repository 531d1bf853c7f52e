package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

var (
	// alone and together are the two kinds of context, with the largest window.
	alone    = &deflate.Params{ServerNoContextTakeover: true, ClientNoContextTakeover: true, ServerMaxWindowBits: 15, ClientMaxWindowBits: 15}
	together = &deflate.Params{ServerMaxWindowBits: 15, ClientMaxWindowBits: 15}
)

// compressAll has messages of any size compressed.
var compressAll = &conn.Compression{MinSize: conn.NoLimit}

// openDeflate is openPipe for a connection that has agreed on p.
func openDeflate(t testing.TB, role frame.Role, p *deflate.Params, o *conn.Options) (*conn.Conn, *peer) {
	t.Helper()
	var options conn.Options
	if o != nil {
		options = *o
	}
	if options.Compression == nil {
		options.Compression = compressAll
	}
	return openPipe(t, role, conn.Handshake{Deflate: p}, &options, 1<<20)
}

// An inflater inflates what a connection sends.
type inflater struct {
	*peer
	d *deflate.Decompressor
}

func newInflater(p *peer, agreed *deflate.Params) *inflater {
	p.t.Helper()
	bits, takeover := agreed.Server()
	if p.role == frame.Server {
		bits, takeover = agreed.Client()
	}
	d, err := deflate.NewDecompressor(bits, takeover)
	if err != nil {
		p.t.Fatal(err)
	}
	p.extensions = frame.RSV1
	return &inflater{p, d}
}

// message reads a message and returns the flags of its first frame, how many
// frames it has, its payload on the wire and what that inflates to.
func (i *inflater) message() (first frame.Flags, frames int, raw, payload []byte) {
	i.t.Helper()
	for {
		h, p, err := i.next()
		if err != nil {
			i.t.Fatal(err)
		}
		if frames++; frames == 1 {
			first = h.Flags
		} else if h.Flags.Has(frame.RSV1) {
			i.t.Fatal("RSV1 on a continuation")
		}
		raw = append(raw, p...)
		if h.Flags.Has(frame.FIN) {
			break
		}
	}
	if !first.Has(frame.RSV1) {
		return first, frames, raw, raw
	}
	payload, err := i.d.Append(nil, raw, true, deflate.NoLimit)
	if err != nil {
		i.t.Fatal(err)
	}
	return first, frames, raw, payload
}

// expectCompressed reads a message of one frame, which has to be compressed and
// this one.
func (i *inflater) expectCompressed(want string) {
	i.t.Helper()
	first, frames, _, got := i.message()
	if first != frame.FIN|frame.RSV1 || frames != 1 || string(got) != want {
		i.t.Fatalf("peer received %v %s in %d frames, want %s compressed in one", first, short(got), frames, short([]byte(want)))
	}
}

// pack returns the payload of a message that is compressed and stands alone.
func pack(t testing.TB, p []byte) []byte {
	t.Helper()
	c, err := deflate.NewCompressor(15, deflate.NoTakeover, deflate.Fast)
	if err != nil {
		t.Fatal(err)
	}
	return c.AppendPiece(nil, p, true)
}

// lines is a text of n octets that compresses well.
func lines(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":%d,"name":"sensor %d","value":%d.%d}`+"\n", i, i%7, i*i%1000, i%10)
	}
	return b.String()[:n]
}

// noise is n octets that do not compress.
func noise(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	r.Read(b)
	return b
}

func TestCompressedReceived(t *testing.T) {
	const hello = "c107:f248cdc9c90700" // RFC 7692, Section 7.2.3.1
	tests := []struct {
		name   string
		agreed *deflate.Params
		frames string
		want   []string
	}{
		{"RFC 7.2.3.1 one block", alone, hello, []string{"text Hello"}},
		{"RFC 7.2.3.1 in fragments", alone, "4103:f248cd 8004:c9c90700", []string{"text Hello"}},
		{"octet by octet", alone, "4101:f2 0001:48 0001:cd 0000: 0001:c9 0001:c9 0001:07 8001:00", []string{"text Hello"}},
		{"RFC 7.2.3.2 takeover", together, hello + " c105:f200110000", []string{"text Hello", "text Hello"}},
		{"RFC 7.2.3.3 stored block", alone, "c10b:000500faff48656c6c6f00", []string{"text Hello"}},
		{"C4 RFC 7.2.3.4 BFINAL", alone, "c108:f348cdc9c9070000 " + hello, []string{"text Hello", "text Hello"}},
		{"C4 BFINAL and nothing after it", alone, "c107:f348cdc9c90700 " + hello, []string{"text Hello", "text Hello"}},
		{"RFC 7.2.3.5 two blocks", alone, "c10d:f248050000 00ffffcac9c90700", nil},
		{"C3 tail not removed", alone, "c10b:f248cdc9c907000000ffff " + hello, []string{"text Hello", "text Hello"}},
		{"C5 no octets", alone, "c100: c200:", []string{"text ", "binary "}},
		{"C5 RFC 7.2.3.6 empty message", alone, "c101:00", []string{"text "}},
		{"empty fragments", alone, "4100: 0000: 8000:", []string{"text "}},
		{"last fragment empty", alone, "4107:f248cdc9c90700 8000:", []string{"text Hello"}},
		{"C10 mixed with uncompressed", together, hello + " 8103:616263 c105:f200110000 0101:61 8001:62 c105:f200110000",
			[]string{"text Hello", "text abc", "text Hello", "text ab", "text Hello"}},
		{"control frames between", alone, "4103:f248cd 8a00: 8004:c9c90700", []string{"text Hello"}},
	}
	for _, tt := range tests {
		if tt.want == nil { // spaces separate frames
			tt.frames, tt.want = "c10d:f24805000000ffffcac9c90700", []string{"text Hello"}
		}
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := openDeflate(t, role, tt.agreed, nil)
				p.send(tt.frames)
				for _, want := range tt.want {
					op, payload, err := c.ReadMessage(t.Context())
					if got := op.String() + " " + string(payload); got != want || err != nil {
						t.Fatalf("ReadMessage = %q, %v; want %q", got, err, want)
					}
				}
			})
		})
	}
}

func TestCompressedRefused(t *testing.T) {
	const hello = "c107:f248cdc9c90700"
	empty := strings.Repeat("000000ffff", 25)
	tests := []struct {
		name   string
		agreed *deflate.Params
		frames string
		code   frame.CloseCode
		cause  error
	}{
		{"RSV1 without the extension", nil, hello, 1002, frame.ErrReservedBits},
		{"C6 RSV1 on a continuation", alone, "4103:f248cd c004:c9c90700", 1002, frame.ErrReservedBits},
		{"C6 RSV1 on the second fragment only", alone, "0103:48656c c002:6c6f", 1002, frame.ErrReservedBits},
		{"C6 RSV1 on a ping", alone, "c900:", 1002, frame.ErrReservedBits},
		{"C6 RSV1 on a Close frame", alone, "c802:03e8", 1002, frame.ErrReservedBits},
		{"RSV2", alone, "a100:", 1002, frame.ErrReservedBits},
		{"RSV3", alone, "9100:", 1002, frame.ErrReservedBits},
		{"C2 reserved block type", alone, "c101:06", 1007, deflate.ErrBlockType},
		{"C2 stored length", alone, "c107:00050000000048", 1007, deflate.ErrStoredLength},
		{"C2 code lengths", alone, "c10a:04ffffffffffffffffff", 1007, deflate.ErrCodeLengths},
		{"C2 reference before the first octet", together, "c105:f200110000", 1007, deflate.ErrDistance},
		{"C7 reference to an earlier message without takeover", alone, hello + " c105:f200110000", 1007, deflate.ErrDistance},
		{"C3 truncated", alone, "c103:f248cd", 1007, deflate.ErrTruncated},
		{"C3 truncated in fragments", alone, "4103:f248cd 8000:", 1007, deflate.ErrTruncated},
		{"C4 leftovers after BFINAL", alone, "c109:f348cdc9c9070006ff", 1007, deflate.ErrBlockType},
		{"C9 not UTF-8 after inflation", alone, "c107:000100feffff00", 1007, frame.ErrInvalidUTF8},
		{"C9 half a character", alone, "c107:000100feffc300", 1007, frame.ErrInvalidUTF8},
		{"C8 blocks without octets", alone, "427d:" + empty + strings.Repeat(" 007d:"+empty, 20), 1008, deflate.ErrNoOutput},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := openDeflate(t, role, tt.agreed, nil)
				r := receive(c)
				p.send(tt.frames)
				p.expectFailure(tt.code)
				checkEnd(t, (<-r).err, conn.Local, tt.code, "", tt.cause)
			})
		})
	}
}

// UTF-8 is judged as it is inflated: the message need not end.
func TestCompressedUTF8AtOnce(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openDeflate(t, role, alone, nil)
		r := receive(c)
		p.send("4106:000100feffff")
		p.expectFailure(frame.CloseInvalidFramePayloadData)
		checkEnd(t, (<-r).err, conn.Local, frame.CloseInvalidFramePayloadData, "", frame.ErrInvalidUTF8)
	})
}

// C1: the limit counts octets after inflation, and is exact.
func TestCompressedLimit(t *testing.T) {
	const limit = 100_000
	tests := []struct {
		name    string
		payload []byte
		size    int // of frames
		ok      bool
	}{
		{"at the limit", make([]byte, limit), 1 << 20, true},
		{"at the limit in fragments", make([]byte, limit), 10, true},
		{"at the limit, incompressible", noise(limit), 1 << 20, true},
		{"beyond it", make([]byte, limit+1), 1 << 20, false},
		{"beyond it in fragments", make([]byte, limit+1), 10, false},
		{"1,000 times beyond it", make([]byte, 1000*limit), 1 << 20, false},
		{"1,000 times beyond it in fragments", make([]byte, 1000*limit), 1000, false},
	}
	for _, tt := range tests {
		packed := pack(t, tt.payload)
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				c, p := openDeflate(t, role, alone, &conn.Options{MaxMessageSize: limit})
				var octets []byte
				op, flags := frame.OpBinary, frame.RSV1
				for rest := packed; len(rest) > 0; op, flags = frame.OpContinuation, 0 {
					n := min(tt.size, len(rest))
					if n == len(rest) {
						flags |= frame.FIN
					}
					octets = append(octets, encode(t, p.role, flags, op, rest[:n])...)
					rest = rest[n:]
				}
				if tt.ok {
					go p.Write(octets)
					checkRead(t, c, frame.OpBinary, string(tt.payload))
					return
				}
				r := receive(c)
				p.write(octets)
				p.expectFailure(frame.CloseMessageTooBig)
				checkEnd(t, (<-r).err, conn.Local, frame.CloseMessageTooBig, "", conn.ErrMessageTooBig)
			})
		})
	}
}

// What is longer on the wire than deflating can make it is refused by its length.
func TestCompressedWireLimit(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openDeflate(t, role, alone, &conn.Options{MaxMessageSize: 8000})
		r := receive(c)
		p.send("c27e2729:")
		p.expectFailure(frame.CloseMessageTooBig)
		checkEnd(t, (<-r).err, conn.Local, frame.CloseMessageTooBig, "", conn.ErrMessageTooBig)

		c, p = openDeflate(t, role, alone, &conn.Options{MaxMessageSize: 8000})
		r = receive(c)
		p.send("c27e2728:")
		p.expectNothing()
		p.Reset()
		<-r
	})
}

// Every way to read gives the same messages.
func TestCompressedReaders(t *testing.T) {
	messages := []string{lines(100_000), "", lines(10), string(make([]byte, 300_000)), lines(70_000)}
	readers := []struct {
		name string
		read func(c *conn.Conn) (string, error)
	}{
		{"ReadMessage", func(c *conn.Conn) (string, error) {
			_, p, err := c.ReadMessage(context.Background())
			return string(p), err
		}},
		{"AppendMessage", func(c *conn.Conn) (string, error) {
			_, p, err := c.AppendMessage(context.Background(), []byte("x"))
			return strings.TrimPrefix(string(p), "x"), err
		}},
		{"NextReader", func(c *conn.Conn) (string, error) {
			r, err := c.NextReader(context.Background())
			if err != nil {
				return "", err
			}
			p, err := io.ReadAll(r.With(context.Background()))
			return string(p), err
		}},
		{"small reads", func(c *conn.Conn) (string, error) {
			r, err := c.NextReader(context.Background())
			var all []byte
			var b [1000]byte
			for err == nil {
				var n int
				n, err = r.Read(context.Background(), b[:])
				if n == 0 && err == nil {
					return "", errors.New("Read = 0, nil")
				}
				if all = append(all, b[:n]...); len(all) == 3*len(b) {
					conn.ScribblePools()
				}
			}
			if err == io.EOF {
				err = nil
			}
			return string(all), err
		}},
	}
	for _, reader := range readers {
		for _, size := range []int{1, 100, 1 << 20} {
			t.Run(fmt.Sprintf("%s/frames of %d", reader.name, size), func(t *testing.T) {
				bothRoles(t, func(t *testing.T, role frame.Role) {
					c, p := openDeflate(t, role, alone, nil)
					go func() {
						for i, m := range messages {
							if i%2 == 1 {
								p.Write(encode(t, p.role, frame.FIN, frame.OpBinary, []byte(m)))
								continue
							}
							packed := pack(t, []byte(m))
							op, flags := frame.OpBinary, frame.RSV1
							for len(packed) > 0 {
								n := min(size, len(packed))
								if n == len(packed) {
									flags |= frame.FIN
								}
								p.Write(encode(t, p.role, flags, op, packed[:n]))
								packed, op, flags = packed[n:], frame.OpContinuation, 0
							}
						}
					}()
					for i, want := range messages {
						if got, err := reader.read(c); got != want || err != nil {
							t.Fatalf("message %d = %s, %v; want %s", i, short([]byte(got)), err, short([]byte(want)))
						}
					}
				})
			})
		}
	}
}

// A message that was read in part and given up is inflated all the same, for
// others may refer to it.
func TestCompressedPassedOver(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openDeflate(t, role, together, nil)
		p.send("4103:f248cd")
		r, err := c.NextReader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var b [1]byte
		if n, err := r.Read(t.Context(), b[:]); n != 1 || b[0] != 'H' || err != nil {
			t.Fatalf("Read = %d %q, %v; want H", n, b, err)
		}
		p.send("8004:c9c90700 c105:f200110000")
		checkRead(t, c, frame.OpText, "Hello")
	})
}

// A canceled read keeps what was inflated, for whichever method reads next.
func TestCompressedReadCanceled(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		for _, stream := range []bool{false, true} {
			c, p := openDeflate(t, role, together, nil)
			for range 2 { // the second message needs the first
				ctx, cancel := context.WithCancel(t.Context())
				p.send("4107:f248cdc9c90700")
				go func() {
					synctest.Wait()
					cancel()
				}()
				if _, _, err := c.ReadMessage(ctx); !errors.Is(err, context.Canceled) || c.Err() != nil {
					t.Fatalf("ReadMessage = %v, Err = %v; want it canceled", err, c.Err())
				}
				p.send("8000:")
				if !stream {
					checkRead(t, c, frame.OpText, "Hello")
					continue
				}
				r, err := c.NextReader(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(r.With(t.Context())); string(got) != "Hello" || err != nil {
					t.Fatalf("read %q, %v; want Hello", got, err)
				}
			}
		}
	})
}

func TestCompressedSent(t *testing.T) {
	tests := []struct {
		name       string
		payload    []byte
		minSize    int
		compressed bool
	}{
		{"long", []byte(lines(5000)), 0, true},
		{"below the default minimum", []byte(lines(511)), 0, false},
		{"at the default minimum", []byte(lines(512)), 0, true},
		{"below a minimum", []byte(lines(999)), 1000, false},
		{"at a minimum", []byte(lines(1000)), 1000, true},
		{"no minimum", bytes.Repeat([]byte("a"), 12), conn.NoLimit, true},
		{"C11 does not shrink", noise(5000), 0, false},
		{"empty", nil, conn.NoLimit, false},
		{"too long to be gathered", []byte(lines(3 << 20)), 0, true},
		{"too long and incompressible", noise(300_000), 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				for _, agreed := range []*deflate.Params{alone, together} {
					c, p := openDeflate(t, role, agreed, &conn.Options{Compression: &conn.Compression{MinSize: tt.minSize}})
					in := newInflater(p, agreed)
					write := writeAsync(t.Context(), c, frame.OpBinary, tt.payload)
					first, frames, raw, got := in.message()
					if err := <-write; err != nil {
						t.Fatal(err)
					}
					if first.Has(frame.RSV1) != tt.compressed || frames != 1 || !bytes.Equal(got, tt.payload) {
						t.Fatalf("peer received %v with %d octets in %d frames, want compressed = %v, %d octets", first, len(got), frames, tt.compressed, len(tt.payload))
					}
					if tt.compressed && len(raw) >= len(got) {
						t.Errorf("%d octets compressed to %d", len(got), len(raw))
					}
					want := conn.Traffic{Messages: 1, Payload: uint64(len(got)), Octets: c.Stats().Sent.Octets}
					if tt.compressed {
						want.Compressed, want.CompressedPayload, want.CompressedOctets = 1, uint64(len(got)), uint64(len(raw))
					}
					if got := c.Stats().Sent; got != want {
						t.Errorf("Stats.Sent = %+v, want %+v", got, want)
					}
				}
			})
		})
	}
}

// writeAsync writes a message on another goroutine.
func writeAsync(ctx context.Context, c *conn.Conn, op frame.Opcode, p []byte) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.WriteMessage(ctx, op, p) }()
	return done
}

// C12: what is written without compression is no part of the context.
func TestWriteUncompressed(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openDeflate(t, role, together, nil)
		in := newInflater(p, together)
		text := lines(1000)
		for range 2 {
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			in.expectCompressed(text)
			if err := c.WriteUncompressed(t.Context(), frame.OpText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			p.expectText(text)
			w, err := c.NextUncompressedWriter(frame.OpText)
			if err != nil {
				t.Fatal(err)
			}
			writePart(t, w, text)
			if err := w.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			closeWriter(t, w)
			p.expectFrame(0, frame.OpText, []byte(text))
			p.expectFrame(frame.FIN, frame.OpContinuation, nil)
			m, err := conn.PrepareUncompressed(frame.OpText, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.WritePrepared(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			p.expectText(text)
		}
	})
}

func TestCompressedWriter(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		for _, agreed := range []*deflate.Params{alone, together} {
			c, p := openDeflate(t, role, agreed, &conn.Options{Compression: &conn.Compression{}})
			in := newInflater(p, agreed)
			long := lines(100_000)
			for range 3 {
				w := nextWriter(t, c, frame.OpText)
				writePart(t, w, long)
				closeWriter(t, w)
				if first, frames, _, got := in.message(); first != frame.RSV1 || frames < 2 || string(got) != long {
					t.Fatalf("peer received %v %s in %d frames", first, short(got), frames)
				}
				// A message of one fragment is like any other.
				for _, n := range []int{0, 511, 512, 16 << 10} {
					w := nextWriter(t, c, frame.OpText)
					writePart(t, w, long[:n])
					closeWriter(t, w)
					want := frame.FIN
					if n >= 512 {
						want |= frame.RSV1
					}
					if first, frames, _, got := in.message(); first != want || frames != 1 || string(got) != long[:n] {
						t.Fatalf("peer received %v %s in %d frames, want %v with %d octets", first, short(got), frames, want, n)
					}
				}
			}
			want := conn.Traffic{Messages: 15, Compressed: 9, Payload: 3 * (100_000 + 511 + 512 + 16<<10), CompressedPayload: 3 * (100_000 + 512 + 16<<10)}
			got := c.Stats().Sent
			if got.CompressedOctets == 0 || got.CompressedOctets > got.CompressedPayload/2 {
				t.Errorf("CompressedOctets = %d of %d", got.CompressedOctets, got.CompressedPayload)
			}
			got.Octets, got.CompressedOctets = 0, 0
			if got != want {
				t.Errorf("Stats.Sent = %+v, want %+v", got, want)
			}
		}
	})
}

// The peer has what was flushed at once, and control frames come between.
func TestCompressedWriterFlush(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := openDeflate(t, role, alone, nil)
		r := receive(c)
		in := newInflater(p, alone)
		w := nextWriter(t, c, frame.OpText)
		for i, part := range []string{"Hel", "lo, ", "world"} {
			writePart(t, w, part)
			if err := w.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			h, raw, err := p.next()
			if err != nil || h.Flags.Has(frame.RSV1) != (i == 0) || h.Flags.Has(frame.FIN) {
				t.Fatalf("fragment %d is %v, %v", i, h.Flags, err)
			}
			if got, err := in.d.Append(nil, raw, false, deflate.NoLimit); string(got) != part || err != nil {
				t.Fatalf("fragment %d inflates to %q, %v; want %q", i, got, err, part)
			}
			p.send("8901:21")
			p.expect("8a01:21")
		}
		closeWriter(t, w)
		h, raw, err := p.next()
		if err != nil || h.Flags != frame.FIN || h.Opcode != frame.OpContinuation {
			t.Fatalf("last fragment is %v %v, %v", h.Flags, h.Opcode, err)
		}
		if got, err := in.d.Append(nil, raw, true, deflate.NoLimit); len(got) != 0 || err != nil {
			t.Fatalf("last fragment inflates to %q, %v", got, err)
		}
		p.closes(frame.CloseNormalClosure, "")
		<-r
	})
}

// pair returns both sides of a connection that has agreed on p.
func pair(t testing.TB, p *deflate.Params, o conn.Options) (client, server *conn.Conn) {
	a, b := conntest.Pipe(1 << 16)
	client = newConn(t, a, frame.Client, conn.Handshake{Deflate: p}, &o)
	server = newConn(t, b, frame.Server, conn.Handshake{Deflate: p}, &o)
	return client, server
}

// All parameters, both ways.
func TestCompressedParameters(t *testing.T) {
	for bits := 8; bits <= 15; bits++ {
		for n := range 4 {
			agreed := &deflate.Params{
				ServerMaxWindowBits: bits, ClientMaxWindowBits: 23 - bits,
				ServerNoContextTakeover: n&1 != 0, ClientNoContextTakeover: n&2 != 0,
			}
			for _, level := range []deflate.Level{deflate.Fast, deflate.Good} {
				t.Run(fmt.Sprintf("%+v/%v", *agreed, level), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						client, server := pair(t, agreed, conn.Options{Compression: &conn.Compression{Level: level, MinSize: conn.NoLimit}})
						for _, n := range []int{0, 1, 20, 300, 5000, 20, 70_000, 300, 300} {
							for _, side := range [][2]*conn.Conn{{client, server}, {server, client}} {
								want := lines(n)
								write := writeAsync(t.Context(), side[0], frame.OpText, []byte(want))
								checkRead(t, side[1], frame.OpText, want)
								if err := <-write; err != nil {
									t.Fatal(err)
								}
							}
						}
					})
				})
			}
		}
	}
}
