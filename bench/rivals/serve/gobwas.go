package main

import (
	"bufio"
	"io"
	"net"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwas uses the helpers that its documentation shows, gobwas:loop a loop written
// by hand over its headers, with one buffer and one write for each message.
func init() {
	accept := func(l net.Listener, handle func(net.Conn)) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			go func() {
				defer c.Close()
				if _, err := ws.Upgrade(c); err == nil {
					handle(c)
				}
			}()
		}
	}
	libraries["gobwas"] = library{
		echo: func(l net.Listener) error {
			return accept(l, func(c net.Conn) {
				for {
					p, op, err := wsutil.ReadClientData(c)
					if err != nil || wsutil.WriteServerMessage(c, op, p) != nil {
						return
					}
				}
			})
		},
		broadcast: func(l net.Listener) error {
			var all set[net.Conn]
			return accept(l, func(c net.Conn) {
				all.add(c)
				defer all.remove(c)
				for {
					p, op, err := wsutil.ReadClientData(c)
					if err != nil {
						return
					}
					frame, err := ws.CompileFrame(ws.NewFrame(op, true, p))
					if err != nil {
						return
					}
					all.each(func(c net.Conn) { c.Write(frame) })
				}
			})
		},
	}
	libraries["gobwas:loop"] = library{
		echo: func(l net.Listener) error {
			return accept(l, func(c net.Conn) {
				r := bufio.NewReader(c)
				scratch := make([]byte, ws.MaxHeaderSize)
				var buf []byte
				for {
					h, err := ws.ReadHeaderBuffer(r, scratch)
					if err != nil || !h.OpCode.IsData() || !h.Fin {
						return
					}
					need := ws.MaxHeaderSize + int(h.Length)
					if cap(buf) < need {
						buf = make([]byte, need)
					}
					payload := buf[ws.MaxHeaderSize:need]
					if _, err := io.ReadFull(r, payload); err != nil {
						return
					}
					ws.Cipher(payload, h.Mask, 0)
					h.Masked, h.Mask = false, [4]byte{}
					size := ws.HeaderSize(h)
					frame := buf[ws.MaxHeaderSize-size : need]
					if ws.WriteHeaderBuffer(&fixed{frame[:0]}, h, scratch) != nil {
						return
					}
					if _, err := c.Write(frame); err != nil {
						return
					}
				}
			})
		},
	}
}

// A fixed appends to a slice that is large enough.
type fixed struct{ b []byte }

func (f *fixed) Write(p []byte) (int, error) {
	f.b = append(f.b, p...)
	return len(p), nil
}
