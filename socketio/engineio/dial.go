package engineio

import "context"

// Dial begins a session with a server. The scheme of url is http, https, ws or wss;
// an empty path means /engine.io/. Its query is part of each request.
//
// It returns when the session is open, on the first transport; an upgrade goes on
// behind it. When ctx ends before, the error is its cause; afterwards ctx does not
// matter. The error is a [*RefusedError] if the server refuses, and otherwise says
// what could not be done.
func Dial(ctx context.Context, url string, o *DialOptions) (*Session, error) { return nil, nil }
