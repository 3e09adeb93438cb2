"""What the Python SDKs offer on top of plain calls: helpers for streams, parsed answers, asynchronous clients."""

import asyncio

import anthropic
import openai
import pydantic
import pytest

from harness import HELLO
from upstreams import Everywhere

MODELS = ["oai/chat", "old/chat", "ant/claude"]


class Forecast(pydantic.BaseModel):
    city: str
    days: list[int]


@pytest.fixture(scope="module")
def gateway(lab, tmp_path_factory):
    with Everywhere(tmp_path_factory.mktemp("helpers"), lab) as started:
        yield started


@pytest.fixture(scope="module")
def client(gateway):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="client-key", max_retries=0) as opened:
        yield opened


@pytest.fixture(scope="module")
def claude(gateway):
    with anthropic.Anthropic(base_url=gateway.url, api_key="client-key", max_retries=0) as opened:
        yield opened


@pytest.mark.parametrize("model", MODELS)
def test_SSE_6_the_helper_for_streams_of_chat(client, model):
    whole = client.chat.completions.create(model=model, messages=HELLO)
    with client.chat.completions.stream(model=model, messages=HELLO) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert final.choices[0].message.content == whole.choices[0].message.content


@pytest.mark.parametrize("model", MODELS)
def test_SSE_6_the_helper_for_streams_of_responses(client, model):
    whole = client.responses.create(model=model, input="Tell me about the harbour.")
    with client.responses.stream(model=model, input="Tell me about the harbour.") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
    assert final.output_text == whole.output_text != ""


@pytest.mark.parametrize("model", MODELS)
def test_TR_4_answers_are_parsed_into_the_programs_own_types(client, claude, model):
    chat = client.chat.completions.parse(model=model, messages=HELLO, response_format=Forecast)
    assert isinstance(chat.choices[0].message.parsed, Forecast)
    response = client.responses.parse(model=model, input="Tell me.", text_format=Forecast)
    assert isinstance(response.output_parsed, Forecast)
    with client.responses.stream(model=model, input="Tell me.", text_format=Forecast) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Forecast)
    message = claude.messages.parse(model=model, max_tokens=500, messages=HELLO, output_format=Forecast)
    assert isinstance(message.parsed_output, Forecast)


def test_SSE_6_asynchronous_clients_stream_side_by_side(gateway):
    async def chat(sdk, model):
        stream = await sdk.chat.completions.create(model=model, messages=HELLO, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    async def message(sdk, model):
        async with sdk.messages.stream(model=model, max_tokens=1000, messages=HELLO) as stream:
            return "".join([text async for text in stream.text_stream])

    async def all_at_once():
        chats = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="client-key", max_retries=0)
        messages = anthropic.AsyncAnthropic(base_url=gateway.url, api_key="client-key", max_retries=0)
        async with chats, messages:
            asked = [ask(sdk, model) for _ in range(8) for model in MODELS for ask, sdk in ((chat, chats), (message, messages))]
            return await asyncio.gather(*asked)

    answers = asyncio.run(all_at_once())
    assert len(answers) == 48 and all(answers)
    assert len(set(answers)) <= 6  # the same question to the same model has the same answer
