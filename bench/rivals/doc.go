// Package rivals compares this module with the best known Go libraries for the
// same: whether each reads what the other writes, and which is faster. It holds
// tests and benchmarks only, and is a module of its own so that nobody else has
// to fetch those libraries.
//
// Benchmarks name the library they measure as lib, for benchstat:
//
//	go test -run '^$' -bench Deflate -count 10 | tee new.txt
//	benchstat -col /lib new.txt
//
// The program in table sets our numbers against the best of the others:
//
//	go test -run '^$' -bench Deflate -benchtime 100ms -count 5 | go run ./table
//
// The time of an operation with compression is that of the fastest of many short
// runs, so that a machine with other work measures the same.
//
// What is measured is generated from seeds, so that everybody measures the same.
package rivals
