//go:build race

package deflate_test

// Under the race detector a sync.Pool drops some of what it is given.
const raceEnabled = true
