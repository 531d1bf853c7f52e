package fuzz_test

import (
	"bytes"
	"compress/flate"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/fuzz/internal/reference"
	"example.org/rfc6455/handshake"
)

// inputPerOctet and freeInput are how many octets a message may have for each that
// it inflates to, and in any case, before ErrNoOutput.
const (
	inputPerOctet = 16
	freeInput     = 1 << 10
)

// compressed are payloads of messages to start from, in hex: those of RFC 7692,
// Section 7.2.3, and what breaks RFC 1951.
var compressed = []string{
	"f248cdc9c90700", "f200110000", "000500faff48656c6c6f00", "f348cdc9c9070000", "f24805000000ffffcac9c90700", "00", "", "06", "06 0100 feff 61 00", "04c08100000000009056fe2b545501", "f4c08100000000009056ff135204", "ecc08100000000009056ff134e04", "00 0100 0000 61 00", "0000 00ffff 00 00ffff 00",
	"000500faff48", "000500faf0", "f2", "4b 04 11", "f3 00 11 00 f2 00 11 00 00", "4a 4c 4a 06 00 02", "024280ff ff00",
	"e5c0810000000080a0fca917b90b", "0401", "0dc0 0109 0000", "fcff ffff ffff",
}

// text returns n octets of words.
func text(n int) []byte {
	words := []string{"alpha ", "beta, ", "\"gamma\": ", "12345", "\n", "δέλτα ", "epsilon", "00000000"}
	var p []byte
	for i := 0; len(p) < n; i = (i*5 + len(p)) % len(words) {
		p = append(p, words[i]...)
	}
	return p[:n]
}

// A standardCompressor compresses the messages of a connection with compress/flate.
// (Its NewWriterDict would do for single ones, if it did not put the dictionary into
// stored blocks.)
type standardCompressor struct {
	tb   testing.TB
	wire bytes.Buffer
	w    *flate.Writer
}

func newStandardCompressor(tb testing.TB, level int) *standardCompressor {
	c := &standardCompressor{tb: tb}
	var err error
	if c.w, err = flate.NewWriter(&c.wire, level); err != nil {
		tb.Fatal(err)
	}
	return c
}

// message compresses a message as RFC 7692, Section 7.2.1, has it.
func (c *standardCompressor) message(p []byte) []byte {
	c.wire.Reset()
	if _, err := c.w.Write(p); err != nil {
		c.tb.Fatal(err)
	}
	if err := c.w.Flush(); err != nil {
		c.tb.Fatal(err)
	}
	return bytes.Clone(bytes.TrimSuffix(c.wire.Bytes(), []byte("\x00\x00\xff\xff")))
}

