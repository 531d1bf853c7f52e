package reference

import "slices"

// A Progress says how far octets that are to be inflated have led.
type Progress int

const (
	Good Progress = iota // the message may end here
	More                 // so far they are right, and more has to follow
	Bad                  // no octets that follow could make them right
)

// Inflate decodes RFC 1951 as RFC 7692, Section 7.2.2, has it: references reach
// back up to size octets, into window before the octets of the message.
// The octets 00 00 FF FF that the sender has removed are not part of src. With
// Bad, out is what came before the fault.
func Inflate(size int, window, src []byte) (out []byte, p Progress) {
	d := inflater{size: size, src: src, out: slices.Clone(window), start: len(window)}
	p = More
	func() {
		defer func() {
			// What cannot go on unwinds to here.
			if e := recover(); e != nil {
				p = e.(Progress)
			}
		}()
		for {
			d.block()
		}
	}()
	if p == More && d.between && d.at == 8*len(src) {
		p = Good
	}
	return d.out[d.start:], p
}

type inflater struct {
	size    int
	src     []byte
	at      int  // the next bit
	between bool // whether blocks, or the LEN and NLEN that the tail supplies, may follow here
	out     []byte
	start   int
}

// bits returns the next n bits, the first of them lowest (RFC 1951, Section
// 3.1.1).
func (d *inflater) bits(n int) (v int) {
	for i := range n {
		if d.at == 8*len(d.src) {
			panic(More)
		}
		v |= int(d.src[d.at/8]>>(d.at%8)&1) << i
		d.at++
	}
	return v
}

// align passes over the bits to the next octet.
func (d *inflater) align() { d.at = (d.at + 7) / 8 * 8 }

// block decodes a block (RFC 1951, Section 3.2.3).
func (d *inflater) block() {
	d.between = true
	final := d.bits(1)
	d.between = false
	switch d.bits(2) {
	case 0:
		d.stored()
	case 1:
		d.symbols(fixedLiterals, fixedDistances)
	case 2:
		literals, distances := d.dynamic()
		d.symbols(codeOf(literals), codeOf(distances))
	default:
		panic(Bad)
	}
	if final == 1 {
		d.align() // RFC 7692, Section 7.2.3.4: what follows begins with an octet
	}
}

func (d *inflater) stored() {
	d.align()
	d.between = true
	length := d.bits(1)
	d.between = false
	length |= d.bits(15) << 1
	if d.bits(16) != length^0xffff {
		panic(Bad)
	}
	for range length {
		d.out = append(d.out, byte(d.bits(8)))
	}
}

var fixedLiterals, fixedDistances = func() (literals, distances code) {
	l, d := fixed()
	return codeOf(l), codeOf(d)
}()

// fixed returns the lengths of the fixed codes (RFC 1951, Section 3.2.6).
func fixed() (literals, distances []int) {
	for i := range 288 {
		switch {
		case i <= 143:
			literals = append(literals, 8)
		case i <= 255:
			literals = append(literals, 9)
		case i <= 279:
			literals = append(literals, 7)
		default:
			literals = append(literals, 8)
		}
	}
	return literals, slices.Repeat([]int{5}, 32)
}

// dynamic reads the lengths of the codes of a block (RFC 1951, Section 3.2.7).
func (d *inflater) dynamic() (literals, distances []int) {
	numLiterals, numDistances, n := d.bits(5)+257, d.bits(5)+1, d.bits(4)+4
	if numLiterals > 286 || numDistances > 30 {
		panic(Bad)
	}
	var lengths [19]int
	order := []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	for _, i := range order[:n] {
		lengths[i] = d.bits(3)
	}
	code := codeOf(lengths[:])
	var all []int
	for len(all) < numLiterals+numDistances {
		symbol, length, times := d.symbol(code), 0, 1
		switch symbol {
		case 16:
			if len(all) == 0 {
				panic(Bad)
			}
			length, times = all[len(all)-1], 3+d.bits(2)
		case 17:
			times = 3 + d.bits(3)
		case 18:
			times = 11 + d.bits(7)
		default:
			length = symbol
		}
		all = append(all, slices.Repeat([]int{length}, times)...)
	}
	if len(all) > numLiterals+numDistances || all[256] == 0 {
		panic(Bad)
	}
	return all[:numLiterals], all[numLiterals:]
}

// symbols decodes literals and references up to the end of a block (RFC 1951,
// Section 3.2.5).
func (d *inflater) symbols(literals, distances code) {
	for {
		symbol := d.symbol(literals)
		switch {
		case symbol < 256:
			d.out = append(d.out, byte(symbol))
			continue
		case symbol == 256:
			return
		case symbol > 285:
			panic(Bad)
		}
		length := 258
		if symbol < 285 {
			length = 3
			for i := 257; i < symbol; i++ {
				length += 1 << extraLength(i)
			}
			length += d.bits(extraLength(symbol))
		}
		symbol = d.symbol(distances)
		if symbol > 29 {
			panic(Bad)
		}
		distance := 1
		for i := range symbol {
			distance += 1 << extraDistance(i)
		}
		distance += d.bits(extraDistance(symbol))
		if distance > min(d.size, len(d.out)) {
			panic(Bad)
		}
		for range length {
			d.out = append(d.out, d.out[len(d.out)-distance])
		}
	}
}

// extraLength and extraDistance return how many bits follow a symbol.
func extraLength(symbol int) int   { return max(0, (symbol-261)/4) }
func extraDistance(symbol int) int { return max(0, symbol/2-1) }

// A code maps the bits of a Huffman code, behind a 1 that shows how many they are, to
// its symbol.
type code map[int]int

// codeOf assigns codes to lengths (RFC 1951, Section 3.2.2).
func codeOf(lengths []int) code {
	c := make(code, len(lengths))
	bits, used, last := 0, 0.0, 0
	for n := 1; n <= 15; n++ {
		bits <<= 1
		for symbol, length := range lengths {
			if length == n {
				c[1<<n|bits] = symbol
				bits++
				used += 1 / float64(int(1)<<n)
				last = n
			}
		}
	}
	// All of the bit patterns, none, or a single one of one bit.
	if used > 1 || used < 1 && len(c) > 0 && (len(c) > 1 || last > 1) {
		panic(Bad)
	}
	return c
}

// symbol decodes the next symbol, of which the first bit is the highest.
func (d *inflater) symbol(c code) int {
	bits := 1
	for range 15 {
		bits = bits<<1 | d.bits(1)
		if s, ok := c[bits]; ok {
			return s
		}
		if len(c) < 2 {
			break
		}
	}
	panic(Bad)
}
