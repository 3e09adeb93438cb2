"""Streams in time: pace, silence, heartbeats, and clients that leave."""

import json
import re
import socket
import statistics
import threading
import time

import pytest

from harness import SLOW, Gateway, eventually, payloads, read_until

TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}},
}


def event(text):
    """A chunk of an OpenAI stream with this content."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


class Paced:
    """An upstream that sends one token each 100 ms and keeps the moment of every send."""

    def __init__(self, count):
        self.count, self.sent = count, []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        connection, _ = self.door.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            read_until(connection, b"\r\n\r\n")
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
            for number in range(self.count):
                time.sleep(0.1)
                self.sent.append(time.monotonic())
                connection.sendall(event(f"<{number}>"))
            connection.sendall(b"data: [DONE]\n\n")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_failure):
        self.door.close()
        self.thread.join(10)


def test_SSE_5_each_token_is_sent_on_as_it_comes(tmp_path):
    with Paced(20) as upstream, Gateway(tmp_path / "gateway", upstream.url) as gateway, gateway.open() as connection:
        arrivals, got = [], b""
        while b"[DONE]" not in got:
            got += connection.recv(65536)
            arrivals += [time.monotonic()] * (got.count(b'"content": "<') - len(arrivals))
    head = got.partition(b"\r\n\r\n")[0].decode().lower()
    assert "x-accel-buffering: no" in head and "cache-control: no-cache" in head
    delays = [came - sent for came, sent in zip(arrivals, upstream.sent, strict=True)]
    assert statistics.median(delays) < 0.005 * SLOW
    assert max(delays) < 0.095 * SLOW  # none waited for the next one


@pytest.mark.parametrize("stream", [True, False])
def test_DISC_1_when_the_client_leaves_the_upstream_is_told(own, lab, stream):
    gateway = own()
    lab.reset()
    model = "lab/slow+tokens-500"
    connection = gateway.open(model, stream=stream)
    if stream:
        read_until(connection, b'"content":"')
    else:
        eventually(lambda: lab.total()["in_flight"] == 1)
    left = time.monotonic()
    connection.close()
    eventually(lambda: lab.total()["cancelled"] == 1, 1, "the cancel")
    assert time.monotonic() - left < 1 * SLOW
    assert lab.total()["requests"] == 1  # nobody tried again
    row = gateway.wait_for_rows(1)[0]
    assert row["outcome"] == "client_closed" and row["result"] == "cancelled"


def test_DISC_1_for_a_client_that_left_nobody_else_is_asked(own, lab):
    gateway = own({"tiers": {"pair": ["lab/silent", "lab/chat"]}})
    lab.reset()
    with gateway.open("pair", headers={"x-stainless-timeout": str(0.5 * SLOW)}):
        time.sleep(0.5 * SLOW + 0.1)
    assert [attempt[0] for attempt in gateway.wait_for_rows(1)[0]["attempts"]] == ["lab/silent"]
    assert lab.total()["requests"] == 1


def test_DISC_3_leaving_after_a_whole_tool_call_keeps_what_was_used(own):
    gateway = own({"prices": {"custom": {"tools": {"input": 1, "output": 4}}}})
    connection = gateway.open("lab/tools+stall-after-1000", tools=[TOOL])  # the call, then silence
    read_until(connection, b'\\"}')  # the end of the arguments
    connection.close()
    row = gateway.wait_for_rows(1)[0]
    assert row["outcome"] == "client_closed"
    assert row["output"] > 0 and row["usage_source"] == 2
    assert row["ttft"] is not None and row["duration"] >= row["ttft"]


def test_DISC_4_a_stall_is_the_upstreams_and_a_cancel_the_clients(own):
    gateway = own({"timeouts": {"idle": "300ms", "first_byte": "300ms"}})
    assert "[DONE]" not in gateway.chat("lab/stall-after-3", stream=True).events
    assert gateway.wait_for_rows(1)[0]["outcome"] == "idle_timeout"
    with gateway.open("lab/slow+tokens-100") as connection:
        read_until(connection, b'"content":"')
    assert gateway.wait_for_rows(2)[1]["outcome"] == "client_closed"
    assert gateway.chat("lab/silent", stream=True).status == 504
    assert gateway.wait_for_rows(3)[2]["outcome"] == "first_byte_timeout"


@pytest.mark.parametrize("model, cause", [("lab/silent", "first_byte_timeout"), ("lab/stall-after-3", "idle_timeout")])
def test_DISC_4_a_client_whose_own_timeout_ends_a_silence_has_met_a_stall(own, model, cause):
    gateway, patience = own(), 0.5 * SLOW
    with gateway.open(model, headers={"x-stainless-timeout": str(patience)}):
        time.sleep(patience + 0.1)
    row = gateway.wait_for_rows(1)[0]
    assert row["outcome"] == cause
    assert row["attempts"][0][1] == cause


def test_KA_1_a_silent_stream_is_kept_alive_by_heartbeats(own):
    """A proxy that cuts after so much silence would not cut here: shrunk from 15 s and 60 s."""
    gateway, cut = own({"stream": {"heartbeat": "50ms"}}), 0.2 * SLOW
    first, between = int(3000 * cut), int(1500 * cut)
    with gateway.open(f"lab/chat+tokens-3+first-token-{first}+interval-{between}") as connection:
        connection.settimeout(cut)
        got = b""
        while b"[DONE]" not in got:
            got += connection.recv(65536)  # raises when silent for longer
    assert payloads(got.decode())[-1] == "[DONE]"


def test_KA_1_without_heartbeats_the_same_stream_is_cut(own):
    gateway, cut = own({"stream": {"heartbeat": 0}}), 0.2 * SLOW
    with gateway.open(f"lab/chat+tokens-3+first-token-{int(3000 * cut)}") as connection:
        connection.settimeout(cut)
        with pytest.raises(TimeoutError):
            read_until(connection, b"[DONE]")


@pytest.mark.parametrize("more", ["", "+single-bytes"])
def test_KA_2_comments_stand_between_events_and_begin_none(own, lab, more):
    gateway = own({"stream": {"heartbeat": "20ms"}})
    text = gateway.chat(f"lab/chat+tokens-4+interval-100{more}", stream=True).text
    assert len(re.findall(r"^:", text, re.M)) >= 3
    # A comment has no blank line of its own behind it, and no id; without the comments it is the same stream.
    assert not re.search(r"^:[^\n]*\n\n", text, re.M)
    assert not re.search(r"^id:", text, re.M)
    direct = lab.chat(f"chat+tokens-4+interval-100{more}", stream=True).text
    assert re.sub(r"^:[^\n]*\n", "", text, flags=re.M) == direct


def test_KA_2_chunks_are_valid_and_empty(own):
    gateway = own({"stream": {"heartbeat": "20ms", "heartbeat_mode": "chunk"}})
    reply = gateway.chat("lab/chat+tokens-4+interval-100", stream=True)
    beats = [chunk for chunk in reply.chunks if chunk["choices"] and chunk["choices"][0]["delta"] == {}]
    assert len(beats) > 2
    assert len({chunk["id"] for chunk in reply.chunks}) == 1
    assert reply.events[-1] == "[DONE]"


def test_KA_3_a_failure_behind_a_heartbeat_is_an_event_or_an_answer(own):
    gateway = own(
        {
            "stream": {"heartbeat": "50ms"},
            "timeouts": {"first_byte": "400ms"},
            "tiers": {"pair": ["lab/silent", "lab/chat"]},
        }
    )
    good = gateway.chat("pair", stream=True)
    assert good.status == 200 and good.events[-1] == "[DONE]"
    bad = gateway.chat("lab/silent", stream=True)
    if bad.status == 200:  # a heartbeat went first: the error is an event
        assert "[DONE]" not in bad.events and bad.chunks[-1]["error"]["message"]
    else:
        assert bad.status == 504 and bad.error["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_KA_4_the_limit_that_was_exceeded_is_named(own, lab, stream):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        held = [socket.socket() for _ in range(3)]
        for full in held:  # its queue is full, so nobody else gets in
            full.setblocking(False)
            full.connect_ex(deaf.getsockname())
        kept = {"kind": "openai", "base_url": f"http://127.0.0.1:{deaf.getsockname()[1]}/v1", "api_key": "k"}
        limits = {"connect": "200ms", "first_byte": "900ms", "idle": "900ms", "total": "2s"}
        brief = {"kind": "openai", "base_url": f"{lab.url}/v1", "api_key": "k", "timeouts": {"total": "500ms"}}
        gateway = own({"providers": {"deaf": kept, "brief": brief}, "timeouts": limits, "resilience": {"attempts": 1}})
        # A buffered reply begins when it is whole, so for it the total comes first only if it is the least.
        slow = "lab/chat+tokens-100+interval-100" if stream else "brief/silent"
        calls = {
            "deaf/any": "connect_timeout",
            "lab/silent": "first_byte_timeout",
            "lab/stall-after-3": "idle_timeout",
            slow: "total_timeout",
        }
        for count, (model, cause) in enumerate(calls.items(), 1):
            reply = gateway.chat(model, stream=stream)
            assert reply.status == 504 or reply.chunks[-1]["error"]
            error = reply.error if reply.status == 504 else reply.chunks[-1]["error"]
            row = gateway.wait_for_rows(count)[-1]
            assert (error["code"], error["type"]) == (cause, "timeout_error") and error["message"]
            assert row["outcome"] == cause and row["error"] == error["message"]
            assert eventually(lambda cause=cause: gateway.logged(msg="exchange", outcome=cause))
        for full in held:
            full.close()


def test_PERF_7_the_overhead_that_is_told_is_the_overhead_that_is(own, lab):
    gateway = own()
    tolerance = 0.001 * SLOW

    def seconds(server, model):
        before = time.perf_counter()
        reply = server.chat(model)
        return time.perf_counter() - before, reply

    gateway.chat("lab/fast")
    differences = []
    for _ in range(15):
        direct, _reply = seconds(lab, "fast")
        through, reply = seconds(gateway, "lab/fast")
        told = int(reply.headers["x-sluice-overhead-us"]) / 1e6
        differences.append(through - direct - told)
    assert abs(statistics.median(differences)) < tolerance
    slow = gateway.chat("lab/chat+first-token-200")
    assert int(slow.headers["x-sluice-overhead-us"]) < 100_000  # the wait is the upstream's
    row = gateway.wait_for_rows(17)[-1]
    assert row["upstream"] >= 200_000 and row["overhead"] < 100_000
    # What is left is waiting for the client's body, which comes behind its head.
    assert 0 <= row["duration"] - row["upstream"] - row["overhead"] < 100_000


def test_back_pressure_reaches_the_upstream(own, lab):
    """A client that stops reading stops the lab: what is on its way is bounded."""
    gateway = own()
    lab.reset()
    connection = gateway.open("lab/chat+tokens-100000+one-write")
    connection.close()
    with gateway.open("lab/chat+tokens-90000") as slow:
        read_until(slow, b'"content":"')
        before = gateway.resident_kib()
        time.sleep(1)
        assert gateway.resident_kib() - before < 8 * 1024 * SLOW
