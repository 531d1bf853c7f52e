package conn

import (
	"math"
	"testing"
	"time"
)

// Sizes are counted without overflow.
func TestLimitsFragment(t *testing.T) {
	tests := []struct {
		name    string
		maxSize int64
		lengths []int64 // of the fragments; the error is of the last
		err     error
	}{
		{name: "exact", maxSize: 10, lengths: []int64{3, 7, 0}},
		{name: "one more", maxSize: 10, lengths: []int64{3, 8}, err: ErrMessageTooBig},
		{name: "one more at once", maxSize: 10, lengths: []int64{11}, err: ErrMessageTooBig},
		{name: "overflow", maxSize: 10, lengths: []int64{1, math.MaxInt64}, err: ErrMessageTooBig},
		{name: "no limit", maxSize: math.MaxInt64, lengths: []int64{math.MaxInt64}},
		{name: "no limit, overflow", maxSize: math.MaxInt64, lengths: []int64{1, math.MaxInt64}, err: ErrMessageTooBig},
		{name: "no limit, overflow by one", maxSize: math.MaxInt64, lengths: []int64{math.MaxInt64 - 1, 1, 1}, err: ErrMessageTooBig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := limits{maxSize: tt.maxSize}
			for range 2 { // a message begins anew
				for i, length := range tt.lengths {
					var want error
					if i == len(tt.lengths)-1 {
						want = tt.err
					}
					if err := l.fragment(i == 0, length); err != want {
						t.Errorf("fragment %d = %v, want %v", i, err, want)
					}
				}
			}
		})
	}
}

// The rate is one of any clock, also one that goes back.
func TestLimitsControl(t *testing.T) {
	most := 2
	var r rate
	count := func(at time.Duration, n int, want error) {
		t.Helper()
		for i := range n {
			if err := r.count(at, most); err != nil && (i < n-1 || want == nil) {
				t.Fatalf("frame %d of %d after %v: %v", i+1, n, at, err)
			} else if i == n-1 && err != want {
				t.Fatalf("last of %d frames after %v: %v, want %v", n, at, err, want)
			}
		}
	}
	count(0, 10, nil)
	count(time.Second, 2, nil)
	count(2*time.Second, 3, ErrTooManyControlFrames)
	r = rate{}
	count(0, 9, nil)
	count(500*time.Millisecond, 2, nil)
	count(time.Hour, 10, nil)
	count(time.Hour-time.Minute, 1, ErrTooManyControlFrames)

	r, most = rate{}, math.MaxInt32
	count(0, 100_000, nil)
}
