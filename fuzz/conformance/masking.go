package conformance

import (
	"fmt"
	"slices"
	"strings"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// maskingCases are about who masks (Section 5.1) and how (Section 5.3).
func maskingCases() []*Case {
	var cases []*Case
	for _, f := range []struct {
		name  string
		about string
		raw   raw
	}{
		{"text", "a text frame", text("Hello")},
		{"binary", "a binary frame", data(frame.OpBinary, []byte("\x00\xff"))},
		{"empty", "an empty text frame", text("")},
		{"ping", "a ping", ping("Hello")},
		{"pong", "a pong", pong("Hello")},
		{"close", "a Close frame with 1000", closeCode(1000, "")},
	} {
		cases = append(cases, &Case{
			ID:     "masking/5.1/unmasked-" + f.name,
			About:  "Sends " + f.about + " without a mask.",
			Expect: wantFailed + "a server must close the connection when it receives a frame that is not masked (Section 5.1).",
			Peers:  Servers,
			steps:  []step{send(f.raw.inverse()), fails(1002)},
		}, &Case{
			ID:     "masking/5.1/masked-" + f.name,
			About:  "Sends " + f.about + " with a mask.",
			Expect: wantFailed + "a client must close the connection when it receives a masked frame (Section 5.1).",
			Peers:  Clients,
			steps:  []step{send(f.raw.inverse()), fails(1002)},
		})
	}
	cases = append(cases, &Case{
		ID:     "masking/5.1/unmasked-second-frame",
		About:  "Sends a masked text message and then an unmasked one, in a single write.",
		Expect: "The first message is echoed; then the connection fails with 1002: every frame of a client is masked (Section 5.1).",
		Peers:  Servers,
		steps:  []step{send(text("first"), text("second").inverse()), echoesThenFails(1002, textEcho("first"))},
	}, &Case{
		ID:     "masking/5.1/unmasked-continuation",
		About:  "Sends the first fragment of a message masked, and the last one unmasked.",
		Expect: wantFailed + "every frame of a client is masked (Section 5.1).",
		Peers:  Servers,
		steps:  []step{send(first(frame.OpText, "fir"), last("st").inverse()), fails(1002)},
	}, &Case{
		ID:     "masking/5.3/key-zero",
		About:  "Sends a text message masked with 00000000.",
		Expect: "It comes back: any key is a key (Section 5.3).",
		Peers:  Servers,
		steps:  []step{send(text("Hello").masked(0)), receive(textEcho("Hello")), closes},
	}, &Case{
		ID:     "masking/5.3/key-repeated",
		About:  "Sends three messages masked with the same key.",
		Expect: "They come back: a server cannot ask for fresh keys (Section 5.3).",
		Peers:  Servers,
		steps: []step{
			send(text("one").masked(0x3d21fa37), text("two").masked(0x3d21fa37), text("three").masked(0x3d21fa37)),
			receive(textEcho("one"), textEcho("two"), textEcho("three")), closes,
		},
	}, &Case{
		ID:     "masking/5.3/every-length",
		About:  "Sends binary messages of 0 to 257 octets in a single write, each masked with its own key.",
		Expect: "All come back: octet i is masked with octet i modulo 4 of the key, wherever the frame lies (Section 5.3).",
		Peers:  Servers,
		steps:  everyLength(257),
	}, &Case{
		ID:     "masking/5.3/every-offset",
		About:  "Sends a masked message of 67 octets in two writes, cut at each of its offsets in turn.",
		Expect: "All come back: the key goes on where the last read ended (Section 5.3).",
		Peers:  Servers,
		steps:  []step{cutEverywhere(67), closes},
	}, &Case{
		ID:     "masking/5.3/fresh-keys",
		About:  "Sends 32 text messages and looks at the masking keys of the echoes.",
		Expect: "No two frames have the same key: it has to be unpredictable and fresh for each frame (Section 5.3).",
		Peers:  Clients,
		steps:  []step{roundTrips(32, text("Hello")), freshKeys, closes},
	})
	return cases
}

// everyLength sends messages of all lengths up to n.
func everyLength(n int) []step {
	var frames []raw
	var echoes []want
	for length := range n + 1 {
		p := make([]byte, length)
		for i := range p {
			p[i] = byte(i*7 + length)
		}
		f := data(frame.OpBinary, p)
		frames, echoes = append(frames, f), append(echoes, echoOf(f))
	}
	return []step{send(frames...), receive(echoes...), closes}
}

// cutEverywhere sends a message of n octets in two writes once for each offset.
func cutEverywhere(n int) step {
	return func(s *session) error {
		f := text(strings.Repeat("cut me ", n)[:n])
		for i := range len(f.append(nil, s.role, &s.keys)) {
			b := s.encode(nil, f)
			if err := s.write(b[:i]); err != nil {
				return err
			}
			if err := s.write(b[i:]); err != nil {
				return err
			}
			s.await()
			if err := s.receive(echoOf(f)); err != nil {
				return fmt.Errorf("cut after %d octets: %w", i, err)
			}
		}
		return nil
	}
}

// roundTrips sends a message n times, each when the one before has come back.
func roundTrips(n int, f raw) step {
	return func(s *session) error {
		s.await()
		deadline := s.deadline
		for i := range n {
			if err := s.sendAll(f); err != nil {
				return err
			}
			s.deadline = deadline
			if err := s.receive(echoOf(f)); err != nil {
				return fmt.Errorf("round trip %d of %d: %w", i+1, n, err)
			}
		}
		return nil
	}
}

func freshKeys(s *session) error {
	keys := slices.Clone(s.w.maskingKeys())
	slices.Sort(keys)
	if distinct := len(slices.Compact(slices.Clone(keys))); distinct < len(keys) {
		if distinct == 1 && keys[0] == mask.Key(0) {
			return fmt.Errorf("all %d frames of the client are masked with 00000000", len(keys))
		}
		return fmt.Errorf("%d frames of the client have only %d different masking keys", len(keys), distinct)
	}
	return nil
}
