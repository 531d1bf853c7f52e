package frame_test

import (
	"errors"
	"fmt"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/mask"
)

// A server reads what a client sent, in whatever parts it comes.
func ExampleDecoder() {
	wire := []byte{ // "Hello" in two masked frames with a ping between them
		0x01, 0x83, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d,
		0x89, 0x80, 0x00, 0x00, 0x00, 0x00,
		0x80, 0x82, 0x37, 0xfa, 0x21, 0x3d, 0x5b, 0x95,
	}
	d := frame.Decoder{Role: frame.Server}
	var window []byte // received and not yet decoded
	var p frame.Piece
	for len(wire) > 0 {
		n := min(8, len(wire))
		window, wire = append(window, wire[:n]...), wire[n:]
		for {
			n, err := d.Next(window, &p)
			if err != nil {
				fmt.Println(err)
				return
			}
			if n == 0 {
				break // wait for more
			}
			window = window[n:]
			fmt.Printf("%v %q first=%t last=%t\n", p.Header.Opcode, p.Payload, p.First(), p.Last())
		}
	}
	// Output:
	// text "He" first=true last=false
	// text "l" first=false last=true
	// ping "" first=true last=true
	// continuation "lo" first=true last=true
}

func ExampleError() {
	d := frame.Decoder{Role: frame.Server}
	var p frame.Piece
	_, err := d.Next([]byte{0x81, 0x05, 'H', 'e', 'l', 'l', 'o'}, &p)
	if e, ok := errors.AsType[*frame.Error](err); ok {
		fmt.Println("close with", e.CloseCode())
	}
	fmt.Println(errors.Is(err, frame.ErrMaskRequired))
	// Output:
	// close with 1002 protocol error
	// true
}

func ExampleParseHeader() {
	h, n, err := frame.ParseHeader([]byte{0x82, 0x7e, 0x01, 0x00, 0xaa, 0xaa})
	fmt.Println(h.Flags, h.Opcode, h.Length, n, err)
	// Output: FIN binary 256 4 <nil>
}

func ExampleAppendFrame() {
	h := frame.Header{Flags: frame.FIN | frame.MASK, Opcode: frame.OpText, Key: 0x3d21fa37}
	wire, err := frame.AppendFrame(nil, h, []byte("Hello"))
	fmt.Printf("% x %v\n", wire, err)
	// Output: 81 85 37 fa 21 3d 7f 9f 4d 51 58 <nil>
}

func ExampleAppendMessage() {
	wire, err := frame.AppendMessage(nil, frame.Header{Opcode: frame.OpText}, []byte("Hello"), 3, nil)
	fmt.Printf("% x %v\n", wire, err)
	// Output: 01 03 48 65 6c 80 02 6c 6f <nil>
}

func ExampleAppendClose() {
	payload, err := frame.AppendClose(nil, frame.CloseGoingAway, "bye")
	fmt.Printf("% x %v\n", payload, err)

	code, reason, err := frame.ParseClose(payload)
	fmt.Printf("%v, %q, %v\n", code, reason, err)
	// Output:
	// 03 e9 62 79 65 <nil>
	// 1001 going away, "bye", <nil>
}

// A proxy passes a client's frame on to a client, unmasked, while the payload
// is still arriving.
func ExampleTransform() {
	received := []byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f}
	from, n, _ := frame.ParseHeader(received)
	to := from
	to.Flags &^= frame.MASK

	wire, key, err := frame.Transform(nil, from, received[n:], to)
	fmt.Printf("% x %v\n", wire, err)

	more := []byte{0x4d, 0x51, 0x58}
	mask.Apply(more, key)
	fmt.Printf("% x\n", more)
	// Output:
	// 81 05 48 65 <nil>
	// 6c 6c 6f
}

// A server unmasks text and checks it in one pass, frame by frame.
func ExampleUTF8_Unmask() {
	var text frame.UTF8
	for _, f := range []struct {
		payload []byte
		key     mask.Key
	}{
		{[]byte{0x70, 0x88, 0xe2}, 0x3d21fa37},       // Gr and the first octet of ü
		{[]byte{0x8b, 0x46, 0x5d, 0x58}, 0x3dc28537}, // the rest
	} {
		n := text.Unmask(f.payload, f.key)
		fmt.Printf("%q %d %t\n", f.payload, n, text.Complete())
	}
	// Output:
	// "Gr\xc3" 3 false
	// "\xbcße" 4 true
}

func ExampleUTF8() {
	var text frame.UTF8
	for _, p := range []string{"Gr\xc3", "\xbc\xc3\x9fe", "\xf4\x90 no code point"} {
		fmt.Println(text.Next([]byte(p)), text.Complete())
	}
	// Output:
	// 3 false
	// 4 true
	// 1 false
}
