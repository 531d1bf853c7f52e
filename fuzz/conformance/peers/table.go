package main

import (
	"errors"
	"fmt"
	"strings"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

// The markers between which a file has the tables.
const (
	begin = "<!-- verdicts: written by the command in fuzz/conformance/peers -->\n"
	end   = "<!-- end of verdicts -->\n"
)

// replace returns text with other tables between its markers.
func replace(text, tables string) (string, error) {
	before, rest, ok := strings.Cut(text, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", errors.New("there are no markers for the tables")
	}
	return before + begin + "\n" + tables + "\n" + end + after, nil
}

// tables writes a table of the servers and one of the clients, with a row for each
// group of cases.
func tables(reports []*conformance.Report) string {
	var all []string
	for _, role := range []frame.Role{frame.Server, frame.Client} {
		var columns []*conformance.Report
		for _, r := range reports {
			if r.Role == role {
				columns = append(columns, r)
			}
		}
		if len(columns) > 0 {
			all = append(all, table(role, columns))
		}
	}
	return strings.Join(all, "\n")
}

func table(role frame.Role, columns []*conformance.Report) string {
	var b strings.Builder
	row := func(first string, cell func(r *conformance.Report) string) {
		fmt.Fprintf(&b, "| %s |", first)
		for _, r := range columns {
			fmt.Fprintf(&b, " %s |", cell(r))
		}
		b.WriteString("\n")
	}
	row(role.String(), func(r *conformance.Report) string { return r.Agent })
	row("---", func(*conformance.Report) string { return "---" })
	for _, group := range groups(role) {
		row(group, func(r *conformance.Report) string { return cell(r, group) })
	}
	row("all", func(r *conformance.Report) string { return cell(r, "") })
	return b.String()
}

// groups returns the groups of cases for peers in a role, in their order.
func groups(role frame.Role) []string {
	var list []string
	for _, c := range conformance.Cases(role) {
		if g := c.Group(); len(list) == 0 || list[len(list)-1] != g {
			list = append(list, g)
		}
	}
	return list
}

// cell says how many cases of a group, or of all, came out how.
func cell(r *conformance.Report, group string) string {
	var parts []string
	for _, v := range []conformance.Verdict{conformance.OK, conformance.Tolerable, conformance.Unimplemented, conformance.Information, conformance.Failed} {
		if n := r.Count(group, v); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %v", n, v))
		}
	}
	if parts == nil {
		return "-"
	}
	return strings.Join(parts, ", ")
}
