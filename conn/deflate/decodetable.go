package deflate

import "math/bits"

// A decode table maps the next bits of the input to an entry. Its first
// 2^primary places are indexed by that many bits; codes longer than this lead
// to a second table for the bits that remain.
//
// An entry is, from the low end:
//
//	bits 0-7    bits to take from the input: the code and the extra bits after it
//	bits 8-11   bits of the code among them, or index bits of the second table
//	bit  13     leads to a second table, which starts at the value
//	bit  14     ends the block
//	bit  15     neither a literal nor a length: one of the above, or no code at all
//	bits 16-30  value: octet, or base of a length or distance, or a table's start
//	bit  31     is a literal
//
// A distance entry never has bit 31.
const (
	entrySecond  = 1 << 13
	entryEnd     = 1 << 14
	entrySpecial = 1 << 15
	entryLiteral = 1 << 31

	entryInvalid = entrySpecial
)

const (
	litPrimary  = 10
	distPrimary = 8
	prePrimary  = maxPreBits

	// The most places any complete code takes with the second tables, for as
	// many symbols and as long codes as the block types allow.
	litTableSize  = 1334
	distTableSize = 402
)

type (
	litTable  [litTableSize]uint32
	distTable [distTableSize]uint32
	preTable  [1 << prePrimary]uint32
)

// The entries of all symbols without the code's own bits, which are added to
// bits 0-7 and 8-11 when the code is known.
var (
	litSymbols  = makeLitSymbols()
	distSymbols = makeDistSymbols()
	preSymbols  = makePreSymbols()
)

func makeLitSymbols() (entries [fixedNumLit]uint32) {
	for i := range entries {
		switch {
		case i < endOfBlock:
			entries[i] = entryLiteral | uint32(i)<<16
		case i == endOfBlock:
			entries[i] = entrySpecial | entryEnd
		case i < numLit:
			entries[i] = uint32(lengthBase[i-firstLength])<<16 | uint32(lengthExtra[i-firstLength])
		default:
			entries[i] = entryInvalid
		}
	}
	return entries
}

func makeDistSymbols() (entries [fixedNumDist]uint32) {
	for i := range entries {
		if i < numDist {
			entries[i] = uint32(distBase[i])<<16 | uint32(distExtra[i])
		} else {
			entries[i] = entryInvalid
		}
	}
	return entries
}

func makePreSymbols() (entries [numPre]uint32) {
	for i := range entries {
		entries[i] = uint32(i) << 16
	}
	return entries
}

// The fixed code is decoded with tables made once.
var fixedLit, fixedDist = makeFixedTables()

func makeFixedTables() (*litTable, *distTable) {
	lit, dist := new(litTable), new(distTable)
	litLengths, distLengths := fixedLengths()
	buildTable(lit[:], litPrimary, litLengths[:], litSymbols[:])
	buildTable(dist[:], distPrimary, distLengths[:], distSymbols[:])
	return lit, dist
}

// alike marks a symbol that has the same length as the seven after it.
const alike = 1 << 15

