"""Kinds `portkey` and `openrouter` before the lab's strict faces: gateways in front of the models."""

import json
import socket

import pytest

from harness import HELLO
from test_providers import TOOL, ask_claude, provider

CONFIG = {
    "strategy": {"mode": "fallback"},
    "retry": {"attempts": 5},
    "cache": {"mode": "semantic"},
    "targets": [{"provider": "@lab", "retry": {"attempts": 2}, "override_params": {"temperature": 0.5}}],
}


@pytest.fixture
def portkey(own, lab):
    """Starts a gateway whose provider `portkey` has these settings beside the usual ones."""

    def start(more=None, **settings):
        return own({"providers": {"portkey": provider(lab, "portkey", **settings)}, **(more or {})})

    return start


# Portkey


def test_virtual_keys_make_targets_of_their_own(portkey, lab):
    keys = {"gpt4": "prod-gpt4-primary/gpt-4o", "claude": "prod-claude-primary"}
    gateway = portkey(virtual_keys=keys)
    asked = {
        "gpt4": "@prod-gpt4-primary/gpt-4o",
        "gpt4/gpt-5": "@prod-gpt4-primary/gpt-5",
        "claude/claude-sonnet-4-5": "@prod-claude-primary/claude-sonnet-4-5",
        "@lab/lab/chat": "@lab/lab/chat",
    }
    for model, arrived in asked.items():
        reply = gateway.chat(f"portkey/{model}")
        assert reply.status == 200, reply.text
        assert json.loads(lab.last()["body"])["model"] == arrived
        assert reply.headers["x-sluice-model"] == model
    headers = lab.last()["headers"]
    assert headers["x-portkey-api-key"] == "...cccc" and "authorization" not in headers


def test_a_config_goes_along_without_its_retries_and_its_cache(portkey, lab):
    gateway = portkey(config=json.dumps(CONFIG))
    assert gateway.chat("portkey/lab/chat").status == 200
    headers = lab.last()["headers"]
    assert json.loads(headers["x-portkey-config"]) == {
        "strategy": {"mode": "fallback"},
        "targets": [{"provider": "@lab", "override_params": {"temperature": 0.5}}],
    }
    assert "x-portkey-cache-force-refresh" not in headers


def test_a_config_named_by_its_id_goes_along_past_its_cache(portkey, lab):
    gateway = portkey(config="pc-lab")
    assert gateway.chat("portkey/lab/chat").status == 200
    headers = lab.last()["headers"]
    assert headers["x-portkey-config"] == "pc-lab" and headers["x-portkey-cache-force-refresh"] == "true"


def test_metadata_trace_and_patience_arrive(portkey, lab):
    gateway = portkey(metadata={"team": "harbour"}, timeouts={"first_byte": "9s"})
    trace = "0af7651916cd43dd8448eb211c80319c"
    told = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "x-portkey-metadata": '{"env":"prod","n":1}'}
    reply = gateway.chat("portkey/@lab/lab/chat", headers=told, user="user-7")
    headers = lab.last()["headers"]
    metadata = json.loads(headers["x-portkey-metadata"])
    assert metadata == {
        "env": "prod",
        "team": "harbour",
        "request_id": reply.headers["x-request-id"],
        "_user": "user-7",
    }
    assert headers["x-portkey-trace-id"] == trace and headers["x-portkey-request-timeout"] == "9000"


def test_a_trace_the_client_has_begun_goes_on_and_its_steering_does_not(portkey, lab):
    told = {"x-portkey-trace-id": "mine-1", "x-portkey-provider": "@other", "x-portkey-span-name": "answer"}
    assert portkey().chat("portkey/@lab/lab/chat", headers=told).status == 200
    headers = lab.last()["headers"]
    assert headers["x-portkey-trace-id"] == "mine-1" and headers["x-portkey-span-name"] == "answer"
    assert "x-portkey-provider" not in headers


