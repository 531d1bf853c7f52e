package conntest_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/nettest"

	"example.org/rfc6455/conn/conntest"
)

// inject returns a faulty end and its peer.
func inject(f conntest.Faults) (*conntest.Faulty, *conntest.End) {
	a, b := conntest.Pipe(0)
	return conntest.Inject(a, f), b
}

// tcpPair returns two ends of a TCP connection over loopback.
func tcpPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// A recorder is a connection that notes the octets of each Write of its own and
// the calls that end it.
type recorder struct {
	net.Conn
	writes []string
}

func (r *recorder) Write(p []byte) (int, error) {
	r.writes = append(r.writes, string(p))
	return r.Conn.Write(p)
}

func (r *recorder) CloseWrite() error {
	r.writes = append(r.writes, "FIN")
	return r.Conn.(*conntest.End).CloseWrite()
}

func (r *recorder) Close() error {
	r.writes = append(r.writes, "close")
	return r.Conn.Close()
}

func wantPassed(t *testing.T, c *conntest.Faulty, read, written int64) {
	t.Helper()
	if r, w := c.Passed(); r != read || w != written {
		t.Errorf("Passed() = %d, %d; want %d, %d", r, w, read, written)
	}
}

func TestInjectNetConn(t *testing.T) {
	split := conntest.Faults{
		Read:  conntest.Flow{Split: 100, SplitAt: []int64{1, 2, 3}},
		Write: conntest.Flow{Split: 100, SplitAt: []int64{4, 3, 1}},
	}
	none := conntest.Faults{}
	tests := []struct {
		name   string
		faults conntest.Faults
		pair   func(t testing.TB) (a, b net.Conn)
	}{
		{"pipe", none, func(testing.TB) (net.Conn, net.Conn) { return conntest.Pipe(0) }},
		{"pipe split", split, func(testing.TB) (net.Conn, net.Conn) { return conntest.Pipe(0) }},
		{"TCP split", split, tcpPair},
	}
	for _, tt := range tests {
		for _, faulty := range []string{"first", "second"} {
			t.Run(tt.name+"/"+faulty, func(t *testing.T) {
				nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
					a, b := tt.pair(t)
					a = conntest.Inject(a, tt.faults)
					stop = func() { a.Close(); b.Close() }
					if faulty == "second" {
						return b, a, stop, nil
					}
					return a, b, stop, nil
				})
			})
		}
	}
}

func TestNoFaults(t *testing.T) {
	c, b := inject(conntest.Faults{})
	if c.LocalAddr() != b.RemoteAddr() || c.RemoteAddr() != b.LocalAddr() {
		t.Errorf("addresses %v, %v; want those of the wrapped connection", c.LocalAddr(), c.RemoteAddr())
	}
	writeAll(t, c, "hello")
	wantRead(t, b, "hello", nil)
	writeAll(t, b, "hello, too")
	wantRead(t, c, "hello, too", nil)
	wantPassed(t, c, 10, 5)
	if n, err := c.Read(nil); n != 0 || err != nil {
		t.Errorf("Read(nil) = %d, %v; want 0, nil", n, err)
	}
	wantErr(t, "CloseWrite", c.CloseWrite(), nil)
	wantErr(t, "second CloseWrite", c.CloseWrite(), nil)
	wantWrite(t, c, "x", 0, syscall.EPIPE)
	wantRead(t, b, "", io.EOF)
	writeAll(t, b, "bye")
	wantRead(t, c, "bye", nil)
	wantErr(t, "Close", c.Close(), nil)
	wantErr(t, "second Close", c.Close(), net.ErrClosed)
	wantErr(t, "CloseWrite", c.CloseWrite(), net.ErrClosed)
	wantErr(t, "Reset", c.Reset(), net.ErrClosed)
	wantErr(t, "SetDeadline", c.SetDeadline(time.Time{}), net.ErrClosed)
	wantRead(t, c, "", net.ErrClosed)
	wantWrite(t, c, "x", 0, net.ErrClosed)
}

