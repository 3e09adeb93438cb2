"""Kinds `openai` and `anthropic` before the lab's strict faces, and the errors of every kind."""

import json
from collections import Counter

import pytest

from harness import HELLO, eventually

PRICE = {"input": 3, "output": 15, "cached_input": 0.3}
LONG = [{"role": "user", "content": "the harbour and its ships " * 120}]
FACES = {
    "openai": {"kind": "openai", "path": "/v1", "api_key": "sk-openai-key-0123456789-aaaa"},
    "anthropic": {"kind": "anthropic", "path": "/anthropic", "api_key": "sk-ant-key-0123456789-bbbb"},
    "portkey": {"kind": "portkey", "path": "/portkey/v1", "api_key": "pk-portkey-key-0123456789-cccc"},
    "openrouter": {"kind": "openrouter", "path": "/openrouter/api/v1", "api_key": "sk-or-v1-0123456789-dddd"},
    "cortex": {"kind": "cortex", "path": "/snowflake", "token": "pat-lab"},
}
MODEL = {"portkey": "portkey/@lab/lab", "anthropic": "anthropic/lab"}


def provider(lab, kind, **more):
    """The settings of a provider whose API is the lab's face of that kind."""
    settings = {**FACES[kind], **more}
    return {"base_url": lab.url + settings.pop("path"), **settings}


def named(kind, model):
    return f"{MODEL.get(kind, kind + '/lab')}/{model}"


def ask_claude(gateway, body, headers=None, path="/v1/messages"):
    return gateway.request("POST", path, body, {"x-api-key": "client-key", **(headers or {})})


def key_that_arrived(lab):
    return lab.last()["headers"]["authorization"]


def two_keys(lab, first, second, **more):
    settings = provider(lab, "openai", keys={"first": first, "second": second}, **more)
    del settings["api_key"]
    return {"providers": {"openai": settings}}


def key_event(gateway, what):
    return eventually(lambda: gateway.logged(msg=f"a key of a provider {what}"))


# Kind openai


def test_keys_share_the_traffic_by_their_weights_and_no_client_sees_one(own, lab):
    gateway = own(two_keys(lab, "sk-lab-first-key-1111", "sk-lab-second-key-2222", key_weights={"first": 5}))
    seen = Counter()
    for _ in range(72):
        reply = gateway.chat("openai/lab/fast")
        assert reply.status == 200 and "sk-lab" not in reply.text + str(reply.headers)
        seen[key_that_arrived(lab)] += 1
    assert set(seen) == {"...1111", "...2222"}
    assert seen["...1111"] >= 47


def test_a_key_that_meets_its_limit_rests_while_another_goes_on(own, lab):
    gateway = own(two_keys(lab, "sk-lab-first-key-1111", "sk-lab-second-key-2222"))
    lab.reset()
    reply = gateway.chat("openai/lab/fail-first-1+status-429-retry-60")
    assert reply.status == 200
    good = key_that_arrived(lab)
    for _ in range(12):
        assert gateway.chat("openai/lab/fast").status == 200
        assert key_that_arrived(lab) == good
    (event,) = key_event(gateway, "met its limit and rests")
    assert event["provider"] == "openai" and event["key"] == {"...1111": "second", "...2222": "first"}[good]
    outcomes = [attempt[1] for attempt in gateway.wait_for_rows(13)[0]["attempts"]]
    assert len(outcomes) == 2


def test_a_refused_key_is_taken_out_logged_and_never_shown(own, lab):
    keys = two_keys(lab, "invalid-lab-key-3333", "sk-lab-second-key-2222", key_weights={"first": 1000})
    gateway = own(keys)
    replies = [gateway.chat("openai/lab/fast") for _ in range(8)]
    assert {reply.status for reply in replies} == {200}
    assert key_that_arrived(lab) == "...2222"
    (event,) = key_event(gateway, "is refused and taken out")
    assert (event["provider"], event["key"], event["level"]) == ("openai", "first", "warn")
    assert "key-3333" not in "".join(map(str, gateway.lines))
    again = [row for row in gateway.wait_for_rows(8) if row["attempts"]]
    assert len(again) <= 1  # the refused key is not asked again


