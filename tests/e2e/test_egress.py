"""Where the gateway connects to: what its configuration names, and nowhere else."""

import json
import socket
import threading

import pytest

from admin import Admin
from harness import HELLO, eventually
from test_providers import provider


class Elsewhere:
    """A host that nobody configured; `visits` counts who connects to it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.visits = 0
        self.place = "127.0.0.1:{}".format(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                visitor, _ = self.listener.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()


@pytest.fixture
def elsewhere():
    made = Elsewhere()
    yield made
    socket.create_connection(made.listener.getsockname()).close()
    eventually(lambda: made.visits >= 1, 5, "the visit that shows that visits are seen")
    made.listener.close()


def send(gateway, target, body, headers):
    """The status of a request whose target is sent as it is; 0: it was cut off."""
    content = json.dumps(body).encode()
    given = {"Host": "gateway", "Content-Type": "application/json", "Content-Length": len(content), "Connection": "close", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    with socket.create_connection(gateway.address, timeout=60) as connection:
        connection.sendall(f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode() + content)
        reply = b""
        while piece := connection.recv(65536):
            reply += piece
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/1.1 ") else 0


def test_SEC_3_no_caller_leads_the_gateway_to_another_host(own, lab, elsewhere):
    gateway = own({"providers": {"portkey": provider(lab, "portkey", virtual_keys={"chat": "lab"})}})
    place = elsewhere.place
    url = f"http://{place}/v1"
    members = [{name: url} for name in ("api_base", "base_url", "custom_host", "endpoint", "proxy", "api_url")]
    members += [{"metadata": {"base_url": url}}, {"extra_body": {"api_base": url}}, {"provider": {"base_url": url}}]
    headers = [
        {name: value}
        for name in ("x-forwarded-host", "x-portkey-custom-host", "x-host", "x-original-url", "forwarded", "x-base-url", "api-base")
        for value in (url, place)
    ]
    headers += [{"Host": place}, {"Host": f"gateway@{place}"}, {"x-portkey-config": json.dumps({"provider": "openai", "custom_host": url})}]
    models = [f"http://{place}/x", f"lab@{place}/chat", f"//{place}/chat", f"lab/../../{place}/chat", f"lab/chat%23@{place}", f"{place}/chat"]
    targets = [f"http://{place}/v1/chat/completions", f"//{place}/v1/chat/completions", f"/v1/chat/completions/../../@{place}/"]
    targets += [f"/v1/chat/completions%23@{place}", f"/v1/%2e%2e/{place}", f"@{place}/v1/chat/completions", "/v1/..%2f..%2fchat"]
    path, plain = "/v1/chat/completions", {"model": "lab/chat", "messages": HELLO, "max_tokens": 3}
    for model in ("lab/chat", "portkey/chat"):
        asked = {**plain, "model": model}
        assert send(gateway, path, asked, {}) == 200
        for more in members:
            assert send(gateway, path, {**asked, **more}, {}) > 0
        for more in headers:
            send(gateway, path, asked, more)
        for target in targets:
            send(gateway, target, asked, {})
    for model in models:
        send(gateway, path, {**plain, "model": model}, {})
    for target in (f"/v1/responses/..%2f..%2f@{place}", f"/v1/responses/resp@{place}/x"):
        send(gateway, target, {}, {})
    assert elsewhere.visits == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "2852039166", "0xa9fea9fe", "100.100.100.200"])
def test_SEC_4_a_metadata_address_is_refused_where_it_is_connected_to(own, host):
    gateway = own({"providers": {"meta": {"kind": "openai", "base_url": f"http://{host}/v1", "api_key": "k"}}, "resilience": {"attempts": 1}})
    reply = gateway.chat("meta/x")
    assert reply.status == 502, reply.text
    (row,) = gateway.wait_for_rows(1)
    assert row["outcome"] == "connect_error" and "it is never called" in str(row)
    assert Admin(gateway).get("/keys")["items"] == []


def test_SEC_4_a_redirect_is_not_followed(own, elsewhere):
    class Redirecting(threading.Thread):
        def __init__(self):
            super().__init__(daemon=True)
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.url = "http://127.0.0.1:{}".format(self.listener.getsockname()[1])

        def run(self):
            while True:
                try:
                    visitor, _ = self.listener.accept()
                except OSError:
                    return
                with visitor:
                    visitor.recv(65536)
                    where = f"http://{elsewhere.place}/v1/chat/completions"
                    visitor.sendall(f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())

    there = Redirecting()
    there.start()
    gateway = own({"providers": {"lab": {"base_url": f"{there.url}/v1"}}, "resilience": {"attempts": 1}})
    assert gateway.chat().status >= 400
    assert elsewhere.visits == 0
    there.listener.close()
