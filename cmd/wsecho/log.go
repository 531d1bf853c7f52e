package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// newLogger returns a logger in the format text or json. Both escape what peers
// send.
func newLogger(w io.Writer, format string, verbose bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelInfo}
	if verbose {
		o.Level = slog.LevelDebug
	}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// A visit is the log of one request and the connection that it opens.
type visit struct {
	log   *slog.Logger
	about []any // what the request says about the client
	began time.Time
}

func newVisit(log *slog.Logger, r *http.Request) *visit {
	v := &visit{log: log.With("remote", r.RemoteAddr, "path", r.URL.Path), began: time.Now()}
	for _, a := range []struct{ key, field string }{
		{"origin", "Origin"}, {"forwarded_for", "X-Forwarded-For"}, {"user_agent", "User-Agent"},
	} {
		if value := r.Header.Get(a.field); value != "" {
			v.about = append(v.about, a.key, value)
		}
	}
	return v
}

// hooks returns hooks for the events of which there is no other trace.
func (v *visit) hooks() *conn.Hooks {
	h := &conn.Hooks{OnRefuse: func(r conn.Refusal) { v.refused(r.Status, r.Err) }}
	if v.log.Enabled(context.Background(), slog.LevelDebug) {
		h.OnMessage = func(_ *conn.Conn, d conn.Direction, op frame.Opcode, octets int64) {
			v.log.Debug("message "+d.String(), "opcode", op.String(), "octets", octets)
		}
		h.OnPong = func(_ *conn.Conn, rtt time.Duration) { v.log.Debug("pong", "rtt_seconds", rtt.Seconds()) }
	}
	return h
}

func (v *visit) requested(method string) {
	v.log.Debug("request", append(v.about, "method", method)...)
}

func (v *visit) refused(status int, err error) {
	attrs := append(v.about, "status", status, "error", err)
	if errors.Is(err, handshake.ErrOrigin) {
		attrs = append(attrs, "hint", "the flag -origin lets pages of other origins connect")
	}
	v.log.Info("handshake refused", attrs...)
}

func (v *visit) opened(c *conn.Conn) {
	attrs := v.about
	if p := c.Subprotocol(); p != "" {
		attrs = append(attrs, "subprotocol", p)
	}
	if e := extensionsOf(c); e != "" {
		attrs = append(attrs, "extensions", e)
	}
	v.log.Info("connection opened", attrs...)
}

// closed logs the end of a connection, which must have ended.
func (v *visit) closed(c *conn.Conn) {
	end, _ := errors.AsType[*conn.CloseError](c.Err())
	stats := c.Stats()
	attrs := []any{
		"code", int(end.Code),
		"reason", end.Reason,
		"by", end.By.String(),
		"seconds", time.Since(v.began).Round(time.Millisecond).Seconds(),
		"received", stats.Received.Messages,
		"received_octets", stats.Received.Payload,
		"sent", stats.Sent.Messages,
		"sent_octets", stats.Sent.Payload,
	}
	if stats.Received.Compressed > 0 {
		attrs = append(attrs, "received_compressed", stats.Received.Compressed, "received_ratio", ratio(stats.Received))
	}
	if stats.Sent.Compressed > 0 {
		attrs = append(attrs, "sent_compressed", stats.Sent.Compressed, "sent_ratio", ratio(stats.Sent))
	}
	if stats.QueuedFrames > 0 {
		attrs = append(attrs, "undelivered_frames", stats.QueuedFrames, "undelivered_octets", stats.QueuedOctets)
	}
	if end.Err != nil {
		attrs = append(attrs, "error", end.Err)
	}
	v.log.Info("connection closed", attrs...)
}
