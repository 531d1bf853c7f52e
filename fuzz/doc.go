// Package fuzz is the home of the fuzz targets. Each states a property of the
// exported names of the other packages, most of them against a reference: what
// Sections of RFC 6455 and RFC 7692 say, written once more without a thought of
// speed, or the standard library.
//
// The seeds and the corpora in testdata run as tests. Fuzzing is
//
//	go test -fuzz FuzzServerFrames ./fuzz
//	go run ./fuzz/run -time 30s
//
// where the second runs all targets: see its documentation. Beside the targets
// are exhaustive tests of small scopes: all sequences of a few frames, through
// a connection in both roles.
package fuzz
