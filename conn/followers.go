package conn

// Followers are those who wait for something of a connection that is not a message:
// most have none. Conn.mu guards them. A nil *followers is nobody.
type followers struct {
	pings []*pinging // sent by Ping and not yet answered
	after []*func()  // to be called when Conn.ended is set
	over  signal     // told when Conn.ended is set
	done  signal     // told when Conn.done is
}

// follow returns the followers, to add one. It needs mu.
func (c *Conn) follow() *followers {
	if c.followers == nil {
		c.followers = new(followers)
	}
	return c.followers
}

// tellOver tells of the end, and returns the functions to call.
func (f *followers) tellOver() (after []*func()) {
	if f == nil {
		return nil
	}
	f.over.tell()
	after, f.after = f.after, nil
	return after
}

// tellDone tells that all is done that belongs to the end.
func (f *followers) tellDone() {
	if f != nil {
		f.done.tell()
	}
}

// A signal is a channel that is made when somebody waits for it.
type signal chan struct{}

// wait returns a channel that is closed once tell is called, or closed already if
// it was.
func (s *signal) wait(told bool) <-chan struct{} {
	if *s == nil {
		*s = make(chan struct{})
		if told {
			close(*s)
		}
	}
	return *s
}

// tell closes the channel. It must be called only once.
func (s signal) tell() {
	if s != nil {
		close(s)
	}
}
