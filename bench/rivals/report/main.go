// Command report makes a page of tables and plots from the output of the
// benchmarks of this module: README.md and plots in the folder -out. Nothing of
// what it says is known to it before.
//
//	go run ./report -out .. micro.txt processes.txt
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"example.org/rfc6455/bench/rivals/internal/results"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("report: ")
	out := flag.String("out", ".", "the `folder` to write to")
	command := flag.String("command", "make bench-report", "what was run")
	flag.Parse()
	if err := run(*out, *command, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// run writes the page about the results in some files.
func run(out, command string, files []string) error {
	var groups []*results.Group
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		more, err := results.Parse(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		groups = append(groups, more...)
	}
	if len(groups) == 0 {
		return fmt.Errorf("no benchmarks in %s", strings.Join(files, ", "))
	}
	env, err := environment(command)
	if err != nil {
		return err
	}
	dir := filepath.Join(out, "plots")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	p := page{groups: groups, env: env}
	for _, plot := range plots(groups) {
		if err := os.WriteFile(filepath.Join(dir, plot.file), plot.svg(), 0o666); err != nil {
			return err
		}
		p.plots = append(p.plots, plot)
	}
	return os.WriteFile(filepath.Join(out, "README.md"), p.markdown(), 0o666)
}

// environment returns what the numbers depend on, as pairs.
func environment(command string) ([][2]string, error) {
	modules, err := exec.Command("go", "list", "-m", "-f", "{{if not .Indirect}}{{.Path}} {{.Version}}{{end}}", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var libs []string
	for line := range strings.Lines(string(modules)) {
		if fields := strings.Fields(line); len(fields) == 2 && strings.HasPrefix(fields[1], "v") && fields[1] != "v0.0.0" {
			libs = append(libs, fields[0]+" "+fields[1])
		}
	}
	text, err := os.ReadFile("node/package.json")
	if err != nil {
		return nil, err
	}
	var npm struct{ Dependencies map[string]string }
	if err := json.Unmarshal(text, &npm); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(npm.Dependencies)) {
		libs = append(libs, name+" "+npm.Dependencies[name])
	}
	env := [][2]string{
		{"command", "`" + command + "`"},
		{"date", time.Now().UTC().Format(time.DateOnly)},
		{"processor", fmt.Sprintf("%s, %d in use", processor(), runtime.NumCPU())},
		{"system", first("uname", "-sr")},
		{"Go", runtime.Version() + " " + runtime.GOARCH},
		{"libraries", strings.Join(libs, ", ")},
	}
	for _, tool := range [][]string{{"node", "--version"}, {"cc", "--version"}} {
		if version := first(tool...); version != "" {
			env = append(env, [2]string{tool[0], version})
		}
	}
	return env, nil
}

// first returns the first line that a program prints, or nothing.
func first(args ...string) string {
	out, _ := exec.Command(args[0], args[1:]...).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// processor returns its name, where the system tells.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
