package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

const socketPath = "/socket.io/?EIO=4&transport=websocket"

// session opens a WebSocket and passes over the handshake of Engine.IO.
func (s *site) session(t *testing.T, path string) *conn.Conn {
	t.Helper()
	c := s.mustDial(t, path)
	if _, p, err := c.ReadMessage(t.Context()); err != nil || p[0] != '0' {
		t.Fatalf("the session begins with %q, %v", p, err)
	}
	return c
}

// expectPackets reads messages that must begin with those wanted, binary ones after a
// "b".
func expectPackets(t *testing.T, c *conn.Conn, want ...string) {
	t.Helper()
	for _, want := range want {
		op, p, err := c.ReadMessage(t.Context())
		got := string(p)
		if op == frame.OpBinary {
			got = "b" + got
		}
		if err != nil || !strings.HasPrefix(got, want) {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
	}
}

func TestEngineEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		c := s.session(t, "/engine.io/?EIO=4&transport=websocket")
		write(t, c, frame.OpText, "4hello")
		write(t, c, frame.OpBinary, "\x01\x02")
		expectPackets(t, c, "4hello", "b\x01\x02")
		c.CloseNow()
		synctest.Wait()
		if all := s.journal.records(t, "session "); len(all) != 2 || all[1]["reason"] != "transport close" {
			t.Errorf("the log has %v", all)
		}
	})
}

func TestSocketIO(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		c := s.session(t, socketPath)
		write(t, c, frame.OpText, "40")
		expectPackets(t, c, `40{"sid":"`, `42["auth",{}]`)
		write(t, c, frame.OpText, `40/custom,{"token":[1,"ü"]}`)
		expectPackets(t, c, `40/custom,{"sid":"`, `42/custom,["auth",{"token":[1,"ü"]}]`)
		write(t, c, frame.OpText, `42["message",1,"2",{"3":[true]}]`)
		expectPackets(t, c, `42["message-back",1,"2",{"3":[true]}]`)
		write(t, c, frame.OpText, `452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		write(t, c, frame.OpBinary, "\x01\x02\x03")
		write(t, c, frame.OpBinary, "\x04\x05\x06")
		expectPackets(t, c, `452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "b\x01\x02\x03", "b\x04\x05\x06")
		write(t, c, frame.OpText, `42456["message-with-ack",1,"2",{"3":[false]}]`)
		expectPackets(t, c, `43456[1,"2",{"3":[false]}]`)
		write(t, c, frame.OpText, `451-789["message-with-ack",{"_placeholder":true,"num":0}]`)
		write(t, c, frame.OpBinary, "\x07")
		expectPackets(t, c, `461-789[{"_placeholder":true,"num":0}]`, "b\x07")
		write(t, c, frame.OpText, "40/random")
		expectPackets(t, c, `44/random,{"message":"Invalid namespace"}`)
	})
}

func TestSocketChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		join := func() *conn.Conn {
			c := s.session(t, socketPath)
			write(t, c, frame.OpText, "40")
			expectPackets(t, c, `40{`, `42["auth"`)
			return c
		}
		a, b, other := join(), join(), join()
		write(t, a, frame.OpText, `42["enter"]`)
		write(t, b, frame.OpText, `42["enter"]`)
		write(t, a, frame.OpText, `42["chat message","hi"]`)
		expectPackets(t, a, `42["chat message","hi"]`)
		expectPackets(t, b, `42["chat message","hi"]`)
		write(t, b, frame.OpText, "41")
		expectPackets(t, a, `42["user disconnected"]`)
		write(t, a, frame.OpText, `41`)
		write(t, other, frame.OpText, `420["message-with-ack"]`) // hears of no departure
		expectPackets(t, other, `42["chat message","hi"]`, `430[]`)
	})
}

// TestSocketFlags: the flags hold.
func TestSocketFlags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, "socket.io.js"), []byte("the client"), 0o666)
		s := newSite(t, "-sio-ping-interval", "300ms", "-sio-ping-timeout", "200ms", "-sio-connect-timeout", "1s",
			"-sio-max-payload", "1KiB", "-sio-eio3", "-sio-client", dir)
		if _, body := s.get(t, "/socket.io/socket.io.js"); body != "the client" {
			t.Errorf("the client is %q", body)
		}
		if r, body := s.get(t, "/chat.html"); !strings.Contains(body, `<script src="/socket.io/socket.io.js"></script>`) ||
			!strings.Contains(r.Header.Get("Content-Security-Policy"), " 'self'; style-src") {
			t.Error("the page does not use the client")
		}
		if _, body := s.get(t, "/socket.io/?EIO=3&transport=polling"); !strings.Contains(body, `"pingInterval":300,"pingTimeout":200`) {
			t.Errorf("a session of revision 3 begins with %q", body)
		}

		c := s.session(t, socketPath)
		began := time.Now()
		expectPackets(t, c, "2")
		if took := time.Since(began); took != 300*time.Millisecond {
			t.Errorf("the first ping came after %v", took)
		}
		// A session looks once more, a sixteenth of the timeout later.
		_, _, err := c.ReadMessage(t.Context())
		if took := time.Since(began); err == nil || took < 500*time.Millisecond || took > 512500*time.Microsecond {
			t.Errorf("without a pong: %v after %v", err, took)
		}

		c = s.session(t, socketPath)
		began = time.Now()
		for range 3 {
			expectPackets(t, c, "2")
			write(t, c, frame.OpText, "3")
		}
		if _, _, err := c.ReadMessage(t.Context()); err == nil || time.Since(began) != time.Second {
			t.Errorf("without a namespace: %v after %v", err, time.Since(began))
		}

		c = s.session(t, socketPath)
		write(t, c, frame.OpText, "4"+strings.Repeat("x", 1024))
		if _, _, err := c.ReadMessage(t.Context()); err == nil {
			t.Error("a message of 1025 octets is taken")
		}
	})
}

