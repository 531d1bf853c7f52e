package peers

import (
	"bufio"
	"io"
	"net/url"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

func init() {
	wsutil.SetMaxFrameSize(script.Limit)
	wsutil.SetMaxMessageSize(script.Limit)
}

func gobwasServer(r *run) {
	if _, err := ws.Upgrade(r.tape); err == nil {
		readGobwas(r, r.tape, ws.StateServerSide)
	}
}

func gobwasClient(r *run) {
	u := &url.URL{Scheme: "ws", Host: "server.example.com", Path: "/chat"}
	early, _, err := ws.Dialer{}.Upgrade(r.tape, u)
	if err != nil {
		return
	}
	r.accepted = true
	if early == nil {
		early = bufio.NewReader(r.tape)
	}
	readGobwas(r, struct {
		io.Reader
		io.Writer
	}{early, r.tape}, ws.StateClientSide)
}

func readGobwas(r *run, rw io.ReadWriter, side ws.State) {
	for {
		p, op, err := wsutil.ReadData(rw, side)
		if err != nil {
			return
		}
		r.message(frame.Opcode(op), p)
	}
}
