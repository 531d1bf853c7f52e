// Package conntest helps to test code on WebSocket connections without a
// network: connected pairs in memory, and connections that misbehave on demand.
//
// [Pipe] returns the two ends of a buffered octet stream that keeps the habits
// of TCP: writes succeed before the peer reads, a direction can be closed by
// itself, and a reset destroys what has not been read. [net.Pipe] has none of
// these, and hides the mistakes that depend on them.
//
// # Time
//
// Everything in this package blocks in a way that [testing/synctest] can see,
// and takes its timers from the bubble it is called in. Inside [synctest.Test]
// a deadline an hour away is a test of microseconds, at the exact time, and a
// test whose goroutines wait for each other fails instead of hanging. Make the
// pipe inside the bubble.
package conntest
