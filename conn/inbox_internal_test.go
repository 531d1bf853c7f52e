package conn

import (
	"bytes"
	"testing"
)

// What has come stays in its order while buffers come and go.
func TestInbox(t *testing.T) {
	for _, least := range []int{smallInbox, largeInbox} {
		i := inbox{least: least, want: least}
		if len(i.bytes()) != 0 {
			t.Error("a new inbox holds octets")
		}
		next := byte(0) // to come in
		taken := byte(0)
		for round := range 200 {
			room := i.room()
			if len(room) == 0 || len(i.buf) < least {
				t.Fatalf("room of %d octets in a buffer of %d", len(room), len(i.buf))
			}
			n := min(1+round*37%5000, len(room))
			for j := range n {
				room[j] = next
				next++
			}
			i.filled(n)
			// At most a part of a header stays.
			for len(i.bytes()) > round%14 {
				if i.bytes()[0] != taken {
					t.Fatalf("octet %d comes out as %d", taken, i.bytes()[0])
				}
				i.r++
				taken++
			}
			switch round % 3 {
			case 0:
				i.rest()
				if i.r == i.w && i.buf != nil || len(i.buf) > smallInbox {
					t.Fatalf("a buffer of %d octets for %d while waiting", len(i.buf), len(i.bytes()))
				}
			case 1:
				old := i.buf
				kept := bytes.Clone(old)
				i.detach()
				ScribblePools()
				if room := i.room(); len(room) > 0 {
					room[0] = ^room[0]
				}
				if !bytes.Equal(old, kept) {
					t.Fatal("detach leaves a buffer that is still written to")
				}
			}
		}
	}
}

// A buffer that was filled to its end calls for a larger one, and for a small one
// as soon as it was not.
func TestInboxGrows(t *testing.T) {
	i := inbox{least: smallInbox, want: smallInbox}
	for _, tt := range []struct{ size, come int }{
		{smallInbox, 100}, {smallInbox, smallInbox}, {largeInbox, largeInbox}, {largeInbox, largeInbox - 1}, {smallInbox, 1},
	} {
		room := i.room()
		if len(room) != tt.size {
			t.Fatalf("room for %d octets, want %d", len(room), tt.size)
		}
		i.filled(tt.come)
		i.r = i.w
		i.rest()
	}
}

func TestBufferSizes(t *testing.T) {
	for _, tt := range []struct{ n, size int }{
		{0, 4 << 10}, {4 << 10, 4 << 10}, {4<<10 + 1, 16 << 10}, {64 << 10, 64 << 10}, {64<<10 + 1, 256 << 10},
		{256<<10 + 1, 1 << 20}, {1 << 20, 1 << 20}, {1<<20 + 1, 1<<20 + 1},
	} {
		b := getBuffer(tt.n)
		if len(b) != 0 || cap(b) != tt.size {
			t.Errorf("getBuffer(%d) has room for %d octets, want %d", tt.n, cap(b), tt.size)
		}
		putBuffer(b)
	}
	putBuffer(nil)
	putBuffer(make([]byte, 5))
}

func TestGrowBuffer(t *testing.T) {
	b := growBuffer(nil, 0, 100)
	if b != nil {
		t.Error("growBuffer makes a buffer for nothing")
	}
	b = append(growBuffer(nil, 5, 100), "Hello"...)
	if again := growBuffer(b, 4<<10-5, 1<<20); &again[0] != &b[0] {
		t.Error("growBuffer moves what has room")
	}
	b = growBuffer(b, 4<<10-4, 1<<20)
	if string(b) != "Hello" || cap(b) != 16<<10 {
		t.Errorf("growBuffer returns %q with room for %d octets", b, cap(b))
	}
	big := append(growBuffer(nil, 1<<20, 3<<20), make([]byte, 1<<20)...)
	if big = growBuffer(big, 1, 3<<20); cap(big) != 2<<20 {
		t.Errorf("1 MiB grows to %d octets, want twice as much", cap(big))
	}
	big = big[:cap(big)]
	if big = growBuffer(big, 1, 3<<20); cap(big) != 3<<20 {
		t.Errorf("2 MiB grow to %d octets, want no more than 3 MiB", cap(big))
	}
	big = big[:cap(big)]
	if big = growBuffer(big, 1, 0); cap(big) != 3<<20+1 {
		t.Errorf("3 MiB grow to %d octets, want what was asked for", cap(big))
	}
}
