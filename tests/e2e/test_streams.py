"""Streams in time: pace, silence, heartbeats, and clients that leave."""

import re
import statistics
import time

import pytest

from harness import SLOW, eventually, payloads, read_until

TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}},
}


def test_SSE_5_each_token_comes_when_the_upstream_sends_it(gateway):
    """Twenty tokens, 20 ms apart: the gaps the client sees are the upstream's."""
    arrivals = []
    with gateway.open("lab/chat+tokens-20+interval-20") as connection:
        head = read_until(connection, b"\r\n\r\n").decode().lower()
        assert "x-accel-buffering: no" in head and "cache-control: no-cache" in head
        got = head.encode()
        while b"[DONE]" not in got:
            piece = connection.recv(65536)
            got += piece
            if b'"content":"' in piece:
                arrivals.append(time.monotonic())
    gaps = [late - early for early, late in zip(arrivals, arrivals[1:])]
    assert len(gaps) >= 18, "tokens were put together"
    assert abs(statistics.median(gaps) - 0.020) < 0.005 * SLOW


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


def test_KA_1_a_silent_stream_is_kept_alive_by_heartbeats(own):
    """A proxy that cuts after so much silence would not cut here: shrunk from 15 s and 60 s."""
    gateway = own({"stream": {"heartbeat": "50ms"}})
    with gateway.open("lab/chat+tokens-4+first-token-600+interval-300") as connection:
        connection.settimeout(0.25 * SLOW)
        got = b""
        while b"[DONE]" not in got:
            got += connection.recv(65536)  # raises when silent for longer
    assert payloads(got.decode())[-1] == "[DONE]"


def test_KA_2_comments_stand_between_events_and_begin_none(own):
    gateway = own({"stream": {"heartbeat": "20ms"}})
    text = gateway.chat("lab/chat+tokens-4+interval-100", stream=True).text
    assert re.search(r"^:", text, re.M)
    # A comment has no blank line of its own behind it, and no id.
    assert not re.search(r"^:[^\n]*\n\n", text, re.M)
    assert not re.search(r"^id:", text, re.M)


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
    assert abs(row["duration"] - row["upstream"] - row["overhead"]) <= 1000


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
