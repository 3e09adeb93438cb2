"""The HTTP face: what is refused and how, which headers pass, how large things may be."""

import gzip
import json
import socket
import threading
from pathlib import Path

import pytest

from harness import CANARY, HELLO, Gateway, eventually, read_until

PRIVATE = {
    "cookie": "session=1",
    "x-api-key": "sk-ant-secret",
    "proxy-authorization": "Basic c2VjcmV0",
    "connection": "keep-alive, x-hop",
    "x-hop": "one",
    "x-portkey-api-key": "pk-secret",
}
PASSED = {
    "openai-organization": "org-1",
    "openai-beta": "assistants=v2",
    "http-referer": "https://example.com",
    "x-title": "harbour",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}


@pytest.mark.parametrize(
    "body, param",
    [
        ('{"model": "lab/chat", "messages": [', "messages[0]"),
        ('{"model": 7, "messages": []}', "model"),
        ('{"model": "lab/chat", "messages": "hi"}', "messages"),
        ('{"messages": [{"role": "user", "content": "hi"}]}', "model"),
        ('{"model": "lab/chat", "messages": [{"role": "user", "content": "hi"}], "stream": "yes"}', "stream"),
        ('{"model": "lab/chat", "messages": []}', "messages"),
        ("[]", None),
        ("", None),
    ],
)
def test_a_bad_body_is_400_with_its_path(gateway, body, param):
    reply = gateway.request("POST", "/v1/chat/completions", body)
    assert reply.status == 400, reply.text
    assert reply.error["type"] == "invalid_request_error" and reply.error["message"]
    assert reply.error["param"] == param


def test_an_unknown_model_names_the_nearest(own):
    gateway = own({"providers": {"lab": {"models": ["chat", "fast"]}}, "aliases": {"writer": "lab/chat"}})
    reply = gateway.chat("writr")
    assert reply.status == 400
    assert reply.error["code"] == "model_not_found" and "'writer'" in reply.error["message"]


def test_a_doubled_v1_names_the_right_path(gateway):
    reply = gateway.request("POST", "/v1/v1/chat/completions", {"model": "lab/chat", "messages": HELLO})
    assert reply.status == 404
    assert "/v1/chat/completions" in reply.error["message"]


def test_a_wrong_method_is_405_with_allow(gateway):
    reply = gateway.get("/v1/chat/completions")
    assert reply.status == 405 and reply.headers["allow"] == "POST"
    assert reply.error["message"]


def test_health_and_version(gateway):
    assert gateway.get("/livez").status == 200
    assert gateway.get("/readyz").status == 200
    assert gateway.get("/version").json()["version"]


def test_NET_1_headers_meant_for_the_provider_arrive_and_others_do_not(own, lab):
    gateway = own({"providers": {"lab": {"pass_headers": ["x-extra", "http-referer", "x-title"], "drop_headers": ["openai-beta"]}}})
    calls = {
        "/v1/chat/completions": {"model": "lab/chat", "messages": HELLO},
        "/v1/embeddings": {"model": "lab/embed", "input": "a"},
        "/v1/completions": {"model": "lab/chat", "prompt": "a"},
    }
    for path, body in calls.items():
        sent = {**PASSED, **PRIVATE, "x-extra": "more", "x-unlisted": "no"}
        assert gateway.request("POST", path, body, sent).status == 200
        got = lab.last()["headers"]
        for name, value in PASSED.items():
            if name == "openai-beta":
                assert name not in got
            elif name == "traceparent":
                assert got[name].split("-")[1] == value.split("-")[1]
            else:
                assert got[name] == value
        assert got["x-extra"] == "more"
        assert not {"cookie", "x-api-key", "proxy-authorization", "x-hop", "x-unlisted", "x-portkey-api-key"} & set(got)
        assert got["authorization"] == "...7777"  # the provider's key, not the client's


