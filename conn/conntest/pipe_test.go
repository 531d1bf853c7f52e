package conntest_test

import (
	"bytes"
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

func TestPipeNetConn(t *testing.T) {
	tests := []struct {
		name   string
		buffer int // at least a round trip of the suite, 13 octets
	}{
		{"default", 0},
		{"small", 100},
	}
	for _, tt := range tests {
		t.Run(tt.name+"/a b", func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				a, b := conntest.Pipe(tt.buffer)
				return a, b, func() { a.Close(); b.Close() }, nil
			})
		})
		t.Run(tt.name+"/b a", func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				a, b := conntest.Pipe(tt.buffer)
				return b, a, func() { a.Close(); b.Close() }, nil
			})
		})
	}
}

// writeAll checks that s is written whole.
func writeAll(t *testing.T, w io.Writer, s string) {
	t.Helper()
	if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
		t.Errorf("Write(%q) = %d, %v; want %d, nil", s, n, err, len(s))
	}
}

// wantRead checks that one Read with room for 100 octets returns want and err.
func wantRead(t *testing.T, r io.Reader, want string, err error) {
	t.Helper()
	p := make([]byte, 100)
	n, got := r.Read(p)
	if string(p[:n]) != want || !errors.Is(got, err) {
		t.Errorf("Read = %q, %v; want %q, %v", p[:n], got, want, err)
	}
}

// wantWrite checks that writing s writes n octets and fails with err.
func wantWrite(t *testing.T, w io.Writer, s string, n int, err error) {
	t.Helper()
	if m, got := w.Write([]byte(s)); m != n || !errors.Is(got, err) {
		t.Errorf("Write(%q) = %d, %v; want %d, %v", s, m, got, n, err)
	}
}

// wantErr checks the error of a call.
func wantErr(t *testing.T, call string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s = %v, want %v", call, got, want)
	}
}

// wantElapsed checks the time f takes, by the clock of the bubble.
func wantElapsed(t *testing.T, want time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if got := time.Since(start); got != want {
		t.Errorf("took %v, want %v", got, want)
	}
}

func TestPipeAddresses(t *testing.T) {
	a, b := conntest.Pipe(0)
	got := []string{a.LocalAddr().String(), a.RemoteAddr().String(), b.LocalAddr().String(), b.RemoteAddr().String()}
	want := []string{"192.0.2.1:1", "192.0.2.2:2", "192.0.2.2:2", "192.0.2.1:1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses mismatch (-want +got):\n%s", diff)
	}
}

func TestPipeDefaultBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, buffer := range []int{0, -1} {
			a, _ := conntest.Pipe(buffer)
			a.SetWriteDeadline(time.Now().Add(time.Second))
			n, err := a.Write(make([]byte, conntest.DefaultBuffer+1))
			if n != conntest.DefaultBuffer || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Pipe(%d): Write = %d, %v; want %d, %v", buffer, n, err, conntest.DefaultBuffer, os.ErrDeadlineExceeded)
			}
		}
	})
}

func TestPipeRetainsNothing(t *testing.T) {
	a, b := conntest.Pipe(0)
	p := []byte("hello")
	a.Write(p)
	clear(p)
	wantRead(t, b, "hello", nil)
}

func TestPipeWriteBlocksWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.Pipe(4)
		done := false
		go func() {
			writeAll(t, a, "abcdefg")
			done = true
		}()
		synctest.Wait()
		wantRead(t, b, "abcd", nil)
		synctest.Wait()
		if !done {
			t.Fatal("Write still blocked with 3 octets left and room for 4")
		}
		wantRead(t, b, "efg", nil)
	})
}

