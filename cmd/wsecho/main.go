// Wsecho is a WebSocket server to test clients, browsers, proxies and load
// balancers with.
//
//	wsecho [command] [flags]
//
// The commands are
//
//	serve        listen, and echo what clients send; the default
//	conformance  test a server or a client against RFC 6455
//	version      print the version
//	help         explain the commands and their flags
//
// Without a command, wsecho serves: "wsecho -addr :9000" is "wsecho serve -addr
// :9000". By default it listens on 127.0.0.1:8080 and has a page for browsers at
// http://127.0.0.1:8080/. "wsecho help" lists the flags.
//
// # Output
//
// Standard output has what was asked for, standard error has diagnostics. What
// peers send is escaped in both.
//
// # Exit codes
//
//	0    done; for serve: every connection was closed after a signal to stop
//	1    an error at run time, such as a port in use
//	2    wrong usage
//	7    the time for closing connections ran out, and some were cut off
//	8    cases of a conformance suite have failed
//	130  a second signal ended it at once
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit codes, as the package documentation and the help describe them.
const (
	exitOK        = 0
	exitError     = 1
	exitUsage     = 2
	exitTimeout   = 7
	exitInterrupt = 130
)

// An environment is what a command uses of its process.
type environment struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	configDir      func() (string, error) // as os.UserConfigDir
	signals        <-chan os.Signal       // to stop
}

// A command is a subcommand. Its run returns the exit code.
type command struct {
	name    string
	summary string
	run     func(env *environment, args []string) int
}

// commands returns the subcommands, of which the first is the default.
func commands() []command {
	return []command{
		{"serve", "listen, and echo what clients send; the default", runServe},
		{"conformance", "test a server or a client against RFC 6455", runConformance},
		{"version", "print the version", runVersion},
		{"help", "explain the commands and their flags", runHelp},
	}
}

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(&environment{os.Stdout, os.Stderr, os.Getenv, os.UserConfigDir, signals}, os.Args[1:]))
}

// run picks the command. Flags without one are those of the default.
func run(env *environment, args []string) int {
	all := commands()
	if len(args) == 0 {
		return all[0].run(env, nil)
	}
	switch name := strings.TrimLeft(args[0], "-"); {
	case name == args[0]:
		return runNamed(env, name, args[1:])
	case name == "h" || name == "help":
		return runHelp(env, nil)
	case name == "version":
		return runVersion(env, nil)
	default:
		return all[0].run(env, args)
	}
}

// runNamed runs the command called name.
func runNamed(env *environment, name string, args []string) int {
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return c.run(env, args)
		}
		names = append(names, c.name)
	}
	return usageError(env, "there is no command %q; the commands are %s", name, strings.Join(names, ", "))
}

// usageError says what is wrong with the arguments.
func usageError(env *environment, format string, args ...any) int {
	fmt.Fprintf(env.stderr, "wsecho: "+format+"\n", args...)
	return exitUsage
}
