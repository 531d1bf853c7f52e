package deflate

// The two alphabets of RFC 1951, Section 3.2.5: literals, end of block and
// lengths share one, distances have their own.
const (
	endOfBlock   = 256
	firstLength  = 257 // symbol of the shortest match
	numLit       = 286 // symbols that may occur
	numDist      = 30
	numPre       = 19  // symbols of the code length alphabet (Section 3.2.7)
	fixedNumLit  = 288 // symbols the fixed code assigns, two of them unused
	fixedNumDist = 32
	maxBits      = 15 // longest code of a block
	maxPreBits   = 7
	minMatch     = 3
	maxMatch     = 258
)

// lengthBase and lengthExtra describe symbols 257 to 285.
var (
	lengthBase = [numLit - firstLength]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31,
		35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [numLit - firstLength]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,
		3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
)

// distBase and distExtra describe the distance symbols.
var (
	distBase = [numDist]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
		1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distExtra = [numDist]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8,
		9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// preOrder is the order in which a dynamic block gives the lengths of the code
// length code (Section 3.2.7).
var preOrder = [numPre]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// fixedLengths returns the code lengths of the fixed code (Section 3.2.6).
func fixedLengths() (lit [fixedNumLit]uint8, dist [fixedNumDist]uint8) {
	for i := range lit {
		switch {
		case i < 144:
			lit[i] = 8
		case i < 256:
			lit[i] = 9
		case i < 280:
			lit[i] = 7
		default:
			lit[i] = 8
		}
	}
	for i := range dist {
		dist[i] = 5
	}
	return lit, dist
}
