package parser

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// An unpacker turns MessagePack into JSON with placeholders. It trusts no length
// before it has seen the octets.
type unpacker struct {
	b           []byte
	i           int    // 0 <= i <= len(b)
	depth       int    // how many levels may still be opened
	elements    int    // how many values may still come
	blobs       int    // how many attachments may still come
	dst         []byte // JSON
	data        []byte // that of the payload
	attachments [][]byte
}

func (u *unpacker) fail(r Reason) error { return fail(r, u.i) }

// packet decodes the map that is the whole message.
func (u *unpacker) packet(l *Limits) (Packet, error) {
	var p Packet
	n, err := u.mapLen()
	if err != nil {
		return p, err
	}
	typed, named := false, false
	for range n {
		name, err := u.string()
		if err != nil {
			return p, err
		}
		start := u.i
		switch name {
		case "type":
			v, ok := u.smallUint()
			if !ok || v > uint64(ConnectError) {
				return p, fail(ErrPacketType, start)
			}
			p.Type, typed = Type(v), true
		case "id":
			if u.absent() {
				continue
			}
			v, ok := u.smallUint()
			if !ok || v > MaxID {
				return p, fail(ErrAckID, start)
			}
			p.ID, p.HasID = v, true
		case "nsp":
			if p.Namespace, err = u.string(); err != nil {
				return p, err
			}
			end, ok := namespace([]byte(p.Namespace+","), 0, l.MaxNamespace)
			if !ok || end != len(p.Namespace) || end == 0 || p.Namespace[0] != '/' {
				return p, fail(ErrNamespace, start)
			}
			named = true
		case "data":
			if u.absent() {
				continue
			}
			u.dst, u.attachments = nil, nil
			if err := u.value(); err != nil {
				return p, err
			}
			u.data = u.dst
		default: // such as the options of the sender
			data, attachments := u.data, u.attachments
			if err := u.value(); err != nil {
				return p, err
			}
			u.dst, u.data, u.attachments = nil, data, attachments
		}
	}
	switch {
	case u.i != len(u.b):
		return p, u.fail(ErrMsgpack)
	case !typed:
		return p, u.fail(ErrPacketType)
	case !named:
		return p, u.fail(ErrNamespace)
	case p.HasID && p.Type != Event && p.Type != Ack:
		return p, u.fail(ErrAckID)
	}
	return p, nil
}

// take returns the next n octets.
func (u *unpacker) take(n uint64) ([]byte, error) {
	if n > uint64(len(u.b)-u.i) {
		return nil, u.fail(ErrMsgpack)
	}
	p := u.b[u.i : u.i+int(n)]
	u.i += int(n)
	return p, nil
}

// uint returns the next n octets, at most 8, as a number.
func (u *unpacker) uint(n uint64) (uint64, error) {
	p, err := u.take(n)
	var v [8]byte
	copy(v[8-len(p):], p)
	return binary.BigEndian.Uint64(v[:]), err
}

// head returns the next octet.
func (u *unpacker) head() (byte, error) {
	c, err := u.uint(1)
	return byte(c), err
}

// absent passes over nil or undefined and reports whether it came.
func (u *unpacker) absent() bool {
	rest := u.b[u.i:]
	if len(rest) > 0 && rest[0] == mpNil {
		u.i++
		return true
	}
	return u.undefined()
}

// undefined passes over the extension that stands for it.
func (u *unpacker) undefined() bool {
	if rest := u.b[u.i:]; len(rest) < 3 || rest[0] != mpFixExt1 || rest[1] != 0 || rest[2] != 0 {
		return false
	}
	u.i += 3
	return true
}

// smallUint decodes an integer that is not negative.
func (u *unpacker) smallUint() (uint64, bool) {
	c, err := u.head()
	switch {
	case err != nil:
		return 0, false
	case c < 0x80:
		return uint64(c), true
	case c >= mpUint8 && c < mpInt8:
		v, err := u.uint(1 << (c - mpUint8))
		return v, err == nil
	}
	return 0, false
}

