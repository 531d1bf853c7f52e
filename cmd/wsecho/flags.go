package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// A flagSet is the flags of a command, whose errors tell what would be right.
type flagSet struct {
	*flag.FlagSet
	about string // what the help says before the flags
}

func newFlagSet(command, about string) *flagSet {
	fs := &flagSet{flag.NewFlagSet(command, flag.ContinueOnError), about}
	fs.SetOutput(io.Discard)
	return fs
}

// printTo writes what the flags are for, if there are any.
func (fs *flagSet) printTo(w io.Writer) {
	if len(fs.names()) == 0 {
		return
	}
	fmt.Fprintf(w, "\nFlags of %s:\n", fs.Name())
	fs.SetOutput(w)
	fs.PrintDefaults()
	fs.SetOutput(io.Discard)
}

// parse sets the flags. When it reports false the command ends with the exit
// code: help was asked for, or the arguments are wrong.
func (fs *flagSet) parse(env *environment, args []string) (code int, ok bool) {
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(env.stdout, "Usage: wsecho %s [flags]\n\n%s\n", fs.Name(), fs.about)
		fs.printTo(env.stdout)
		return exitOK, false
	case err != nil:
		return usageError(env, "%v; \"wsecho help %s\" explains its flags: %s",
			err, fs.Name(), cmp.Or(strings.Join(fs.names(), " "), "none")), false
	case fs.NArg() > 0:
		return usageError(env, "%s takes no arguments besides flags, but got %q; \"wsecho help %s\" lists the flags",
			fs.Name(), fs.Arg(0), fs.Name()), false
	}
	return exitOK, true
}

// names returns the flags as they are typed.
func (fs *flagSet) names() []string {
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, "-"+f.Name) })
	return names
}

// A size is a number of octets, as a flag.
type size int64

// units are the suffixes of a size, the greatest first.
var units = []struct {
	suffix string
	octets int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
}

func (s size) String() string {
	for _, u := range units {
		if s > 0 && int64(s)%u.octets == 0 {
			return strconv.FormatInt(int64(s)/u.octets, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

func (s *size) Set(text string) error {
	number, octets := text, int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.suffix); ok {
			number, octets = rest, u.octets
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/octets {
		return errors.New("want octets, at least 1, such as 65536, 64KiB, 16MiB or 1GiB")
	}
	*s = size(n * octets)
	return nil
}

// A choice is one of some words, as a flag.
type choice struct {
	value *string
	words []string
}

func (c choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c choice) Set(text string) error {
	for _, w := range c.words {
		if text == w {
			*c.value = w
			return nil
		}
	}
	return fmt.Errorf("want %s", strings.Join(c.words, " or "))
}
