package conformance_test

import (
	"slices"
	"strings"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// wants returns permessage-deflate as the peer wants it.
func (p *peer) wants() deflate.Config {
	c := deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover}
	switch {
	case p.has("every message alone"):
		c = deflate.Config{}
	case p.has("takes larger windows"):
		c.ServerMaxWindowBits, c.ClientMaxWindowBits = 10, 10
	}
	return c
}

// offers returns the offers of the peer, which is the client.
func (p *peer) offers() []handshake.Extension {
	switch {
	case p.has("no compression"):
		return nil
	case p.has("takes client bits that it did not offer"):
		return []handshake.Extension{{Name: deflate.Name}}
	}
	return []handshake.Extension{p.wants().Offer()}
}

// refusesOffers reports whether the peer refuses a handshake for what it offers.
func (p *peer) refusesOffers(offers []handshake.Extension) bool {
	return p.has("400 for bad offers") && slices.ContainsFunc(offers, func(e handshake.Extension) bool {
		_, _, ok := p.wants().Accept(e)
		return !ok
	})
}

// agree answers the offers of the tester: the peer is the server.
func (p *peer) agree(offers []handshake.Extension) []handshake.Extension {
	return handshake.Negotiate(offers, func(offer handshake.Extension) (handshake.Extension, bool) {
		answer, agreed, ok := p.wants().Accept(offer)
		switch {
		case offer.Name != deflate.Name, p.has("no compression"), p.has("declines parameters") && strings.Contains(extensions(offer), "server"):
			return answer, false
		case p.has("agrees to any offer") && !ok:
			answer, agreed, ok = p.wants().Accept(handshake.Extension{Name: deflate.Name})
		case p.has("answers without parameters"):
			answer.Params = nil
		case p.has("client bits in every answer"):
			answer.Params = append(answer.Params, handshake.Param{Name: "client_max_window_bits", Value: "15"})
		}
		if ok {
			p.start(agreed.Server, agreed.Client)
		}
		return answer, ok
	})
}

func extensions(list ...handshake.Extension) string {
	b, _ := handshake.AppendExtensions(nil, list)
	return string(b)
}

// confirm reads the answer of the tester: the peer is the client.
func (p *peer) confirm(answers []handshake.Extension) error {
	if len(answers) == 0 {
		return nil
	}
	agreed, err := p.wants().Confirm(answers[0])
	if p.has("agrees to any answer") || p.has("takes larger windows") || p.has("takes client bits that it did not offer") {
		return nil
	}
	if err == nil {
		p.start(agreed.Client, agreed.Server)
	}
	return err
}

// start makes the codecs for what was agreed to.
func (p *peer) start(own, testers func() (int, deflate.ContextTakeover)) {
	bits, takeover := own()
	if p.has("compresses with any window") {
		bits = deflate.MaxWindowBits
	}
	if p.has("compresses with takeover") {
		takeover = deflate.Takeover
	}
	p.compressor, _ = deflate.NewCompressor(bits, takeover, deflate.Fast)
	bits, takeover = testers()
	switch {
	case p.has("inflates with a small window"):
		bits = deflate.MinWindowBits
	case p.has("inflates without takeover"):
		takeover = deflate.NoTakeover
	case p.has("inflates with any window"):
		bits, takeover = deflate.MaxWindowBits, deflate.Takeover
	}
	p.inflater, _ = deflate.NewDecompressor(bits, takeover)
}

// extensions are the reserved bits that have a meaning.
func (p *peer) extensions() frame.Flags {
	if p.inflater == nil {
		return 0
	}
	return frame.RSV1
}

// inflate inflates the message. It reports false if the connection has failed.
func (p *peer) inflate() bool {
	inflated, err := p.inflater.Append(nil, p.message, true, 2<<20)
	switch {
	case err == deflate.ErrTooLarge:
		p.failWith(frame.CloseMessageTooBig)
		return false
	case err == nil, p.has("echoes what it can inflate"):
	case p.has("1002 for data"):
		p.failWith(frame.CloseProtocolError)
		return false
	default:
		p.failWith(frame.CloseInvalidFramePayloadData)
		return false
	}
	p.message = inflated
	return true
}
