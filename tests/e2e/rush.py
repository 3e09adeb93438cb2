"""Many requests in one go, each over a connection of its own."""

import asyncio
import json

from harness import HELLO


async def one_call(gateway, gate, head, body):
    reader, writer = await asyncio.open_connection(*gateway.address)
    await gate.wait()
    writer.write(head + body)
    reply = await reader.read()
    writer.close()
    return int(reply.split(b" ", 2)[1])


async def all_at_once(fleet, count, key="client-key", **more):
    """The statuses. Connections first, then every request at the same time; each answer has a hundred tokens."""
    gate = asyncio.Event()
    body = json.dumps({"model": "lab/chat", "messages": HELLO, **more}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        "x-lab-fault: tokens-100\r\n\r\n"
    ).encode()
    calls = [asyncio.create_task(one_call(fleet[i % len(fleet)], gate, head, body)) for i in range(count)]
    await asyncio.sleep(1)
    gate.set()
    return await asyncio.gather(*calls)
