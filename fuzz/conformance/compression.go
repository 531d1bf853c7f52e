package conformance

import (
	"fmt"
	"time"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

const (
	compressionTime = 60 * time.Second
	maxExchanges    = 1000 // of a case
)

// compressionCases send messages of all sizes under all parameters, and read
// whether what comes back keeps to them (RFC 7692, Section 7).
func compressionCases() []*Case { return append(parameterCases(), knownCompressionCases()...) }

// knownCompressionCases are those of the well-known suite: groups 12.1 to 12.5
// differ in the data, 13.1 to 13.7 in the parameters, and both count the same
// sizes.
func knownCompressionCases() []*Case {
	sizes := []struct{ message, fragment int }{
		{16, 0}, {64, 0}, {256, 0}, {kib, 0}, {4 * kib, 0}, {8 * kib, 0}, {16 * kib, 0}, {32 * kib, 0}, {64 * kib, 0}, {128 * kib, 0},
		{8 * kib, 256}, {16 * kib, 256}, {32 * kib, 256}, {64 * kib, 256}, {128 * kib, 256},
		{128 * kib, kib}, {128 * kib, 4 * kib}, {128 * kib, 32 * kib},
	}
	json := &corpora[0]
	var cases []*Case
	add := func(known, name, parameters string, c *corpus, wanted ...terms) {
		for i := range wanted {
			wanted[i].aloneClient = true // as in every offer of the well-known suite
		}
		for i, size := range sizes {
			id := fmt.Sprintf("compression/7692.7/%s-%s", name, octetCount(size.message))
			about := fmt.Sprintf("Sends compressed messages of %s from %s", octetCount(size.message), c.about)
			if size.fragment != 0 {
				id += fmt.Sprintf("-in-%s", octetCount(size.fragment))
				about += fmt.Sprintf(", in frames of %s", octetCount(size.fragment))
			}
			cases = append(cases, &Case{
				ID:      id,
				Known:   fmt.Sprintf("%s.%d", known, i+1),
				About:   about + ", each when the one before has come back; " + parameters + ".",
				Expect:  "All come back, compressed or not, within a minute, and keep to what was agreed to (RFC 7692, Section 7).",
				limit:   compressionTime,
				heavy:   true,
				deflate: wanted,
				steps:   []step{exchanges(c, size.message, size.fragment), closes},
			})
		}
	}
	for i := range corpora {
		add(fmt.Sprintf("12.%d", i+1), corpora[i].name, "no parameters for the peer", &corpora[i], terms{})
	}
	const (
		stand = "the peer's messages have to stand alone"
		small = "windows of 9 bits for the peer's messages"
		full  = "windows of 15 bits for the peer's messages, said aloud"
	)
	add("13.1", "default", "no parameters for the peer", json, terms{})
	add("13.2", "alone", stand, json, terms{peerAlone: true})
	add("13.3", "9-bits", small, json, terms{peerBits: 9})
	add("13.4", "15-bits", full, json, terms{peerBits: 15})
	add("13.5", "alone-9-bits", stand+", "+small, json, terms{peerAlone: true, peerBits: 9})
	add("13.6", "alone-15-bits", stand+", "+full, json, terms{peerAlone: true, peerBits: 15})
	add("13.7", "three-offers", "of three sets of parameters the first that the peer agrees to", json,
		terms{peerAlone: true, peerBits: 9}, terms{peerAlone: true}, terms{})
	return cases
}

// parameterCases are about windows and context takeover (RFC 7692, Sections 7.1.1
// and 7.1.2), of both sides.
func parameterCases() []*Case {
	const (
		obeys  = "The messages come back, and what is compressed of them can be inflated with the window that was agreed to, and no larger one "
		reads  = "The messages come back: the peer inflates what refers back as far as was agreed to "
		window = "(RFC 7692, Section 7.1.2)."
		taking = "(RFC 7692, Section 7.1.1)."
	)
	var cases []*Case
	add := func(section, name, about, expect string, wanted terms, steps ...step) {
		cases = append(cases, &Case{
			ID:    "compression/7692." + section + "/" + name,
			About: about, Expect: expect,
			limit:   10 * time.Second,
			deflate: []terms{wanted},
			steps:   append(steps, tellsVolume, closes),
		})
	}
	for n := deflate.MinWindowBits; n <= deflate.MaxWindowBits; n++ {
		p := far(n)
		three := []step{echoes(p, 0), echoes(p, 1000), echoes(p, 0)}
		add("7.1.2", fmt.Sprintf("peer-window-%d", n),
			fmt.Sprintf("Asks for %d window bits for the peer's messages, and sends messages that repeat themselves beyond that.", n),
			obeys+window, terms{peerBits: n}, three...)
		add("7.1.2", fmt.Sprintf("peer-window-%d-alone", n),
			fmt.Sprintf("Asks for %d window bits for the peer's messages, which have to stand alone, and sends messages that repeat themselves beyond that.", n),
			obeys+window, terms{peerBits: n, peerAlone: true}, three...)
		add("7.1.2", fmt.Sprintf("own-window-%d", n),
			fmt.Sprintf("Agrees to %d window bits for its own messages, and sends messages that refer back as far.", n),
			reads+window, terms{bits: n}, echoes(near(n), 0), echoes(near(n), 1000), echoes(near(n), 0))
	}
	same := corpora[2].data()[:2000]
	for _, t := range []struct {
		name, about string
		wanted      terms
	}{
		{"both", "lets both sides refer to earlier messages", terms{}},
		{"own", "lets its own messages refer to earlier ones, and not the peer's", terms{peerAlone: true}},
		{"peer", "lets the peer's messages refer to earlier ones, and not its own", terms{alone: true}},
		{"none", "lets no message refer to an earlier one", terms{alone: true, peerAlone: true}},
	} {
		var steps []step
		for range 20 {
			steps = append(steps, echoes(same, 0))
		}
		add("7.1.1", "takeover-"+t.name, fmt.Sprintf("Sends 20 messages that are alike, and %s.", t.about),
			"The messages come back, and none refers to an earlier one where that was ruled out "+taking, t.wanted, steps...)
	}
	mixed := []step{echoes(same, 0), echoes(nil, 0), plainEcho(same), echoes(same, 256), plainEcho(same[:100]), echoes(same[:600], 0)}
	add("7.1.1", "takeover-mixed", "Sends messages compressed and uncompressed, empty ones and in fragments, that are alike.",
		"The messages come back, and both sides keep their windows "+taking, terms{}, mixed...)
	return cases
}

// far is data with many short repetitions, and one as a whole, beyond a window of
// so many bits but within twice that: a compressor has something to gain from
// obeying, and more from not.
func far(bits int) []byte {
	r := newNoise(uint64(bits))
	var p []byte
	for len(p) < 1<<bits+64 {
		block := r.octets(16)
		p = append(append(p, block...), block...)
	}
	return append(p, p...)
}

// near is data whose second half repeats the first from exactly as far back as a
// window of so many bits reaches.
func near(bits int) []byte {
	p := newNoise(uint64(bits)).octets(1 << bits)
	return append(p, p...)
}

// deflate returns a message as a compressed one, in frames of size octets; 0 is a
// single one.
func (s *session) deflate(op frame.Opcode, p []byte, size int) []raw {
	payload := s.compressor.AppendPiece(nil, p, true)
	s.sent.add(len(p), len(payload), true)
	frames := []raw{data(op, payload)}
	if size > 0 && len(payload) > size {
		frames = fragments(op, payload, size)
	}
	frames[0] = frames[0].rsv(4)
	return frames
}

// sendDeflated sends a compressed message in frames of size octets.
func sendDeflated(op frame.Opcode, p string, size int) step {
	return func(s *session) error { return s.sendAll(s.deflate(op, []byte(p), size)...) }
}

// echoes sends a compressed binary message in frames of size octets, and expects
// it back.
func echoes(p []byte, size int) step {
	return func(s *session) error {
		if err := s.sendAll(s.deflate(frame.OpBinary, p, size)...); err != nil {
			return err
		}
		return s.receive(want{gotMessage, frame.OpBinary, p})
	}
}

// plainEcho sends a binary message as it is, and expects it back.
func plainEcho(p []byte) step {
	f := data(frame.OpBinary, p)
	return func(s *session) error {
		if err := s.sendAll(f); err != nil {
			return err
		}
		return s.receive(echoOf(f))
	}
}

// exchanges sends compressed messages of about size octets, each the next part of
// the data, in frames of at most fragment octets.
func exchanges(c *corpus, size, fragment int) step {
	return func(s *session) error {
		n := int(min(max(s.budget/int64(size), 1), maxExchanges))
		began := time.Now()
		s.await()
		deadline := s.deadline
		var p []byte
		for i, at := 0, 0; i < n; i++ {
			p, at = c.part(p[:0], at, size)
			if err := s.sendAll(s.deflate(c.opcode, p, fragment)...); err != nil {
				return err
			}
			s.deadline = deadline
			if err := s.receive(want{gotMessage, c.opcode, p}); err != nil {
				return fmt.Errorf("message %d of %d: %w", i+1, n, err)
			}
		}
		tellsVolume(s)
		s.inform("%d messages in %v, %s", n, time.Since(began).Round(time.Millisecond), s.why)
		return nil
	}
}

// tellsVolume says how much was compressed.
func tellsVolume(s *session) error {
	got := s.w.received()
	percent := func(v volume) int { return 100 * v.wire / max(v.payload, 1) }
	s.inform("sent at %d %% of their size, received at %d %%, %d of %d compressed", percent(s.sent), percent(got), got.compressed, got.messages)
	return nil
}

// needsTakeover ends a case unless the tester's messages may refer to earlier
// ones.
func needsTakeover(s *session) error {
	side := s.agreed.Client
	if s.role == frame.Server {
		side = s.agreed.Server
	}
	if _, takeover := side(); takeover == deflate.Takeover {
		return nil
	}
	s.verdict, s.why = Unimplemented, fmt.Sprintf("the %s does not agree to context takeover", s.peer())
	if err := closes(s); err != nil {
		return err
	}
	return errDone
}

// A corpus is data to compress.
type corpus struct {
	name, about string
	opcode      frame.Opcode
	data        func() []byte
}

// part appends to dst about n octets from at on, beginning anew after the end. Text
// is cut between characters. It returns where the next part begins.
func (c *corpus) part(dst []byte, at, n int) ([]byte, int) {
	all := c.data()
	for len(dst) < n {
		end := min(at+n-len(dst), len(all))
		for c.opcode == frame.OpText && end < len(all) && all[end]&0xc0 == 0x80 {
			end++
		}
		dst = append(dst, all[at:end]...)
		at = end % len(all)
	}
	return dst, at
}
