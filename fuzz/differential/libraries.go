package main

import (
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/rules"
)

// A library is what an implementation does otherwise than ours.
type library struct {
	both           rules.Habits // in both roles
	server, client rules.Habits
}

// habitsOf returns the habits of an implementation in a role.
func habitsOf(name string, role frame.Role) rules.Habits {
	l := libraries[name]
	if role == frame.Client {
		return rules.Join(l.both, l.client)
	}
	return rules.Join(l.both, l.server)
}

var (
	// accept is the habit of not applying a rule, silent that of ending the
	// connection without a Close frame.
	accept = rules.Habit{Accept: true}
	silent = rules.Habit{}

	// soon, late and long are habits of applying a rule at another time than ours:
	// as soon as there are two octets, when the whole frame is there, and when its
	// length is.
	soon = rules.Habit{Stage: rules.AtFlags, Code: frame.CloseProtocolError}
	late = rules.Habit{Stage: rules.AtPayload, Code: frame.CloseProtocolError}
	long = rules.Habit{Stage: rules.AtLength, Code: frame.CloseMessageTooBig}
)

// codes returns a habit about some codes of Close frames.
func codes(match func(frame.CloseCode) bool) rules.Habit {
	return rules.Habit{Code: frame.CloseProtocolError, Match: match}
}

// always returns the habit of answering Close frames with one code, zero for none.
func always(code frame.CloseCode) rules.Habit {
	return rules.Habit{Answer: func(frame.CloseCode) frame.CloseCode { return code }}
}

// heads returns habits of opening handshakes: the status that topics are answered
// with, 101 to accept them.
func heads(status int, topics ...rules.ID) rules.Habits {
	h := rules.Habits{}
	for _, id := range topics {
		h[id] = rules.Habit{Status: status}
	}
	return h
}

var (
	// netHTTP is what the server of net/http accepts.
	netHTTP = heads(101, rules.HostMissing10, rules.BareLF, rules.Fold, rules.TargetHost, rules.TargetFragment, rules.TargetOctets)

	// lenient is what most servers over net/http accept.
	lenient = rules.Join(netHTTP, heads(101,
		rules.HTTP12, rules.TargetStar, rules.TargetStarHost, rules.HostEmpty, rules.KeyBits,
		rules.ProtocolElement, rules.ProtocolEmpty, rules.ProtocolDuplicate, rules.ProtocolToken,
		rules.ExtensionEmpty, rules.ExtensionSyntax, rules.Body, rules.BodyTwice))

	// lenientClient is what most clients over net/http accept.
	lenientClient = heads(101,
		rules.AcceptTwice, rules.AcceptTwo, rules.BareLF, rules.Fold, rules.FieldNameSpace, rules.SpaceColon,
		rules.Body, rules.BodyTwice, rules.BodyZero, rules.ExtensionEmpty, rules.ProtocolEmpty,
		rules.HTTP10, rules.HTTP12, rules.HTTPOther, rules.StatusNoSpace, rules.StatusSpaces)
)

