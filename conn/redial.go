package conn

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

const (
	redialBase = 500 * time.Millisecond // bound of the first wait
	redialCap  = 30 * time.Second       // where it stops growing
	redialMost = time.Hour              // that a server can ask for
)

// Redial keeps a connection up. It dials as [Dial] does, calls serve, closes the
// connection with 1000 when serve returns, waits and dials again.
//
// The wait is random, so that clients that lost a server together do not come back
// together: less than 500 milliseconds at first, with a bound that doubles each
// time up to 30 seconds, and begins anew after a connection that lived for longer
// than that. A server that refuses with Retry-After is left alone for at least that
// long, an hour at most (RFC 9110, Section 10.2.3).
//
// When ctx ends the connection is closed with 1001, so that serve can return, and
// the error is the [context.Cause]. A panic of serve closes the connection with
// 1011 and goes on. Otherwise Redial returns only the errors of Dial that would not
// go away: about the URL or an option, and a [*RefusedError] with a status of 400
// to 499 other than 408, 425 and 429. All others are logged to Options.Logger.
//
// The options must not be modified before Redial returns.
func Redial(ctx context.Context, url string, o *DialOptions, serve func(c *Conn)) error {
	o = cmp.Or(o, &DialOptions{})
	log := cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	bound := redialBase
	for {
		c, err := Dial(ctx, url, o)
		if err == nil {
			opened := time.Now()
			serveDialed(ctx, c, serve)
			if time.Since(opened) > redialCap {
				bound = redialBase
			}
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case isPermanent(err):
			return err
		}
		wait := max(rand.N(bound), retryAfter(err))
		bound = min(2*bound, redialCap)
		if err != nil {
			log.Warn("websocket dial failed", "error", err, "retry", wait)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// serveDialed calls serve and closes the connection.
func serveDialed(ctx context.Context, c *Conn, serve func(c *Conn)) {
	stop := context.AfterFunc(ctx, func() { c.Close(frame.CloseGoingAway, "") })
	code := frame.CloseInternalError // unless serve returns
	defer func() {
		stop()
		c.Close(code, "")
	}()
	serve(c)
	code = frame.CloseNormalClosure
}

// isPermanent reports whether the next dial will fail alike.
func isPermanent(err error) bool {
	if e, ok := errors.AsType[*RefusedError](err); ok {
		switch e.Status {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
			return false
		}
		return e.Status/100 == 4
	}
	// What the peer does wrong has no status to be refused with.
	e, ok := errors.AsType[*handshake.Error](err)
	return errors.Is(err, ErrURL) || errors.Is(err, deflate.ErrWindowBits) || ok && e.Status() != 0
}

// retryAfter returns how long a server wants to be left alone.
func retryAfter(err error) time.Duration {
	e, ok := errors.AsType[*RefusedError](err)
	if !ok {
		return 0
	}
	v := e.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(v, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(redialMost/time.Second))) * time.Second
	}
	t, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(time.Until(t), 0), redialMost)
}
