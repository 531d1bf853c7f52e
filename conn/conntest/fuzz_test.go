package conntest_test

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"

	"example.org/rfc6455/conn/conntest"
)

// FuzzFaultsKeepTheStream: faults that lose nothing deliver the same octets in
// the same order, whatever the sizes of Reads and Writes.
func FuzzFaultsKeepTheStream(f *testing.F) {
	f.Add([]byte("hello, world"), uint8(5), uint8(3), uint8(1), uint8(4), uint8(0), uint8(7))
	f.Add([]byte("hello, world"), uint8(1), uint8(100), uint8(0), uint8(20), uint8(12), uint8(0))
	f.Fuzz(func(t *testing.T, stream []byte, write, read, split, gather, cut, after uint8) {
		if len(stream) > conntest.DefaultBuffer {
			return // written before it is read
		}
		flow := conntest.Flow{
			Split:   int(split),
			SplitAt: []int64{int64(cut), int64(after)},
			Gather:  int(gather),
			After:   int64(after),
			Then:    conntest.Interrupt,
		}
		a, b := conntest.Pipe(0)
		from := conntest.Inject(a, conntest.Faults{Write: flow})
		to := conntest.Inject(b, conntest.Faults{Read: flow})
		for rest := stream; len(rest) > 0; {
			n, err := from.Write(rest[:min(len(rest), int(write)+1)])
			if err != nil && !errors.Is(err, syscall.EINTR) {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		err := from.CloseWrite()
		if errors.Is(err, syscall.EINTR) {
			err = from.CloseWrite()
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		p := make([]byte, int(read)+1)
		for {
			n, err := to.Read(p)
			got = append(got, p[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil && !errors.Is(err, syscall.EINTR) {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, stream) {
			t.Fatalf("%+v: sent %q, received %q", flow, stream, got)
		}
		if _, n := from.Passed(); n != int64(len(stream)) {
			t.Fatalf("%+v: counted %d octets written of %d", flow, n, len(stream))
		}
	})
}
