"""Streams of providers with habits of their own, as the clients of each dialect read them."""

import jsonschema
import pytest

from dialects import DIALECTS, Said, Tool
from upstreams import Everywhere

HELLO = [Said("user", "Tell me about the harbour.")]
WEATHER = Tool("get_weather", {"city": {"type": "string"}})
CLOCK = Tool("get_time", {"zone": {"type": "string"}})


@pytest.fixture(scope="module")
def gateway(lab, tmp_path_factory):
    with Everywhere(tmp_path_factory.mktemp("habits"), lab) as started:
        yield started


@pytest.fixture(scope="module", params=DIALECTS)
def client(request, gateway):
    opened = DIALECTS[request.param](gateway)
    yield opened
    opened.close()


@pytest.mark.parametrize("habit", ["tool-index-missing", "tool-index-null", "tool-id-late", "tool-name-late", "tool-single-bytes"])
def test_SSE_6_tool_calls_are_whole_whatever_order_their_pieces_come_in(client, habit):
    asked = {"tools": (WEATHER, CLOCK), "stream": True}
    plain, _ = client.ask("old/tools", HELLO, **asked)
    odd, _ = client.ask("old/tools", HELLO, **asked, headers={"x-lab-fault": habit})
    assert [call[1:] for call in odd.calls] == [call[1:] for call in plain.calls] and len(odd.calls) == 2
    assert all(id for id, _, _ in odd.calls) and odd.finish == "tool_calls"


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("model", ["old/chat", "ant/chat"])
def test_SSE_6_one_two_and_five_calls_at_once(client, model, count):
    tools = tuple(Tool(f"tool_{number}", {"n": {"type": "integer"}}) for number in range(count))
    answer, _ = client.ask(f"{model}+tool-calls-{count}", HELLO, tools=tools, stream=True)
    assert [name for _, name, _ in answer.calls] == [tool.name for tool in tools]
    for (_, _, given), tool in zip(answer.calls, tools):
        jsonschema.validate(given, tool.schema)


ENDS = ["two-dones", "two-finishes", "data-after-done", "usage-twice", "usage-on-content", "usage-cumulative", "usage-first"]
OTHERS = ["no-done", "choices-missing", "choices-null", "choices-empty", "empty-deltas-3", "pings-first"]


def assert_one_good_end(client, model, end):
    plain, row = client.ask(model, HELLO, stream=True)
    ended, ended_row = client.ask(model, HELLO, stream=True, headers={"x-lab-fault": end})
    assert (ended.text, ended.finish, ended.usage) == (plain.text, plain.finish, plain.usage)
    assert ended_row["cost"] == row["cost"] > 0 and ended_row["result"] == "ok"


@pytest.mark.parametrize("end", [*ENDS, *OTHERS])
def test_SSE_8_any_end_of_a_stream_of_chat_is_one_good_end_for_the_client(client, end):
    assert_one_good_end(client, "old/chat", end)


# To a client of the same dialect these bytes pass as they are, oddities included.
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", ["chat", "responses"])
def test_SSE_8_any_end_of_a_stream_of_messages_is_one_good_end_for_other_clients(gateway, name, end):
    client = DIALECTS[name](gateway)
    assert_one_good_end(client, "ant/chat", end)
    client.close()


@pytest.mark.parametrize("usage", ["usage-absent", "usage-null", "usage-zero", "usage-text", "usage-negative", "usage-huge"])
@pytest.mark.parametrize("stream", [False, True])
def test_COST_1_usage_that_means_nothing_is_estimated_and_marked(client, usage, stream):
    answer, row = client.read(f"old/chat+{usage}", HELLO, stream)
    assert answer
    assert row["usage_source"] == 2 and row["input"] > 0 and 0 < row["output"] < 1000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["old/chat", "ant/chat"])
def test_SSE_6_a_compressed_reply_is_read(client, model, coding, stream):
    plain, _ = client.ask(model, HELLO, stream=stream)
    packed, _ = client.ask(model, HELLO, stream=stream, headers={"x-lab-fault": coding})
    assert (packed.text, packed.usage) == (plain.text, plain.usage)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["oai/chat", "old/chat", "ant/chat", "or/lab/chat"])
def test_TR_11_a_refusal_is_not_a_stop(client, model, stream):
    answer, _ = client.ask(model, HELLO, stream=stream, headers={"x-lab-fault": "refusal"})
    assert answer.finish == "content_filter"


CHOICES = {
    "chat": ({"tool_choice": "required"}, {"tool_choice": {"type": "function", "function": {"name": "get_time"}}}, {"tool_choice": "none"}),
    "messages": ({"tool_choice": {"type": "any"}}, {"tool_choice": {"type": "tool", "name": "get_time"}}, {"tool_choice": {"type": "none"}}),
    "responses": ({"tool_choice": "required"}, {"tool_choice": {"type": "function", "name": "get_time"}}, {"tool_choice": "none"}),
}
ALONE = {
    "chat": {"parallel_tool_calls": False},
    "messages": {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    "responses": {"parallel_tool_calls": False},
}


@pytest.mark.parametrize("model", ["oai/", "old/", "ant/", "cx/"])
def test_TR_9_the_choice_of_tools_is_kept(client, model):
    tools = (WEATHER, CLOCK)
    must, named, none = CHOICES[client.name]
    assert client.ask(f"{model}chat", HELLO, tools=tools, **must)[0].calls
    assert [name for _, name, _ in client.ask(f"{model}chat", HELLO, tools=tools, **named)[0].calls] == ["get_time"]
    assert client.ask(f"{model}tools", HELLO, tools=tools, **none)[0].calls == []
    assert len(client.ask(f"{model}tools", HELLO, tools=tools, **ALONE[client.name])[0].calls) == 1


@pytest.fixture(scope="module", params=["comment", "chunk"])
def restless(request, lab, tmp_path_factory):
    """A gateway that cannot bear silence, in both ways it says so."""
    settings = {"stream": {"heartbeat": "20ms", "heartbeat_mode": request.param}}
    with Everywhere(tmp_path_factory.mktemp("restless"), lab, settings) as started:
        yield started


@pytest.mark.parametrize("lag", ["first-token-150", "tokens-6+interval-60"])
@pytest.mark.parametrize("model", ["oai/chat", "old/chat", "ant/chat"])
@pytest.mark.parametrize("name", DIALECTS)
def test_KA_2_no_sdk_stumbles_over_signs_of_life(restless, gateway, name, model, lag):
    quick, slow = DIALECTS[name](gateway), DIALECTS[name](restless)
    tokens = "tokens-6" if lag.startswith("tokens") else "tokens-30"
    plain, _ = quick.ask(model, HELLO, stream=True, headers={"x-lab-fault": tokens})
    alive, _ = slow.ask(model, HELLO, stream=True, headers={"x-lab-fault": f"{tokens}+{lag}".replace("+", ",")})
    quick.close(), slow.close()
    assert (alive.text, alive.finish, alive.usage) == (plain.text, plain.finish, plain.usage)
