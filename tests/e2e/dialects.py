"""One conversation in the words of each dialect, asked through that dialect's official SDK, streamed or buffered."""

import base64
import json
import uuid
import zlib
from dataclasses import dataclass, field

import anthropic
import openai
from openai.types.chat import ChatCompletion

PNG = base64.b64encode(
    bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")
    + bytes.fromhex("1f15c4890000000d49444154789c6360f8cf00000301010018dd8db00000000049454e44ae426082")
).decode()


@dataclass(frozen=True)
class Said:
    """A turn of text; `image`: with a picture before it."""

    role: str
    text: str
    image: bool = False


@dataclass(frozen=True)
class Called:
    """A turn of the model that calls tools: (id, name, arguments) each."""

    calls: tuple


@dataclass(frozen=True)
class Resulted:
    """What one tool said."""

    id: str
    text: str


@dataclass(frozen=True)
class Tool:
    name: str
    properties: dict = field(default_factory=dict)

    @property
    def schema(self):
        return {
            "type": "object",
            "properties": self.properties,
            "required": list(self.properties),
            "additionalProperties": False,
        }


@dataclass
class Answer:
    text: str
    calls: list  # (id, name, arguments)
    finish: str  # in the words of Chat
    input: int
    output: int
    cached: int
    reasoning: int = 0
    thinking: str = ""
    raw: object = None

    @property
    def usage(self):
        return self.input, self.cached, self.output


def image_url():
    return f"data:image/png;base64,{PNG}"


def call_id(name):
    """Ids are Claude's in every dialect: the strictest of all patterns."""
    return f"toolu_{zlib.crc32(name.encode()):08x}"


class Dialect:
    """Asks through an SDK. A request's x-request-id leads to its row in the ledger."""

    def __init__(self, gateway):
        self.gateway = gateway

    def ask(self, model, turns, stream=False, system=None, tools=(), schema=None, limit=None, headers=None, **more):
        """The Answer, and the row it left."""
        mark = uuid.uuid4().hex
        headers = {"x-request-id": mark, **(headers or {})}
        body = self.body(turns, system, tools, schema, limit)
        answer = self.send({"model": model, **body, **more}, stream, headers)
        return answer, self.gateway.row_of(mark)

    def read(self, model, turns, stream=False):
        """The bytes of a reply that no SDK is asked to make sense of, and the row it left."""
        mark = uuid.uuid4().hex
        body = {"model": model, **self.body(turns, None, (), None, None), "stream": stream}
        reply = self.gateway.request("POST", f"/v1/{self.path}", body, {"x-request-id": mark})
        assert reply.status == 200, reply.text
        return reply, self.gateway.row_of(mark)

    def fail(self, model, turns, stream=False, headers=None):
        """The SDK's exception."""
        try:
            self.send({"model": model, **self.body(turns, None, (), None, None)}, stream, headers or {})
        except (openai.OpenAIError, anthropic.AnthropicError) as error:
            return error
        raise AssertionError(f"{model} did not fail")

    def close(self):
        self.sdk.close()


