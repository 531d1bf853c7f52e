package deflate

import "math/bits"

// A match stands for octets that occurred before.
type match struct {
	literals uint32 // how many literals come between the match before and this one
	length   uint16 // less minMatch
	distance uint16 // less 1
}

// lengthSymbols maps the length of a match, less minMatch, to its symbol less
// firstLength in bits 0 to 7, the number of its extra bits in bits 8 to 15 and
// these from bit 16 on.
var lengthSymbols = makeLengthSymbols()

func makeLengthSymbols() (symbols [maxMatch - minMatch + 1]uint32) {
	for symbol, base := range lengthBase {
		for i := int(base) - minMatch; i < len(symbols); i++ {
			symbols[i] = uint32(symbol) | uint32(lengthExtra[symbol])<<8 | uint32(i+minMatch-int(base))<<16
		}
	}
	return symbols
}

// distSymbol returns the symbol of a distance, given less 1, and the number of
// its extra bits, which are the lowest of that number.
func distSymbol(distance uint32) (symbol, extra uint32) {
	extra = uint32(bits.Len32(distance|2)) - 2
	symbol = 2*(extra+1) + distance>>(extra&31)&1
	return symbol - (distance-2)>>31*2, extra // 0 and 1 have no symbols of the kind of 2 and 3
}