def test_a_provider_that_repeats_the_key_does_not_give_it_away(own, lab):
    gateway = own({"providers": {"openai": provider(lab, "openai")}})
    reply = gateway.chat("openai/lab/echo-key")
    assert reply.status == 502 and reply.error["code"] == "upstream_auth"
    assert "refused the key it was given" in reply.error["message"]
    assert "0123456789" not in reply.text + "".join(map(str, gateway.lines)) + str(gateway.wait_for_rows(1))


PRESETS = {
    "deepseek": {"max_tokens": 9},
    "mistral": {"max_tokens": 9},
    "groq": {"max_completion_tokens": 9, "stream_options": {"include_usage": True}},
}


@pytest.mark.parametrize("preset", PRESETS)
def test_TR_2_a_preset_knows_what_its_service_calls_things(own, lab, preset):
    gateway = own({"providers": {"p": provider(lab, "openai", preset=preset)}})
    assert gateway.chat("p/lab/fast", stream=True, max_completion_tokens=9).status == 200
    body = json.loads(lab.last()["body"])
    wanted = PRESETS[preset]
    assert {name: value for name, value in body.items() if name in wanted} == wanted
    assert ("stream_options" in body) == (preset != "mistral")
    assert ("max_completion_tokens" in body) == (preset == "groq")


def test_the_preset_of_azure_shows_the_key_in_its_own_field(own, lab):
    gateway = own({"providers": {"azure": provider(lab, "openai", preset="azure")}})
    gateway.chat("azure/lab/fast")
    headers = lab.last()["headers"]
    assert headers["api-key"] == "...aaaa" and "authorization" not in headers


def test_a_service_without_responses_gets_them_as_chat(own, lab):
    gateway = own({"providers": {"deepseek": provider(lab, "openai", preset="deepseek")}})
    reply = gateway.request("POST", "/v1/responses", {"model": "deepseek/lab/chat", "input": "Hello"})
    assert reply.status == 200 and reply.json()["object"] == "response"
    assert lab.last()["target"] == "/v1/chat/completions"


# Kind anthropic

ODD = b"""{ "model" : "anthropic/lab/claude", "max_tokens":50,
  "system": [{"type": "text", "text": "Short.", "cache_control": {"type": "ephemeral"}}],
  "messages" : [{"role":"user","content":"\\u00e9 caf\xc3\xa9"}] %s}"""


@pytest.mark.parametrize("more", [b"", b', "stream" : true'])
def test_a_message_passes_byte_for_byte_in_both_directions(own, lab, more):
    gateway = own({"providers": {"anthropic": provider(lab, "anthropic")}})
    sent = ODD.replace(b"%s", more)
    reply = ask_claude(gateway, sent)
    arrived = sent.replace(b"anthropic/lab/claude", b"lab/claude")
    assert lab.last()["target"] == "/anthropic/v1/messages"
    assert lab.last()["body"].encode() == arrived
    by_hand = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    direct = lab.request("POST", "/anthropic/v1/messages", arrived, by_hand)
    assert reply.status == direct.status == 200 and reply.body == direct.body


def test_NET_1_versions_and_betas_arrive_and_no_other_credentials(own, lab):
    gateway = own({"providers": {"anthropic": provider(lab, "anthropic")}})
    body = {"model": "anthropic/lab/claude", "max_tokens": 20, "messages": HELLO}
    assert ask_claude(gateway, body).status == 200
    assert lab.last()["headers"]["anthropic-version"] == "2023-06-01"
    told = {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "interleaved-thinking-2025-05-14,made-up-2026-01-01",
        "openai-organization": "org-1",
        "http-referer": "https://harbour.example",
        "cookie": "session=1",
    }
    ask_claude(gateway, body, told)
    headers = lab.last()["headers"]
    assert headers["anthropic-version"] == told["anthropic-version"]
    assert headers["anthropic-beta"] == told["anthropic-beta"]
    assert headers["x-api-key"] == "...bbbb"
    assert not {"openai-organization", "http-referer", "cookie", "authorization"} & set(headers)


