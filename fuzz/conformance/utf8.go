package conformance

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"example.org/rfc6455/frame"
)

// utf8Time is how long the peer may take to judge a short text.
const utf8Time = time.Second / 2

const (
	validText   = "It is valid UTF-8 and comes back (Section 8.1)."
	invalidText = "The peer fails the connection with 1007, and nothing comes back: text that is not valid UTF-8 is refused (Section 8.1)."
	failFast    = "The peer fails the connection with 1007 as soon as it has an octet that cannot be right. " +
		"Failing only at the end of the message is tolerable (Section 8.1)."
)

// utf8Cases are about the encoding of text (Sections 5.6 and 8.1).
func utf8Cases() []*Case {
	cases := fragmentedTextCases()
	for _, g := range utf8Groups {
		for i, payload := range g.payloads {
			name := g.name
			if len(g.payloads) > 1 {
				name = fmt.Sprintf("%s-%d", g.name, i+1)
			}
			cases = append(cases, textCase("utf8/8.1/"+name, fmt.Sprintf("6.%d.%d", g.known, i+1), g.about, payload))
		}
	}
	return append(append(append(cases, boundaryCases()...), failFastCases()...), splitTextCases()...)
}

// textCase is a case that sends payload as a text message in one frame.
func textCase(id, known, about string, payload []byte) *Case {
	c := &Case{
		ID:     id,
		Known:  known,
		About:  fmt.Sprintf("Sends a text message: %s, hex %s.", about, hex.EncodeToString(payload)),
		Expect: validText,
		limit:  utf8Time,
		steps:  []step{send(data(frame.OpText, payload)), receive(want{gotMessage, frame.OpText, payload}), closes},
	}
	if !utf8.Valid(payload) {
		c.Expect = invalidText
		c.steps = []step{send(data(frame.OpText, payload)), fails(1007)}
	}
	return c
}

// Texts of the well-known suite.
const (
	greekWord  = "\u03ba\u1f79\u03c3\u03bc\u03b5"                            // 11 octets
	mixedWords = "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!" // 29 octets
	edited     = "edited"
)

// fragmentedTextCases are those of the well-known suite in which a text comes in
// pieces.
func fragmentedTextCases() []*Case {
	const T = frame.OpText
	bad := greekWord + "\xed\xa0\x80" + edited
	high := "\xf4\x90\x80\x80"
	good := func(id, known, about, text string, frames ...raw) *Case {
		return &Case{
			ID: "utf8/5.6/" + id, Known: known, About: about, Expect: validText,
			steps: []step{send(frames...), receive(textEcho(text)), quiet(settle), closes},
		}
	}
	return []*Case{
		good("empty", "6.1.1", "Sends an empty text message.", "", text("")),
		good("empty-fragments", "6.1.2", "Sends a text message of three empty fragments.", "", first(T, ""), middle(""), last("")),
		good("empty-text-empty", "6.1.3", "Sends a text message in three fragments, of which only the second is not empty.",
			"middle frame payload", first(T, ""), middle("middle frame payload"), last("")),
		good("mixed", "6.2.1", "Sends a text of 1- and 2-octet code points in one frame.", mixedWords, text(mixedWords)),
		good("mixed-two-fragments", "6.2.2", "Sends the same text in two fragments, cut between two code points.", mixedWords,
			first(T, mixedWords[:15]), last(mixedWords[15:])),
		good("mixed-1-octet-fragments", "6.2.3", "Sends the same text in fragments of one octet.", mixedWords,
			fragments(T, []byte(mixedWords), 1)...),
		good("greek-1-octet-fragments", "6.2.4", "Sends a text of 2- and 3-octet code points in fragments of one octet.", greekWord,
			fragments(T, []byte(greekWord), 1)...),
		{
			ID: "utf8/8.1/surrogate-in-text", Known: "6.3.1",
			About: "Sends a text message of 20 octets with a surrogate in it.", Expect: invalidText,
			steps: []step{send(text(bad)), fails(1007)},
		}, {
			ID: "utf8/8.1/surrogate-in-1-octet-fragments", Known: "6.3.2",
			About: "Sends the same text in fragments of one octet.", Expect: invalidText,
			steps: []step{send(fragments(T, []byte(bad), 1)...), fails(1007)},
		}, {
			ID: "utf8/8.1/fail-fast-fragments", Known: "6.4.1",
			About:  "Sends 11 valid octets; a second later a fragment with a code point above U+10FFFF; the last fragment if nothing happens.",
			Expect: failFast,
			steps: []step{
				send(first(T, greekWord)), quiet(settle), send(middle(high)), failsFast(send(last(edited))),
			},
		}, {
			ID: "utf8/8.1/fail-fast-octets", Known: "6.4.2",
			About:  "Sends a fragment that ends with F4, which may be right; a second later a fragment with 90, which cannot; the rest if nothing happens.",
			Expect: failFast,
			steps: []step{
				send(first(T, greekWord+high[:1])), quiet(settle), send(middle(high[1:2])), failsFast(send(last(high[2:] + edited))),
			},
		}, {
			ID: "utf8/8.1/fail-fast-in-frame", Known: "6.4.3",
			About:  "Sends one frame in three writes, a second apart, of which the second has a code point above U+10FFFF.",
			Expect: failFast,
			steps:  inThree(len(greekWord), len(greekWord)+4, greekWord+high+edited),
		}, {
			ID: "utf8/8.1/fail-fast-in-frame-octets", Known: "6.4.4",
			About:  "Sends one frame in three writes, a second apart: F4 ends the first, and the second is 90.",
			Expect: failFast,
			steps:  inThree(len(greekWord)+1, len(greekWord)+2, greekWord+high+edited),
		},
	}
}