func TestSocketFlagsWrong(t *testing.T) {
	for _, flags := range []string{"-sio-ping-interval 0s", "-sio-ping-timeout -1s", "-sio-connect-timeout 0s", "-sio-max-payload 0", "-sio-client /nowhere"} {
		env, _, stderr := newEnvironment()
		if code := run(env, append([]string{"serve"}, strings.Fields(flags)...)); code != exitUsage || !strings.Contains(stderr.String(), strings.Fields(flags)[0]) {
			t.Errorf("%s: exit code %d, %q", flags, code, stderr)
		}
	}
}

// expectRest is expectPackets that passes over pings, which it answers.
func expectRest(t *testing.T, c *conn.Conn, want ...string) {
	t.Helper()
	for _, want := range want {
		for {
			op, p, err := c.ReadMessage(t.Context())
			if err == nil && op == frame.OpText && string(p) == "2" {
				write(t, c, frame.OpText, "3")
				continue
			}
			if err != nil || !strings.HasPrefix(string(p), want) {
				t.Fatalf("read %q, %v; want %q", p, err, want)
			}
			break
		}
	}
}

// TestSocketNamespaces: leaving one namespace leaves the other and the session alone,
// and the last one may be left, too.
func TestSocketNamespaces(t *testing.T) {
	for _, left := range []string{"", "/custom,"} {
		synctest.Test(t, func(t *testing.T) {
			c := newSite(t, fast...).session(t, socketPath)
			write(t, c, frame.OpText, "40")
			expectRest(t, c, `40{"sid":"`, `42["auth",{}]`)
			write(t, c, frame.OpText, "40/custom")
			expectRest(t, c, `40/custom,{"sid":"`, `42/custom,["auth",{}]`)
			write(t, c, frame.OpText, "41"+left)
			expectPackets(t, c, "2")
			write(t, c, frame.OpText, "3")
			if left != "" {
				write(t, c, frame.OpText, `42["message","still there"]`)
				expectRest(t, c, `42["message-back","still there"]`)
				write(t, c, frame.OpText, "41")
			} else {
				write(t, c, frame.OpText, "41/custom,")
			}
			for range 5 {
				expectPackets(t, c, "2")
				write(t, c, frame.OpText, "3")
			}
			write(t, c, frame.OpText, `40{"token":"123"}`)
			expectRest(t, c, `40{"sid":"`, `42["auth",{"token":"123"}]`)
		})
	}
}

// TestSocketMisuse: what Node answers by closing the session ends it, without a close
// code, and leaves its reason in the log; and what Node takes goes on.
func TestSocketMisuse(t *testing.T) {
	const blob = `{"_placeholder":true,"num":0}`
	tests := []struct {
		send  string // packets, separated by a blank; those after a # are binary
		fault string // empty if the session goes on
		want  []string
	}{
		{"4abc", "packet-type", nil},
		{"4", "packet-type", nil},
		{"40", "already-connected", nil},
		{`42/custom,["message"]`, "not-connected", nil},
		{`44{"message":"x"}`, "unexpected-packet", nil},
		{`42["connect"]`, "reserved-event", nil},
		{`42["disconnecting"]`, "reserved-event", nil},
		{"42[]", "event-name", nil},
		{"42[{}]", "event-name", nil},
		{"42[null]", "event-name", nil},
		{"42{}", "payload", nil},
		{"42abc", "json", nil},
		{"42", "payload", nil},
		{`421e3["message"]`, "json", nil},
		{`450-["message"]`, "attachment-count", nil},
		{`4511-["message"]`, "too-many-attachments", nil},
		{`451-["message",{"_placeholder":true,"num":1}] #x`, "placeholder", nil},
		{`451-["message",{"_placeholder":true,"num":"0"}] #x`, "placeholder", nil},
		{`451-["message",` + blob + `] 42["message"]`, "expected-attachment", nil},
		{"#x", "unexpected-attachment", nil},
		{"42[1,2]", "", nil},
		{"437[]", "", nil},
		{`427["message-with-ack",1]`, "", []string{"437[1]"}},
		{`451-["message",` + blob + `] #x`, "", []string{`451-["message-back",` + blob + `]`, "x"}},
		{"40/random", "", []string{`44/random,{"message":"Invalid namespace"}`}},
	}
	for _, tt := range tests {
		t.Run(tt.send, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, fast...)
				c := s.session(t, socketPath)
				write(t, c, frame.OpText, "40")
				expectPackets(t, c, `40{"sid":"`, `42["auth",{}]`)
				for packet := range strings.SplitSeq(tt.send, " ") {
					if binary, ok := strings.CutPrefix(packet, "#"); ok {
						write(t, c, frame.OpBinary, binary)
					} else {
						write(t, c, frame.OpText, packet)
					}
				}
				if tt.fault == "" {
					expectRest(t, c, tt.want...)
					write(t, c, frame.OpText, `42["message"]`)
					expectRest(t, c, `42["message-back"]`)
					return
				}
				expectEnd(t, c, frame.CloseNoStatusReceived)
				synctest.Wait()
				cut, closed := s.journal.records(t, "client cut off"), s.journal.records(t, "socket closed")
				if len(cut) != 1 || !strings.HasSuffix(cut[0]["error"].(string), ": "+tt.fault) || len(closed) != 1 {
					t.Errorf("the log has %v and %v, want %s", cut, closed, tt.fault)
				}
			})
		})
	}
}
