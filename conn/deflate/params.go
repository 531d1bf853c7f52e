package deflate

import (
	"strconv"

	"example.org/rfc6455/handshake"
)

// Name is the name of the extension in Sec-WebSocket-Extensions (RFC 7692,
// Section 7).
const Name = "permessage-deflate"

// The names of the parameters (RFC 7692, Section 7.1).
const (
	serverNoContextTakeover = "server_no_context_takeover"
	clientNoContextTakeover = "client_no_context_takeover"
	serverMaxWindowBits     = "server_max_window_bits"
	clientMaxWindowBits     = "client_max_window_bits"
)

// Params is what the two sides have agreed on (RFC 7692, Section 7.1). Both
// arrive at the same Params, so that what one side compresses within them the
// other can inflate.
type Params struct {
	ServerNoContextTakeover bool // the server's messages stand alone
	ClientNoContextTakeover bool // the client's messages stand alone
	ServerMaxWindowBits     int  // how far the server's messages refer back, 8 to 15
	ClientMaxWindowBits     int  // how far the client's messages refer back, 8 to 15
}

// Server returns the arguments for [NewCompressor] in the server and
// [NewDecompressor] in the client.
func (p Params) Server() (windowBits int, takeover ContextTakeover) {
	return p.ServerMaxWindowBits, ContextTakeover(!p.ServerNoContextTakeover)
}

// Client returns the arguments for [NewCompressor] in the client and
// [NewDecompressor] in the server.
func (p Params) Client() (windowBits int, takeover ContextTakeover) {
	return p.ClientMaxWindowBits, ContextTakeover(!p.ClientNoContextTakeover)
}

// A Config is what one side wants. In the zero value every message stands alone
// and windows have any size, so that a connection holds no memory between
// messages. Its methods change nothing and may be called concurrently.
type Config struct {
	// ServerContextTakeover and ClientContextTakeover say whether messages of
	// that side may refer to earlier ones. With [Takeover] they may, unless the
	// peer objects.
	ServerContextTakeover, ClientContextTakeover ContextTakeover

	// ServerMaxWindowBits and ClientMaxWindowBits are the most window bits for
	// messages of that side, 8 to 15. Zero means 15. See [Compressor.Memory]
	// and [Decompressor.Memory] for what they cost with Takeover.
	ServerMaxWindowBits, ClientMaxWindowBits int
}

