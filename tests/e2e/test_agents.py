"""Coding agents at the door: a session like Claude Code's, one like Codex's, and what such programs try first."""

import json
import time

import anthropic
import openai
import pytest

from dialects import PNG
from harness import HELLO, SLOW
from upstreams import Everywhere, providers

TURNS = 50
TOOLS = [
    {
        "name": name,
        "description": f"{name}s something in the project. " * 20,
        "input_schema": {"type": "object", "properties": {given: {"type": "string"}}, "required": [given]},
    }
    for name, given in (("Read", "file_path"), ("Bash", "command"), ("Grep", "pattern"))
]
SYSTEM = "You are a coding agent. Read before you write, and keep your answers short. " * 60
KEEP = {"type": "ephemeral"}
# Where a session of Claude's goes: straight, by Snowflake's Messages, and to a server that knows Chat alone.
SESSIONS = {"anthropic": "ant/claude", "cortex": "cx/claude-sonnet-4-5", "openai": "old/chat"}


@pytest.fixture(scope="module")
def gateway(lab, tmp_path_factory):
    twin = {**providers(lab.url)["oai"], "api_key": "twin-key-6666"}
    settings = {
        "providers": {"twin": twin},
        "routes": {"balanced": {"strategy": "weighted", "targets": [{"target": "oai/reasoning", "weight": 1}, {"target": "twin/reasoning", "weight": 1}]}},
    }
    with Everywhere(tmp_path_factory.mktemp("agents"), lab, settings) as started:
        yield started


@pytest.fixture
def claude(gateway):
    with anthropic.Anthropic(base_url=gateway.url, api_key="client-key", max_retries=0) as opened:
        yield opened


@pytest.fixture
def codex(gateway):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="client-key", max_retries=0) as opened:
        yield opened


def tool_results(reply, turn):
    """What the tools said: text, and at times a picture or a failure."""
    results = []
    for use in (block for block in reply.content if block.type == "tool_use"):
        content = [{"type": "text", "text": f"line {turn}: int main() {{ return {turn}; }}\n" * 4}]
        if turn % 10 == 3:
            source = {"type": "base64", "media_type": "image/png", "data": PNG}
            content.append({"type": "image", "source": source})
        results.append(
            {"type": "tool_result", "tool_use_id": use.id, "content": content, "is_error": turn % 10 == 7}
        )
    return results


def kept_at_the_end(messages):
    """The marker of the cache stands on the last block of the conversation alone."""
    for message in messages:
        for block in message["content"]:
            block.pop("cache_control", None)
    messages[-1]["content"][-1]["cache_control"] = KEEP
    return messages


class Session:
    """Fifty turns as Claude Code sends them: count, then stream; every block of the reply goes back as it came."""

    def __init__(self, client, model):
        self.client, self.model, self.messages = client, model, []
        self.replies, self.counted, self.started = [], [], []

    def turn(self, number):
        model = self.model + ("" if number % 5 == 4 else "+tool-calls-1")
        asked = {
            "model": model,
            "system": [{"type": "text", "text": SYSTEM, "cache_control": KEEP}],
            "tools": [*TOOLS[:-1], {**TOOLS[-1], "cache_control": KEEP}],
            "messages": kept_at_the_end(self.messages),
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        }
        self.counted.append(self.client.messages.count_tokens(**asked).input_tokens)
        with self.client.messages.stream(**asked, max_tokens=4096) as stream:
            for event in stream:
                if event.type == "message_start":
                    self.started.append(event.message.usage.input_tokens)
            reply = stream.get_final_message()
        self.replies.append(reply)
        self.messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in reply.content]})
        results = tool_results(reply, number)
        self.messages.append({"role": "user", "content": results or [{"type": "text", "text": f"Go on with step {number}."}]})

    def run(self):
        self.messages.append({"role": "user", "content": [{"type": "text", "text": "Fix the harbour tests."}]})
        for number in range(TURNS):
            self.turn(number)
        return self


def prompt_of(usage):
    return usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)


@pytest.fixture(scope="module", params=SESSIONS)
def session(request, gateway):
    with anthropic.Anthropic(base_url=gateway.url, api_key="client-key", max_retries=0) as client:
        ran = Session(client, SESSIONS[request.param]).run()
    ran.upstream = request.param
    return ran