var libraries = map[string]library{
	"conn":      {both: rules.Habits{rules.NewestPong: {}}},
	"conn-http": {both: rules.Habits{rules.NewestPong: {}}, server: netHTTP},
	"gorilla": {
		both: rules.Habits{
			rules.LengthMinimal:     accept,
			rules.ControlMinimal:    accept,
			rules.LengthSign:        {Stage: rules.AtLength},
			rules.ReservedBits:      soon,
			rules.ReservedOpcode:    soon,
			rules.Masking:           soon,
			rules.ControlFragmented: soon,
			rules.ControlLength:     soon,
			rules.Continuation:      soon,
			rules.NewMessage:        soon,
			rules.LimitOverflow:     silent,
			rules.ClosePayload:      accept,
			rules.CodeRefused:       codes(func(c frame.CloseCode) bool { return c == 1014 }),
			rules.CloseReason:       {Code: 1002},
			rules.UTF8:              accept,
			rules.EarlyRefused:      {},
		},
		server: rules.Join(lenient,
			heads(101, rules.HTTP10, rules.KeyTwice, rules.VersionFirst, rules.VersionLater, rules.VersionList),
			heads(400, "upgrade-missing", "upgrade-empty-element", "connection-empty-element",
				rules.VersionMissing, rules.VersionOther, rules.VersionNumber, rules.VersionEight)),
		client: rules.Join(lenientClient,
			heads(101, rules.ExtensionSyntax, rules.ExtensionUnasked, rules.ProtocolUnasked),
			heads(0, rules.Interim, "upgrade-empty-element", "connection-empty-element", rules.ConnectionClose)),
	},
	"coder": {
		both: rules.Habits{
			rules.LengthMinimal:  accept,
			rules.ControlMinimal: accept,
			rules.LengthSign:     {Stage: rules.AtLength},
			rules.Limit:          accept,
			rules.LimitSum:       accept,
			rules.LimitArrived:   {Code: 1009},
			rules.CloseReason:    accept,
			rules.ReasonEchoed:   {},
			rules.UTF8:           accept,
			rules.PartDelivered:  {},
		},
		server: rules.Join(lenient, rules.Habits{rules.Masking: silent},
			heads(101, rules.VersionFirst, "upgrade-malformed", "connection-malformed"),
			heads(400, rules.VersionMissing, rules.VersionOther, rules.VersionNumber, rules.VersionEight, rules.VersionList, rules.VersionLater),
			heads(426, "connection-missing", "connection-blank", "connection-other", "connection-parameter", "connection-substring",
				"upgrade-blank", "upgrade-other", "upgrade-parameter", "upgrade-substring")),
		client: rules.Join(lenientClient, rules.Habits{rules.Masking: accept, rules.NotUnmasked: {}},
			heads(101, "upgrade-malformed", "connection-malformed"), heads(0, rules.ConnectionClose)),
	},
	"gobwas": {
		both: rules.Join(rules.Habits{
			rules.LengthMinimal:     accept,
			rules.ControlMinimal:    accept,
			rules.LengthSign:        silent,
			rules.ReservedBits:      silent,
			rules.ReservedOpcode:    silent,
			rules.Masking:           silent,
			rules.ControlFragmented: silent,
			rules.ControlLength:     silent,
			rules.Continuation:      silent,
			rules.NewMessage:        silent,
			rules.Limit:             silent,
			rules.LimitSum:          silent,
			rules.UTF8:              silent,
			rules.CodeAccepted:      codes(func(c frame.CloseCode) bool { return c >= 5000 }),
			rules.CodeRefused:       codes(func(c frame.CloseCode) bool { return c >= 1012 && c <= 1014 }),
			rules.CloseReason:       {Code: 1002},
			rules.NotMasked:         {Rules: []rules.ID{rules.CloseCode, rules.CloseReason, rules.ClosePayload, rules.CodeRefused}},
			rules.PartBeforeClose:   {},
			rules.CutAnsweredInside: {},
			rules.EarlyDropped:      {},
			rules.FieldsApart:       {},
		}, heads(101, rules.BareLF, rules.BareCR, rules.Fold, rules.FoldFirst, rules.FieldName, rules.FieldNameSpace, rules.FieldValue, rules.SpaceColon,
			rules.Body, rules.BodyTwice, rules.BodySyntax, rules.ExtensionEmpty, rules.HTTP12)),
		server: rules.Join(lenient,
			heads(101, rules.HostTwice, rules.HostInvalid, rules.Target, rules.TargetEscape, rules.Key24, rules.KeyTwice, rules.VersionFirst,
				"connection-parameter", "connection-malformed"),
			heads(400, "upgrade-missing", "upgrade-list", "upgrade-empty-element", "upgrade-lines-first", "upgrade-lines-later",
				"connection-lines-first", "connection-lines-later", rules.VersionMissing),
			heads(400, rules.HostMissing10), heads(505, rules.HTTP10), heads(0, rules.RequestLine, rules.EmptyLineFirst)),
		client: rules.Join(
			heads(101, rules.AcceptTwice, rules.BodyZero, rules.StatusDigits),
			heads(0, rules.Interim, "upgrade-list", "upgrade-empty-element", "upgrade-lines-first", "upgrade-lines-later",
				"connection-list", "connection-empty-element", "connection-lines-first", "connection-lines-later")),
	},
	"gws": {
		both: rules.Habits{
			rules.LengthMinimal:   accept,
			rules.ControlMinimal:  {Stage: rules.AtHeader, Code: 1002},
			rules.LengthSign:      {Stage: rules.AtHeader, Code: 1002},
			rules.ReservedOpcode:  late,
			rules.ReservedControl: {},
			rules.Continuation:    late,
			rules.NewMessage:      late,
			rules.LimitFirst:      {},
			rules.LimitSum:        {Stage: rules.AtPayload, Code: 1009},
			rules.CodeRefused:     codes(func(c frame.CloseCode) bool { return c == 1014 }),
			rules.CloseAnswer: {Answer: func(c frame.CloseCode) frame.CloseCode {
				if c < 1016 && c != frame.CloseNoStatusReceived {
					return 1000
				}
				return c
			}},
			rules.ReasonFirst:  {},
			rules.UTF8:         {Stage: rules.AtMessage, Code: 1007},
			rules.EmptyPong:    {},
			rules.EndOfStream:  {Code: 1000},
			rules.EarlyDropped: {},
		},
		server: rules.Join(lenient,
			heads(101, rules.HTTP10, rules.Key24, rules.KeyShape, rules.KeyTwice, rules.VersionFirst,
				"connection-parameter", "connection-substring", "connection-malformed"),
			heads(400, rules.Method, rules.MethodCase, "upgrade-missing", "upgrade-list", "upgrade-empty-element", "upgrade-lines-later", "connection-lines-later",
				rules.VersionMissing, rules.VersionOther, rules.VersionNumber, rules.VersionEight, rules.VersionList, rules.VersionLater)),
		client: rules.Join(lenientClient,
			heads(101, rules.ExtensionSyntax, rules.ExtensionUnasked, rules.ExtensionDeflate, rules.ProtocolUnasked,
				"connection-parameter", "connection-substring", "connection-malformed"),
			heads(0, rules.Interim, "upgrade-list", "upgrade-empty-element", "upgrade-lines-later", "connection-lines-later", rules.ConnectionClose)),
	},
	"nbio": {
		both: rules.Habits{
			rules.LengthMinimal:     accept,
			rules.ControlMinimal:    accept,
			rules.LengthSign:        accept,
			rules.LengthSigned:      {},
			rules.ReservedBits:      {Stage: rules.AtPayload},
			rules.ReservedOpcode:    {Stage: rules.AtPayload},
			rules.ReservedData:      {},
			rules.Masking:           accept,
			rules.ControlFragmented: {Stage: rules.AtPayload},
			rules.ControlLength:     long,
			rules.Continuation:      {Stage: rules.AtMessage},
			rules.NewMessage:        {Stage: rules.AtPayload},
			rules.Limit:             long,
			rules.LimitSum:          long,
			rules.LimitFirst:        {},
			rules.LimitControl:      {},
			rules.CodeAccepted:      codes(func(c frame.CloseCode) bool { return c == 1015 }),
			rules.CodeRefused:       codes(func(c frame.CloseCode) bool { return c >= 1012 && c <= 1014 }),
			rules.CloseReason:       {Code: 1002},
			rules.UTF8:              {Stage: rules.AtMessage, Code: 1002},
			rules.EmptyLost:         {},
			rules.AfterClose:        {Read: 4096},
			rules.EarlyDropped:      {},
		},
		server: rules.Join(lenient,
			heads(101, rules.HTTP10, rules.Key24, rules.KeyShape, rules.KeyTwice, rules.VersionFirst, rules.VersionLater, rules.VersionList),
			heads(400, "upgrade-missing", "upgrade-empty-element", "connection-empty-element",
				rules.VersionMissing, rules.VersionOther, rules.VersionNumber, rules.VersionEight)),
	},
	"xnet": {
		both: rules.Habits{
			rules.LengthMinimal:      accept,
			rules.ControlMinimal:     accept,
			rules.LengthSign:         accept,
			rules.SignIgnored:        {},
			rules.ReservedBits:       accept,
			rules.ReservedOpcode:     accept,
			rules.ReservedData:       {},
			rules.ControlFragmented:  accept,
			rules.ControlLength:      accept,
			rules.Continuation:       accept,
			rules.NewMessage:         accept,
			rules.LimitSum:           accept,
			rules.ClosePayload:       accept,
			rules.CloseCode:          accept,
			rules.CloseReason:        accept,
			rules.UTF8:               accept,
			rules.FragmentsDelivered: {},
			rules.CutDelivered:       {},
			rules.CutAnswered:        {},
		},
		server: rules.Join(lenient, rules.Habits{rules.Limit: silent, rules.CloseAnswer: always(0)},
			heads(101, rules.HTTP10, rules.Key24, rules.KeyShape, rules.KeyTwice, rules.VersionFirst,
				"connection-parameter", "connection-substring", "connection-malformed"),
			heads(400, rules.TargetStarHost, rules.ProtocolSeveral, rules.ProtocolElement, rules.ProtocolDuplicate,
				"upgrade-missing", "upgrade-list", "upgrade-empty-element", "upgrade-lines-later", "connection-lines-later",
				rules.VersionMissing, rules.VersionOther, rules.VersionNumber, rules.VersionEight, rules.VersionList, rules.VersionLater)),
		client: rules.Join(lenientClient,
			rules.Habits{rules.Limit: {Code: 1000}, rules.CloseAnswer: always(1000), rules.EndOfStream: {Code: 1000}, rules.ClosesTwice: {}},
			heads(0, rules.Interim, "upgrade-list", "upgrade-empty-element", "upgrade-lines-later",
				"connection-list", "connection-empty-element", "connection-lines-later", rules.ConnectionClose)),
	},
	"ws": {
		both: rules.Habits{
			rules.LengthMinimal:     accept,
			rules.ControlMinimal:    accept,
			rules.LengthSign:        long,
			rules.ReservedBits:      soon,
			rules.ReservedOpcode:    soon,
			rules.Masking:           soon,
			rules.ControlFragmented: soon,
			rules.ControlLength:     soon,
			rules.Continuation:      soon,
			rules.NewMessage:        soon,
			rules.Limit:             long,
			rules.LimitSum:          long,
			rules.ClosePayload:      soon,
			rules.UTF8:              {Stage: rules.AtMessage, Code: 1007},
		},
		server: rules.Join(
			heads(101, rules.Body, rules.EmptyLineFirst, rules.ExtensionEmpty, rules.ExtensionSyntax,
				rules.HostEmpty, rules.HostInvalid, rules.HostMissing, rules.HostMissing10, rules.HostTwice, rules.HTTP09, rules.HTTP10, rules.HTTPOther, rules.KeyBits,
				rules.TargetEscape, rules.TargetFragment, rules.TargetHost, rules.TargetStar, rules.TargetStarHost, rules.VersionEight, rules.VersionNumber, "connection-malformed"),
			heads(400, rules.MethodCase, rules.HTTP12, rules.ProtocolElement,
				"upgrade-list", "upgrade-empty-element", "upgrade-lines-same", "upgrade-lines-first", "upgrade-lines-later",
				rules.VersionMissing, rules.VersionOther, rules.VersionList, rules.VersionFirst, rules.VersionLater),
			heads(426, "upgrade-blank", "connection-missing", "connection-blank", "connection-other", "connection-parameter", "connection-substring", rules.ConnectionTab)),
		client: rules.Join(
			heads(101, rules.Body, rules.BodyZero, rules.EmptyLineFirst, rules.HTTP10, rules.HTTPOther, rules.StatusNoSpace, "connection-malformed"),
			heads(0, rules.ConnectionTab, "upgrade-list", "upgrade-empty-element", "upgrade-lines-same", "upgrade-lines-first", "upgrade-lines-later")),
	},
	"websockets": {
		both: rules.Habits{
			rules.LengthMinimal:     accept,
			rules.ControlMinimal:    accept,
			rules.LengthSign:        long,
			rules.ReservedBits:      late,
			rules.ReservedOpcode:    soon,
			rules.Masking:           soon,
			rules.ControlFragmented: late,
			rules.ControlLength:     late,
			rules.Continuation:      late,
			rules.NewMessage:        late,
			rules.Limit:             long,
			rules.LimitSum:          long,
			rules.LimitFirst:        {},
			rules.LimitControl:      {},
			rules.UTF8:              {Stage: rules.AtPayload, Code: 1007},
		},
		server: rules.Join(
			heads(101, rules.Body, rules.BodyTwice, rules.BodySyntax, rules.ExtensionEmpty, rules.ExtensionSyntax,
				rules.HostEmpty, rules.HostInvalid, rules.HostMissing, rules.HostMissing10, rules.HostTwice, rules.KeyBits,
				rules.ProtocolEmpty, rules.ProtocolDuplicate, rules.ProtocolToken,
				rules.Target, rules.TargetEscape, rules.TargetFragment, rules.TargetOctets, rules.TargetHost, rules.TargetStar, rules.TargetStarHost),
			heads(400, rules.Method, rules.MethodCase, rules.HTTP09, rules.HTTP10, rules.HTTP12, rules.HTTPOther,
				rules.VersionMissing, rules.VersionEight, rules.VersionNumber, rules.VersionOther, rules.VersionList, rules.VersionFirst, rules.VersionLater),
			heads(426, "upgrade-list", "upgrade-lines-same", "upgrade-lines-first", "upgrade-lines-later", "upgrade-other", "upgrade-substring",
				"connection-missing", "connection-other", "connection-substring")),
		client: rules.Join(
			heads(101, rules.Body, rules.BodyTwice, rules.BodySyntax, rules.BodyZero, rules.StatusDigits),
			heads(0, rules.Interim, "upgrade-list", "upgrade-lines-same", "upgrade-lines-first", "upgrade-lines-later")),
	},
}