def test_NET_1_lists_of_fields_to_pass_and_to_drop_are_kept(own, lab):
    lists = {"pass_headers": ["x-harbour"], "drop_headers": ["anthropic-beta"]}
    gateway = own({"providers": {"anthropic": provider(lab, "anthropic", **lists)}})
    gateway.chat("anthropic/lab/claude", headers={"x-harbour": "north", "anthropic-beta": "b", "x-other": "1"})
    headers = lab.last()["headers"]
    assert headers["x-harbour"] == "north" and not {"anthropic-beta", "x-other"} & set(headers)


TOOL = {"type": "function", "function": {"name": "tide", "parameters": {"type": "object", "properties": {}}}}


def test_a_chat_client_talks_to_claude_and_learns_what_was_left_out(own, lab):
    gateway = own({"providers": {"anthropic": provider(lab, "anthropic", max_output=77)}})
    reply = gateway.chat("anthropic/lab/claude", seed=7, stop=["STOP"], tools=[TOOL])
    assert reply.status == 200 and reply.json()["object"] == "chat.completion"
    assert reply.headers["x-sluice-dropped"] == "seed"
    assert reply.headers["anthropic-organization-id"] == "lab"
    body = json.loads(lab.last()["body"])
    assert body["max_tokens"] == 77 and body["stop_sequences"] == ["STOP"] and body["tools"][0]["name"] == "tide"


def test_an_effort_makes_claude_think_and_the_thoughts_come_back(own, lab):
    gateway = own({"providers": {"anthropic": provider(lab, "anthropic")}})
    reply = gateway.chat("anthropic/lab/claude", reasoning_effort="medium")
    assert reply.json()["choices"][0]["message"]["reasoning_content"]
    assert json.loads(lab.last()["body"])["thinking"]
    assert gateway.wait_for_rows(1)[0]["reasoning"] > 0


@pytest.mark.parametrize("stream", [False, True])
def test_tools_of_claude_come_as_tool_calls(own, lab, stream):
    gateway = own({"providers": {"anthropic": provider(lab, "anthropic")}})
    reply = gateway.chat("anthropic/lab/tools", stream=stream, tools=[TOOL])
    assert reply.status == 200 and '"name":"tide"' in reply.text and '"finish_reason":"tool_calls"' in reply.text
    assert gateway.wait_for_rows(1)[0]["outcome"] == "ok"


def test_count_tokens_is_passed_on_and_free(own, lab):
    gateway = own({"providers": {"anthropic": provider(lab, "anthropic"), "openai": provider(lab, "openai")}})
    body = {"model": "anthropic/lab/claude", "messages": LONG}
    reply = ask_claude(gateway, body, path="/v1/messages/count_tokens")
    assert reply.status == 200 and reply.json()["input_tokens"] > 500
    assert lab.last()["target"] == "/anthropic/v1/messages/count_tokens"
    assert gateway.wait_for_rows(1)[0]["input"] == 0


def test_AG_2_a_count_for_a_model_of_openais_is_exact_once_its_tokenizer_is_loaded(own, lab):
    gateway = own({"providers": {"openai": provider(lab, "openai")}})
    body = {"model": "openai/lab/gpt-4o", "messages": [{"role": "user", "content": "Hello, world!"}]}

    def counted(**more):
        return ask_claude(gateway, {**body, **more}, path="/v1/messages/count_tokens")

    assert counted().headers["x-sluice-estimate"] == "true"
    eventually(lambda: counted().headers["x-sluice-estimate"] == "false")
    assert counted().json()["input_tokens"] == 4 + 4 + 3
    tools = [{"name": "look", "description": "Looks", "input_schema": {"type": "object"}}]
    assert counted(tools=tools).headers["x-sluice-estimate"] == "true"
    assert counted(model="openai/lab/llama").headers["x-sluice-estimate"] == "true"


