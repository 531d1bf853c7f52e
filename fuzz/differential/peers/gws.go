package peers

import (
	"net/http"

	"github.com/lxzan/gws"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

// gwsEvents does what the built-in handler does, and keeps messages.
type gwsEvents struct{ gws.BuiltinEventHandler }

func (gwsEvents) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	v, _ := c.Session().Load("run")
	v.(*run).message(frame.Opcode(m.Opcode), m.Bytes())
}

var gwsUpgrader = gws.NewUpgrader(gwsEvents{}, &gws.ServerOption{
	CheckUtf8Enabled:   true,
	ReadMaxPayloadSize: script.Limit,
})

var gwsHTTP = serveHTTP(func(w http.ResponseWriter, req *http.Request, r *run) {
	if c, err := gwsUpgrader.Upgrade(w, req); err == nil {
		readGWS(r, c)
	}
})

func gwsClient(r *run) {
	c, _, err := gws.NewClientFromConn(gwsEvents{}, &gws.ClientOption{
		Addr:               "ws://server.example.com/chat",
		CheckUtf8Enabled:   true,
		ReadMaxPayloadSize: script.Limit,
	}, r.tape)
	if err == nil {
		r.accepted = true
		readGWS(r, c)
	}
}

func readGWS(r *run, c *gws.Conn) {
	c.Session().Store("run", r)
	c.ReadLoop()
}
