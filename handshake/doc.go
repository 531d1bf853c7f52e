// Package handshake is the opening handshake of RFC 6455, Sections 4 and 9.1, as
// values: what each side writes, and what it must check of the other.
//
// The package does no I/O and knows neither sockets nor net/http. A server or
// client over plain TCP parses heads with a [Parser] and writes with
// [AppendResponse], [AppendRefusal] and [AppendRequest]. One over another HTTP
// implementation fills in a [Request] or [Response], whose Header can be an
// http.Header, and checks it with the same methods.
//
// # Server
//
// [Parser.ParseRequest], [Request.Validate] and [Origins.Check] decide whether the
// request is a handshake. [Subprotocol] and [Negotiate] choose from what the
// client asks for, and [AppendResponse] opens the connection. The octets after the
// head of the request are the first of the connection.
//
// # Client
//
// An [Offer] is what the client asks for. [AppendRequest] writes it, and
// [Parser.ParseResponse] and [Response.Validate] check the answer to it.
//
// # HTTP/2
//
// Over HTTP/2 and HTTP/3 (RFC 8441, RFC 9220) there are no heads to parse, and
// neither key, Connection nor Upgrade: [Request.ValidateConnect] and
// [Response.ValidateConnect] check what is left.
//
// # Errors
//
// Every broken rule is an [*Error] with the status to answer. Running out of input
// is not an error.
package handshake
