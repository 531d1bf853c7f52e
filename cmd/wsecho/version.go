package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// runVersion prints what the toolchain noted when it built the program.
func runVersion(env *environment, args []string) int {
	fs := newFlagSet("version", "Print the version of wsecho, and of the Go that built it.")
	if code, ok := fs.parse(env, args); !ok {
		return code
	}
	version := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	fmt.Fprintf(env.stdout, "wsecho %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitOK
}
