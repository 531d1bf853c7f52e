package interop_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// A wsecho is a running cmd/wsecho.
type wsecho struct {
	process *os.Process
	addr    string
	ended   <-chan struct{}
}

// startWsecho builds cmd/wsecho and runs it on a free port.
func startWsecho(t *testing.T, args ...string) *wsecho {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "wsecho.exe") // a name for every system
	goTool(t, "build", "-o", binary, "../../../cmd/wsecho")
	cmd := exec.Command(binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	ended, said := startProcess(t, cmd)
	w := &wsecho{cmd.Process, "", ended}
	listens := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	await(t, "wsecho to say where it listens", ended, func() bool {
		w.addr = listens.FindString(said.String())
		return w.addr != ""
	})
	return w
}

// TestWsecho: the program echoes, and closes with 1001 when it is told to stop.
func TestWsecho(t *testing.T) {
	t.Parallel()
	theirs := startNodeWS(t)
	w := startWsecho(t)
	theirs.begin()
	theirs.do(t, command{Do: "connect", URL: "ws://" + w.addr + "/echo"})
	theirs.want(t, event{Event: "open"})
	for _, size := range []int{0, 1, 126, 65536, 1 << 20} {
		theirs.do(t, command{Do: "text", Text: text(size)})
		theirs.do(t, command{Do: "fragments", Parts: []string{text(size), text(size)}})
		theirs.do(t, command{Do: "binary", Data: octets(binary(size))})
		theirs.want(t, event{Event: "text", Text: text(size)})
		theirs.want(t, event{Event: "text", Text: text(size) + text(size)})
		theirs.want(t, event{Event: "binary", Data: octets(binary(size))})
	}
	w.process.Signal(os.Interrupt)
	theirs.want(t, event{Event: "close", Code: 1001, Clean: true})
	select {
	case <-w.ended:
	case <-time.After(patience):
		t.Error("wsecho does not end")
	}
}

// testWsechoPage: a person opens the page, connects, sends a message, sees the
// echo and closes; then the same with compression, and sees what it has come to.
func testWsechoPage(t *testing.T, b *browser) {
	w := startWsecho(t)
	p := b.open(t, "http://"+w.addr+"/")
	if err := p.eval("window.at = (id) => document.getElementById(id), 0", nil); err != nil {
		t.Fatal(err)
	}
	const message = "<b>Grüße</b> 😀"
	for _, step := range []struct{ do, until string }{
		{"at('connect').click()", "!at('send').disabled"},
		{fmt.Sprintf("at('payload').value = %q", message), "true"},
		{"at('send').click()", "at('received').innerText.startsWith('1 ')"},
		{"", fmt.Sprintf("at('log').innerText.split(%q).length === 3", message)}, // sent and received
		{"", "at('rtt').innerText.endsWith('ms')"},
		{"at('reason').value = 'seen enough'", "true"},
		{"at('close').click()", "at('state').innerText.includes('1000')"},
		{"at('url').value += '?deflate=on'", "true"},
		{"at('connect').click()", "at('state').innerText.includes('permessage-deflate')"},
		{"at('payload').value = 'compress me, '.repeat(100)", "true"},
		{"at('send').click()", "/^[0-9.]+ %, [0-9.]+ %$/.test(at('ratios').innerText)"},
	} {
		if err := p.eval(step.do, nil); err != nil {
			t.Fatalf("%s: %v", step.do, err)
		}
		await(t, step.until, w.ended, func() (ok bool) {
			if err := p.eval(step.until, &ok); err != nil {
				t.Fatalf("%s: %v", step.until, err)
			}
			return ok
		})
	}
}
