"""The clients of the campaign: many keep-alive connections in one event loop, and what each request saw.

An answer ends in one of these ways:

    whole     complete, with its finish and (streamed) its [DONE]
    refused   an HTTP error with a JSON body
    error     streamed: an explicit error event, no [DONE]
    silent    it looks complete and is not, or it stops without a word
    left      the client itself went away
"""

import asyncio
import json
import random
import time
from dataclasses import dataclass

CHAT = "/v1/chat/completions"
QUESTION = [{"role": "user", "content": "Tell me about the harbour."}]
LONGEST_ANSWER_S = 60


@dataclass(slots=True)
class Seen:
    """One request as its client saw it. Times are seconds on the monotonic clock."""

    name: str  # our x-request-id, the ledger's client_request_id
    stream: bool
    began: float
    ended: float = 0.0
    silence: float = 0.0  # between the last two pieces
    status: int = 0
    end: str = "silent"
    why: str = ""
    provider: str = ""
    text: str = ""
    usage: tuple | None = None  # (prompt tokens, completion tokens)

    @property
    def good(self):
        return self.end == "whole"


@dataclass(frozen=True)
class Load:
    model: str
    requests: int
    connections: int = 48
    streamed: float = 0.0  # share of the requests
    rate: float | None = None  # requests a second; none: as fast as the answers come
    seconds: float | None = None  # instead of a number of requests
    leaving: float = 0.0  # share of the clients that leave in the middle of a stream
    path: str = CHAT
    headers: tuple = ()


class Script:
    """What is asked, in which order; the same for the same seed."""

    def __init__(self, load, seed, prefix, progress):
        self.load, self.prefix, self.progress = load, prefix, progress
        self.chance = random.Random(seed)
        self.began = time.monotonic()
        self.asked = 0
        self.seen = []
        self.bodies = {stream: self._body(stream) for stream in (False, True)}

    def _body(self, stream):
        body = {"model": self.load.model, "messages": QUESTION}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return json.dumps(body).encode()

    def over(self):
        if self.load.seconds is not None:
            return time.monotonic() - self.began >= self.load.seconds
        return self.asked >= self.load.requests

    def due(self):
        """Seconds until the next request may be sent."""
        if self.load.rate is None:
            return 0.0
        return max(0.0, self.began + self.asked / self.load.rate - time.monotonic())

    def next(self):
        """(request bytes, Seen, events to read before leaving)."""
        name = f"{self.prefix}-{self.asked}"
        self.asked += 1
        stream = self.chance.random() < self.load.streamed
        leave_after = self.chance.randrange(1, 20) if stream and self.chance.random() < self.load.leaving else None
        body = self.bodies[stream]
        lines = [f"POST {self.load.path} HTTP/1.1", "Host: campaign", "Content-Type: application/json"]
        lines += ["Authorization: Bearer client-key", f"x-request-id: {name}", f"Content-Length: {len(body)}"]
        lines += [f"{field}: {value}" for field, value in self.load.headers]
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        return request, Seen(name, stream, time.monotonic()), leave_after

    def done(self, seen):
        self.seen.append(seen)
        if len(self.seen) % 50 == 0:
            self.progress(self.share())

    def share(self):
        """How much of the load is done."""
        if self.load.seconds is not None:
            return (time.monotonic() - self.began) / self.load.seconds
        return len(self.seen) / self.load.requests