def test_what_portkey_tells_of_itself_comes_back(portkey):
    reply = portkey().chat("portkey/@prod-claude-primary/claude-sonnet-4-5")
    told = {name: reply.headers[f"x-sluice-upstream-{name}"] for name in ("provider", "retries", "cache", "option")}
    assert told == {"provider": "anthropic", "retries": "0", "cache": "DISABLED", "option": "config"}


def test_a_message_goes_through_portkey_as_a_message(portkey, lab):
    body = {"model": "portkey/@prod-claude-primary/claude-sonnet-4-5", "max_tokens": 20, "messages": HELLO}
    reply = ask_claude(portkey(), body)
    assert reply.status == 200 and reply.json()["type"] == "message"
    assert lab.last()["target"] == "/portkey/v1/messages"


@pytest.mark.parametrize("stream", [False, True])
def test_status_246_is_an_answer(portkey, stream):
    gateway = portkey()
    reply = gateway.chat("portkey/@lab/lab/portkey-246", stream=stream)
    assert reply.status == 200
    assert reply.content if stream else reply.json()["hook_results"]
    assert gateway.wait_for_rows(1)[0]["outcome"] == "ok"


def test_a_guardrail_that_denies_is_a_matter_of_content(portkey):
    gateway = portkey()
    reply = gateway.chat("portkey/@lab/lab/portkey-guardrail")
    assert reply.status in (400, 446) and "guardrail" in reply.error["message"]
    assert gateway.wait_for_rows(1)[0]["outcome"] == "content_policy"


@pytest.fixture
def safe(own, lab):
    def start(fault):
        providers = {
            "portkey": provider(lab, "portkey"),
            "openai": provider(lab, "openai", stands_in_for="portkey"),
        }
        tiers = {"safe": [f"portkey/@lab/lab/{fault}", "openai/lab/fast"]}
        return own({"providers": providers, "tiers": tiers})

    return start


@pytest.mark.parametrize("fault", ["portkey-down-500", "portkey-down-503", "portkey-failure", "portkey-budget"])
def test_the_vendor_stands_in_for_a_portkey_that_is_sick(safe, fault):
    gateway = safe(fault)
    reply = gateway.chat("safe")
    assert reply.status == 200 and reply.headers["x-sluice-provider"] == "openai"
    assert gateway.wait_for_rows(1)[0]["result"] == "fallback_ok"


def test_the_vendor_stands_in_for_a_portkey_that_is_away(own, lab):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = provider(lab, "portkey", base_url=f"http://127.0.0.1:{port}/v1")
    direct = provider(lab, "openai", stands_in_for="portkey")
    tiers = {"safe": ["portkey/x", "openai/lab/fast"]}
    gateway = own({"providers": {"portkey": away, "openai": direct}, "tiers": tiers})
    assert gateway.chat("safe").headers["x-sluice-provider"] == "openai"


@pytest.mark.parametrize("fault, status", [("status-503", 503), ("status-500", 502), ("status-429", 429)])
def test_the_vendor_does_not_stand_in_for_a_model_that_is_sick(safe, fault, status):
    gateway = safe(fault)
    reply = gateway.chat("safe")
    assert reply.status == status, reply.text
    row = gateway.wait_for_rows(1)[0]
    assert row["provider"] == "portkey" and "openai/lab/fast" not in [attempt[0] for attempt in row["attempts"]]


# OpenRouter


@pytest.fixture
def router(own, lab):
    def start(**settings):
        return own({"providers": {"openrouter": provider(lab, "openrouter", **settings)}})

    return start


def test_the_application_is_named_unless_the_client_names_its_own(router, lab):
    gateway = router(app_url="https://harbour.example", app_title="Harbour")
    assert gateway.chat("openrouter/lab/chat").status == 200
    headers = lab.last()["headers"]
    assert (headers["http-referer"], headers["x-openrouter-title"]) == ("https://harbour.example", "Harbour")
    gateway.chat("openrouter/lab/chat", headers={"HTTP-Referer": "https://mine.example", "X-Title": "Mine"})
    headers = lab.last()["headers"]
    assert (headers["http-referer"], headers["x-title"]) == ("https://mine.example", "Mine")


