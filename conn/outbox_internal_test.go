package conn

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// newOutbox returns an outbox without limits.
func newOutbox() *outbox {
	return &outbox{queue: &noQueue, options: &Options{MaxQueuedSize: math.MaxInt, MaxQueuedFrames: math.MaxInt}}
}

// appendText appends a text message.
func appendText(o *outbox, s string) uint64 {
	return o.append(frame.Header{Flags: frame.FIN, Opcode: frame.OpText}, []byte(s))
}

// texts are the octets of text messages as a server sends them.
func texts(messages ...string) string {
	var b []byte
	for _, m := range messages {
		b, _ = frame.AppendFrame(b, frame.Header{Flags: frame.FIN, Opcode: frame.OpText}, []byte(m))
	}
	return string(b)
}

// flushAll writes all that waits in pieces of at most n octets.
func flushAll(o *outbox, n int) string {
	var b bytes.Buffer
	var scratch []byte
	for p := o.take(&scratch); p != nil; p = o.take(&scratch) {
		p = p[:min(n, len(p))]
		b.Write(p)
		o.wrote(len(p))
	}
	return b.String()
}

// The octets leave in the order of the frames, whatever a write takes of them,
// and whether they lie in the buffer, are shared or too long to be copied.
func TestOutboxOrder(t *testing.T) {
	long := strings.Repeat("long", gatherSize/4+1)
	m, err := Prepare(frame.OpText, []byte("prepared"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 3, 7, 64, 1 << 10, gatherSize, math.MaxInt} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			o := newOutbox()
			appendText(o, "a")
			o.appendPrepared(m)
			appendText(o, "")
			appendText(o, long)
			o.appendPrepared(m)
			o.appendPrepared(m)
			last := appendText(o, "z")
			want := texts("a", "prepared", "", long, "prepared", "prepared", "z")
			if octets, frames := o.queued(); octets != len(want) || frames != 7 {
				t.Errorf("queued = %d octets, %d frames; want %d and 7", octets, frames, len(want))
			}
			if got := flushAll(o, n); got != want {
				t.Errorf("%d octets left, want %d", len(got), len(want))
			}
			if octets, frames := o.queued(); octets != 0 || frames != 0 || o.written != last {
				t.Errorf("afterwards %d octets, %d frames, written = %d; want 0, 0 and %d", octets, frames, o.written, last)
			}
			if got, want := o.departed, (counters{messages: 7, payload: uint64(len(long) + 26), octets: uint64(len(want))}); got != want {
				t.Errorf("sent = %+v, want %+v", got, want)
			}
		})
	}
}

// A client's long frame is masked in a buffer of its own.
func TestOutboxLongMasked(t *testing.T) {
	o := newOutbox()
	long := bytes.Repeat([]byte("long"), gatherSize/4+1)
	h := frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpBinary, Key: 0x3d21fa37}
	o.append(h, long)
	got := []byte(flushAll(o, 1000))
	h.Length = int64(len(long))
	parsed, n, err := frame.ParseHeader(got)
	if err != nil || parsed != h {
		t.Fatalf("header = %+v, %v; want %+v", parsed, err, h)
	}
	mask.Apply(got[n:], h.Key)
	if !bytes.Equal(got[n:], long) {
		t.Error("payload is not what was appended")
	}
}

// Many small frames go together into one write, of gatherSize octets at most
// unless they lie side by side.
func TestOutboxGather(t *testing.T) {
	m, err := Prepare(frame.OpBinary, make([]byte, 1000))
	if err != nil {
		t.Fatal(err)
	}
	o := newOutbox()
	for range 200 {
		appendText(o, "small")
		o.appendPrepared(m)
	}
	var writes []int
	var scratch []byte
	for p := o.take(&scratch); p != nil; p = o.take(&scratch) {
		writes = append(writes, len(p))
		o.wrote(len(p))
	}
	total := 200 * (7 + 4 + 1000)
	if want := []int{gatherSize, gatherSize, gatherSize, total - 3*gatherSize}; !slices.Equal(writes, want) {
		t.Errorf("writes = %d, want %d", writes, want)
	}
}

