package mask_test

import (
	"fmt"

	"example.org/rfc6455/mask"
)

func ExampleApply() {
	p := []byte("Hello")
	key := mask.Key(0x3d21fa37) // 37 fa 21 3d on the wire, as in RFC 6455, Section 5.7

	next := mask.Apply(p[:2], key) // as much as has arrived
	mask.Apply(p[2:], next)        // the rest
	fmt.Printf("% x\n", p)

	mask.Apply(p, key)
	fmt.Printf("%s\n", p)
	// Output:
	// 7f 9f 4d 51 58
	// Hello
}

func ExampleCopy() {
	payload := []byte("Hello")
	frame := []byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0, 0, 0, 0, 0}

	mask.Copy(frame[6:], payload, 0x3d21fa37)
	fmt.Printf("% x\n%s\n", frame, payload)
	// Output:
	// 81 85 37 fa 21 3d 7f 9f 4d 51 58
	// Hello
}

func ExampleKeys() {
	var keys mask.Keys // one for each connection

	a, b := keys.Next(), keys.Next()
	fmt.Println(a == b)
	// Output: false
}