// Validate checks that the window bits are 0 or 8 to 15. The error is
// [ErrWindowBits]. The other methods take what is too small or too large as the
// nearest number that is not.
func (c Config) Validate() error {
	for _, n := range []int{c.ServerMaxWindowBits, c.ClientMaxWindowBits} {
		if n != 0 {
			if err := checkWindowBits(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// windowBits returns the window bits that a field of a Config stands for.
func windowBits(n int) int {
	if n == 0 {
		return MaxWindowBits
	}
	return min(max(n, MinWindowBits), MaxWindowBits)
}

// Accept returns a server's answer to an offer and what is agreed on with it.
// It reports false for an offer to decline: one of another extension, one with
// a parameter that is unknown, given twice, out of range or with a value where
// there is none (RFC 7692, Section 7.1). The next offer is then to be tried, as
// [handshake.Negotiate] does.
//
// The answer keeps within both c and the offer. A client that did not offer
// client_max_window_bits cannot be told to use a smaller window (Section
// 7.1.2.2); where c demands one, its messages have to stand alone instead, so
// that the server never keeps more than c allows.
func (c Config) Accept(offer handshake.Extension) (answer handshake.Extension, agreed Params, ok bool) {
	offered, ok := parse(offer)
	if !ok {
		return handshake.Extension{}, Params{}, false
	}
	agreed = Params{
		ServerNoContextTakeover: c.ServerContextTakeover == NoTakeover || offered.serverAlone,
		ClientNoContextTakeover: c.ClientContextTakeover == NoTakeover || offered.clientAlone,
		ServerMaxWindowBits:     windowBits(c.ServerMaxWindowBits),
		ClientMaxWindowBits:     windowBits(c.ClientMaxWindowBits),
	}
	if offered.serverBits != 0 {
		agreed.ServerMaxWindowBits = min(agreed.ServerMaxWindowBits, offered.serverBits)
	}
	switch {
	case !offered.client && agreed.ClientMaxWindowBits < MaxWindowBits:
		agreed.ClientMaxWindowBits = MaxWindowBits
		agreed.ClientNoContextTakeover = true
	case offered.clientBits != 0:
		agreed.ClientMaxWindowBits = min(agreed.ClientMaxWindowBits, offered.clientBits)
	}

	list := params{serverAlone: agreed.ServerNoContextTakeover, clientAlone: agreed.ClientNoContextTakeover}
	if offered.serverBits != 0 || agreed.ServerMaxWindowBits < MaxWindowBits {
		list.serverBits = agreed.ServerMaxWindowBits
	}
	if agreed.ClientMaxWindowBits < MaxWindowBits {
		list.client, list.clientBits = true, agreed.ClientMaxWindowBits
	}
	return list.extension(), agreed, true
}

// Offer returns what a client offers. It always has client_max_window_bits, so
// that the server may choose.
func (c Config) Offer() handshake.Extension {
	list := params{serverAlone: c.ServerContextTakeover == NoTakeover, clientAlone: c.ClientContextTakeover == NoTakeover, client: true}
	if n := windowBits(c.ServerMaxWindowBits); n < MaxWindowBits {
		list.serverBits = n
	}
	if n := windowBits(c.ClientMaxWindowBits); n < MaxWindowBits {
		list.clientBits = n
	}
	return list.extension()
}

// Confirm returns what is agreed on with a server's answer to [Config.Offer].
//
// The error is [ErrAnswer], upon which the client fails the connection: for
// another extension, a parameter that is unknown, given twice, out of range,
// without the value it needs or with one it cannot have, and for an answer that
// does not keep to the offer.
func (c Config) Confirm(answer handshake.Extension) (agreed Params, err error) {
	answered, ok := parse(answer)
	server, client := windowBits(c.ServerMaxWindowBits), windowBits(c.ClientMaxWindowBits)
	switch {
	case !ok,
		// Section 7.1.2.2: a value is required in an answer.
		answered.client && answered.clientBits == 0,
		answered.clientBits > client,
		// Sections 7.1.1.1 and 7.1.2.1: an offer with these parameters is
		// accepted by answering with them, a window no larger.
		c.ServerContextTakeover == NoTakeover && !answered.serverAlone,
		server < MaxWindowBits && answered.serverBits == 0,
		answered.serverBits > server:
		return Params{}, ErrAnswer
	}
	agreed = Params{
		ServerNoContextTakeover: answered.serverAlone,
		ClientNoContextTakeover: answered.clientAlone || c.ClientContextTakeover == NoTakeover,
		ServerMaxWindowBits:     server,
		ClientMaxWindowBits:     client,
	}
	if answered.serverBits != 0 {
		agreed.ServerMaxWindowBits = answered.serverBits
	}
	if answered.clientBits != 0 {
		agreed.ClientMaxWindowBits = answered.clientBits
	}
	return agreed, nil
}

// params is which parameters an offer or answer has, and their values.
type params struct {
	serverAlone, clientAlone bool
	serverBits               int // 0 where it has none
	client                   bool
	clientBits               int // 0 where client_max_window_bits has no value
}

// parse takes e apart. It reports false if that is no permessage-deflate, or
// has a parameter that RFC 7692, Section 7.1, allows neither in an offer nor in
// an answer.
func parse(e handshake.Extension) (p params, ok bool) {
	if e.Name != Name {
		return params{}, false
	}
	for i, param := range e.Params {
		for _, before := range e.Params[:i] {
			if before.Name == param.Name {
				return params{}, false
			}
		}
		bits, valid := 0, param.Value == ""
		if !valid {
			bits, valid = parseWindowBits(param.Value)
		}
		switch {
		case !valid:
			return params{}, false
		case param.Name == serverNoContextTakeover && bits == 0:
			p.serverAlone = true
		case param.Name == clientNoContextTakeover && bits == 0:
			p.clientAlone = true
		case param.Name == serverMaxWindowBits && bits != 0:
			p.serverBits = bits
		case param.Name == clientMaxWindowBits:
			p.client, p.clientBits = true, bits
		default:
			return params{}, false
		}
	}
	return p, true
}

// parseWindowBits parses the value of a window parameter: a decimal integer
// without leading zeros between 8 and 15 (RFC 7692, Section 7.1.2).
func parseWindowBits(s string) (int, bool) {
	for n := MinWindowBits; n <= MaxWindowBits; n++ {
		if s == strconv.Itoa(n) {
			return n, true
		}
	}
	return 0, false
}

// extension puts p together.
func (p params) extension() handshake.Extension {
	e := handshake.Extension{Name: Name}
	add := func(present bool, name string, bits int) {
		if !present {
			return
		}
		param := handshake.Param{Name: name}
		if bits != 0 {
			param.Value = strconv.Itoa(bits)
		}
		e.Params = append(e.Params, param)
	}
	add(p.serverAlone, serverNoContextTakeover, 0)
	add(p.clientAlone, clientNoContextTakeover, 0)
	add(p.serverBits != 0, serverMaxWindowBits, p.serverBits)
	add(p.client, clientMaxWindowBits, p.clientBits)
	return e
}
