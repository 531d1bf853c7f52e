package interop_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"example.org/rfc6455/socketio"
	"example.org/rfc6455/socketio/engineio"
)

// newChat serves the chat of the classic tutorial with the official client of a
// version.
func newChat(t *testing.T, version string, engine *engineio.Options) *httptest.Server {
	io := &socketio.Server{Engine: engine}
	io.OnConnect(func(s *socketio.Socket) {
		s.On("chat message", func(msg string) { io.Emit("chat message", msg) })
		s.OnDisconnect(func(socketio.Reason, error) { io.Emit("user disconnected") })
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	mux.Handle("/client/", http.StripPrefix("/client/", http.FileServerFS(dist(version))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/chat.html") })
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections() // what a page that was closed left behind
		for session := range io.Sessions().All() {
			session.Close(engineio.ForcedClose)
		}
		s.Close()
	})
	return s
}

// dist is where the official client of a version has its scripts for browsers.
func dist(version string) fs.FS {
	return os.DirFS("testdata/clients/node_modules/client" + version + "/dist")
}

const messages = `[...document.querySelectorAll("#messages li")].map(li => li.textContent)`

// listed is what messages is evaluated to.
func listed(texts ...string) string {
	b, _ := json.Marshal(texts)
	return string(b)
}

// TestChromiumChat: two tabs chat, and one leaves.
func TestChromiumChat(t *testing.T) {
	wanted(t, "testdata/clients/node_modules/client4")
	b := startBrowser(t)
	for _, version := range []string{"4", "2"} {
		t.Run("client "+version, func(t *testing.T) {
			s := newChat(t, version, &engineio.Options{EIO3: version == "2"})
			one, two := b.open(t, s.URL), b.open(t, s.URL)
			for _, tab := range []*tab{one, two} {
				tab.await(t, `typeof socket !== "undefined" && socket.connected`, "true")
			}
			var want []string
			for i := range 30 {
				text := fmt.Sprintf("message %d ü😀 <b>", i)
				want = append(want, text)
				from := one
				if i%3 == 0 {
					from = two
				}
				quoted, _ := json.Marshal(text)
				from.eval(t, fmt.Sprintf("input.value = %s; form.requestSubmit()", quoted))
				one.await(t, messages, listed(want...))
			}
			two.await(t, messages, listed(want...))
			one.await(t, "socket.io.engine.transport.name", `"websocket"`)
			two.close(t)
			one.await(t, messages, listed(append(want, "user disconnected")...))
			one.close(t)
		})
	}
}

// TestChromiumOrigin: a page of another origin is refused, over both transports,
// until it is allowed.
func TestChromiumOrigin(t *testing.T) {
	wanted(t, "testdata/clients/node_modules/client4")
	b := startBrowser(t)
	page := newChat(t, "4", nil)
	tab := b.open(t, page.URL)
	tab.await(t, `typeof socket !== "undefined" && socket.connected`, "true")
	tests := []struct {
		name   string
		engine *engineio.Options
		want   string
	}{
		{"refused", nil, `"refused"`},
		{"CORS alone", &engineio.Options{CORS: &engineio.CORS{}}, `"refused"`},
		{"allowed", &engineio.Options{Origins: []string{"http://127.0.0.1:*"}, CORS: &engineio.CORS{}}, `"connected"`},
		{"allowed with cookies", &engineio.Options{Origins: []string{"http://127.0.0.1:*"}, CORS: &engineio.CORS{Credentials: true}}, `"connected"`},
	}
	for _, tt := range tests {
		s := newChat(t, "4", tt.engine)
		for _, transport := range []string{"polling", "websocket"} {
			t.Run(tt.name+"/"+transport, func(t *testing.T) {
				tab.await(t, fmt.Sprintf(`new Promise(done => {
					const socket = io(%q, {transports: [%q], forceNew: true, reconnection: false, withCredentials: %t});
					const end = what => { socket.close(); done(what) };
					socket.on("connect", () => end("connected"));
					socket.on("connect_error", () => end("refused"));
				})`, s.URL, transport, tt.name == "allowed with cookies"), tt.want)
			})
		}
	}
}
