package interop_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/socketio/engineio"
)

// A receiver echoes messages and tells of the end. One that is told to ends the
// session.
type receiver struct{ ended chan string }

func (r receiver) Message(s *engineio.Session, binary bool, data []byte) {
	if string(data) == "end it" {
		s.Send(engineio.NewPacket(false, []byte("the end")))
		s.Close("")
		return
	}
	s.Send(engineio.NewPacket(binary, data))
}

func (r receiver) Closed(_ *engineio.Session, reason engineio.CloseReason, _ error) {
	r.ended <- string(reason)
}

// serve starts an echo server and returns its URL and where it tells of ends.
func serve(t *testing.T, o *engineio.Options) (url string, ended chan string) {
	t.Helper()
	ended = make(chan string, 16)
	server := &engineio.Server{Options: o, Handler: func(*engineio.Session) engineio.Receiver { return receiver{ended} }}
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", server)
	front := httptest.NewServer(mux)
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
	})
	return front.URL, ended
}

// texts are messages that are easy to get wrong.
var texts = []string{"hello", "", "ünïcödé €", "smile 😀\u2028\u2029", "line\nbreak\\n\r\n", `{"json":["\u001e",null]}`, strings.Repeat("long 😀", 3000)}

// exchange has messages echoed, of text and of octets, in one stream.
func exchange(a *actor) {
	a.t.Helper()
	var want []string
	for i, text := range texts {
		a.do(command{Do: "text", Text: text})
		a.do(command{Do: "binary", Data: []byte{0, 0x1e, 0xff, byte(i)}})
		want = append(want, "text "+text, "binary #\x00\x1e\xff"+string([]byte{byte(i)}))
	}
	for i := range 300 {
		a.do(command{Do: "text", Text: fmt.Sprint(i)})
		want = append(want, fmt.Sprint("text ", i))
	}
	a.want(want...)
}

func TestClients(t *testing.T) {
	t.Parallel()
	both := []string{"polling", "websocket"}
	setups := []struct {
		name    string
		options map[string]any
		open    string
	}{
		{"upgrade", nil, "polling"},
		{"polling", map[string]any{"transports": both[:1]}, "polling"},
		{"websocket", map[string]any{"transports": both[1:]}, "websocket"},
		{"base64 by upgrade", map[string]any{"forceBase64": true}, "polling"},
		{"base64 by polling", map[string]any{"transports": both[:1], "forceBase64": true}, "polling"},
		{"base64 by websocket", map[string]any{"transports": both[1:], "forceBase64": true}, "websocket"},
		{"compressed", map[string]any{"perMessageDeflate": map[string]any{"threshold": 0}}, "polling"},
	}
	for _, version := range []int{6, 4, 3} {
		t.Run(fmt.Sprint("engine.io-client ", version), func(t *testing.T) {
			t.Parallel()
			a := startNode(t)
			for _, setup := range setups {
				t.Run(setup.name, func(t *testing.T) {
					a.t = t
					url, ended := serve(t, &engineio.Options{EIO3: true, Compression: &conn.Compression{},
						PingInterval: 200 * time.Millisecond, PingTimeout: 10 * time.Second})
					for _, end := range []string{"client", "server"} {
						options := map[string]any{"path": "/engine.io/"}
						maps.Copy(options, setup.options)
						a.do(command{Do: "connect", Version: version, URL: url, Options: options})
						a.want("open " + setup.open)
						exchange(a)
						if end == "server" {
							time.Sleep(500 * time.Millisecond) // a heartbeat
						}
						exchange(a)
						if end == "server" {
							a.do(command{Do: "text", Text: "end it"})
							a.want("text the end", "close transport close")
							wantEnd(t, ended, "forced close")
							continue
						}
						a.do(command{Do: "close"})
						a.want("close forced close")
						wantEnd(t, ended, "transport close")
					}
				})
			}
		})
	}
}

func wantEnd(t *testing.T, ended chan string, want string) {
	t.Helper()
	select {
	case got := <-ended:
		if got != want {
			t.Errorf("the session ended by %s, want %s", got, want)
		}
	case <-time.After(patience):
		t.Error("the session does not end")
	}
}

// TestClientsAreRefused: what a client of Node says when it is.
func TestClientsAreRefused(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, nil)
	for _, transport := range []string{"polling", "websocket"} {
		a := startNode(t)
		a.do(command{Do: "connect", Version: 3, URL: url, Options: map[string]any{"transports": []string{transport}}})
		a.want("error "+map[string]string{"polling": "xhr poll error", "websocket": "websocket error"}[transport], "close transport error")
	}
}