def test_AG_1_fifty_turns_with_tools_images_and_thinking_go_through(session):
    kinds = {block.type for reply in session.replies for block in reply.content}
    assert {"text", "tool_use"} <= kinds
    if session.upstream != "openai":
        assert "thinking" in kinds and all(
            block.signature for reply in session.replies for block in reply.content if block.type == "thinking"
        )
    assert {reply.stop_reason for reply in session.replies} == {"tool_use", "end_turn"}
    assert len(session.replies) == TURNS


def test_AG_2_the_count_before_each_turn_is_near_what_the_turn_took(session):
    for counted, reply in zip(session.counted, session.replies):
        took = prompt_of(reply.usage)
        assert counted >= 0.9 * took
        if session.upstream == "anthropic":
            assert counted <= 1.1 * took


def test_AG_3_a_stream_starts_with_input_tokens_above_zero(session):
    assert all(started > 0 for started in session.started) or session.upstream != "openai"
    assert all(prompt_of(reply.usage) > 0 for reply in session.replies)


def test_AG_3_the_end_of_a_stream_corrects_the_estimate_of_its_start(claude, gateway):
    mark = "estimate-corrected"
    with claude.messages.stream(
        model="old/chat", max_tokens=100, messages=HELLO, extra_headers={"x-request-id": mark}
    ) as stream:
        started = next(event.message.usage.input_tokens for event in stream if event.type == "message_start")
        usage = stream.get_final_message().usage
    row = gateway.row_of(mark)
    assert started > 0
    assert (prompt_of(usage), usage.output_tokens) == (row["input"], row["output"])


def test_AG_2_counting_costs_nothing(claude, gateway):
    mark = "count-free"
    counted = claude.messages.count_tokens(model="old/chat", messages=HELLO, extra_headers={"x-request-id": mark})
    assert counted.input_tokens > 0
    row = gateway.row_of(mark)
    assert row["endpoint"] == "count_tokens" and row["cost"] in (0, None) and row["output"] == 0


def test_TR_6_markers_of_the_cache_arrive_in_place_and_one_write_is_followed_by_two_reads(claude, lab):
    for name in ("ant/claude", "cx/claude-sonnet-4-5", "or/lab/claude", "pk/@lab/lab/claude"):
        usages = []
        for _ in range(3):
            reply = claude.messages.create(
                model=name,
                max_tokens=50,
                system=[{"type": "text", "text": f"{name} {SYSTEM}", "cache_control": KEEP}],
                tools=[{**TOOLS[0], "description": name}, TOOLS[1], {**TOOLS[2], "cache_control": {**KEEP, "ttl": "1h"}}],
                messages=[{"role": "user", "content": [{"type": "text", "text": "Hello", "cache_control": KEEP}]}],
            )
            usages.append(reply.usage)
            body = json.loads(lab.last()["body"])
            assert body["system"][0]["cache_control"] == KEEP
            assert [tool.get("cache_control") for tool in body["tools"]] == [None, None, {**KEEP, "ttl": "1h"}]
            assert body["messages"][0]["content"][0]["cache_control"] == KEEP
            assert lab.last()["body"].count("cache_control") == 3
        assert usages[0].cache_creation_input_tokens > 0 and usages[0].cache_read_input_tokens == 0
        assert [usage.cache_creation_input_tokens for usage in usages[1:]] == [0, 0]
        assert [usage.cache_read_input_tokens for usage in usages[1:]] == [usages[0].cache_creation_input_tokens] * 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("redacted", ["", "+redacted-thinking"])
def test_TR_8_thoughts_go_back_byte_for_byte_to_their_maker_and_to_nobody_else(claude, lab, stream, redacted):
    asked = {
        "max_tokens": 2000,
        "tools": TOOLS,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    question = {"role": "user", "content": "Which harbour — Tromsø or Århus?"}
    model = f"ant/claude+tool-calls-1{redacted}"
    if stream:
        with claude.messages.stream(model=model, messages=[question], **asked) as opened:
            reply = opened.get_final_message()
    else:
        reply = claude.messages.create(model=model, messages=[question], **asked)
    thought = reply.content[0].model_dump(exclude_none=True)
    assert thought["type"] == ("redacted_thinking" if redacted else "thinking")
    turns = [
        question,
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in reply.content]},
        {"role": "user", "content": tool_results(reply, 1)},
    ]
    claude.messages.create(model="ant/claude", messages=turns, **asked)
    assert json.loads(lab.last()["body"])["messages"][1]["content"][0] == thought
    elsewhere = claude.messages.with_raw_response.create(model="old/chat", messages=turns, **asked)
    secret = thought.get("signature") or thought["data"]
    assert elsewhere.status_code == 200 and secret not in lab.last()["body"]
    assert "thinking" in elsewhere.headers["x-sluice-dropped"]


