"""Where a request goes, why, and what the caller and the ledger are told of it."""

import json
import threading
from collections import Counter

import pytest

from conftest import PRICES
from harness import HELLO, Gateway, eventually, read_until

CODE = [{"role": "user", "content": "Fix this:\n```python\ndef f(x): return x[1]\n```\nThe stack trace says IndexError."}]
NOTHING = [{"role": "user", "content": "Blue."}]
# Targets that fail in one test are asked again in the next.
CALM = {"breaker": {"failures": 1000, "min_requests": 100000}}
TASK = {"x-sluice-task": "chat"}
RESTRICTED = {"x-sluice-data": "restricted"}


def provider(lab, **more):
    return {"kind": "openai", "base_url": f"{lab.url}/v1", "api_key": "provider-key-7777", **more}


def settings_of(lab):
    return {
        "providers": {
            "far": provider(lab),
            "house": provider(lab, local=True),
            "claude": provider(lab, kind="anthropic", base_url=f"{lab.url}/anthropic/v1"),
            "portkey": provider(lab, kind="portkey", base_url=f"{lab.url}/portkey/v1"),
            "direct": provider(lab, stands_in_for="portkey"),
        },
        "tiers": {
            "tier1": ["lab/chat", "far/fast"],
            "broken": ["lab/status-503", "far/chat"],
            "leaky": ["lab/chat", "house/status-503", "far/fast"],
            "sick-gateway": ["portkey/@lab/lab/portkey-down-503", "direct/chat"],
            "failed-gateway": ["portkey/@lab/lab/portkey-failure", "direct/chat"],
            "sick-model": ["portkey/@lab/lab/status-503", "direct/chat", "far/fast"],
        },
        "aliases": {"gpt-4": "tier1", "acme/best": "lab/fast"},
        "tasks": {"chat": "tier1", "code_generation": ["far/chat"], "secret": "kept", "picked": "by_task"},
        "routes": {
            "split": {
                "strategy": "weighted",
                "targets": [{"target": "lab/chat", "weight": 70}, {"target": "far/fast", "weight": 30}],
                "sticky": "user",
            },
            "kept": {"strategy": "fallback", "targets": ["lab/chat", "house/fast"], "restricted": True},
            "by_request": {
                "strategy": "conditional",
                "conditions": [
                    {"when": {"metadata.plan": "paid"}, "then": "lab/chat"},
                    {"when": {"header.x-team": {"$in": ["red", "blue"]}}, "then": "far/fast"},
                    {"when": {"params.temperature": {"$gt": 1}}, "then": ["lab/status-503", "split"]},
                ],
                "default": "house/chat",
            },
            "by_task": {
                "strategy": "conditional",
                "conditions": [{"when": {"task": "picked"}, "then": "lab/fast"}],
                "default": "far/chat",
            },
            "patient": {
                "strategy": "fallback",
                "targets": [
                    {"target": "lab/first-token-20000", "timeouts": {"first_byte": "200ms"}},
                    {"target": "far/chat", "timeouts": {"first_byte": "60s"}},
                ],
            },
            "alone": {"strategy": "fallback", "targets": ["lab/status-503", "far/chat"], "fallback": False},
            "any": {"strategy": "fallback", "targets": ["lab/*", "far/chat"]},
        },
        "prices": {"custom": PRICES},
        "resilience": CALM,
    }


@pytest.fixture(scope="module")
def routed(lab, tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("routed"), lab.url, settings_of(lab)) as started:
        yield started


def good(reply):
    assert reply.status == 200, reply.text
    return reply


def row_by_id(gateway, request_id):
    """The row of a request: the upper half of its id, in base 32, is the row's key."""
    digits = request_id.removeprefix("req_").lower()
    key = sum("0123456789abcdefghjkmnpqrstvwxyz".index(digit) << 5 * place for place, digit in enumerate(reversed(digits))) >> 64
    return eventually(lambda: next((row for row in gateway.rows() if row["key"] == key), None), 5, "the row")


def asked(row):
    """The targets that were called, in order."""
    return [attempt[0] for attempt in row["attempts"]]


def where(reply):
    good(reply)
    return f"{reply.headers['x-sluice-provider']}/{reply.headers['x-sluice-model']}"


def row_of(gateway, reply):
    return row_by_id(gateway, reply.headers["x-request-id"])


