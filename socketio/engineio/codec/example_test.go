package codec_test

import (
	"fmt"

	"example.org/rfc6455/socketio/engineio/codec"
)

// The body of a polling request of revision 4.
func ExampleParsePayload() {
	ps, err := codec.ParsePayload(codec.V4, []byte("4hello\x1ebAQID"), 16)
	for _, p := range ps {
		fmt.Printf("%v, binary %t: %q\n", p.Type, p.Binary, p.Data)
	}
	fmt.Println(err)
	// Output:
	// message, binary false: "hello"
	// message, binary true: "\x01\x02\x03"
	// <nil>
}

// The same packets in the payload of either revision.
func ExampleAppendPayload() {
	ps := []codec.Packet{
		{Type: codec.Message, Data: []byte("smile 😀")},
		{Type: codec.Ping},
	}
	fmt.Printf("%q\n", codec.AppendPayload(nil, codec.V4, ps...))
	fmt.Printf("%q\n", codec.AppendPayload(nil, codec.V3, ps...))
	// Output:
	// "4smile 😀\x1e2"
	// "9:4smile 😀1:2"
}
