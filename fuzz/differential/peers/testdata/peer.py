"""python3-websockets plays the scripts that it is told on standard input, one JSON
value a line, and tells what came of each on standard output. See process.go for
both. A script's connection is a transport in memory that behaves as the tape of
tape.go does.
"""

import asyncio
import base64
import hashlib
import json
import logging
import re
import sys

import websockets
from websockets.legacy.client import WebSocketClientProtocol
from websockets.legacy.server import WebSocketServer, WebSocketServerProtocol
from websockets.uri import parse_uri

MAX_SIZE = int(sys.argv[1])


class Tape(asyncio.Transport):
    def __init__(self, job):
        super().__init__()
        self.job = job
        self.sent = b""
        self.opened = job["opened"]
        self.closed = False
        self.paused = False
        self.waits = 0
        self.ended = asyncio.get_running_loop().create_future()
        self.pieces = [] if job["client"] else self.greeting(octets(job["head"]))
        if self.opened:
            self.pieces += self.cut(octets(job["later"]))

    def start(self, protocol):
        self.protocol = protocol
        protocol.connection_made(self)
        self.soon()

    def soon(self, turns=2):
        """Give the next piece after what the one before has set off."""
        self.waits += 1
        self.wait(self.waits, turns)

    def wait(self, number, turns):
        if number != self.waits:
            return  # there is a later one
        if turns > 0:
            asyncio.get_running_loop().call_soon(self.wait, number, turns - 1)
        else:
            self.give()

    def give(self):
        if self.closed or self.paused:
            return
        if self.pieces:
            self.protocol.data_received(self.pieces.pop(0))
            # The end of the stream closes the transport, whatever is still to be
            # done: it is for a time when there is nothing.
            self.soon(2 if self.pieces else 100)
        elif self.opened:
            self.opened = False
            if not self.protocol.eof_received():
                self.close()

    def greeting(self, head):
        """The head, and in one piece with the end of it the early octets."""
        pieces = self.cut(head)
        pieces[-1] += octets(self.job["early"])
        return pieces

    def cut(self, data):
        sizes = self.job["sizes"] or [max(1, len(data))]
        pieces = []
        while data:
            n = sizes[len(pieces) % len(sizes)]
            pieces.append(data[:n])
            data = data[n:]
        return pieces

    def write(self, data):
        if self.closed:
            return
        before = b"\r\n\r\n" in self.sent
        self.sent += data
        if before or b"\r\n\r\n" not in self.sent or self.job["opened"]:
            return
        self.opened = True
        if self.job["client"]:
            key = re.search(rb"\r\nsec-websocket-key: *(\S+)", self.sent, re.I)[1]
            digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
            head = octets(self.job["head"]).replace(b"{accept}", base64.b64encode(digest))
            self.pieces = self.greeting(head)
        elif not self.sent.startswith(b"HTTP/1.1 101"):
            self.job["later"] = ""
        self.pieces += self.cut(octets(self.job["later"]))
        self.soon()

    def close(self):
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.lost)

    abort = close

    def lost(self):
        self.protocol.connection_lost(None)
        self.ended.set_result(None)

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False
        self.soon()

    def can_write_eof(self):
        return False

    def get_write_buffer_size(self):
        return 0

    def set_write_buffer_limits(self, high=None, low=None):
        pass


class Listening:
    """What a connection's server asks of what it listens on."""

    def is_serving(self):
        return True


def octets(data):
    return base64.b64decode(data)


async def receive(ws, job):
    try:
        async for message in ws:
            opcode, payload = (1, message.encode()) if isinstance(message, str) else (2, message)
            job["messages"].append({"opcode": opcode, "payload": base64.b64encode(payload).decode()})
    except websockets.ConnectionClosedError:
        pass  # seen on the wire


async def play(job, server):
    job["messages"] = []
    tape = Tape(job)
    accepted = False
    options = {"max_size": MAX_SIZE, "ping_interval": None}
    if job["client"]:
        ws = WebSocketClientProtocol(host="server.example.com", port=80, **options)
        tape.start(ws)
        try:
            await ws.handshake(parse_uri("ws://server.example.com/chat"))
            accepted = True
            await receive(ws, job)
        except (websockets.InvalidHandshake, websockets.InvalidMessage, ValueError):
            tape.close()
    else:
        tape.start(WebSocketServerProtocol(lambda ws: receive(ws, job), server, **options))
    await tape.ended
    result = {"id": job["id"], "messages": job["messages"], "accepted": accepted}
    result["sent"] = base64.b64encode(tape.sent).decode()
    print(json.dumps(result), flush=True)


async def main():
    logging.disable()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)
    server = WebSocketServer()
    server.server = Listening()
    lines = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    tasks = set()
    while line := await lines.readline():
        task = asyncio.create_task(play(json.loads(line), server))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
