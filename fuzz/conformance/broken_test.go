package conformance_test

import (
	"testing"
	"testing/synctest"

	"example.org/rfc6455/conn/conntest"
	"example.org/rfc6455/frame"
	"example.org/rfc6455/fuzz/conformance"
)

const (
	failed    = conformance.Failed
	tolerable = conformance.Tolerable
	ok        = conformance.OK

	unimplemented = conformance.Unimplemented
)

// brokenPeers have a fault each, which the suite has to find in certain cases.
// Without the fault these cases are OK.
var brokenPeers = []struct {
	fault   string
	ignores error
	peers   conformance.Peers // zero is both
	id      string
	verdict conformance.Verdict
	close   conformance.Verdict
}{
	{"", frame.ErrInvalidUTF8, 0, "utf8/8.1/surrogate-in-text", failed, failed},
	{"", frame.ErrInvalidUTF8, 0, "utf8/8.1/overlong-slash-1", failed, failed},
	{"", frame.ErrInvalidUTF8, 0, "close/5.5.1/reason-not-utf8", failed, failed},
	{"late UTF-8", nil, 0, "utf8/8.1/fail-fast-fragments", tolerable, ok},
	{"late UTF-8", nil, 0, "utf8/8.1/fail-fast-in-frame-octets", tolerable, ok},
	{"late UTF-8", nil, 0, "utf8/8.1/fail-fast-f490", tolerable, ok},
	{"only the last pong", nil, 0, "control/5.5.3/ten-pings-by-1", failed, failed},
	{"only the last pong", nil, 0, "fragmentation/5.4/ping-between-whole", failed, failed},
	{"empty pongs", nil, 0, "control/5.5.2/ping-text", failed, failed},
	{"no pongs", nil, 0, "control/5.5.3/ten-pings", failed, failed},
	{"no pongs", nil, 0, "faults/10.4/10000-pings", failed, failed},
	{"answers pongs", nil, 0, "control/5.5.3/pong-unsolicited", failed, failed},
	{"", frame.ErrReservedBits, 0, "reserved/5.2/rsv-4-text", failed, failed},
	{"", frame.ErrReservedBits, 0, "reserved/5.2/rsv-2-after-text", failed, failed},
	{"", frame.ErrReservedOpcode, 0, "reserved/5.2/opcode-5", failed, failed},
	{"", frame.ErrReservedOpcode, 0, "reserved/5.2/opcode-11", failed, failed},
	{"", frame.ErrMaskRequired, conformance.Servers, "masking/5.1/unmasked-text", failed, failed},
	{"", frame.ErrMaskForbidden, conformance.Clients, "masking/5.1/masked-text", failed, failed},
	{"", frame.ErrLengthNotMinimal, 0, "framing/5.2/length-125-in-16-bits", failed, failed},
	{"", frame.ErrControlTooLong, 0, "control/5.5/ping-126", failed, failed},
	{"", frame.ErrControlFragmented, 0, "fragmentation/5.5/ping-fragmented", failed, failed},
	{"", frame.ErrUnexpectedContinuation, 0, "fragmentation/5.4/continuation-first-whole", failed, failed},
	{"", frame.ErrExpectedContinuation, 0, "fragmentation/5.4/message-in-message", failed, failed},
	{"", frame.ErrCloseCode, 0, "close/7.4/code-1005", failed, failed},
	{"", frame.ErrClosePayload, 0, "close/5.5.1/one-octet", failed, failed},
	{"1011 for every failure", nil, 0, "control/5.5/ping-126", ok, failed},
	{"1011 for every failure", nil, 0, "close/5.5.1/one-octet", failed, failed},
	{"1011 for every Close", nil, 0, "framing/5.2/text-0", ok, failed},
	{"1011 for every Close", nil, 0, "close/7.4/code-3000", failed, failed},
	{"no Close frame when failing", nil, 0, "reserved/5.2/rsv-4-text", ok, tolerable},
	{"no Close frame when failing", nil, 0, "close/7.4/code-0", tolerable, tolerable},
	{"ignores failures", nil, 0, "reserved/5.2/opcode-3", failed, failed},
	{"no answer to Close", nil, 0, "framing/5.2/text-0", ok, failed},
	{"no answer to Close", nil, 0, "close/5.5.1/code", failed, failed},
	{"empty answer to Close", nil, 0, "close/5.5.1/code", tolerable, tolerable},
	{"message after Close", nil, 0, "close/5.5.1/code", failed, failed},
	{"leaves TCP open", nil, conformance.Servers, "framing/5.2/binary-125", ok, failed},
	{"binary echoes", nil, 0, "framing/5.2/text-125", failed, failed},
	{"cuts at 64 KiB", nil, 0, "limits/10.4/text-64KiB", failed, failed},
	{"drops empty messages", nil, 0, "framing/5.2/binary-0", failed, failed},
	{"echoes twice", nil, 0, "framing/5.2/text-125", failed, failed},
	{"echoes twice", nil, 0, "fragmentation/5.4/two-whole", failed, failed},
	{"wrong masking", nil, 0, "framing/5.2/text-125", failed, failed},
	{"long lengths", nil, 0, "framing/5.2/text-125", failed, failed},
	{"one masking key", nil, conformance.Clients, "masking/5.3/fresh-keys", failed, failed},
	{"any version", nil, conformance.Servers, "handshake/4.4/version-14", failed, failed},
	{"any key", nil, conformance.Servers, "handshake/4.2.1/key-15-octets", failed, failed},
	{"loses early octets", nil, conformance.Servers, "early/4.1/with-request-text", failed, failed},
	{"loses early octets", nil, conformance.Clients, "early/4.1/with-response-half-frame", failed, failed},
	{"any accept", nil, conformance.Clients, "handshake/4.1/accept-of-another-key", failed, ok},
	{"any status", nil, conformance.Clients, "handshake/4.1/status-200", failed, ok},
	{"", frame.ErrReservedBits, 0, "inflation/7692.6/rsv-ping", failed, failed},
	{"", frame.ErrReservedBits, 0, "inflation/7692.6/rsv-continuation", failed, failed},
	{"", frame.ErrInvalidUTF8, 0, "inflation/8.1/utf8-surrogate", failed, failed},
	{"compresses with any window", nil, 0, "compression/7692.7.1.2/peer-window-8", failed, failed},
	{"compresses with any window", nil, 0, "compression/7692.7.1.2/peer-window-14-alone", failed, failed},
	{"compresses with any window", nil, 0, "13.3.11", failed, failed},
	{"compresses with takeover", nil, 0, "compression/7692.7.1.1/takeover-own", failed, failed},
	{"inflates with a small window", nil, 0, "compression/7692.7.1.2/own-window-9", failed, failed},
	{"inflates with a small window", nil, 0, "compression/7692.7.1.2/own-window-15", failed, failed},
	{"inflates without takeover", nil, 0, "inflation/7692.7.2.3.2/shared-window", failed, failed},
	{"inflates without takeover", nil, 0, "inflation/7692.7.2.3.2/shared-window-after-bfinal", tolerable, ok},
	{"inflates with any window", nil, 0, "inflation/7692.7.2.2/window-exceeded", tolerable, ok},
	{"inflates with any window", nil, 0, "inflation/7692.7.2.2/context-exceeded", tolerable, ok},
	{"echoes what it can inflate", nil, 0, "inflation/7692.7.2.2/block-type-after-hello", failed, failed},
	{"echoes what it can inflate", nil, 0, "inflation/7692.7.2.2/truncated", tolerable, ok},
	{"1002 for data", nil, 0, "inflation/7692.7.2.2/distance-before-start", ok, tolerable},
	{"no compression", nil, 0, "12.1.1", unimplemented, ok},
	{"no compression", nil, 0, "inflation/7692.7.2.2/block-type", unimplemented, ok},
	{"no compression", nil, conformance.Servers, "negotiation/7692.7.1/offer-server-alone", unimplemented, ok},
	{"declines parameters", nil, conformance.Servers, "negotiation/7692.7.1/offer-server-alone", tolerable, ok},
	{"every message alone", nil, 0, "inflation/7692.6/uncompressed-between", unimplemented, ok},
	{"400 for bad offers", nil, conformance.Servers, "negotiation/7692.7.1/offer-server-bits-7", tolerable, ok},
	{"400 for bad offers", nil, conformance.Servers, "negotiation/7692.5/offer-after-bad", tolerable, ok},
	{"takes larger windows", nil, conformance.Clients, "negotiation/7692.7.1/answer-client-bits-larger", failed, ok},
	{"takes larger windows", nil, conformance.Clients, "negotiation/7692.7.1/answer-server-bits-larger", failed, ok},
	{"takes client bits that it did not offer", nil, conformance.Clients, "negotiation/7692.7.1/answer-client-bits-unoffered", failed, ok},
	{"no compression", nil, conformance.Clients, "negotiation/7692.7.1/answer-client-bits-unoffered", unimplemented, ok},
	{"every message alone", nil, conformance.Clients, "negotiation/7692.7.1/answer-server-alone-missing", ok, ok},
	{"agrees to any offer", nil, conformance.Servers, "negotiation/7692.7.1/offer-server-bits-7", failed, failed},
	{"answers without parameters", nil, conformance.Servers, "negotiation/7692.7.1.2.1/offer-server-bits-9", failed, failed},
	{"client bits in every answer", nil, conformance.Servers, "negotiation/7692.7.1/offer-plain", failed, failed},
	{"agrees to any answer", nil, conformance.Clients, "negotiation/7692.7.1/answer-unknown", failed, ok},
	{"one key for all", nil, conformance.Clients, "handshake/4.1/fresh-key", failed, failed},
}

