"""What happens when a target fails: before the first content another one answers unseen, after it the client is told."""

import json

import pytest

from harness import Gateway, eventually

BEFORE_CONTENT = [
    "reset",
    "silent",
    "head-only",
    "status-401",
    "status-403",
    "status-429",
    "status-429-retry-1",
    "quota",
    "status-500",
    "html-502",
    "status-503",
    "status-529",
    "html-200",
    "empty-200",
    "empty-stream",
    "error-200",
    "garbage-200",
    "cut-json-200",
    "redirect",
    "garbage-head",
    "both-lengths",
    "two-lengths",
    "bad-chunk",
    "switching-101",
    "body-204",
    "many-1xx",
    "many-headers",
    "reset-after-0",
    "close-after-0",
    "end-after-0",
    "stall-after-0",
    "half-after-0",
    "error-after-0",
    "overloaded-after-0",
]
# Named with streams in mind; a buffered reply shows them too.
BUFFERED = [fault for fault in BEFORE_CONTENT if fault != "empty-stream"]
SHORT = {"timeouts": {"first_byte": "300ms", "idle": "300ms"}}


@pytest.fixture(scope="module")
def pairs(lab, tmp_path_factory):
    tiers = {fault: [f"lab/{fault}", "lab/chat"] for fault in BEFORE_CONTENT}
    tiers["refused"] = ["closed/any", "lab/chat"]
    tiers["no-tls"] = ["plain/any", "lab/chat"]
    tiers["no-name"] = ["nameless/any", "lab/chat"]
    closed = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "api_key": "k"}
    nameless = {"kind": "openai", "base_url": "http://nobody.invalid/v1", "api_key": "k"}
    plain = {"kind": "openai", "base_url": lab.url.replace("http:", "https:") + "/v1", "api_key": "k"}
    others = {"closed": closed, "nameless": nameless, "plain": plain}
    settings = {**SHORT, "tiers": tiers, "providers": others}
    with Gateway(tmp_path_factory.mktemp("pairs"), lab.url, settings) as started:
        yield started


def good(reply):
    assert reply.status == 200, reply.text
    assert reply.headers["x-sluice-model"] == "chat"
    return reply


@pytest.mark.parametrize("fault", [*BEFORE_CONTENT, "refused", "no-name", "no-tls"])
def test_FB_1_a_stream_that_fails_before_content_is_answered_by_the_next_target(pairs, lab, fault):
    reply = good(pairs.chat(fault, stream=True))
    assert reply.events[-1] == "[DONE]" and reply.events.count("[DONE]") == 1
    assert len({chunk["id"] for chunk in reply.chunks}) == 1
    assert {chunk["model"] for chunk in reply.chunks} == {"chat"}
    assert reply.content == lab.chat("chat").json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("fault", [*BUFFERED, "refused", "no-name", "no-tls"])
def test_FB_1_a_buffered_call_that_fails_is_answered_by_the_next_target(pairs, fault):
    assert good(pairs.chat(fault)).json()["model"] == "chat"


@pytest.mark.parametrize("fault", ["status-400", "context-length", "content-policy"])
def test_a_refusal_of_the_request_itself_is_not_tried_elsewhere(own, lab, fault):
    gateway = own({"tiers": {"pair": [f"lab/{fault}", "lab/chat"]}})
    before = lab.total()["requests"]
    assert gateway.chat("pair").status == 400
    assert lab.total()["requests"] == before + 1


@pytest.mark.parametrize("fault", ["reset-after-5", "close-after-5", "error-after-5", "stall-after-5", "half-after-5", "error-openrouter-after-5"])
def test_FB_3_a_failure_after_content_ends_the_stream_with_an_error(own, lab, fault):
    gateway = own({**SHORT, "tiers": {"pair": [f"lab/chat+{fault}", "lab/chat"]}})
    before = lab.total()["requests"]
    reply = gateway.chat("pair", stream=True)
    assert reply.status == 200
    assert "[DONE]" not in reply.events
    assert reply.chunks[-1]["error"]["message"]
    assert not any(
        choice.get("finish_reason") in ("stop", "length", "tool_calls")
        for chunk in reply.chunks
        for choice in chunk.get("choices") or []
    )
    assert lab.total()["requests"] == before + 1  # nobody else was asked
    row = gateway.wait_for_rows(1)[0]
    assert row["result"] == "error" and row["outcome"] != "ok"


@pytest.mark.parametrize("fault", ["close-after-40", "end-after-40"])
def test_FB_4_a_stream_closed_without_its_end_is_truncated(own, fault):
    gateway = own()
    reply = gateway.chat(f"lab/chat+tokens-60+{fault}", stream=True)
    assert "[DONE]" not in reply.events and reply.chunks[-1]["error"]
    row = gateway.wait_for_rows(1)[0]
    # A connection that ends inside the chunked body is a reset to the wire; a body that ends is truncated.
    assert row["outcome"] == ("truncated" if fault.startswith("end") else row["outcome"])
    assert row["outcome"] in ("truncated", "upstream_reset")
    assert row["usage_source"] == 2 and 0 < row["output"] <= 60


def test_FB_5_when_all_targets_fail_the_client_gets_a_real_status(own):
    gateway = own({"tiers": {"none": ["lab/status-503", "lab/reset", "lab/status-500"]}})
    for stream in (False, True):
        reply = gateway.chat("none", stream=stream)
        assert reply.status >= 500
        assert reply.headers["content-type"].startswith("application/json")
        assert reply.error["message"]
    row = gateway.wait_for_rows(2)[1]
    assert [attempt[0] for attempt in row["attempts"]][:1] == ["lab/status-503"]


@pytest.mark.parametrize("lead", ["empty-deltas-3", "pings-first", "choices-empty", "usage-first"])
@pytest.mark.parametrize("failure", ["reset-after-0", "error-after-0", "end-after-0"])
def test_FB_8_frames_without_content_do_not_commit_the_reply(own, lead, failure):
    gateway = own({"tiers": {"pair": [f"lab/{lead}+{failure}", "lab/chat"]}})
    reply = good(gateway.chat("pair", stream=True))
    assert {chunk["model"] for chunk in reply.chunks} == {"chat"}
    assert reply.events[-1] == "[DONE]"


def test_FB_8_held_frames_are_sent_on_byte_for_byte(gateway, lab):
    faults = {"x-lab-fault": "tokens-9,empty-deltas-3"}
    direct = lab.chat("chat", stream=True, headers=faults)
    through = gateway.chat("lab/chat", stream=True, headers=faults)
    assert through.body == direct.body


def test_FB_9_headers_and_ledger_name_the_attempts(own):
    gateway = own({"tiers": {"pair": ["lab/status-503", "lab/chat"]}})
    assert gateway.chat("pair").headers["x-sluice-provider"] == "lab"
    row = gateway.wait_for_rows(1)[0]
    assert [attempt[:3] for attempt in row["attempts"]] == [
        ["lab/status-503", "upstream_overloaded", 503],
        ["lab/chat", "ok", 200],
    ]
    assert row["result"] == "fallback_ok"


def test_the_same_target_is_tried_again_until_it_answers(own, lab):
    gateway = own({"resilience": {"attempts": 3}})
    reply = gateway.chat("lab/fail-first-2", user="retry")
    assert reply.status == 200, reply.text
    assert [attempt[2] for attempt in gateway.wait_for_rows(1)[0]["attempts"]] == [503, 503, 200]
    assert eventually(lambda: json.loads(lab.last()["body"]).get("user") == "retry")