func newDecompressor(tb testing.TB, bits int, takeover bool) *deflate.Decompressor {
	d, err := deflate.NewDecompressor(bits, deflate.ContextTakeover(takeover))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// FuzzInflate: two messages, in any pieces, inflate to what RFC 1951 makes of them
// with the window agreed on, and no further than the limit; what is broken is
// refused. A limit too low ends with the limit, and not with an octet more.
func FuzzInflate(f *testing.F) {
	for i, s := range compressed {
		next := compressed[(i+1)%len(compressed)]
		f.Add(unhex(f, s), unhex(f, next), []byte{1, 2, 3}, uint8(i), i%2 == 0, 100+i*37)
	}
	for i, n := range []int{0, 5, 300, 3000} {
		first := text(n)
		best := newStandardCompressor(f, flate.BestCompression)
		f.Add(best.message(first), best.message(first), []byte{7, 90}, uint8(7), true, n)
		f.Add(newStandardCompressor(f, flate.BestSpeed).message(octets(n)), newStandardCompressor(f, flate.HuffmanOnly).message(first), []byte{255}, uint8(i), false, n-1)
	}
	f.Add(bytes.Repeat([]byte("\x00\x00\x00\xff\xff"), 400), []byte(nil), []byte{100, 100}, uint8(7), true, 1000)
	// A reference 300 octets back, beyond a window of 8 bits and within one of 9, in
	// a message and into the one before.
	c := newStandardCompressor(f, flate.BestCompression)
	for bits := range uint8(2) {
		f.Add(newStandardCompressor(f, flate.BestCompression).message(bytes.Repeat(octets(300), 2)), []byte(nil), []byte{40}, bits, true, 1000)
	}
	first, second := c.message(octets(300)), c.message(octets(300))
	for bits := range uint8(2) {
		f.Add(first, second, []byte{40}, bits, true, 1000)
		f.Add(first, second, []byte{40}, bits, false, 1000)
	}
	fuzz(f, func(t *testing.T, first, second, cuts []byte, bits uint8, takeover bool, limit int) {
		if len(first)+len(second) > 1<<14 {
			return // the reference is slow
		}
		windowBits := 8 + int(bits&7)
		limit = min(max(limit, -1), 1<<18)
		whole, parts := newDecompressor(t, windowBits, takeover), newDecompressor(t, windowBits, takeover)
		var window []byte
		for i, wire := range [][]byte{first, second} {
			most := int64(limit)
			if limit < 0 {
				most = deflate.NoLimit
			}
			got, err := whole.Append([]byte("x"), wire, true, most)
			if got[0] != 'x' {
				t.Fatalf("message %d: dst was changed", i)
			}
			got = got[1:]
			var inParts []byte
			var partsErr error
			list := pieces(wire, cuts)
			for j, p := range list {
				if inParts, partsErr = parts.Append(inParts, p, j == len(list)-1, most); partsErr != nil {
					break
				}
			}
			if err != partsErr || !bytes.Equal(got, inParts) {
				t.Fatalf("message %d at once: %d octets, %v; in parts of %v: %d, %v", i, len(got), err, cuts, len(inParts), partsErr)
			}
			if limit < 0 {
				most = math.MaxInt64
			}
			want, progress := reference.Inflate(1<<windowBits, window, wire)
			if i == 0 && progress == reference.Bad {
				// It shows at once, or with the octets that a token may still need.
				late := newDecompressor(t, windowBits, takeover)
				if _, err := late.Append(nil, append(bytes.Clone(wire), make([]byte, 16)...), false, deflate.NoLimit); err == nil {
					t.Fatalf("what is wrong in %x does not show", wire)
				}
				late.Release()
			}
			switch {
			case int64(len(got)) > most:
				t.Fatalf("message %d: %d octets exceed the limit of %d", i, len(got), limit)
			case err == deflate.ErrNoOutput:
				if len(wire) < freeInput+inputPerOctet*len(got) {
					t.Fatalf("message %d: %d octets that yield %d: %v", i, len(wire), len(got), err)
				}
			case err == nil && len(wire) > freeInput+inputPerOctet*len(got)+512:
				// No block takes so much more.
				t.Fatalf("message %d: %d octets that yield %d are accepted", i, len(wire), len(got))
			case err == deflate.ErrTooLarge:
				if int64(len(want)) <= most || !bytes.HasPrefix(want, got) {
					t.Fatalf("message %d: %d octets of %d with a limit of %d: %v", i, len(got), len(want), limit, err)
				}
			case (err == nil) != (progress == reference.Good), progress == reference.More && err != deflate.ErrTruncated:
				t.Fatalf("message %d: %d octets, %v; want %d, %v", i, len(got), err, len(want), progress)
			case !bytes.Equal(got, want):
				t.Fatalf("message %d inflates to %d octets that differ; want %d", i, len(got), len(want))
			}
			if err != nil {
				if _, again := whole.Append(nil, nil, true, most); again != err {
					t.Fatalf("message %d: %v, then %v", i, err, again)
				}
				return
			}
			if takeover {
				window = append(window, got...)
			}
		}
		whole.Release()
		parts.Release()
		if n := whole.Memory() + parts.Memory(); n != 0 {
			t.Fatalf("%d octets are held after Release", n)
		}
	})
}

// FuzzDeflate: messages, whole or in pieces, come back from the window agreed on,
// from no more than that; one that is reported as compressed is not longer than the
// documentation says, one that is not is not in the window either.
func FuzzDeflate(f *testing.F) {
	for i, n := range []int{0, 5, 60, 300, 5000} {
		f.Add(text(n), octets(n/2), uint8(i), n%3 == 0, n%2 == 0, n/3)
		f.Add(octets(n), text(n), uint8(7-i), n%2 == 0, n%3 == 0, n/5)
	}
	f.Add([]byte("aaaaaaaaaaaaaaaa"), []byte("aaaabaaaabaaaab"), uint8(0), true, true, 3)
	f.Add(bytes.Repeat(text(300), 4), text(300), uint8(0), true, true, 100)
	fuzz(f, func(t *testing.T, first, second []byte, bits uint8, takeover, good bool, piece int) {
		if len(first)+len(second) > 1<<13 {
			return // the reference is slow
		}
		windowBits, level := 8+int(bits&7), deflate.Fast
		if good {
			level = deflate.Good
		}
		c, err := deflate.NewCompressor(windowBits, deflate.ContextTakeover(takeover), level)
		if err != nil {
			t.Fatal(err)
		}
		d := newDecompressor(t, windowBits, takeover)
		var window []byte
		check := func(wire, message []byte) {
			if out, p := reference.Inflate(1<<windowBits, window, wire); p != reference.Good || !bytes.Equal(out, message) {
				t.Fatalf("%d octets are compressed to %d and inflate to %d, %v", len(message), len(wire), len(out), p)
			}
			if out, err := d.Append(nil, wire, true, int64(len(message))); err != nil || !bytes.Equal(out, message) {
				t.Fatalf("%d octets come back as %d, %v", len(message), len(out), err)
			}
			if takeover {
				window = append(window, message...)
			}
		}
		piece = max(piece, len(second)/8, 1)
		for range 2 {
			before := bytes.Clone(first)
			most := len(first) - 1
			if takeover && len(first) >= 16 {
				most = len(first) + 2
			}
			wire, ok := c.Append([]byte("x"), first[:len(first)/2], first[len(first)/2:])
			if !bytes.Equal(before, first) || wire[0] != 'x' || !ok && len(wire) > 1 || ok && len(wire)-1 > most {
				t.Fatalf("Append of %d octets = %d, %t", len(first), len(wire)-1, ok)
			}
			if ok {
				check(wire[1:], first)
			}
			wire = nil
			for p := range slices.Chunk(second, piece) {
				n := len(wire)
				if wire = c.AppendPiece(wire, p, false); len(wire)-n > len(p)+len(p)/8+16 {
					t.Fatalf("a piece of %d octets becomes %d", len(p), len(wire)-n)
				}
			}
			check(c.AppendPiece(wire, nil, true), second)
		}
		if !takeover && c.Memory() != 0 {
			t.Fatalf("%d octets are held without context takeover", c.Memory())
		}
	})
}

// FuzzDeflateStandard: compress/flate inflates what we compress, and we inflate what
// it compresses at any level, message after message with context takeover.
func FuzzDeflateStandard(f *testing.F) {
	for i, n := range []int{0, 5, 300, 40_000} {
		f.Add(text(n), octets(n/2), uint8(i*3), n%2 == 0)
		f.Add(octets(n), text(n/2), uint8(9-i), n%3 == 0)
	}
	compressors := map[int]*standardCompressor{} // they are large
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		compressors[level] = newStandardCompressor(f, level)
	}
	fuzz(f, func(t *testing.T, first, second []byte, level uint8, good bool) {
		ours := deflate.Fast
		if good {
			ours = deflate.Good
		}
		c, err := deflate.NewCompressor(deflate.MaxWindowBits, deflate.Takeover, ours)
		if err != nil {
			t.Fatal(err)
		}
		d := newDecompressor(t, deflate.MaxWindowBits, true)
		standard := compressors[int(level%12)-2]
		standard.w.Reset(&standard.wire)
		var window []byte // what has gone over our context
		for i, message := range [][]byte{first, second, first} {
			wire := standard.message(message)
			if out, err := d.Append(nil, wire, true, deflate.NoLimit); err != nil || !bytes.Equal(out, message) {
				t.Fatalf("message %d of compress/flate: %d octets, %v; want %d", i, len(out), err, len(message))
			}
			wire, ok := c.Append(nil, message)
			if !ok {
				continue
			}
			// A last block of one octet shows where the message ends.
			r := flate.NewReaderDict(bytes.NewReader(slices.Concat(wire, []byte("\x00\x00\xff\xff\x01\x01\x00\xfe\xff!"))), window)
			var out bytes.Buffer
			if _, err := out.ReadFrom(r); err != nil || out.String() != string(message)+"!" {
				t.Fatalf("message %d of ours: compress/flate has %d octets, %v; want %d", i, out.Len(), err, len(message)+1)
			}
			window = append(window, message...)
		}
	})
}