@pytest.mark.parametrize(
    "model, headers, target, task",
    [
        ("lab/fast", {}, "lab/fast", None),
        ("tier1", {}, "lab/chat", None),
        ("gpt-4", {}, "lab/chat", None),
        ("acme/best", {}, "lab/fast", None),
        ("auto", TASK, "lab/chat", "chat"),
        ("task/chat", {}, "lab/chat", "chat"),
        ("task/code_generation", {}, "far/chat", "code_generation"),
        ("far/fast", TASK, "far/fast", None),
        ("task/picked", {}, "lab/fast", "picked"),
        ("by_task", {}, "far/chat", None),
        ("any", {}, "far/chat", None),
    ],
)
def test_each_way_to_ask_leads_to_its_target(routed, model, headers, target, task):
    reply = routed.chat(model, headers=headers)
    assert where(reply) == target
    assert reply.headers["x-sluice-task"] == task
    row = row_of(routed, reply)
    assert (row["task"] or None, f"{row['provider']}/{row['model']}") == (task, target)
    assert row["reason"]


@pytest.mark.parametrize(
    "words, task, said",
    [(CODE, "code_generation", "a code fence"), (HELLO, "chat", "'tell me about'"), (NOTHING, "chat", "no sign of any other task")],
)
def test_auto_finds_the_task_and_says_why(routed, words, task, said):
    reply = good(routed.chat("auto", messages=words))
    assert reply.headers["x-sluice-task"] == task
    row = row_of(routed, reply)
    assert row["task"] == task
    assert row["reason"].startswith(f"auto: {task}") and said in row["reason"]


def test_AB_3_a_user_stays_with_the_target_drawn_first(routed):
    arms = {f"user-{number}": where(routed.chat("split", user=f"user-{number}")) for number in range(40)}
    shares = Counter(arms.values())
    assert set(shares) == {"lab/chat", "far/fast"} and shares["lab/chat"] > shares["far/fast"]
    for user, arm in arms.items():
        assert where(routed.chat("split", user=user)) == arm


def test_AB_3_who_moves_from_a_sick_target_comes_back(own, lab):
    route = {
        "strategy": "weighted",
        "targets": [{"target": "lab/chat", "weight": 1}, {"target": "far/chat", "weight": 1}],
        "sticky": "user",
    }
    gateway = own({"providers": {"far": provider(lab)}, "routes": {"split": route}, "resilience": CALM})
    users = [f"user-{number}" for number in range(12)]
    before = {user: where(gateway.chat("split", user=user)) for user in users}
    assert set(before.values()) == {"lab/chat", "far/chat"}
    for user in users:
        # `lab` alone lets the fault through, so its users move.
        assert where(gateway.chat("split", user=user, headers={"x-lab-fault": "status-503"})) == "far/chat"
    assert {user: where(gateway.chat("split", user=user)) for user in users} == before


@pytest.mark.parametrize(
    "target, more, headers",
    [
        ("lab/chat", {"metadata": {"plan": "paid"}}, {}),
        ("far/fast", {"metadata": {"plan": "free"}}, {"x-team": "blue"}),
        ("house/chat", {"metadata": {"plan": "free"}}, {"x-team": "green"}),
        ("house/chat", {"temperature": 0.5}, {}),
        ("house/chat", {}, {}),
    ],
)
def test_a_condition_looks_at_metadata_headers_and_fields(routed, target, more, headers):
    reply = routed.chat("by_request", headers=headers, **more)
    assert where(reply) == target
    if target == "lab/chat":
        assert "metadata.plan is 'paid'" in row_of(routed, reply)["reason"]


def test_routes_nest_in_routes(routed):
    reply = routed.chat("by_request", temperature=1.5, user="user-1")
    assert where(reply) == where(routed.chat("split", user="user-1"))
    assert reply.headers["x-sluice-attempts"] == "2"
    assert reply.headers["x-sluice-fallback"].startswith("lab/status-503 ")
    row = row_of(routed, reply)
    assert asked(row) == ["lab/status-503", where(reply)]
    assert "params.temperature is over 1" in row["reason"]


def test_a_target_has_its_own_patience(routed):
    reply = routed.chat("patient")
    assert where(reply) == "far/chat" and "timeout" in reply.headers["x-sluice-fallback"]


@pytest.mark.parametrize("stream", [False, True])
def test_FB_7_nobody_else_is_asked_where_fallback_is_off(routed, lab, stream):
    assert where(routed.chat("broken", stream=stream)) == "far/chat"
    for model, headers in (("broken", {"x-sluice-fallback": "off"}), ("alone", {})):
        reply = routed.chat(model, stream=stream, headers=headers)
        assert reply.status == 503, reply.text
        assert set(asked(row_of(routed, reply))) <= {"lab/status-503"}


