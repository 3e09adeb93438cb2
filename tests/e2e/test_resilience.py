"""What the gateway does beyond trying again: answers that are taken up, clients that left, calls that go up together."""

import json
import threading

import pytest

from harness import SLOW, Lab, eventually, read_until

PIECE = b'"content":"'


@pytest.fixture
def two_labs():
    with Lab() as first, Lab("--seed", "2") as second:
        yield first, second


def pair_of(first, second, **more):
    """A route whose first target breaks off, and whose second is well."""
    provider = {"kind": "openai", "api_key": "provider-key-1"}
    return {
        "providers": {
            "one": {**provider, "base_url": f"{first.url}/v1"},
            "two": {**provider, "base_url": f"{second.url}/v1"},
        },
        "routes": {"pair": {"strategy": "fallback", "targets": ["one/chat+tokens-9+reset-after-5", "two/chat"], **more}},
    }


def test_an_answer_that_breaks_off_is_taken_up_by_the_next_target(own, two_labs):
    first, second = two_labs
    gateway = own(pair_of(first, second, **{"continue": True}))
    reply = gateway.chat("pair", stream=True)
    assert reply.status == 200 and reply.headers["x-sluice-continue"] == "on"
    assert reply.events[-1] == "[DONE]"
    asked = json.loads(second.last()["body"])["messages"]
    alone = gateway.chat("two/chat", stream=True).content
    assert reply.content.endswith(alone[-20:]) or len(reply.content) > len(alone)
    assert len({chunk["id"] for chunk in reply.chunks}) == 1
    row = gateway.wait_for_rows(1)[0]
    assert row["outcome"] == "ok" and [attempt[1] for attempt in row["attempts"]] == ["upstream_reset", "ok"]
    assert row["attempts"][0][4] == 2  # what the first one counted nobody knows
    assert asked[-2]["role"] == "assistant" and reply.content.startswith(asked[-2]["content"])


def test_FB_3_without_leave_an_answer_that_breaks_off_ends_as_failed(own, two_labs):
    gateway = own(pair_of(*two_labs))
    reply = gateway.chat("pair", stream=True)
    assert "[DONE]" not in reply.events and "error" in reply.chunks[-1]
    assert two_labs[1].total()["requests"] == 0


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
def test_other_dialects_are_taken_up_too(own, two_labs, path):
    gateway = own(pair_of(*two_labs, **{"continue": True}))
    said = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 99} if "messages" in path else {"input": "hello"}
    reply = gateway.request("POST", path, {"model": "pair", "stream": True, **said})
    end = "message_stop" if "messages" in path else "response.completed"
    assert reply.text.count(f"event: {end}") == 1 and "event: error" not in reply.text


def test_DISC_2_a_stream_that_its_client_left_is_read_to_its_end(own, lab):
    gateway = own({"stream": {"disconnect": "drain"}})
    lab.reset()
    with gateway.open("lab/chat+tokens-20+interval-10") as connection:
        read_until(connection, PIECE)
    row = gateway.wait_for_rows(1)[0]
    assert row["outcome"] == "client_closed"
    assert row["usage_source"] == 1 and row["output"] == 20
    assert lab.total()["completed"] == 1


def test_DISC_2_a_stream_without_end_is_cut_at_the_limit(own, lab):
    gateway = own({"stream": {"disconnect": "drain", "drain_limit": "200ms"}})
    lab.reset()
    with gateway.open("lab/endless+interval-10") as connection:
        read_until(connection, PIECE)
    row = gateway.wait_for_rows(1)[0]
    assert row["outcome"] == "client_closed" and row["usage_source"] == 2
    eventually(lambda: lab.total()["cancelled"] == 1, 1 * SLOW, "the cancel")


def cortex(lab, **more):
    return {"providers": {"cortex": {"kind": "cortex", "base_url": f"{lab.url}/snowflake", "token": "pat-lab", **more}}}


def test_embeddings_asked_for_at_the_same_time_go_up_as_one_call(own, lab):
    gateway = own({**cortex(lab, embed_batch={"wait": "200ms"}), "server": {"workers": 1}})
    lab.reset()
    got = {}

    def ask(i):
        body = {"model": "cortex/snowflake-arctic-embed-m", "input": [f"text {i}", "the same"], "encoding_format": "float"}
        got[i] = gateway.request("POST", "/v1/embeddings", body).json()

    callers = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert lab.total()["requests"] == 1 and lab.total()["embedded_texts"] == 12
    vectors = {i: [row["embedding"] for row in got[i]["data"]] for i in got}
    assert all(len(pair) == 2 for pair in vectors.values())
    assert len({str(pair[0]) for pair in vectors.values()}) == 6  # to each its own
    assert len({str(pair[1]) for pair in vectors.values()}) == 1
    rows = gateway.wait_for_rows(6)
    assert sum(row["input"] for row in rows) == lab.total()["prompt_tokens"]
    assert sum(answer["usage"]["total_tokens"] for answer in got.values()) == lab.total()["prompt_tokens"]


