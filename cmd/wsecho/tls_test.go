package main

import (
	"crypto/ecdsa"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// TestSelfSigned: what the certificate says, for which -addr.
func TestSelfSigned(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		addr string
		file string
		name string // besides those that all have
	}{
		{"127.0.0.1:8080", "self-signed-localhost.pem", "localhost"},
		{"[::1]:8080", "self-signed-localhost.pem", "localhost"},
		{":8080", "self-signed-localhost.pem", "localhost"},
		{"0.0.0.0:8080", "self-signed-localhost.pem", "localhost"},
		{"192.0.2.7:8080", "self-signed-192.0.2.7.pem", "192.0.2.7"},
		{"[2001:db8::1]:8080", "self-signed-2001_db8__1.pem", "2001:db8::1"},
		{"dev.example:8080", "self-signed-dev.example.pem", "dev.example"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		id := mustIdentify(t, &serveOptions{addr: tt.addr, tls: true}, dir, now)
		if want := filepath.Join(dir, "wsecho", tt.file); id.file != want || id.unkept != nil {
			t.Errorf("%s: kept in %s, %v; want %s", tt.addr, id.file, id.unkept, want)
		}
		c := id.certificate.Leaf
		for _, name := range []string{"localhost", "127.0.0.1", "::1", tt.name} {
			if err := c.VerifyHostname(name); err != nil {
				t.Errorf("%s: %v", tt.addr, err)
			}
		}
		if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve.Params().Name != "P-256" {
			t.Errorf("%s: key %T, want ECDSA P-256", tt.addr, c.PublicKey)
		}
		if c.IsCA || !c.NotAfter.Equal(now.Add(90*24*time.Hour)) || c.NotBefore.After(now) {
			t.Errorf("%s: CA %t, valid from %v to %v", tt.addr, c.IsCA, c.NotBefore, c.NotAfter)
		}
		info, err := os.Stat(id.file)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: others may read the key: %v", tt.addr, info.Mode())
		}
	}
}

func mustIdentify(t *testing.T, o *serveOptions, dir string, now time.Time) *identity {
	t.Helper()
	id, err := identify(o, func() (string, error) { return dir, nil }, now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestSelfSignedKept: the certificate stays the same until it nears its end, or
// its file is spoilt.
func TestSelfSignedKept(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	o := &serveOptions{addr: "127.0.0.1:0", tls: true}
	first := mustIdentify(t, o, dir, now)
	for _, after := range []time.Duration{0, day, 82 * day} {
		if id := mustIdentify(t, o, dir, now.Add(after)); id.fingerprint() != first.fingerprint() {
			t.Errorf("another certificate after %v", after)
		}
	}
	second := mustIdentify(t, o, dir, now.Add(84*day))
	if second.fingerprint() == first.fingerprint() {
		t.Error("the same certificate in its last week")
	}
	other := mustIdentify(t, &serveOptions{addr: "192.0.2.7:0", tls: true}, dir, now.Add(84*day))
	if other.fingerprint() == second.fingerprint() {
		t.Error("the same certificate for another host")
	}
	if id := mustIdentify(t, o, dir, now.Add(84*day)); id.fingerprint() != second.fingerprint() {
		t.Error("a certificate for another host took the place of the first")
	}
	if err := os.WriteFile(second.file, []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if id := mustIdentify(t, o, dir, now.Add(84*day)); id.fingerprint() == second.fingerprint() || id.unkept != nil {
		t.Error("a spoilt file was not replaced")
	}
}

// TestSelfSignedUnkept: without a place for it the certificate serves all the
// same.
func TestSelfSignedUnkept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	noHome := errors.New("no home")
	for _, configDir := range []func() (string, error){
		func() (string, error) { return "", noHome },
		func() (string, error) { return file, nil }, // no directory
	} {
		id, err := identify(&serveOptions{addr: ":0", tls: true}, configDir, time.Now())
		if err != nil || id.certificate == nil || id.file != "" || id.unkept == nil {
			t.Errorf("identify = %+v, %v; want a certificate that is not kept", id, err)
		}
	}
}
