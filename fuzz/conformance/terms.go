package conformance

import (
	"fmt"
	"slices"
	"strconv"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// Terms are what a case asks of permessage-deflate (RFC 7692, Section 7.1), in
// the same words for both roles: a client offers them, a server answers with
// them. The zero value restricts nothing.
type terms struct {
	alone       bool // the tester's messages do not refer to earlier ones
	aloneClient bool // the same, where the tester is the client
	bits        int  // window bits of the tester's messages; 0 says nothing
	peerAlone   bool // the peer's messages must not refer to earlier ones
	peerBits    int  // window bits of the peer's messages; 0 says nothing
}

// The names of the parameters.
const (
	serverAlone = "server_no_context_takeover"
	clientAlone = "client_no_context_takeover"
	serverBits  = "server_max_window_bits"
	clientBits  = "client_max_window_bits"
)

// offer returns the offer of a client.
func (t terms) offer() handshake.Extension {
	e := handshake.Extension{Name: deflate.Name}
	add := func(present bool, name string, bits int) {
		p := handshake.Param{Name: name}
		if bits != 0 {
			p.Value = strconv.Itoa(bits)
		}
		if present {
			e.Params = append(e.Params, p)
		}
	}
	add(t.alone || t.aloneClient, clientAlone, 0)
	add(true, clientBits, t.bits)
	add(t.peerAlone, serverAlone, 0)
	add(t.peerBits != 0, serverBits, t.peerBits)
	return e
}

// offers returns the offers of a client, or nil for none.
func offers(wanted []terms) []handshake.Extension {
	var list []handshake.Extension
	for _, t := range wanted {
		list = append(list, t.offer())
	}
	return list
}

// config returns t as a peer in the given role wants it.
func (t terms) config(role frame.Role) deflate.Config {
	own, peers := deflate.ContextTakeover(!t.alone), deflate.ContextTakeover(!t.peerAlone)
	if role == frame.Client {
		own = own && !deflate.ContextTakeover(t.aloneClient)
		return deflate.Config{ClientContextTakeover: own, ClientMaxWindowBits: t.bits, ServerContextTakeover: peers, ServerMaxWindowBits: t.peerBits}
	}
	return deflate.Config{ServerContextTakeover: own, ServerMaxWindowBits: t.bits, ClientContextTakeover: peers, ClientMaxWindowBits: t.peerBits}
}

// confirm takes over what the server has agreed to.
func (s *session) confirm(r *handshake.Response) error {
	list, err := r.Extensions()
	if err != nil || len(list) == 0 {
		return err
	}
	if len(list) > 1 {
		return fmt.Errorf("the server agrees to %s %d times", deflate.Name, len(list))
	}
	for _, t := range s.c.deflate {
		if agreed, err := t.config(frame.Client).Confirm(list[0]); err == nil {
			s.agreed = &agreed
			return nil
		}
	}
	return fmt.Errorf("the answer %q does not fit what was offered (RFC 7692, Section 7.1)", extensionList(list))
}

// answer returns the extensions to which the tester agrees as a server.
func (s *session) answer() ([]handshake.Extension, error) {
	if s.c.deflate == nil {
		return nil, nil
	}
	offered, err := s.request.Extensions()
	if err != nil {
		return nil, err
	}
	for _, t := range s.c.deflate {
		for _, o := range offered {
			if o.Name != deflate.Name {
				continue
			}
			answer, agreed, ok := t.config(frame.Server).Accept(o)
			if !ok {
				return nil, fmt.Errorf("the offer %q breaks a rule of RFC 7692, Section 7.1", extensionList([]handshake.Extension{o}))
			}
			if t.peerBits != 0 && !has(o, clientBits) {
				continue // Section 7.1.2.2: the client cannot be told
			}
			if t.peerBits == deflate.MaxWindowBits && !has(answer, clientBits) {
				answer.Params = append(answer.Params, handshake.Param{Name: clientBits, Value: strconv.Itoa(agreed.ClientMaxWindowBits)})
			}
			s.agreed = &agreed
			return []handshake.Extension{answer}, nil
		}
	}
	return nil, nil
}

// has reports whether e has a parameter.
func has(e handshake.Extension, name string) bool {
	return slices.ContainsFunc(e.Params, func(p handshake.Param) bool { return p.Name == name })
}

func extensionList(list []handshake.Extension) string {
	b, _ := handshake.AppendExtensions(nil, list)
	return string(b)
}

// startDeflate makes the compressor of the session, and returns what inflates
// the messages of the peer: nil unless both have agreed. It goes by what was
// agreed to, so that a peer which reaches farther back is found out.
func (s *session) startDeflate() *deflate.Decompressor {
	if s.agreed == nil {
		return nil
	}
	own, peers := s.agreed.Client, s.agreed.Server
	if s.role == frame.Server {
		own, peers = peers, own
	}
	bits, takeover := own()
	s.compressor, _ = deflate.NewCompressor(bits, takeover, deflate.Fast) // bits are in range
	inflater, _ := deflate.NewDecompressor(peers())
	return inflater
}
