package script

// A Source makes the choices of [Generate]: IntN returns a number from 0 to n-1,
// and n is at least 1. A *rand.Rand of math/rand/v2 is one.
type Source interface{ IntN(n int) int }

// Octets is a [Source] whose choices are the octets given, for fuzzing; when they
// have run out it chooses 0, for ever.
type Octets struct{ B []byte }

// IntN takes an octet for a choice of up to 256, and two or more for others.
func (o *Octets) IntN(n int) int {
	v := 0
	for size := 1; size < n && len(o.B) > 0; size <<= 8 {
		v = v<<8 | int(o.B[0])
		o.B = o.B[1:]
	}
	return v % n
}