// Octets of one Write stay together although the buffer is smaller.
func TestPipeWritesDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.Pipe(3)
		var wg sync.WaitGroup
		for _, c := range "abcdefgh" {
			wg.Go(func() { writeAll(t, a, string(bytes.Repeat([]byte(string(c)), 10))) })
		}
		go func() {
			wg.Wait()
			a.Close()
		}()
		got, err := io.ReadAll(b)
		if len(got) != 80 || err != nil {
			t.Fatalf("ReadAll = %d octets, %v; want 80", len(got), err)
		}
		for i := range 8 {
			if run := got[10*i : 10*i+10]; !bytes.Equal(run, bytes.Repeat(run[:1], 10)) {
				t.Errorf("octets of several Writes mixed: %q", run)
			}
		}
	})
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.Pipe(4)
		past := time.Now().Add(-time.Second)

		// A past deadline wins over octets and room that are there.
		writeAll(t, b, "x")
		a.SetDeadline(past)
		wantRead(t, a, "", os.ErrDeadlineExceeded)
		wantWrite(t, a, "y", 0, os.ErrDeadlineExceeded)
		_, err := a.Read(make([]byte, 1))
		if ne, ok := err.(net.Error); !ok || !ne.Timeout() {
			t.Errorf("error %v is no net.Error with Timeout() true", err)
		}

		// The zero time clears it.
		a.SetDeadline(time.Time{})
		wantRead(t, a, "x", nil)

		// A blocked call ends at the time exactly, and what was written stays.
		a.SetDeadline(time.Now().Add(time.Hour))
		wantElapsed(t, time.Hour, func() { wantRead(t, a, "", os.ErrDeadlineExceeded) })
		a.SetWriteDeadline(time.Now().Add(time.Minute))
		wantElapsed(t, time.Minute, func() { wantWrite(t, a, "abcdef", 4, os.ErrDeadlineExceeded) })
		a.SetDeadline(time.Time{})
		wantRead(t, b, "abcd", nil)
		writeAll(t, a, "ef")
		wantRead(t, b, "ef", nil)

		// Moved while blocked: later, sooner, to the past.
		for _, tt := range []struct {
			first, second, want time.Duration
		}{
			{time.Minute, time.Hour, time.Hour},
			{time.Hour, time.Minute, time.Minute},
			{time.Hour, -time.Minute, time.Second},
		} {
			start := time.Now()
			a.SetReadDeadline(start.Add(tt.first))
			go func() {
				time.Sleep(time.Second)
				a.SetReadDeadline(start.Add(tt.second))
			}()
			wantElapsed(t, tt.want, func() { wantRead(t, a, "", os.ErrDeadlineExceeded) })
		}

		// Cleared while blocked.
		a.SetReadDeadline(time.Now().Add(time.Minute))
		go func() {
			time.Sleep(time.Second)
			a.SetReadDeadline(time.Time{})
			time.Sleep(time.Hour)
			b.Write([]byte("z"))
		}()
		wantElapsed(t, time.Hour+time.Second, func() { wantRead(t, a, "z", nil) })

		// A Write that waits for another has a deadline as well.
		writeAll(t, a, "full")
		go a.Write([]byte("first"))
		synctest.Wait()
		a.SetWriteDeadline(time.Now().Add(time.Second))
		wantElapsed(t, time.Second, func() { wantWrite(t, a, "second", 0, os.ErrDeadlineExceeded) })
	})
}

func TestPipeEmptySlices(t *testing.T) {
	a, b := conntest.Pipe(0)
	if n, err := a.Read(nil); n != 0 || err != nil {
		t.Errorf("Read(nil) = %d, %v; want 0, nil", n, err)
	}
	writeAll(t, a, "")
	b.Close()
	writeAll(t, a, "") // sends nothing, so nothing is answered
	a.Close()
	_, err := a.Read(nil)
	wantErr(t, "Read(nil) after Close", err, net.ErrClosed)
}

func TestPipeCloseWrite(t *testing.T) {
	a, b := conntest.Pipe(0)
	writeAll(t, a, "last")
	wantErr(t, "CloseWrite", a.CloseWrite(), nil)
	wantErr(t, "second CloseWrite", a.CloseWrite(), nil)
	wantWrite(t, a, "more", 0, syscall.EPIPE)
	wantRead(t, b, "last", nil)
	wantRead(t, b, "", io.EOF)
	wantRead(t, b, "", io.EOF)
	writeAll(t, b, "answer")
	wantErr(t, "Close", b.Close(), nil)
	wantRead(t, a, "answer", nil)
	wantRead(t, a, "", io.EOF)
	wantErr(t, "Close", a.Close(), nil)
}

func TestPipeCloseWriteEndsBlockedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := conntest.Pipe(2)
		go func() {
			time.Sleep(time.Second)
			a.CloseWrite()
		}()
		wantElapsed(t, time.Second, func() { wantWrite(t, a, "abc", 2, syscall.EPIPE) })
		wantRead(t, b, "ab", nil)
		wantRead(t, b, "", io.EOF)
	})
}

func TestPipeClose(t *testing.T) {
	a, b := conntest.Pipe(0)
	writeAll(t, a, "last")
	wantErr(t, "Close", a.Close(), nil)
	wantErr(t, "second Close", a.Close(), net.ErrClosed)
	wantErr(t, "Reset", a.Reset(), net.ErrClosed)
	wantErr(t, "CloseWrite", a.CloseWrite(), net.ErrClosed)
	wantErr(t, "SetDeadline", a.SetDeadline(time.Now()), net.ErrClosed)
	wantRead(t, a, "", net.ErrClosed)
	wantWrite(t, a, "x", 0, net.ErrClosed)
	wantRead(t, b, "last", nil)
	wantRead(t, b, "", io.EOF)
	wantWrite(t, b, "x", 0, syscall.EPIPE)
}

// The octets that a closed peer sent are destroyed by the reset that answers
// what is sent to it.
func TestPipeWriteToClosedPeer(t *testing.T) {
	a, b := conntest.Pipe(0)
	writeAll(t, a, "close frame")
	a.Close()
	wantWrite(t, b, "x", 0, syscall.EPIPE)
	wantWrite(t, b, "x", 0, syscall.EPIPE)
	wantRead(t, b, "", syscall.ECONNRESET)
	wantErr(t, "Close", b.Close(), nil)
}

func TestPipeCloseWithUnread(t *testing.T) {
	a, b := conntest.Pipe(0)
	writeAll(t, a, "close frame")
	writeAll(t, b, "unread")
	wantErr(t, "Close", a.Close(), nil)
	wantRead(t, b, "", syscall.ECONNRESET)
	wantWrite(t, b, "x", 0, syscall.ECONNRESET)
	wantErr(t, "CloseWrite", b.CloseWrite(), syscall.ECONNRESET)
	wantErr(t, "SetDeadline", b.SetDeadline(time.Now().Add(time.Hour)), nil)
	wantErr(t, "Close", b.Close(), nil)
}

// Blocked calls of both ends end when one of them goes.
func TestPipeEndsBlockedCalls(t *testing.T) {
	tests := []struct {
		name        string
		end         func(*conntest.End) error
		full        bool // both ends are blocked in Write, otherwise in Read
		own, peer   error
		later       error // of the peer's next Read
		laterWriter error // and Write
	}{
		{"Reset in Read", (*conntest.End).Reset, false, net.ErrClosed, syscall.ECONNRESET, syscall.ECONNRESET, syscall.ECONNRESET},
		{"Close in Read", (*conntest.End).Close, false, net.ErrClosed, io.EOF, io.EOF, syscall.EPIPE},
		{"Reset in Write", (*conntest.End).Reset, true, net.ErrClosed, syscall.ECONNRESET, syscall.ECONNRESET, syscall.ECONNRESET},
		{"Close in Write", (*conntest.End).Close, true, net.ErrClosed, syscall.ECONNRESET, syscall.ECONNRESET, syscall.ECONNRESET},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := conntest.Pipe(2)
				blocked := func(e *conntest.End, want error) {
					if tt.full {
						wantWrite(t, e, "abc", 2, want)
					} else {
						wantRead(t, e, "", want)
					}
				}
				var wg sync.WaitGroup
				wg.Go(func() { blocked(a, tt.own) })
				wg.Go(func() { blocked(b, tt.peer) })
				synctest.Wait()
				wantErr(t, "ending a", tt.end(a), nil)
				wg.Wait()
				wantRead(t, b, "", tt.later)
				wantWrite(t, b, "x", 0, tt.laterWriter)
			})
		})
	}
}
