package deflate

import (
	"math"
	"math/bits"
	"slices"
)

// A code is a Huffman code as it goes into the bit stream, its first bit
// lowest, with its length from bit 16 on.
type code uint32

func (c code) bits() uint64 { return uint64(c & 0xffff) }
func (c code) length() uint { return uint(c >> 16) }

// after returns bits, of which there are n, with c after them.
func (c code) after(bits uint64, n uint) (uint64, uint) {
	return bits | c.bits()<<(n&63), n + c.length()
}

// assignCodes gives the symbols of the lengths in count their canonical codes
// (RFC 1951, Section 3.2.2). symbols are those that have a length, in order.
func assignCodes(codes []code, lengths []uint8, symbols []uint16, count *[maxBits + 1]uint16) {
	var next [maxBits + 1]uint16
	first := uint16(0)
	for n := 1; n <= maxBits; n++ {
		next[n] = first
		first = (first + count[n]) << 1
	}
	for _, symbol := range symbols {
		n := lengths[symbol] & maxBits
		codes[symbol] = code(bits.Reverse16(next[n])>>(16-n)) | code(n)<<16
		next[n]++
	}
}

// A huffman makes optimal codes. It is working memory only, but for symbols.
type huffman struct {
	symbols []uint16 // those that occur, in order

	occurring [fixedNumLit + 1]uint16 // what symbols is a part of
	leaves    [numLit + 1]uint32      // count<<9 | symbol of those that occur, in the order of their counts
	weight    [numLit]uint32          // of inner nodes, in the order they were made
	parent    [numLit]uint16          // of inner nodes; then their depth
	above     [numLit + 1]uint16      // inner node above each leaf
}

// manyTimes is the count from which on leaves are sorted by comparison.
const manyTimes = 32

// unused reports whether none of eight symbols occurs.
func unused(row *[8]uint32) bool {
	return row[0]|row[1]|row[2]|row[3]|row[4]|row[5]|row[6]|row[7] == 0
}

// sort puts the symbols that occur in the order of their counts, of which there
// are a multiple of eight.
func (h *huffman) sort(counts []uint32) []uint32 {
	// Which symbols occur is hard to predict, so no branch depends on it. That
	// eight in a row do not is more often so than not.
	n := 0
	for first := 0; first < len(counts); first += 8 {
		row := (*[8]uint32)(counts[first:])
		if unused(row) {
			continue
		}
		for i, count := range row {
			h.occurring[n] = uint16(first + i)
			n += int(-count >> 31)
		}
	}
	h.symbols = h.occurring[:n]

	var start [manyTimes]uint16
	for _, symbol := range h.symbols {
		start[min(counts[symbol], manyTimes-1)]++
	}
	sum := uint16(0)
	for i, times := range start {
		start[i] = sum
		sum += times
	}
	many := h.leaves[start[manyTimes-1]:n]
	for _, symbol := range h.symbols {
		at := &start[min(counts[symbol], manyTimes-1)]
		h.leaves[*at] = counts[symbol]<<9 | uint32(symbol)
		*at++
	}
	slices.Sort(many)
	return h.leaves[:n]
}

// make sets lengths and codes to those of a code that is optimal for the counts
// but for being cut at limit bits. A single symbol gets one bit. The codes of
// symbols that do not occur are left alone.
func (h *huffman) make(codes []code, lengths []uint8, counts []uint32, limit int) {
	clear(lengths)
	leaves := h.sort(counts)
	var count [maxBits + 1]uint16
	if len(leaves) < 2 {
		count[1] = uint16(len(leaves))
	} else {
		h.shape(leaves, &count, limit)
	}
	for n := limit; n > 0; n-- {
		for range count[n] {
			lengths[leaves[0]&0x1ff] = uint8(n)
			leaves = leaves[1:]
		}
	}
	assignCodes(codes, lengths, h.symbols, &count)
}

// shape counts the codes of each length, for two leaves or more.
func (h *huffman) shape(leaves []uint32, count *[maxBits + 1]uint16, limit int) {
	// Leaves and inner nodes both come in ascending order, so the two lightest
	// are always at the front of one of two queues. Which one is hard to predict,
	// so no branch depends on it: behind both queues is what is never lightest,
	// and who is above the front of the other one is overwritten in its turn.
	nodes := len(leaves) - 1
	h.leaves[len(leaves)] = math.MaxUint32
	leaf, node := 0, 0
	for made := range nodes {
		h.weight[made] = 1 << 30
		sum := uint32(0)
		for range 2 {
			l, n := h.leaves[leaf]>>9, h.weight[node]
			h.above[leaf], h.parent[node] = uint16(made), uint16(made)
			lighter := int((n - l) >> 31) // 1 if the node is
			sum += min(l, n)
			leaf += 1 - lighter
			node += lighter
		}
		h.weight[made] = sum
	}
	depth := h.parent[:nodes]
	depth[nodes-1] = 0
	for i := nodes - 2; i >= 0; i-- {
		depth[i] = depth[depth[i]] + 1
	}
	for i := range leaves {
		count[min(int(depth[h.above[i]])+1, limit)]++
	}

	// Codes cut short take too much of the code space, in units of the longest
	// code. Making two codes of one a bit shorter, for a leaf of the longest
	// kind to take the other half, gives back one unit.
	over := -1 << limit
	for n := 1; n <= limit; n++ {
		over += int(count[n]) << (limit - n)
	}
	for ; over > 0; over-- {
		n := limit - 1
		for count[n] == 0 {
			n--
		}
		count[n]--
		count[n+1] += 2
		count[limit]--
	}
}
