"""What it costs when much happens at once: time added, memory for large bodies and for open streams."""

import json
import resource
import socket
import statistics
import threading
import time

import pytest

from harness import HELLO, SLOW, Lab, eventually, read_until

SANITIZED = SLOW > 1
STREAMS = 400 if SANITIZED else 5000
# What a sanitizer puts around each piece of memory is not the gateway's.
RED_ZONES = 1.25 if SANITIZED else 1


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Caller:
    """Calls on one kept connection; how long each took is kept."""

    def __init__(self, server, model):
        self.connection, self.seconds = server.connect(), []
        self.body = json.dumps({"model": model, "messages": HELLO})

    def call(self):
        before = time.perf_counter()
        self.connection.request("POST", "/v1/chat/completions", self.body, {"Authorization": "Bearer k"})
        reply = self.connection.getresponse()
        reply.read()
        self.seconds.append(time.perf_counter() - before)
        assert reply.status == 200


@pytest.mark.parametrize("rate, calls", [(1, 3), (100, 200)])
def test_PERF_3_little_is_added_to_an_upstream_of_fixed_latency(own, lab, rate, calls):
    """At 1,000 a second and with shares of a percent, `make bench` measures it."""
    direct, through = Caller(lab, "chat+first-token-10"), Caller(own(), "lab/chat+first-token-10")
    for caller in (direct, through):
        caller.call()
        caller.seconds.clear()
    due = time.perf_counter()
    for number in range(calls):
        for caller in (direct, through) if number % 2 else (through, direct):
            caller.call()
        due += 2 / rate
        time.sleep(max(0, due - time.perf_counter()))
    added = statistics.median(through.seconds) - statistics.median(direct.seconds)
    assert min(direct.seconds) >= 0.010
    assert added < 0.001 * SLOW
    if calls >= 100:
        assert percentile(through.seconds, 0.99) - percentile(direct.seconds, 0.99) < 0.010 * SLOW


def image_request(model, size):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * size}}
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": [image]}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def send(server, request):
    with socket.create_connection(server.address, timeout=60 * SLOW) as connection:
        connection.sendall(request)
        assert b"200 OK" in read_until(connection, b"\r\n\r\n", 60)


def test_PERF_4_a_large_body_takes_at_most_twice_its_size(own):
    gateway, size, count = own({"server": {"workers": 2}}), 20 << 20, 6
    gateway.chat("lab/fast")
    request, before = image_request("lab/chat+first-token-1000", size), gateway.peak_kib()
    threads = [threading.Thread(target=send, args=(gateway, request)) for _ in range(count)]
    for thread in threads:
        thread.start()
    eventually(lambda: gateway.metric("llm_requests_in_flight") == count, 10, "all in flight")
    for thread in threads:
        thread.join()
    each = (gateway.peak_kib() - before) * 1024 / count
    assert each <= 2 * size * (2 if SANITIZED else 1)  # the sanitizer keeps freed memory for a while
    assert [row["outcome"] for row in gateway.wait_for_rows(count + 1)] == ["ok"] * (count + 1)


def test_PERF_4_small_requests_hardly_wait_for_large_ones(own):
    with Lab() as second:
        provider = {"kind": "openai", "base_url": f"{second.url}/v1", "api_key": "k"}
        gateway = own({"server": {"workers": 2}, "providers": {"large": provider}})
        small, request = Caller(gateway, "lab/fast"), image_request("large/fast", 20 << 20)

        def calls(seconds):
            small.seconds.clear()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                small.call()
                time.sleep(0.002)
            return list(small.seconds)

        calls(0.2)
        alone, stop = calls(1), threading.Event()

        def many_large():
            while not stop.wait(0.05):
                send(gateway, request)

        sender = threading.Thread(target=many_large)
        sender.start()
        crowded = calls(2)
        stop.set()
        sender.join()
        # Two cores carry the clients, the labs and the gateway at once here, so the tail is the machine's.
    for share, limit in ((0.5, 0.001), (0.95, 0.005), (0.99, 0.025)):
        assert percentile(crowded, share) - percentile(alone, share) < limit * SLOW
    large = [row for row in gateway.rows() if row["provider"] == "large"]
    assert len(large) > (2 if SANITIZED else 10)


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_PERF_6_open_idle_streams_take_little_memory(many_descriptors, own):
    gateway = own({"providers": {"lab": {"pool": {"max_connections": 2 * STREAMS}}}})
    with gateway.open("lab/chat+stall-after-1") as first:
        read_until(first, b'"content":"')
    before = gateway.resident_kib()
    streams = [gateway.open("lab/chat+stall-after-1") for _ in range(STREAMS)]
    for stream in streams:
        read_until(stream, b'"content":"')
    each = (gateway.resident_kib() - before) / STREAMS
    assert each < 64 * RED_ZONES
    for stream in streams:
        stream.close()
    eventually(lambda: gateway.metric("llm_requests_in_flight") == 0, 10, "the end of all streams")
    assert len(gateway.wait_for_rows(STREAMS + 1)) == STREAMS + 1
