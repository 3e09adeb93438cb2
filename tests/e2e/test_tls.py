"""TLS on both sides with a private CA: what is trusted, what is refused, and what the ledger says of it."""

import asyncio
import http.client
import ssl
import threading

import openai
import pytest

from authority import Authority
from harness import HELLO, SLOW, Gateway, Lab

PRICES = {"chat": {"input": 1, "output": 4}}


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"), "private")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="module")
def server_pair(ca):
    return ca.issue("server", "DNS:localhost,IP:127.0.0.1")


class TlsLab(Lab):
    """A lab that serves TLS; its meter is behind TLS too."""

    def __init__(self, pair, ca_file):
        self.trust = ssl.create_default_context(cafile=ca_file)
        super().__init__("--tls-cert", pair[0], "--tls-key", pair[1])

    def connect(self, timeout=30):
        return http.client.HTTPSConnection(*self.address, timeout=timeout * SLOW, context=self.trust)


@pytest.fixture(scope="module")
def tls_lab(ca, server_pair):
    with TlsLab(server_pair, ca.file) as started:
        yield started


class Door:
    """Python's own TLS in front of a plain server: asks for a client certificate, keeps whose it saw, passes bytes."""

    def __init__(self, pair, client_ca, behind):
        self.behind, self.seen, self.loop = behind, [], asyncio.new_event_loop()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
        self.context.load_cert_chain(*pair)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    async def pass_on(self, reader, writer):
        subject = dict(pair[0] for pair in writer.get_extra_info("peercert")["subject"])
        self.seen.append(subject["commonName"])
        there, back = await asyncio.open_connection(*self.behind)
        await asyncio.gather(self.copy(reader, back), self.copy(there, writer))

    @staticmethod
    async def copy(reader, writer):
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    def __enter__(self):
        self.thread.start()
        opening = asyncio.start_server(self.pass_on, "127.0.0.1", 0, ssl=self.context)
        server = asyncio.run_coroutine_threadsafe(opening, self.loop).result(10)
        self.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_failure):
        async def cancel_all():
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(cancel_all(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture
def behind(lab, tmp_path):
    """Starts a gateway whose provider `lab` is at this https URL, with these `tls` settings."""
    started = []

    def start(url, provider_tls, **server):
        settings = {"providers": {"lab": {"tls": provider_tls}}, "prices": {"custom": PRICES}, "server": server}
        settings["resilience"] = {"attempts": 1}
        gateway = Gateway(tmp_path / f"gateway{len(started)}", url, settings)
        started.append(gateway)
        return gateway

    yield start
    for gateway in started:
        with gateway:
            pass


def test_a_private_authority_is_trusted_when_it_is_named(behind, tls_lab, ca):
    gateway = behind(tls_lab.url, {"ca_file": ca.file})
    tls_lab.reset()
    whole = gateway.chat("lab/chat")
    streamed = gateway.chat("lab/chat", stream=True)
    assert whole.status == streamed.status == 200
    assert streamed.content == whole.json()["choices"][0]["message"]["content"]
    assert streamed.events[-1] == "[DONE]"
    rows = gateway.wait_for_rows(2)
    assert [row["outcome"] for row in rows] == ["ok", "ok"]
    assert sum(row["cost"] for row in rows) == tls_lab.total()["cost_nanodollars"] > 0


def refused(gateway, *words):
    """A call that fails in the handshake: the client is told why, the row says what."""
    for count, stream in ((1, False), (2, True)):
        reply = gateway.chat("lab/chat", stream=stream)
        assert reply.status == 502 and reply.headers["content-type"].startswith("application/json")
        assert any(word in reply.error["message"].lower() for word in words), reply.error
        row = gateway.wait_for_rows(count)[-1]
        assert (row["outcome"], row["result"], row["status"]) == ("tls_error", "error", 502)
        assert row["attempts"][0][:2] == ["lab/chat", "tls_error"]
        assert row["cost"] in (0, None) and row["output"] == 0


def test_an_unknown_authority_is_refused(behind, tls_lab, stranger):
    requests = tls_lab.total()["requests"]
    refused(behind(tls_lab.url, {}), "certificate")
    refused(behind(tls_lab.url, {"ca_file": stranger.file}), "certificate")
    assert tls_lab.total()["requests"] == requests


def test_another_hosts_certificate_is_refused_unless_its_name_is_asked_for(behind, ca):
    with TlsLab(ca.issue("elsewhere", "DNS:models.example"), ca.file) as elsewhere:
        elsewhere.trust.check_hostname = False
        refused(behind(elsewhere.url, {"ca_file": ca.file}), "name", "mismatch")
        assert elsewhere.total()["requests"] == 0
        asked = behind(elsewhere.url, {"ca_file": ca.file, "server_name": "models.example"})
        assert asked.chat("lab/chat").status == 200


def test_an_expired_certificate_is_refused(behind, ca):
    pair = ca.issue("expired", "IP:127.0.0.1", "-days", "-1")
    with TlsLab(pair, ca.file) as expired:
        expired.trust.check_hostname, expired.trust.verify_mode = False, ssl.CERT_NONE
        refused(behind(expired.url, {"ca_file": ca.file}), "expired")


def test_a_plain_server_where_tls_is_expected_is_a_tls_error(behind, lab, ca):
    refused(behind(lab.url.replace("http:", "https:"), {"ca_file": ca.file}), "tls", "handshake")


def test_a_provider_that_wants_a_client_certificate_is_shown_it(behind, lab, ca, server_pair):
    cert, key = ca.issue("sluice-client", "DNS:client")
    with Door(server_pair, ca.file, lab.address) as door:
        gateway = behind(door.url, {"ca_file": ca.file, "cert_file": cert, "key_file": key})
        assert gateway.chat("lab/chat").status == 200
        assert gateway.chat("lab/chat", stream=True).events[-1] == "[DONE]"
        assert set(door.seen) == {"sluice-client"}
        bare = behind(door.url, {"ca_file": ca.file})
        assert bare.chat("lab/chat").status == 502
        # TLS 1.3 lets the client finish its handshake before the server says no.
        assert bare.wait_for_rows(1)[0]["outcome"] in ("tls_error", "upstream_reset")
        assert set(door.seen) == {"sluice-client"}


def trusting(gateway, ca_file, pair=None):
    """The official SDK with this authority, and perhaps a certificate of its own."""
    trust = ssl.create_default_context(cafile=ca_file)
    if pair:
        trust.load_cert_chain(*pair)
    url = gateway.url.replace("http:", "https:") + "/v1"
    return openai.OpenAI(base_url=url, api_key="k", max_retries=0, http_client=openai.DefaultHttpxClient(verify=trust))


def test_the_sdk_talks_tls_to_the_gateway_and_the_gateway_to_the_provider(behind, tls_lab, ca, server_pair):
    tls = {"cert_file": server_pair[0], "key_file": server_pair[1]}
    gateway = behind(tls_lab.url, {"ca_file": ca.file}, tls=tls)
    assert gateway.url.startswith("https:")
    with trusting(gateway, ca.file) as client:
        whole = client.chat.completions.create(model="lab/chat", messages=HELLO)
        stream = client.chat.completions.create(model="lab/chat", messages=HELLO, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        assert text == whole.choices[0].message.content
    with pytest.raises(openai.APIConnectionError):
        openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0).models.list()
    assert [row["outcome"] for row in gateway.wait_for_rows(2)] == ["ok", "ok"]


def test_a_client_without_the_certificate_asked_of_it_is_not_served(behind, tls_lab, ca, stranger, server_pair):
    tls = {"cert_file": server_pair[0], "key_file": server_pair[1], "client_ca_file": ca.file}
    gateway = behind(tls_lab.url, {"ca_file": ca.file}, tls=tls)
    with trusting(gateway, ca.file, ca.issue("program", "DNS:program")) as known:
        assert known.chat.completions.create(model="lab/chat", messages=HELLO).choices
    for pair in (None, stranger.issue("thief", "DNS:thief")):
        with trusting(gateway, ca.file, pair) as unknown, pytest.raises(openai.APIConnectionError):
            unknown.chat.completions.create(model="lab/chat", messages=HELLO)
    assert len(gateway.wait_for_rows(1)) == 1
