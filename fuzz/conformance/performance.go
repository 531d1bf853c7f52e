package conformance

import (
	"bytes"
	"fmt"
	"time"
)

// performanceCases measure round trips. They run alone.
func performanceCases() []*Case {
	const trips = 1000
	var cases []*Case
	for i, kind := range dataKinds {
		for j, size := range []int{0, 16, 64, 256, 1024, 4096} {
			f := data(kind.opcode, bytes.Repeat([]byte(kind.fill), size))
			cases = append(cases, &Case{
				ID:     fmt.Sprintf("performance/6.1/%s-%d", kind.name, size),
				Known:  fmt.Sprintf("9.%d.%d", 7+i, 1+j),
				About:  fmt.Sprintf("Sends %d %s messages of %d octets, each when the one before has come back.", trips, kind.name, size),
				Expect: fmt.Sprintf("All come back within %d seconds.", performanceTime/time.Second),
				limit:  performanceTime,
				alone:  true,
				steps:  []step{timed(trips, roundTrips(trips, f)), closes},
			})
		}
	}
	return cases
}

const performanceTime = 60 * time.Second

// timed says how long n repetitions took.
func timed(n int, body step) step {
	return func(s *session) error {
		began := time.Now()
		if err := body(s); err != nil {
			return err
		}
		took := time.Since(began)
		s.inform("%d round trips in %v, %v each", n, took.Round(time.Microsecond), (took / time.Duration(n)).Round(time.Microsecond))
		return nil
	}
}