// FuzzNegotiation: of a client's offers a server declines those that RFC 7692,
// Section 7.1, does not allow, and answers the first other one with what keeps
// within the offer and its own Config; the client of that offer understands the same.
func FuzzNegotiation(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", uint8(15), uint8(15), true, true)
	f.Add("permessage-deflate", uint8(12), uint8(9), false, true)
	f.Add(`permessage-deflate; server_max_window_bits="10"; client_no_context_takeover, permessage-deflate`, uint8(0), uint8(8), true, false)
	f.Add("permessage-deflate; server_max_window_bits=08, permessage-deflate; client_max_window_bits=9", uint8(9), uint8(10), true, true)
	f.Add("permessage-deflate; server_no_context_takeover; server_no_context_takeover", uint8(0), uint8(0), true, true)
	f.Add("permessage-deflate; server_no_context_takeover=1, permessage-deflate; x", uint8(0), uint8(0), true, true)
	f.Add("permessage-deflate; server_max_window_bits, x-webkit-deflate-frame, permessage-deflate; client_max_window_bits=16", uint8(0), uint8(0), true, true)
	f.Add("permessage-deflate; server_max_window_bits=8; client_max_window_bits=8; client_no_context_takeover; server_no_context_takeover", uint8(0), uint8(0), true, true)
	fuzz(f, func(t *testing.T, line string, serverBits, clientBits uint8, serverTakeover, clientTakeover bool) {
		offers, err := handshake.ParseExtensions([]string{line})
		if err != nil {
			return
		}
		c := deflate.Config{
			ServerContextTakeover: deflate.ContextTakeover(serverTakeover), ClientContextTakeover: deflate.ContextTakeover(clientTakeover),
			ServerMaxWindowBits: int(serverBits), ClientMaxWindowBits: int(clientBits),
		}
		if inRange := func(n uint8) bool { return n == 0 || n >= 8 && n <= 15 }; (c.Validate() == nil) != (inRange(serverBits) && inRange(clientBits)) {
			t.Fatalf("Validate of %+v: %v", c, c.Validate())
		}
		if c.Validate() != nil {
			return
		}
		var want []handshake.Extension
		for _, offer := range offers {
			answer, agreed, ok := c.Accept(offer)
			if ok != isOffer(offer) {
				t.Fatalf("offer %v is accepted: %t", offer, ok)
			}
			if !ok {
				continue
			}
			checkAgreement(t, c, offer, answer, agreed)
			if want == nil {
				want = []handshake.Extension{answer}
			}
		}
		got := handshake.Negotiate(offers, func(offer handshake.Extension) (handshake.Extension, bool) {
			answer, _, ok := c.Accept(offer)
			return answer, ok
		})
		if diff := mismatch(want, got); diff != "" {
			t.Fatalf("%q is answered (-want +got):\n%s", line, diff)
		}
		// Two of our own always agree, on the least that either wants.
		answer, _, ok := deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover}.Accept(c.Offer())
		if params, err := c.Confirm(answer); !ok || err != nil || params.ServerMaxWindowBits != orLargest(serverBits) || params.ClientMaxWindowBits != orLargest(clientBits) ||
			params.ServerNoContextTakeover == serverTakeover || params.ClientNoContextTakeover == clientTakeover {
			t.Fatalf("%+v offers %v, is answered %v and has %+v, %v", c, c.Offer(), answer, params, err)
		}
	})
}

