"""SDK -> Sluice -> the real open-source Portkey gateway -> lab: what a foreign gateway in the middle does to a call."""

import http.client
import os
import socket
import statistics
import subprocess
import time

import openai
import pytest

from harness import HELLO, ROOT, SLOW, Gateway, eventually

SCRIPT = ROOT / "tests/e2e/node_modules/@portkey-ai/gateway/build/start-server.js"
PRICES = {"chat": {"input": 1, "output": 4, "cached_input": 0.1}}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture(scope="module")
def portkey(tmp_path_factory):
    """The port of a Portkey gateway. It cannot be told to take any free port."""
    log, port = tmp_path_factory.mktemp("portkey") / "log", free_port()
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with open(log, "wb") as said:
        child = subprocess.Popen(
            ["node", SCRIPT, f"--port={port}", "--headless"], stdout=said, stderr=subprocess.STDOUT, env=clean
        )
    try:
        eventually(lambda: child.poll() is not None or answers(port), 20, "Portkey's start")
        assert child.poll() is None, log.read_text(encoding="utf-8")
        yield port
    finally:
        child.kill()
        child.wait()


@pytest.fixture
def chain(portkey, lab, tmp_path):
    provider = {
        "kind": "openai",
        "base_url": f"http://127.0.0.1:{portkey}/v1",
        "api_key": "portkey-key-8888",
        "headers": {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{lab.url}/v1"},
    }
    settings = {
        "providers": {"portkey": provider},
        "tiers": {"pair": ["portkey/status-503", "portkey/chat"]},
        "prices": {"custom": PRICES},
    }
    with Gateway(tmp_path / "gateway", lab.url, settings) as started:
        yield started


@pytest.fixture
def client(chain):
    with openai.OpenAI(base_url=f"{chain.url}/v1", api_key="client-key", max_retries=0) as opened:
        yield opened


def only_row(chain):
    rows = chain.wait_for_rows(1)
    assert len(rows) == 1
    return rows[0]


def test_COST_1_buffered_and_streamed_through_portkey_leave_the_rows_of_the_lab(chain, client, lab):
    lab.reset()
    whole = client.chat.completions.create(model="portkey/chat", messages=HELLO)
    stream = client.chat.completions.create(model="portkey/chat", messages=HELLO, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == whole.choices[0].message.content
    last = lab.last()["headers"]
    assert last["authorization"] == "...8888" and "x-portkey-custom-host" not in last
    rows, meter = chain.wait_for_rows(2), lab.total()
    assert len(rows) == meter["requests"] == 2
    fields = ("plain_input", "cache_read", "visible_output", "reasoning", "cost", "cost_source", "usage_source")
    assert [rows[0][name] for name in fields] == [rows[1][name] for name in fields]
    assert [(row["provider"], row["outcome"], row["usage_source"]) for row in rows] == [("portkey", "ok", 1)] * 2
    assert sum(row["cost"] for row in rows) == meter["cost_nanodollars"] > 0


def test_SSE_5_chunks_come_through_portkey_one_by_one(chain, client):
    client.chat.completions.create(model="portkey/chat", messages=HELLO)  # Portkey's first call is slow
    arrivals = []
    for chunk in client.chat.completions.create(
        model="portkey/chat+tokens-12+interval-40", messages=HELLO, stream=True
    ):
        if chunk.choices and chunk.choices[0].delta.content:
            arrivals.append(time.monotonic())
    gaps = [late - early for early, late in zip(arrivals, arrivals[1:])]
    assert len(gaps) == 11
    assert abs(statistics.median(gaps) - 0.040) < 0.010 * SLOW
    assert arrivals[-1] - arrivals[0] > 0.3


@pytest.mark.parametrize("stream", [False, True])
def test_SSE_7_an_error_behind_portkey_is_the_error_the_sdk_knows(chain, client, stream):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="portkey/context-length", messages=HELLO, stream=stream)
    assert refused.value.code == "context_length_exceeded"
    row = only_row(chain)
    assert row["status"] == 400 and row["result"] == "error" and row["output"] == 0


def test_FB_1_a_target_behind_portkey_that_fails_is_followed_by_the_next(chain, client):
    reply = client.chat.completions.create(model="pair", messages=HELLO)
    assert reply.choices[0].message.content
    row = only_row(chain)
    assert row["result"] == "fallback_ok"
    assert [attempt[0] for attempt in row["attempts"]] == ["portkey/status-503", "portkey/chat"]


def test_FB_3_a_stream_cut_behind_portkey_never_looks_complete(chain, client):
    with pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(model="portkey/chat+end-after-5", messages=HELLO, stream=True):
            pass
    row = only_row(chain)
    assert row["result"] == "error" and row["outcome"] != "ok"


def test_DISC_1_a_client_that_leaves_is_noticed_through_portkey(chain, client):
    for chunk in (stream := client.chat.completions.create(model="portkey/slow+tokens-200", messages=HELLO, stream=True)):
        if chunk.choices and chunk.choices[0].delta.content:
            stream.close()
            break
    assert only_row(chain)["outcome"] == "client_closed"


def test_embeddings_through_portkey(chain, client):
    assert len(client.embeddings.create(model="portkey/embed", input="one").data[0].embedding) == 1536
    row = only_row(chain)
    assert row["endpoint"] == "embeddings" and row["input"] > 0


@pytest.fixture
def own_portkey(portkey, lab, own):
    """A gateway that knows what it talks to: kind `portkey`, one that holds no keys."""
    settings = {
        "kind": "portkey",
        "base_url": f"http://127.0.0.1:{portkey}/v1",
        "vendor": "openai",
        "custom_host": f"{lab.url}/v1",
        "api_key": "vendor-key-9999",
        "metadata": {"team": "harbour"},
    }
    direct = {"lab": {"stands_in_for": "portkey"}}
    tiers = {"sick-model": ["portkey/status-503", "lab/chat"]}
    return own({"providers": {"portkey": settings, **direct}, "tiers": tiers})


@pytest.mark.parametrize("stream", [False, True])
def test_kind_portkey_calls_the_vendor_with_the_vendors_key(own_portkey, lab, stream):
    reply = own_portkey.chat("portkey/chat", stream=stream)
    assert reply.status == 200, reply.text
    last = lab.last()
    assert last["target"] == "/v1/chat/completions" and last["headers"]["authorization"] == "...9999"
    assert reply.headers["x-sluice-upstream-provider"] == "openai"
    assert reply.headers["x-sluice-upstream-option"] == "config"
    assert only_row(own_portkey)["outcome"] == "ok"


def test_kind_portkey_knows_an_error_of_the_model_behind_it(own_portkey):
    reply = own_portkey.chat("sick-model")
    assert reply.status == 503, reply.text
    row = only_row(own_portkey)
    assert (row["provider"], row["outcome"]) == ("portkey", "upstream_overloaded")


def test_kind_portkey_takes_a_refused_key_for_the_vendors(own_portkey):
    reply = own_portkey.chat("portkey/echo-key")
    assert (reply.status, reply.error["code"]) == (502, "upstream_auth") and "9999" not in reply.text
