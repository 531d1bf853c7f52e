package parser_test

import (
	"fmt"

	"example.org/rfc6455/socketio/parser"
)

// An event with a picture: a text message and a binary one.
func Example() {
	type picture struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	p := parser.Packet{Type: parser.Event, Namespace: "/album"}
	if err := p.SetArgs("picture", picture{"sky.png", []byte("\x89PNG")}); err != nil {
		fmt.Println(err)
		return
	}
	messages, err := parser.JSON.Encode(nil, &p)
	if err != nil {
		fmt.Println(err)
		return
	}
	d := parser.JSON.NewDecoder(nil)
	for _, m := range messages {
		fmt.Printf("%q\n", m.Data)
		p, ok, err := d.Decode(m.Binary, m.Data)
		if err != nil {
			fmt.Println(err)
			return
		}
		if !ok {
			continue // attachments follow
		}
		var got picture
		if err := p.Values(nil)[0].Decode(&got); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p.EventName(), got.Name, len(got.Data))
	}
	// Output:
	// "51-/album,[\"picture\",{\"name\":\"sky.png\",\"data\":{\"_placeholder\":true,\"num\":0}}]"
	// "\x89PNG"
	// picture sky.png 4
}

// What is wrong with a packet has a word for machines.
func ExamplePacketError() {
	d := parser.JSON.NewDecoder(&parser.Limits{MaxAttachments: 2})
	_, _, err := d.Decode(false, []byte(`53-["upload"]`))
	fmt.Println(err)
	// Output:
	// parser: too-many-attachments at octet 1
}
