// Command serve is a WebSocket server on one of several libraries, each used in
// the way that its documentation shows or, where the name says so, in its fastest
// way. It prints its address, and on SIGUSR2 it gives the memory back that it does
// not need.
//
//	serve -library gorilla -mode echo
//	serve -library gorilla -mode broadcast
//	serve -library ours -mode socketio -ping 10s
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"maps"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A library serves l until the process is killed: echo sends each message back,
// broadcast sends it to all connections; socketIO acknowledges the event echo with
// its argument, and sends the event say to a room with everybody in it; it pings that
// often.
type library struct {
	echo, broadcast func(l net.Listener) error
	socketIO        func(l net.Listener, ping time.Duration) error
}

var libraries = map[string]library{}

func main() {
	log.SetFlags(0)
	log.SetPrefix("serve: ")
	names := strings.Join(slices.Sorted(maps.Keys(libraries)), ", ")
	name := flag.String("library", "ours", "one of "+names)
	mode := flag.String("mode", "echo", "echo, broadcast or socketio")
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	ping := flag.Duration("ping", time.Hour, "the heartbeat of Socket.IO")
	flag.Parse()

	library := libraries[*name]
	serve := map[string]func(net.Listener) error{"echo": library.echo, "broadcast": library.broadcast}[*mode]
	if *mode == "socketio" && library.socketIO != nil {
		serve = func(l net.Listener) error { return library.socketIO(l, *ping) }
	}
	if serve == nil {
		log.Fatalf("%s has no %s", *name, *mode)
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		limit.Cur = limit.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	settle := make(chan os.Signal, 1)
	signal.Notify(settle, syscall.SIGUSR2)
	go func() {
		for range settle {
			debug.FreeOSMemory()
		}
	}()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(l.Addr())
	log.Fatal(serve(l))
}
