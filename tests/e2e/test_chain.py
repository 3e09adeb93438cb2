"""Two gateways of ours in a row: the outer one is a client of the inner one."""

import json

import anthropic
import pytest

from dialects import DIALECTS, Said
from upstreams import Everywhere, prices

HELLO = [Said("user", "Tell me about the harbour.")]


@pytest.fixture(scope="module")
def inner(lab, tmp_path_factory):
    with Everywhere(tmp_path_factory.mktemp("inner"), lab) as started:
        yield started


@pytest.fixture(scope="module")
def outer(lab, inner, tmp_path_factory):
    behind = {
        "behind": {"kind": "openai", "base_url": f"{inner.url}/v1", "api_key": "k", "pass_headers": ["x-lab-fault"]},
        "messages": {"kind": "anthropic", "base_url": inner.url, "api_key": "k", "pass_headers": ["x-lab-fault"]},
    }
    names = {f"{name}/{model}": price for name in ("oai", "ant") for model, price in prices().items()}
    settings = {"providers": behind, "prices": {"custom": names}}
    with Everywhere(tmp_path_factory.mktemp("outer"), lab, settings) as started:
        yield started


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("via", ["behind", "messages"])
@pytest.mark.parametrize("last", ["oai", "ant"])
def test_COST_10_both_gateways_count_what_the_model_said_and_their_rows_are_linked(inner, outer, lab, name, stream, via, last):
    client = DIALECTS[name](outer)
    lab.reset()
    answer, row = client.ask(f"{via}/{last}/chat", HELLO, stream=stream, headers={"x-lab-fault": "cached-3,reasoning-7"})
    client.close()
    assert row["usage_source"] == 1
    linked = inner.row_of(outer.id_of(row))
    counted = ("plain_input", "cache_read", "cache_write", "visible_output", "reasoning", "cost")
    assert {name: row[name] for name in counted} == {name: linked[name] for name in counted}
    meter = lab.total()
    assert (row["input"], row["output"]) == (meter["prompt_tokens"], meter["completion_tokens"])
    # Claude tells of no thoughts it was not asked for.
    assert (row["cache_read"], row["reasoning"]) == (3, 7 if last == "oai" else 0)
    assert answer.usage == (row["input"], 3, row["output"])


@pytest.mark.parametrize("stream", [False, True])
def test_TR_8_thoughts_that_nobody_signed_do_not_reach_a_provider_that_asks_for_signatures(outer, lab, stream):
    asked = {"max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    turns = [{"role": "user", "content": "Which harbour?"}]
    with anthropic.Anthropic(base_url=outer.url, api_key="client-key", max_retries=0) as client:
        # By way of Chat thoughts are told, and their signature is not.
        with client.messages.stream(model="behind/ant/claude", messages=turns, **asked) as opened:
            first = opened.get_final_message()
        assert first.content[0].type == "thinking" and not first.content[0].signature
        turns.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]})
        turns.append({"role": "user", "content": "And now?"})
        if stream:
            with client.messages.stream(model="ant/claude", messages=turns, **asked) as opened:
                second = opened.get_final_message()
        else:
            second = client.messages.create(model="ant/claude", messages=turns, **asked)
    assert second.stop_reason == "end_turn"
    assert json.loads(lab.last()["body"])["messages"][1]["content"] == [{"type": "text", "text": first.content[1].text}]