// inThree sends a text frame in three writes, cut at two offsets of its payload.
// The peer should fail the connection after the second.
func inThree(cut1, cut2 int, payload string) []step {
	return []step{
		beginText(payload, cut1), quiet(settle),
		writePart(cut2 - cut1), failsFast(writePart(len(payload) - cut2)),
	}
}

// beginText sends the header of a text frame and the first n octets of its
// payload.
func beginText(payload string, n int) step {
	return func(s *session) error {
		s.pending = s.encode(nil, text(payload))
		return writePart(len(s.pending) - len(payload) + n)(s)
	}
}

// writePart sends n more octets of a frame that was begun.
func writePart(n int) step {
	return func(s *session) error {
		s.log.note("the next %d octets of the frame are sent", n)
		part := s.pending[:n]
		s.pending = s.pending[n:]
		s.await()
		return s.write(part)
	}
}

// failsFast expects that the peer fails the connection with 1007. If it does not,
// rest is sent, and failing then is tolerable.
func failsFast(rest step) step {
	return func(s *session) error {
		e, err := s.next(s.deadline)
		switch {
		case err == nil:
			s.unread = append(s.unread, e)
			return s.failed([]frame.CloseCode{1007})
		case err != errSilent:
			return err
		}
		if err := rest(s); err != nil {
			return err
		}
		s.tolerate("the %s failed the connection only when the message had ended", s.peer())
		return s.failed([]frame.CloseCode{1007})
	}
}

// boundaryCases try, for every kind of first octet, the second octets around the
// boundaries of Table 3-7 of the Unicode Standard, and the octets that follow.
func boundaryCases() []*Case {
	var cases []*Case
	for _, row := range []struct {
		first  string // one or more first octets with the same rule
		lo, hi byte   // what the second may be
		more   int    // further continuation octets
	}{
		{"\xc2\xdf", 0x80, 0xbf, 0},
		{"\xe0", 0xa0, 0xbf, 1},
		{"\xe1\xec", 0x80, 0xbf, 1},
		{"\xed", 0x80, 0x9f, 1},
		{"\xee\xef", 0x80, 0xbf, 1},
		{"\xf0", 0x90, 0xbf, 2},
		{"\xf1\xf3", 0x80, 0xbf, 2},
		{"\xf4", 0x80, 0x8f, 2},
	} {
		for _, c := range []byte(row.first) {
			for _, second := range []byte{row.lo - 1, row.lo, row.hi, row.hi + 1} {
				p := append([]byte{c, second}, "\x80\xbf"[:row.more]...)
				cases = append(cases, textCase("utf8/8.1/boundary-"+hex.EncodeToString(p), "",
					"a sequence at a boundary of what may follow its first octet", p))
			}
			for at := 2; at < 2+row.more; at++ {
				for _, wrong := range []byte{0x7f, 0xc0} {
					p := append([]byte{c, row.lo}, "\x80\xbf"[:row.more]...)
					p[at] = wrong
					cases = append(cases, textCase("utf8/8.1/boundary-"+hex.EncodeToString(p), "",
						fmt.Sprintf("a sequence whose octet %d is no continuation", at+1), p))
				}
			}
		}
	}
	return cases
}

