package conformance

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"example.org/rfc6455/frame"
)

// The JSON of a report. Times are in milliseconds, octets in hex.
type (
	jsonReports struct {
		Agents []jsonReport `json:"agents"`
	}
	jsonReport struct {
		Agent    string         `json:"agent"`
		Role     string         `json:"role"`
		URL      string         `json:"url,omitempty"`
		Began    time.Time      `json:"began"`
		Duration float64        `json:"duration"`
		Counts   map[string]int `json:"counts"`
		Cases    []jsonCase     `json:"cases"`
	}
	jsonCase struct {
		ID       string          `json:"id"`
		Known    string          `json:"known,omitempty"`
		Group    string          `json:"group"`
		Section  string          `json:"section"`
		About    string          `json:"about"`
		Expect   string          `json:"expect"`
		Verdict  Verdict         `json:"verdict"`
		Why      string          `json:"why"`
		Close    Verdict         `json:"close"`
		CloseWhy string          `json:"closeWhy"`
		Code     frame.CloseCode `json:"code,omitempty"`
		Duration float64         `json:"duration"`
		Log      []jsonEntry     `json:"log"`
	}
	jsonEntry struct {
		At        float64   `json:"at"`
		Direction Direction `json:"direction"`
		What      string    `json:"what"`
		Octets    string    `json:"octets,omitempty"`
		Size      int64     `json:"size,omitempty"`
	}
)

// WriteJSON writes all that the reports have: an object whose field agents is a
// list of them, each with counts of the worst verdicts and its cases. The error
// is that of w.
func WriteJSON(w io.Writer, reports []*Report) error {
	all := jsonReports{Agents: []jsonReport{}}
	for _, r := range reports {
		j := jsonReport{
			Agent: r.Agent, Role: r.Role.String(), URL: r.URL,
			Began: r.Began.UTC(), Duration: inMilliseconds(r.Ended.Sub(r.Began)),
			Counts: map[string]int{}, Cases: []jsonCase{},
		}
		for _, v := range verdicts {
			j.Counts[v.String()] = r.Count("", v)
		}
		for i := range r.Results {
			j.Cases = append(j.Cases, jsonOf(&r.Results[i]))
		}
		all.Agents = append(all.Agents, j)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(all)
}

func jsonOf(r *Result) jsonCase {
	c := jsonCase{
		ID: r.Case.ID, Known: r.Case.Known, Group: r.Case.Group(), Section: r.Case.Section(),
		About: r.Case.About, Expect: r.Case.Expect,
		Verdict: r.Verdict, Why: r.Why, Close: r.Close, CloseWhy: r.CloseWhy, Code: r.Code,
		Duration: inMilliseconds(r.Duration), Log: []jsonEntry{},
	}
	for _, e := range r.Log {
		c.Log = append(c.Log, jsonEntry{inMilliseconds(e.At), e.Direction, e.What, hex.EncodeToString(e.Octets), e.Size})
	}
	return c
}

func inMilliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
