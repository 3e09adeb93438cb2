"""Requests, tokens and parallel calls a minute: how many pass, what a refusal says, and who comes again."""

import re
import time

import anthropic
import openai
import pytest

from governed import DOORS, ask, at_once, bearer, governed, key, own_usage, settings_for
from harness import HELLO, SLOW, eventually, read_until


def chat(gateway, name="a", fault="tokens-5", **more):
    return gateway.chat(headers={**bearer(name), "x-lab-fault": fault}, **more)


@pytest.mark.parametrize("level", ["key", "team", "organisation", "user"])
def test_RL_1_four_workers_share_one_limit(own, level):
    limit = {"requests_per_minute": 40}
    of = {name: limit if name == level else {} for name in ("key", "team", "organisation", "user")}
    gateway = governed(
        own,
        {"a": {"team": "t", **of["key"]}},
        teams={"t": {"organisation": "o", **of["team"]}},
        organisations={"o": of["organisation"]},
        end_users=of["user"],
        server={"workers": 4},
    )
    replies = [reply for _ in range(4) for reply in at_once(50, lambda number: chat(gateway, user="ann"))]
    assert sum(reply.status == 200 for reply in replies) == 40
    assert {reply.headers["x-sluice-limit"] for reply in replies if reply.status == 429} == {f"{level}/requests"}
    metric = dict(level=level, limit="requests", mode="enforced")
    assert eventually(lambda: gateway.metric("llm_limit_refusals_total", **metric)) == 160


@pytest.mark.parametrize("stream", [False, True])
def test_RL_2_tokens_are_held_before_and_put_right_after_a_call(own, stream):
    gateway = governed(own, {"a": {"tokens_per_minute": 1000}})

    def remaining():
        return own_usage(gateway, "a")["limits"][0]["tokens"]["remaining"]

    with gateway.open(headers={**bearer("a"), "x-lab-fault": "tokens-20, interval-100"}, max_tokens=900) as held:
        read_until(held, b'"content":"')
        assert remaining() < 100
        refused = chat(gateway, max_tokens=500, stream=stream)
        assert refused.status == 429 and refused.headers["x-sluice-limit"] == "key/tokens"
        read_until(held, b"[DONE]", 20)
    row = gateway.wait_for_rows(2)
    used = sum(each["input"] + each["output"] for each in row)
    eventually(lambda: remaining() == 1000 - used)
    # More than was announced: it counts all the same.
    before = remaining()
    assert chat(gateway, "a", "tokens-300", max_tokens=50, stream=stream).status == 200
    last = gateway.wait_for_rows(3)[-1]
    eventually(lambda: remaining() == before - last["input"] - last["output"])


def test_RL_2_a_request_larger_than_the_limit_is_told_so_and_not_asked_again(own):
    gateway = governed(own, {"a": {"tokens_per_minute": 100}})
    refused = chat(gateway, max_tokens=500)
    assert refused.status == 429 and "this request alone is larger" in refused.error["message"]
    assert refused.headers["retry-after"] is None and refused.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("ending", ["tokens-5", "status-500", "reset", "silent", "garbage-200"])
def test_RL_3_places_come_back_however_a_request_ends(own, ending):
    gateway = governed(own, {"a": {"parallel": 3}}, timeouts={"first_byte": "300ms"}, resilience={"attempts": 1})
    for stream in (False, True):
        statuses = [reply.status for reply in at_once(3, lambda number: chat(gateway, "a", ending, stream=stream))]
        assert 429 not in statuses
    began = time.monotonic()
    eventually(lambda: own_usage(gateway, "a")["limits"][0]["in_flight"] == 0)
    assert time.monotonic() - began < SLOW
    assert [reply.status for reply in at_once(3, lambda number: chat(gateway))] == [200] * 3


def test_RL_3_the_place_of_a_client_that_left_is_free_within_a_second(own):
    gateway = governed(own, {"a": {"parallel": 1}})
    with gateway.open(headers={**bearer("a"), "x-lab-fault": "tokens-90, interval-200"}) as stream:
        read_until(stream, b'"content":"')
        refused = chat(gateway)
        assert refused.status == 429 and refused.headers["x-sluice-limit"] == "key/parallel"
        assert refused.headers["retry-after"] == "1"
    eventually(lambda: chat(gateway).status == 200, 1)


def test_RL_4_every_reply_says_what_is_left_and_a_refusal_when_to_come_again(own):
    gateway = governed(own, {"a": {"requests_per_minute": 2, "tokens_per_minute": 5000}})
    first, second, refused = (chat(gateway, max_tokens=50) for _ in range(3))
    assert [reply.status for reply in (first, second, refused)] == [200, 200, 429]
    for reply, left in ((first, 1), (second, 0), (refused, 0)):
        assert reply.headers["x-ratelimit-limit-requests"] == "2"
        assert reply.headers["x-ratelimit-remaining-requests"] == str(left)
        assert re.fullmatch(r"\d+s", reply.headers["x-ratelimit-reset-requests"])
        assert reply.headers["x-ratelimit-limit-tokens"] == "5000"
        assert int(reply.headers["x-ratelimit-remaining-tokens"]) <= 5000
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert refused.headers["x-sluice-limit"] == "key/requests"
    error = refused.error
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert "the limit of key 'a', 2 requests a minute, is reached" in error["message"]


