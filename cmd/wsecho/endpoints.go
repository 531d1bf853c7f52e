package main

import (
	"context"
	"sync"
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

// tellTime sends the time at once and then every second. What the peer sends is
// thrown away.
func tellTime(c *conn.Conn) {
	var sending sync.WaitGroup
	sending.Go(func() { sendTime(c) })
	c.Discard(context.Background())
	sending.Wait()
}

func sendTime(c *conn.Conn) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for now := time.Now(); ; {
		err := c.WriteMessage(context.Background(), frame.OpText, now.UTC().AppendFormat(nil, timeFormat))
		if err != nil {
			return
		}
		select {
		case now = <-tick.C:
		case <-c.Done():
			return
		}
	}
}

// chat returns a handler that makes a connection a member, and sends each of its
// messages to all members, itself included.
func chat(members *conn.Hub) func(*conn.Conn) {
	return func(c *conn.Conn) {
		members.Add(c)
		for {
			op, p, err := c.ReadMessage(context.Background())
			if err != nil {
				return
			}
			m, err := conn.Prepare(op, p)
			if err != nil {
				return
			}
			members.Broadcast(m, nil)
		}
	}
}
