// Package examples mounts an Engine.IO server in routers that people use: chi, gin and
// echo. Each function is a whole example; its test dials it.
package examples

import "example.org/rfc6455/socketio/engineio"

// echoServer sends messages back.
func echoServer() *engineio.Server {
	return &engineio.Server{Handler: func(*engineio.Session) engineio.Receiver { return echo{} }}
}

type echo struct{}

func (echo) Message(s *engineio.Session, binary bool, data []byte) {
	s.Send(engineio.NewPacket(binary, data))
}

func (echo) Closed(*engineio.Session, engineio.CloseReason, error) {}
