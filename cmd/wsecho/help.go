package main

import (
	"fmt"
	"slices"
)

const examples = `
Examples:
  wsecho                      listen on 127.0.0.1:8080
  wsecho -addr :9000 -tls     on all interfaces, with a certificate of its own
  wsecho -origin '*' -v       let every web page connect, log every message
  wsecho conformance server -html report.html ws://127.0.0.1:8080/echo
                              test a server against RFC 6455
`

const exitCodes = `
Exit codes:
  0    done; for serve: every connection was closed after a signal to stop
  1    an error at run time, such as a port in use
  2    wrong usage
  7    the time for closing connections ran out, and some were cut off
  8    cases of a conformance suite have failed
  130  a second signal ended it at once
`

// runHelp explains the program, or one command.
func runHelp(env *environment, args []string) int {
	switch {
	case len(args) > 1 && args[0] != "conformance" || len(args) > 2:
		return usageError(env, "help takes one command, not %d arguments", len(args))
	case len(args) > 0 && args[0] != "help":
		return runNamed(env, args[0], append(slices.Clone(args[1:]), "-h"))
	}
	fmt.Fprint(env.stdout, "wsecho is a WebSocket server to test clients, browsers, proxies and load balancers with.\n\n"+
		"Usage: wsecho [command] [flags]\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(env.stdout, "  %-13s%s\n", c.name, c.summary)
	}
	fmt.Fprint(env.stdout, examples)
	newServeFlags(env, new(serveOptions)).printTo(env.stdout)
	fmt.Fprint(env.stdout, exitCodes)
	return exitOK
}
