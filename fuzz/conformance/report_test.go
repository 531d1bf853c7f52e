package conformance_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

// someCases returns cases of servers by their ids.
func someCases(t *testing.T, ids ...string) []*conformance.Case {
	t.Helper()
	cases := conformance.Select(conformance.Cases(frame.Server), ids)
	if len(cases) != len(ids) {
		t.Fatalf("%d cases for %q", len(cases), ids)
	}
	return cases
}

// twoReports returns what a server and a client might have got.
func twoReports(t *testing.T) []*conformance.Report {
	c := someCases(t, "framing/5.2/text-0", "framing/5.2/text-125", "close/7.4/code-0", "close/7.4.2/code-5000")
	began := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	request := []byte("GET / HTTP/1.1\r\nHost: <b>\r\n\r\n")
	return []*conformance.Report{{
		Agent: "bad & <mad>", Role: frame.Server, URL: "ws://example.com/", Began: began, Ended: began.Add(1500 * time.Millisecond),
		Results: []conformance.Result{
			{Case: c[0], Verdict: conformance.OK, Close: conformance.OK, Why: "as expected", CloseWhy: "as expected", Code: 1000, Duration: time.Millisecond,
				Log: []conformance.Entry{
					{Direction: conformance.Sent, What: "request", Octets: request, Size: int64(len(request))},
					{At: 500 * time.Microsecond, Direction: conformance.Received, What: "text FIN, 5 octets", Octets: []byte("\x81\x05He"), Size: 7},
					{At: time.Millisecond, Direction: conformance.Noted, What: "the end"},
				}},
			{Case: c[1], Verdict: conformance.OK, Close: conformance.Failed, Why: "as expected", CloseWhy: "no answer\x00", Duration: time.Second},
			{Case: c[2], Verdict: conformance.Tolerable, Close: conformance.OK, Why: "only just", CloseWhy: "as expected"},
			{Case: c[3], Verdict: conformance.Information, Close: conformance.Information, Why: "1002", CloseWhy: "as expected"},
		},
	}, {
		Agent: "good", Role: frame.Client, Began: began, Ended: began.Add(time.Second),
		Results: []conformance.Result{
			{Case: c[0], Verdict: conformance.OK, Close: conformance.OK, Why: "as expected", CloseWhy: "as expected"},
			{Case: c[1], Verdict: conformance.Unimplemented, Close: conformance.OK, Why: "does not agree", CloseWhy: "as expected"},
		},
	}}
}

// TestCount: the worse of the two verdicts counts.
func TestCount(t *testing.T) {
	reports := twoReports(t)
	if n := reports[1].Count("framing", conformance.Unimplemented); n != 1 {
		t.Errorf("%d unimplemented cases, want 1", n)
	}
	r := reports[0]
	tests := []struct {
		group string
		v     conformance.Verdict
		n     int
	}{
		{"", conformance.OK, 1}, {"", conformance.Failed, 1}, {"", conformance.Tolerable, 1}, {"", conformance.Information, 1},
		{"framing", conformance.OK, 1}, {"framing", conformance.Failed, 1}, {"framing", conformance.Tolerable, 0},
		{"close", conformance.Tolerable, 1}, {"utf8", conformance.OK, 0},
	}
	for _, tt := range tests {
		if n := r.Count(tt.group, tt.v); n != tt.n {
			t.Errorf("Count(%q, %v) = %d, want %d", tt.group, tt.v, n, tt.n)
		}
	}
}

// TestWriteJSON: what the JSON has.
func TestWriteJSON(t *testing.T) {
	var b strings.Builder
	if err := conformance.WriteJSON(&b, twoReports(t)); err != nil {
		t.Fatal(err)
	}
	var got struct{ Agents []map[string]any }
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	first := got.Agents[0]
	cases := first["cases"].([]any)
	if len(got.Agents) != 2 || len(cases) != 4 {
		t.Fatalf("%d agents, %d cases; want 2 and 4", len(got.Agents), len(cases))
	}
	c := cases[0].(map[string]any)
	delete(c, "about")
	delete(c, "expect")
	want := map[string]any{
		"id": "framing/5.2/text-0", "known": "1.1.1", "group": "framing", "section": "5.2", "verdict": "ok", "why": "as expected",
		"close": "ok", "closeWhy": "as expected", "code": 1000.0, "duration": 1.0, "log": []any{
			map[string]any{"at": 0.0, "direction": "sent", "what": "request", "size": 29.0,
				"octets": "474554202f20485454502f312e310d0a486f73743a203c623e0d0a0d0a"},
			map[string]any{"at": 0.5, "direction": "received", "what": "text FIN, 5 octets", "octets": "81054865", "size": 7.0},
			map[string]any{"at": 1.0, "direction": "note", "what": "the end"},
		},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("the first case (-want +got):\n%s", diff)
	}
	delete(first, "cases")
	want = map[string]any{
		"agent": "bad & <mad>", "role": "server", "url": "ws://example.com/", "began": "2024-05-06T07:08:09Z", "duration": 1500.0,
		"counts": map[string]any{"failed": 1.0, "information": 1.0, "ok": 1.0, "tolerable": 1.0, "unimplemented": 0.0},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("the first agent (-want +got):\n%s", diff)
	}
}

