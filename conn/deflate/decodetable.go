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

// buildTable fills table with the canonical code of the given lengths, 0 to
// maxBits each, whose symbols have the given entries. It reports whether the
// lengths are acceptable: a complete code, or no code at all, or a single code
// of one bit (RFC 1951, Section 3.2.7, has it for one distance); unused bit
// patterns decode to entryInvalid.
func buildTable(table []uint32, primary int, lengths []uint8, symbols []uint32) bool {
	// Which symbols are used is hard to predict, so no branch depends on it.
	var used, sorted [fixedNumLit]uint16
	symbolsUsed := 0
	for symbol, n := range lengths {
		used[symbolsUsed] = uint16(symbol)
		symbolsUsed += int((n + 0x7f) >> 7)
	}
	var count [maxBits + 1]int
	for _, symbol := range used[:symbolsUsed] {
		count[lengths[symbol]]++
	}
	longest, left := 0, 1 // codes not taken at the present length
	for n := 1; n <= maxBits; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return false
		}
		if count[n] != 0 {
			longest = n
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
	for _, symbol := range used[:symbolsUsed] {
		n := lengths[symbol]
		sorted[next[n]] = symbol
		next[n]++
	}

	// Codes come with their first bit lowest, so the table of n bits is two
	// copies of the table of n-1 bits with the codes of n bits put in.
	table[0] = entryInvalid
	size, code, at := 1, 0, 0
	for n := 1; n <= primary; n++ {
		copy(table[size:2*size], table[:size])
		size *= 2
		for range count[n] {
			table[code] = symbols[sorted[at]] + uint32(n)*0x101
			code = nextCode(code, n)
			at++
		}
	}
	free, start, secondBits, prefix := size, 0, 0, -1
	for n := primary + 1; n <= longest; n++ {
		for i := range count[n] {
			if code&(size-1) != prefix {
				// The first code with this prefix is the shortest one; the
				// second table grows until the codes that follow fill it.
				prefix = code & (size - 1)
				start, secondBits = free, n-primary
				room := 1<<secondBits - (count[n] - i)
				for room > 0 {
					secondBits++
					room = room<<1 - count[primary+secondBits]
				}
				free += 1 << secondBits
				table[prefix] = entrySpecial | entrySecond | uint32(start)<<16 | uint32(secondBits)<<8 | uint32(primary)
			}
			entry := symbols[sorted[at]] + uint32(n-primary)*0x101
			for j := code >> primary; j < 1<<secondBits; j += 1 << (n - primary) {
				table[start+j] = entry
			}
			code = nextCode(code, n)
			at++
		}
	}
	return true
}

// nextCode returns the code of n bits after code, both with their first bit
// lowest. After the last code it returns 0.
func nextCode(code, n int) int {
	free := uint(code) ^ (1<<n - 1)
	if free == 0 {
		return 0
	}
	bit := 1 << (bits.Len(free) - 1)
	return code&(bit-1) | bit
}
