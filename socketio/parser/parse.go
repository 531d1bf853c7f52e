package parser

import "unicode/utf8"

// parse decodes the text message of a packet, without its attachments, of which
// it returns the number. The payload aliases b. All of l must be filled in.
func parse(b []byte, l *Limits) (p Packet, attachments int, err error) {
	if len(b) > l.MaxSize {
		return Packet{}, 0, fail(ErrTooBig, l.MaxSize)
	}
	if len(b) == 0 || b[0] < '0' || b[0] > '6' {
		return Packet{}, 0, fail(ErrPacketType, 0)
	}
	p.Type = Type(b[0] - '0')
	i := 1
	if p.Type > ConnectError {
		p.Type -= attached
		n, end := number(b, i)
		if end == i || end == len(b) || b[end] != '-' || n == 0 {
			return Packet{}, 0, fail(ErrAttachmentCount, i)
		}
		if n > uint64(max(l.MaxAttachments, 0)) {
			return Packet{}, 0, fail(ErrTooManyAttachments, i)
		}
		attachments, i = int(n), end+1
	}
	if i < len(b) && b[i] == '/' {
		end, ok := namespace(b, i, l.MaxNamespace)
		if !ok {
			return Packet{}, 0, fail(ErrNamespace, i)
		}
		if end-i > 1 {
			p.Namespace = string(b[i:end])
		}
		i = min(end+1, len(b)) // the comma may be missing at the end
	}
	if i < len(b) && isDigit(b[i]) {
		id, end := number(b, i)
		if end == i || id > MaxID || p.Type != Event && p.Type != Ack {
			return Packet{}, 0, fail(ErrAckID, i)
		}
		p.ID, p.HasID, i = id, true, end
	}
	if r, offset := checkData(p.Type, b[i:], attachments, l); r != 0 {
		return Packet{}, 0, fail(r, i+offset)
	}
	if i < len(b) {
		p.data = b[i:len(b):len(b)]
	}
	return p, attachments, nil
}

// number decodes the digits at b[i] and returns where they end, which is i for a
// number with a leading zero and one of more than 16 digits.
func number(b []byte, i int) (n uint64, end int) {
	end = i
	for end < len(b) && isDigit(b[end]) {
		if end-i == 16 {
			return 0, i
		}
		n = n*10 + uint64(b[end]-'0')
		end++
	}
	if end-i > 1 && b[i] == '0' {
		return 0, i
	}
	return n, end
}

// namespace returns where the namespace ends that begins at b[i], and whether it
// is one.
func namespace(b []byte, i, limit int) (end int, ok bool) {
	end = i
	name := -1 // its length, once a query has begun
	for end < len(b) && b[end] != ',' {
		if b[end] < ' ' {
			return 0, false
		}
		if b[end] == '?' && name < 0 {
			name = end - i
		}
		end++
	}
	if name < 0 {
		name = end - i
	}
	return end, name <= limit && end-i-name <= maxQuery && utf8.Valid(b[i:end])
}
