package handshake

// A known is a field that the package asks for.
type known uint8

const (
	knownConnection known = iota
	knownContentLength
	knownHost
	knownOrigin
	knownTransferEncoding
	knownUpgrade
	knownAccept
	knownExtensions
	knownKey
	knownProtocol
	knownVersion
	numKnown
)

// The names of fields in the spelling of http.Header, which is asked without
// allocating for these alone.
const (
	fieldConnection       = "Connection"
	fieldContentLength    = "Content-Length"
	fieldHost             = "Host"
	fieldOrigin           = "Origin"
	fieldTransferEncoding = "Transfer-Encoding"
	fieldUpgrade          = "Upgrade"
	fieldAccept           = "Sec-Websocket-Accept"
	fieldExtensions       = "Sec-Websocket-Extensions"
	fieldKey              = "Sec-Websocket-Key"
	fieldProtocol         = "Sec-Websocket-Protocol"
	fieldVersion          = "Sec-Websocket-Version"
)

var knownNames = [numKnown]string{
	fieldConnection, fieldContentLength, fieldHost, fieldOrigin, fieldTransferEncoding, fieldUpgrade,
	fieldAccept, fieldExtensions, fieldKey, fieldProtocol, fieldVersion,
}

// knownByLength has the only fields whose names have a length, but that of
// Transfer-Encoding is that of Sec-WebSocket-Key too; numKnown where there is none.
var knownByLength = func() (t [32]known) {
	for n := range t {
		t[n] = numKnown
	}
	for k, name := range knownNames {
		t[len(name)] = known(k)
	}
	return t
}()

// knownField returns the field called name, a token, or numKnown.
func knownField(name string) known {
	if len(name) >= len(knownByLength) {
		return numKnown
	}
	k := knownByLength[len(name)]
	if k == knownKey && lower(name[0]) == 't' {
		k = knownTransferEncoding
	}
	if k == numKnown || !sameName(name, k) {
		return numKnown
	}
	return k
}

// sameName reports whether s, a token as long as the name of k, is that name but
// for case. An octet of s can only differ from a letter in the bit for the case if
// it is that letter, and cannot so differ from a hyphen, as CR is no token.
func sameName(s string, k known) bool {
	if len(s) < 8 {
		return equalFold(s, knownNames[k])
	}
	w := &knownWords[k]
	differ := (word(s) ^ w.first) | (word(s[len(s)-8:]) ^ w.last)
	if len(s) >= 16 {
		differ |= word(s[8:]) ^ w.middle
	}
	return differ&^(0x20*ones) == 0
}

// knownWords has the octets of names of 8 to 24: the first and last eight and, of
// those of 16 and more, the eight after the first.
var knownWords = func() (t [numKnown]struct{ first, middle, last uint64 }) {
	for k, name := range knownNames {
		if n := len(name); n >= 8 {
			t[k].first, t[k].last = word(name), word(name[n-8:])
			if n >= 16 {
				t[k].middle = word(name[8:])
			}
		}
	}
	return t
}()

// values returns the lines of a field; a nil h has none.
func values(h Header, k known) []string {
	if f, ok := h.(*Fields); ok && f != nil {
		if at := f.at[k]; at == 0 {
			return nil
		} else if at < several {
			return f.values[at-1 : at : at]
		}
	}
	return allValues(h, k)
}

// allValues is values for lines that may be several, or in another Header.
func allValues(h Header, k known) []string {
	if h == nil {
		return nil
	}
	return h.Values(knownNames[k])
}