class Client(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, script, finished):
        self.script, self.finished = script, finished
        self.seen = self.transport = self.leave_after = self.watch = None
        self.buffer = b""
        self.head_end = -1
        self.last_piece = 0.0

    def connection_made(self, transport):
        self.transport = transport
        self._next()

    def _next(self):
        if self.transport.is_closing():
            return
        if self.script.over():
            self.transport.close()
            return
        wait = self.script.due()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._next)
            return
        request, self.seen, self.leave_after = self.script.next()
        self.buffer, self.head_end = b"", -1
        self.last_piece = self.seen.began
        self.transport.write(request)
        self.watch = asyncio.get_running_loop().call_later(LONGEST_ANSWER_S, self.transport.abort)

    def data_received(self, data):
        if self.seen is None:
            return
        now = time.monotonic()
        self.seen.silence, self.last_piece = now - self.last_piece, now
        self.buffer += data
        if self.head_end < 0 and not self._read_head():
            return
        if self.leave_after is not None and self.buffer.count(b"\ndata: ") >= self.leave_after:
            self.seen.end = "left"
            self.transport.abort()
        elif self._is_complete():
            judge(self.seen, self.head, self._body())
            self._done()
            if b"\r\nconnection: close" in self.head:
                self.transport.close()
            else:
                self._next()

    def _read_head(self):
        self.head_end = self.buffer.find(b"\r\n\r\n")
        if self.head_end < 0:
            return False
        self.head = self.buffer[: self.head_end].lower()
        self.seen.status = int(self.head[9:12])
        self.length = field(self.head, b"content-length")
        return True

    def _is_complete(self):
        if self.length is None:
            return self.buffer.endswith(b"\r\n0\r\n\r\n") or self.buffer[self.head_end :] == b"\r\n\r\n0\r\n\r\n"
        return len(self.buffer) >= self.head_end + 4 + int(self.length)

    def _body(self):
        body = self.buffer[self.head_end + 4 :]
        return body if self.length is not None else dechunked(body)

    def _done(self):
        self.seen.ended = time.monotonic()
        self.watch.cancel()
        self.script.done(self.seen)
        self.seen = None

    def connection_lost(self, _):
        if self.seen is not None:
            if self.seen.end != "left":
                self.seen.why = "the connection closed in the middle of the answer"
            self._done()
        self.finished()


def field(head, name):
    at = head.find(b"\r\n" + name + b":")
    if at < 0:
        return None
    return head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip()


def dechunked(body):
    out, at = [], 0
    while True:
        end = body.find(b"\r\n", at)
        size = int(body[at:end], 16)
        if size == 0:
            return b"".join(out)
        out.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def judge(seen, head, body):
    seen.provider = (field(head, b"x-sluice-provider") or b"").decode()
    try:
        if seen.status != 200:
            seen.why = json.loads(body)["error"]["message"]
            seen.end = "refused"
        elif seen.stream:
            judge_stream(seen, body)
        else:
            answer = json.loads(body)
            seen.text = answer["choices"][0]["message"]["content"]
            seen.usage = usage_of(answer)
            seen.end = "whole" if answer["choices"][0]["finish_reason"] else "silent"
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        seen.end, seen.why = "silent", f"not readable: {problem!r}: {body[-120:]!r}"


def judge_stream(seen, body):
    events = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    done = bool(events) and events[-1].strip() == b"[DONE]"
    chunks = [json.loads(event) for event in events if event.strip() != b"[DONE]"]
    errors = [chunk["error"] for chunk in chunks if chunk.get("error")]
    choices = [choice for chunk in chunks for choice in chunk.get("choices") or []]
    seen.text = "".join(choice["delta"].get("content") or "" for choice in choices)
    seen.usage = next((usage_of(chunk) for chunk in chunks if chunk.get("usage")), None)
    finished = any(choice.get("finish_reason") for choice in choices)
    if done and finished and not errors:
        seen.end = "whole"
    elif errors and not done:
        seen.end, seen.why = "error", errors[0].get("message", "")
    else:
        seen.end, seen.why = "silent", f"done: {done}, finish: {finished}, errors: {len(errors)}"


def usage_of(answer):
    usage = answer.get("usage")
    return (usage["prompt_tokens"], usage["completion_tokens"]) if usage else None


async def _run(address, script):
    loop = asyncio.get_running_loop()
    left = script.load.connections
    all_done = loop.create_future()

    def finished():
        nonlocal left
        if script.over():
            left -= 1
            if left == 0 and not all_done.done():
                all_done.set_result(None)
        else:
            asyncio.ensure_future(connect())

    async def connect():
        try:
            await loop.create_connection(lambda: Client(script, finished), *address)
        except OSError:
            finished()

    for _ in range(script.load.connections):
        await connect()
    await all_done


def drive(address, load, seed, prefix, progress=lambda share: None):
    """Every request of the load, in the order they ended."""
    script = Script(load, seed, prefix, progress)
    asyncio.run(_run(address, script))
    return script.seen