def test_RL_4_anthropics_clients_are_told_in_their_own_header_fields(own):
    gateway = governed(own, {"a": {"requests_per_minute": 1}})
    for status, left in ((200, "0"), (429, "0")):
        reply = ask(gateway, *DOORS["messages"], bearer("a"))
        assert reply.status == status
        assert reply.headers["anthropic-ratelimit-requests-limit"] == "1"
        assert reply.headers["anthropic-ratelimit-requests-remaining"] == left
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", reply.headers["anthropic-ratelimit-requests-reset"])
    with anthropic.Anthropic(base_url=gateway.url, api_key=key("a"), max_retries=0) as client:
        with pytest.raises(anthropic.RateLimitError):
            client.messages.create(model="lab/chat", max_tokens=9, messages=HELLO)


def test_the_sdk_comes_again_when_it_is_told_to(own):
    gateway = governed(own, {"a": {"parallel": 1}})
    with gateway.open(headers={**bearer("a"), "x-lab-fault": "tokens-8, interval-100"}) as stream:
        read_until(stream, b'"content":"')
        began = time.monotonic()
        with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key("a"), max_retries=3) as client:
            answer = client.chat.completions.create(model="lab/chat", messages=HELLO)
    assert answer.choices[0].message.content and time.monotonic() - began >= 1
    assert {row["status"] for row in gateway.wait_for_rows(3)} == {200, 429}


def test_of_several_limits_the_one_with_the_least_left_is_told(own):
    gateway = governed(own, {"a": {"team": "t", "requests_per_minute": 100}}, teams={"t": {"requests_per_minute": 3}}, end_users={"requests_per_minute": 2})
    assert chat(gateway).headers["x-ratelimit-remaining-requests"] == "2"
    assert chat(gateway, user="ann").headers["x-ratelimit-remaining-requests"] == "1"


def test_a_limit_in_shadow_lets_everybody_pass_and_counts(own):
    gateway = governed(own, {"a": {"requests_per_minute": 1, "tokens_per_minute": 1, "shadow": True}})
    replies = [chat(gateway) for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    assert all(reply.headers["x-ratelimit-limit-requests"] != "1" for reply in replies)
    assert eventually(lambda: gateway.metric("llm_limit_refusals_total", level="key", mode="shadow")) == 3
    assert gateway.metric("llm_limit_refusals_total", mode="enforced") == 0
    assert "in shadow: the limit of key 'a'" in gateway.wait_for_rows(3)[-1]["reason"]


def test_a_limit_that_is_changed_counts_what_was_before(own):
    gateway = governed(own, {"a": {"requests_per_minute": 2}})
    assert [chat(gateway).status for _ in range(3)] == [200, 200, 429]
    gateway.configure(settings_for({"a": {"requests_per_minute": 4}}))
    eventually(lambda: own_usage(gateway, "a")["limits"][0]["requests"]["limit"] == 4)
    assert [chat(gateway).status for _ in range(3)] == [200, 200, 429]


def test_what_an_organisation_had_no_longer_counts_when_it_is_gone(own):
    gateway = governed(own, {"a": {}}, organisations={"default": {"requests_per_minute": 1}})
    assert [chat(gateway).status for _ in range(2)] == [200, 429]
    gateway.configure(settings_for({"a": {}}))
    eventually(lambda: chat(gateway).status == 200)


WORDS = [{"role": "user", "content": "internationalization of 12,345 harbours; " * 100}]


def held_tokens(own, limit):
    """What a request holds of the tokens of a minute while it is under way."""
    gateway = governed(own, {"a": {"tokens_per_minute": limit}})
    with gateway.open(headers={**bearer("a"), "x-lab-fault": "tokens-20, interval-100"}, messages=WORDS, max_tokens=70) as held:
        read_until(held, b'"content":"')
        return gateway, limit - own_usage(gateway, "a")["limits"][0]["tokens"]["remaining"]


def test_RL_2_what_is_held_is_what_count_tokens_says(own):
    gateway, held = held_tokens(own, 4_000)
    body = {"model": "lab/chat", "messages": WORDS}
    counted = ask(gateway, DOORS["count_tokens"][0], body, bearer("a")).json()["input_tokens"]
    assert counted != len(WORDS[0]["content"]) // 4
    assert held == counted + 70


def test_RL_2_far_below_the_limit_bytes_are_counted(own):
    _, held = held_tokens(own, 1_000_000)
    assert 0 <= held - 70 - len(WORDS[0]["content"]) // 4 < 50
