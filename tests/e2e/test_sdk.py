"""The official Python SDK through the gateway: what a program sees."""

import json

import openai
import pytest

from harness import HELLO

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def text_of(stream):
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_buffered_chat(client):
    reply = client.chat.completions.create(model="lab/chat", messages=HELLO)
    assert reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.system_fingerprint == "lab: not a real model"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_SSE_6_streamed_chat_reads_as_the_buffered_one(client):
    whole = client.chat.completions.create(model="lab/chat", messages=HELLO)
    stream = client.chat.completions.create(model="lab/chat", messages=HELLO, stream=True)
    assert text_of(stream) == whole.choices[0].message.content


@pytest.mark.parametrize("framing", ["crlf", "cr", "comments", "bom", "no-space", "two-lines", "other-fields", "single-bytes", "one-write"])
def test_SSE_6_every_framing_of_the_upstream_is_read(client, framing):
    plain = text_of(client.chat.completions.create(model="lab/chat+tokens-12", messages=HELLO, stream=True))
    framed = client.chat.completions.create(
        model="lab/chat+tokens-12", messages=HELLO, stream=True, extra_headers={"x-lab-fault": framing}
    )
    assert text_of(framed) == plain


def test_SSE_6_tool_calls_buffered_and_streamed(client):
    asked = {"model": "lab/tools", "messages": HELLO, "tools": [WEATHER]}
    call = client.chat.completions.create(**asked).choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments)["city"], str)
    deltas = [
        delta
        for chunk in client.chat.completions.create(**asked, stream=True)
        for delta in chunk.choices[0].delta.tool_calls or []
    ]
    assert deltas[0].id == call.id
    assert "".join(delta.function.arguments for delta in deltas) == call.function.arguments


def test_legacy_completions(client):
    reply = client.completions.create(model="lab/chat", prompt="Once", max_tokens=5)
    assert reply.usage.completion_tokens == 5
    streamed = client.completions.create(model="lab/chat", prompt="Once", max_tokens=5, stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == reply.choices[0].text


def test_embeddings_come_as_base64_and_as_floats(client, lab):
    coded = client.embeddings.create(model="lab/embed", input=["one", "two"])
    assert json.loads(lab.last()["body"])["encoding_format"] == "base64"
    plain = client.embeddings.create(model="lab/embed", input=["one", "two"], encoding_format="float")
    assert [len(item.embedding) for item in coded.data] == [1536, 1536]
    assert coded.data[1].embedding == pytest.approx(plain.data[1].embedding, abs=1e-6)


def test_the_list_of_models(client):
    assert [model.object for model in client.models.list()] is not None


def test_SSE_7_an_error_before_the_stream_is_an_http_error(client):
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="lab/context-length", messages=HELLO, stream=stream)
        assert refused.value.code == "context_length_exceeded"
        assert refused.value.response.headers["content-type"].startswith("application/json")
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="lab/status-429", messages=HELLO, stream=True)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="nobody/knows", messages=HELLO)


@pytest.mark.parametrize("fault", ["reset-after-5", "close-after-5", "end-after-5", "error-after-5", "error-event-after-5", "error-openrouter-after-5", "half-after-5", "rate-limit-after-5"])
def test_SSE_7_an_error_in_the_stream_raises_in_the_sdk(client, fault):
    got = []
    with pytest.raises(openai.APIError):
        for chunk in client.chat.completions.create(model=f"lab/chat+{fault}", messages=HELLO, stream=True):
            got += [choice.delta.content for choice in chunk.choices if choice.delta.content]
    assert len(got) == 5