// A frame of which nothing has left can be taken back, and leaves no gap.
func TestOutboxDrop(t *testing.T) {
	const all = 3
	tests := []struct {
		name    string
		taken   bool // whether the flusher has taken the frames
		left    int  // octets of them that have left
		drop    int
		verdict verdict
		rest    string
	}{
		{name: "first, waiting", drop: 0, verdict: dropped, rest: texts("bb", "ccc")},
		{name: "second, waiting", drop: 1, verdict: dropped, rest: texts("a", "ccc")},
		{name: "last, waiting", drop: 2, verdict: dropped, rest: texts("a", "bb")},
		{name: "first, flying", taken: true, drop: 0, verdict: dropped, rest: texts("bb", "ccc")},
		{name: "first, begun", taken: true, left: 1, drop: 0, verdict: torn, rest: texts("a", "bb", "ccc")[1:]},
		{name: "first, but for an octet", taken: true, left: 2, drop: 0, verdict: torn, rest: texts("a", "bb", "ccc")[2:]},
		{name: "first, gone", taken: true, left: 3, drop: 0, verdict: left, rest: texts("bb", "ccc")},
		{name: "second, first begun", taken: true, left: 2, drop: 1, verdict: dropped, rest: texts("a", "ccc")[2:]},
		{name: "second, first gone", taken: true, left: 3, drop: 1, verdict: dropped, rest: texts("ccc")},
		{name: "second, begun", taken: true, left: 4, drop: 1, verdict: torn, rest: texts("bb", "ccc")[1:]},
		{name: "last, gone", taken: true, left: 12, drop: 2, verdict: left, rest: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOutbox()
			var ids [all]uint64
			for i, s := range []string{"a", "bb", "ccc"} {
				ids[i] = appendText(o, s)
			}
			if tt.taken {
				var scratch []byte
				o.take(&scratch)
				o.wrote(tt.left)
			}
			if v := o.drop(ids[tt.drop]); v != tt.verdict {
				t.Errorf("drop = %v, want %v", v, tt.verdict)
			}
			if octets, _ := o.queued(); octets != len(tt.rest) {
				t.Errorf("queued = %d octets, want %d", octets, len(tt.rest))
			}
			if got := flushAll(o, math.MaxInt); got != tt.rest {
				t.Errorf("then %x leaves, want %x", got, tt.rest)
			}
		})
	}
}

// A long frame is torn as soon as its header has left, and dropped as a whole.
func TestOutboxDropLong(t *testing.T) {
	for _, flags := range []frame.Flags{frame.FIN, frame.FIN | frame.MASK} {
		for _, left := range []int{0, 1, 10, 14, 100} {
			o := newOutbox()
			id := o.append(frame.Header{Flags: flags, Opcode: frame.OpBinary}, make([]byte, gatherSize+1))
			var scratch []byte
			for n := left; n > 0; {
				m := min(n, len(o.take(&scratch)))
				o.wrote(m)
				n -= m
			}
			want := torn
			if left == 0 {
				want = dropped
			}
			if v := o.drop(id); v != want {
				t.Errorf("%v with %d octets gone: drop = %v, want %v", flags, left, v, want)
			}
			if _, frames := o.queued(); (frames == 0) != (want == dropped) {
				t.Errorf("%v with %d octets gone: %d frames queued", flags, left, frames)
			}
		}
	}
}

