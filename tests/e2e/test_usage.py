"""Three views of every call agree: what the client was told, the ledger, and the lab's own meter."""

import json
import zlib

import pytest

from conftest import PRICES
from harness import eventually, payloads

FIELDS = ("plain_input", "cache_read", "visible_output", "reasoning", "cost", "cost_source", "usage_source")
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


def priced(own, **settings):
    return own({"prices": {"custom": PRICES}, **settings})


@pytest.mark.parametrize("faults", ["", "cached-3,reasoning-7", "usage-on-content", "usage-cumulative", "usage-twice"])
def test_COST_1_buffered_and_streamed_rows_are_the_same(own, faults):
    gateway = priced(own)
    headers = {"x-lab-fault": faults} if faults else {}
    assert gateway.chat("lab/chat", headers=headers).status == 200
    assert gateway.chat("lab/chat", headers=headers, stream=True).status == 200
    whole, streamed = gateway.wait_for_rows(2)
    assert {name: whole[name] for name in FIELDS} == {name: streamed[name] for name in FIELDS}
    assert whole["usage_source"] == 1 and whole["cost"] > 0


def test_COST_2_usage_is_asked_of_the_provider_and_kept_from_a_client_that_did_not_ask(own, lab):
    gateway = own()
    reply = gateway.chat("lab/chat", stream=True)
    asked = json.loads(lab.last()["body"])
    assert asked["stream_options"]["include_usage"] is True
    assert reply.events == lab.chat("chat", stream=True).events  # as if nobody stood between
    assert not any("usage" in chunk for chunk in reply.chunks)
    assert gateway.wait_for_rows(1)[0]["usage_source"] == 1


def test_COST_3_a_client_that_asked_gets_one_usage_chunk_before_the_end(gateway):
    for faults in ("tokens-9", "usage-twice", "usage-on-content", "usage-cumulative"):
        reply = gateway.chat(
            "lab/chat", stream=True, stream_options={"include_usage": True}, headers={"x-lab-fault": faults}
        )
        assert reply.events[-1] == "[DONE]"
        last = reply.chunks[-1]
        assert last["choices"] == [] and last["usage"]["total_tokens"] > 0
        assert sum(1 for chunk in reply.chunks if chunk.get("usage") and not chunk["choices"]) == 1


@pytest.mark.parametrize("end", ["usage-twice", "no-done", "two-dones", "data-after-done", "two-finishes", "no-finish"])
def test_COST_11_any_end_of_a_stream_is_charged_once(own, lab, end):
    gateway = priced(own)
    plain = gateway.chat("lab/chat", stream=True)
    ended = gateway.chat("lab/chat", stream=True, headers={"x-lab-fault": end})
    assert ended.content == plain.content
    rows = gateway.wait_for_rows(2)
    assert len(rows) == 2
    assert rows[0]["output"] == rows[1]["output"] > 0
    assert rows[0]["cost"] == rows[1]["cost"]
    assert gateway.metric("llm_requests_total", provider="lab") == 2


@pytest.mark.parametrize("cost", ["cost-zero", "cost-null", "cost-negative", "cost-true"])
def test_COST_7_a_cost_that_means_nothing_is_not_believed(own, cost):
    gateway = priced(own)
    assert gateway.chat("lab/chat", headers={"x-lab-fault": cost}).status == 200
    row = gateway.wait_for_rows(1)[0]
    assert row["cost_source"] == 1 and row["cost"] > 0


def test_PRICE_1_a_model_without_a_price_costs_null_and_says_so(own):
    gateway = own()
    assert gateway.chat("lab/chat").status == 200
    row = gateway.wait_for_rows(1)[0]
    assert row["cost"] is None and row["output"] > 0
    assert eventually(lambda: gateway.metric("llm_unpriced_requests_total") == 1 or gateway.logged(model="chat", cost_usd=None))


