package interop_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A transcript keeps what a program says, for the log of a test that failed.
type transcript struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// startProcess runs a program until the test ends. It keeps what the program says
// on standard error, and on standard output if that goes nowhere else. The channel
// is closed when the program ends.
func startProcess(t *testing.T, cmd *exec.Cmd) (ended <-chan struct{}, said *transcript) {
	t.Helper()
	said = new(transcript)
	cmd.Stderr = said
	if cmd.Stdout == nil {
		cmd.Stdout = said
	}
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait()
		close(done)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-done
		if t.Failed() {
			t.Logf("%s says:\n%s", cmd.Path, said)
		}
	})
	return done, said
}

// await asks again and again until ready returns true, which a program that was
// started does not tell by itself.
func await(t *testing.T, what string, ended <-chan struct{}, ready func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for !ready() {
		select {
		case <-ended:
			t.Fatalf("the program ended; want %s", what)
		case <-timeout:
			t.Fatalf("timeout; want %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// tempDir is t.TempDir with a name short enough for the sockets in it.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// writeFile writes a file and returns its name.
func writeFile(t *testing.T, dir, name, content string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A certificate is self-signed.
type certificate struct {
	tls.Certificate
	pem  string         // the certificate and its key
	pool *x509.CertPool // trusts it
}

// newCertificate makes a certificate for a host.
func newCertificate(t *testing.T, host string) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{host},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}, &x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return certificate{
		tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) +
			string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
		pool,
	}
}
