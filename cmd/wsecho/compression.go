package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/handshake"
)

// withContext is permessage-deflate with context takeover and the largest windows,
// unless the client wants less.
func withContext() *conn.Compression {
	return &conn.Compression{Config: deflate.Config{
		ServerContextTakeover: deflate.Takeover,
		ClientContextTakeover: deflate.Takeover,
	}}
}

// A knob is a query key that changes the compression of one connection.
type knob struct {
	key, values string // values for people
	set         func(c *conn.Compression, value string) bool
}

var knobs = []knob{
	{"deflate", "off|on|noctx", func(c *conn.Compression, value string) bool {
		if value == "noctx" {
			c.ServerContextTakeover, c.ClientContextTakeover = deflate.NoTakeover, deflate.NoTakeover
		}
		return value == "off" || value == "on" || value == "noctx"
	}},
	{"swb", "8..15", func(c *conn.Compression, value string) bool { return setBits(&c.ServerMaxWindowBits, value) }},
	{"cwb", "8..15", func(c *conn.Compression, value string) bool { return setBits(&c.ClientMaxWindowBits, value) }},
	{"level", "fast|good", func(c *conn.Compression, value string) bool {
		if value == "good" {
			c.Level = deflate.Good
		}
		return value == "fast" || value == "good"
	}},
	{"minsize", "OCTETS", func(c *conn.Compression, value string) bool {
		n, err := strconv.ParseUint(value, 10, 31)
		if c.MinSize = int(n); n == 0 {
			c.MinSize = conn.NoLimit
		}
		return err == nil
	}},
}

func setBits(bits *int, value string) bool {
	n, err := strconv.Atoi(value)
	*bits = n
	return err == nil && n >= deflate.MinWindowBits && n <= deflate.MaxWindowBits && strconv.Itoa(n) == value
}

// chooseCompression returns what the query of a request wants, or standard if it
// says nothing about that. Its errors tell what would be right.
func chooseCompression(rawQuery string, standard *conn.Compression) (*conn.Compression, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, badQuery("the query cannot be parsed")
	}
	if len(query) == 0 {
		return standard, nil
	}
	c := withContext()
	for key := range query {
		if !slices.ContainsFunc(knobs, func(k knob) bool { return k.key == key }) {
			return nil, badQuery("there is no %q", key)
		}
	}
	for _, k := range knobs {
		switch values := query[k.key]; {
		case len(values) > 1:
			return nil, badQuery("%s is there twice", k.key)
		case len(values) == 1 && !k.set(c, values[0]):
			return nil, badQuery("%s cannot be %q", k.key, values[0])
		}
	}
	if query.Get("deflate") == "off" {
		if len(query) > 1 {
			return nil, badQuery("deflate=off goes with no other")
		}
		return nil, nil
	}
	return c, nil
}

// badQuery returns an error that lists what a query may be.
func badQuery(format string, args ...any) error {
	var valid []string
	for _, k := range knobs {
		valid = append(valid, k.key+"="+k.values)
	}
	return errors.New(fmt.Sprintf(format, args...) + "; the query may have " + strings.Join(valid, ", "))
}

// extensionsOf returns the extensions in use as they are on the wire.
func extensionsOf(c *conn.Conn) string {
	b, _ := handshake.AppendExtensions(nil, c.Extensions())
	return string(b)
}

// ratio returns to which part of their size messages were compressed.
func ratio(t conn.Traffic) float64 {
	thousandths := (1000*t.CompressedOctets + t.CompressedPayload/2) / max(t.CompressedPayload, 1)
	return float64(thousandths) / 1000
}
