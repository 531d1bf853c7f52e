package interop_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// TestChromium: pages talk to our server, and our client to the browser.
func TestChromium(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	t.Run("scenarios", func(t *testing.T) {
		s := serveHTTP(t, conn.AcceptOptions{})
		o := &opener{role: frame.Server, theirs: b.open(t, "http://"+s.addr+"/page").actor(), server: s, scheme: "ws"}
		runScenarios(t, o, noCode)
	})
	t.Run("blobs", func(t *testing.T) { testChromiumBlobs(t, b) })
	t.Run("buffered amount", func(t *testing.T) { testChromiumBuffered(t, b) })
	t.Run("foreign origin", func(t *testing.T) { testChromiumOrigin(t, b) })
	t.Run("TLS", func(t *testing.T) { testChromiumTLS(t, b) })
	t.Run("frames", func(t *testing.T) { testChromiumFrames(t, b) })
	t.Run("page of wsecho", func(t *testing.T) { testWsechoPage(t, b) })
}

// TestChromiumHTTP2: the scenarios over HTTP/2 (RFC 8441), which a browser uses
// when the page came that way and the server offers it. Of net/http that is asked
// with the environment, before any test runs: hence another process.
func TestChromiumHTTP2(t *testing.T) {
	t.Parallel()
	if !strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		needProgram(t, "chromium")
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChromiumHTTP2$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=http2xconnect=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestChromiumHTTP2/") {
			t.Fatalf("with http2xconnect=1: %v\n%s", err, out)
		}
		return
	}
	s := serveHTTP2(t, conn.AcceptOptions{})
	b := startBrowser(t)
	theirs := b.open(t, s.url("https", "/page")).actor()
	runScenarios(t, &opener{role: frame.Server, theirs: theirs, server: s, scheme: "wss"}, noCode)
	if n := s.http1.Load(); n != 0 {
		t.Errorf("%d of the connections came over HTTP/1.1", n)
	}
	t.Run("compressed", func(t *testing.T) {
		s := serveHTTP2(t, wantsDeflate())
		theirs := b.open(t, s.url("https", "/page")).actor()
		runDeflated(t, &opener{role: frame.Server, theirs: theirs, server: s, scheme: "wss"}, noCode, true)
		if n := s.http1.Load(); n != 0 {
			t.Errorf("%d of the connections came over HTTP/1.1", n)
		}
	})
}

// testChromiumBlobs: binary messages as blobs, both ways.
func testChromiumBlobs(t *testing.T, b *browser) {
	s := serveHTTP(t, conn.AcceptOptions{})
	theirs := b.open(t, s.url("http", "/page")).actor()
	theirs.do(t, command{Do: "connect", URL: s.url("ws", "/"), Type: "blob"})
	ours := s.next(t)
	theirs.want(t, event{Event: "open"})
	for _, size := range []int{0, 125, 126, 65535, 65536, 1 << 20} {
		theirs.do(t, command{Do: "blob", Data: octets(binary(size))})
		wantMessage(t, ours, frame.OpBinary, binary(size))
		write(t, ours, frame.OpBinary, binary(size))
		theirs.want(t, event{Event: "binary", Data: octets(binary(size))})
	}
}

// testChromiumBuffered: bufferedAmount comes down to 0 as our server reads.
func testChromiumBuffered(t *testing.T, b *browser) {
	const n = 4
	megabyte := binary(1 << 20)
	s := serveHTTP(t, conn.AcceptOptions{})
	theirs := b.open(t, s.url("http", "/page")).actor()
	theirs.do(t, command{Do: "connect", URL: s.url("ws", "/")})
	ours := s.next(t)
	theirs.want(t, event{Event: "open"})
	for range n {
		theirs.do(t, command{Do: "binary", Data: octets(megabyte)})
	}
	theirs.do(t, command{Do: "buffered"})
	for range n {
		wantMessage(t, ours, frame.OpBinary, megabyte)
	}
	if e := theirs.next(t); e.Event != "buffered" || e.Buffered == 0 {
		t.Errorf("the page saw %v; want that some octets were buffered, and then none", e)
	}
}

