package deflate

import "math/bits"

// A token is a literal, which is its octet, or a match:
//
//	bits 0-14   distance - 1
//	bits 16-23  length - 3
//	bit  31     set
type token = uint32

const tokenMatch token = 1 << 31

func matchToken(length, distance int) token {
	return tokenMatch | token(length-minMatch)<<16 | token(distance-1)
}

// appendLiterals appends a token for each octet of p.
func appendLiterals(tokens []token, p []byte) []token {
	for _, c := range p {
		tokens = append(tokens, token(c))
	}
	return tokens
}

// lengthSymbols maps length-3 to the length's symbol less firstLength.
var lengthSymbols = makeLengthSymbols()

func makeLengthSymbols() (symbols [maxMatch - minMatch + 1]uint8) {
	for symbol, base := range lengthBase {
		for i := int(base) - minMatch; i < len(symbols); i++ {
			symbols[i] = uint8(symbol)
		}
	}
	return symbols
}

// distSymbol returns the symbol of a distance, given less 1.
func distSymbol(distance uint32) uint32 {
	if distance < 2 {
		return distance
	}
	n := uint32(bits.Len32(distance)) - 1
	return 2*n + distance>>(n-1)&1
}