@pytest.mark.parametrize("model, fault", [("leaky", None), ("kept", None), ("kept", "status-503"), ("tier1", None)])
@pytest.mark.parametrize("stream", [False, True])
def test_restricted_data_never_leaves(routed, model, fault, stream):
    headers = {**RESTRICTED, **({"x-lab-fault": fault} if fault else {})}
    reply = routed.chat(model, stream=stream, headers=headers)
    row = row_of(routed, reply)
    assert {target.split("/")[0] for target in asked(row)} <= {"house"}
    assert row["provider"] in ("house", "other")
    if model == "tier1":
        assert reply.status == 403 and "restricted" in reply.error["message"]
    if model == "leaky":
        assert reply.status == 503


@pytest.mark.parametrize("model, headers", [("kept", {}), ("task/secret", {}), ("auto", {"x-sluice-task": "secret"})])
def test_a_restricted_route_keeps_its_data_unasked(routed, model, headers):
    assert where(routed.chat(model, headers=headers)) == "house/fast"


def test_the_label_of_a_task_holds_for_a_model_named_by_hand(routed):
    reply = routed.chat("far/chat", headers={"x-sluice-task": "secret"})
    assert reply.status == 403 and "restricted" in reply.error["message"]
    assert where(routed.chat("house/chat", headers={"x-sluice-task": "secret"})) == "house/chat"


@pytest.mark.parametrize("model, answers", [("sick-gateway", "direct"), ("failed-gateway", "direct"), ("sick-model", "far")])
def test_who_stands_in_for_a_gateway_is_asked_only_when_that_is_sick(routed, model, answers):
    reply = routed.chat(model)
    assert good(reply).headers["x-sluice-provider"] == answers
    called = [target.split("/")[0] for target in asked(row_of(routed, reply))]
    assert called[0] == "portkey" and called[-1] == answers
    assert ("direct" in called) == (answers == "direct")


@pytest.mark.parametrize(
    "model, headers, status, said, param",
    [
        ("teir1", {}, 400, "'tier1'", "model"),
        ("splt", {}, 400, "'split'", "model"),
        ("task/chta", {}, 400, "'chat'", "model"),
        ("auto", {"x-sluice-task": "chta"}, 400, "'chat'", "x-sluice-task"),
        ("lab/chat", {"x-sluice-task": "chta"}, 400, "'chat'", "x-sluice-task"),
        ("lab/chat", {"x-sluice-fallback": "maybe"}, 400, "on or off", "x-sluice-fallback"),
        ("lab/chat", {"x-sluice-data": "secret"}, 400, "restricted or open", "x-sluice-data"),
    ],
)
def test_a_name_nobody_knows_is_refused_with_the_nearest(routed, model, headers, status, said, param):
    reply = routed.chat(model, headers=headers)
    assert reply.status == status, reply.text
    assert said in reply.error["message"] and reply.error["param"] == param


def test_the_reply_says_who_answered_and_how(routed):
    reply = good(routed.chat("auto", headers=TASK))
    assert reply.headers["x-sluice-provider"] == "lab" and reply.headers["x-sluice-model"] == "chat"
    assert reply.headers["x-sluice-task"] == "chat"
    assert reply.headers["x-sluice-attempts"] is None and reply.headers["x-sluice-fallback"] is None
    assert int(reply.headers["x-sluice-overhead-us"]) > 0
    failed = good(routed.chat("broken"))
    assert failed.headers["x-sluice-attempts"] == "2" and "lab/status-503" in failed.headers["x-sluice-fallback"]


def dollars(row):
    return row["cost"] / 1e9


def test_COST_9_the_cost_of_a_reply_is_that_of_its_row(routed):
    reply = good(routed.chat("tier1", headers={"x-sluice-cost": "on"}))
    assert float(reply.headers["x-sluice-cost-usd"]) == dollars(row_of(routed, reply)) > 0
    assert good(routed.chat("tier1")).headers["x-sluice-cost-usd"] is None


def test_COST_9_the_cost_of_a_stream_is_its_trailer(routed):
    with routed.open("tier1", headers={"x-sluice-cost": "on", "TE": "trailers"}) as connection:
        got = read_until(connection, b"\r\n\r\n")
        request = next(line for line in got.decode().splitlines() if line.lower().startswith("x-request-id"))
        got += b"" if b"x-sluice-cost-usd: " in got else read_until(connection, b"x-sluice-cost-usd: ")
        while not got.endswith(b"\r\n\r\n"):
            got += connection.recv(65536)
    trailer = got.decode().rpartition("x-sluice-cost-usd: ")[2].split("\r\n")[0]
    assert float(trailer) == dollars(row_by_id(routed, request.split(": ")[1])) > 0


def test_COST_9_an_unknown_cost_is_said_to_be_unknown(own):
    reply = good(own().chat("lab/chat+tokens-3", headers={"x-sluice-cost": "on"}))
    assert reply.headers["x-sluice-cost-usd"] == "unknown"