func TestReadPieces(t *testing.T) {
	tests := []struct {
		name string
		flow conntest.Flow
		want []string // of "abcdefghij", then EOF
	}{
		{"every octet", conntest.Flow{Split: 1}, []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}},
		{"four octets", conntest.Flow{Split: 4}, []string{"abcd", "efgh", "ij"}},
		{"offsets", conntest.Flow{SplitAt: []int64{9, 2, 10, 100, 0, -1}}, []string{"ab", "cdefghi", "j"}},
		{"both", conntest.Flow{Split: 3, SplitAt: []int64{4}}, []string{"abc", "d", "efg", "hij"}},
		{"gather", conntest.Flow{Gather: 4}, []string{"abcd", "efgh", "ij"}},
		{"gather and split", conntest.Flow{Gather: 4, Split: 3}, []string{"abc", "d", "efg", "h", "ij"}},
		{"gather before the end", conntest.Flow{Gather: 4, After: 6, Then: conntest.Truncate}, []string{"abcd", "ef"}},
		{"truncate", conntest.Flow{After: 3, Then: conntest.Truncate}, []string{"abc"}},
		{"truncate at once", conntest.Flow{Then: conntest.Truncate}, nil},
		{"truncate before the start", conntest.Flow{After: -1, Then: conntest.Truncate}, nil},
		{"truncate after the end", conntest.Flow{After: 11, Then: conntest.Truncate}, []string{"abcdefghij"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, b := inject(conntest.Faults{Read: tt.flow})
			writeAll(t, b, "abcdefghij")
			b.CloseWrite()
			var got []string
			var passed int64
			for {
				p := make([]byte, 100)
				n, err := c.Read(p)
				if n > 0 {
					got = append(got, string(p[:n]))
					passed += int64(n)
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Reads mismatch (-want +got):\n%s", diff)
			}
			wantPassed(t, c, passed, 0)
			writeAll(t, c, "the other direction")
			wantRead(t, b, "the other direction", nil)
		})
	}
}

func TestWritePieces(t *testing.T) {
	tests := []struct {
		name string
		flow conntest.Flow
		want []string // of "abcd", "efghij", then Close
	}{
		{"none", conntest.Flow{}, []string{"abcd", "efghij", "close"}},
		{"every octet", conntest.Flow{Split: 1}, []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "close"}},
		{"offsets", conntest.Flow{SplitAt: []int64{2, 9}}, []string{"ab", "cd", "efghi", "j", "close"}},
		{"gather", conntest.Flow{Gather: 5}, []string{"abcdefghij", "close"}},
		{"gather as much as there is", conntest.Flow{Gather: 10}, []string{"abcdefghij", "close"}},
		{"gather more than there is", conntest.Flow{Gather: 11}, []string{"abcdefghij", "close"}},
		{"gather less", conntest.Flow{Gather: 3}, []string{"abcd", "efghij", "close"}},
		{"gather and split", conntest.Flow{Gather: 11, Split: 6}, []string{"abcdef", "ghij", "close"}},
		{"truncate", conntest.Flow{After: 10, Then: conntest.Truncate}, []string{"abcd", "efghij", "FIN", "close"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := conntest.Pipe(0)
			r := &recorder{Conn: a}
			c := conntest.Inject(r, conntest.Faults{Write: tt.flow})
			writeAll(t, c, "abcd")
			writeAll(t, c, "efghij")
			wantErr(t, "Close", c.Close(), nil)
			if diff := cmp.Diff(tt.want, r.writes); diff != "" {
				t.Errorf("Writes mismatch (-want +got):\n%s", diff)
			}
			wantPassed(t, c, 0, 10)
			wantRead(t, b, "abcdefghij", nil)
			wantRead(t, b, "", io.EOF)
		})
	}
}

func TestGatherRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b := inject(conntest.Faults{Read: conntest.Flow{Gather: 5}})
		writeAll(t, b, "abc")
		c.SetReadDeadline(time.Now().Add(time.Minute))
		wantElapsed(t, time.Minute, func() { wantRead(t, c, "", os.ErrDeadlineExceeded) })
		wantPassed(t, c, 0, 0)
		c.SetReadDeadline(time.Time{})
		go func() {
			time.Sleep(time.Second)
			b.Write([]byte("def"))
		}()
		p := make([]byte, 2)
		wantElapsed(t, time.Second, func() {
			for _, want := range []string{"ab", "cd", "e"} { // the rest of five needs no wait
				if n, err := c.Read(p); string(p[:n]) != want || err != nil {
					t.Fatalf("Read = %q, %v; want %q", p[:n], err, want)
				}
			}
		})
		c.SetReadDeadline(time.Now().Add(time.Second))
		wantRead(t, c, "", os.ErrDeadlineExceeded) // the sixth waits for four more
		c.SetReadDeadline(time.Time{})
		b.Close()
		wantRead(t, c, "f", nil)
		wantRead(t, c, "", io.EOF)
	})
}

func TestGatherWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.Pipe(4)
		c := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{Gather: 6}})
		p := []byte("abcde")
		c.Write(p)
		clear(p) // c has a copy
		wantPassed(t, c, 0, 0)

		// Four octets fit; of those held back, "e" is still owed, and the new
		// ones are not taken.
		c.SetWriteDeadline(time.Now().Add(time.Second))
		wantWrite(t, c, "fgh", 0, os.ErrDeadlineExceeded)
		wantWrite(t, c, "fgh", 0, os.ErrDeadlineExceeded)
		wantRead(t, b, "abcd", nil)
		c.SetWriteDeadline(time.Now().Add(time.Second))
		wantWrite(t, c, "fghijk", 3, os.ErrDeadlineExceeded)
		wantRead(t, b, "efgh", nil)

		// The half-close comes after what is held back.
		c.SetWriteDeadline(time.Time{})
		writeAll(t, c, "ijk")
		wantErr(t, "CloseWrite", c.CloseWrite(), nil)
		wantRead(t, b, "ijk", nil)
		wantRead(t, b, "", io.EOF)
		wantPassed(t, c, 0, 11)
	})
}

func TestGatherCloseBlocked(t *testing.T) {
	tests := []struct {
		name  string
		call  func(*conntest.Faulty) error
		first error // of the call that is blocked
		rest  string
	}{
		{"Close", (*conntest.Faulty).Close, net.ErrClosed, "ab"},
		{"CloseWrite", (*conntest.Faulty).CloseWrite, net.ErrClosed, "ab"},
	}
	for _, tt := range tests {
		t.Run(tt.name+" ended by Close", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := conntest.Pipe(2)
				c := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{Gather: 9}})
				writeAll(t, c, "abcd")
				go func() {
					time.Sleep(time.Second)
					wantErr(t, "second call", c.Close(), nil)
				}()
				wantElapsed(t, time.Second, func() { wantErr(t, tt.name, tt.call(c), tt.first) })
				wantRead(t, b, tt.rest, nil)
				wantRead(t, b, "", io.EOF)
			})
		})
		t.Run(tt.name+" ended by the deadline", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _ := conntest.Pipe(2)
				c := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{Gather: 9}})
				writeAll(t, c, "abcd")
				c.SetWriteDeadline(time.Now().Add(time.Second))
				wantElapsed(t, time.Second, func() { wantErr(t, tt.name, tt.call(c), os.ErrDeadlineExceeded) })
			})
		})
	}
}

func TestPerOctet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := conntest.Flow{PerOctet: time.Second}
		c, b := inject(conntest.Faults{Read: slow, Write: slow})
		wantElapsed(t, 5*time.Second, func() { writeAll(t, c, "hello") })
		wantRead(t, b, "hello", nil)
		writeAll(t, b, "abcdef")
		for _, want := range []string{"a", "b"} {
			wantElapsed(t, time.Second, func() { wantRead(t, c, want, nil) })
		}

		// A deadline interrupts, and the time waited is not lost.
		c.SetDeadline(time.Now().Add(900 * time.Millisecond))
		wantElapsed(t, 900*time.Millisecond, func() { wantRead(t, c, "", os.ErrDeadlineExceeded) })
		c.SetDeadline(time.Time{})
		wantElapsed(t, 100*time.Millisecond, func() { wantRead(t, c, "c", nil) })
		c.SetDeadline(time.Now().Add(2500 * time.Millisecond))
		wantWrite(t, c, "xyz", 2, os.ErrDeadlineExceeded)

		// So does Close.
		c.SetDeadline(time.Time{})
		go func() {
			time.Sleep(300 * time.Millisecond)
			c.Close()
		}()
		wantElapsed(t, 300*time.Millisecond, func() { wantRead(t, c, "", net.ErrClosed) })
	})
}

func TestPerOctetGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b := inject(conntest.Faults{Read: conntest.Flow{PerOctet: time.Second, Gather: 3}})
		writeAll(t, b, "abc")
		wantElapsed(t, 3*time.Second, func() { wantRead(t, c, "a", nil) })
		wantElapsed(t, 0, func() { wantRead(t, c, "b", nil) })
	})
}

func TestStall(t *testing.T) {
	for _, then := range []conntest.Action{conntest.Stall, conntest.Drop} {
		t.Run("read/"+then.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, b := inject(conntest.Faults{Read: conntest.Flow{After: 3, Then: then}})
				writeAll(t, b, "abcdef")
				wantRead(t, c, "abc", nil)
				c.SetReadDeadline(time.Now().Add(time.Hour))
				wantElapsed(t, time.Hour, func() { wantRead(t, c, "", os.ErrDeadlineExceeded) })
				c.SetReadDeadline(time.Time{})
				go func() {
					time.Sleep(time.Minute)
					b.Close() // does not come through
					time.Sleep(time.Minute)
					c.Close()
				}()
				wantElapsed(t, 2*time.Minute, func() { wantRead(t, c, "", net.ErrClosed) })
				wantPassed(t, c, 3, 0)
			})
		})
	}

	t.Run("write", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, b := inject(conntest.Faults{Write: conntest.Flow{After: 3, Then: conntest.Stall}})
			c.SetWriteDeadline(time.Now().Add(time.Hour))
			wantElapsed(t, time.Hour, func() { wantWrite(t, c, "abcdef", 3, os.ErrDeadlineExceeded) })
			wantRead(t, b, "abc", nil)
			writeAll(t, b, "the other direction")
			wantRead(t, c, "the other direction", nil)

			// CloseWrite ends the Writes blocked here, but the peer learns nothing.
			c.SetWriteDeadline(time.Time{})
			go func() {
				time.Sleep(time.Second)
				wantErr(t, "CloseWrite", c.CloseWrite(), nil)
			}()
			wantElapsed(t, time.Second, func() { wantWrite(t, c, "def", 0, syscall.EPIPE) })
			b.SetReadDeadline(time.Now().Add(time.Second))
			wantRead(t, b, "", os.ErrDeadlineExceeded)
			b.SetReadDeadline(time.Time{})
			wantErr(t, "Close", c.Close(), nil)
			wantRead(t, b, "", io.EOF)
		})
	})
}

// A stalled reader leaves the octets where they are and so holds up its peer; a
// dropping one takes them away.
func TestStallHoldsUpThePeer(t *testing.T) {
	tests := []struct {
		then conntest.Action
		n    int
		err  error
	}{
		{conntest.Stall, 4, os.ErrDeadlineExceeded},
		{conntest.Drop, 10, nil},
	}
	for _, tt := range tests {
		t.Run(tt.then.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := conntest.Pipe(4)
				c := conntest.Inject(a, conntest.Faults{Read: conntest.Flow{Then: tt.then}})
				defer c.Close()
				go c.Read(make([]byte, 10))
				b.SetWriteDeadline(time.Now().Add(time.Second))
				wantWrite(t, b, "abcdefghij", tt.n, tt.err)
			})
		})
	}
}

func TestDropWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b := inject(conntest.Faults{Write: conntest.Flow{After: 3, Then: conntest.Drop}})
		writeAll(t, c, "abcdef")
		writeAll(t, c, "ghi")
		wantPassed(t, c, 0, 3)
		wantErr(t, "CloseWrite", c.CloseWrite(), nil)
		wantWrite(t, c, "x", 0, syscall.EPIPE)
		wantRead(t, b, "abc", nil)
		b.SetReadDeadline(time.Now().Add(time.Second))
		wantRead(t, b, "", os.ErrDeadlineExceeded)
	})
}

func TestTruncateWrite(t *testing.T) {
	c, b := inject(conntest.Faults{Write: conntest.Flow{After: 3, Then: conntest.Truncate}})
	writeAll(t, c, "ab")
	wantWrite(t, c, "cdef", 1, syscall.EPIPE)
	wantWrite(t, c, "g", 0, syscall.EPIPE)
	wantErr(t, "CloseWrite", c.CloseWrite(), nil)
	wantRead(t, b, "abc", nil)
	wantRead(t, b, "", io.EOF)
	writeAll(t, b, "the other direction")
	wantRead(t, c, "the other direction", nil)
}

