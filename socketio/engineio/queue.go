package engineio

import (
	"encoding/base64"
	"slices"
)

// overhead is how many octets a packet counts beyond its data.
const overhead = 16

// A queue holds the packets that wait for the peer, in their order.
type queue struct {
	packets []*Packet
	octets  int // of packets
}

func size(ps []*Packet) int {
	n := 0
	for _, p := range ps {
		n += overhead + len(p.wire) - 1
	}
	return n
}

// push appends packets, or none if that made the queue longer than maxPackets or
// maxOctets. What finds it empty is taken whatever its size.
func (q *queue) push(ps []*Packet, maxPackets, maxOctets int) bool {
	n := size(ps)
	if len(q.packets) > 0 && (len(q.packets) > maxPackets-len(ps) || q.octets > maxOctets-n) {
		return false
	}
	q.packets = append(q.packets, ps...)
	q.octets += n
	return true
}

// add appends a packet of the protocol itself, for which there is always room.
func (q *queue) add(p *Packet) {
	q.packets = append(q.packets, p)
	q.octets += overhead
}

// take empties the queue.
func (q *queue) take() []*Packet {
	ps := q.packets
	*q = queue{}
	return ps
}

// takeSome takes packets of at most so many octets, encoded as a payload, or a single
// one whatever its size. Zero takes all.
func (q *queue) takeSome(octets int) []*Packet {
	n, taken := 0, 0
	for _, p := range q.packets {
		n += overhead + len(p.wire) - 1
		if p.binary {
			n += base64.StdEncoding.EncodedLen(len(p.wire)) - len(p.wire)
		}
		if octets > 0 && n > octets && taken > 0 {
			break
		}
		taken++
	}
	ps := q.packets[:taken:taken]
	q.packets = q.packets[taken:]
	q.octets -= size(ps)
	if len(q.packets) == 0 {
		*q = queue{}
	}
	return ps
}

// putBack undoes a take.
func (q *queue) putBack(ps []*Packet) {
	q.packets = slices.Concat(ps, q.packets)
	q.octets += size(ps)
}