def test_NET_3_a_gzip_body_is_read_and_a_bomb_is_not(own, lab):
    gateway = own({"server": {"max_body": "64KiB"}})
    body = json.dumps({"model": "lab/chat", "messages": HELLO}).encode()
    packed = gateway.request("POST", "/v1/chat/completions", gzip.compress(body), {"Content-Encoding": "gzip"})
    assert packed.status == 200, packed.text
    assert json.loads(lab.last()["body"])["messages"] == HELLO
    before = gateway.resident_kib()
    bomb = gzip.compress(b'{"model":"' + b" " * 50_000_000)
    assert len(bomb) < 64 * 1024
    reply = gateway.request("POST", "/v1/chat/completions", bomb, {"Content-Encoding": "gzip"})
    assert reply.status == 413 and reply.error["message"]
    assert gateway.peak_kib() - before < 20_000  # not the 50 MB that it would have become


def large_body(size):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * size}}
    return {"model": "lab/chat", "messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, image]}]}


@pytest.mark.parametrize("chunked", [False, True])
def test_NET_5_thirty_megabytes_pass_and_more_is_413(gateway, lab, chunked):
    for size, status in (((32 << 20) - 4096, 200), (32 << 20, 413)):
        body = json.dumps(large_body(size)).encode()
        connection = gateway.connect()
        headers = {"Content-Type": "application/json", "Authorization": "Bearer k"}
        try:
            if chunked:
                pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
                connection.request("POST", "/v1/chat/completions", pieces, headers, encode_chunked=True)
            else:
                connection.request("POST", "/v1/chat/completions", body, headers)
        except (BrokenPipeError, ConnectionResetError):
            assert status == 413  # told before all was sent
        reply = connection.getresponse()
        answer = json.loads(reply.read())
        assert reply.status == status
        if status == 413:
            assert answer["error"]["message"]
        connection.close()


def unread(connection):
    """Bytes that have arrived at the other end of a connection of this machine and wait there, as the kernel says."""
    ends = [f"0100007F:{end[1]:04X}" for end in (connection.getpeername(), connection.getsockname())]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return next(int(row[4].split(":")[1], 16) for row in rows if row[1:3] == ends)


def test_NET_5_bytes_in_flight_are_bounded(own):
    gateway = own({"server": {"max_inflight_bytes": "5MiB", "max_body": "5MiB", "workers": 1}})
    body = json.dumps(large_body(3 << 20)).encode()
    held = socket.create_connection(gateway.address)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    held.sendall(head % len(body) + body[:-1])  # one byte short: it stays
    eventually(lambda: unread(held) == 0, what="the body is with the gateway")
    replies = [gateway.request("POST", "/v1/chat/completions", body).status for _ in range(2)]
    assert replies == [503, 503]
    held.sendall(body[-1:])
    assert b"200 OK" in read_until(held, b"\r\n\r\n")
    held.close()


def test_NET_6_limits_and_request_ids_of_the_provider_are_returned(gateway):
    for stream in (False, True):
        headers = gateway.chat("lab/chat", stream=stream).headers
        assert headers["x-ratelimit-remaining-tokens"] and headers["openai-processing-ms"] is not None
        assert headers["x-request-id"].startswith("req_")
        assert headers["x-sluice-upstream-request-id"].startswith("req_lab_")


def test_headers_too_large_are_431(gateway):
    reply = gateway.request("GET", "/v1/models", headers={"x-large": "h" * 70_000})
    assert reply.status == 431 and reply.error["message"]


def test_a_hundred_clients_at_once_each_get_their_own_answer(gateway, lab):
    wrong = []

    def ask(number):
        words = f"client number {number}"
        reply = gateway.chat("lab/echo", messages=[{"role": "user", "content": words}], stream=number % 2 == 0)
        said = reply.content if number % 2 == 0 else reply.json()["choices"][0]["message"]["content"]
        if said != words:
            wrong.append((number, said))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_secret_never_reaches_a_log_or_an_error(lab, tmp_path):
    with Gateway(tmp_path / "gateway", lab.url) as gateway:
        reply = gateway.chat("lab/echo-key")
        assert reply.status >= 400 and CANARY not in reply.text
        assert CANARY not in "".join(map(str, gateway.lines + gateway.errors))
