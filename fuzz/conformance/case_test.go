package conformance_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

var roles = []frame.Role{frame.Server, frame.Client}

// TestKnownCases: each case of the well-known suite is here once for servers and
// for clients.
func TestKnownCases(t *testing.T) {
	var want []string
	for prefix, n := range map[string]int{
		"1.1": 8, "1.2": 8, "2": 11, "3": 7, "4.1": 5, "4.2": 5, "5": 20,
		"6.1": 3, "6.2": 4, "6.3": 2, "6.4": 4, "6.5": 5, "6.6": 11, "6.7": 4, "6.8": 2, "6.9": 4, "6.10": 3,
		"6.11": 5, "6.12": 8, "6.13": 5, "6.14": 10, "6.15": 1, "6.16": 3, "6.17": 5, "6.18": 5, "6.19": 5,
		"6.20": 7, "6.21": 8, "6.22": 34, "6.23": 7,
		"7.1": 6, "7.3": 6, "7.5": 1, "7.7": 13, "7.9": 9, "7.13": 2,
		"9.1": 6, "9.2": 6, "9.3": 9, "9.4": 9, "9.5": 6, "9.6": 6, "9.7": 6, "9.8": 6, "10.1": 1,
		"12.1": 18, "12.2": 18, "12.3": 18, "12.4": 18, "12.5": 18,
		"13.1": 18, "13.2": 18, "13.3": 18, "13.4": 18, "13.5": 18, "13.6": 18, "13.7": 18,
	} {
		for i := range n {
			want = append(want, fmt.Sprintf("%s.%d", prefix, i+1))
		}
	}
	if len(want) != 517 {
		t.Fatalf("%d numbers, want 517", len(want))
	}
	slices.Sort(want)
	for _, role := range roles {
		var got []string
		for _, c := range conformance.Cases(role) {
			if c.Known != "" {
				got = append(got, c.Known)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("known numbers for a %v (-want +got):\n%s", role, diff)
		}
	}
}

// TestCases: ids are unique and of the form that is documented, and people are
// told what a case is about.
func TestCases(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9]+/[0-9]+(\.[0-9]+)*/[a-zA-Z0-9.-]+$`)
	for _, role := range roles {
		seen := map[string]bool{}
		for _, c := range conformance.Cases(role) {
			if seen[c.ID] {
				t.Errorf("%v: two cases %s", role, c.ID)
			}
			seen[c.ID] = true
			if !form.MatchString(c.ID) || c.Group()+"/"+c.Section()+"/" != c.ID[:strings.LastIndex(c.ID, "/")+1] {
				t.Errorf("%v: %s is not group/section/name", role, c.ID)
			}
			if !strings.HasSuffix(c.About, ".") || !strings.HasSuffix(c.Expect, ".") && !strings.HasSuffix(c.Expect, ")") {
				t.Errorf("%v: %s: about %q, expect %q", role, c.ID, c.About, c.Expect)
			}
		}
	}
}

// TestSelect: what patterns match.
func TestSelect(t *testing.T) {
	cases := conformance.Cases(frame.Server)
	tests := []struct {
		patterns []string
		n        int
		first    string
	}{
		{nil, len(cases), "framing/5.2/text-0"},
		{[]string{"*"}, len(cases), "framing/5.2/text-0"},
		{[]string{"framing/5.2/text-0"}, 1, "framing/5.2/text-0"},
		{[]string{"1.1.2"}, 1, "framing/5.2/text-125"},
		{[]string{"1.1"}, 0, ""},
		{[]string{"6.2.*"}, 4, "utf8/5.6/mixed"},
		{[]string{"6.2."}, 4, "utf8/5.6/mixed"},
		{[]string{"6.2*"}, 4 + 7 + 8 + 34 + 7, "utf8/5.6/mixed"},
		{[]string{"control"}, 19, "control/5.5.2/ping-empty"},
		{[]string{"control/"}, 19, "control/5.5.2/ping-empty"},
		{[]string{"contr"}, 0, ""},
		{[]string{"*ten-pings*"}, 2, "control/5.5.3/ten-pings"},
		{[]string{"c*/5.5.3/*by-1"}, 1, "control/5.5.3/ten-pings-by-1"},
		{[]string{"3.7", "2.1", "2.1"}, 2, "control/5.5.2/ping-empty"},
		{[]string{""}, 0, ""},
	}
	for _, tt := range tests {
		got := conformance.Select(cases, tt.patterns)
		if len(got) != tt.n || tt.n > 0 && got[0].ID != tt.first {
			t.Errorf("Select(%q) finds %d cases, want %d from %s on", tt.patterns, len(got), tt.n, tt.first)
		}
	}
	if n := len(conformance.Cases(frame.Server)); n != len(cases) {
		t.Errorf("%d cases after Select, were %d", n, len(cases))
	}
}

// TestVerdict: the words for verdicts.
func TestVerdict(t *testing.T) {
	for v, want := range map[conformance.Verdict]string{
		conformance.Failed: "failed", conformance.Information: "information",
		conformance.Unimplemented: "unimplemented", conformance.Tolerable: "tolerable", conformance.OK: "ok",
	} {
		if b, err := v.MarshalText(); v.String() != want || string(b) != want || err != nil {
			t.Errorf("verdict %d is %q, %q, %v; want %q", v, v, b, err, want)
		}
	}
	var zero conformance.Verdict
	if zero != conformance.Failed {
		t.Error("the zero verdict is not Failed")
	}
}