// TestWriteJUnit: what build servers read.
func TestWriteJUnit(t *testing.T) {
	var b strings.Builder
	if err := conformance.WriteJUnit(&b, twoReports(t)); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Time  string `xml:"time,attr"`
			Cases []struct {
				Class   string `xml:"classname,attr"`
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
				Output string `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 6 || got.Failures != 1 || got.Skipped != 1 || len(got.Suites) != 3 {
		t.Fatalf("%d tests, %d failures, %d skipped, %d suites; want 6, 1, 1 and 3", got.Tests, got.Failures, got.Skipped, len(got.Suites))
	}
	framing, closing := got.Suites[0], got.Suites[1]
	if framing.Name != "bad & <mad> framing" || framing.Time != "1.001" || framing.Cases[0].Name != "framing/5.2/text-0 1.1.1" {
		t.Errorf("the first suite is %+v", framing)
	}
	if f := framing.Cases[1].Failure; framing.Cases[0].Failure != nil || f == nil || f.Message != "close: no answer\ufffd" {
		t.Errorf("the failures are %+v", framing.Cases)
	}
	if s := got.Suites[2].Cases[1].Skipped; s == nil || s.Message != "does not agree" || framing.Cases[1].Skipped != nil {
		t.Errorf("what was not implemented is %+v", got.Suites[2].Cases[1])
	}
	if closing.Cases[0].Failure != nil || !strings.HasPrefix(closing.Cases[0].Output, "tolerable: only just") {
		t.Errorf("a tolerable case is %+v", closing.Cases[0])
	}
}

// TestWriteHTML: the page has everything, escaped, and asks nobody for more.
func TestWriteHTML(t *testing.T) {
	var b strings.Builder
	if err := conformance.WriteHTML(&b, twoReports(t)); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"bad &amp; &lt;mad&gt;", `Host: &lt;b&gt;`, "81 05 48 65 … 3 more", "the end", "as expected", "no answer",
		"framing/5.2/text-0", "7.9.1", "1 failed", "1 unimplemented", "not run", "Sends a text message of 125 octets in one frame.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, not := range []string{"<mad>", "<b>", "src=", "http-equiv", "@import", "url(", "<link", "ZgotmplZ"} {
		if strings.Contains(page, not) {
			t.Errorf("the page has %q", not)
		}
	}
}

// TestWriteErrors: the error of the writer is returned.
func TestWriteErrors(t *testing.T) {
	full := errors.New("disk full")
	for name, write := range map[string]func(io.Writer, []*conformance.Report) error{
		"WriteHTML": conformance.WriteHTML, "WriteJSON": conformance.WriteJSON, "WriteJUnit": conformance.WriteJUnit,
	} {
		r, w := io.Pipe()
		r.CloseWithError(full)
		if err := write(w, twoReports(t)); !errors.Is(err, full) {
			t.Errorf("%s returned %v, want %v", name, err, full)
		}
	}
}

// TestEntry: how a line of a wire log is printed.
func TestEntry(t *testing.T) {
	tests := []struct {
		entry conformance.Entry
		want  string
	}{
		{conformance.Entry{At: 1234 * time.Microsecond, Direction: conformance.Received, What: "pong FIN, 2 octets", Octets: []byte("\x8a\x02Hi"), Size: 4},
			"      1.2 ms  received  pong FIN, 2 octets  8a 02 48 69"},
		{conformance.Entry{Direction: conformance.Sent, What: "request", Octets: []byte("GET / HTTP/1.1\r\n"), Size: 20},
			`      0.0 ms  sent      request  "GET / HTTP/1.1\r\n" … 4 more`},
		{conformance.Entry{Direction: conformance.Noted, What: "the end"}, "      0.0 ms  note      the end"},
	}
	for _, tt := range tests {
		if got := tt.entry.String(); got != tt.want {
			t.Errorf("String() = %q, want %q", got, tt.want)
		}
	}
}

// TestEveryOctet: the wire log is whole only if that is asked for.
func TestEveryOctet(t *testing.T) {
	for _, every := range []bool{false, true} {
		l := conntest.Listen()
		go listenAs(l, "", nil)
		report, err := conformance.Server(t.Context(), "ws://example.com", &conformance.Options{
			Run: []string{"1.1.6", "2.11", "masking/5.3/every-length"}, Dial: l.Dial, EveryOctet: every, Timeout: patience,
		})
		l.Close()
		if err != nil {
			t.Fatal(err)
		}
		whole, most, omitted := true, 0, false
		for _, r := range report.Results {
			for _, e := range r.Log {
				whole = whole && int64(len(e.Octets)) == e.Size
				omitted = omitted || strings.Contains(e.What, "left out")
			}
			most = max(most, len(r.Log))
		}
		if whole != every || omitted == every || most > 220 && !every {
			t.Errorf("EveryOctet %t: all octets %t, omitted entries %t, %d entries", every, whole, omitted, most)
		}
	}
}
