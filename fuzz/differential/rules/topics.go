package rules

import "example.org/rfc6455/frame"

// A Topic describes what an [ID] names.
type Topic struct {
	// Section is the one that decides, of RFC 6455 unless it says otherwise.
	Section string

	// Subject is what is sent; for a habit that is no rule, what is done.
	Subject string

	// Status is what a server of ours answers it with, 101 if it is legal; zero if
	// it is not of an opening handshake. Where it is legal a client accepts it,
	// too, and otherwise it fails the connection.
	Status int

	// Rule is whether it is a rule for frames, which ours applies.
	Rule bool

	// Allowed is whether the other way is allowed, too, so that both are right.
	Allowed bool
}

// The names of all topics, but for those of Upgrade and Connection.
const (
	// Frames: rules that a header or a payload breaks.
	LengthMinimal     ID = "length-minimal"
	ControlMinimal    ID = "control-minimal"
	LengthSign        ID = "length-sign"
	ReservedBits      ID = "reserved-bits"
	ReservedOpcode    ID = "reserved-opcode"
	Masking           ID = "masking"
	ControlFragmented ID = "control-fragmented"
	ControlLength     ID = "control-length"
	Continuation      ID = "continuation"
	NewMessage        ID = "new-message"
	Limit             ID = "limit"
	LimitSum          ID = "limit-sum"
	ClosePayload      ID = "close-payload"
	CloseCode         ID = "close-code"
	CloseReason       ID = "close-reason"
	UTF8              ID = "utf8"

	// Frames: other habits.
	CodeAccepted       ID = "code-accepted"
	CodeRefused        ID = "code-refused"
	CloseAnswer        ID = "close-answer"
	ClosesTwice        ID = "closes-twice"
	ReasonFirst        ID = "reason-first"
	ReasonEchoed       ID = "reason-echoed"
	NotMasked          ID = "not-masked"
	NotUnmasked        ID = "not-unmasked"
	AfterClose         ID = "after-close"
	EndOfStream        ID = "end-of-stream"
	NewestPong         ID = "newest-pong"
	EmptyPong          ID = "empty-pong"
	EmptyLost          ID = "empty-lost"
	PartDelivered      ID = "part-delivered"
	PartBeforeClose    ID = "part-before-close"
	CutDelivered       ID = "cut-delivered"
	CutAnswered        ID = "cut-answered"
	CutAnsweredInside  ID = "cut-answered-inside"
	FragmentsDelivered ID = "fragments-delivered"
	SignIgnored        ID = "sign-ignored"
	LengthSigned       ID = "length-signed"
	LimitFirst         ID = "limit-first"
	LimitArrived       ID = "limit-arrived"
	LimitControl       ID = "limit-control"
	LimitOverflow      ID = "limit-overflow"
	ReservedControl    ID = "reserved-control"
	ReservedData       ID = "reserved-data"
	EarlyRefused       ID = "early-refused"
	EarlyDropped       ID = "early-dropped"

	// Opening handshake: how it is written (RFC 9112).
	EmptyLineFirst ID = "empty-line-first"
	BareLF         ID = "bare-lf"
	BareCR         ID = "bare-cr"
	Fold           ID = "fold"
	FoldFirst      ID = "fold-first"
	NoColon        ID = "no-colon"
	SpaceColon     ID = "space-before-colon"
	FieldName      ID = "field-name"
	FieldNameSpace ID = "field-name-space"
	FieldValue     ID = "field-value"
	FieldsApart    ID = "fields-apart"
	RequestLine    ID = "request-line"
	StatusLine     ID = "status-line"
	StatusNoSpace  ID = "status-line-no-space"
	StatusSpaces   ID = "status-line-spaces"
	StatusDigits   ID = "status-line-digits"
	Body           ID = "body"
	BodyTwice      ID = "body-twice"
	BodySyntax     ID = "body-syntax"
	BodyZero       ID = "body-zero"

	// Opening handshake: the request (Section 4.2.1).
	Method         ID = "method"
	MethodCase     ID = "method-case"
	HTTP10         ID = "http-1.0"
	HTTP12         ID = "http-1.2"
	HTTP09         ID = "http-0.9"
	HTTPOther      ID = "http-other"
	Target         ID = "target"
	TargetHost     ID = "target-host"
	TargetStar     ID = "target-star"
	TargetStarHost ID = "target-star-host"
	TargetEscape   ID = "target-escape"
	TargetFragment ID = "target-fragment"
	TargetOctets   ID = "target-octets"
	HostMissing10  ID = "host-missing-1.0"
	HostMissing    ID = "host-missing"
	HostEmpty      ID = "host-empty"
	HostTwice      ID = "host-twice"
	HostInvalid    ID = "host-invalid"
	VersionMissing ID = "version-missing"
	VersionEight   ID = "version-8"
	VersionNumber  ID = "version-number"
	VersionOther   ID = "version-other"
	VersionList    ID = "version-list"
	VersionFirst   ID = "version-lines-first"
	VersionLater   ID = "version-lines-later"
	KeyMissing     ID = "key-missing"
	KeyBits        ID = "key-bits"
	Key24          ID = "key-24"
	KeyShape       ID = "key-shape"
	KeyTwice       ID = "key-twice"
	Expect         ID = "expect"

	// Opening handshake: the response (Section 4.1).
	StatusOther      ID = "status-other"
	Interim          ID = "interim"
	AcceptMissing    ID = "accept-missing"
	AcceptWrong      ID = "accept-wrong"
	AcceptTwice      ID = "accept-twice"
	AcceptTwo        ID = "accept-two"
	ProtocolUnasked  ID = "protocol-unasked"
	ExtensionUnasked ID = "extension-unasked"
	ExtensionDeflate ID = "extension-deflate"

	// Opening handshake: lists (RFC 9110, Section 5.6.1).
	ProtocolElement   ID = "protocol-empty-element"
	ProtocolEmpty     ID = "protocol-empty"
	ProtocolDuplicate ID = "protocol-duplicate"
	ProtocolToken     ID = "protocol-token"
	ProtocolSeveral   ID = "protocol-several"
	ProtocolLines     ID = "protocol-lines"
	ExtensionEmpty    ID = "extension-empty"
	ExtensionSyntax   ID = "extension-syntax"
	ConnectionClose   ID = "connection-close"
	ConnectionTab     ID = "connection-tab"
)

