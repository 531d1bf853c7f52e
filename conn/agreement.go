package conn

import (
	"context"

	"example.org/rfc6455/handshake"
)

// An agreement is what the opening handshake settled beyond the target.
type agreement struct {
	subprotocol string
	extensions  []handshake.Extension
	data        any
	early       uint64          // octets of the peer that came together with the handshake
	base        context.Context // whose values Conn.Context has
}

// noAgreement is that of the connections that have none.
var noAgreement = agreement{base: context.Background()}

// newAgreement returns that of h, or nil if there is nothing in it.
func newAgreement(h *Handshake, base context.Context) *agreement {
	if h.Subprotocol == "" && h.Extensions == nil && h.Data == nil && len(h.Early) == 0 && base == noAgreement.base {
		return nil
	}
	return &agreement{h.Subprotocol, h.Extensions, h.Data, uint64(len(h.Early)), base}
}

// orNone returns a or, if that is nil, noAgreement.
func (a *agreement) orNone() *agreement {
	if a == nil {
		return &noAgreement
	}
	return a
}