func TestTruncateWriteAtOnce(t *testing.T) {
	c, b := inject(conntest.Faults{Write: conntest.Flow{Then: conntest.Truncate}})
	wantRead(t, b, "", io.EOF)
	wantWrite(t, c, "a", 0, syscall.EPIPE)
}

// net.Pipe has no CloseWrite.
func TestWithoutCloseWrite(t *testing.T) {
	a, b := net.Pipe()
	c := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{After: 1, Then: conntest.Truncate}})
	wantErr(t, "CloseWrite", c.CloseWrite(), errors.ErrUnsupported)
	go c.Write([]byte("abc"))
	wantRead(t, b, "a", nil)
	wantRead(t, b, "", io.EOF)
}

func TestResetAfter(t *testing.T) {
	check := func(t *testing.T, c *conntest.Faulty, b *conntest.End) {
		t.Helper()
		wantRead(t, c, "", syscall.ECONNRESET)
		wantWrite(t, c, "x", 0, syscall.ECONNRESET)
		wantErr(t, "CloseWrite", c.CloseWrite(), syscall.ECONNRESET)
		wantErr(t, "SetDeadline", c.SetDeadline(time.Now()), nil)
		wantRead(t, c, "", os.ErrDeadlineExceeded)
		wantErr(t, "Close", c.Close(), nil)
		wantErr(t, "second Close", c.Close(), net.ErrClosed)
		wantRead(t, c, "", net.ErrClosed)
		wantRead(t, b, "", syscall.ECONNRESET)
		wantWrite(t, b, "x", 0, syscall.ECONNRESET)
	}
	reset := conntest.Flow{After: 3, Then: conntest.Reset}
	t.Run("read", func(t *testing.T) {
		c, b := inject(conntest.Faults{Read: reset})
		writeAll(t, b, "abcdef")
		wantRead(t, c, "abc", nil)
		check(t, c, b)
	})
	t.Run("write", func(t *testing.T) {
		c, b := inject(conntest.Faults{Write: reset})
		wantWrite(t, c, "abcdef", 3, syscall.ECONNRESET)
		check(t, c, b)
	})
	t.Run("write of all before", func(t *testing.T) {
		c, b := inject(conntest.Faults{Write: reset})
		writeAll(t, c, "abc")
		check(t, c, b)
	})
	t.Run("at once", func(t *testing.T) {
		c, b := inject(conntest.Faults{Read: conntest.Flow{Then: conntest.Reset}})
		check(t, c, b)
	})
	t.Run("both", func(t *testing.T) {
		c, b := inject(conntest.Faults{Read: conntest.Flow{Then: conntest.Reset}, Write: conntest.Flow{Then: conntest.Reset}})
		check(t, c, b)
	})
	t.Run("ends a blocked Read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, b := inject(conntest.Faults{Write: reset})
			go func() {
				time.Sleep(time.Second)
				c.Write([]byte("abc"))
			}()
			wantElapsed(t, time.Second, func() { wantRead(t, c, "", syscall.ECONNRESET) })
			check(t, c, b)
		})
	})
	t.Run("then Reset", func(t *testing.T) {
		c, _ := inject(conntest.Faults{Write: conntest.Flow{Then: conntest.Reset}})
		wantErr(t, "Reset", c.Reset(), nil)
		wantErr(t, "second Reset", c.Reset(), net.ErrClosed)
	})
}