// The names of topics of Upgrade and Connection are "upgrade" and "connection" with
// one of these.
const (
	listMissing   = "-missing"
	listBlank     = "-blank"
	listOther     = "-other"
	listSubstring = "-substring"
	listParameter = "-parameter"
	listMalformed = "-malformed"
	listElements  = "-list"
	listEmpty     = "-empty-element"
	listSame      = "-lines-same"
	listFirst     = "-lines-first"
	listLater     = "-lines-later"
)

// Topics are all there are.
var Topics = map[ID]Topic{
	LengthMinimal:      {Section: "5.2", Subject: "a data frame's length in more octets than it needs", Rule: true},
	ControlMinimal:     {Section: "5.2", Subject: "a control frame's length in more octets than it needs", Rule: true},
	LengthSign:         {Section: "5.2", Subject: "a length with the most significant bit set", Rule: true},
	ReservedBits:       {Section: "5.2", Subject: "a reserved bit without an extension", Rule: true},
	ReservedOpcode:     {Section: "5.2", Subject: "a reserved opcode", Rule: true},
	Masking:            {Section: "5.1", Subject: "a frame masked, or not, as the other role masks", Rule: true},
	ControlFragmented:  {Section: "5.5", Subject: "a fragmented control frame", Rule: true},
	ControlLength:      {Section: "5.5", Subject: "a control frame of more than 125 octets", Rule: true},
	Continuation:       {Section: "5.4", Subject: "a continuation of nothing", Rule: true},
	NewMessage:         {Section: "5.4", Subject: "a new message inside a fragmented one", Rule: true},
	Limit:              {Section: "10.4", Subject: "a frame beyond the limit", Rule: true},
	LimitSum:           {Section: "10.4", Subject: "fragments that add up to more than the limit", Rule: true},
	ClosePayload:       {Section: "5.5.1", Subject: "a Close frame of one octet", Rule: true},
	CloseCode:          {Section: "7.4", Subject: "a Close code that must not be sent", Rule: true},
	CloseReason:        {Section: "5.5.1", Subject: "a Close reason that is not UTF-8", Rule: true},
	UTF8:               {Section: "8.1", Subject: "a text that is not UTF-8", Rule: true},
	CodeAccepted:       {Section: "7.4", Subject: "some Close codes that must not be sent are accepted and echoed"},
	CodeRefused:        {Section: "7.4.2", Subject: "Close codes that are registered, such as 1012 to 1014, are refused with 1002"},
	CloseAnswer:        {Section: "5.5.1", Subject: "a Close frame is answered with another code than it had, or with none; it SHOULD be echoed", Allowed: true},
	ClosesTwice:        {Section: "5.5.1", Subject: "a second Close frame follows the first"},
	ReasonFirst:        {Section: "7.1.7", Subject: "of a bad code with a bad reason the reason is judged first", Allowed: true},
	ReasonEchoed:       {Section: "5.5.1", Subject: "a Close reason that is not UTF-8 is sent back"},
	NotMasked:          {Section: "5.3", Subject: "the Close frame for a bad code leaves a client without a mask"},
	NotUnmasked:        {Section: "5.1", Subject: "the payload of a masked frame is handed to a client's application as it is, still masked"},
	AfterClose:         {Section: "1.4", Subject: "messages that came in one read with the end of the connection are delivered after it"},
	EndOfStream:        {Section: "7.1.5", Subject: "the end of the stream without a Close frame is answered with one", Allowed: true},
	NewestPong:         {Section: "5.5.3", Subject: "of pings that come before the first is answered only the last one may be", Allowed: true},
	EmptyPong:          {Section: "5.5.3", Subject: "a pong is empty, whatever the ping had"},
	EmptyLost:          {Section: "5.6", Subject: "an empty message is not delivered"},
	PartDelivered:      {Section: "5.4", Subject: "the stream ends inside a message, and its first part is delivered as a whole message"},
	PartBeforeClose:    {Section: "5.4", Subject: "the stream ends inside a Close frame that is inside a message, and its first part is delivered as a whole message"},
	CutDelivered:       {Section: "5.2", Subject: "the stream ends inside a frame, and what there is of it is taken for the whole"},
	CutAnswered:        {Section: "5.5.3", Subject: "the stream ends inside a ping, which is answered all the same"},
	CutAnsweredInside:  {Section: "5.5.3", Subject: "the stream ends inside a ping that is inside a message, which is answered all the same"},
	FragmentsDelivered: {Section: "5.4", Subject: "each fragment is delivered as a message"},
	SignIgnored:        {Section: "5.2", Subject: "the most significant bit of a length does not count"},
	LengthSigned:       {Section: "5.2", Subject: "a length with the most significant bit set is waited for"},
	LimitFirst:         {Section: "10.4", Subject: "the limit is judged before all else, for control frames, too", Allowed: true},
	LimitArrived:       {Section: "10.4", Subject: "the limit is judged when so many octets have arrived, not when they are announced", Allowed: true},
	LimitControl:       {Section: "10.4", Subject: "a control frame counts for the length of the message around it"},
	LimitOverflow:      {Section: "10.4", Subject: "fragments whose lengths add up to more than 63 bits fail the connection without a Close frame", Allowed: true},
	ReservedControl:    {Section: "5.2", Subject: "all reserved opcodes are taken for control frames", Allowed: true},
	ReservedData:       {Section: "5.2", Subject: "all reserved opcodes are taken for data frames", Allowed: true},
	EarlyRefused:       {Section: "4.1", Subject: "frames together with the request are refused; a client must wait", Allowed: true},
	EarlyDropped:       {Section: "4.1", Subject: "frames together with the request are lost without notice", Allowed: true},
	EmptyLineFirst:     {Section: "RFC 9112, 2.2", Subject: "an empty line before the start line", Status: 400, Allowed: true},
	BareLF:             {Section: "RFC 9112, 2.2", Subject: "lines that end with LF alone", Status: 400, Allowed: true},
	BareCR:             {Section: "RFC 9112, 2.2", Subject: "a CR inside a line", Status: 400},
	Fold:               {Section: "RFC 9112, 5.2", Subject: "a field folded over two lines", Status: 400, Allowed: true},
	FoldFirst:          {Section: "RFC 9112, 2.2", Subject: "white space before the first field", Status: 400},
	NoColon:            {Section: "RFC 9112, 5", Subject: "a line without a colon", Status: 400},
	SpaceColon:         {Section: "RFC 9112, 5.1", Subject: "white space before a colon", Status: 400},
	FieldName:          {Section: "RFC 9110, 5.1", Subject: "a field name that is not a token", Status: 400},
	FieldNameSpace:     {Section: "RFC 9110, 5.1", Subject: "a field name with a space inside", Status: 400},
	FieldValue:         {Section: "RFC 9110, 5.5", Subject: "a control character in a field value", Status: 400},
	FieldsApart:        {Section: "RFC 9112, 5.2", Subject: "a line that begins with white space is taken for a field of its own"},
	RequestLine:        {Section: "RFC 9112, 3", Subject: "a malformed request line", Status: 400},
	StatusLine:         {Section: "RFC 9112, 4", Subject: "a malformed status line", Status: 400},
	StatusNoSpace:      {Section: "RFC 9112, 4", Subject: "a status line without the space after the code", Status: 400, Allowed: true},
	StatusSpaces:       {Section: "RFC 9112, 4", Subject: "a status line with two spaces", Status: 400},
	StatusDigits:       {Section: "RFC 9112, 4", Subject: "a status code of four digits", Status: 400},
	Body:               {Section: "4.1", Subject: "a handshake with a body", Status: 400},
	BodyTwice:          {Section: "RFC 9112, 6.1", Subject: "both Transfer-Encoding and Content-Length", Status: 400},
	BodySyntax:         {Section: "RFC 9112, 6.3", Subject: "a malformed or contradictory length of a body", Status: 400},
	BodyZero:           {Section: "RFC 9110, 8.6", Subject: "a Content-Length of zero in a 101", Status: 400, Allowed: true},
	Method:             {Section: "4.2.1", Subject: "a method other than GET", Status: 405},
	MethodCase:         {Section: "4.2.1", Subject: "the method get", Status: 405},
	HTTP10:             {Section: "4.2.1", Subject: "HTTP/1.0", Status: 426},
	HTTP12:             {Section: "RFC 9110, 2.5", Subject: "HTTP/1.2, which a server may process as 1.1", Status: 505, Allowed: true},
	HTTP09:             {Section: "4.2.1", Subject: "HTTP/0.9", Status: 505},
	HTTPOther:          {Section: "4.2.1", Subject: "HTTP/2.0 on an HTTP/1 connection", Status: 505},
	Target:             {Section: "RFC 9112, 3.2", Subject: "a target that is neither a path nor a URI", Status: 400},
	TargetHost:         {Section: "RFC 9112, 3.2.2", Subject: "a target with another host than Host, which is then not to count", Status: 400, Allowed: true},
	TargetStar:         {Section: "RFC 9112, 3.2.4", Subject: "the target *, which is for OPTIONS", Status: 400},
	TargetStarHost:     {Section: "RFC 9112, 3.2.4", Subject: "the target * on a host with a port", Status: 400},
	TargetEscape:       {Section: "RFC 3986, 2.1", Subject: "a malformed percent-encoding in the target", Status: 400},
	TargetFragment:     {Section: "RFC 9112, 3.2.1", Subject: "a fragment in the target", Status: 400},
	TargetOctets:       {Section: "RFC 3986, 2", Subject: "octets beyond ASCII in the target", Status: 400},
	HostMissing10:      {Section: "4.2.1", Subject: "no Host in HTTP/1.0", Status: 400},
	HostMissing:        {Section: "4.2.1", Subject: "no Host", Status: 400},
	HostEmpty:          {Section: "4.2.1", Subject: "an empty Host", Status: 400},
	HostTwice:          {Section: "RFC 9112, 3.2", Subject: "two Host fields", Status: 400},
	HostInvalid:        {Section: "RFC 9112, 3.2", Subject: "a Host that is no authority", Status: 400},
	VersionMissing:     {Section: "4.2.2", Subject: "no Sec-WebSocket-Version", Status: 426},
	VersionEight:       {Section: "4.4", Subject: "version 8, which is that of a draft", Status: 426},
	VersionNumber:      {Section: "4.2.1", Subject: "a version that is 13 as a number alone, such as 013", Status: 426},
	VersionOther:       {Section: "4.4", Subject: "another version", Status: 426},
	VersionList:        {Section: "4.3", Subject: "a list of versions with 13 in it", Status: 426},
	VersionFirst:       {Section: "11.3.5", Subject: "two versions, the first one 13", Status: 426},
	VersionLater:       {Section: "11.3.5", Subject: "two versions, the second one 13", Status: 426},
	KeyMissing:         {Section: "4.2.1", Subject: "no key, or an empty one", Status: 400},
	KeyBits:            {Section: "RFC 4648, 3.5", Subject: "a key with bits set that decode to nothing", Status: 400, Allowed: true},
	Key24:              {Section: "4.2.1", Subject: "a key of 24 characters that is not 16 octets in base64", Status: 400},
	KeyShape:           {Section: "4.2.1", Subject: "a key that is not 16 octets in base64", Status: 400},
	KeyTwice:           {Section: "11.3.1", Subject: "two keys", Status: 400},
	Expect:             {Section: "RFC 9110, 10.1.1", Subject: "an Expect: 100-continue, which has no meaning without a body", Status: 101},
	StatusOther:        {Section: "4.1", Subject: "a status other than 101", Status: 400},
	Interim:            {Section: "RFC 9110, 15.2", Subject: "an interim response before the 101", Status: 101},
	AcceptMissing:      {Section: "4.1", Subject: "no Sec-WebSocket-Accept", Status: 400},
	AcceptWrong:        {Section: "4.1", Subject: "a wrong Sec-WebSocket-Accept", Status: 400},
	AcceptTwice:        {Section: "11.3.3", Subject: "the right Sec-WebSocket-Accept twice", Status: 400},
	AcceptTwo:          {Section: "11.3.3", Subject: "a wrong Sec-WebSocket-Accept after the right one", Status: 400},
	ProtocolUnasked:    {Section: "4.1", Subject: "a subprotocol that was not asked for", Status: 400},
	ExtensionUnasked:   {Section: "4.1", Subject: "an extension that was not asked for", Status: 400},
	ExtensionDeflate:   {Section: "4.1", Subject: "permessage-deflate that was not asked for", Status: 400},
	ProtocolElement:    {Section: "RFC 9110, 5.6.1.2", Subject: "an empty element in the list of subprotocols", Status: 101},
	ProtocolEmpty:      {Section: "11.3.4", Subject: "an empty list of subprotocols", Status: 400, Allowed: true},
	ProtocolDuplicate:  {Section: "4.1", Subject: "a subprotocol asked for twice", Status: 400},
	ProtocolToken:      {Section: "4.1", Subject: "a subprotocol that is not a token", Status: 400},
	ProtocolSeveral:    {Section: "4.2.2", Subject: "several subprotocols to choose from", Status: 101},
	ProtocolLines:      {Section: "11.3.4", Subject: "subprotocols in two fields", Status: 101},
	ExtensionEmpty:     {Section: "9.1", Subject: "an empty list of extensions", Status: 400, Allowed: true},
	ExtensionSyntax:    {Section: "9.1", Subject: "a malformed list of extensions", Status: 400},
	ConnectionClose:    {Section: "RFC 9110, 7.6.1", Subject: "both Upgrade and close in Connection", Status: 101, Allowed: true},
	ConnectionTab:      {Section: "RFC 9110, 5.6.3", Subject: "a Connection followed by a tab", Status: 101},
}

