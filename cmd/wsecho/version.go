package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// runVersion prints what the toolchain noted when it built the program.
func runVersion(env *environment, args []string) int {
	if len(args) > 0 {
		if args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
			fmt.Fprintln(env.stdout, "Usage: wsecho version\n\nPrint the version of wsecho and of the Go that built it.")
			return exitOK
		}
		return usageError(env, "version takes no arguments, but got %q", args[0])
	}
	version, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	fmt.Fprintf(env.stdout, "wsecho %s%s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitOK
}
