package conn_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// Both sides compress, and let messages refer to earlier ones within 4 KiB, which
// costs some 20 KiB for each connection.
func ExampleCompression() {
	options := conn.Options{Compression: &conn.Compression{Config: deflate.Config{
		ServerContextTakeover: deflate.Takeover, ServerMaxWindowBits: 12,
		ClientContextTakeover: deflate.Takeover, ClientMaxWindowBits: 12,
	}}}
	server := httptest.NewServer(&conn.Server{
		Options: &conn.AcceptOptions{Options: options},
		Handler: func(c *conn.Conn) { c.Discard(c.Context()) },
	})
	defer server.Close()

	ctx := context.Background()
	c, err := conn.Dial(ctx, server.URL, &conn.DialOptions{Options: options})
	if err != nil {
		log.Fatal(err)
	}
	defer c.CloseNow()
	for range 3 {
		if err := c.WriteMessage(ctx, frame.OpText, []byte(strings.Repeat("all work and no play ", 50))); err != nil {
			log.Fatal(err)
		}
	}
	sent := c.Stats().Sent
	fmt.Println(c.Extensions())
	fmt.Println(sent.Compressed, "messages,", sent.CompressedPayload, "octets in less than 100:", sent.CompressedOctets < 100)
	// Output:
	// [{permessage-deflate [{server_max_window_bits 12} {client_max_window_bits 12}]}]
	// 3 messages, 3150 octets in less than 100: true
}
