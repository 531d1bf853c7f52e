package conn

import (
	"fmt"
	"os"
	"reflect"
	"testing"
)

// TestMain runs the tests and sees that none has written to what all outboxes share.
func TestMain(m *testing.M) {
	code := m.Run()
	if !reflect.ValueOf(&noQueue).Elem().IsZero() {
		fmt.Printf("noQueue was written to: %+v\n", noQueue)
		code = 1
	}
	os.Exit(code)
}
