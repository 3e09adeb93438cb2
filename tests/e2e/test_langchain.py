"""LangChain with our base URL and, as far as possible, its defaults."""

import uuid

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from upstreams import TARGETS, Everywhere

TALK = [SystemMessage("Be brief."), HumanMessage("Tell me about the harbour.")]
MODELS = [f"{target}chat" for target in TARGETS.values()]


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"rain in {city}"


@pytest.fixture(scope="module")
def gateway(lab, tmp_path_factory):
    with Everywhere(tmp_path_factory.mktemp("langchain"), lab) as started:
        yield started


@pytest.fixture(params=["openai", "responses", "anthropic"])
def make(request, gateway):
    """Makes a chat model of LangChain's, and says how to find its rows."""

    def made(model, **more):
        mark = uuid.uuid4().hex
        headers = {"default_headers": {"x-request-id": mark}, "max_retries": 0, **more}
        if request.param == "anthropic":
            return ChatAnthropic(model=model, api_key="client-key", base_url=gateway.url, max_tokens=1000, **headers), mark
        responses = {"use_responses_api": True} if request.param == "responses" else {}
        return ChatOpenAI(model=model, api_key="client-key", base_url=f"{gateway.url}/v1", **responses, **headers), mark

    return made


def gathered(chunks):
    total = None
    for chunk in chunks:
        total = chunk if total is None else total + chunk
    return total


def test_AG_8_by_default_a_stream_gives_no_usage_and_the_ledger_is_right_all_the_same(gateway, lab):
    lab.reset()
    mark = uuid.uuid4().hex
    model = ChatOpenAI(model="oai/chat", api_key="client-key", base_url=f"{gateway.url}/v1", default_headers={"x-request-id": mark})
    reply = gathered(model.stream(TALK))
    row, meter = gateway.row_of(mark), lab.total()
    assert reply.content and reply.usage_metadata is None
    assert row["usage_source"] == 1 and row["cost"] == meter["cost_nanodollars"] > 0
    assert (row["input"], row["output"]) == (meter["prompt_tokens"], meter["completion_tokens"])


@pytest.mark.parametrize("model", MODELS)
def test_AG_8_usage_of_a_stream_equals_the_ledger_and_is_not_doubled(make, gateway, model):
    chat, mark = make(model, stream_usage=True)
    reply = gathered(chat.stream(TALK))
    row, usage = gateway.row_of(mark), reply.usage_metadata
    assert (usage["input_tokens"], usage["output_tokens"]) == (row["input"], row["output"])
    assert usage["total_tokens"] == row["input"] + row["output"] > 0


@pytest.mark.parametrize("model", MODELS)
def test_SSE_6_langchain_reads_a_stream_as_the_buffered_reply(make, model):
    chat, _ = make(model)
    assert gathered(chat.stream(TALK)).text == make(model)[0].invoke(TALK).text != ""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("target", TARGETS.values())
def test_TR_9_langchain_calls_a_tool_and_gives_its_result_back(make, target, stream):
    calling, _ = make(f"{target}tools")
    bound = calling.bind_tools([get_weather])
    asked = gathered(bound.stream(TALK)) if stream else bound.invoke(TALK)
    assert [call["name"] for call in asked.tool_calls] == ["get_weather"]
    results = [ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in asked.tool_calls]
    turn = AIMessage(content=asked.content, tool_calls=asked.tool_calls)
    answering, _ = make(f"{target}chat")
    assert answering.bind_tools([get_weather]).invoke([*TALK, turn, *results]).text


def test_embeddings_of_langchain(gateway):
    embeddings = OpenAIEmbeddings(
        model="oai/embed", api_key="client-key", base_url=f"{gateway.url}/v1", check_embedding_ctx_length=False
    )
    assert [len(vector) for vector in embeddings.embed_documents(["one", "two"])] == [1536, 1536]