// What a reset is depends on the wrapped connection.
func TestResetWrapped(t *testing.T) {
	t.Run("Faulty", func(t *testing.T) {
		c, b := inject(conntest.Faults{})
		wantErr(t, "Reset", conntest.Inject(c, conntest.Faults{}).Reset(), nil)
		wantRead(t, c, "", net.ErrClosed)
		wantRead(t, b, "", syscall.ECONNRESET)
	})
	t.Run("TCP", func(t *testing.T) {
		a, b := tcpPair(t)
		c := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{After: 3, Then: conntest.Reset}})
		wantWrite(t, c, "abcdef", 3, syscall.ECONNRESET)
		if _, err := io.ReadAll(b); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("peer reads %v, want %v", err, syscall.ECONNRESET)
		}
	})
	t.Run("TCP closed", func(t *testing.T) {
		a, _ := tcpPair(t)
		c := conntest.Inject(a, conntest.Faults{})
		a.Close()
		wantErr(t, "Reset", c.Reset(), net.ErrClosed)
	})
	t.Run("net.Pipe", func(t *testing.T) {
		a, b := net.Pipe()
		wantErr(t, "Reset", conntest.Inject(a, conntest.Faults{}).Reset(), nil)
		wantRead(t, b, "", io.EOF)
	})
}

func TestFail(t *testing.T) {
	fail := conntest.Flow{After: 3, Then: conntest.Fail}
	c, b := inject(conntest.Faults{Read: fail, Write: fail})
	writeAll(t, b, "abcdef")
	wantRead(t, c, "abc", nil)
	wantRead(t, c, "", syscall.EIO)
	wantRead(t, c, "", syscall.EIO)
	wantWrite(t, c, "abcdef", 3, syscall.EIO)
	wantWrite(t, c, "def", 0, syscall.EIO)
	wantRead(t, b, "abc", nil)
}

func TestInterrupt(t *testing.T) {
	interrupt := conntest.Flow{After: 3, Then: conntest.Interrupt}
	c, b := inject(conntest.Faults{Read: interrupt, Write: interrupt})
	writeAll(t, b, "abcdef")
	wantRead(t, c, "abc", nil)
	_, err := c.Read(make([]byte, 1))
	wantErr(t, "interrupted Read", err, syscall.EINTR)
	if tmp, ok := err.(interface{ Temporary() bool }); !ok || !tmp.Temporary() {
		t.Errorf("error %v is not temporary", err)
	}
	wantRead(t, c, "def", nil)
	wantWrite(t, c, "abcdef", 3, syscall.EINTR)
	writeAll(t, c, "def")
	wantRead(t, b, "abcdef", nil)
	wantPassed(t, c, 6, 6)
}

// Octets held back are neither lost nor overtaken when Write is interrupted.
func TestInterruptGathered(t *testing.T) {
	for _, after := range []int64{0, 2, 4} {
		c, b := inject(conntest.Faults{Write: conntest.Flow{Gather: 4, After: after, Then: conntest.Interrupt}})
		sent := ""
		for _, s := range []string{"ab", "cd", "ef"} {
			for len(s) > 0 {
				n, err := c.Write([]byte(s))
				if err != nil && !errors.Is(err, syscall.EINTR) {
					t.Fatal(err)
				}
				sent, s = sent+s[:n], s[n:]
			}
		}
		if err := c.CloseWrite(); err != nil {
			wantErr(t, "CloseWrite", err, syscall.EINTR)
			wantErr(t, "second CloseWrite", c.CloseWrite(), nil)
		}
		wantRead(t, b, "abcdef", nil)
		if sent != "abcdef" {
			t.Errorf("After %d: Write took %q", after, sent)
		}
	}
}

// Calls of the same direction take turns, and those that wait see their
// deadline.
func TestFaultyTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, b := inject(conntest.Faults{Read: conntest.Flow{PerOctet: time.Second}})
		writeAll(t, b, "ab")
		var wg sync.WaitGroup
		wantElapsed(t, 2*time.Second, func() {
			for range 2 {
				wg.Go(func() { c.Read(make([]byte, 1)) })
			}
			wg.Wait()
		})
		wantPassed(t, c, 2, 0)
		for range 2 {
			wg.Go(func() { wantRead(t, c, "", os.ErrDeadlineExceeded) })
		}
		synctest.Wait()
		c.SetReadDeadline(time.Now().Add(time.Minute))
		wantElapsed(t, time.Minute, wg.Wait)
	})
}

func TestActionString(t *testing.T) {
	if got := conntest.Truncate.String(); got != "truncate" {
		t.Errorf("Truncate.String() = %q", got)
	}
	if got := conntest.Action(200).String(); got != "Action(200)" {
		t.Errorf("Action(200).String() = %q", got)
	}
}
