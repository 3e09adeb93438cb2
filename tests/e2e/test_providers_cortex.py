"""Kind `cortex` before the lab's Snowflake: its three ways to sign in, its two endpoints, and data that must stay."""

import base64
import json
import struct
import subprocess

import pytest

from harness import HELLO, Gateway, Lab
from test_providers import TOOL, ask_claude, provider

PASSPHRASE = "tide tables"
CLAUDE, LLAMA = "cortex/claude-sonnet-4-5", "cortex/llama3.3-70b"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A folder with key.p8, the same encrypted as locked.p8, and its public.pem."""
    folder = tmp_path_factory.mktemp("keys")
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", folder / "key.p8")
    openssl("pkcs8", "-topk8", "-in", folder / "key.p8", "-out", folder / "locked.p8", "-passout", f"pass:{PASSPHRASE}")
    openssl("rsa", "-in", folder / "key.p8", "-pubout", "-out", folder / "public.pem")
    return folder


@pytest.fixture(scope="module")
def snowflake(keys):
    """A lab that knows the key's user."""
    known = ["--snowflake-account", "acme-prod", "--snowflake-user", "SLUICE"]
    with Lab(*known, "--snowflake-public-key", keys / "public.pem") as started:
        yield started


@pytest.fixture
def cortex(snowflake, tmp_path):
    """Starts a gateway whose provider `cortex` signs in so."""
    started = []

    def start(more=None, **how):
        settings = {"kind": "cortex", "base_url": f"{snowflake.url}/snowflake", **(how or {"token": "pat-lab"})}
        providers = {"providers": {"cortex": settings}}
        started.append(Gateway(tmp_path / f"g{len(started)}", snowflake.url, {**providers, **(more or {})}))
        return started[-1]

    yield start
    for gateway in started:
        with gateway:
            pass


def token_type(lab):
    return lab.last()["headers"]["x-snowflake-authorization-token-type"]


# Signing in


@pytest.mark.parametrize("file, more", [("key.p8", {}), ("locked.p8", {"private_key_passphrase": PASSPHRASE})])
def test_a_key_pair_signs_in(cortex, snowflake, keys, file, more):
    gateway = cortex(account="acme-prod", user="sluice", private_key_file=str(keys / file), **more)
    for _ in range(2):
        assert gateway.chat(CLAUDE).status == 200
    assert token_type(snowflake) == "KEYPAIR_JWT"
    assert PASSPHRASE not in str(gateway.lines)


@pytest.mark.parametrize(
    "how, kind", [({"token": "pat-lab"}, "PROGRAMMATIC_ACCESS_TOKEN"), ({"oauth_token": "oauth-tide"}, "OAUTH")]
)
def test_a_token_signs_in(cortex, snowflake, how, kind):
    assert cortex(**how).chat(CLAUDE).status == 200
    assert token_type(snowflake) == kind


def test_a_key_snowflake_does_not_know_is_our_fault_and_never_the_clients(cortex, keys):
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", keys / "other.p8")
    for how in (
        {"account": "acme-prod", "user": "SLUICE", "private_key_file": str(keys / "other.p8")},
        {"token": "pat-wrong-0123456789"},
        {"oauth_token": "wrong-0123456789"},
        {"token": "pat-lab-norole"},
    ):
        reply = cortex(**how).chat(CLAUDE)
        assert (reply.status, reply.error["code"]) == (502, "upstream_auth"), (how, reply.text)
        assert "0123456789" not in reply.text


@pytest.mark.parametrize("path", ["", "/", "/api/v2/cortex", "/api/v2/cortex/v1"])
def test_TR_10_the_base_url_is_good_with_and_without_its_path(cortex, snowflake, path):
    gateway = cortex(base_url=f"{snowflake.url}/snowflake{path}", token="pat-lab")
    assert gateway.chat(LLAMA).status == 200
    assert snowflake.last()["target"] == "/snowflake/api/v2/cortex/v1/chat/completions"


# The compatible endpoints


def test_chats_go_to_the_endpoint_like_openais_and_messages_of_claude_to_the_one_like_anthropics(cortex, snowflake):
    gateway = cortex()
    for stream in (False, True):
        assert gateway.chat(LLAMA, stream=stream, max_tokens=9).status == 200
        assert snowflake.last()["target"] == "/snowflake/api/v2/cortex/v1/chat/completions"
        body = json.loads(snowflake.last()["body"])
        assert body["max_completion_tokens"] == 9 and "max_tokens" not in body
    body = {"model": CLAUDE, "max_tokens": 20, "messages": HELLO}
    reply = ask_claude(gateway, body)
    assert reply.json()["type"] == "message" and snowflake.last()["target"].endswith("/cortex/v1/messages")
    reply = ask_claude(gateway, {**body, "model": LLAMA})
    assert reply.json()["type"] == "message" and snowflake.last()["target"].endswith("/cortex/v1/chat/completions")
    assert reply.headers["x-sluice-upstream-request-id"].count("-") == 4