# Errors of every kind


@pytest.mark.parametrize("kind", FACES)
def test_RET_3_a_prompt_too_long_is_told_in_openais_words_with_its_numbers(own, lab, kind):
    gateway = own({"providers": {kind: provider(lab, kind)}})
    reply = gateway.chat(named(kind, "small-context"), messages=LONG)
    assert reply.status == 400 and reply.error["code"] == "context_length_exceeded", reply.text
    assert reply.error["type"] == "invalid_request_error"
    assert "256" in reply.error["message"]
    assert gateway.wait_for_rows(1)[0]["outcome"] == "context_overflow"


@pytest.mark.parametrize("kind", FACES)
def test_RET_3_a_prompt_too_long_is_told_in_anthropics_words_with_its_numbers(own, lab, kind):
    gateway = own({"providers": {kind: provider(lab, kind)}})
    model = "small-context" if kind != "portkey" else "chat+context-length"
    reply = ask_claude(gateway, {"model": named(kind, model), "max_tokens": 20, "messages": LONG})
    assert reply.status == 400 and reply.error["type"] == "invalid_request_error", reply.text
    assert "prompt is too long" in reply.error["message"] and " > " in reply.error["message"]


# Snowflake has no words for these: what it says is any 400 or 429.
TALKATIVE = [kind for kind in FACES if kind != "cortex"]


@pytest.mark.parametrize("kind", TALKATIVE)
def test_a_refusal_by_policy_says_so(own, lab, kind):
    gateway = own({"providers": {kind: provider(lab, kind)}})
    reply = gateway.chat(named(kind, "content-policy"))
    assert (reply.status, gateway.wait_for_rows(1)[0]["outcome"]) == (400, "content_policy"), reply.text


SPENT = {
    "openai": (429, "upstream_rate_limit"),
    "anthropic": (502, "upstream_auth"),  # "Your credit balance is too low"
    "portkey": (429, "upstream_rate_limit"),
    "openrouter": (502, "upstream_auth"),  # 402
}


@pytest.mark.parametrize("kind", TALKATIVE)
def test_a_spent_quota_is_not_asked_for_again(own, lab, kind):
    gateway = own({"providers": {kind: provider(lab, kind)}})
    lab.reset()
    reply = gateway.chat(named(kind, "quota"))
    assert (reply.status, gateway.wait_for_rows(1)[0]["outcome"]) == SPENT[kind], reply.text
    assert lab.total()["requests"] == 1


@pytest.mark.parametrize("kind", FACES)
def test_a_provider_without_a_good_key_is_our_fault_and_never_the_clients(own, lab, kind):
    wrong = {"token": "pat-wrong"} if kind == "cortex" else {"api_key": "invalid-key-0123456789"}
    gateway = own({"providers": {kind: provider(lab, kind, **wrong)}})
    reply = gateway.chat(named(kind, "chat"))
    assert reply.status == 502, reply.text
    assert reply.error["code"] in ("upstream_auth", "intermediary_error")
    assert "invalid-key" not in reply.text and "pat-wrong" not in reply.text


@pytest.mark.parametrize("kind", FACES)
def test_COST_1_streamed_and_buffered_leave_the_same_row_whoever_answers(own, lab, kind):
    prices = {"prices": {"custom": {"claude-sonnet-4-5": PRICE, "lab/claude": PRICE, "@lab/lab/claude": PRICE}}}
    gateway = own({"providers": {kind: provider(lab, kind)}, **prices})
    model = "cortex/claude-sonnet-4-5" if kind == "cortex" else named(kind, "claude")
    for stream in (False, True):
        assert gateway.chat(model, stream=stream).status == 200
    whole, pieces = gateway.wait_for_rows(2)
    fields = ("plain_input", "cache_read", "cache_write", "visible_output", "reasoning", "cost", "cost_source")
    assert [whole[name] for name in fields] == [pieces[name] for name in fields]
    assert whole["cost"] > 0 and whole["usage_source"] == pieces["usage_source"] == 1
