package conformance

// A Verdict is the judgement of a case, or of how its connection closed. The
// zero value is Failed, which is also what a case has that never began.
type Verdict uint8

const (
	// Failed is a broken rule, or an answer that never came.
	Failed Verdict = iota
	// Information is a case that has no right answer, such as a limit that is
	// the peer's to choose.
	Information
	// Unimplemented is a case about an extension that the peer does not agree
	// to.
	Unimplemented
	// Tolerable is what RFC 6455 allows, though it recommends another way or a
	// stricter reading forbids it.
	Tolerable
	// OK is the recommended behaviour.
	OK
)

var verdictNames = [...]string{Failed: "failed", Information: "information", Unimplemented: "unimplemented", Tolerable: "tolerable", OK: "ok"}

// String returns the verdict in lower case.
func (v Verdict) String() string { return verdictNames[min(v, OK)] }

// MarshalText implements [encoding.TextMarshaler] with the result of String.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// known returns the word that harnesses of the well-known suite read.
func (v Verdict) known() string {
	return [...]string{
		Failed: "FAILED", Information: "INFORMATIONAL", Unimplemented: "UNIMPLEMENTED", Tolerable: "NON-STRICT", OK: "OK",
	}[min(v, OK)]
}
