// Package conformance tests WebSocket servers and clients against RFC 6455 and
// RFC 7692, case by case: framing, masking, control frames, reserved bits and
// opcodes, fragmentation, UTF-8, the closing handshake, large messages, round
// trips, the opening handshake, octets that come early, what is delivered before
// the end, floods, slow peers and resets; then permessage-deflate: negotiation,
// inflation of what is right and of what is broken, and compression of several
// kinds of data under all parameters. Only these last three groups negotiate it.
//
// The peer has to send back every text and binary message as it came, and nothing
// else. The command wsecho conformance runs the suite.
//
// # Testing a server
//
// [Server] makes a connection for each case. The [Report] can be written as a page
// for people, as JSON and as JUnit XML:
//
//	report, err := conformance.Server(ctx, "ws://127.0.0.1:8080/echo", nil)
//	if err != nil {
//		return err // nothing could be tested
//	}
//	conformance.WriteHTML(file, []*conformance.Report{report})
//
// # Testing a client
//
// A [ClientTester] is a server. The client connects to it again and again, in the
// way of harnesses for the Autobahn test suite, which work with it unchanged:
//
//	/getCaseCount                      the number of cases, as a text message
//	/getCaseInfo?case=N                JSON with id, description, known and expect
//	/runCase?case=N&agent=NAME         the case: echo until the connection ends
//	/getCaseStatus?case=N&agent=NAME   JSON with behavior and behaviorClose
//	/updateReports?agent=NAME          have the reports written
//	/stopServer                        stop
//
// N counts from 1 over the cases that were selected; casetuple=ID in place of
// case=N takes an id or a known number. With &shutdownOnComplete=true the tester
// stops after updateReports. A call with a missing or repeated parameter is
// answered with 400. [RunClient] is such a harness for the client of package conn.
//
// # Verdicts
//
// A case has a [Verdict] for what the peer did, and one for how the connection
// closed. OK is the recommended behaviour; whoever gets it from a case with a
// known number gets it from the Autobahn test suite, too. Tolerable is what the
// RFC allows, though it recommends another way. A case for Information has no
// right answer, and one about permessage-deflate is Unimplemented where the peer
// does not agree to that. In cases about the closing handshake the first verdict
// is never better than the second.
//
// An answer that is due at once may take Options.Timeout, a second by default.
// The cases of group compression send fewer messages than the Autobahn test suite
// unless Options.Volume asks for as many.
//
// # Adding a case
//
// A case is a [Case] in the function of its group, such as controlCases: the id
// names the group, the section whose rule is tested, and what is special. Its
// steps are done one after the other, and the first that returns an error ends it:
//
//	{
//		ID:     "control/5.5.2/ping-empty",
//		About:  "Sends a ping without payload.",
//		Expect: "A pong without payload comes back (Section 5.5.3).",
//		steps:  []step{send(ping("")), receive(pongWith("")), closes},
//	}
//
// The functions text, ping, first, last and so on make frames, and methods such
// as rsv, lengthIn and inverse make them wrong. send, sendEach and sendBy send
// them; receive, quiet, fails, echoesThenFails, closes and answersClose say what
// has to come. With deflate a case negotiates permessage-deflate; deflated makes
// frames of octets in hex, and sendDeflated and echoes compress. Steps are shared
// by all runs of a case: what one run has to remember belongs into its session. A
// case is for both roles unless Peers says otherwise, and steps that do not ask
// for the role serve both: the session masks as its role demands.
package conformance
