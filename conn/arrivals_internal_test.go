package conn

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// cutOff reports whether a read of nc, which nobody writes to, is ended by a deadline.
func cutOff(nc net.Conn) bool {
	cut := make(chan bool, 1)
	go func() {
		_, err := nc.Read(make([]byte, 1))
		cut <- errors.Is(err, os.ErrDeadlineExceeded)
	}()
	synctest.Wait()
	select {
	case is := <-cut:
		return is
	default:
		nc.Close()
		return <-cut
	}
}

// TestArrivals: each has its time, however many came before it or have left.
func TestArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 10
		all := &arrivals{timeout: 10 * time.Second}
		var came [n]arrival
		var ncs [n]net.Conn
		for i := range came {
			var other net.Conn
			ncs[i], other = net.Pipe()
			defer other.Close()
			all.enter(&came[i], ncs[i])
			time.Sleep(time.Second)
		}
		// The first has just been sent away.
		synctest.Wait()
		for i := 1; i < n; i += 2 {
			if !came[i].leave() {
				t.Errorf("%d was sent away after %d seconds", i, n-i)
			}
		}
		time.Sleep(4500 * time.Millisecond) // until the fifth has been
		synctest.Wait()
		for _, i := range []int{0, 2, 4} {
			if came[i].leave() || !cutOff(ncs[i]) {
				t.Errorf("%d was not sent away after %d seconds", i, n-i+4)
			}
		}
		for i := 1; i < n; i += 2 {
			if came[i].leave() || cutOff(ncs[i]) {
				t.Errorf("%d was sent away although it had left", i)
			}
		}
		all.close()
		for _, i := range []int{6, 8} {
			if came[i].leave() || !cutOff(ncs[i]) {
				t.Errorf("%d was not sent away at the end", i)
			}
		}
		var late arrival
		nc, other := net.Pipe()
		defer other.Close()
		if all.enter(&late, nc); late.leave() || !cutOff(nc) {
			t.Error("one that came after the end was not sent away")
		}
	})
}

// TestArrivalsForEver: without a limit nobody is sent away but at the end.
func TestArrivalsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all arrivals
		var came [3]arrival
		var ncs [3]net.Conn
		for i := range came {
			var other net.Conn
			ncs[i], other = net.Pipe()
			defer other.Close()
			all.enter(&came[i], ncs[i])
		}
		time.Sleep(time.Hour)
		if !came[1].leave() {
			t.Error("one was sent away")
		}
		all.close()
		for _, i := range []int{0, 2} {
			if came[i].leave() || !cutOff(ncs[i]) {
				t.Errorf("%d was not sent away at the end", i)
			}
		}
	})
}
