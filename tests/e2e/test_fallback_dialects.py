"""Targets that fail before content, behind each client dialect, streamed and buffered: the six must fare alike."""

import json

import pytest

from dialects import DIALECTS, Said, Tool
from upstreams import Everywhere, providers

HELLO = [Said("user", "Tell me about the harbour.")]
# Who fails, and who answers then.
PAIRS = {"openai to anthropic": ("oai", "ant"), "anthropic to openai": ("ant", "oai")}
FAULTS = [
    "reset",
    "status-408",
    "status-429",
    "status-500",
    "html-502",
    "status-503",
    "status-529",
    "html-200",
    "empty-200",
    "error-200",
    "garbage-200",
    "cut-json-200",
    "bad-chunk",
    "reset-after-0",
    "end-after-0",
    "error-after-0",
    "overloaded-after-0",
]
# Nothing comes, and patience with these providers is short. Nobody listens, or has such a name.
SILENT = ["silent", "head-only", "stall-after-0"]
ABSENT = ["refused", "no-name"]
# These take the key out, so each request that meets one has a provider of its own.
REFUSALS = ["status-401", "status-402", "status-403", "quota"]
SIX = [(name, stream) for name in DIALECTS for stream in (False, True)]


def own_name(kind, fault, dialect, stream):
    return f"{kind}-{fault}-{dialect}-{'streamed' if stream else 'buffered'}"


@pytest.fixture(scope="module")
def gateway(lab, tmp_path_factory):
    known = providers(lab.url)
    tiers = {}
    for first, second in PAIRS.values():
        for fault in FAULTS:
            tiers[f"{first}-{fault}"] = [f"{first}/{fault}", f"{second}/chat"]
        tiers[f"{first}-claude"] = [f"{first}/status-503", f"{second}/claude"]
        known[f"hasty-{first}"] = {**known[first], "timeouts": {"first_byte": "60ms", "reasoning": "60ms", "idle": "60ms"}}
        for fault in SILENT:
            tiers[f"{first}-{fault}"] = [f"hasty-{first}/{fault}", f"{second}/chat"]
        for fault, url in zip(ABSENT, ("http://127.0.0.1:1", "http://nobody.invalid")):
            known[f"{fault}-{first}"] = {**known[first], "base_url": url}
            tiers[f"{first}-{fault}"] = [f"{fault}-{first}/chat", f"{second}/chat"]
        for fault in REFUSALS:
            for dialect, stream in SIX:
                name = own_name(first, fault, dialect, stream)
                known[name] = providers(lab.url)[first]
                tiers[f"tier-{name}"] = [f"{name}/{fault}", f"{second}/chat"]
    tiers["alone"] = ["oai/status-503", "ant/status-529"]
    settings = {"providers": known, "tiers": tiers}
    with Everywhere(tmp_path_factory.mktemp("fallback"), lab, settings) as started:
        yield started


@pytest.fixture(scope="module")
def clients(gateway):
    opened = {name: dialect(gateway) for name, dialect in DIALECTS.items()}
    yield opened
    for client in opened.values():
        client.close()


def outcome(client, tier, stream):
    """What the client saw and what the ledger says, without what may differ: names, times and the text itself."""
    answer, row = client.ask(tier, HELLO, stream=stream)
    assert answer.text
    # A head that comes makes a buffered reply idle, and a stream one without its first token.
    attempts = ["timeout" if attempt[1].endswith("_timeout") else attempt[1] for attempt in row["attempts"]]
    return {"finish": answer.finish, "result": row["result"], "outcome": row["outcome"], "attempts": attempts}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("fault", [*FAULTS, *SILENT, *ABSENT, *REFUSALS])
def test_FB_2_the_outcome_is_the_same_in_all_six(clients, pair, fault):
    first, _ = PAIRS[pair]
    seen = {}
    for name, stream in SIX:
        own = f"tier-{own_name(first, fault, name, stream)}"
        seen[name, stream] = outcome(clients[name], own if fault in REFUSALS else f"{first}-{fault}", stream)
    expected = seen["chat", False]
    assert expected["result"] == "fallback_ok" and len(expected["attempts"]) == 2, expected
    assert all(found == expected for found in seen.values()), seen


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", DIALECTS)
def test_FB_2_when_all_targets_fail_every_dialect_gets_a_real_status(clients, name, stream):
    failed = clients[name].fail("alone", HELLO, stream)
    assert isinstance(failed, clients[name].errors.InternalServerError)
    assert failed.response.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_FB_9_the_reply_names_who_answered_and_who_did_not(gateway, clients, pair, name, stream):
    first, second = PAIRS[pair]
    client = clients[name]
    answer, _ = client.ask(f"{first}-status-503", HELLO, stream=stream)
    assert answer.raw.model == "chat"
    reply, _ = client.read(f"{first}-status-503", HELLO, stream)
    assert (reply.headers["x-sluice-provider"], reply.headers["x-sluice-model"]) == (second, "chat")
    assert reply.headers["x-sluice-attempts"] == "2"
    assert f"{first}/status-503" in reply.headers["x-sluice-fallback"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_TR_5_the_next_target_gets_the_clients_own_request_in_its_own_dialect(clients, lab, pair, name, stream):
    first, second = PAIRS[pair]
    tool = Tool("look", {"at": {"type": "string"}})
    answer, row = clients[name].ask(f"{first}-status-503", HELLO, stream=stream, system="Be brief.", tools=(tool,))
    assert row["provider"] == second and answer.text + str(answer.calls)
    last = lab.last()
    body, headers = json.loads(last["body"]), last["headers"]
    assert body["model"] == "chat"
    if second == "ant":
        assert "anthropic-version" in headers and headers["x-api-key"] == "...3333"
        assert body["system"] and body["tools"][0]["input_schema"]["properties"] == tool.properties
        assert "response_format" not in body and "input" not in body
    else:
        assert headers["authorization"] == "...1111"
        assert not any(header.startswith("anthropic-") or header == "x-api-key" for header in headers)
        assert "system" not in body and "input_schema" not in last["body"]
    assert "client-key" not in json.dumps(last)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", DIALECTS)
def test_TR_4_a_schema_survives_a_fallback(clients, name, pair):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    answer, row = clients[name].ask(f"{PAIRS[pair][0]}-claude", HELLO, schema=schema)
    assert row["result"] == "fallback_ok"
    assert isinstance(json.loads(answer.text)["n"], int)
