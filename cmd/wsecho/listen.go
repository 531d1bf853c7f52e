package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"syscall"
)

// listen listens on the address of -addr. Its errors tell what to do.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	host, port, _ := net.SplitHostPort(addr)
	var advice string
	switch _, isDNS := errors.AsType[*net.DNSError](err); {
	case errors.Is(err, syscall.EADDRINUSE):
		advice = fmt.Sprintf("another process listens there (lsof -i :%s shows which); choose another port, or any free one with -addr %s",
			port, net.JoinHostPort(host, "0"))
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		advice = "no interface of this machine has that address; -addr :" + port + " listens on all it has"
	case errors.Is(err, fs.ErrPermission):
		advice = "that port needs privileges; choose one from 1024 on with -addr, such as " + net.JoinHostPort(host, "8080")
	case isDNS:
		advice = "no such host or port; -addr wants an address of this machine and a number, such as 127.0.0.1:8080, and the environment variable PORT a number"
	default:
		advice = "choose another address with -addr, such as 127.0.0.1:8080"
	}
	return nil, fmt.Errorf("%w: %s", err, advice)
}

// announce tells what to open. A nil id means no TLS.
func announce(w io.Writer, o *serveOptions, log *slog.Logger, endpoints []endpoint, addr net.Addr, id *identity) {
	_, port, _ := net.SplitHostPort(addr.String())
	authority := net.JoinHostPort(hostOf(o.addr), port)
	page, socket := "http://"+authority+"/", "ws://"+authority
	if id != nil {
		page, socket = "https://"+authority+"/", "wss://"+authority
	}
	if o.log == "json" {
		attrs := []any{"addr", addr.String(), "page", page, "echo", socket + "/echo"}
		if id != nil {
			attrs = append(attrs, "certificate_sha256", id.fingerprint(), "certificate_file", id.file)
		}
		log.Info("listening", attrs...)
	} else {
		fmt.Fprintf(w, "wsecho listens on %s\n\n", addr)
		fmt.Fprintf(w, "  %-40s%s\n", page, "open this page in a browser")
		for _, e := range endpoints {
			fmt.Fprintf(w, "  %-40s%s\n", socket+e.path, e.summary)
		}
		for _, e := range sessionPaths {
			fmt.Fprintf(w, "  %-40s%s\n", strings.TrimSuffix(page, "/")+e.path, e.summary)
		}
		if id != nil {
			fmt.Fprintf(w, "\nSHA-256 fingerprint of the certificate (%s):\n  %s\n",
				cmp.Or(id.file, "not kept, another one next time"), id.fingerprint())
		}
		fmt.Fprint(w, "\nCtrl-C closes every connection and stops.\n\n")
	}
	if id != nil && id.unkept != nil {
		log.Warn("the certificate cannot be kept, so the next one will differ", "error", id.unkept)
	}
	if o.anyOrigin {
		log.Warn("with -origin '*' every page on the web may connect from a visitor's browser")
	}
}

// hostOf returns the host by which a server is reached on this machine that
// listens on addr.
func hostOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "localhost"
	}
	return host
}