class Chat(Dialect):
    name, path, turns, system_role, limits = "chat", "chat/completions", "messages", "developer", {}
    errors = openai

    def __init__(self, gateway):
        super().__init__(gateway)
        self.sdk = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="client-key", max_retries=0)

    @property
    def create(self):
        """The SDK's own call."""
        return self.sdk.chat.completions.create

    def body(self, turns, system, tools, schema, limit):
        messages = [{"role": "system", "content": system}] if system else []
        messages += [message for turn in turns for message in self.turn(turn)]
        body = {"messages": messages}
        if tools:
            body["tools"] = [
                {"type": "function", "function": {"name": tool.name, "parameters": tool.schema}} for tool in tools
            ]
        if schema:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            }
        if limit:
            body["max_completion_tokens"] = limit
        return body

    @staticmethod
    def turn(turn):
        if isinstance(turn, Said):
            image = [{"type": "image_url", "image_url": {"url": image_url()}}] if turn.image else []
            text = {"type": "text", "text": turn.text}
            return [{"role": turn.role, "content": [*image, text] if image else turn.text}]
        if isinstance(turn, Called):
            calls = [
                {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
                for id, name, given in turn.calls
            ]
            return [{"role": "assistant", "content": None, "tool_calls": calls}]
        return [{"role": "tool", "tool_call_id": turn.id, "content": turn.text}]

    def send(self, body, stream, headers):
        if not stream:
            return self.answer(self.create(**body, extra_headers=headers))
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        return self.answer(self.joined(self.create(**body, extra_headers=headers)))

    @staticmethod
    def joined(chunks):
        """The reply whose pieces these are, as programs put it together by hand."""
        message, calls, reply = {"role": "assistant", "content": "", "reasoning_content": ""}, {}, {}
        for chunk in chunks:
            reply |= {"id": chunk.id, "model": chunk.model, "created": chunk.created, "usage": chunk.usage}
            for choice in chunk.choices:
                assert reply.get("finish") is None, "nothing follows the finish"
                delta, reply["finish"] = choice.delta, choice.finish_reason
                message["content"] += delta.content or ""
                message["reasoning_content"] += (delta.model_extra or {}).get("reasoning_content") or ""
                for piece in delta.tool_calls or []:
                    call = calls.setdefault(piece.index, {"id": piece.id, "type": piece.type, "name": piece.function.name, "arguments": ""})
                    call["arguments"] += piece.function.arguments or ""
        functions = [
            {"id": call["id"], "type": call["type"], "function": {"name": call["name"], "arguments": call["arguments"]}}
            for call in calls.values()
        ]
        choice = {"index": 0, "finish_reason": reply.pop("finish"), "message": {**message, "tool_calls": functions or None}}
        return ChatCompletion.model_validate({**reply, "object": "chat.completion", "choices": [choice]})

    @staticmethod
    def answer(reply):
        choice, usage = reply.choices[0], reply.usage
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        return Answer(
            text=choice.message.content or "",
            calls=[
                (call.id, call.function.name, json.loads(call.function.arguments))
                for call in choice.message.tool_calls or []
            ],
            finish=choice.finish_reason,
            input=usage.prompt_tokens,
            output=usage.completion_tokens,
            cached=(usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens) or 0,
            reasoning=(usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens) or 0,
            thinking=(choice.message.model_extra or {}).get("reasoning_content") or "",
            raw=reply,
        )


class Messages(Dialect):
    name, path, turns, system_role, limits = "messages", "messages", "messages", "user", {"max_tokens": 1000}
    errors = anthropic
    finishes = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls", "refusal": "content_filter"}

    def __init__(self, gateway):
        super().__init__(gateway)
        self.sdk = anthropic.Anthropic(base_url=gateway.url, api_key="client-key", max_retries=0)

    @property
    def create(self):
        """The SDK's own call."""
        return self.sdk.messages.create

    def body(self, turns, system, tools, schema, limit):
        messages = []
        for turn in turns:
            role, blocks = self.turn(turn)
            if messages and messages[-1]["role"] == role:
                messages[-1]["content"] += blocks
            else:
                messages.append({"role": role, "content": blocks})
        body = {"messages": messages, "max_tokens": limit or 1000}
        if system:
            body["system"] = system
        if tools:
            body["tools"] = [{"name": tool.name, "input_schema": tool.schema} for tool in tools]
        if schema:
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return body

    @staticmethod
    def turn(turn):
        if isinstance(turn, Said):
            source = {"type": "base64", "media_type": "image/png", "data": PNG}
            image = [{"type": "image", "source": source}] if turn.image else []
            return turn.role, [*image, {"type": "text", "text": turn.text}]
        if isinstance(turn, Called):
            return "assistant", [
                {"type": "tool_use", "id": id, "name": name, "input": given} for id, name, given in turn.calls
            ]
        return "user", [{"type": "tool_result", "tool_use_id": turn.id, "content": turn.text}]

    def send(self, body, stream, headers):
        if not stream:
            return self.answer(self.create(**body, extra_headers=headers))
        with self.sdk.messages.stream(**body, extra_headers=headers) as opened:
            text = "".join(opened.text_stream)
            answer = self.answer(opened.get_final_message())
        assert answer.text == text
        return answer

    def answer(self, reply):
        usage = reply.usage
        cached = usage.cache_read_input_tokens or 0
        return Answer(
            text="".join(block.text for block in reply.content if block.type == "text"),
            calls=[(block.id, block.name, block.input) for block in reply.content if block.type == "tool_use"],
            finish=self.finishes.get(reply.stop_reason, reply.stop_reason),
            input=usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0),
            output=usage.output_tokens,
            cached=cached,
            reasoning=usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0,
            thinking="".join(block.thinking for block in reply.content if block.type == "thinking"),
            raw=reply,
        )


