package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"example.org/rfc6455/bench/rivals/internal/results"
)

// A family is what the page says about benchmarks of one name.
type family struct {
	name  string // of the benchmarks
	title string
	about string
	unit  string
}

// The families in the order of the page. Others are left to the table program.
var families = []family{
	{"Echo", "Echo over loopback TCP", "Processor time of the server for each message, whole processes.", "ns/op"},
	{"Broadcast", "Broadcast", "Processor time of the server for each message and receiver, whole processes. A burst is several messages one after the other.", "ns/op"},
	{"Upgrade", "Opening handshakes", "Processor time of the server for connect, upgrade and reset, whole processes.", "ns/op"},
	{"Handshake", "Opening handshakes in memory", "From the request to the response, without net/http; ours is with the connection that begins then, and its end, ours:package is package handshake alone.", "ns/op"},
	{"HandshakeHTTP", "Opening handshakes in memory, over net/http", "With all that net/http does, until the connection is closed; the limit is a handler that takes it over and writes fixed octets.", "ns/op"},
	{"Idle", "Idle connections", "Resident memory of the server for each connection that has had one message echoed, garbage collected.", "B/conn"},
	{"Event", "Socket.IO: events with acknowledgement", "Processor time of the server for each event, whole processes, over WebSocket.", "ns/op"},
	{"Room", "Socket.IO: an event to a room", "Processor time of the server for each receiver, whole processes.", "ns/op"},
	{"IdleSocket", "Socket.IO: idle sockets", "Resident memory of the server for each socket that has had one event acknowledged and a heartbeat, garbage collected.", "B/conn"},
	{"ReadMessage", "Reading a message in memory", "From a stream that has more.", "ns/op"},
	{"WriteMessage", "Writing a message in memory", "To a stream that takes everything.", "ns/op"},
	{"Mask", "Masking", "In place, at an offset from 64 octets (at) and in the middle of a key (phase); 1-125 is random sizes and offsets.", "ns/op"},
	{"UTF8", "Validating UTF-8", "", "ns/op"},
	{"ParseHeader", "Decoding a frame header", "", "ns/op"},
	{"AppendHeader", "Encoding a frame header", "", "ns/op"},
	{"DeflateCompress", "permessage-deflate: compressing", "The codec alone. Rivals whose output is more than 2 % larger do not count as best.", "ns/op"},
	{"DeflateDecompress", "permessage-deflate: decompressing", "The codec alone.", "ns/op"},
	{"DeflateWrite", "permessage-deflate: writing a message in memory", "A server through the whole library. Rivals whose output is more than 2 % larger do not count as best.", "ns/op"},
	{"DeflateRead", "permessage-deflate: reading a message in memory", "A server through the whole library.", "ns/op"},
}

// A page is the report.
type page struct {
	groups []*results.Group
	env    [][2]string
	plots  []plot
}

func (p *page) markdown() []byte {
	var b bytes.Buffer
	b.WriteString(`# Benchmarks

This page is made by ` + "`make bench-report`" + ` from one run. Look at ratios: the machine
had other things to do. Each value is the best of several rounds that went through
the libraries in turn. Where a name has a colon, what follows it is a variant of
the library: gobwas:loop is a loop written by hand over its headers, which leaves
out what the RFC demands; ours has a listener of its own, ours:http goes through
net/http, and ours:events has no goroutine for a connection that is idle. The limit
is the same work without WebSocket: an echo in C, or a copy.

The columns × are our value divided by the other, so less than 1 is better.

| | |
|---|---|
`)
	for _, e := range p.env {
		fmt.Fprintf(&b, "| %s | %s |\n", e[0], e[1])
	}
	b.WriteString("\n")
	for _, plot := range p.plots {
		fmt.Fprintf(&b, "![%s](plots/%s)\n", plot.title, plot.file)
	}
	for _, f := range families {
		var groups []*results.Group
		for _, g := range p.groups {
			if g.Family() == f.name {
				groups = append(groups, g)
			}
		}
		if len(groups) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", f.title)
		if f.about != "" {
			fmt.Fprintf(&b, "%s\n\n", f.about)
		}
		f.compare(&b, groups)
		f.detail(&b, groups)
	}
	return b.Bytes()
}

