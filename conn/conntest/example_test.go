package conntest_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn/conntest"
)

// A half-close lets the peer answer what it has read to the end.
func ExamplePipe() {
	a, b := conntest.Pipe(0)
	io.WriteString(a, "hello")
	a.CloseWrite()

	request, err := io.ReadAll(b)
	fmt.Printf("%s %v\n", request, err)
	io.WriteString(b, "goodbye")
	b.Close()

	response, err := io.ReadAll(a)
	fmt.Printf("%s %v\n", response, err)
	// Output:
	// hello <nil>
	// goodbye <nil>
}

// Closing with octets unread destroys what the peer has not read yet.
func ExampleEnd_Close() {
	a, b := conntest.Pipe(0)
	io.WriteString(a, "the last words of a")
	io.WriteString(b, "never read")
	a.Close()

	octets, err := io.ReadAll(b)
	fmt.Println(len(octets), errors.Is(err, syscall.ECONNRESET))
	// Output: 0 true
}

// The stream of the peer ends in the middle.
func ExampleInject() {
	a, b := conntest.Pipe(0)
	c := conntest.Inject(a, conntest.Faults{
		Read: conntest.Flow{Split: 3, After: 7, Then: conntest.Truncate},
	})
	io.WriteString(b, "hello, world")

	p := make([]byte, 100)
	for {
		n, err := c.Read(p)
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%q\n", p[:n])
	}
	read, written := c.Passed()
	fmt.Println(read, written)
	// Output:
	// "hel"
	// "lo,"
	// " "
	// EOF
	// 7 0
}

// Faults one after the other: an interruption, then a reset.
func ExampleInject_nested() {
	a, _ := conntest.Pipe(0)
	c := conntest.Inject(conntest.Inject(a,
		conntest.Faults{Write: conntest.Flow{After: 8, Then: conntest.Reset}}),
		conntest.Faults{Write: conntest.Flow{After: 5, Then: conntest.Interrupt}})

	n, err := io.WriteString(c, "hello, world")
	fmt.Println(n, errors.Is(err, syscall.EINTR))
	n, err = io.WriteString(c, ", world")
	fmt.Println(n, errors.Is(err, syscall.ECONNRESET))
	// Output:
	// 5 true
	// 3 true
}

// TestStalledPeer is the example of the package comment.
func TestStalledPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := conntest.Pipe(0)
		c := conntest.Inject(a, conntest.Faults{Write: conntest.Flow{After: 5, Then: conntest.Stall}})
		c.SetWriteDeadline(time.Now().Add(time.Hour))
		start := time.Now()
		n, err := c.Write([]byte("hello, world"))
		if n != 5 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("Write = %d, %v after %v", n, err, time.Since(start))
		}
	})
}
