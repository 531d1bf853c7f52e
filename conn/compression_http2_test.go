package conn_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// TestCompressedHTTP2 compresses both ways over HTTP/2 (RFC 8441), in a process of
// its own as TestHTTP2 does.
func TestCompressedHTTP2(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), "http2xconnect=1") {
		testCompressedHTTP2(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCompressedHTTP2$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=http2xconnect=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestCompressedHTTP2/") {
		t.Fatalf("with http2xconnect=1: %v\n%s", err, out)
	}
}

func testCompressedHTTP2(t *testing.T) {
	configs := []deflate.Config{
		{},
		{ServerMaxWindowBits: 8, ClientMaxWindowBits: 11},
		{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover},
		{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover, ServerMaxWindowBits: 12, ClientMaxWindowBits: 9},
	}
	for _, config := range configs {
		t.Run(fmt.Sprintf("%+v", config), func(t *testing.T) {
			stats := make(chan conn.Stats, 1)
			compression := &conn.Compression{Config: config, MinSize: conn.NoLimit}
			web := httptest.NewUnstartedServer(&conn.Server{
				Handler: func(c *conn.Conn) {
					for m, err := range c.Messages(c.Context()) {
						if err != nil || c.WriteMessage(c.Context(), m.Opcode, m.Payload) != nil {
							break
						}
					}
					stats <- c.Stats()
				},
				Options: &conn.AcceptOptions{Options: conn.Options{Compression: compression}},
			})
			web.EnableHTTP2 = true
			web.StartTLS()
			t.Cleanup(web.Close)

			offer, err := handshake.AppendExtensions(nil, []handshake.Extension{config.Offer()})
			if err != nil {
				t.Fatal(err)
			}
			response, stream := dialHTTP2(t.Context(), t, web.URL, http.Header{"Sec-Websocket-Extensions": {string(offer)}})
			if response.StatusCode != http.StatusOK {
				t.Fatalf("answer %s", response.Status)
			}
			answer, err := handshake.ParseExtensions(response.Header["Sec-Websocket-Extensions"])
			if err != nil || len(answer) != 1 {
				t.Fatalf("answered %v, %v; want permessage-deflate", answer, err)
			}
			agreed, err := config.Confirm(answer[0])
			if err != nil {
				t.Fatal(err)
			}

			c := conn.New(stream, frame.Client, conn.Handshake{Deflate: &agreed}, &conn.Options{Compression: compression})
			sizes := []int{0, 20, 300, 300, 1 << 16, 1 << 20, 300}
			for _, size := range sizes {
				sent := lines(size)
				write := writeAsync(t.Context(), c, frame.OpText, []byte(sent))
				checkRead(t, c, frame.OpText, sent)
				if err := <-write; err != nil {
					t.Fatal(err)
				}
			}
			if err := c.Close(frame.CloseNormalClosure, ""); err != nil {
				t.Errorf("Close = %v", err)
			}
			for side, s := range map[string]conn.Stats{"client": c.Stats(), "server": <-stats} {
				if s.Sent.Compressed < 5 || s.Received.Compressed < 5 || s.Sent.CompressedOctets > s.Sent.CompressedPayload/2 {
					t.Errorf("%s: sent %+v, received %+v; want most of them compressed", side, s.Sent, s.Received)
				}
			}
		})
	}
}