def decoded(coding, body):
    """Without a coding, or with one the standard library knows; others must be just what the provider sent."""
    if coding in ("gzip", "deflate"):
        return zlib.decompress(body, 47 if coding == "gzip" else 15)
    return body if coding is None else None


@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("accepted", ["gzip, deflate, br, zstd", "identity"])
def test_NET_2_every_coding_passes_and_is_metered(own, lab, coding, stream, accepted):
    gateway = priced(own)
    fault = {} if coding == "identity" else {"x-lab-fault": coding}
    through = gateway.chat("lab/chat", stream=stream, headers={"Accept-Encoding": accepted, **fault})
    direct = lab.chat("chat", stream=stream, headers=fault)
    assert through.status == 200
    said = through.headers["content-encoding"]
    assert said in (None, coding) and (said is None or accepted != "identity")
    plain = decoded(said, through.body)
    if plain is None:
        assert through.body == direct.body  # untouched
    elif stream:
        assert payloads(plain.decode()) == lab.chat("chat", stream=True).events
    else:
        assert json.loads(plain) == lab.chat("chat").json()
    length = through.headers["content-length"]
    assert length is None or int(length) == len(through.body)
    row = gateway.wait_for_rows(1)[0]
    assert row["usage_source"] == 1 and row["output"] > 0 and row["cost"] > 0


def test_DISC_6_a_failure_before_any_output_costs_nothing(own):
    gateway = priced(own)
    for fault in ("status-500", "reset", "error-after-0"):
        assert gateway.chat(f"lab/{fault}", stream=True).status >= 500
    for row in gateway.wait_for_rows(3):
        assert row["cost"] in (0, None) and row["output"] == 0 and row["usage_source"] == 0


def test_OBS_1_metrics_ledger_and_the_lab_agree(own, lab):
    gateway = priced(own)
    lab.reset()
    for number in range(12):
        assert gateway.chat("lab/chat", stream=number % 2 == 0, user=str(number)).status == 200
    assert gateway.chat("lab/tools", tools=[TOOL]).status == 200
    assert gateway.chat("lab/fast", stream=True, headers={"x-lab-fault": "cached-4"}).status == 200
    rows, meter = gateway.wait_for_rows(14), lab.total()
    assert len(rows) == meter["requests"] == meter["completed"] == 14
    assert sum(row["input"] for row in rows) == meter["prompt_tokens"]
    assert sum(row["cache_read"] for row in rows) == meter["cached_tokens"]
    assert sum(row["output"] for row in rows) == meter["completion_tokens"]
    assert sum(row["cost"] for row in rows) == meter["cost_nanodollars"]
    assert gateway.metric("llm_requests_total") == 14
    assert gateway.metric("llm_request_duration_seconds_count") == 14
    dollars = gateway.metric("llm_cost_per_request_dollars_sum")
    assert dollars * 1e9 == pytest.approx(meter["cost_nanodollars"], abs=1)


def falling_back(own, first, **more):
    """A gateway with a route `pair`: this target of the lab, then one that is well."""
    prices = {**PRICES, first: {"input": 3, "output": 12, "cached_input": 0.3}}
    route = {"strategy": "fallback", "targets": [f"lab/{first}", "lab/chat"], **more}
    return own({"prices": {"custom": prices}, "routes": {"pair": route}, "timeouts": {"first_byte": "300ms"}})


