package conn_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// A prepared message is the same for every connection of either role, however
// long it is, and does not depend on the slice it was made from.
func TestWritePrepared(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 64 << 10, 64<<10 + 1, 300 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := pattern(size)
				given := bytes.Clone(want)
				m, err := conn.Prepare(frame.OpBinary, given)
				if err != nil {
					t.Fatal(err)
				}
				clear(given)
				var writing sync.WaitGroup
				for i := range 6 {
					c, p := open(t, frame.Role(i%2), nil)
					for range 2 {
						writing.Go(func() {
							if err := c.WritePrepared(t.Context(), m); err != nil {
								t.Error(err)
							}
						})
						writing.Go(func() { p.expectFrame(frame.FIN, frame.OpBinary, want) })
						writing.Wait()
					}
					if s := c.Stats().Sent; s.Messages != 2 || s.Payload != uint64(2*size) {
						t.Errorf("Stats = %+v, want 2 messages of %d octets", s, size)
					}
				}
			})
		})
	}
}

// A prepared message is text or binary as it was made, and shares the order of
// other messages.
func TestWritePreparedOrder(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, nil)
		m, err := conn.Prepare(frame.OpText, []byte("é"))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"a", "b"} {
			if err := c.WriteMessage(t.Context(), frame.OpText, []byte(s)); err != nil {
				t.Fatal(err)
			}
			if err := c.WritePrepared(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		p.expect("8101:61 8102:c3a9 8101:62 8102:c3a9")
		p.expectNothing()
	})
}
