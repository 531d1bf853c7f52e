package script_test

import (
	"fmt"

	"example.org/rfc6455/fuzz/differential/script"
)

// Choices that are octets make a script: here of a fuzzer, or of a file.
func ExampleGenerate() {
	s := script.Generate(&script.Octets{B: []byte("some octets to choose with")})
	fmt.Println(s)
	// Output:
	// client stream=0105efbfbf7ef000000006908080f48fbf89008900
}

func ExampleParse() {
	s, err := script.Parse("server stream=818537fa213d7f9f4d5158 sizes=6")
	if err != nil {
		fmt.Println(err)
		return
	}
	f, n := script.ParseFrame(s.Stream)
	fmt.Printf("%d octets, opcode %d: %s\n", n, f.Opcode, f.Payload)
	fmt.Printf("%x\n", s.Pieces(s.Stream))
	// Output:
	// 11 octets, opcode 1: Hello
	// [818537fa213d 7f9f4d5158]
}