def test_one_caller_of_a_batch_that_leaves_takes_nothing_from_the_others(own, lab):
    gateway = own({**cortex(lab, embed_batch={"wait": "300ms"}), "server": {"workers": 1}})
    body = {"model": "cortex/snowflake-arctic-embed-m", "input": "a"}
    leaver = gateway.connect()
    leaver.request("POST", "/v1/embeddings", '{"model": "cortex/snowflake-arctic-embed-m", "input": "b"}')
    stayer = threading.Thread(target=lambda: done.append(gateway.request("POST", "/v1/embeddings", body)))
    done = []
    stayer.start()
    leaver.close()
    stayer.join()
    assert done[0].status == 200 and len(done[0].json()["data"]) == 1


def test_a_lone_embedding_is_answered_in_the_coding_that_was_asked_for(own, lab):
    gateway = own(cortex(lab))
    body = {"model": "cortex/snowflake-arctic-embed-m", "input": "a"}
    packed = gateway.request("POST", "/v1/embeddings", {**body, "encoding_format": "base64"}).json()
    assert isinstance(packed["data"][0]["embedding"], str) and len(packed["data"][0]["embedding"]) == 768 * 4 * 4 // 3
    tokens = gateway.request("POST", "/v1/embeddings", {**body, "input": [1, 2]})
    assert tokens.status == 400 and tokens.error["param"] == "input"


def test_readiness_tells_which_targets_are_left_alone_and_why(own, lab):
    tiers = {"pair": ["lab/status-503", "lab/chat"]}
    gateway = own({"tiers": tiers, "resilience": {"breaker": {"failures": 2, "pause": "60s"}}})
    for _ in range(3):
        assert gateway.chat("pair").status == 200
    ready = gateway.get("/readyz")
    assert ready.status == 200
    assert "2 failures in a row" in ready.json()["checks"]["target lab/status-503"]
    lab.reset()
    assert gateway.chat("pair").status == 200
    assert lab.total()["requests"] == 1  # the one that is well


def test_TR_12_a_model_that_no_table_knows_is_forwarded_and_marked_unpriced(own, lab):
    gateway = own()
    assert gateway.chat("lab/fast+cached-3").status == 200
    row = gateway.wait_for_rows(1)[0]
    assert row["outcome"] == "ok" and row["cost"] is None and row["cost_source"] == 3


def test_RET_11_a_request_that_can_never_fit_is_413_and_not_429(own):
    gateway = own({"server": {"max_body": "64KiB", "max_inflight_bytes": "1MiB"}})
    for _ in range(3):
        refused = gateway.chat("lab/chat", user="x" * 70_000)
        assert refused.status == 413 and "server.max_body" in refused.error["message"]


def test_calls_over_the_limit_of_connections_wait_for_one_and_not_for_ever(own, lab):
    pool = {"max_connections": 1, "queue_timeout": "1s"}
    gateway = own({"server": {"workers": 1}, "providers": {"lab": {"pool": pool}}})
    with gateway.open("lab/endless+interval-10") as held:
        read_until(held, PIECE)
        refused = gateway.chat("lab/chat")
        assert refused.status == 503 and refused.error["code"] == "pool_timeout"
        waiting = []
        waiter = threading.Thread(target=lambda: waiting.append(gateway.chat("lab/chat")))
        waiter.start()
    waiter.join()
    assert waiting[0].status == 200


def test_KA_4_who_asks_a_model_to_think_is_given_longer(own):
    gateway = own({"timeouts": {"first_byte": f"{300 * SLOW}ms", "reasoning": "30s"}, "resilience": {"attempts": 1}})
    slow = f"first-token-{600 * SLOW}"
    assert gateway.chat(f"lab/chat+{slow}", stream=True).status == 504
    assert gateway.chat(f"lab/chat+{slow}", stream=True, reasoning_effort="low").status == 200
    assert gateway.chat(f"lab/reasoning+{slow}", stream=True).status == 200