func orLargest(bits uint8) int {
	if bits == 0 {
		return deflate.MaxWindowBits
	}
	return int(bits)
}

// window returns the value of a window parameter, or zero if it is none (RFC 7692,
// Section 7.1.2).
func window(value string) int {
	if n, err := strconv.Atoi(value); err == nil && n >= 8 && n <= 15 && strconv.Itoa(n) == value {
		return n
	}
	return 0
}

// isOffer reports whether RFC 7692, Section 7.1, allows an offer.
func isOffer(offer handshake.Extension) bool {
	seen := map[string]bool{}
	for _, p := range offer.Params {
		if seen[p.Name] {
			return false
		}
		seen[p.Name] = true
		switch p.Name {
		case "server_no_context_takeover", "client_no_context_takeover":
			if p.Value != "" {
				return false
			}
		case "server_max_window_bits":
			if window(p.Value) == 0 {
				return false
			}
		case "client_max_window_bits":
			if p.Value != "" && window(p.Value) == 0 {
				return false
			}
		default:
			return false
		}
	}
	return offer.Name == "permessage-deflate"
}

// checkAgreement checks the answer of c to an offer.
func checkAgreement(t *testing.T, c deflate.Config, offer, answer handshake.Extension, agreed deflate.Params) {
	offered, answered := map[string]string{}, map[string]string{}
	for _, p := range offer.Params {
		offered[p.Name] = p.Value
	}
	for _, p := range answer.Params {
		answered[p.Name] = p.Value
	}
	has := func(m map[string]string, name string) bool { _, ok := m[name]; return ok }
	serverBits, clientBits := 15, 15
	if v := window(answered["server_max_window_bits"]); v != 0 {
		serverBits = v
	}
	if v := window(answered["client_max_window_bits"]); v != 0 {
		clientBits = v
	}
	said := deflate.Params{
		ServerNoContextTakeover: has(answered, "server_no_context_takeover"), ClientNoContextTakeover: has(answered, "client_no_context_takeover"),
		ServerMaxWindowBits: serverBits, ClientMaxWindowBits: clientBits,
	}
	atMost := func(n int, limits ...int) bool {
		for _, l := range limits {
			if l != 0 && n > l {
				return false
			}
		}
		return true
	}
	switch {
	case !isOffer(answer), agreed != said,
		// Section 7.1.1.1 and 7.1.2.1: what the client demands.
		has(offered, "server_no_context_takeover") && !said.ServerNoContextTakeover,
		has(offered, "server_max_window_bits") && !has(answered, "server_max_window_bits"),
		!atMost(serverBits, window(offered["server_max_window_bits"]), c.ServerMaxWindowBits),
		// Section 7.1.2.2: what it can be asked for.
		has(answered, "client_max_window_bits") && (!has(offered, "client_max_window_bits") || window(answered["client_max_window_bits"]) == 0),
		has(answered, "client_max_window_bits") && !atMost(clientBits, window(offered["client_max_window_bits"])),
		// What the server wants itself.
		!bool(c.ServerContextTakeover) && !said.ServerNoContextTakeover,
		!bool(c.ClientContextTakeover) && !said.ClientNoContextTakeover,
		!atMost(clientBits, c.ClientMaxWindowBits) && !said.ClientNoContextTakeover:
		t.Fatalf("%+v answers %v to %v, and has agreed on %+v", c, answer, offer, agreed)
	}
	bits, takeover := agreed.Server()
	if bits != serverBits || bool(takeover) == said.ServerNoContextTakeover {
		t.Fatalf("%+v: the server has %d bits, %v", agreed, bits, takeover)
	}
	bits, takeover = agreed.Client()
	if bits != clientBits || bool(takeover) == said.ClientNoContextTakeover || strings.Contains(takeover.String(), "no") != said.ClientNoContextTakeover {
		t.Fatalf("%+v: the client has %d bits, %v", agreed, bits, takeover)
	}
}