def test_routing_is_added_to_requests_that_bring_none(router, lab):
    routing = {"order": ["lab"], "allow_fallbacks": False, "data_collection": "deny", "max_price": {"prompt": 2}}
    gateway = router(routing=routing)
    assert gateway.chat("openrouter/lab/chat").status == 200
    assert json.loads(lab.last()["body"])["provider"] == routing
    assert gateway.chat("openrouter/lab/chat", provider={"sort": "price"}).status == 200
    assert json.loads(lab.last()["body"])["provider"] == {"sort": "price"}


@pytest.mark.parametrize("stream", [False, True])
def test_COST_7_the_cost_openrouter_tells_is_the_cost(router, lab, stream):
    gateway = router()
    lab.reset()
    assert gateway.chat("openrouter/lab/chat", stream=stream).status == 200
    row = gateway.wait_for_rows(1)[0]
    assert row["cost"] == lab.total()["cost_nanodollars"] > 0
    assert row["cost_source"] == 2  # the provider


def test_signs_of_life_are_not_taken_for_events(router):
    reply = router().chat("openrouter/lab/chat", stream=True)
    assert reply.status == 200 and "OPENROUTER PROCESSING" not in reply.text and reply.content


def test_signs_of_life_do_not_hold_off_the_limit_of_the_first_token(router):
    gateway = router(timeouts={"first_byte": "500ms"})
    reply = gateway.chat("openrouter/lab/first-token-30000", stream=True)
    assert (reply.status, gateway.wait_for_rows(1)[0]["outcome"]) == (504, "first_byte_timeout"), reply.text


def test_an_error_in_the_middle_of_a_stream_ends_it_as_one(router):
    gateway = router()
    reply = gateway.chat("openrouter/lab/error-openrouter-after-3", stream=True)
    assert reply.status == 200 and reply.events[-1] != "[DONE]"
    assert reply.chunks[-1]["error"]["message"]
    assert gateway.wait_for_rows(1)[0]["result"] == "error"


ERRORS = [
    ("status-402", 502, "upstream_auth"),
    ("status-403", 502, "upstream_auth"),
    ("status-408", 504, "first_byte_timeout"),
    ("status-429", 429, "upstream_rate_limit"),
    ("status-502", 502, "upstream_error"),
    ("status-503", 503, "upstream_overloaded"),
    ("openrouter-choice-error", 502, "upstream_error"),
]


@pytest.mark.parametrize("fault, status, outcome", ERRORS)
def test_typed_errors_are_understood(router, fault, status, outcome):
    gateway = router()
    reply = gateway.chat(f"openrouter/lab/{fault}")
    assert (reply.status, gateway.wait_for_rows(1)[0]["outcome"]) == (status, outcome), reply.text


def test_the_generation_and_its_name_come_back(router):
    reply = router().chat("openrouter/lab/chat")
    assert reply.headers["x-sluice-upstream-request-id"] == reply.json()["id"]


def test_every_dialect_goes_to_openrouter_as_it_is(router, lab):
    gateway = router()
    body = {"model": "openrouter/lab/claude", "max_tokens": 20, "messages": HELLO}
    assert ask_claude(gateway, body).json()["type"] == "message"
    assert lab.last()["target"] == "/openrouter/api/v1/messages"
    body = {"model": "openrouter/lab/chat", "input": "Hello"}
    assert gateway.request("POST", "/v1/responses", body).json()["object"] == "response"
    assert lab.last()["target"] == "/openrouter/api/v1/responses"
    assert gateway.chat("openrouter/lab/tools", tools=[TOOL]).json()["choices"][0]["finish_reason"] == "tool_calls"