// testChromiumOrigin: a page of another origin, which another port is, is refused
// (RFC 6455, Section 10.2) unless a pattern allows it.
func testChromiumOrigin(t *testing.T, b *browser) {
	foreign := serveHTTP(t, conn.AcceptOptions{})
	theirs := b.open(t, foreign.url("http", "/page")).actor()

	refused := make(chan int, 1)
	s := serveHTTP(t, conn.AcceptOptions{Options: conn.Options{Hooks: &conn.Hooks{
		OnRefuse: func(r conn.Refusal) { refused <- r.Status },
	}}})
	theirs.begin()
	theirs.do(t, command{Do: "connect", URL: s.url("ws", "/")})
	theirs.want(t, event{Event: "error"})
	theirs.want(t, event{Event: "close", Code: 1006})
	if status := <-refused; status != http.StatusForbidden {
		t.Errorf("status %d; want 403", status)
	}

	s = serveHTTP(t, conn.AcceptOptions{Origins: []string{"http://127.0.0.1:*"}})
	theirs.begin()
	theirs.do(t, command{Do: "connect", URL: s.url("ws", "/")})
	ours := s.next(t)
	theirs.want(t, event{Event: "open"})
	wantOpen(t, pair{ours, theirs})
}

// testChromiumTLS: wss from a page of https.
func testChromiumTLS(t *testing.T, b *browser) {
	s := serveTLS(t, conn.AcceptOptions{})
	theirs := b.open(t, s.url("https", "/page")).actor()
	theirs.do(t, command{Do: "connect", URL: s.url("wss", "/")})
	ours := s.next(t)
	theirs.want(t, event{Event: "open"})
	wantOpen(t, pair{ours, theirs})
	write(t, ours, frame.OpText, text(1<<20))
	if err := ours.Close(4001, "over TLS"); err != nil {
		t.Errorf("Close: %v", err)
	}
	theirs.want(t, event{Event: "text", Text: text(1 << 20)})
	theirs.want(t, event{Event: "close", Code: 4001, Reason: "over TLS", Clean: true})
}

// testChromiumFrames: the browser's own record of the frames, from beneath the
// page.
func testChromiumFrames(t *testing.T, b *browser) {
	s := serveHTTP(t, conn.AcceptOptions{})
	p := b.open(t, s.url("http", "/page"))
	b.call(t, p.session, "Network.enable", nil, nil)
	theirs := p.actor()
	theirs.do(t, command{Do: "connect", URL: s.url("ws", "/"), Protocols: []string{"b"}})
	ours := s.next(t)
	theirs.want(t, event{Event: "open", Protocol: "b"})
	wantOpen(t, pair{ours, theirs})
	write(t, ours, frame.OpBinary, "\x00\xff")
	theirs.want(t, event{Event: "binary", Data: "\x00\xff"})
	theirs.do(t, command{Do: "close", Code: 1000, Reason: "seen"})
	wantClosed(t, ours, conn.CloseError{Code: 1000, Reason: "seen", By: conn.Peer})
	theirs.wantEnd(t, event{Event: "close", Code: 1000, Clean: true})

	want := []string{
		"Created",
		"WillSendHandshakeRequest",
		"HandshakeResponseReceived 101 b",
		"FrameSent 1 true there",
		"FrameReceived 1 false back",
		"FrameReceived 2 false AP8=", // base64
		"Closed",
	}
	var got []string
	for len(got) == 0 || got[len(got)-1] != "Closed" {
		got = append(got, p.nextNetwork(t))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the browser saw (-want +got):\n%s", diff)
	}
}

// nextNetwork returns the next thing that the browser saw of a connection, in
// words.
func (p *page) nextNetwork(t *testing.T) string {
	t.Helper()
	select {
	case n := <-p.network:
		var params struct {
			Response struct {
				Status      int
				Headers     map[string]string
				Opcode      int
				Mask        bool
				PayloadData string
			}
		}
		if err := json.Unmarshal(n.Params, &params); err != nil {
			t.Fatal(err)
		}
		r, what := params.Response, strings.TrimPrefix(n.Method, "Network.webSocket")
		switch what {
		case "HandshakeResponseReceived":
			return fmt.Sprint(what, " ", r.Status, " ", r.Headers["Sec-WebSocket-Protocol"])
		case "FrameSent", "FrameReceived":
			return fmt.Sprint(what, " ", r.Opcode, " ", r.Mask, " ", r.PayloadData)
		}
		return what
	case <-time.After(patience):
		t.Fatal("the browser reports nothing")
	}
	panic("unreachable")
}
