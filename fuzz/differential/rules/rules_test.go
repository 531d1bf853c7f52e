package rules_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/rules"
	"example.org/rfc6455/fuzz/differential/script"
)

// parse is script.Parse; spaces in the octets do not count.
func parse(t testing.TB, line string) *script.Script {
	t.Helper()
	line, octets, ok := strings.Cut(line, " stream=")
	if ok {
		line += " stream=" + strings.ReplaceAll(octets, " ", "")
	}
	s, err := script.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPredictFrames: what the RFC says of frames, in the role that a mask or its
// absence tells.
func TestPredictFrames(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		want         string // as String of the outcome has it
	}{
		{"Section 5.7, text", "client stream=810548656c6c6f", `status 101, text "Hello"`},
		{"Section 5.7, masked text", "server stream=818537fa213d7f9f4d5158", `status 101, text "Hello"`},
		{"Section 5.7, fragments", "client stream=010348656c 80026c6f", `status 101, text "Hello"`},
		{"Section 5.7, ping", "client stream=890548656c6c6f", `status 101, pong sent "Hello"`},
		{"ping between fragments", "client stream=010348656c 890161 80026c6f", `status 101, text "Hello", pong sent "a"`},
		{"empty message", "client stream=8200", `status 101, binary ""`},
		{"Close", "client stream=880203e8 810161", "status 101, close sent 1000 after 4 octets"},
		{"empty Close", "client stream=8800", "status 101, close sent 1005 after 2 octets"},
		{"end inside a message", "client stream=010161", "status 101"},
		{"reserved bit", "client stream=c100", "status 101, close sent 1002 after 2 octets"},
		{"reserved opcode", "client stream=8300", "status 101, close sent 1002 after 2 octets"},
		{"no mask", "server stream=8100", "status 101, close sent 1002 after 2 octets"},
		{"mask", "client stream=8180 00000000", "status 101, close sent 1002 after 6 octets"},
		{"16-bit length", "client stream=827e007d", "status 101, close sent 1002 after 4 octets"},
		{"64-bit length", "client stream=827f000000000000ffff", "status 101, close sent 1002 after 8 octets"},
		{"length of 64 bits", "client stream=827f8000000000000000", "status 101, close sent 1002 after 3 octets"},
		{"beyond the limit", "client stream=827f0000000000011171", "status 101, close sent 1009 after 10 octets"},
		{"fragmented ping", "client stream=0900", "status 101, close sent 1002 after 2 octets"},
		{"long ping", "client stream=897e007e", "status 101, close sent 1002 after 4 octets"},
		{"continuation of nothing", "client stream=8000", "status 101, close sent 1002 after 2 octets"},
		{"message inside a message", "client stream=0100 8100", "status 101, close sent 1002 after 4 octets"},
		{"half a code", "client stream=880103", "status 101, close sent 1002 after 3 octets"},
		{"code 1005", "client stream=880203ed", "status 101, close sent 1002 after 4 octets"},
		{"reason", "client stream=880303e8ff", "status 101, close sent 1007 after 5 octets"},
		{"not UTF-8", "client stream=8103 61ff62", "status 101, close sent 1007 after 4 octets"},
		{"surrogate", "client stream=0102 eda0", "status 101, close sent 1007 after 4 octets"},
		{"beyond U+10FFFF", "client stream=0101f4 800190", "status 101, close sent 1007 after 6 octets"},
		{"cut character", "client stream=0101e2 800182", "status 101, close sent 1007 after 6 octets"},
		{"U+FFFD", "client stream=8103efbfbd", "status 101, text \"\uFFFD\""},
		{"character over fragments", "client stream=0101e2 800282ac", `status 101, text "€"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := parse(t, tt.script)
			if got := rules.Predict(s, nil).String(); got != tt.want {
				t.Errorf("Predict(%v) = %s; want %s", s, got, tt.want)
			}
		})
	}
}

// TestPredictHeads: what the RFC says of opening handshakes with one line changed.
func TestPredictHeads(t *testing.T) {
	for _, tt := range []struct {
		role     frame.Role
		old, new string
		want     int
	}{
		{frame.Server, "", "", 101},
		{frame.Server, "GET", "POST", 405},
		{frame.Server, "HTTP/1.1", "HTTP/1.0", 426},
		{frame.Server, "HTTP/1.1", "HTTP/2.0", 505},
		{frame.Server, "Host: server.example.com\r\n", "", 400},
		{frame.Server, "Host: ", "Host: a\r\nHost: ", 400},
		{frame.Server, "Upgrade: websocket\r\n", "", 426},
		{frame.Server, "Upgrade: websocket", "Upgrade: h2c, WebSocket", 101},
		{frame.Server, "Upgrade: websocket", "Upgrade: websocket/13", 400},
		{frame.Server, "Connection: Upgrade", "Connection: keep-alive, upgrade", 101},
		{frame.Server, "Connection: Upgrade", "Connection: notupgraded", 400},
		{frame.Server, "Version: 13", "Version: 8", 426},
		{frame.Server, "ZQ==", "ZR==", 400},
		{frame.Server, "ZQ==", "ZQ==\r\nSec-WebSocket-Protocol: ,chat", 101},
		{frame.Server, "ZQ==", "ZQ==\r\nSec-WebSocket-Protocol: a b", 400},
		{frame.Server, "ZQ==", "ZQ==\r\nContent-Length: 5", 400},
		{frame.Server, "ZQ==", "ZQ==\r\nX : y", 400},
		{frame.Client, "101 Switching", "101 Changing", 101},
		{frame.Client, "101 Switching", "200 Switching", 0},
		{frame.Client, "HTTP/1.1", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1", 101},
		{frame.Client, "{accept}", "x", 0},
		{frame.Client, "{accept}", "{accept}\r\nSec-WebSocket-Protocol: chat", 0},
	} {
		s := &script.Script{Role: tt.role}
		s.Head = strings.Replace(s.Opening(), tt.old, tt.new, 1)
		if got := rules.Predict(s, nil).Statuses; got[0] != tt.want {
			t.Errorf("%v: %q for %q is answered with %d, want %d", tt.role, tt.new, tt.old, got, tt.want)
		}
	}
}

// TestHabits: habits change a prediction, and are noted where they were looked at.
func TestHabits(t *testing.T) {
	s := parse(t, "client stream=8101ff 8200")
	habits := rules.Habits{rules.UTF8: {Accept: true}, rules.EmptyLost: {}, rules.EmptyPong: {}}
	p := rules.Predict(s, habits)
	if got, want := p.String(), `status 101, text "\xff"`; got != want {
		t.Errorf("Predict(%v) = %s; want %s", s, got, want)
	}
	if diff := cmp.Diff(map[rules.ID]bool{rules.UTF8: true, rules.EmptyLost: true}, p.Habits); diff != "" {
		t.Errorf("habits mismatch (-want +got):\n%s", diff)
	}
}

// TestPredictHabits: stages, codes and silence.
func TestPredictHabits(t *testing.T) {
	s := parse(t, "client stream=0101ff 8900 8001")
	for _, tt := range []struct {
		habit rules.Habit
		want  string
	}{
		{rules.Habit{Stage: rules.AtOctet, Code: 1007}, "status 101, close sent 1007 after 3 octets"},
		{rules.Habit{Stage: rules.AtPayload, Code: 1002}, "status 101, close sent 1002 after 3 octets"},
		{rules.Habit{Stage: rules.AtMessage, Code: 1007}, `status 101, pong sent ""`},
		{rules.Habit{}, "status 101"},
	} {
		if got := rules.Predict(s, rules.Habits{rules.UTF8: tt.habit}).String(); got != tt.want {
			t.Errorf("with %+v: %s; want %s", tt.habit, got, tt.want)
		}
	}
}

// TestOtherHabits: what comes of a script with a habit, where it matters.
func TestOtherHabits(t *testing.T) {
	refuse := func(code frame.CloseCode) rules.Habit {
		return rules.Habit{Code: 1002, Match: func(c frame.CloseCode) bool { return c == code }}
	}
	for _, tt := range []struct {
		id     rules.ID
		habit  rules.Habit
		script string
		want   string
	}{
		{rules.LengthMinimal, rules.Habit{Accept: true}, "client stream=827e000161", `status 101, binary "a"`},
		{rules.LengthSign, rules.Habit{Stage: rules.AtLength}, "client stream=827f8000000000000000", "status 101"},
		{rules.ReservedBits, rules.Habit{Stage: rules.AtFlags, Code: 1002}, "client stream=c17e", "status 101, close sent 1002 after 2 octets"},
		{rules.NewMessage, rules.Habit{Stage: rules.AtPayload, Code: 1002}, "client stream=0100 810161", "status 101, close sent 1002 after 5 octets"},
		{rules.Continuation, rules.Habit{Stage: rules.AtMessage}, "client stream=000161 8900 8000", `status 101, pong sent ""`},
		{rules.LimitFirst, rules.Habit{}, "client stream=897f0000000000011171", "status 101, close sent 1009 after 10 octets"},
		{rules.LimitOverflow, rules.Habit{}, "client stream=010161 807f7fffffffffffffff", "status 101"},
		{rules.CodeRefused, refuse(1014), "client stream=880203f6", "status 101, close sent 1002 after 4 octets"},
		{rules.CodeAccepted, refuse(1015), "client stream=880203f7", "status 101, close sent 1015 after 4 octets"},
		{rules.CloseAnswer, rules.Habit{Answer: func(frame.CloseCode) frame.CloseCode { return 1000 }}, "client stream=880203e9", "status 101, close sent 1000 after 4 octets"},
		{rules.ClosePayload, rules.Habit{Accept: true}, "client stream=880103", "status 101, close sent 1005 after 3 octets"},
		{rules.NotUnmasked, rules.Habit{}, "client stream=8181 01000000 62", "status 101, close sent 1002 after 6 octets"},
		{rules.NotMasked, rules.Habit{Rules: []rules.ID{rules.CloseCode}}, "client stream=880203ed", "status 101, sent a frame masked as the other role masks"},
		{rules.ClosesTwice, rules.Habit{}, "client stream=8180 00000000", "status 101, close sent 1002 after 6 octets, sent close after Close"},
		{rules.AfterClose, rules.Habit{Read: 9}, "client stream=8800 8200 8900 810161 8200", `status 101, binary "", text "a", close sent 1005 after 2 octets`},
		{rules.EndOfStream, rules.Habit{Code: 1000}, "client stream=8200", `status 101, binary "", close sent 1000`},
		{rules.EmptyPong, rules.Habit{}, "client stream=890161", `status 101, pong sent ""`},
		{rules.EmptyLost, rules.Habit{}, "client stream=8200 820161", `status 101, binary "a"`},
		{rules.PartDelivered, rules.Habit{}, "client stream=010161", `status 101, text "a"`},
		{rules.PartDelivered, rules.Habit{}, "client stream=010161 8002", `status 101, text "a"`},
		{rules.PartDelivered, rules.Habit{}, "client stream=010161 800262", "status 101"},
		{rules.PartDelivered, rules.Habit{}, "client stream=010161 807e", `status 101, text "a"`},
		{rules.PartDelivered, rules.Habit{}, "client stream=010161 807e01", "status 101"},
		{rules.PartDelivered, rules.Habit{}, "client stream=010161 8902", `status 101, text "a"`},
		{rules.PartBeforeClose, rules.Habit{}, "client stream=010161 8802", `status 101, text "a"`},
		{rules.CutDelivered, rules.Habit{}, "client stream=8102 61", `status 101, text "a"`},
		{rules.CutAnswered, rules.Habit{}, "client stream=8902 61", `status 101, pong sent "a"`},
		{rules.CutAnsweredInside, rules.Habit{}, "client stream=8902 61", "status 101"},
		{rules.CutAnsweredInside, rules.Habit{}, "client stream=0100 8902 61", `status 101, pong sent "a"`},
		{rules.FragmentsDelivered, rules.Habit{}, "client stream=010161 010162", `status 101, text "a", text "b"`},
		{rules.SignIgnored, rules.Habit{}, "client stream=827f8000000000010000", "status 101"},
		{rules.EarlyRefused, rules.Habit{}, "server early=1 stream=8180 00000000", "status 0"},
		{rules.EarlyDropped, rules.Habit{}, "server early=6 stream=8180 00000000 8280 00000000", `status 101, binary ""`},
		{rules.EarlyDropped, rules.Habit{}, "client early=2 stream=8100", `status 101, text ""`},
	} {
		s := parse(t, tt.script)
		habits := rules.Habits{tt.id: tt.habit}
		p := rules.Predict(s, habits)
		if got := p.String(); got != tt.want {
			t.Errorf("Predict(%v) with %s = %s; want %s", s, tt.id, got, tt.want)
		}
	}
}

func TestExpect(t *testing.T) {
	s := parse(t, "client stream=890161 890162")
	o := &script.Outcome{Status: 101, Pongs: []string{"b"}, At: -1}
	if want := rules.Predict(s, nil).Expect(o); want.Diff(o) != script.Pongs {
		t.Errorf("without the habit %v is expected, as %v", o, want)
	}
	if want := rules.Predict(s, rules.Habits{rules.NewestPong: {}}).Expect(o); want.Diff(o) != 0 {
		t.Errorf("with the habit %v is not expected, but %v", o, want)
	}
	o.Pongs = []string{"a"}
	if want := rules.Predict(s, rules.Habits{rules.NewestPong: {}}).Expect(o); want.Diff(o) != script.Pongs {
		t.Errorf("the last pong may be missing: %v", want)
	}
}

// TestGenerated: every topic of opening handshakes comes up in the scripts that are
// made up, and a head that breaks no rule is accepted.
func TestGenerated(t *testing.T) {
	asOurs := rules.Habits{}
	for id, topic := range rules.Topics {
		if topic.Status != 0 {
			asOurs[id] = rules.Habit{Status: topic.Status}
		}
	}
	seen := map[rules.ID]bool{}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 15_000 {
		s := script.Generate(rng)
		if s.Head == "" {
			continue
		}
		p, plain := rules.Predict(s, asOurs), rules.Predict(s, nil)
		if diff := cmp.Diff(plain.Statuses, p.Statuses); diff != "" {
			t.Fatalf("%v: with habits as ours (-without +with):\n%s", s, diff)
		}
		legal := true
		for id := range p.Habits {
			seen[id] = true
			legal = legal && rules.Topics[id].Status == 101
		}
		if legal != (p.Statuses[0] == 101) {
			t.Fatalf("%v: found %v, answered with %v", s, p.Habits, p.Statuses)
		}
	}
	for id := range asOurs {
		// Two things have to come together for these.
		if rare := id == rules.TargetStarHost || id == rules.HostMissing10; !seen[id] && !rare {
			t.Errorf("%s never comes up", id)
		}
	}
}

// TestTopics: every topic has what a table says of it.
func TestTopics(t *testing.T) {
	for id, topic := range rules.Topics {
		if topic.Section == "" || topic.Subject == "" {
			t.Errorf("%s: %+v", id, topic)
		}
		if topic.Rule && rules.Code(id) == 0 {
			t.Errorf("%s has no code", id)
		}
	}
}

func ExamplePredict() {
	s, err := script.Parse("server stream=818137fa213dc8")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rules.Predict(s, nil))
	fmt.Println(rules.Predict(s, rules.Habits{rules.UTF8: {Accept: true}}))
	// Output:
	// status 101, close sent 1007 after 7 octets
	// status 101, text "\xff"
}

// FuzzPredict: a prediction never goes beyond what is there.
func FuzzPredict(f *testing.F) {
	f.Add(false, []byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58})
	f.Add(true, []byte{0x01, 0x01, 0xe2, 0x80, 0x02, 0x82, 0xac})
	f.Fuzz(func(t *testing.T, client bool, stream []byte) {
		s := &script.Script{Stream: stream}
		if client {
			s.Role = frame.Client
		}
		p := rules.Predict(s, nil)
		if p.At > len(stream) || (p.At >= 0) != (p.Close != 0) || p.Stray != "" || p.Status != 101 {
			t.Errorf("%v: %v", s, p)
		}
	})
}
