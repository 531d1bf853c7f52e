package mutate

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
)

// WriteFile writes an input into a directory, in the format and under the name that go
// test -fuzz gives to inputs that fail. It returns the file's name.
func WriteFile(dir string, values []reflect.Value) (string, error) {
	var b bytes.Buffer
	b.WriteString("go test fuzz v1\n")
	for _, v := range values {
		switch v.Kind() {
		case reflect.Slice:
			fmt.Fprintf(&b, "[]byte(%q)\n", v.Bytes())
		case reflect.String:
			fmt.Fprintf(&b, "string(%q)\n", v.String())
		default:
			fmt.Fprintf(&b, "%v(%v)\n", v.Type(), v)
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	name := filepath.Join(dir, fmt.Sprintf("%x", sha256.Sum256(b.Bytes()))[:16])
	return name, os.WriteFile(name, b.Bytes(), 0o666)
}
