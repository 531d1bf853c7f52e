module example.org/rfc6455/fuzz/conformance/peers

go 1.26.0

require (
	example.org/rfc6455 v0.0.0
	github.com/coder/websocket v1.8.15
	github.com/google/go-cmp v0.7.0
	github.com/gorilla/websocket v1.5.3
)

replace example.org/rfc6455 => ../../..