// failFastCases leave a frame unfinished behind an octet that cannot be right.
func failFastCases() []*Case {
	var cases []*Case
	for _, bad := range []string{"\x80", "\xc0", "\xc1", "\xf5", "\xff", "\xc3\x28", "\xe0\x9f", "\xed\xa0", "\xf0\x8f", "\xf4\x90", "\xe2\x82\x28", "\xf0\x9f\x98\x28"} {
		payload := "valid until here: " + bad + strings.Repeat(" never ended", 10)
		cut := len("valid until here: ") + len(bad)
		cases = append(cases, &Case{
			ID:     "utf8/8.1/fail-fast-" + hex.EncodeToString([]byte(bad)),
			About:  fmt.Sprintf("Sends a text frame up to the octets %s; the rest only if nothing happens within a second.", hex.EncodeToString([]byte(bad))),
			Expect: failFast,
			steps:  []step{beginText(payload, cut), failsFast(writePart(len(payload) - cut))},
		})
	}
	chunk := strings.Repeat("valid ", 10923)[:65536]
	var fine []raw
	for range 15 {
		fine = append(fine, middle(chunk))
	}
	return append(cases, &Case{
		ID:     "utf8/8.1/fail-fast-first-of-16-fragments",
		About:  "Sends the first fragment of 64 KiB with FF at its end; 15 more fragments only if nothing happens within a second.",
		Expect: failFast,
		steps: []step{
			send(first(frame.OpText, chunk+"\xff")),
			failsFast(send(append(fine, last(""))...)),
		},
	})
}

// splitTextCases cut code points, and go from one message to the next.
func splitTextCases() []*Case {
	const T, B = frame.OpText, frame.OpBinary
	const wide = "\U0001f600" // four octets
	var cut []raw
	var echoes []want
	sample := "a\u00e9\u20ac" + wide + "z"
	for i := range len(sample) + 1 {
		cut = append(cut, first(T, sample[:i]), last(sample[i:]))
		echoes = append(echoes, textEcho(sample))
	}
	return []*Case{{
		ID:     "utf8/5.6/cut-at-every-octet",
		About:  "Sends a text with code points of 1 to 4 octets in two fragments, cut at each of its octets in turn.",
		Expect: "All come back: a fragment may end within a code point (Section 5.6).",
		steps:  []step{send(cut...), receive(echoes...), closes},
	}, {
		ID:     "utf8/5.6/ping-within-code-point",
		About:  "Sends a code point in two fragments with a ping between them that is not UTF-8.",
		Expect: "The pong comes, then the message (Sections 5.4 and 5.6).",
		steps: []step{
			send(first(T, wide[:2]), ping("\xff"), last(wide[2:])),
			receive(pongWith("\xff"), textEcho(wide)), closes,
		},
	}, {
		ID:     "utf8/5.6/binary-is-not-text",
		About:  "Sends a binary message that is not UTF-8, in one frame and in two.",
		Expect: "Both come back: only text is UTF-8 (Section 5.6).",
		steps: []step{
			send(data(B, []byte("\xff\xc0\x80")), first(B, "\xf4"), last("\x90")),
			receive(want{gotMessage, B, []byte("\xff\xc0\x80")}, want{gotMessage, B, []byte("\xf4\x90")}), closes,
		},
	}, {
		ID:     "utf8/8.1/cut-short-in-last-fragment",
		About:  "Sends a text in two fragments whose last code point lacks an octet.",
		Expect: invalidText,
		steps:  []step{send(first(T, "a"+wide[:1]), last(wide[1:3])), fails(1007)},
	}, {
		ID:     "utf8/8.1/cut-short-by-empty-fragment",
		About:  "Sends the beginning of a code point, and an empty last fragment.",
		Expect: invalidText,
		steps:  []step{send(first(T, wide[:3]), last("")), fails(1007)},
	}, {
		ID:     "utf8/8.1/continued-by-next-message",
		About:  "Sends the two halves of a code point as two text messages.",
		Expect: invalidText,
		steps:  []step{send(text(wide[:2]), text(wide[2:])), fails(1007)},
	}, {
		ID:     "utf8/8.1/continued-after-binary",
		About:  "Sends a binary message that ends with half a code point, then a text message with the other half.",
		Expect: "The binary message is echoed; then the connection fails with 1007 (Section 8.1).",
		steps: []step{
			send(data(B, []byte(wide[:2])), text(wide[2:])),
			echoesThenFails(1007, want{gotMessage, B, []byte(wide[:2])}),
		},
	}, {
		ID:     "utf8/8.1/valid-then-invalid",
		About:  "Sends a valid text message and an invalid one, in a single write.",
		Expect: "The first is echoed; then the connection fails with 1007 (Section 8.1). Leaving the echo out is tolerable.",
		steps:  []step{send(text("valid"), text("inv\xffalid")), echoesThenFails(1007, textEcho("valid"))},
	}}
}