// mapLen decodes how many members a map has, which must have room.
func (u *unpacker) mapLen() (uint64, error) {
	c, err := u.head()
	if err != nil {
		return 0, err
	}
	switch {
	case c&0xf0 == 0x80:
		return u.room(uint64(c&15), 2)
	case c == mpMap16 || c == mpMap16+1:
		return u.count(2<<(c-mpMap16), 2)
	}
	return 0, u.fail(ErrMsgpack)
}

// count decodes a number of values from that many octets.
func (u *unpacker) count(octets, each uint64) (uint64, error) {
	n, err := u.uint(octets)
	if err != nil {
		return 0, err
	}
	return u.room(n, each)
}

// room checks that n values of at least that many octets may come.
func (u *unpacker) room(n, each uint64) (uint64, error) {
	if n*each > uint64(len(u.b)-u.i) { // n has 32 bits
		return 0, u.fail(ErrMsgpack)
	}
	return n, nil
}

// string decodes a string.
func (u *unpacker) string() (string, error) {
	c, err := u.head()
	if err != nil {
		return "", err
	}
	n := uint64(c & 31)
	switch {
	case c&0xe0 == 0xa0:
	case c >= mpStr8 && c <= mpStr32:
		if n, err = u.uint(1 << (c - mpStr8)); err != nil {
			return "", err
		}
	default:
		return "", u.fail(ErrMsgpack)
	}
	b, err := u.take(n)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		return "", u.fail(ErrMsgpack)
	}
	return string(b), nil
}

// value decodes a value and appends it as JSON.
func (u *unpacker) value() error {
	if u.elements <= 0 {
		return u.fail(ErrTooManyElements)
	}
	u.elements--
	if u.i == len(u.b) {
		return u.fail(ErrMsgpack)
	}
	c := u.b[u.i]
	switch {
	case c < 0x80: // positive fixint
		u.i++
		u.dst = strconv.AppendUint(u.dst, uint64(c), 10)
		return nil
	case c >= 0xe0: // negative fixint
		u.i++
		u.dst = strconv.AppendInt(u.dst, int64(int8(c)), 10)
		return nil
	case c < 0x90 || c >= mpMap16:
		return u.object()
	case c < 0xa0:
		u.i++
		return u.array(uint64(c & 15))
	case c < 0xc0 || c >= mpStr8 && c <= mpStr32:
		s, err := u.string()
		u.dst = AppendString(u.dst, s)
		return err
	}
	u.i++
	switch c {
	case mpNil:
		u.dst = append(u.dst, "null"...)
		return nil
	case mpFalse:
		u.dst = append(u.dst, "false"...)
		return nil
	case mpTrue:
		u.dst = append(u.dst, "true"...)
		return nil
	case mpBin8, mpBin8 + 1, mpBin8 + 2:
		return u.bin(1 << (c - mpBin8))
	case mpExt8, mpExt8 + 1, mpExt8 + 2:
		n, err := u.uint(1 << (c - mpExt8))
		if err != nil {
			return err
		}
		return u.extension(n)
	case mpFloat32:
		v, err := u.uint(4)
		u.float(float64(math.Float32frombits(uint32(v))))
		return err
	case mpFloat64:
		v, err := u.uint(8)
		u.float(math.Float64frombits(v))
		return err
	case mpUint8, mpUint8 + 1, mpUint8 + 2, mpUint8 + 3:
		v, err := u.uint(1 << (c - mpUint8))
		u.dst = strconv.AppendUint(u.dst, v, 10)
		return err
	case mpInt8, mpInt8 + 1, mpInt8 + 2, mpInt8 + 3:
		octets := uint64(1) << (c - mpInt8)
		v, err := u.uint(octets)
		shift := 64 - 8*octets
		u.dst = strconv.AppendInt(u.dst, int64(v<<shift)>>shift, 10)
		return err
	case mpFixExt1, mpFixExt1 + 1, mpFixExt1 + 2, mpFixExt1 + 3, mpFixExt16:
		return u.extension(1 << (c - mpFixExt1))
	case mpArray16, mpArray16 + 1:
		n, err := u.count(2<<(c-mpArray16), 1)
		if err != nil {
			return err
		}
		return u.array(n)
	}
	return u.fail(ErrMsgpack) // c1 is not used
}

