package conn

import (
	"context"
	"encoding/json"
	"fmt"

	"example.org/rfc6455/frame"
)

// ReadJSON reads the next message, text or binary, and decodes it into v as
// [json.Unmarshal] does. After an error of the decoder, which it wraps, the
// connection goes on with the next message. The other errors are those of
// [Conn.ReadMessage].
func (c *Conn) ReadJSON(ctx context.Context, v any) error {
	_, p, err := c.ReadMessage(ctx)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(p, v); err != nil {
		return fmt.Errorf("conn: read JSON: %w", err)
	}
	return nil
}

// WriteJSON writes v as a text message, encoded as [json.Marshal] does. After an
// error of the encoder, which it wraps, nothing was sent. The other errors are
// those of [Conn.WriteMessage].
func (c *Conn) WriteJSON(ctx context.Context, v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("conn: write JSON: %w", err)
	}
	return c.WriteMessage(ctx, frame.OpText, p)
}
