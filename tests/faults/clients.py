"""Clients that misbehave (C* of the catalogue): each must get what it deserves, and nobody else must notice."""

import gzip
import json
import socket
import struct
import time
from dataclasses import dataclass

import driver
import judges
import stage
import views

ROUNDS = 5
WAIT_S = 20
SHORT_TIMEOUTS = {"server": {"head_timeout": "1s", "body_timeout": "1s"}}
PIPELINED = 20


@dataclass(frozen=True)
class Case:
    name: str = "clients"
    what: str = "clients that misbehave, between good ones"
    goal: str = "C1-C18"


def body_of(**more):
    return json.dumps({"model": "spread", "messages": driver.QUESTION, **more}).encode()


def request(body=None, lines=(), name="clients-0", length=True, start="POST /v1/chat/completions HTTP/1.1"):
    body = body_of() if body is None else body
    head = [start, "Host: campaign", "Content-Type: application/json", f"x-request-id: {name}", *lines]
    if length:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def chunked(extension=b""):
    body = body_of()
    pieces = b"%x%s\r\n%s\r\n0\r\n\r\n" % (len(body), extension, body)
    return request(pieces, ["Transfer-Encoding: chunked"], length=False)


# (name, what it sends, statuses that are right; 0: closed without an answer)
SENDS = (
    ("C8 both lengths", request(lines=["Transfer-Encoding: chunked"]), {400}),
    ("C8 odd coding", request(lines=["Transfer-Encoding: xchunked"], length=False), {400, 501}),
    ("C8 two lengths", request(lines=["Content-Length: 3"]), {400}),
    ("C8 NUL in a header", request(lines=["X-Odd: a\x00b"]), {400}),
    ("C8 folded header", request(lines=["X-Odd: a", " b"]), {400}),
    ("C9 small extension", chunked(b";a=b"), {200}),
    ("C9 huge extension", chunked(b";a=" + b"b" * 100_000), {0, 400, 413, 431}),
    ("C10 CONNECT", b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n", {400, 404, 405, 501}),
    ("C10 HTTP/0.9", b"GET /\r\n\r\n", {0, 400}),
    ("C10 HTTP/1.0 chunked", chunked().replace(b"HTTP/1.1", b"HTTP/1.0"), {400}),
    ("C11 70 KB of headers", request(lines=["X-Odd: " + "a" * 70_000]), {431}),
    ("C11 200 fields", request(lines=[f"X-Odd-{n}: a" for n in range(200)]), {431}),
    ("C11 70 KB of path", request(start=f"POST /{'a' * 70_000} HTTP/1.1"), {414, 431}),
    ("C12 100-continue", request(lines=["Expect: 100-continue"]), {200}),
    ("C12 another Expect", request(lines=["Expect: a-wonder"]), {417}),
    ("C13 a body too large", request(b"{}", ["Content-Length: 99999999999"], length=False), {413}),
    ("C14 no UTF-8", request(body_of().replace(b"harbour", b"\xff\xfe")), {400}),
    ("C15 100,000 deep", request(b'{"model":"spread","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), {400}),
    ("C16 the model twice", request(b'{"model":"spread","model":"a/chat","messages":[]}'), {400}),
    ("C17 a gzip bomb", request(gzip.compress(b" " * 64_000_000), ["Content-Encoding: gzip"]), {400, 413, 415}),
)


def connect(address):
    return socket.create_connection(address, timeout=WAIT_S)


def read_answer(client):
    """The whole of one answer's bytes, informational ones before it left out; empty: closed without one."""
    got = b""
    while True:
        head, found, rest = got.partition(b"\r\n\r\n")
        if found and b" 100 " in head.split(b"\r\n", 1)[0]:
            got = rest
            continue
        if found:
            length = driver.field(head.lower(), b"content-length")
            if length is None and rest.endswith(b"0\r\n\r\n"):
                return got
            if length is not None and len(rest) >= int(length):
                return got
        try:
            piece = client.recv(65536)
        except ConnectionError:
            return got
        if not piece:
            return got
        got += piece


def status_of(answer):
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def send_and_read(address, sent):
    with connect(address) as client:
        try:
            client.sendall(sent)
        except ConnectionError:
            pass  # refused while we were still sending: the answer may be there all the same
        return status_of(read_answer(client))


def leaves_with_a_reset(address):
    """C1: gone before the answer."""
    with connect(address) as client:
        client.sendall(request())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


def closes_its_half(address):
    """C3: cannot be told from a client that left, so it is let go; or it is answered."""
    with connect(address) as client:
        client.sendall(request())
        client.shutdown(socket.SHUT_WR)
        return status_of(read_answer(client)) in (0, 200)


def reads_slowly(address):
    """C4: the stream waits for it and is whole."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(WAIT_S)
        client.connect(address)
        client.sendall(request(body_of(stream=True)))
        got = b""
        while not got.endswith(b"0\r\n\r\n"):
            piece = client.recv(512)
            if not piece:
                return False
            got += piece
            time.sleep(0.01)
        return b"data: [DONE]" in got


def sends_half(sent):
    def play_it(address):
        """C5: told so, or closed, at a fixed time."""
        began = time.monotonic()
        with connect(address) as client:
            client.sendall(sent)
            status = status_of(read_answer(client))
        return status in (0, 408) and time.monotonic() - began < 5

    return play_it


def pipelines(address):
    """C7: answered in order, never mixed."""
    with connect(address) as client:
        client.sendall(b"".join(request(name=f"clients-p{n}") for n in range(PIPELINED)))
        good = 0
        pending = b""
        while good < PIPELINED:
            piece = client.recv(65536)
            if not piece:
                break
            pending += piece
            while (end := pending.find(b"\r\n\r\n")) >= 0:
                size = end + 4 + int(driver.field(pending[:end].lower(), b"content-length"))
                if len(pending) < size:
                    break
                good += status_of(pending) == 200 and b'"finish_reason":"stop"' in pending[end:size]
                pending = pending[size:]
        return good == PIPELINED


ACTS = (
    ("C1 reset before the answer", leaves_with_a_reset),
    ("C3 half-closed", closes_its_half),
    ("C4 slow reader", reads_slowly),
    ("C5 half a head", sends_half(b"POST /v1/chat/completions HTTP/1.1\r\nHost: c")),
    ("C5 half a body", sends_half(request()[:-10])),
    ("C7 pipelined", pipelines),
)


def misbehave(address):
    """Names of what was answered wrongly, and how much there was."""
    wrong, count = [], 0
    for name, sent, statuses in SENDS:
        count += 1
        status = send_and_read(address, sent)
        if status not in statuses:
            wrong.append(f"{name}: {status}")
    for name, act in ACTS:
        count += 1
        if not act(address):
            wrong.append(name)
    return wrong, count


def play(folder, seed, played_as, rounds=ROUNDS):
    began = time.monotonic()
    with stage.Stage(folder, seed, ((), (), ()), SHORT_TIMEOUTS) as on_stage:
        wrong, count = [], 0
        for _ in range(rounds):
            found, tried = misbehave(on_stage.gateway.address)
            wrong, count = wrong + found, count + tried
        load = driver.Load("spread", 200, connections=8)
        seen = driver.drive(on_stage.gateway.address, load, seed, "clients-good")
        rows, twice = views.wait_for_rows(on_stage.gateway.ledger, "clients-good", len(seen))
        ids = {row.request_id for row in rows.values()}
        records = [record for record in on_stage.records() if record["x_request_id"] in ids]
        agreement = views.compare(seen, rows, twice, records)
    errors = sum(not one.good for one in seen)
    figure = f"{count - len(wrong)} of {count} told rightly"
    figure += f" (wrong: {'; '.join(sorted(set(wrong)))})" if wrong else ""
    verdict = judges.Verdict(figure + f"; {errors} errors of good clients", "all, 0 errors", not wrong and not errors)
    return played_as(Case(), seen, rows, agreement, time.monotonic() - began, verdict)
