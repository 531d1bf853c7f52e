package frame

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// A CloseCode says why a connection is closed (RFC 6455, Section 7.4, and the
// IANA WebSocket Close Code Number Registry). 3000 to 3999 are registered by
// libraries and frameworks, 4000 to 4999 are for private use.
type CloseCode uint16

// The codes of the IANA registry below 3000. [CloseNoStatusReceived],
// [CloseAbnormalClosure] and [CloseTLSHandshake] never stand in a frame; they
// tell the application how a connection ended.
const (
	CloseNormalClosure           CloseCode = 1000
	CloseGoingAway               CloseCode = 1001
	CloseProtocolError           CloseCode = 1002
	CloseUnsupportedData         CloseCode = 1003
	CloseNoStatusReceived        CloseCode = 1005
	CloseAbnormalClosure         CloseCode = 1006
	CloseInvalidFramePayloadData CloseCode = 1007
	ClosePolicyViolation         CloseCode = 1008
	CloseMessageTooBig           CloseCode = 1009
	CloseMandatoryExtension      CloseCode = 1010
	CloseInternalError           CloseCode = 1011
	CloseServiceRestart          CloseCode = 1012
	CloseTryAgainLater           CloseCode = 1013
	CloseBadGateway              CloseCode = 1014
	CloseTLSHandshake            CloseCode = 1015
)

// MaxCloseReason is the longest reason that fits a Close frame beside its
// code, in octets (RFC 6455, Sections 5.5 and 5.5.1).
const MaxCloseReason = MaxControlPayload - 2

// Valid reports whether c may stand in a Close frame: 1000 to 1003, 1007 to
// 1014, 3000 to 4999.
func (c CloseCode) Valid() bool {
	return c >= 1000 && c <= 1003 || c >= 1007 && c <= 1014 || c >= 3000 && c <= 4999
}

// String returns the number of c and its name in the registry if it has one,
// such as "1001 going away".
func (c CloseCode) String() string {
	s := strconv.Itoa(int(c))
	if name := c.name(); name != "" {
		s += " " + name
	}
	return s
}

func (c CloseCode) name() string {
	switch c {
	case CloseNormalClosure:
		return "normal closure"
	case CloseGoingAway:
		return "going away"
	case CloseProtocolError:
		return "protocol error"
	case CloseUnsupportedData:
		return "unsupported data"
	case CloseNoStatusReceived:
		return "no status received"
	case CloseAbnormalClosure:
		return "abnormal closure"
	case CloseInvalidFramePayloadData:
		return "invalid frame payload data"
	case ClosePolicyViolation:
		return "policy violation"
	case CloseMessageTooBig:
		return "message too big"
	case CloseMandatoryExtension:
		return "mandatory extension"
	case CloseInternalError:
		return "internal error"
	case CloseServiceRestart:
		return "service restart"
	case CloseTryAgainLater:
		return "try again later"
	case CloseBadGateway:
		return "bad gateway"
	case CloseTLSHandshake:
		return "TLS handshake"
	}
	return ""
}

// ParseClose decodes the payload of a Close frame (RFC 6455, Section 5.5.1). An
// empty payload is [CloseNoStatusReceived] (Section 7.1.5).
//
// The error is [ErrControlTooLong], [ErrClosePayload], [ErrCloseCode] or
// [ErrInvalidUTF8]; then code and reason are zero. The reason is a part of p,
// valid as long as p is.
func ParseClose(p []byte) (code CloseCode, reason []byte, err error) {
	switch {
	case len(p) == 0:
		return CloseNoStatusReceived, nil, nil
	case len(p) == 1:
		return 0, nil, ErrClosePayload
	case len(p) > MaxControlPayload:
		return 0, nil, ErrControlTooLong
	}
	code, reason = CloseCode(binary.BigEndian.Uint16(p)), p[2:]
	if !code.Valid() {
		return 0, nil, ErrCloseCode
	}
	if !utf8.Valid(reason) {
		return 0, nil, ErrInvalidUTF8
	}
	return code, reason, nil
}

// AppendClose encodes the payload of a Close frame (RFC 6455, Section 5.5.1). A
// reason longer than [MaxCloseReason] is cut at the last code point that fits.
// [CloseNoStatusReceived], which goes without a reason, is an empty payload.
//
// The result is appended to dst; dst may be nil. The error is [ErrCloseCode]
// if code is not [CloseCode.Valid], or is CloseNoStatusReceived with a reason,
// and [ErrInvalidUTF8] if any of reason is not UTF-8; then dst is returned as
// it was.
func AppendClose(dst []byte, code CloseCode, reason string) ([]byte, error) {
	if code == CloseNoStatusReceived && reason == "" {
		return dst, nil
	}
	if !code.Valid() {
		return dst, ErrCloseCode
	}
	if !utf8.ValidString(reason) {
		return dst, ErrInvalidUTF8
	}
	if n := MaxCloseReason; len(reason) > n {
		for !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	return append(binary.BigEndian.AppendUint16(dst, uint16(code)), reason...), nil
}
