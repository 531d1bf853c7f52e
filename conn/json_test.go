package conn_test

import (
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
)

func TestJSON(t *testing.T) {
	type point struct {
		X, Y int
		Name string
	}
	synctest.Test(t, func(t *testing.T) {
		client, server := conntest.Pair(nil, nil)
		defer client.CloseNow()
		defer server.CloseNow()
		ctx := t.Context()
		sent := point{1, -2, "é"}
		go func() {
			if err := client.WriteJSON(ctx, sent); err != nil {
				t.Errorf("WriteJSON = %v", err)
			}
			client.WriteMessage(ctx, frame.OpText, []byte(`{"X": "one"}`))
			client.WriteMessage(ctx, frame.OpBinary, []byte(`{"X": 3}`))
		}()
		var got point
		if err := server.ReadJSON(ctx, &got); err != nil {
			t.Fatalf("ReadJSON = %v", err)
		}
		if diff := cmp.Diff(sent, got); diff != "" {
			t.Errorf("ReadJSON mismatch (-sent +got):\n%s", diff)
		}
		err := server.ReadJSON(ctx, &got)
		if mistake, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok || mistake.Field != "X" {
			t.Errorf("ReadJSON of the wrong type = %v; want the decoder's error", err)
		}
		if err := server.ReadJSON(ctx, &got); err != nil || got.X != 3 {
			t.Errorf("ReadJSON after an error = %v, %+v; want the next message", err, got)
		}

		if err := server.WriteJSON(ctx, make(chan int)); !isType[*json.UnsupportedTypeError](err) {
			t.Errorf("WriteJSON of a channel = %v; want the encoder's error", err)
		}
		client.CloseNow()
		if err := server.ReadJSON(ctx, &got); err == nil || err != server.Err() {
			t.Errorf("ReadJSON after the end = %v; want %v", err, server.Err())
		}
	})
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
