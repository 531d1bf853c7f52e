package rules

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/differential/script"
)

// listMarks are those of a field that is a list with a token in it (RFC 9110,
// Section 5.6.1).
func listMarks(field, want string, lines []string) []ID {
	has := func(list string) bool {
		return slices.ContainsFunc(strings.Split(list, ","), func(e string) bool { return strings.EqualFold(strings.TrimSpace(e), want) })
	}
	all := strings.Join(lines, ",")
	suffix := ""
	malformed := slices.ContainsFunc(strings.Split(all, ","), func(e string) bool { return strings.ContainsAny(strings.TrimSpace(e), "; ") })
	switch {
	case len(lines) == 0:
		suffix = listMissing
	case all == "":
		suffix = listBlank
	case has(all) && malformed:
		suffix = listMalformed
	case !has(all) && strings.HasPrefix(strings.ToLower(all), want+";"):
		suffix = listParameter
	case !has(all) && strings.Contains(strings.ToLower(all), want):
		suffix = listSubstring
	case !has(all):
		suffix = listOther
	case len(lines) > 1 && !slices.ContainsFunc(lines, func(l string) bool { return !has(l) }):
		suffix = listSame
	case len(lines) > 1 && strings.EqualFold(lines[0], want):
		suffix = listFirst
	case len(lines) > 1:
		suffix = listLater
	case strings.HasPrefix(all, ",") || strings.HasSuffix(all, ","):
		suffix = listEmpty
	case strings.Contains(all, ","):
		suffix = listElements
	default:
		return nil
	}
	return []ID{ID(field + suffix)}
}

func bodyMarks(role frame.Role, fields map[string][]string) []ID {
	te, lengths := fields["transfer-encoding"], fields["content-length"]
	distinct := slices.Compact(slices.Clone(lengths))
	n := int64(-1)
	if len(distinct) > 0 {
		u, err := strconv.ParseUint(distinct[0], 10, 63)
		if err != nil || len(distinct) > 1 {
			return []ID{BodySyntax}
		}
		n = int64(u)
	}
	switch {
	case len(te) > 0 && len(lengths) > 0:
		return []ID{BodyTwice}
	case len(te) > 0 || n > 0:
		return []ID{Body}
	case n == 0 && role == frame.Client:
		return []ID{BodyZero}
	}
	return nil
}

func acceptMarks(lines []string) []ID {
	switch {
	case len(lines) == 0:
		return []ID{AcceptMissing}
	case lines[0] != script.Accept:
		return []ID{AcceptWrong}
	case len(lines) > 1 && lines[1] != lines[0]:
		return []ID{AcceptTwo}
	case len(lines) > 1:
		return []ID{AcceptTwice}
	}
	return nil
}

func hostMarks(lines []string, http10 bool) []ID {
	switch {
	case len(lines) == 0 && http10:
		return []ID{HostMissing10}
	case len(lines) == 0:
		return []ID{HostMissing}
	case len(lines) > 1:
		return []ID{HostTwice}
	case lines[0] == "":
		return []ID{HostEmpty}
	case strings.Contains(lines[0], " "):
		return []ID{HostInvalid}
	}
	return nil
}

func versionMarks(lines []string) []ID {
	switch {
	case len(lines) == 0:
		return []ID{VersionMissing}
	case len(lines) > 1 && lines[0] == "13":
		return []ID{VersionFirst}
	case len(lines) > 1 && slices.Contains(lines, "13"):
		return []ID{VersionLater}
	case lines[0] == "13":
		return nil
	case lines[0] == "8":
		return []ID{VersionEight}
	case lines[0] == "013" || lines[0] == "+13" || lines[0] == "13.0":
		return []ID{VersionNumber}
	case slices.Contains(strings.Split(lines[0], ", "), "13"):
		return []ID{VersionList}
	}
	return []ID{VersionOther}
}

func keyMarks(lines []string) []ID {
	if len(lines) == 0 || lines[0] == "" && len(lines) == 1 {
		return []ID{KeyMissing}
	}
	if len(lines) > 1 {
		all := []ID{KeyTwice}
		for i := range lines {
			all = append(all, keyMarks(lines[i:i+1])...)
		}
		return all
	}
	key := lines[0]
	strict, err := base64.StdEncoding.Strict().DecodeString(key)
	lenient, lenientErr := base64.StdEncoding.DecodeString(key)
	switch {
	case err == nil && len(strict) == 16:
		return nil
	case lenientErr == nil && len(lenient) == 16:
		return []ID{KeyBits}
	case len(key) == 24:
		return []ID{Key24}
	}
	return []ID{KeyShape}
}

func protocolMarks(role frame.Role, lines []string) []ID {
	if len(lines) == 0 {
		return nil
	}
	list := strings.Join(lines, ",")
	switch {
	case list == "":
		return []ID{ProtocolEmpty}
	case role == frame.Client && lines[0] == "":
		return []ID{ProtocolEmpty}
	case role == frame.Client:
		return []ID{ProtocolUnasked}
	}
	var all []ID
	seen := map[string]bool{}
	for e := range strings.SplitSeq(list, ",") {
		e = strings.TrimSpace(e)
		switch {
		case e == "":
			all = append(all, ProtocolElement)
		case !token.MatchString(e):
			all = append(all, ProtocolToken)
		case seen[e]:
			all = append(all, ProtocolDuplicate)
		}
		seen[e] = true
	}
	if len(lines) > 1 {
		all = append(all, ProtocolLines)
	} else if len(seen) > 1 && len(all) == 0 {
		return []ID{ProtocolSeveral}
	}
	return all
}

func extensionMarks(role frame.Role, lines []string) []ID {
	if len(lines) == 0 {
		return nil
	}
	list := strings.Join(lines, ",")
	if list == "" {
		return []ID{ExtensionEmpty}
	}
	var deflate []ID
	if role == frame.Client && strings.Contains(list, "permessage-deflate") {
		deflate = []ID{ExtensionDeflate}
	}
	for e := range strings.SplitSeq(list, ",") {
		if !extension.MatchString(strings.TrimSpace(e)) {
			return append(deflate, ExtensionSyntax)
		}
	}
	if deflate != nil {
		return deflate
	}
	if role == frame.Client {
		return []ID{ExtensionUnasked}
	}
	return nil
}
