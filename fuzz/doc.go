// Package fuzz is the home of the fuzz targets. Each states a property of the
// exported names of the other packages, most of them against a reference: what
// the sections of RFC 6455 and RFC 7692 say, written once more without a thought of
// speed, or the standard library.
//
// The seeds and the corpora in testdata run as tests. Fuzzing is
//
//	go test -fuzz FuzzServerFrames ./fuzz
//	go run ./fuzz/run -time 30s
//	go run ./fuzz/run -mutate -time 3m
//
// where the second runs all targets of the repository and keeps the inputs that fail
// as tests: see its documentation. It also lists the targets and writes their corpora
// as zip files, as services that fuzz want them. The third runs those of this package
// on inputs that are made in the same process, without a look at coverage and so much
// faster; "go test ./fuzz -run FuzzServerFrames -mutate 3m -seed 2" does so for one.
// What has been run is written down in RECORDS.md.
//
// # Targets
//
//   - masking: FuzzMask, FuzzRemask, FuzzKeys
//   - headers and frames: FuzzHeader, FuzzHeaderRules, FuzzServerFrames,
//     FuzzClientFrames, FuzzAppendMessage, FuzzTransform
//   - text and Close payloads: FuzzUTF8, FuzzUnmaskText, FuzzClose
//   - heads of the opening handshake: FuzzRequestHead, FuzzResponseHead,
//     FuzzUpgradeFields, FuzzSubprotocols, FuzzExtensions, FuzzOffer, FuzzOrigin
//   - permessage-deflate: FuzzInflate, FuzzDeflate, FuzzDeflateStandard,
//     FuzzNegotiation, FuzzConfirm
//   - opening a connection: FuzzAccept, FuzzDialResponse, FuzzDialURL
//   - a connection in either role, against octets that come and go, and in whole
//     sessions with an application and a bad network: FuzzServerReceive,
//     FuzzClientReceive, FuzzWrite, FuzzServerSession, FuzzClientSession, FuzzPipe
//   - Engine.IO: FuzzEnginePacket, FuzzEnginePayload, FuzzEngineOctets,
//     FuzzEngineSession
//   - Socket.IO: FuzzSocketPacket, FuzzMsgpack
//
// # Small scopes
//
// Beside the targets are tests that leave nothing out of a small scope: TestHeaders,
// TestTexts, and TestSequences, which sends all sequences of a few frames to a
// connection in both roles. Its flag -frames makes them longer.
//
// # Seeded faults
//
// Program mutants puts one fault after the other into the code and tells which test
// and which target has found it.
package fuzz