@pytest.mark.parametrize("fault", ["overloaded-after-0", "reset-after-0", "stall-after-0", "error-after-0"])
def test_DISC_6_what_a_failed_attempt_told_is_paid_for_at_its_own_price(own, lab, fault):
    first = f"chat+usage-first+{fault}"
    gateway = falling_back(own, first)
    lab.reset()
    reply = gateway.chat("pair", stream=True, stream_options={"include_usage": True})
    row, meter = gateway.wait_for_rows(1)[0], lab.total()
    failed, answered = row["attempts"]
    tokens = failed[5]
    assert failed[0] == f"lab/{first}" and failed[4:] == [1, tokens, 0, 3000 * tokens] and tokens > 0
    assert len(answered) == 4 and row["result"] == "fallback_ok"
    # The row's tokens are those of the answer, as the client was told; the sums are what the lab counted.
    told = reply.chunks[-1]["usage"]
    assert (row["input"], row["output"]) == (told["prompt_tokens"], told["completion_tokens"])
    assert row["input"] + tokens == meter["prompt_tokens"] and row["output"] == meter["completion_tokens"]
    assert row["attempts_cost"] == failed[7] and row["attempts_unknown"] == 0
    # The lab asks its usual price of both; ours of the first is three times that.
    assert row["cost"] - row["attempts_cost"] + failed[7] // 3 == meter["cost_nanodollars"]
    assert gateway.metric("llm_cost_dollars_total") * 1e9 == pytest.approx(row["cost"], abs=1)


def test_DISC_6_when_all_fail_what_they_told_is_paid_for(own, lab):
    first = "chat+usage-first+reset-after-0"
    gateway = falling_back(own, first, targets=[f"lab/{first}"])
    lab.reset()
    reply = gateway.chat("pair", stream=True, stream_options={"include_usage": True})
    assert reply.status == 502
    row, meter = gateway.wait_for_rows(1)[0], lab.total()
    assert (row["input"], row["output"], row["usage_source"]) == (0, 0, 0)
    assert sum(attempt[5] for attempt in row["attempts"]) == meter["prompt_tokens"] > 0
    assert row["cost"] == row["attempts_cost"] == 3 * meter["cost_nanodollars"]


@pytest.mark.parametrize("fault, unknown", [("reset", 1), ("silent", 1), ("garbage-200", 1), ("status-503", 0), ("error-200", 0)])
def test_DISC_6_what_a_silent_attempt_used_nobody_knows_and_a_refusal_is_free(own, fault, unknown):
    gateway = falling_back(own, fault)
    assert gateway.chat("pair").status == 200
    row = gateway.wait_for_rows(1)[0]
    assert (row["attempts_cost"], row["attempts_unknown"]) == (0, unknown)
    assert row["attempts"][0][4:] == ([0, None, None, None] if unknown else [])
    assert row["cost"] == row["input"] * 1000 + row["output"] * 4000


def test_an_answer_in_two_pieces_is_paid_for_piece_by_piece(own, lab):
    first = "chat+tokens-9+reset-after-5"
    gateway = falling_back(own, first, **{"continue": True})
    lab.reset()
    assert gateway.chat("pair", stream=True).events[-1] == "[DONE]"
    row, meter = gateway.wait_for_rows(1)[0], lab.total()
    source, tokens_in, tokens_out, cost = row["attempts"][0][4:]
    assert source == 2 and cost == row["attempts_cost"] == 3000 * tokens_in + 12000 * tokens_out
    assert row["usage_source"] == 1 and row["cost"] - cost == row["input"] * 1000 + row["output"] * 4000
    assert row["output"] + 5 == meter["completion_tokens"] and tokens_out > 0


def test_an_answer_that_nobody_goes_on_with_keeps_its_tokens(own):
    first = "chat+tokens-9+reset-after-5"
    gateway = falling_back(own, first, targets=[f"lab/{first}"], **{"continue": True})
    assert "[DONE]" not in gateway.chat("pair", stream=True).events
    row = gateway.wait_for_rows(1)[0]
    last = row["attempts"][-1]
    assert len(last) == 4 and row["usage_source"] == 2 and row["output"] > 0
    assert row["cost"] - row["attempts_cost"] == row["input"] * 3000 + row["output"] * 12000


def test_COST_7_the_providers_own_cost_is_recorded(own):
    gateway = priced(own)
    assert gateway.chat("lab/chat", headers={"x-lab-fault": "cost"}).status == 200
    row = gateway.wait_for_rows(1)[0]
    assert row["cost_source"] == 2 and row["cost"] == row["table_cost"]
