package main

import (
	"context"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// echo sends back each message as it came, and nothing else.
func echo(c *conn.Conn) {
	ctx := context.Background()
	for {
		op, p, err := c.ReadMessage(ctx)
		if err != nil {
			return
		}
		if err := c.WriteMessage(ctx, op, p); err != nil {
			return
		}
	}
}

// timeFormat is RFC 3339 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// tellTime sends the time at once and then every second.
func tellTime(c *conn.Conn) {
	ctx := context.Background()
	go c.Discard(ctx)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for now := time.Now(); ; {
		if err := c.WriteMessage(ctx, frame.OpText, now.UTC().AppendFormat(nil, timeFormat)); err != nil {
			return
		}
		select {
		case now = <-tick.C:
		case <-c.Done():
			return
		}
	}
}

// A room is a set of connections each of which receives what one of them sends.
type room struct {
	members conn.Hub
}

func (r *room) chat(c *conn.Conn) {
	r.members.Add(c)
	ctx := context.Background()
	for {
		op, p, err := c.ReadMessage(ctx)
		if err != nil {
			return
		}
		m, err := conn.Prepare(op, p)
		if err != nil {
			return
		}
		r.members.Broadcast(m, nil)
	}
}
