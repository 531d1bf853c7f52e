package interop_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.org/rfc6455/socketio/engineio"
)

// TestChromium: the clients of npm in a browser, with a server of another origin.
func TestChromium(t *testing.T) {
	t.Parallel()
	need(t, "chromium", func() bool {
		_, err := exec.LookPath("chromium")
		return err == nil
	})
	nodeModules := filepath.Join("testdata", "node", "node_modules")
	need(t, "engine.io of npm", func() bool { return fileExists(filepath.Join(nodeModules, "client6", "package.json")) })

	reports, next, done := make(chan string), make(chan string), make(chan bool)
	script := "" // of the page that is visited
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page.html":
			http.ServeFile(w, r, filepath.Join("testdata", "page.html"))
		case "/client.js":
			w.Header().Set("Cache-Control", "no-store")
			http.ServeFile(w, r, filepath.Join(nodeModules, script))
		case "/report":
			b, _ := io.ReadAll(r.Body)
			select {
			case reports <- string(b):
			case <-done:
			}
			select {
			case url := <-next:
				io.WriteString(w, url)
			case <-done:
			}
		default:
			http.NotFound(w, r)
		}
	}))
	defer pages.Close()
	defer close(done)

	const echoed = "text smile 😀 €; octets 0,30,255; text the end; close transport close"
	scripts := map[int]string{6: "client6/dist/engine.io.min.js", 4: "client4/dist/engine.io.min.js", 3: "client3/engine.io.js"}
	setups := []struct {
		name    string
		options map[string]any
		foreign bool // whether the pages may not connect
		want    string
	}{
		{"upgrade", map[string]any{"withCredentials": true}, false, "open polling; " + echoed},
		{"polling", map[string]any{"transports": []string{"polling"}}, false, "open polling; " + echoed},
		{"websocket", map[string]any{"transports": []string{"websocket"}}, false, "open websocket; " + echoed},
		{"polling of a page that may not", map[string]any{"transports": []string{"polling"}}, true, "error xhr poll error; close transport error"},
		{"websocket of a page that may not", map[string]any{"transports": []string{"websocket"}}, true, "error websocket error; close transport error"},
	}
	group, visiting := t, false
	for _, version := range []int{6, 4, 3} {
		for _, setup := range setups {
			t.Run(fmt.Sprintf("engine.io-client %d/%s", version, setup.name), func(t *testing.T) {
				o := &engineio.Options{EIO3: true, Cookie: &http.Cookie{}}
				if !setup.foreign {
					// Another port is another origin.
					o.Origins, o.CORS = []string{pages.URL}, &engineio.CORS{Credentials: true}
				}
				server, ended := serve(t, o)
				script = scripts[version]
				options, err := json.Marshal(setup.options)
				if err != nil {
					t.Fatal(err)
				}
				page := pages.URL + "/page.html?" + url.Values{"server": {server}, "options": {string(options)}}.Encode()
				if visiting {
					next <- page
				} else {
					visit(group, page)
					visiting = true
				}
				select {
				case got := <-reports:
					if got != setup.want {
						t.Errorf("the page saw %q, want %q", got, setup.want)
					}
				case <-time.After(patience):
					t.Fatal("the page reports nothing")
				}
				if !strings.HasPrefix(setup.want, "error") {
					wantEnd(t, ended, "forced close")
				}
			})
		}
	}
}

// visit shows a page in a browser until the test ends.
func visit(t *testing.T, url string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--no-proxy-server", "--user-data-dir="+dir, "--remote-debugging-port=0", url)
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		// Its other processes end by themselves, and may write until they have.
		for range 100 {
			if os.RemoveAll(dir) == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}