@pytest.mark.parametrize("stream", [False, True])
def test_TR_8_a_client_that_cannot_send_thoughts_back_is_answered_all_the_same(codex, stream):
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    asked = {"tools": [tool], "reasoning_effort": "medium", "max_completion_tokens": 4000}
    turns = [*HELLO]
    call = codex.chat.completions.create(model="ant/claude+tool-calls-1", messages=turns, **asked).choices[0].message
    assert call.tool_calls and call.model_extra["reasoning_content"]
    plain = {"role": "assistant", "content": None, "tool_calls": [one.model_dump() for one in call.tool_calls]}
    turns += [plain, *({"role": "tool", "tool_call_id": one.id, "content": "ok"} for one in call.tool_calls)]
    reply = codex.chat.completions.create(model="ant/claude", messages=turns, stream=stream, **asked)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in reply if chunk.choices) if stream else reply.choices[0].message.content


def test_TR_8_thoughts_of_claude_go_back_byte_for_byte_through_responses(codex, lab):
    turns = [{"role": "user", "content": [{"type": "input_text", "text": "Fix the tests."}]}]
    reply = codex.responses.create(model="ant/claude+tool-calls-1", **codex_asks(turns))
    assert [item.type for item in reply.output][0] == "reasoning" and reply.output[0].encrypted_content
    call = next(item for item in reply.output if item.type == "function_call")
    turns += [item.model_dump(exclude_none=True, exclude={"status"}) for item in reply.output]
    turns.append({"type": "function_call_output", "call_id": call.call_id, "output": "ok"})
    codex.responses.create(model="ant/claude", **codex_asks(turns))
    thought = json.loads(lab.last()["body"])["messages"][1]["content"][0]
    assert thought["type"] == "thinking" and thought["signature"] and thought["thinking"] == reply.output[0].summary[0].text


@pytest.mark.parametrize("model", ["old/small-context", "ant/small-context"])
@pytest.mark.parametrize("stream", [False, True])
def test_AG_1_a_prompt_that_does_not_fit_is_told_in_the_words_that_make_agents_compact(claude, model, stream):
    with pytest.raises(anthropic.BadRequestError) as refused:
        claude.messages.create(model=model, max_tokens=50, messages=[{"role": "user", "content": "word " * 500}], stream=stream)
    assert "prompt is too long" in refused.value.body["error"]["message"]


def codex_asks(turns, **more):
    tool = {
        "type": "function",
        "name": "shell",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"], "additionalProperties": False},
        "strict": True,
    }
    return {
        "input": turns,
        "tools": [tool],
        "instructions": "You are a coding agent.",
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "medium", "summary": "auto"},
        "parallel_tool_calls": False,
        **more,
    }


@pytest.mark.parametrize("model", ["balanced", "old/reasoning", "ant/claude"])
@pytest.mark.parametrize("stream", [False, True])
def test_AG_5_a_session_like_codex_that_stores_nothing_never_loses_an_item(codex, gateway, model, stream):
    asked_of = set()
    turns = [{"role": "user", "content": [{"type": "input_text", "text": "Fix the tests."}]}]
    for number in range(12):
        name = model if number % 4 == 3 or model == "balanced" else f"{model}+tool-calls-1"
        mark = {"x-request-id": f"codex-{model}-{number}-{stream}"}
        reply = codex.responses.create(model=name, stream=stream, extra_headers=mark, **codex_asks(turns))
        if stream:
            events = list(reply)
            assert events[-1].type == "response.completed"
            reply = events[-1].response
        asked_of.add(gateway.row_of(mark["x-request-id"])["provider"])
        output = reply.output
        assert output
        turns += [item.model_dump(exclude_none=True, exclude={"status"}) for item in output]
        calls = [item for item in output if item.type == "function_call"]
        turns += [{"type": "function_call_output", "call_id": call.call_id, "output": "ok"} for call in calls]
        if not calls:
            turns.append({"role": "user", "content": [{"type": "input_text", "text": f"Step {number}."}]})
    assert len(asked_of) == 1  # sealed thoughts are opened by their maker alone


