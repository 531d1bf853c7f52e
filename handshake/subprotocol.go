package handshake

import "slices"

// Subprotocol returns the subprotocol a server speaks: the first of preferred
// that is among offered, or "" if they have none in common (RFC 6455, Section
// 4.2.2). Names are compared exactly. It retains neither slice.
func Subprotocol(preferred, offered []string) string {
	for _, name := range preferred {
		if slices.Contains(offered, name) {
			return name
		}
	}
	return ""
}

// walkSubprotocols calls visit for every element of the list that lines add up
// to, which is 1#token without repetition (RFC 6455, Sections 4.1 and 11.3.4), and
// reports whether it is that. Empty elements do not count (RFC 9110, Section
// 5.6.1.2).
func walkSubprotocols(lines []string, visit func(name string)) bool {
	return len(lines) == 0 || walkNames(lines, visit)
}

// walkNames is walkSubprotocols for a field that is there, and apart because of the
// stack that it takes.
func walkNames(lines []string, visit func(name string)) bool {
	var few [16]string
	seen := few[:0]
	var many map[string]bool // once there are more than a client ever sends
	for _, list := range lines {
		for more := true; more; {
			var name string
			name, list, more = nextElement(list)
			if name == "" {
				continue
			}
			if !isToken(name) || many[name] || slices.Contains(seen, name) {
				return false
			}
			switch {
			case many != nil:
				many[name] = true
			case len(seen) < len(few):
				seen = append(seen, name)
			default:
				many = map[string]bool{name: true}
			}
			visit(name)
		}
	}
	return len(seen) > 0
}
