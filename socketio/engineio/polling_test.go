package engineio_test

import (
	"testing"
	"testing/synctest"
)

func TestPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		get := c.begin("GET", c.base, "")
		c.post("4hello\x1ebAQID").want(t, 200, "ok")
		(<-get).want(t, 200, "4hello\x1ebAQID")
		if got, want := w.log.take(), "hello; \x01\x02\x03"; got != want {
			t.Errorf("the receiver saw %q, want %q", got, want)
		}
	})
}

func TestUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, nil, nil)
		c := w.poller("EIO=4")
		get := c.begin("GET", c.base, "")
		s := c.upgrade()
		s.send("2probe")
		s.want("3probe")
		(<-get).want(t, 200, "6")
		c.post("4a").want(t, 200, "ok")
		s.send("5")
		s.want("4a")
		s.send("4b")
		s.want("4b")
		s.Close(1000, "")
		if got, want := w.log.take(), "a; b; closed: transport close"; got != want {
			t.Errorf("the receiver saw %q, want %q", got, want)
		}
	})
}
