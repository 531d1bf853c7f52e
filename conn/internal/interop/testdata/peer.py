"""python3-websockets as an actor, client and server.

The commands and events are described in actor_test.go.
"""

import asyncio
import base64
import http
import json
import sys

import websockets
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

socket = None
conns = 0


def emit(event, conn, **fields):
    print(json.dumps({"event": event, "conn": conn, **fields}), flush=True)


def count():
    global conns
    conns += 1
    return conns


def octets(command):
    return base64.b64decode(command.get("data", ""))


def compression(command, factory, bits=None):
    """Return what the command wants of permessage-deflate, if it says so."""
    deflate = command.get("deflate")
    if deflate is None:
        return {}
    return {
        "compression": None,
        "extensions": [
            factory(
                server_no_context_takeover=deflate.get("serverNoContextTakeover", False),
                client_no_context_takeover=deflate.get("clientNoContextTakeover", False),
                server_max_window_bits=deflate.get("serverMaxWindowBits"),
                client_max_window_bits=deflate.get("clientMaxWindowBits", bits),
            )
        ],
    }


async def receive(ws, conn):
    """Report what comes on a connection until it ends."""
    global socket
    socket = ws
    emit("open", conn, protocol=ws.subprotocol or "")
    try:
        async for message in ws:
            if isinstance(message, str):
                emit("text", conn, text=message)
            else:
                emit("binary", conn, data=base64.b64encode(message).decode())
    except websockets.ConnectionClosedError:
        pass  # reported with its code, as other ends
    await ws.wait_closed()
    emit("close", conn, code=ws.close_code, reason=ws.close_reason, clean=ws.close_code != 1006)


async def connect(command):
    conn = count()
    try:
        ws = await websockets.connect(
            command["url"],
            subprotocols=command.get("protocols"),
            ping_interval=None,
            **compression(command, ClientPerMessageDeflateFactory, bits=True),
        )
    except websockets.InvalidStatusCode as e:
        emit("refused", conn, status=e.status_code, text="")
        return
    await receive(ws, conn)


async def accept(ws):
    conn = count()
    if ws.path == "/bye":
        await ws.send("bye")
        await ws.close(4000, "gone")
    await receive(ws, conn)


async def refuse(path, headers):
    if path == "/refuse":
        return http.HTTPStatus.UNAUTHORIZED, [("WWW-Authenticate", 'Basic realm="x"')], b"who is it"


async def listen(command):
    server = await websockets.serve(
        accept,
        "127.0.0.1",
        0,
        subprotocols=command.get("protocols"),
        process_request=refuse,
        ping_interval=None,
        **compression(command, ServerPerMessageDeflateFactory),
    )
    emit("listening", conns + 1, port=server.sockets[0].getsockname()[1])


async def ping(command):
    conn = conns
    data = octets(command)
    await (await socket.ping(data))
    emit("pong", conn, data=base64.b64encode(data).decode())


async def obey(command):
    do = command["do"]
    if do == "text":
        await socket.send(command.get("text", ""))
    elif do == "binary":
        await socket.send(octets(command))
    elif do == "fragments":
        await socket.send(command["parts"])
    elif do == "pong":
        await socket.pong(octets(command))
    elif do == "raw":
        socket.transport.write(octets(command))
    elif do == "terminate":
        socket.transport.abort()
    elif do == "listen":
        await listen(command)


async def main():
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    tasks = set()
    while line := await lines.readline():
        command = json.loads(line)
        # What waits for the peer must not keep other commands waiting.
        if command["do"] == "connect":
            tasks.add(asyncio.create_task(connect(command)))
        elif command["do"] == "ping":
            tasks.add(asyncio.create_task(ping(command)))
        elif command["do"] == "close":
            tasks.add(asyncio.create_task(socket.close(command.get("code", 1000), command.get("reason", ""))))
        else:
            await obey(command)


asyncio.run(main())
