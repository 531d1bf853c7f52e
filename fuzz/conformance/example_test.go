package conformance_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"example.org/rfc6455/conn"
	"example.org/rfc6455/fuzz/conformance"
)

// A server is tested by the cases about masking, and by one of the Autobahn test
// suite.
func ExampleServer() {
	s := httptest.NewServer(&conn.Server{Handler: func(c *conn.Conn) {
		for m, err := range c.Messages(context.Background()) {
			if err != nil || c.WriteMessage(context.Background(), m.Opcode, m.Payload) != nil {
				return
			}
		}
	}})
	defer s.Close()
	report, err := conformance.Server(context.Background(), s.URL, &conformance.Options{Run: []string{"masking", "7.3.2"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range report.Results {
		if r.Failed() {
			fmt.Println(r.Case.ID, r.Why, r.CloseWhy)
		}
	}
	fmt.Println(report.Count("", conformance.OK), "of", len(report.Results), "are ok")
	// Output: 13 of 13 are ok
}

// A client is tested by letting it ask for its cases. This one is of package conn;
// its own loop would do the same.
func ExampleClientTester() {
	tester := &conformance.ClientTester{Options: &conformance.Options{Run: []string{"control"}}}
	s := httptest.NewUnstartedServer(nil)
	go tester.Serve(s.Listener)
	defer tester.Stop()
	_, err := conformance.RunClient(context.Background(), "ws://"+s.Listener.Addr().String(), &conformance.ClientRun{Agent: "mine", Parallel: 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range tester.Reports() {
		fmt.Println(r.Agent, r.Count("", conformance.OK), "of", len(r.Results), "are ok")
	}
	// Output: mine 19 of 19 are ok
}