// buildTable fills table with the canonical code of the given lengths, 0 to
// maxBits each, whose symbols have the given entries. It reports whether the
// lengths are acceptable: a complete code, or no code at all, or a single code
// of one bit (RFC 1951, Section 3.2.7, has it for one distance); unused bit
// patterns decode to entryInvalid.
func buildTable(table []uint32, primary int, lengths []uint8, symbols []uint32) bool {
	// Eight symbols at a time are often unused, or have the same length: a header
	// can say so in few bits, and must not be worth much work. Which symbols are
	// used is otherwise hard to predict, so no branch depends on it.
	var used, sorted [fixedNumLit]uint16
	n := 0
	for symbol := 0; symbol < len(lengths); symbol += 8 {
		eight := load64(lengths, symbol)
		switch eight {
		case 0:
		case eight & 0xff * 0x0101010101010101:
			used[n] = uint16(symbol) | alike
			n++
		default:
			for i := range 8 {
				used[n] = uint16(symbol + i)
				n += int((uint8(eight) + 0x7f) >> 7) // which is 1 unless it is 0
				eight >>= 8
			}
		}
	}
	var count [maxBits + 1]int
	for _, symbol := range used[:n] {
		count[lengths[symbol&^alike]&maxBits] += 1 + int(symbol/alike)*7
	}
	shortest, longest := primary, 0
	left := 1 // codes not taken at the present length
	for n := 1; n <= maxBits; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return false
		}
		if count[n] != 0 {
			shortest, longest = min(shortest, n), n
		}
	}
	if left > 0 && (longest > 1 || count[1] > 1) {
		return false
	}

	// Symbols in the order of their codes: by length, then by value.
	var next [maxBits + 1]int
	sum := 0
	for n, times := range count {
		next[n] = sum
		sum += times
	}
	for _, symbol := range used[:n] {
		at := &next[lengths[symbol&^alike]&maxBits]
		if symbol&alike == 0 {
			sorted[*at] = symbol
			*at++
			continue
		}
		eight := (*[8]uint16)(sorted[*at:])
		n := symbol &^ alike
		eight[0], eight[1], eight[2], eight[3] = n, n+1, n+2, n+3
		eight[4], eight[5], eight[6], eight[7] = n+4, n+5, n+6, n+7
		*at += 8
	}

	// Codes come with their first bit lowest, so the table of n bits is two
	// copies of the table of n-1 bits with the codes of n bits put in.
	size, code, rest := 1<<shortest, 0, sorted[:]
	if left > 0 {
		for i := range table[:size] {
			table[i] = entryInvalid
		}
	}
	for n := shortest; ; n++ {
		put(table[:size], rest[:count[n]], symbols, code, n)
		code += count[n]
		rest = rest[count[n]:]
		code <<= 1
		if n == primary {
			break
		}
		copy(table[size:2*size], table[:size])
		size *= 2
	}
	free, second := size, 0 // second is the bits of the second table at hand
	for n := primary + 1; n <= longest; n++ {
		bits := n - primary // of the code in a second table
		for codes := rest[:count[n]]; len(codes) > 0; {
			// Codes with the same first bits follow each other.
			low := code & (1<<bits - 1)
			if low == 0 {
				// The first one is the shortest; the second table grows until the
				// codes that follow fill it.
				second = bits
				for room := 1<<bits - len(codes); room > 0; {
					second++
					room = room<<1 - count[primary+second]
				}
				table[reverse(code>>bits, primary)] = entrySpecial | entrySecond | uint32(free)<<16 | uint32(second)<<8 | uint32(primary)
				free += 1 << second
			}
			part := table[free-1<<second : free]
			same := codes[:min(len(codes), 1<<bits-low)]
			for ; len(part) > 0; part = part[1<<bits:] {
				put(part[:1<<bits], same, symbols, low, bits)
			}
			codes = codes[len(same):]
			code += len(same)
		}
		rest = rest[count[n]:]
		code <<= 1
	}
	return true
}

// put enters sorted symbols into a table, whose codes have n bits, 1 to litPrimary,
// and follow each other from code on.
func put(table []uint32, sorted []uint16, symbols []uint32, code, n int) {
	taken, zeros := uint32(n)*0x101, uint(litPrimary-n)&15
	at := code << zeros
	for _, symbol := range sorted {
		table[reversed[at&(len(reversed)-1)]] = symbols[symbol] + taken
		at += 1 << zeros
	}
}

// reverse returns a code of n bits, 1 to maxBits, with its first bit lowest.
func reverse(code, n int) int { return int(bits.Reverse16(uint16(code)) >> (16 - n&15)) }

// reversed are all codes of litPrimary bits with their first bit lowest. Shorter
// ones are found with zeros behind them.
var reversed = makeReversed()

func makeReversed() (codes [1 << litPrimary]uint16) {
	for code := range codes {
		codes[code] = uint16(reverse(code, litPrimary))
	}
	return codes
}
