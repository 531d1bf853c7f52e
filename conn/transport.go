package conn

import (
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"sync"
	"syscall"
	"time"
)

// chunkSize is how many octets are written at once where a write that its
// deadline ended cannot be continued: a slow peer must make progress in pieces,
// and between two of them a frame can be taken back.
const chunkSize = 16 << 10

// A stream is what a Conn reads and writes. Every [net.Conn] is one.
type stream interface {
	io.ReadWriteCloser
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// A transport is a stream and what it can do beyond that.
type transport struct {
	stream
	socket  socket // of a plain TCP or Unix connection; nil for others
	resumes bool   // whether a write that its deadline ended can be continued
}

// A socket is a plain TCP or Unix connection, which is read and written without a
// buffer, a deadline or the runtime in the way.
type socket interface {
	// read waits until there is something to read and reads it into in, which
	// rests meanwhile. In a visit the error is errWouldBlock instead.
	read(in *inbox) (int, error)
	// write writes as much of p as the kernel takes at once, perhaps nothing.
	write(p []byte) (int, error)
}

// newTransport returns the transport over rwc.
func newTransport(rwc io.ReadWriteCloser) transport {
	s, ok := rwc.(stream)
	if !ok {
		s = &timedStream{ReadWriteCloser: rwc}
	}
	socket := newSocket(rwc)
	resumes := socket != nil || ok && !isOverTLS(rwc)
	return transport{stream: s, socket: socket, resumes: resumes}
}

// maxLayers is how many connections around one another are looked into.
const maxLayers = 8

var typeOfNetConn = reflect.TypeFor[net.Conn]()

// unlayered has the types of which no value has a connection inside, nor is a TLS
// connection.
var unlayered sync.Map

// isOverTLS reports whether s is a TLS connection or has one inside.
func isOverTLS(s any) bool {
	t := reflect.TypeOf(s)
	if _, ok := unlayered.Load(t); ok {
		return false
	}
	if mayLayer(t) {
		return overTLS(reflect.ValueOf(s), maxLayers)
	}
	unlayered.Store(t, nil)
	return false
}

// mayLayer reports whether values of a type may be over TLS.
func mayLayer(t reflect.Type) bool {
	if _, ok := t.MethodByName("ConnectionState"); ok {
		return true
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return false
	}
	for f := range t.Fields() {
		if f.Type.Implements(typeOfNetConn) {
			return true
		}
	}
	return false
}

// overTLS reports whether v is a TLS connection or has one inside. A record of TLS
// that was cut off cannot be continued.
func overTLS(v reflect.Value, layers int) bool {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() || layers == 0 {
		return false
	}
	if _, ok := v.Type().MethodByName("ConnectionState"); ok {
		return true // as those of all packages for TLS have it
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return false
	}
	for _, inner := range v.Fields() {
		if inner.Type().Implements(typeOfNetConn) && overTLS(inner, layers-1) {
			return true
		}
	}
	return false
}

// closeNow closes c without the closing alert of TLS, for which a peer that does
// not read could make us wait.
func closeNow(c io.Closer) {
	if n, ok := c.(interface{ NetConn() net.Conn }); ok {
		if below := n.NetConn(); below != nil {
			closeNow(below)
		}
	}
	c.Close()
}

// closeWrite ends the octets of this side alone, and reports whether the
// stream can.
func (t *transport) closeWrite() bool {
	c, ok := t.stream.(interface{ CloseWrite() error })
	return ok && c.CloseWrite() == nil
}

// errWouldBlock is the error of a read that would wait and must not, and of a
// system call for which there is nothing to read or no room to write.
var errWouldBlock error = syscall.EAGAIN

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// A timedStream gives deadlines to a stream that has none: one that passes while
// octets are read or written closes the stream, as there is no other way to end
// that. One that passes at another time only fails what comes next.
type timedStream struct {
	io.ReadWriteCloser
	read, write deadline
}

func (s *timedStream) Read(p []byte) (int, error) {
	if err := s.read.begin(); err != nil {
		return 0, err
	}
	defer s.read.end()
	return s.ReadWriteCloser.Read(p)
}

func (s *timedStream) Write(p []byte) (int, error) {
	if err := s.write.begin(); err != nil {
		return 0, err
	}
	defer s.write.end()
	return s.ReadWriteCloser.Write(p)
}

func (s *timedStream) SetReadDeadline(t time.Time) error {
	s.read.set(t, s.Close)
	return nil
}

func (s *timedStream) SetWriteDeadline(t time.Time) error {
	s.write.set(t, s.Close)
	return nil
}

func (s *timedStream) Close() error {
	s.read.set(time.Time{}, nil)
	s.write.set(time.Time{}, nil)
	return s.ReadWriteCloser.Close()
}

// A deadline is that of one direction of a timedStream.
type deadline struct {
	mu     sync.Mutex
	timer  *time.Timer // nil while there is none
	passed bool
	busy   bool // whether an operation is in progress
}

// set replaces the deadline. Zero means none. When it passes during an operation
// it calls cut.
func (d *deadline) set(t time.Time, cut func() error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	d.timer, d.passed = nil, false
	if t.IsZero() {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(t), func() {
		d.mu.Lock()
		if d.timer != timer {
			d.mu.Unlock()
			return
		}
		d.passed = true
		busy := d.busy
		d.mu.Unlock()
		if busy {
			cut()
		}
	})
	d.timer = timer
}

// begin begins an operation, unless the deadline has passed.
func (d *deadline) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed {
		return os.ErrDeadlineExceeded
	}
	d.busy = true
	return nil
}

func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
}
