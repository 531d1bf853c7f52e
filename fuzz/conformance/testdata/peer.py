"""python3-websockets as an echo server, or as a client that asks for its cases.

    python3 peer.py version
    python3 peer.py server
    python3 peer.py client URL AGENT
"""

import asyncio
import sys
import urllib.parse

import websockets

OPTIONS = {"max_size": 64 << 20, "ping_interval": None}


async def echo(ws):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.ConnectionClosed:
        pass


async def serve():
    async with websockets.serve(echo, "127.0.0.1", 0, **OPTIONS) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def ask(url):
    """Return the message that comes on a path."""
    answer = None
    async with websockets.connect(url, **OPTIONS) as ws:
        try:
            async for answer in ws:
                pass
        except websockets.ConnectionClosed:
            pass  # a close without a code counts as an error here
    return answer


async def run(url):
    try:
        async with websockets.connect(url, **OPTIONS) as ws:
            await echo(ws)
    except Exception as e:  # how a case ends is for the tester to judge
        print(type(e).__name__, e, file=sys.stderr)


async def ask_for_cases(url, agent):
    agent = urllib.parse.quote(agent)
    count = int(await ask(url + "/getCaseCount"))
    numbers = iter(range(1, count + 1))

    async def work():
        for number in numbers:
            await run(f"{url}/runCase?case={number}&agent={agent}")

    await asyncio.gather(*(work() for _ in range(16)))
    await ask(f"{url}/updateReports?agent={agent}")
    await ask(url + "/stopServer")


command, *arguments = sys.argv[1:]
if command == "version":
    print(websockets.version.version)
elif command == "server":
    asyncio.run(serve())
else:
    asyncio.run(ask_for_cases(*arguments))
