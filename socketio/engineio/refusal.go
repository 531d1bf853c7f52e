package engineio

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// A refusal is the answer to a request that is refused.
type refusal struct {
	status  int
	code    ErrorCode
	context ErrorContext
	message string // that of code, if it is empty
}

var (
	refuseTransport          = &refusal{400, UnknownTransport, ContextTransport, ""}
	refuseSession            = &refusal{400, UnknownSession, ContextSession, ""}
	refuseMethod             = &refusal{400, BadHandshakeMethod, ContextMethod, ""}
	refuseSessionMethod      = &refusal{405, BadRequest, ContextMethod, "Bad method"}
	refuseRequest            = &refusal{400, BadRequest, ContextRequest, ""}
	refuseTooLarge           = &refusal{431, BadRequest, ContextRequest, ""}
	refuseTransportHandshake = &refusal{400, BadRequest, ContextTransportHandshake, ""}
	refuseTransportMismatch  = &refusal{400, BadRequest, ContextTransportMismatch, ""}
	refuseProtocolMismatch   = &refusal{400, BadRequest, ContextProtocolMismatch, ""}
	refuseMalformedOrigin    = &refusal{400, BadRequest, ContextOrigin, ""}
	refuseOrigin             = &refusal{403, Forbidden, ContextOrigin, ""}
	refusePrincipal          = &refusal{403, Forbidden, ContextPrincipal, ""}
	refuseProtocol           = &refusal{400, UnsupportedProtocol, ContextProtocolUnsupported, ""}
	refuseID                 = &refusal{400, BadRequest, ContextID, ""}
	refuseOverload           = &refusal{503, BadRequest, ContextOverload, "Service unavailable"}
)

// forbidden is the refusal that a hook asks for. Text of other errors is not for the
// client.
func forbidden(err error) *refusal {
	no := &refusal{403, Forbidden, ContextForbidden, ""}
	if r, ok := errors.AsType[*RefusedError](err); ok {
		no.message = r.Message
	}
	return no
}

// refuse refuses the request because of err, which may be nil.
func (e *exchange) refuse(no *refusal, err error) {
	text := cmp.Or(no.message, no.code.String())
	e.server.refused(&ConnectionError{e.r, no.code, text, no.context, err})
	h := e.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	switch no.status {
	case http.StatusMethodNotAllowed:
		h.Set("Allow", "GET, POST")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	}
	if !webSocket(e.r) {
		h.Set("Content-Type", "application/json")
		e.w.WriteHeader(no.status)
		b, _ := json.Marshal(struct { // strings and numbers have no errors
			Code    ErrorCode `json:"code"`
			Message string    `json:"message"`
		}{no.code, text})
		e.w.Write(b)
		return
	}
	// Node answers an opening handshake with 400 whatever the reason.
	h.Set("Content-Type", "text/html")
	if e.r.ProtoMajor < 2 {
		h.Set("Connection", "close")
	}
	status := no.status
	if status < http.StatusInternalServerError {
		status = http.StatusBadRequest
	}
	e.w.WriteHeader(status)
	io.WriteString(e.w, text)
}

// refused tells the hook of a refusal.
func (s *Server) refused(e *ConnectionError) {
	if s.options.OnConnectionError != nil {
		s.options.OnConnectionError(e)
	}
}
