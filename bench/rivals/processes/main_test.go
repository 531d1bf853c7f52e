//go:build linux

package main

import (
	"os"
	"testing"
	"time"
)

// TestServers loads each server in each mode a little: every one serves, and what
// it sends back is right.
func TestServers(t *testing.T) {
	if os.Getenv("RFC6455_PEERS") == "off" {
		t.Skip("RFC6455_PEERS=off: no other servers")
	}
	t.Chdir("..")
	dir := t.TempDir()
	if err := build(dir); err != nil {
		t.Fatal(err)
	}
	for _, s := range []scenario{
		{name: "echo", mode: "echo", libs: echoes, load: []string{"echo", "-conns", "4", "-size", "100000", "-pipeline", "2", "-warm", "1ms"}},
		{name: "broadcast", mode: "broadcast", libs: broadcasts, load: []string{"broadcast", "-conns", "16", "-burst", "3", "-warm", "1ms"}},
		{name: "upgrade", mode: "echo", libs: upgrades, load: []string{"upgrade", "-conns", "2", "-head", "browser", "-warm", "1ms"}},
		{name: "event", mode: "socketio", libs: sockets, ping: time.Hour, load: []string{"echo", "-conns", "4", "-pipeline", "3", "-socketio", "-warm", "1ms"}},
		{name: "room", mode: "socketio", libs: sockets, ping: time.Hour, load: []string{"broadcast", "-conns", "16", "-burst", "3", "-socketio", "-warm", "1ms"}},
		{name: "idle socket", mode: "socketio", libs: sockets, ping: time.Second, load: []string{"idle", "-conns", "16", "-socketio"}},
		{name: "idle", mode: "echo", libs: []string{"ours", "limit"}, load: []string{"idle", "-conns", "16"}},
	} {
		for _, lib := range s.libs {
			t.Run(s.name+"/"+lib, func(t *testing.T) {
				if _, err := measure(dir, s, lib, 20*time.Millisecond); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
