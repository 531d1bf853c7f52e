package conn_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
)

// trickle sends octets one by one until the peer cannot.
func (p *peer) trickle(b []byte, every time.Duration) {
	for i := range b {
		time.Sleep(every)
		if _, err := p.Write(b[i : i+1]); err != nil {
			return
		}
	}
}

// cut returns b up to the offset at, which counts from the end if negative.
func cut(b []byte, at int) (before, after []byte) {
	if at < 0 {
		at += len(b)
	}
	return b[:at], b[at:]
}

// A message that has begun and stops coming fails the connection with 1008,
// after 30 seconds without an octet and 60 in all.
func TestStalledMessage(t *testing.T) {
	octets := strings.Repeat("2a", 125)
	long := "827e8000:" + strings.Repeat("2a", 1<<15)
	tests := []struct {
		name    string
		options conn.Options
		frames  string
		at      int           // how many octets of them come at once; from their end if negative
		every   time.Duration // then comes one of the others, except the last; zero means never
		want    time.Duration
	}{
		{name: "in a header", frames: "8105:48656c6c6f", at: 1, want: 30 * time.Second},
		{name: "in a payload", frames: "8105:48656c6c6f", at: -1, want: 30 * time.Second},
		{name: "behind a header", frames: "8105:48656c6c6f", at: -5, want: 30 * time.Second},
		{name: "behind a fragment", frames: "0103:48656c 8001:2a", at: -3, want: 30 * time.Second},
		{name: "in a ping", frames: "8905:48656c6c6f", at: -2, want: 30 * time.Second},
		{name: "in a long payload", frames: long, at: 20_000, want: 30 * time.Second},
		{name: "an octet in 29 seconds", frames: "817d:" + octets, at: -125, every: 29 * time.Second, want: time.Minute},
		{name: "an octet in 20 seconds, from the first", frames: "8105:48656c6c6f", at: 1, every: 20 * time.Second, want: time.Minute},
		{name: "pings in a message do not help", frames: "0103:48656c 8901:2a 8901:2a 8901:2a 8901:2a", at: 9, every: 7 * time.Second, want: time.Minute},
		{name: "own StallTimeout", options: conn.Options{StallTimeout: time.Second}, frames: "8105:48656c6c6f", at: 1, want: time.Second},
		{name: "own MessageTimeout", options: conn.Options{MessageTimeout: time.Second}, frames: "8105:48656c6c6f", at: 1, want: time.Second},
		{name: "StallTimeout off", options: conn.Options{StallTimeout: conn.NoLimit}, frames: "8105:48656c6c6f", at: 1, want: time.Minute},
		{name: "MessageTimeout off", options: conn.Options{MessageTimeout: conn.NoLimit}, frames: "8115:" + octets[:42], at: -21, every: 29 * time.Second,
			want: 20*29*time.Second + 30*time.Second},
		{name: "MaxMessageSize off", options: conn.Options{MaxMessageSize: conn.NoLimit}, frames: "8115:" + octets[:42], at: -21, every: 29 * time.Second,
			want: 20*29*time.Second + 30*time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bothRoles(t, func(t *testing.T, role frame.Role) {
				tt.options.PingInterval = conn.NoLimit
				c, p := open(t, role, &tt.options)
				r := receive(c)
				start := time.Now()
				before, after := cut(wire(t, p.role, tt.frames), tt.at)
				p.write(before)
				var trickling sync.WaitGroup
				defer trickling.Wait()
				if tt.every > 0 {
					trickling.Go(func() { p.trickle(after[:len(after)-1], tt.every) })
				}
				for {
					h, payload, err := p.next()
					if err != nil {
						t.Fatal(err)
					}
					if h.Opcode == frame.OpClose {
						if string(payload) != "\x03\xf0" {
							t.Errorf("peer received Close frame with %x, want 03f0", payload)
						}
						break
					}
				}
				if took := time.Since(start); took != tt.want {
					t.Errorf("failed after %v, want %v", took, tt.want)
				}
				p.expectEOF()
				p.Close()
				checkEnd(t, (<-r).err, conn.Local, frame.ClosePolicyViolation, "", conn.ErrStalled)
			})
		})
	}
}

// With both timeouts off a message may take for ever.
func TestStalledMessageNoLimit(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{StallTimeout: conn.NoLimit, MessageTimeout: conn.NoLimit, PingInterval: conn.NoLimit})
		go p.trickle(wire(t, p.role, "8105:48656c6c6f"), time.Hour)
		checkRead(t, c, frame.OpText, "Hello")
	})
}

// Without a message in progress nothing is late, and one message has no part in
// the time of another: not the control frames between them, however slow each of
// them is.
func TestStalledNothing(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{PingInterval: conn.NoLimit})
		go func() {
			time.Sleep(12 * time.Hour)
			for _, frames := range []string{
				"8901:2a", "8a01:2a", "8901:2a", "8a01:2a", "8901:2a", "8105:48656c6c6f", "0105:48656c6c6f", "8901:2a", "8000:", "8105:48656c6c6f",
			} {
				before, after := cut(wire(t, p.role, frames), -1)
				p.write(before)
				time.Sleep(15 * time.Second)
				p.write(after)
			}
		}()
		for range 3 {
			checkRead(t, c, frame.OpText, "Hello")
		}
	})
}

// Time in which nobody reads does not count.
func TestStalledReader(t *testing.T) {
	bothRoles(t, func(t *testing.T, role frame.Role) {
		c, p := open(t, role, &conn.Options{PingInterval: conn.NoLimit})
		p.send("0103:48656c")
		r := nextReader(t, c, frame.OpText)
		for range 3 {
			checkPart(t, r, "Hel")
			time.Sleep(time.Hour)
			p.send("0000: 0003:48656c")
		}
		time.AfterFunc(29*time.Second, func() { p.send("0002:6c6f") })
		checkPart(t, r, "Hello")
		start := time.Now()
		_, err := r.Read(t.Context(), make([]byte, 1))
		if took := time.Since(start); !errors.Is(err, conn.ErrStalled) || took != 30*time.Second+closeTimeout {
			t.Errorf("Read = %v after %v, want ErrStalled after 30s and the wait for the peer's end", err, took)
		}
	})
}

// closeTimeout is the default of Options.CloseTimeout.
const closeTimeout = 5 * time.Second
