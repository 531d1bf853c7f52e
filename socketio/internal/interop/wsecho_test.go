package interop_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// startEcho starts wsecho, which ends with the test, and returns its address.
func startEcho(t *testing.T, flags ...string) (url string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "wsecho")
	build := exec.Command("go", "build", "-o", program, "example.org/rfc6455/cmd/wsecho")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(program, append([]string{"serve", "-addr", "127.0.0.1:0", "-log", "json"}, flags...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if found := address.FindString(lines.Text()); found != "" {
			go func() { // it must not wait for its reader
				for lines.Scan() {
				}
			}()
			return "http://" + found
		}
	}
	t.Fatal("wsecho does not listen")
	return ""
}

// TestChromiumChatPage: the page of wsecho chats, with its own client and with the
// official one, and stays connected.
func TestChromiumChatPage(t *testing.T) {
	wanted(t, "testdata/clients/node_modules/client4")
	b := startBrowser(t)
	for name, flags := range map[string][]string{
		"own client":      nil,
		"official client": {"-sio-client", "testdata/clients/node_modules/client4/dist"},
	} {
		t.Run(name, func(t *testing.T) {
			url := startEcho(t, append(flags, "-sio-ping-interval", "300ms", "-sio-ping-timeout", "1s")...)
			one, two := b.open(t, url+"/chat.html"), b.open(t, url+"/chat.html")
			for _, tab := range []*tab{one, two} {
				tab.await(t, `document.getElementById("state")?.textContent`, `"connected"`)
			}
			one.await(t, `typeof window.io`, map[bool]string{true: `"function"`, false: `"undefined"`}[flags != nil])
			var want []string
			for i := range 10 {
				text := fmt.Sprintf("message %d ü😀 <b>", i)
				want = append(want, text)
				quoted, _ := json.Marshal(text)
				[]*tab{one, two}[i%2].eval(t, fmt.Sprintf(`document.getElementById("input").value = %s; document.getElementById("form").requestSubmit()`, quoted))
				one.await(t, messages, listed(want...))
			}
			two.await(t, messages, listed(want...))
			if got := one.eval(t, `new Promise(done => setTimeout(() => done(document.getElementById("state").textContent), 2000))`); got != `"connected"` {
				t.Errorf("after some pings the page is %s", got)
			}
			two.close(t)
			one.await(t, messages, listed(append(want, "somebody left")...))
			one.close(t)
		})
	}
}

// TestNodeClientOfEcho: Node's client and wsecho.
func TestNodeClientOfEcho(t *testing.T) {
	wanted(t, "testdata/clients/node_modules/client4")
	url := startEcho(t, "-sio-eio3")
	for version, auth := range map[string]string{"4": `{"token":"abc"}`, "3": `{"token":"abc"}`, "2": `{}`} {
		cmd := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", fmt.Sprintf(`
			import client from "client%s"
			const io = client.io ?? client
			const socket = io(%q, {auth: {token: "abc"}})
			socket.on("auth", auth => {
				socket.on("message-back", (...args) => {
					socket.emit("message-with-ack", 3, "4", got => {
						console.log(JSON.stringify([auth, args, got]))
						socket.close()
					})
				})
				socket.emit("message", 1, {two: [true, null]})
			})`, version, url))
		cmd.Dir = "testdata/clients"
		out, err := cmd.CombinedOutput()
		if want := fmt.Sprintf(`[%s,[1,{"two":[true,null]}],3]`, auth); err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("client %s: %v, %s; want %s", version, err, out, want)
		}
	}
}
