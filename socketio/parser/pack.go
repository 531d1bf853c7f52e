package parser

import (
	"encoding/binary"
	"math"
	"strconv"
)

// A packer turns JSON that has passed the scanner into MessagePack.
type packer struct {
	dst         []byte
	attachments [][]byte
}

func (w *packer) value(b []byte) {
	switch b[0] {
	case 'n':
		w.dst = append(w.dst, mpNil)
	case 't':
		w.dst = append(w.dst, mpTrue)
	case 'f':
		w.dst = append(w.dst, mpFalse)
	case '"':
		w.string(unquote(b))
	case '[':
		n := 0
		for range elements(b) {
			n++
		}
		w.length(n, 0x90, mpArray16)
		for e := range elements(b) {
			w.value(e)
		}
	case '{':
		if num := placeholder(b); num >= 0 && len(w.attachments) > 0 {
			w.bin(w.attachments[num])
			return
		}
		n := 0
		for range members(b) {
			n++
		}
		w.length(n, 0x80, mpMap16)
		for name, value := range members(b) {
			w.string(unquote(name))
			w.value(value)
		}
	default:
		w.number(string(b))
	}
}

// length begins an array or a map.
func (w *packer) length(n int, fix, code16 byte) {
	switch {
	case n < 16:
		w.dst = append(w.dst, fix|byte(n))
	case n <= math.MaxUint16:
		w.dst = binary.BigEndian.AppendUint16(append(w.dst, code16), uint16(n))
	default:
		w.dst = binary.BigEndian.AppendUint32(append(w.dst, code16+1), uint32(n))
	}
}

// size appends a length of 1, 2 or 4 octets with the code for it.
func (w *packer) size(n int, code8 byte) {
	switch {
	case n <= math.MaxUint8:
		w.dst = append(w.dst, code8, byte(n))
	case n <= math.MaxUint16:
		w.dst = binary.BigEndian.AppendUint16(append(w.dst, code8+1), uint16(n))
	default:
		w.dst = binary.BigEndian.AppendUint32(append(w.dst, code8+2), uint32(n))
	}
}

func (w *packer) string(s string) {
	if len(s) < 32 {
		w.dst = append(w.dst, 0xa0|byte(len(s)))
	} else {
		w.size(len(s), mpStr8)
	}
	w.dst = append(w.dst, s...)
}

func (w *packer) bin(b []byte) {
	w.size(len(b), mpBin8)
	w.dst = append(w.dst, b...)
}

func (w *packer) number(s string) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		w.int(i)
	} else if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		w.uint(n)
	} else {
		f, _ := strconv.ParseFloat(s, 64) // beyond the range it is an infinity
		w.dst = binary.BigEndian.AppendUint64(append(w.dst, mpFloat64), math.Float64bits(f))
	}
}

func (w *packer) uint(n uint64) {
	switch {
	case n < 0x80:
		w.dst = append(w.dst, byte(n))
	case n <= math.MaxUint8:
		w.dst = append(w.dst, mpUint8, byte(n))
	case n <= math.MaxUint16:
		w.dst = binary.BigEndian.AppendUint16(append(w.dst, mpUint8+1), uint16(n))
	case n <= math.MaxUint32:
		w.dst = binary.BigEndian.AppendUint32(append(w.dst, mpUint8+2), uint32(n))
	default:
		w.dst = binary.BigEndian.AppendUint64(append(w.dst, mpUint8+3), n)
	}
}

func (w *packer) int(i int64) {
	switch {
	case i >= 0:
		w.uint(uint64(i))
	case i >= -32:
		w.dst = append(w.dst, byte(i))
	case i >= math.MinInt8:
		w.dst = append(w.dst, mpInt8, byte(i))
	case i >= math.MinInt16:
		w.dst = binary.BigEndian.AppendUint16(append(w.dst, mpInt8+1), uint16(i))
	case i >= math.MinInt32:
		w.dst = binary.BigEndian.AppendUint32(append(w.dst, mpInt8+2), uint32(i))
	default:
		w.dst = binary.BigEndian.AppendUint64(append(w.dst, mpInt8+3), uint64(i))
	}
}
