// Package guarded has memory for tests of assembly: an octet read or written
// beside it is a fault.
package guarded
