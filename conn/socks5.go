package conn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// What SOCKS says in one octet (RFC 1928; the last of them RFC 1929).
const (
	socksVersion     = 5
	socksNoAuth      = 0
	socksPassword    = 2
	socksNone        = 0xff
	socksConnect     = 1
	socksIPv4        = 1
	socksName        = 3
	socksIPv6        = 4
	socksAuthVersion = 1
)

// socksFailures are the replies that are not success (RFC 1928, Section 6).
var socksFailures = [...]string{
	1: "general failure",
	2: "not allowed by its rules",
	3: "network unreachable",
	4: "host unreachable",
	5: "connection refused",
	6: "TTL expired",
	7: "command not supported",
	8: "address type not supported",
}

// A socks5 is what a client says to a SOCKS proxy to reach a server (RFC 1928).
type socks5 struct {
	methods []byte
	auth    []byte // RFC 1929; nil without user information
	request []byte
}

// newSOCKS5 returns what to say to reach host, a name or an address, and port. A
// name is left to the proxy to resolve.
func newSOCKS5(user *url.Userinfo, host, port string) (*socks5, error) {
	s := &socks5{methods: []byte{socksVersion, 1, socksNoAuth}}
	if user != nil {
		name := user.Username()
		password, _ := user.Password()
		if name == "" || len(name) > 255 || password == "" || len(password) > 255 {
			return nil, urlError("its name and password are not 1 to 255 octets each")
		}
		s.methods = []byte{socksVersion, 2, socksNoAuth, socksPassword}
		s.auth = append([]byte{socksAuthVersion, byte(len(name))}, name...)
		s.auth = append(append(s.auth, byte(len(password))), password...)
	}
	s.request = []byte{socksVersion, socksConnect, 0}
	switch a, err := netip.ParseAddr(host); {
	case err == nil && a.Is4():
		s.request = append(append(s.request, socksIPv4), a.AsSlice()...)
	case err == nil:
		s.request = append(append(s.request, socksIPv6), a.AsSlice()...)
	case len(host) > 255:
		return nil, urlError("its host is longer than 255 octets")
	default:
		s.request = append(append(s.request, socksName, byte(len(host))), host...)
	}
	n, _ := strconv.ParseUint(port, 10, 16) // by hostPort
	s.request = binary.BigEndian.AppendUint16(s.request, uint16(n))
	return s, nil
}

// open makes nc a connection to the server. It reads no more than what the proxy
// has to say.
func (s *socks5) open(nc net.Conn) error {
	var b [256 + 2]byte
	if err := ask(nc, s.methods, b[:2]); err != nil {
		return err
	}
	switch method := b[1]; {
	case b[0] != socksVersion:
		return errNotSOCKS5
	case method == socksNoAuth:
	case method == socksPassword && s.auth != nil:
		if err := ask(nc, s.auth, b[:2]); err != nil {
			return err
		}
		if b[0] != socksAuthVersion || b[1] != 0 {
			return errors.New("the proxy refuses the name and password")
		}
	case method == socksNone:
		return errors.New("the proxy wants another authentication")
	default:
		return errNotSOCKS5
	}

	// The reply has the address that the proxy is bound to, in any form.
	if err := ask(nc, s.request, b[:5]); err != nil {
		return err
	}
	reply, kind, first := b[1], b[3], b[4]
	switch {
	case b[0] != socksVersion || b[2] != 0:
		return errNotSOCKS5
	case reply != 0 && int(reply) < len(socksFailures):
		return errors.New("the proxy answers: " + socksFailures[reply])
	case reply != 0:
		return fmt.Errorf("the proxy answers: failure %d", reply)
	}
	rest := 2 // the port
	switch kind {
	case socksIPv4:
		rest += 4 - 1
	case socksIPv6:
		rest += 16 - 1
	case socksName:
		rest += int(first)
	default:
		return errNotSOCKS5
	}
	return ask(nc, nil, b[:rest])
}

var errNotSOCKS5 = errors.New("the proxy does not speak SOCKS5")

// ask writes a question, if there is one, and reads all of the answer.
func ask(nc net.Conn, question, answer []byte) error {
	if len(question) > 0 {
		if _, err := nc.Write(question); err != nil {
			return err
		}
	}
	_, err := io.ReadFull(nc, answer)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