# Its own endpoint


@pytest.fixture
def native(cortex):
    return cortex(token="pat-lab", endpoint="native")


@pytest.mark.parametrize("stream", [False, True])
def test_TR_10_tools_of_inference_complete_come_as_tool_calls(native, snowflake, stream):
    reply = native.chat("cortex/lab/tools", stream=stream, tools=[TOOL])
    assert reply.status == 200, reply.text
    assert snowflake.last()["target"] == "/snowflake/api/v2/cortex/inference:complete"
    if stream:
        deltas = [call for chunk in reply.chunks for c in chunk["choices"] for call in c["delta"].get("tool_calls", [])]
        assert deltas[0]["function"]["name"] == "tide" and deltas[0]["id"] and deltas[0]["index"] == 0
        json.loads("".join(delta["function"].get("arguments") or "" for delta in deltas))
        assert reply.chunks[-1]["choices"][0]["finish_reason"] == "tool_calls" and reply.events[-1] == "[DONE]"
    else:
        (choice,) = reply.json()["choices"]
        assert choice["finish_reason"] == "tool_calls"
        assert choice["message"]["tool_calls"][0]["function"]["name"] == "tide"


def test_inference_complete_says_the_same_streamed_and_buffered(native):
    whole, pieces = native.chat(LLAMA), native.chat(LLAMA, stream=True)
    assert whole.json()["choices"][0]["message"]["content"] == pieces.content != ""
    rows = native.wait_for_rows(2)
    for name in ("plain_input", "visible_output", "usage_source", "outcome"):
        assert rows[0][name] == rows[1][name], name
    assert rows[0]["visible_output"] > 0 and rows[0]["outcome"] == "ok"


def test_inference_complete_names_what_it_has_no_place_for(native, snowflake):
    reply = native.chat(LLAMA, seed=1, stop=["x"], frequency_penalty=0.5)
    assert reply.status == 200
    assert set(reply.headers["x-sluice-dropped"].split(", ")) == {"seed", "stop", "frequency_penalty"}
    assert ask_claude(native, {"model": CLAUDE, "max_tokens": 20, "messages": HELLO}).json()["type"] == "message"
    assert snowflake.last()["target"].endswith("inference:complete")


def test_a_cut_stream_of_inference_complete_never_looks_complete(native):
    reply = native.chat("cortex/lab/end-after-3", stream=True)
    assert "[DONE]" not in reply.events and reply.chunks[-1]["error"]
    assert native.wait_for_rows(1)[0]["result"] == "error"


# Embeddings


@pytest.mark.parametrize("endpoint", ["compatible", "native"])
def test_embeddings_as_floats_and_in_base64(cortex, snowflake, endpoint):
    gateway = cortex(token="pat-lab", endpoint=endpoint)
    body = {"model": "cortex/snowflake-arctic-embed-m", "input": ["one", "two"]}
    reply = gateway.request("POST", "/v1/embeddings", body)
    assert reply.status == 200, reply.text
    assert snowflake.last()["target"].endswith("/cortex/inference:embed")
    floats = [item["embedding"] for item in reply.json()["data"]]
    assert [len(vector) for vector in floats] == [768, 768]
    packed = gateway.request("POST", "/v1/embeddings", {**body, "encoding_format": "base64"}).json()["data"]
    for item, vector in zip(packed, floats):
        assert struct.unpack("<768f", base64.b64decode(item["embedding"])) == pytest.approx(vector, rel=1e-6)


# Data that must stay


def test_restricted_data_goes_to_snowflake_and_nowhere_else(cortex, snowflake):
    tiers = {"any": ["lab/lab/chat", LLAMA]}
    gateway = cortex({"tiers": tiers})
    assert gateway.chat("any").headers["x-sluice-provider"] == "lab"
    restricted = {"x-sluice-data": "restricted"}
    assert gateway.chat("any", headers=restricted).headers["x-sluice-provider"] == "cortex"
    refused = gateway.chat("lab/lab/chat", headers=restricted)
    assert refused.status == 403 and "local" in refused.error["message"]