// FuzzConfirm: of a server's answers a client takes those that RFC 7692, Section
// 7.1, allows for its offer, and understands what they say.
func FuzzConfirm(f *testing.F) {
	for i, s := range []string{
		"permessage-deflate", "permessage-deflate; client_max_window_bits=9", "permessage-deflate; client_max_window_bits",
		"permessage-deflate; server_max_window_bits=8; server_no_context_takeover", "permessage-deflate; server_max_window_bits=15; client_no_context_takeover; client_max_window_bits=15",
		"permessage-deflate; server_no_context_takeover; server_no_context_takeover", "permessage-deflate; server_max_window_bits=16", "x", "permessage-deflate; y",
	} {
		f.Add(s, uint8(8+i%8), uint8(0), i%2 == 0, i%3 == 0)
		f.Add(s, uint8(0), uint8(15-i%8), true, true)
	}
	fuzz(f, func(t *testing.T, line string, serverBits, clientBits uint8, serverTakeover, clientTakeover bool) {
		answers, err := handshake.ParseExtensions([]string{line})
		if err != nil {
			return
		}
		c := deflate.Config{
			ServerContextTakeover: deflate.ContextTakeover(serverTakeover), ClientContextTakeover: deflate.ContextTakeover(clientTakeover),
			ServerMaxWindowBits: int(serverBits), ClientMaxWindowBits: int(clientBits),
		}
		if c.Validate() != nil {
			return
		}
		server, client := orLargest(serverBits), orLargest(clientBits)
		for _, answer := range answers {
			said := map[string]string{}
			for _, p := range answer.Params {
				said[p.Name] = p.Value
			}
			has := func(name string) bool { _, ok := said[name]; return ok }
			saidServer, saidClient := window(said["server_max_window_bits"]), window(said["client_max_window_bits"])
			legal := isOffer(answer) &&
				(!has("client_max_window_bits") || saidClient != 0 && saidClient <= client) &&
				(serverTakeover || has("server_no_context_takeover")) &&
				saidServer <= server && (server == 15 || saidServer != 0)
			agreed, err := c.Confirm(answer)
			if (err == nil) != legal || err != nil && err != deflate.ErrAnswer {
				t.Fatalf("%+v is answered %v: %v", c, answer, err)
			}
			if err != nil {
				continue
			}
			want := deflate.Params{
				ServerNoContextTakeover: has("server_no_context_takeover"),
				ClientNoContextTakeover: !clientTakeover || has("client_no_context_takeover"),
				ServerMaxWindowBits:     server, ClientMaxWindowBits: client,
			}
			if saidServer != 0 {
				want.ServerMaxWindowBits = saidServer
			}
			if saidClient != 0 {
				want.ClientMaxWindowBits = saidClient
			}
			if diff := mismatch(want, agreed); diff != "" {
				t.Fatalf("%+v is answered %v (-want +got):\n%s", c, answer, diff)
			}
		}
	})
}