class Responses(Dialect):
    name, path, turns, system_role, limits = "responses", "responses", "input", "developer", {}
    errors = openai

    def __init__(self, gateway):
        super().__init__(gateway)
        self.sdk = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="client-key", max_retries=0)

    @property
    def create(self):
        """The SDK's own call."""
        return self.sdk.responses.create

    def body(self, turns, system, tools, schema, limit):
        body = {"input": [item for turn in turns for item in self.turn(turn)], "store": False}
        if system:
            body["instructions"] = system
        if tools:
            body["tools"] = [
                {"type": "function", "name": tool.name, "parameters": tool.schema, "strict": True} for tool in tools
            ]
        if schema:
            body["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}}
        if limit:
            body["max_output_tokens"] = limit
        return body

    @staticmethod
    def turn(turn):
        if isinstance(turn, Said):
            kind = "output_text" if turn.role == "assistant" else "input_text"
            image = [{"type": "input_image", "image_url": image_url(), "detail": "auto"}] if turn.image else []
            return [{"role": turn.role, "content": [*image, {"type": kind, "text": turn.text}]}]
        if isinstance(turn, Called):
            return [
                {"type": "function_call", "call_id": id, "name": name, "arguments": json.dumps(given)}
                for id, name, given in turn.calls
            ]
        return [{"type": "function_call_output", "call_id": turn.id, "output": turn.text}]

    def send(self, body, stream, headers):
        if not stream:
            return self.answer(self.create(**body, extra_headers=headers))
        events = list(self.create(**body, stream=True, extra_headers=headers))
        assert events[0].type == "response.created"
        assert [event.sequence_number for event in events] == sorted(event.sequence_number for event in events)
        assert events[-1].type in ("response.completed", "response.incomplete"), events[-1]
        answer = self.answer(events[-1].response)
        assert answer.text == "".join(event.delta for event in events if event.type == "response.output_text.delta")
        return answer

    @staticmethod
    def answer(reply):
        usage = reply.usage
        calls = [item for item in reply.output if item.type == "function_call"]
        reason = reply.incomplete_details.reason if reply.incomplete_details else None
        finish = {"max_output_tokens": "length", "content_filter": "content_filter"}.get(reason, reason)
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens
        return Answer(
            text=reply.output_text,
            calls=[(call.call_id, call.name, json.loads(call.arguments)) for call in calls],
            finish=finish or ("tool_calls" if calls else "stop"),
            input=usage.input_tokens,
            output=usage.output_tokens,
            cached=usage.input_tokens_details.cached_tokens,
            reasoning=usage.output_tokens_details.reasoning_tokens,
            thinking="".join(
                part.text for item in reply.output if item.type == "reasoning" for part in item.summary or []
            ),
            raw=reply,
        )


DIALECTS = {dialect.name: dialect for dialect in (Chat, Messages, Responses)}
