package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/conn/deflate"
	"example.org/rfc6455/frame"
)

// maxRunMessage is the longest message that RunClient echoes.
const maxRunMessage = 64 << 20

// A ClientRun configures [RunClient]. Nil and the zero value run every case, one
// after the other.
type ClientRun struct {
	// Agent is the name of the client in the reports. Empty means rfc6455.
	Agent string

	// Run selects cases by the ids that the tester gives them, as [Select] does.
	// Empty means all.
	Run []string

	// Parallel is how many cases run at the same time. Zero means one, which is
	// all that other testers are known to support.
	Parallel int

	// OnStatus is told what came of each case, one at a time. Nil means nobody.
	OnStatus func(CaseStatus)

	// Dial configures the connections. Nil means the defaults, but with
	// compression. Limits that are zero let the messages of a suite through.
	Dial *conn.DialOptions
}

// A CaseStatus is what a tester made of a case.
type CaseStatus struct {
	Number int    // from 1
	Of     int    // how many cases there are
	ID     string // as the tester calls it
	// Behavior is OK, NON-STRICT, INFORMATIONAL, UNIMPLEMENTED or FAILED.
	Behavior string
}

// RunClient lets a server that tests clients test the client of package conn: a
// [ClientTester], or another one with the same paths. The url is that of the
// server, without a path. It returns the statuses in the order of the cases.
//
// The error is that of a question that the server did not answer, or the cause
// of ctx. How a case ends is not an error.
func RunClient(ctx context.Context, url string, o *ClientRun) ([]CaseStatus, error) {
	r := &clientRun{url: strings.TrimSuffix(url, "/")}
	if o != nil {
		r.ClientRun = *o
	}
	r.Agent = cmp.Or(r.Agent, "rfc6455")
	options := conn.DialOptions{Options: conn.Options{Compression: &conn.Compression{
		Config: deflate.Config{ServerContextTakeover: deflate.Takeover, ClientContextTakeover: deflate.Takeover},
	}}}
	if r.Dial != nil {
		options = *r.Dial
	}
	options.MaxMessageSize = cmp.Or(options.MaxMessageSize, maxRunMessage)
	options.MaxControlRate = cmp.Or(options.MaxControlRate, conn.NoLimit)
	r.Dial = &options

	count, err := r.ask(ctx, "/getCaseCount")
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, fmt.Errorf("conformance: /getCaseCount answered %q", count)
	}
	statuses, err := r.runAll(ctx, n)
	if err != nil {
		return statuses, err
	}
	_, err = r.ask(ctx, "/updateReports?"+r.query(nil))
	return statuses, err
}

// A clientRun is a run of the client.
type clientRun struct {
	ClientRun
	url string
	mu  sync.Mutex // held while OnStatus runs
}

// query returns the parameters of a path.
func (r *clientRun) query(more url.Values) string {
	q := url.Values{"agent": {r.Agent}}
	maps.Copy(q, more)
	return q.Encode()
}

// ask returns the message that the server sends on a path, or "" if it just
// closes.
func (r *clientRun) ask(ctx context.Context, path string) (string, error) {
	c, err := conn.Dial(ctx, r.url+path, r.Dial)
	if err != nil {
		return "", fmt.Errorf("conformance: %s: %w", path, err)
	}
	defer c.CloseNow()
	_, p, err := c.AppendMessage(ctx, nil)
	if err != nil {
		if end, ok := errors.AsType[*conn.CloseError](err); ok && end.Normal() {
			return "", nil
		}
		return "", fmt.Errorf("conformance: %s: %w", path, err)
	}
	c.Discard(ctx)
	return string(p), nil
}

// runAll runs n cases.
func (r *clientRun) runAll(ctx context.Context, n int) ([]CaseStatus, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	statuses := make([]*CaseStatus, n)
	slots := make(chan struct{}, max(r.Parallel, 1))
	var running sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-slots }()
			status, err := r.runCase(ctx, i+1, n)
			if err != nil {
				cancel(err)
				return
			}
			statuses[i] = status
		})
	}
	running.Wait()
	var done []CaseStatus
	for _, s := range statuses {
		if s != nil {
			done = append(done, *s)
		}
	}
	return done, context.Cause(ctx)
}

// runCase runs a case, unless it is not selected.
func (r *clientRun) runCase(ctx context.Context, number, of int) (*CaseStatus, error) {
	which := url.Values{"case": {strconv.Itoa(number)}}
	var info caseInfo
	if err := r.askJSON(ctx, "/getCaseInfo?"+which.Encode(), &info); err != nil {
		return nil, err
	}
	about := &Case{ID: info.ID, Known: info.Known}
	if len(Select([]*Case{about}, r.Run)) == 0 {
		return nil, nil
	}
	if c, err := conn.Dial(ctx, r.url+"/runCase?"+r.query(which), r.Dial); err == nil {
		echo(ctx, c)
		c.Close(frame.CloseNormalClosure, "")
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var status caseStatus
	if err := r.askJSON(ctx, "/getCaseStatus?"+r.query(which), &status); err != nil {
		return nil, err
	}
	s := &CaseStatus{Number: number, Of: of, ID: info.ID, Behavior: status.Behavior}
	if r.OnStatus != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.OnStatus(*s)
	}
	return s, nil
}

func (r *clientRun) askJSON(ctx context.Context, path string, v any) error {
	text, err := r.ask(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("conformance: %s: %w", path, err)
	}
	return nil
}

// echo sends back what comes.
func echo(ctx context.Context, c *conn.Conn) {
	for {
		op, p, err := c.ReadMessage(ctx)
		if err != nil || c.WriteMessage(ctx, op, p) != nil {
			return
		}
	}
}