// TestBrokenServers: servers with a fault get the verdicts that they deserve.
func TestBrokenServers(t *testing.T) { testBroken(t, conformance.Clients, testServer) }

// TestBrokenClients: clients with a fault get the verdicts that they deserve.
func TestBrokenClients(t *testing.T) { testBroken(t, conformance.Servers, testClient) }

// testBroken tests the peers of brokenPeers but for those that are others alone.
func testBroken(t *testing.T, others conformance.Peers, test func(t *testing.T, id, fault string, ignores error) conformance.Result) {
	for _, tt := range brokenPeers {
		if tt.peers == others {
			continue
		}
		t.Run(tt.fault+"/"+tt.id, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := test(t, tt.id, "", nil); got.Verdict != ok || got.Close != ok {
					t.Errorf("without the fault: %v, %s; close %v, %s", got.Verdict, got.Why, got.Close, got.CloseWhy)
				}
				got := test(t, tt.id, tt.fault, tt.ignores)
				if got.Verdict != tt.verdict || got.Close != tt.close {
					t.Errorf("%v, %s; close %v, %s; want %v and %v", got.Verdict, got.Why, got.Close, got.CloseWhy, tt.verdict, tt.close)
				}
			})
		})
	}
}

// testServer runs a case against a server with a fault.
func testServer(t *testing.T, id, fault string, ignores error) conformance.Result {
	t.Helper()
	l := conntest.Listen()
	defer l.Close()
	go listenAs(l, fault, ignores)
	report, err := conformance.Server(t.Context(), "ws://example.com/", &conformance.Options{Run: []string{id}, Dial: l.Dial})
	if err != nil || len(report.Results) != 1 {
		t.Fatalf("Server returned %+v, %v", report, err)
	}
	return report.Results[0]
}

// testClient has a client with a fault run a case, the second time that counts.
func testClient(t *testing.T, id, fault string, ignores error) conformance.Result {
	t.Helper()
	l := conntest.Listen()
	tester := &conformance.ClientTester{Options: &conformance.Options{Run: []string{id}}}
	served := make(chan error, 1)
	go func() { served <- tester.Serve(l) }()
	for range 2 {
		if err := dialAs(l.Dial, id, fault, ignores); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	}
	tester.Stop()
	if err := <-served; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	reports := tester.Reports()
	if len(reports) != 1 || len(reports[0].Results) != 1 {
		t.Fatalf("the reports are %+v", reports)
	}
	return reports[0].Results[0]
}
