package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"example.org/rfc6455/frame"
)

// fragmentationCases are about messages in several frames (Section 5.4).
func fragmentationCases() []*Case {
	const (
		noControl = wantFailed + "a control frame must not be fragmented (Section 5.5)."
		whole     = "The message comes back whole, and the closing handshake is clean (Section 5.4)."
		pingFirst = "The pong comes first, then the whole message: control frames may come between fragments, and are handled at once (Section 5.4)."
		noStart   = wantFailed + "a continuation needs a message to continue (Section 5.4)."
		noEnd     = wantFailed + "a message must end before the next one begins (Section 5.4)."
		T         = frame.OpText
	)
	hows := []struct {
		name, about string
		how         func(...raw) step
	}{
		{"whole", "in a single write", send},
		{"each", "in a write each", sendEach},
		{"by-1", "octet by octet", func(frames ...raw) step { return sendBy(1, frames...) }},
	}
	known := func(n int) string { return fmt.Sprintf("5.%d", n) }

	cases := []*Case{{
		ID: "fragmentation/5.5/ping-fragmented", Known: "5.1",
		About: "Sends a ping without FIN, and a continuation.", Expect: noControl,
		steps: []step{send(ping("frag").unfinished(), last("ment")), fails(1002)},
	}, {
		ID: "fragmentation/5.5/pong-fragmented", Known: "5.2",
		About: "Sends a pong without FIN, and a continuation.", Expect: noControl,
		steps: []step{send(pong("frag").unfinished(), last("ment")), fails(1002)},
	}}
	two := []raw{first(T, "fragment1"), last("fragment2")}
	for i, h := range hows {
		cases = append(cases, &Case{
			ID: "fragmentation/5.4/two-" + h.name, Known: known(3 + i),
			About: "Sends a text message in two fragments, " + h.about + ".", Expect: whole,
			steps: []step{h.how(two...), receive(textEcho("fragment1fragment2")), quiet(settle), closes},
		})
	}
	for i, h := range hows {
		cases = append(cases, &Case{
			ID: "fragmentation/5.4/ping-between-" + h.name, Known: known(6 + i),
			About: "Sends a text message in two fragments with a ping between them, " + h.about + ".", Expect: pingFirst,
			steps: []step{h.how(two[0], ping("ping"), two[1]), receive(pongWith("ping"), textEcho("fragment1fragment2")), quiet(settle), closes},
		})
	}
	for i, h := range hows {
		cases = append(cases, &Case{
			ID: "fragmentation/5.4/continuation-first-" + h.name, Known: known(9 + i),
			About: "Sends a continuation with FIN that continues nothing, and a text message, " + h.about + ".", Expect: noStart,
			steps: []step{h.how(last("no message to continue"), text("Hello, world!")), fails(1002)},
		})
	}
	for i, h := range hows {
		cases = append(cases, &Case{
			ID: "fragmentation/5.4/continuation-unfinished-first-" + h.name, Known: known(12 + i),
			About: "Sends a continuation without FIN that continues nothing, and a text message, " + h.about + ".", Expect: noStart,
			steps: []step{h.how(middle("no message to continue"), text("Hello, world!")), fails(1002)},
		})
	}
	return append(append(cases, &Case{
		ID: "fragmentation/5.4/continuation-after-message", Known: "5.15",
		About: "Sends a message in two fragments, then a continuation without FIN and a text message, in a single write.",
		Expect: "The first message is echoed; then the connection fails with 1002 (Section 5.4). " +
			"Leaving the echo out is tolerable.",
		steps: []step{send(two[0], two[1], middle("fragment3"), text("fragment4")), echoesThenFails(1002, textEcho("fragment1fragment2"))},
	}, &Case{
		ID: "fragmentation/5.4/unfinished-then-message-twice", Known: "5.16",
		About: "Sends twice: a continuation without FIN, then a message in two fragments.", Expect: noStart,
		steps: []step{send(middle("a"), first(T, "b"), last("c"), middle("a"), first(T, "b"), last("c")), fails(1002)},
	}, &Case{
		ID: "fragmentation/5.4/finished-then-message-twice", Known: "5.17",
		About: "Sends twice: a continuation with FIN, then a message in two fragments.", Expect: noStart,
		steps: []step{send(last("a"), first(T, "b"), last("c"), last("a"), first(T, "b"), last("c")), fails(1002)},
	}, &Case{
		ID: "fragmentation/5.4/message-in-message", Known: "5.18",
		About: "Sends the first fragment of a text message, then a whole text message.", Expect: noEnd,
		steps: []step{send(first(T, "fragment1"), text("fragment2")), fails(1002)},
	}, fivesPings("whole", "5.19", send), fivesPings("each", "5.20", sendEach), &Case{
		ID: "fragmentation/5.4/51-frames", Known: "10.1.1",
		About:  "Sends a text message of 65536 octets in 51 frames of at most 1300 octets.",
		Expect: whole,
		limit:  10 * time.Second,
		steps:  []step{send(fragments(T, []byte(strings.Repeat("*", 65536)), 1300)...), receive(textEcho(strings.Repeat("*", 65536))), closes},
	}), otherFragmentationCases(noControl, whole, noEnd)...)
}