// compare writes ours, the best other and the limit.
func (f *family) compare(b *bytes.Buffer, groups []*results.Group) {
	hasLimit := slices.ContainsFunc(groups, func(g *results.Group) bool { _, ok := g.Limit(f.unit); return ok })
	fmt.Fprint(b, "| | ours | best other | | × |")
	if hasLimit {
		fmt.Fprint(b, " limit | × |")
	}
	fmt.Fprint(b, "\n|---|--:|--:|---|--:|")
	if hasLimit {
		fmt.Fprint(b, "--:|--:|")
	}
	b.WriteString("\n")
	for _, g := range groups {
		us, ok := g.OursBest(f.unit)
		if !ok {
			continue
		}
		fmt.Fprintf(b, "| %s | %s%s |", params(g), f.value(us), variant(us))
		most := math.Inf(1)
		if ratio := us.Values["ratio"]; ratio > 0 {
			most = 1.02 * ratio
		}
		if best, ok := g.Best(f.unit, "ratio", most); ok {
			fmt.Fprintf(b, " %s | %s | **%.2f** |", f.value(best), best.Lib, us.Values[f.unit]/best.Values[f.unit])
		} else {
			b.WriteString(" – | | |")
		}
		if limit, ok := g.Limit(f.unit); ok {
			fmt.Fprintf(b, " %s | %.2f |", f.value(limit), us.Values[f.unit]/limit.Values[f.unit])
		} else if hasLimit {
			b.WriteString(" – | |")
		}
		b.WriteString("\n")
	}
}

// variant says in words which one of a library a result is of.
func variant(r *results.Result) string {
	if _, v, ok := strings.Cut(r.Lib, ":"); ok {
		return " (" + v + ")"
	}
	return ""
}

// detail writes all libraries.
func (f *family) detail(b *bytes.Buffer, groups []*results.Group) {
	libs := results.Libs(groups)
	fmt.Fprintf(b, "\n<details><summary>All libraries</summary>\n\n| | %s |\n|---|%s\n", strings.Join(libs, " | "), strings.Repeat("--:|", len(libs)))
	for _, g := range groups {
		fmt.Fprintf(b, "| %s |", params(g))
		for _, lib := range libs {
			if r, ok := g.Of(lib); ok {
				fmt.Fprintf(b, " %s |", f.value(r))
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n</details>\n")
}

// params returns what tells a group from others of its family, for people.
func params(g *results.Group) string {
	var parts []string
	for part := range strings.SplitSeq(strings.TrimPrefix(g.Name, g.Family()+"/"), "/") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok:
			parts = append(parts, part)
		case name == "size":
			parts = append(parts, size(value))
		case name == "role" || name == "data" || name == "text" || name == "head":
			parts = append(parts, value)
		case name == "takeover":
			if value == "true" {
				parts = append(parts, "takeover")
			}
		default:
			parts = append(parts, name+" "+value)
		}
	}
	return strings.Join(parts, ", ")
}

// size writes a number of octets for people.
func size(s string) string {
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		return s + " B"
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// value writes a result with its unit, and the allocations and the ratio of a
// compressor where there are some.
func (f *family) value(r *results.Result) string {
	v := r.Values[f.unit]
	var s string
	switch {
	case f.unit == "B/conn":
		s = fmt.Sprintf("%.0f B", v)
	case v >= 1e6:
		s = fmt.Sprintf("%.3g ms", v/1e6)
	case v >= 1e3:
		s = fmt.Sprintf("%.3g µs", v/1e3)
	default:
		s = fmt.Sprintf("%.3g ns", v)
	}
	if ratio := r.Values["ratio"]; ratio > 0 {
		s += fmt.Sprintf(" (%.3f)", ratio)
	}
	if allocs := r.Values["allocs/op"]; allocs > 0 {
		s += fmt.Sprintf(", %.0f allocs", allocs)
	}
	if p99 := r.Values["p99-ns"]; p99 > 0 {
		s += fmt.Sprintf(", p99 %.*f ms", max(0, 1-int(math.Log10(p99/1e6))), p99/1e6)
	}
	return s
}