func (u *unpacker) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		u.dst = append(u.dst, "null"...)
		return
	}
	u.dst = strconv.AppendFloat(u.dst, f, 'g', -1, 64)
}

// bin takes an attachment whose length has that many octets.
func (u *unpacker) bin(octets uint64) error {
	n, err := u.uint(octets)
	if err != nil {
		return err
	}
	b, err := u.take(n)
	if err != nil {
		return err
	}
	if u.blobs <= 0 {
		return u.fail(ErrTooManyAttachments)
	}
	u.blobs--
	e := encoder{dst: u.dst, attachments: u.attachments}
	e.blob(append(make([]byte, 0, len(b)), b...))
	u.dst, u.attachments = e.dst, e.attachments
	return nil
}

// open begins an array or an object.
func (u *unpacker) open(c byte) error {
	if u.depth <= 0 {
		return u.fail(ErrDepth)
	}
	u.depth--
	u.dst = append(u.dst, c)
	return nil
}

func (u *unpacker) array(n uint64) error {
	if _, err := u.room(n, 1); err != nil {
		return err
	}
	if err := u.open('['); err != nil {
		return err
	}
	for i := range n {
		if i > 0 {
			u.dst = append(u.dst, ',')
		}
		if err := u.value(); err != nil {
			return err
		}
	}
	u.depth++
	u.dst = append(u.dst, ']')
	return nil
}

func (u *unpacker) object() error {
	n, err := u.mapLen()
	if err != nil {
		return err
	}
	if err := u.open('{'); err != nil {
		return err
	}
	first := true
	for range n {
		name, err := u.string()
		if err != nil {
			return err
		}
		if u.undefined() {
			continue
		}
		if !first {
			u.dst = append(u.dst, ',')
		}
		first = false
		u.dst = append(AppendString(u.dst, name), ':')
		if err := u.value(); err != nil {
			return err
		}
	}
	u.depth++
	u.dst = append(u.dst, '}')
	return nil
}

// extension decodes an extension of n octets: the two that senders use for
// dates, and the one for undefined.
func (u *unpacker) extension(n uint64) error {
	kind, err := u.head()
	if err != nil {
		return err
	}
	b, err := u.take(n)
	if err != nil {
		return err
	}
	const timestamp = 0xff // -1
	switch {
	case kind == 0 && n == 1 && b[0] == 0:
		u.dst = append(u.dst, "null"...)
	case kind == 0 && n == 8:
		ms := int64(binary.BigEndian.Uint64(b))
		u.time(floorDiv(ms, 1000), time.Duration(ms-floorDiv(ms, 1000)*1000)*time.Millisecond)
	case kind == timestamp && n == 4:
		u.time(int64(binary.BigEndian.Uint32(b)), 0)
	case kind == timestamp && n == 8:
		v := binary.BigEndian.Uint64(b)
		u.time(int64(v&(1<<34-1)), time.Duration(v>>34))
	case kind == timestamp && n == 12:
		u.time(int64(binary.BigEndian.Uint64(b[4:])), time.Duration(binary.BigEndian.Uint32(b)))
	default:
		return u.fail(ErrMsgpack)
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// time appends a date as JavaScript writes it.
func (u *unpacker) time(seconds int64, rest time.Duration) {
	const last = 8_640_000_000_000 // seconds from 1970, either way
	if seconds < -last || seconds > last {
		u.dst = append(u.dst, "null"...)
		return
	}
	t := time.Unix(seconds, int64(rest)).UTC()
	u.dst = append(u.dst, '"')
	if y := t.Year(); y < 0 || y > 9999 {
		sign := byte('+')
		if y < 0 {
			sign, y = '-', -y
		}
		digits := strconv.AppendInt(nil, int64(y)+1_000_000, 10)
		u.dst = append(append(u.dst, sign), digits[1:]...)
	} else {
		u.dst = t.AppendFormat(u.dst, "2006")
	}
	u.dst = t.AppendFormat(u.dst, `-01-02T15:04:05.000Z"`)
}
