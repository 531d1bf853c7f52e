package deflate_test

import (
	"fmt"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/handshake"
)

// The server answers the first offer it can honour, and the client checks the
// answer. Both then know what to compress and inflate with.
func Example_negotiation() {
	server := deflate.Config{ServerContextTakeover: deflate.Takeover, ServerMaxWindowBits: 12}
	offers, err := handshake.ParseExtensions([]string{"permessage-deflate; server_max_window_bits=10; client_max_window_bits"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var agreed deflate.Params
	answers := handshake.Negotiate(offers, func(offer handshake.Extension) (handshake.Extension, bool) {
		answer, params, ok := server.Accept(offer)
		if ok {
			agreed = params
		}
		return answer, ok
	})
	line, err := handshake.AppendExtensions(nil, answers)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("Sec-WebSocket-Extensions: %s\n", line)

	bits, takeover := agreed.Server()
	fmt.Printf("server to client: %d window bits, %v\n", bits, takeover)
	// Output:
	// Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_max_window_bits=10
	// server to client: 10 window bits, takeover
}

// Messages of one direction, compressed by one side and inflated by the other.
func Example() {
	sender, err := deflate.NewCompressor(12, deflate.Takeover, deflate.Fast)
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver, err := deflate.NewDecompressor(12, deflate.Takeover)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sender.Release()
	defer receiver.Release()

	var payload, message []byte
	for _, text := range []string{"temperature 21.5, humidity 40", "temperature 21.6, humidity 40", "Hi"} {
		compressed := false
		payload, compressed = sender.Append(payload[:0], []byte(text))
		if !compressed {
			fmt.Printf("%s: sent as it is\n", text)
			continue
		}
		message, err = receiver.Append(message[:0], payload, true, 1<<20)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %d octets\n", message, len(payload))
	}
	// Output:
	// temperature 21.5, humidity 40: 31 octets
	// temperature 21.6, humidity 40: 7 octets
	// Hi: sent as it is
}

// A message written in pieces: the peer can inflate each as it arrives.
func ExampleCompressor_AppendPiece() {
	c, err := deflate.NewCompressor(deflate.MaxWindowBits, deflate.NoTakeover, deflate.Fast)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("% x\n", c.AppendPiece(nil, []byte("Hello"), false))
	fmt.Printf("% x\n", c.AppendPiece(nil, []byte("Hello"), true))
	// Output:
	// f2 48 cd c9 c9 07 00 00 00 ff ff
	// 02 13 00 00
}

// A limit holds whatever the ratio: this payload would inflate to 1000 octets.
func ExampleDecompressor_Append() {
	c, err := deflate.NewCompressor(deflate.MaxWindowBits, deflate.NoTakeover, deflate.Fast)
	if err != nil {
		fmt.Println(err)
		return
	}
	payload, _ := c.Append(nil, make([]byte, 1000))

	d, err := deflate.NewDecompressor(deflate.MaxWindowBits, deflate.NoTakeover)
	if err != nil {
		fmt.Println(err)
		return
	}
	message, err := d.Append(nil, payload, true, 500)
	fmt.Println(len(payload), len(message), err == deflate.ErrTooLarge)
	// Output:
	// 10 500 true
}
