package deflate_test

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"testing"
)

// standardInflate inflates one message with compress/flate, after the octets
// in window. It reports false where the message is refused.
//
// What the message lacks at its end must be the LEN and NLEN of a stored block.
// That is seen by offering those of two different blocks: only in their place
// does each yield its octets and no others.
func standardInflate(window, wire []byte) ([]byte, bool) {
	one, ok1 := standardBlocks(window, slices.Concat(wire, []byte("\x01\x00\xfe\xffx")))
	two, ok2 := standardBlocks(window, slices.Concat(wire, []byte("\x02\x00\xfd\xffyy")))
	one, ok3 := bytes.CutSuffix(one, []byte("x"))
	two, ok4 := bytes.CutSuffix(two, []byte("yy"))
	if ok1 && ok2 && ok3 && ok4 && bytes.Equal(one, two) {
		return one, true
	}
	// Or it ends between two blocks: then one more, empty one changes nothing.
	one, ok1 = standardBlocks(window, wire)
	two, ok2 = standardBlocks(window, slices.Concat(wire, []byte("\x03\x00")))
	return one, ok1 && ok2 && bytes.Equal(one, two)
}

// standardBlocks inflates blocks that end with wire, whichever of them are
// marked as final.
func standardBlocks(window, wire []byte) ([]byte, bool) {
	r := bytes.NewReader(slices.Concat(wire, []byte("\x01\x00\x00\xff\xff")))
	out := slices.Clone(window)
	for r.Len() > 0 {
		z := flate.NewReaderDict(r, out)
		more, err := io.ReadAll(z)
		out = append(out, more...)
		if err != nil {
			return out[len(window):], false
		}
	}
	return out[len(window):], true
}

// standardDeflate compresses messages with compress/flate as RFC 7692, Section
// 7.2.1, has it, with context takeover.
func standardDeflate(tb testing.TB, level int, messages ...[]byte) (wires [][]byte) {
	tb.Helper()
	var z bytes.Buffer
	w, err := flate.NewWriter(&z, level)
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range messages {
		z.Reset()
		if _, err := w.Write(m); err != nil {
			tb.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			tb.Fatal(err)
		}
		wires = append(wires, bytes.Clone(bytes.TrimSuffix(z.Bytes(), []byte("\x00\x00\xff\xff"))))
	}
	return wires
}
