package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// certificateLife is how long a self-signed certificate is valid, and
	// renewal how long before its end it is replaced.
	certificateLife = 90 * 24 * time.Hour
	renewal         = 7 * 24 * time.Hour
)

// An identity is the certificate of a server.
type identity struct {
	certificate *tls.Certificate
	file        string // that has it; empty if none does
	unkept      error  // why none does
}

// identify returns the certificate of -cert or -tls, or nil without them. It
// makes that of -tls if none is kept that is good at the time now.
func identify(o *serveOptions, configDir func() (string, error), now time.Time) (*identity, error) {
	if o.cert != "" {
		c, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return nil, fmt.Errorf("%w; -cert and -key want PEM files that belong together: a certificate with its chain, and its private key", err)
		}
		return &identity{certificate: &c, file: o.cert}, nil
	}
	if !o.tls {
		return nil, nil
	}
	host := hostOf(o.addr)
	names := []string{"localhost", "127.0.0.1", "::1"}
	if slices.Contains(names, host) {
		host = "localhost"
	} else {
		names = append(names, host)
	}
	dir, unkept := configDir()
	file := filepath.Join(dir, "wsecho", fileName(host))
	if unkept == nil {
		if c, err := tls.LoadX509KeyPair(file, file); err == nil && covers(c.Leaf, names, now) {
			return &identity{certificate: &c, file: file}, nil
		}
	}
	encoded, err := makeCertificate(names, now)
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair(encoded, encoded)
	if err != nil {
		return nil, err
	}
	if unkept == nil {
		unkept = keep(file, encoded)
	}
	if unkept != nil {
		file = ""
	}
	return &identity{&c, file, unkept}, nil
}

// fileName returns the name of the file for the certificate of a host.
func fileName(host string) string {
	return "self-signed-" + strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '_'
	}, host) + ".pem"
}

// covers reports whether the certificate is for all names, and will be for a
// while.
func covers(c *x509.Certificate, names []string, now time.Time) bool {
	for _, name := range names {
		if c.VerifyHostname(name) != nil {
			return false
		}
	}
	return now.After(c.NotBefore) && now.Before(c.NotAfter.Add(-renewal))
}

// makeCertificate returns a new self-signed certificate and its key, in PEM. It
// cannot sign others, so it does no harm where somebody trusts it.
func makeCertificate(names []string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "wsecho"},
		NotBefore:             now.Add(-time.Hour), // for clocks that are behind
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return b.Bytes(), nil
}

// keep writes a file that only the user can read, whole or not at all.
func keep(file string, content []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "new-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(content); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// fingerprint returns the SHA-256 fingerprint of the certificate, as browsers
// show it.
func (id *identity) fingerprint() string {
	sum := sha256.Sum256(id.certificate.Certificate[0])
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}