// While a write blocks only the newest pong waits, and never more than maxPongs.
func TestOutboxPongs(t *testing.T) {
	pong := frame.Header{Flags: frame.FIN, Opcode: frame.OpPong}
	o := newOutbox()
	appendText(o, "a")
	o.appendPong(pong, []byte("1"), 0)
	o.appendPong(pong, []byte("2"), blockedAfter-1)
	if _, frames := o.queued(); frames != 3 {
		t.Errorf("%d frames wait before the write side counts as blocked, want 3", frames)
	}
	o.appendPong(pong, []byte("3"), blockedAfter)
	appendText(o, "b")
	o.appendPong(pong, []byte("4"), blockedAfter)
	want := texts("a", "b") + "\x8a\x014"
	if got := flushAll(o, math.MaxInt); got != want {
		t.Errorf("%x leaves, want %x", got, want)
	}

	o = newOutbox()
	for i := range 1000 {
		o.appendPong(pong, []byte{byte(i >> 8), byte(i)}, 0)
	}
	got := flushAll(o, math.MaxInt)
	if len(got) != 4*maxPongs || got[len(got)-2:] != "\x03\xe7" {
		t.Errorf("%d octets of pongs leave, the last %x; want %d pongs, the last the newest", len(got), got[len(got)-2:], maxPongs)
	}
	o.appendPong(pong, nil, 0)
	if got := flushAll(o, math.MaxInt); got != "\x8a\x00" {
		t.Errorf("the next pong leaves as %x, want 8a00", got)
	}
}

// What waits for a MessageWriter to end is no work for a flusher.
func TestOutboxHandOver(t *testing.T) {
	m, err := Prepare(frame.OpText, []byte("posted"))
	if err != nil {
		t.Fatal(err)
	}
	o := newOutbox()
	o.flushing = true
	o.own().posted = []*Prepared{m}
	if o.handOver() || o.flushing {
		t.Error("handOver asks for a flusher although nothing can be written")
	}
	appendText(o, "a")
	o.flushing = true
	if !o.handOver() || !o.flushing {
		t.Error("handOver asks for no flusher although a frame waits")
	}
	w := o.wait(1)
	if o.handOver() || !o.flushing || <-w.ready != lead {
		t.Error("handOver does not make the waiter the flusher")
	}
}

// Limits count frames, however many items they are, and let the first one pass
// whatever its size.
func TestOutboxFull(t *testing.T) {
	o := &outbox{queue: &noQueue, options: &Options{MaxQueuedSize: 100, MaxQueuedFrames: 3}}
	if o.full(1 << 20) {
		t.Error("full for the first frame")
	}
	appendText(o, strings.Repeat("*", 38))
	if o.full(60) || !o.full(61) {
		t.Errorf("full(60) = %v, full(61) = %v with 40 octets waiting; want false and true", o.full(60), o.full(61))
	}
	o = &outbox{queue: &noQueue, options: &Options{MaxQueuedSize: math.MaxInt, MaxQueuedFrames: 3}}
	o.append(frame.Header{Flags: frame.FIN, Opcode: frame.OpBinary}, make([]byte, gatherSize+1))
	appendText(o, "b")
	if o.full(1) {
		t.Error("full with two of three frames")
	}
	o.posted = []*Prepared{{wire: []byte("\x81\x00")}}
	if !o.overfull(1, 1) || o.full(1) {
		t.Errorf("overfull = %v, full = %v with a posted message as the third of three; want true and false", o.overfull(1, 1), o.full(1))
	}
}

// The oldest message that nobody waits for is dropped first, and none that has
// begun to leave.
func TestOutboxDropPosted(t *testing.T) {
	o := newOutbox()
	post := func(s string) {
		appendText(o, s)
		o.waiting.items[len(o.waiting.items)-1].posted = true
	}
	post("flying")
	var scratch []byte
	o.take(&scratch)
	o.wrote(1)
	appendText(o, "a")
	post("1")
	post("2")
	o.posted = []*Prepared{{wire: []byte("\x81\x013")}}
	for i := range 3 {
		if !o.dropPosted() {
			t.Errorf("dropPosted = false, the %d. time", i+1)
		}
	}
	if o.dropPosted() {
		t.Error("dropPosted = true with none left")
	}
	if got, want := flushAll(o, math.MaxInt), texts("flying", "a")[1:]; got != want {
		t.Errorf("%x leaves, want %x", got, want)
	}
}