func init() {
	for field, missing := range map[string]int{"upgrade": 426, "connection": 400} {
		for suffix, t := range map[string]Topic{
			listMissing:   {"4.2.1", "no field", missing, false, false},
			listBlank:     {"4.2.1", "an empty field", 400, false, false},
			listOther:     {"4.2.1", "a field without the token", 400, false, false},
			listSubstring: {"4.2.1", "a field with the token as a part of a word alone", 400, false, false},
			listParameter: {"RFC 9110, 7.6.1", "the token with a parameter, which it cannot have", 400, false, false},
			listMalformed: {"RFC 9110, 5.6.1", "the token beside an element that is none", 400, false, false},
			listElements:  {"4.2.1", "the token in a list", 101, false, false},
			listEmpty:     {"RFC 9110, 5.6.1.2", "the token beside an empty element", 101, false, false},
			listSame:      {"RFC 9110, 5.3", "the token in each of two fields", 101, false, false},
			listFirst:     {"RFC 9110, 5.3", "the token in the first of two fields", 101, false, false},
			listLater:     {"RFC 9110, 5.3", "the token in the second of two fields", 101, false, false},
		} {
			t.Subject = map[string]string{"upgrade": "Upgrade", "connection": "Connection"}[field] + ": " + t.Subject
			Topics[ID(field+suffix)] = t
		}
	}
}

// Code returns the code of the Close frame that a broken rule for frames is answered
// with.
func Code(rule ID) frame.CloseCode {
	switch rule {
	case Limit, LimitSum, LimitArrived, LimitOverflow:
		return frame.CloseMessageTooBig
	case UTF8, CloseReason:
		return frame.CloseInvalidFramePayloadData
	}
	return frame.CloseProtocolError
}