@pytest.mark.parametrize("stream", [False, True])
def test_TR_3_what_a_target_has_no_place_for_is_dropped_and_named(routed, stream):
    reply = good(routed.chat("claude/lab/claude", stream=stream, seed=7, logprobs=True, frequency_penalty=0.5))
    assert set(reply.headers["x-sluice-dropped"].split(", ")) == {"seed", "logprobs", "frequency_penalty"}
    assert good(routed.chat("lab/chat", seed=7)).headers["x-sluice-dropped"] is None


def test_TR_3_or_refused_or_the_next_target_is_asked(own, lab):
    both = {"tiers": {"pair": ["claude/lab/claude", "lab/chat"]}, "providers": settings_of(lab)["providers"]}
    refusing = own({**both, "resilience": {"unsupported": "refuse"}})
    reply = refusing.chat("pair", seed=7)
    assert reply.status == 400 and "seed" in reply.error["message"], reply.text
    skipping = own({**both, "resilience": {"unsupported": "skip"}})
    assert where(skipping.chat("pair", seed=7)) == "lab/chat"
    assert where(skipping.chat("pair")) == "claude/lab/claude"


@pytest.mark.parametrize(
    "model, given, sent",
    [
        ("lab/reasoning", "max_tokens", "max_completion_tokens"),
        ("lab/reasoning", "max_completion_tokens", "max_completion_tokens"),
        ("claude/lab/claude", "max_completion_tokens", "max_tokens"),
    ],
)
def test_TR_2_the_limit_of_tokens_goes_by_the_name_the_target_knows(routed, lab, model, given, sent):
    good(routed.chat(model, **{given: 300}))
    body = json.loads(lab.last()["body"])
    assert body[sent] == 300 and {"max_tokens", "max_completion_tokens"} & body.keys() == {sent}


def test_CFG_2_tasks_change_their_targets_while_they_are_asked(own):
    arms = [{"tasks": {"chat": ["lab/chat"]}}, {"tasks": {"chat": ["lab/fast"]}}]
    gateway = own(arms[0])
    replies, over = [], threading.Event()

    def ask():
        while not over.is_set():
            replies.append(gateway.chat("task/chat"))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        for number in range(1, 7):
            gateway.configure(arms[number % 2])
            gateway.send_signal(1)
            wanted = f"lab/{('chat', 'fast')[number % 2]}"
            eventually(lambda wanted=wanted: where(gateway.chat("task/chat")) == wanted, 10, wanted)
    finally:
        over.set()
        for asker in askers:
            asker.join()
    assert {reply.status for reply in replies} == {200}
    assert {where(reply) for reply in replies} == {"lab/chat", "lab/fast"}


def test_restricted_data_does_not_leave_by_the_rule_for_long_prompts(own, lab):
    house = {"kind": "openai", "base_url": f"{lab.url}/v1", "api_key": "house-key-1", "local": True}
    gateway = own(
        {
            "providers": {"house": house},
            "resilience": {"on_context_overflow": ["lab/chat"]},
            "tiers": {"near": ["house/small-context"], "far": ["lab/small-context"]},
        }
    )
    long = [{"role": "user", "content": "word " * 2000}]
    assert gateway.chat("far", messages=long).status == 200
    for headers in (RESTRICTED, {}):
        refused = gateway.chat("near", messages=long, headers=headers)
        assert refused.status == 400 and refused.error["code"] == "context_length_exceeded"
    assert [len(row["attempts"]) for row in gateway.wait_for_rows(3)] == [2, 1, 1]


def test_phrases_of_ones_own_speak_for_a_task(own):
    tasks = {"chat": ["lab/chat"], "billing": ["lab/fast"]}
    gateway = own({"tasks": tasks, "auto": {"default": "chat", "phrases": {"billing": ["dunning letter: 3"]}}})
    asked = [{"role": "user", "content": "Draft a dunning letter to this customer."}]
    assert where(gateway.chat("auto", messages=asked)) == "lab/fast"
    row = gateway.wait_for_rows(1)[0]
    assert row["task"] == "billing" and "dunning letter" in row["reason"]
    assert where(gateway.chat("auto")) == "lab/chat"


def test_AB_3_a_conversation_keeps_its_target(own):
    split = {"strategy": "weighted", "targets": ["lab/chat", "lab/fast"], "sticky": "conversation"}
    gateway = own({"routes": {"split": split}})
    seen = {}
    for talk in range(12):
        headers = {"x-sluice-conversation": f"talk-{talk}"}
        seen[talk] = {where(gateway.chat("split", headers=headers)) for _ in range(3)}
    assert all(len(targets) == 1 for targets in seen.values())
    assert set.union(*seen.values()) == {"lab/chat", "lab/fast"}
