package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/handshake"
)

// A call is one connection of a client: a case, or a question about one.
type call struct {
	nc      net.Conn
	request *handshake.Request
	head    []byte // of the request
	early   []byte // what came with it
	query   url.Values
}

// route serves a call by its path.
func (t *ClientTester) route(c *call) {
	path, query, err := split(c.request.Target)
	if err != nil {
		refuse(c.nc, 400, err.Error())
		return
	}
	c.query = query
	if err := t.dispatch(c, path); err != nil {
		refuse(c.nc, err.status, err.text)
	}
}

// A callError refuses a call.
type callError struct {
	status int
	text   string
}

func badCall(format string, args ...any) *callError {
	return &callError{400, fmt.Sprintf(format, args...)}
}

func (t *ClientTester) dispatch(c *call, path string) *callError {
	switch path {
	case "/getCaseCount":
		return c.answer(strconv.Itoa(len(t.cases)))
	case "/getCaseInfo":
		test, err := t.caseOf(c)
		if err != nil {
			return err
		}
		return c.answerJSON(caseInfo{test.ID, test.About, test.Known, test.Expect})
	case "/runCase":
		test, name, err := t.caseAndAgent(c)
		if err == nil {
			t.runCase(c, test, name)
		}
		return err
	case "/getCaseStatus":
		test, name, err := t.caseAndAgent(c)
		if err != nil {
			return err
		}
		result := t.awaitResult(test, name)
		if result == nil {
			return &callError{503, "stopped"}
		}
		return c.answerJSON(caseStatus{result.Verdict.known(), result.Close.known()})
	case "/updateReports":
		return t.updateReports(c)
	case "/stopServer":
		defer t.Stop()
		return c.answer("")
	}
	return &callError{404, "the paths are /getCaseCount, /getCaseInfo, /runCase, /getCaseStatus, /updateReports and /stopServer"}
}

type caseInfo struct {
	ID          string `json:"id"`
	Description string `json:"description"`
	Known       string `json:"known,omitempty"`
	Expect      string `json:"expect"`
}

type caseStatus struct {
	Behavior      string `json:"behavior"`
	BehaviorClose string `json:"behaviorClose"`
}

func (t *ClientTester) updateReports(c *call) *callError {
	if _, err := c.parameter("agent"); err != nil {
		return err
	}
	if t.OnUpdate != nil {
		t.update.Lock()
		err := t.OnUpdate(t.Reports())
		t.update.Unlock()
		if err != nil {
			return &callError{500, err.Error()}
		}
	}
	if c.query.Get("shutdownOnComplete") == "true" {
		defer t.Stop()
	}
	return c.answer("")
}

// split takes a request-target apart.
func split(target string) (path string, query url.Values, err error) {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return "", nil, err
	}
	query, err = url.ParseQuery(u.RawQuery)
	return u.Path, query, err
}

// parameter returns a parameter that must be there once. A call without a name
// could otherwise leave a result that belongs to nobody.
func (c *call) parameter(name string) (string, *callError) {
	values := c.query[name]
	if len(values) != 1 || values[0] == "" {
		return "", badCall("the parameter %s is needed once", name)
	}
	return values[0], nil
}

// caseOf returns the case of the parameter case, a number, or casetuple, an ID or
// a known number.
func (t *ClientTester) caseOf(c *call) (*Case, *callError) {
	if c.query.Has("casetuple") {
		id, err := c.parameter("casetuple")
		if err != nil {
			return nil, err
		}
		for _, test := range t.cases {
			if id == test.ID || id == test.Known {
				return test, nil
			}
		}
		return nil, badCall("there is no case %q in this run", id)
	}
	number, err := c.parameter("case")
	if err != nil {
		return nil, err
	}
	n, convErr := strconv.Atoi(number)
	if convErr != nil || n < 1 || n > len(t.cases) {
		return nil, badCall("there is no case %q: the cases count from 1 to %d", number, len(t.cases))
	}
	return t.cases[n-1], nil
}

func (t *ClientTester) caseAndAgent(c *call) (test *Case, name string, err *callError) {
	if test, err = t.caseOf(c); err == nil {
		name, err = c.parameter("agent")
	}
	return test, name, err
}

func (c *call) answerJSON(v any) *callError {
	b, err := json.Marshal(v)
	if err != nil {
		return &callError{500, err.Error()}
	}
	return c.answer(string(b))
}

// answer opens the connection, sends a text message unless it is empty, and
// closes.
func (c *call) answer(message string) *callError {
	if err := c.request.Validate(); err != nil {
		return badCall("%v", err)
	}
	response, err := handshake.AppendResponse(nil, c.request.Key(), "", nil, nil)
	if err != nil {
		return badCall("%v", err)
	}
	if _, err := c.nc.Write(response); err != nil {
		return nil // there is nobody to tell
	}
	ws := conn.New(c.nc, frame.Server, conn.Handshake{Target: c.request.Target, Early: c.early}, nil)
	if message != "" {
		ws.WriteMessage(context.Background(), frame.OpText, []byte(message))
	}
	ws.Close(frame.CloseNoStatusReceived, "")
	return nil
}

// refuse answers a request that opens nothing.
func refuse(nc net.Conn, status int, text string) {
	b, err := handshake.AppendRefusal(nil, status, nil, text+"\n")
	if err == nil {
		nc.Write(b)
	}
}