def test_AG_5_a_reply_that_refers_to_an_earlier_one_goes_to_the_target_that_made_it(codex, gateway):
    providers_seen = set()
    for number in range(12):
        first = codex.responses.create(model="balanced", input=f"Remember {number}.", extra_headers={"x-request-id": f"first-{number}"})
        maker = gateway.row_of(f"first-{number}")["provider"]
        providers_seen.add(maker)
        after = {"x-request-id": f"after-{number}"}
        second = codex.responses.create(model="balanced", input="What was it?", previous_response_id=first.id, extra_headers=after)
        assert second.output_text
        assert gateway.row_of(f"after-{number}")["provider"] == maker
    assert providers_seen == {"oai", "twin"}


@pytest.mark.parametrize("model", ["old/chat", "ant/claude"])
def test_AG_5_a_stateful_request_that_no_target_can_serve_is_a_clear_error(codex, model):
    with pytest.raises(openai.BadRequestError) as refused:
        codex.responses.create(model=model, input="What was it?", previous_response_id="resp_unknown")
    assert "previous_response_id" in str(refused.value)


def test_AG_4_a_body_of_responses_on_the_chat_route_is_told_where_to_go(gateway):
    for body in (
        {"model": "oai/chat", "input": "Hello"},
        {"model": "oai/chat", "input": "Hello", "tools": [{"type": "function", "name": "f", "parameters": {}}]},
    ):
        reply = gateway.request("POST", "/v1/chat/completions", body)
        assert reply.status == 400 and "/v1/responses" in reply.error["message"]


def test_AG_6_what_programs_try_first_is_answered_sensibly(gateway):
    assert gateway.request("HEAD", "/").status == 200
    assert gateway.get("/v1/models/").json()["object"] == "list"
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/models"):
        asked = gateway.request("OPTIONS", path)
        assert asked.status in (200, 204) and "OPTIONS" in asked.headers["allow"]
    slash = gateway.request("POST", "/v1/chat/completions/", {"model": "oai/chat", "messages": HELLO})
    assert slash.status == 200
    doubled = gateway.request("POST", "/v1/v1/messages", {})
    assert doubled.status == 404 and "/v1/messages" in doubled.text and "twice" in doubled.text


def test_AG_6_models_are_listed_in_the_dialect_of_the_asker(claude, codex):
    assert "balanced" in [model.id for model in codex.models.list()]
    assert "balanced" in [model.id for model in claude.models.list()]
    assert codex.models.retrieve("balanced").id == claude.models.retrieve("balanced").id == "balanced"


def test_AG_7_models_are_listed_at_once_when_no_upstream_can_be_reached(lab, tmp_path):
    known = {name: {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "api_key": "k", "models": [f"model-{name}"]} for name in ("a", "b")}
    with Everywhere(tmp_path / "alone", lab, {"providers": {**known, **{"lab": known["a"]}}}) as gateway:
        times = []
        for _ in range(5):
            started = time.monotonic()
            names = [model["id"] for model in gateway.get("/v1/models").json()["data"]]
            times.append(time.monotonic() - started)
            assert {"a/model-a", "b/model-b"} <= set(names)
        assert min(times) < 0.020 * SLOW


@pytest.mark.parametrize("stream", [False, True])
def test_AG_9_reasoning_comes_in_one_field_of_its_own(codex, stream):
    asked = {"model": "ant/claude", "messages": HELLO, "reasoning_effort": "medium", "max_completion_tokens": 3000}
    plain = codex.chat.completions.create(model="ant/claude", messages=HELLO).choices[0].message
    assert "reasoning_content" not in (plain.model_extra or {})
    if not stream:
        message = codex.chat.completions.create(**asked).choices[0].message
        thought, text = message.model_extra["reasoning_content"], message.content
    else:
        deltas = [chunk.choices[0].delta for chunk in codex.chat.completions.create(**asked, stream=True) if chunk.choices]
        thought = "".join((delta.model_extra or {}).get("reasoning_content") or "" for delta in deltas)
        text = "".join(delta.content or "" for delta in deltas)
    assert thought and text and thought not in text
