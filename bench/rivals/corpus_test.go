package rivals_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A corpus is a kind of messages. Its function appends at least n octets that
// begin like a message.
type corpus struct {
	name string
	make func(dst []byte, r *rand.Rand, n int) []byte
}

var corpora = []corpus{
	{"json", appendJSON},
	{"chat", appendChat},
	{"random", appendRandom},
}

// messages returns a mebibyte of messages of n octets each, no two of them the
// same.
func (c corpus) messages(n int) [][]byte {
	r := rand.New(rand.NewPCG(uint64(n), uint64(len(c.name))))
	all := make([][]byte, (1<<20)/n)
	for i := range all {
		all[i] = c.make(nil, r, n)[:n:n]
	}
	return all
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// appendJSON appends records of a trading and tracking service, several kinds of
// them in turn.
func appendJSON(dst []byte, r *rand.Rand, n int) []byte {
	for end := len(dst) + n; len(dst) < end; {
		switch r.IntN(4) {
		case 0:
			dst = fmt.Appendf(dst, `{"event":"trade","seq":%d,"pair":"%s-%s","price":"%d.%02d","size":%.6f,"side":"%s","maker":%t},`,
				r.Uint32(), pick(r, symbols), pick(r, symbols), r.IntN(90_000), r.IntN(100), r.ExpFloat64(), pick(r, sides), r.IntN(2) == 0)
		case 1:
			dst = fmt.Appendf(dst, `{"event":"position","vehicle":"%s-%04x","at":[%.5f,%.5f],"speed":%d,"heading":%d,"time":"2026-%02d-%02dT%02d:%02d:%02d.%03dZ"},`,
				pick(r, symbols), r.IntN(1<<16), r.Float64()*180-90, r.Float64()*360-180, r.IntN(130), r.IntN(360),
				1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000))
		case 2:
			dst = fmt.Appendf(dst, `{"event":"message","room":%d,"from":{"id":"%08x","name":"%s"},"text":"%s %s %s %s.","edited":null},`,
				r.IntN(5000), r.Uint32(), pick(r, people), pick(r, vocabulary), pick(r, vocabulary), pick(r, vocabulary), pick(r, vocabulary))
		default:
			dst = fmt.Appendf(dst, `{"event":"presence","user":"%s","status":"%s","since":%d,"devices":[{"type":"%s","version":"%d.%d.%d"}]},`,
				pick(r, people), pick(r, states), 1_760_000_000+r.IntN(50_000_000), pick(r, devices), r.IntN(20), r.IntN(40), r.IntN(10))
		}
	}
	return dst
}

// appendChat appends sentences, with words as often as people use them: the
// first ones much, the last ones little.
func appendChat(dst []byte, r *rand.Rand, n int) []byte {
	first := true
	for end := len(dst) + n; len(dst) < end; {
		i := int(float64(len(vocabulary)) * r.Float64() * r.Float64())
		word := vocabulary[i]
		if first {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		dst = append(dst, word...)
		first = false
		switch r.IntN(14) {
		case 0:
			dst = append(dst, pick(r, []string{". ", "? ", "! ", " :-) "})...)
			first = true
		case 1:
			dst = append(dst, ", "...)
		case 2:
			dst = fmt.Appendf(dst, " @%s ", pick(r, people))
		case 3:
			dst = fmt.Appendf(dst, " %d ", r.IntN(1000))
		default:
			dst = append(dst, ' ')
		}
	}
	return dst
}

// appendRandom appends octets that cannot be compressed.
func appendRandom(dst []byte, r *rand.Rand, n int) []byte {
	for range n {
		dst = append(dst, byte(r.Uint32()))
	}
	return dst
}

var (
	symbols = strings.Fields("BTC ETH EUR USD JPY GBP CHF SEK NOK DKK PLN CZK HUF AUD CAD NZD")
	sides   = strings.Fields("buy sell")
	states  = strings.Fields("online away busy offline invisible")
	devices = strings.Fields("desktop phone tablet browser watch terminal")
	people  = strings.Fields(`aiko amara anders beatriz chidi dagmar elif farid giulia hana igor joana
 kofi lena mateo nadia oskar priya quentin rosa sven tamar umar vera wen xenia yusuf zofia`)
	vocabulary = strings.Fields(`the to and a of it is in that you for on we this be have not with but are
 what so can do at if just was all from one about they would there when or like get know out will up time
 how more has then think them good some could see than now work people only into need want who right make
 really same back because where still very well much also here after something going before never first
 thing again over maybe another already sure always down tomorrow better while without question problem
 between enough version release server customer message number change until together morning everything
 probably meeting deadline important deployment interesting understand configuration unfortunately
 documentation responsibility infrastructure`)
)
