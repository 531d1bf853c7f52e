package conn_test

import (
	"net"
)

// upgradeRequest is a request that is accepted (RFC 6455, Section 1.3).
const upgradeRequest = "GET /chat HTTP/1.1\r\n" +
	"Host: server.example.com\r\n" +
	"Upgrade: websocket\r\n" +
	"Connection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
	"Sec-WebSocket-Version: 13\r\n" +
	"\r\n"

// addressed is a connection from another address.
type addressed struct {
	net.Conn
	remote string
}

func (a addressed) RemoteAddr() net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", a.remote)
	if err != nil {
		panic(err)
	}
	return addr
}
