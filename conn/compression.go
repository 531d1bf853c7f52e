package conn

import (
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// minCompressed is from how many octets messages are compressed by default.
// Shorter ones save little of what a packet costs anyway.
const minCompressed = 512

// A Compression has a connection use permessage-deflate (RFC 7692) with a peer
// that speaks it, too. The zero value compresses each message on its own, so
// that an idle connection holds no memory for it.
//
// Who chooses a part of a message and sees how long it is on the wire learns
// about the rest of it, as the attacks CRIME and BREACH did: write messages that
// mix secrets with what others chose by [Conn.WriteUncompressed].
type Compression struct {
	// Config is what this side wants of the parameters.
	deflate.Config

	// Level trades time for size when this side compresses.
	Level deflate.Level

	// MinSize is from how many octets on a message is compressed, if it comes in
	// one frame. Zero means 512, negative that there is no such limit. With
	// context takeover small messages that are like one another gain from a
	// lower one.
	MinSize int

	// TolerateTakeover inflates what refers to earlier messages or farther back
	// than was agreed on, as some browsers of Apple send it. It holds 32 KiB for
	// each connection.
	TolerateTakeover bool
}

// sides returns what the messages of this side and those of the peer obey, with
// window bits in range whatever the caller of New made up.
func sides(p *deflate.Params, role frame.Role) (ownBits int, own deflate.ContextTakeover, peerBits int, peer deflate.ContextTakeover) {
	ownBits, own = p.Server()
	peerBits, peer = p.Client()
	if role == frame.Client {
		ownBits, own, peerBits, peer = peerBits, peer, ownBits, own
	}
	return inRange(ownBits), own, inRange(peerBits), peer
}

func inRange(windowBits int) int {
	if windowBits == 0 {
		return deflate.MaxWindowBits
	}
	return min(max(windowBits, deflate.MinWindowBits), deflate.MaxWindowBits)
}

// startCompression begins permessage-deflate as it was agreed on.
func (c *Conn) startCompression(agreed *deflate.Params) {
	o := c.options.Compression
	if o == nil {
		o = &Compression{}
	}
	ownBits, own, peerBits, peer := sides(agreed, c.role)
	if o.TolerateTakeover {
		peerBits, peer = deflate.MaxWindowBits, deflate.Takeover
	}
	c.proto.frames.Extensions = frame.RSV1
	c.proto.inflater.codec, _ = deflate.NewDecompressor(peerBits, peer)
	c.out.deflater = newDeflater(ownBits, own, o)
}