// fivesPings is a message in five fragments with two pings and a pause.
func fivesPings(name, known string, how func(...raw) step) *Case {
	return &Case{
		ID: "fragmentation/5.4/two-pings-and-pause-" + name, Known: known,
		About: "Sends a text message in five fragments, with a ping after the second, then a pause of a second, " +
			"and a ping after the fourth.",
		Expect: "Both pongs come, and then the whole message (Section 5.4).",
		steps: []step{
			how(first(frame.OpText, "fragment1"), middle("fragment2"), ping("pongme 1!")),
			receive(pongWith("pongme 1!")), quiet(settle),
			how(middle("fragment3"), middle("fragment4"), ping("pongme 2!"), last("fragment5")),
			receive(pongWith("pongme 2!"), textEcho("fragment1fragment2fragment3fragment4fragment5")), quiet(settle), closes,
		},
	}
}

func otherFragmentationCases(noControl, whole, noEnd string) []*Case {
	const T, B = frame.OpText, frame.OpBinary
	return []*Case{{
		ID:    "fragmentation/5.5/close-fragmented",
		About: "Sends a Close frame without FIN, and a continuation.", Expect: noControl,
		steps: []step{send(closeCode(1000, "").unfinished(), last("why")), fails(1002)},
	}, {
		ID:    "fragmentation/5.5/ping-fragmented-in-message",
		About: "Sends a ping without FIN between two fragments.", Expect: noControl,
		steps: []step{send(first(T, "a"), ping("p").unfinished(), last("b")), fails(1002)},
	}, {
		ID:    "fragmentation/5.4/binary-in-message",
		About: "Sends the first fragment of a text message, then a binary message without FIN and continuations.", Expect: noEnd,
		steps: []step{send(first(T, "a"), first(B, "b"), last("c"), last("d")), fails(1002)},
	}, {
		ID:    "fragmentation/5.4/empty-fragments",
		About: "Sends a binary message whose first, third and last fragment are empty.", Expect: whole,
		steps: []step{send(first(B, ""), middle("ab"), middle(""), middle("cd"), last("")), receive(want{gotMessage, B, []byte("abcd")}), closes},
	}, {
		ID:    "fragmentation/5.4/pong-between",
		About: "Sends a message in two fragments with a pong that nobody asked for between them.", Expect: whole,
		steps: []step{send(first(T, "a"), pong("unasked"), last("b")), receive(textEcho("ab")), closes},
	}, {
		ID:    "fragmentation/5.4/1000-pings-between",
		About: "Sends a message in two fragments with 1000 pings between them.",
		Expect: "Pongs come in order, that for the last ping among them, and then the whole message (Sections 5.4 and 5.5.3); or the " +
			"connection fails with 1008.",
		limit: 5 * time.Second,
		steps: []step{send(slices.Concat([]raw{first(B, "before ")}, pings(1000), []raw{last("and after")})...), bounds(pongsUpTo(1000)), receive(want{gotMessage, B, []byte("before and after")}), closes},
	}, {
		ID:     "fragmentation/5.4/close-between",
		About:  "Sends a Close frame after the first fragment of a message.",
		Expect: "It is answered at once, and the unfinished message never comes back (Sections 5.4 and 5.5.1).",
		steps:  []step{send(first(T, "never ended"), closeCode(1000, "")), answersClose(1000)},
	}, {
		ID:    "fragmentation/5.4/two-messages",
		About: "Sends a text message in three fragments and a binary one in two, in a single write.", Expect: whole,
		steps: []step{
			send(first(T, "a"), middle("b"), last("c"), first(B, "\x00"), last("\xff")),
			receive(textEcho("abc"), want{gotMessage, B, []byte("\x00\xff")}), closes,
		},
	}, {
		ID:     "fragmentation/5.4/pong-before-last-fragment",
		About:  "Sends the first fragment of a message and a ping, and the last fragment only when the pong has come.",
		Expect: "The pong does not wait for the end of the message (Section 5.4).",
		steps: []step{
			send(first(T, "a"), ping("now")), receive(pongWith("now")),
			send(last("b")), receive(textEcho("ab")), closes,
		},
	}}
}

// fragments cuts a message into frames of size octets. One whose length is a
// multiple of it ends with an empty frame, as in the well-known suite.
func fragments(op frame.Opcode, p []byte, size int) []raw {
	var frames []raw
	for ; len(p) >= size; p, op = p[size:], frame.OpContinuation {
		frames = append(frames, raw{opcode: op, payload: p[:size]})
	}
	return append(frames, raw{flags: frame.FIN, opcode: op, payload: p})
}
