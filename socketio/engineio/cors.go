package engineio

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS says what browsers may do with responses to pages of other origins (Fetch
// Standard, Section 3.2). Which origins, Options.Origins tells, and
// Options.InsecureAnyOrigin for all. The zero value lets pages read them, without
// cookies.
type CORS struct {
	// Credentials lets pages send cookies and authorization.
	Credentials bool
	// Methods are those of a preflight's answer. Nil means GET, HEAD, PUT, PATCH,
	// POST and DELETE.
	Methods []string
	// AllowedHeaders are the fields that a page may set. Nil means whatever it
	// asks for.
	AllowedHeaders []string
	// ExposedHeaders are the fields of responses that a page may read. Nil means
	// the usual ones.
	ExposedHeaders []string
	// MaxAge is how long a browser may remember the answer to a preflight. Zero
	// means that it is not told.
	MaxAge time.Duration
}

var corsMethods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"}

// cors adds what browsers want to know, to refusals, too. It reports whether it has
// answered the request, because that was a preflight.
func (e *exchange) cors() (answered bool) {
	c := e.server.options.CORS
	if c == nil {
		return false
	}
	h := e.w.Header()
	origin := e.r.Header.Get("Origin")
	switch no, _ := e.checkOrigin(); {
	case e.server.options.InsecureAnyOrigin && !c.Credentials:
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		h.Add("Vary", "Origin")
		if no != nil || origin == "" {
			break
		}
		h.Set("Access-Control-Allow-Origin", origin)
		if c.Credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	}
	set := func(name string, values []string) {
		if len(values) > 0 {
			h.Set(name, strings.Join(values, ","))
		}
	}
	if e.r.Method != http.MethodOptions {
		set("Access-Control-Expose-Headers", c.ExposedHeaders)
		return false
	}
	methods := c.Methods
	if methods == nil {
		methods = corsMethods
	}
	set("Access-Control-Allow-Methods", methods)
	headers := c.AllowedHeaders
	if headers == nil {
		headers = slices.Clone(e.r.Header.Values("Access-Control-Request-Headers"))
		h.Add("Vary", "Access-Control-Request-Headers")
	}
	set("Access-Control-Allow-Headers", headers)
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge.Seconds())))
	}
	h.Set("Content-Length", "0") // which some browsers wait for
	e.w.WriteHeader(http.StatusNoContent)
	return true
}
