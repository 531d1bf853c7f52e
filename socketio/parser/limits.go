package parser

import "cmp"

// Limits bounds what a packet may hold. A nil *Limits and zero fields mean the
// defaults, which are safe against a hostile peer.
type Limits struct {
	// MaxAttachments is how many attachments a packet may have. Zero means 10,
	// negative none.
	MaxAttachments int

	// MaxSize is how many octets a packet may have, its attachments included.
	// Zero means 1,000,000. A packet that waits for attachments holds as much.
	MaxSize int

	// MaxDepth is how deeply arrays and objects may be nested, the list of
	// arguments included. Zero means 64.
	MaxDepth int

	// MaxElements is how many values there may be in a payload: arrays, objects
	// and what is in them. Zero means 65,536.
	MaxElements int

	// MaxNamespace is how many octets the name of a namespace may have. Zero
	// means 256. A query after it, as revision 4 of the protocol has it, may add
	// 2,048.
	MaxNamespace int

	// MaxEventName is how many octets the name of an event may have. Zero
	// means 256.
	MaxEventName int
}

// maxQuery is how many octets may come after the name of a namespace.
const maxQuery = 2048

// filled returns the limits with their defaults, which are put into defaults if any
// are missing.
func (l *Limits) filled(defaults *Limits) *Limits {
	if l != nil && l.MaxAttachments != 0 && l.MaxSize != 0 && l.MaxDepth != 0 && l.MaxElements != 0 && l.MaxNamespace != 0 && l.MaxEventName != 0 {
		return l
	}
	*defaults = l.WithDefaults()
	return defaults
}

// WithDefaults returns the limits with their defaults in place of zeros.
func (l *Limits) WithDefaults() Limits {
	if l == nil {
		l = &Limits{}
	}
	return Limits{
		MaxAttachments: cmp.Or(l.MaxAttachments, 10),
		MaxSize:        cmp.Or(l.MaxSize, 1_000_000),
		MaxDepth:       cmp.Or(l.MaxDepth, 64),
		MaxElements:    cmp.Or(l.MaxElements, 65_536),
		MaxNamespace:   cmp.Or(l.MaxNamespace, 256),
		MaxEventName:   cmp.Or(l.MaxEventName, 256),
	}
}
