package peers

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp/websocket"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

func init() { logging.SetLogger(nbioLog{}) }

// nbioTurn is held by a run of the library, of which there is one at a time: it
// recovers from its panics and tells them only in its log.
var nbioTurn struct {
	sync.Mutex
	run *run
}

// nbioLog finds panics.
type nbioLog struct{}

func (nbioLog) Debug(string, ...any) {}
func (nbioLog) Info(string, ...any)  {}
func (nbioLog) Warn(string, ...any)  {}
func (nbioLog) Error(format string, values ...any) {
	if r := nbioTurn.run; r != nil && len(values) > 0 {
		r.crashed(fmt.Sprint(values[0]))
	}
}

func nbioRead(r *run, c *websocket.Conn) {
	nbioTurn.Lock()
	defer nbioTurn.Unlock()
	nbioTurn.run = r
	c.HandleRead(0)
	nbioTurn.run = nil
}

// nbioOptions are those of a connection of a run. The library keeps handlers with
// the options.
func nbioOptions(r *run) *websocket.Options {
	u := websocket.NewUpgrader()
	u.MessageLengthLimit = script.Limit
	u.KeepaliveTime = 0
	u.BlockingModAsyncWrite = false
	u.BlockingModHandleRead = false
	u.OnMessage(func(_ *websocket.Conn, op websocket.MessageType, p []byte) {
		r.message(frame.Opcode(op), p)
	})
	return u
}

var nbioHTTP = serveHTTP(func(w http.ResponseWriter, req *http.Request, r *run) {
	if c, err := nbioOptions(r).Upgrade(w, req, nil); err == nil {
		nbioRead(r, c)
	}
})

// nbioClient does the opening handshake for the library, whose own dialer takes
// nothing but sockets.
func nbioClient(r *run) {
	io.WriteString(r.tape, script.Request)
	opening := make([]byte, len(script.Response)-len(script.Accept)+len(acceptFor([]byte(script.Request))))
	if _, err := io.ReadFull(r.tape, opening); err != nil || !bytes.HasSuffix(opening, []byte("\r\n\r\n")) {
		return
	}
	r.accepted = true
	o := nbioOptions(r)
	c := websocket.NewClientConn(o, r.tape, "", false, false)
	c.Execute = func(f func()) bool { f(); return true }
	nbioRead(r, c)
}
