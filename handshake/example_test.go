package handshake_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"

	"example.org/rfc6455/handshake"
)

// A server's handshake on octets, however they came and wherever they go.
func Example_server() {
	received := []byte("GET /chat HTTP/1.1\r\n" +
		"Host: server.example.com\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Origin: http://server.example.com\r\n" +
		"Sec-WebSocket-Protocol: chat, superchat\r\n" +
		"Sec-WebSocket-Version: 13\r\n" +
		"\r\n" +
		"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") // an early frame
	policy, err := handshake.NewOrigins("https://app.example.com")
	if err != nil {
		log.Fatal(err)
	}

	var p handshake.Parser
	answer := func() ([]byte, error) {
		r, n, err := p.ParseRequest(received)
		if n == 0 && err == nil {
			log.Fatal("read more, and call again with all there is")
		}
		if err != nil {
			return nil, err
		}
		received = received[n:]
		if err := r.Validate(); err != nil {
			return nil, err
		}
		if err := policy.Check(r); err != nil {
			return nil, err
		}
		offered, err := r.Subprotocols()
		if err != nil {
			return nil, err
		}
		chosen := handshake.Subprotocol([]string{"superchat", "chat"}, offered)
		return handshake.AppendResponse(nil, r.Key(), chosen, nil, nil)
	}

	sent, err := answer()
	if e, ok := errors.AsType[*handshake.Error](err); ok {
		if sent, err = handshake.AppendRefusal(nil, e.Status(), e.Fields(), ""); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%s%x\n", bytes.ReplaceAll(sent, []byte("\r"), nil), received)
	// Output:
	// HTTP/1.1 101 Switching Protocols
	// Upgrade: websocket
	// Connection: Upgrade
	// Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
	// Sec-WebSocket-Protocol: superchat
	//
	// 818537fa213d7f9f4d5158
}

// A client's handshake on octets.
func Example_client() {
	offer := &handshake.Offer{
		Target:       "/chat",
		Host:         "server.example.com",
		Key:          "dGhlIHNhbXBsZSBub25jZQ==", // NewKey() if it is not an example
		Subprotocols: []string{"chat", "superchat"},
		Extra: func(yield func(name, value string) bool) {
			yield("Origin", "http://example.com")
		},
	}
	request, err := handshake.AppendRequest(nil, offer)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", bytes.ReplaceAll(request, []byte("\r"), nil))

	received := []byte("HTTP/1.1 101 Switching Protocols\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
		"Sec-WebSocket-Protocol: chat\r\n" +
		"\r\n" +
		"\x81\x05Hello")
	var p handshake.Parser
	r, n, err := p.ParseResponse(received)
	if err != nil || n == 0 || r.Interim() {
		log.Fatal("refused, or not all there is")
	}
	if err := r.Validate(offer); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("speaking %s, %d early octets\n", r.Subprotocol(), len(received)-n)
	// Output:
	// GET /chat HTTP/1.1
	// Host: server.example.com
	// Upgrade: websocket
	// Connection: Upgrade
	// Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
	// Sec-WebSocket-Version: 13
	// Sec-WebSocket-Protocol: chat, superchat
	// Origin: http://example.com
	//
	// speaking chat, 7 early octets
}

func ExampleNegotiate() {
	offers, err := handshake.ParseExtensions([]string{
		`permessage-deflate; server_max_window_bits="10", permessage-deflate`,
		"x-unknown",
	})
	if err != nil {
		log.Fatal(err)
	}
	agreed := handshake.Negotiate(offers, func(offer handshake.Extension) (handshake.Extension, bool) {
		fmt.Println("offered", offer.Name, offer.Params)
		// This server cannot limit its window: it takes only what asks for none.
		return offer, offer.Name == "permessage-deflate" && len(offer.Params) == 0
	})
	line, err := handshake.AppendExtensions([]byte("Sec-WebSocket-Extensions: "), agreed)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", line)
	// Output:
	// offered permessage-deflate [{server_max_window_bits 10}]
	// offered permessage-deflate []
	// offered x-unknown []
	// Sec-WebSocket-Extensions: permessage-deflate
}

func ExampleOrigins_Check() {
	policy, err := handshake.NewOrigins("https://*.example.com", "http://localhost:*")
	if err != nil {
		log.Fatal(err)
	}
	for _, origin := range []string{
		"https://api.example.org", // the Host of the request
		"https://app.example.com",
		"http://app.example.com",
		"https://example.com",
		"http://localhost:5173",
		"null",
	} {
		r, _, err := new(handshake.Parser).ParseRequest([]byte(
			"GET / HTTP/1.1\r\nHost: api.example.org\r\nOrigin: " + origin + "\r\n\r\n"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(origin, policy.Check(r) == nil)
	}
	// Output:
	// https://api.example.org true
	// https://app.example.com true
	// http://app.example.com false
	// https://example.com false
	// http://localhost:5173 true
	// null false
}
