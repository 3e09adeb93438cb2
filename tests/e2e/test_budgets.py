"""Budgets end to end: never overrun, never stuck, and what a refusal says."""

import json
import signal
import subprocess
import time

import anthropic
import openai
import pytest

from governed import DOORS, PAID, ask, at_once, bearer, budget, charged, governed, key, own_usage, settings_for, spend_of
from harness import HELLO, SLOW, SLUICE, Gateway, eventually, read_until

# A token of output is a tenth of a cent, and nothing else costs: 50 tokens at most are 5 cents at most.
DEAR = {"prices": {"custom": {"chat": {"input": 0, "output": 1000}}}}
CENT = 10_000_000


def state(gateway, name="a", number=0):
    return own_usage(gateway, name)["budgets"][number]


def nanos(dollars):
    return round(dollars * 1e9)


def settled(gateway, name="a"):
    """Nothing is held any more, and what is spent is what the ledger says; returns that."""

    def done():
        now = own_usage(gateway, name)
        held = [each["reserved_usd"] for each in now["budgets"]] + [each["in_flight"] for each in now["limits"]]
        spent = {nanos(each["spent_usd"]) for each in now["budgets"]}
        return not any(held) and spent == {spend_of(gateway, f"key:{name}")} and [spent.pop()]

    return eventually(done, 5, "that nothing is held")[0]


def call(gateway, name="a", tokens=50, **more):
    fault = f"tokens-{tokens}, first-token-200"
    return gateway.chat(max_tokens=50, headers={**bearer(name), "x-lab-fault": fault}, **more)


@pytest.mark.parametrize("stream", [False, True])
def test_BUD_1_two_hundred_at_once_never_overrun_a_budget(own, stream):
    gateway = governed(own, {"a": budget(1)}, **DEAR, server={"workers": 4})
    replies = at_once(200, lambda number: call(gateway, stream=stream))
    assert sorted({reply.status for reply in replies}) == [200, 402]
    assert sum(reply.status == 200 for reply in replies) == 20
    assert settled(gateway) == 100 * CENT


def test_BUD_1_budgets_of_every_level_hold_together(own):
    gateway = governed(
        own,
        {"a": {"team": "t", **budget(1)}, "b": {"team": "t", **budget(1)}, "c": budget(1)},
        **DEAR,
        teams={"t": {"organisation": "o", **budget("0.60")}},
        organisations={"o": budget("0.50"), "default": budget(1)},
    )
    replies = at_once(60, lambda number: call(gateway, "abc"[number % 3]))
    passed = [number % 3 for number, reply in enumerate(replies) if reply.status == 200]
    assert passed.count(0) + passed.count(1) == 10 and passed.count(2) == 20
    refused = [reply for number, reply in enumerate(replies) if number % 3 < 2 and reply.status == 402]
    assert {reply.headers["x-sluice-limit"] for reply in refused} == {"organisation/all"}
    eventually(lambda: spend_of(gateway, "team:t") == spend_of(gateway, "organisation:o") == 50 * CENT)
    eventually(lambda: spend_of(gateway, "organisation:default") == spend_of(gateway, "key:c") == 100 * CENT)


def test_BUD_2_what_was_held_and_not_used_can_be_spent_within_a_second(own):
    gateway = governed(own, {"a": budget(1)}, **DEAR)
    first = at_once(60, lambda number: call(gateway, tokens=5))
    passed = sum(reply.status == 200 for reply in first)
    assert passed >= 20
    assert settled(gateway) == passed * CENT // 2
    # Each takes half a cent and wants five: the last that fits leaves less than five.
    while (reply := call(gateway, tokens=5)).status == 200:
        passed += 1
    assert reply.status == 402 and settled(gateway) == passed * CENT // 2
    left = 100 * CENT - settled(gateway)
    assert 5 * CENT - CENT // 2 <= left < 5 * CENT


def unlimited(gateway, path, body):
    """A request that says nothing of how long the answer may be, and gets a long one."""
    body = {name: value for name, value in body.items() if not name.startswith("max_")}
    return ask(gateway, path, body, {**bearer("a"), "x-lab-fault": "tokens-400, first-token-200"})


@pytest.mark.parametrize("door", ["chat", "completions", "responses"])
def test_BUD_1_answers_without_a_limit_never_overrun_a_budget(own, lab, door):
    # All that the model can write would cost $128; the usual 150 tokens are 15 cents.
    gateway = governed(own, {"a": budget(1)}, **DEAR, providers={"lab": {"max_output": 150}})
    replies = at_once(20, lambda number: unlimited(gateway, *PAID[door]))
    assert sum(reply.status == 200 for reply in replies) == 6
    assert settled(gateway) == 90 * CENT
    assert ":150" in lab.last()["body"]
    assert any("no room for an answer without a limit" in row["reason"] for row in gateway.rows())


def test_where_there_is_room_for_all_a_model_can_write_no_limit_is_set(own, lab):
    gateway = governed(own, {"a": budget(129)}, **DEAR, providers={"lab": {"max_output": 150}})
    assert unlimited(gateway, *PAID["chat"]).status == 200
    assert "max_" not in lab.last()["body"] and settled(gateway) == 40 * CENT


ENDINGS = {
    "success": "tokens-5",
    "refused": "status-400",
    "failed": "status-500",
    "reset": "reset",
    "timeout": "silent",
    "broken": "tokens-9, reset-after-3",
    "garbage": "garbage-200",
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("ending", ENDINGS)
def test_BUD_3_however_a_request_ends_nothing_stays_held(own, ending, stream):
    limited = {**budget(1), "parallel": 4}
    gateway = governed(own, {"a": limited}, **DEAR, timeouts={"first_byte": "200ms"}, resilience={"attempts": 1})
    at_once(4, lambda number: gateway.chat(max_tokens=50, stream=stream, headers={**bearer("a"), "x-lab-fault": ENDINGS[ending]}))
    spent = settled(gateway)
    assert spent <= 20 * CENT
    if ending in ("success", "refused", "failed"):
        assert spent == (2 * CENT if ending == "success" else 0)
    again = {**bearer("a"), "x-lab-fault": "tokens-5"}
    assert [reply.status for reply in at_once(4, lambda number: gateway.chat(max_tokens=50, headers=again))] == [200] * 4


def test_BUD_3_a_client_that_leaves_takes_nothing_with_it(own):
    gateway = governed(own, {"a": budget(1)}, **DEAR)
    held = {**bearer("a"), "x-lab-fault": "tokens-50, interval-100"}
    for number in range(3):
        with gateway.open(headers=held, max_tokens=50) as stream:
            read_until(stream, b'"content":"')
            assert state(gateway)["reserved_usd"] == pytest.approx(0.05)
    assert 0 < settled(gateway) < 15 * CENT


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_BUD_3_a_restart_begins_with_what_the_ledger_says(own, lab, number):
    settings = settings_for({"a": budget(1)}, **DEAR, server={"drain_timeout": "300ms"}, ledger={"flush_window": "5ms"})
    gateway = own(settings)
    for _ in range(3):
        assert call(gateway, tokens=5).status == 200
    eventually(lambda: spend_of(gateway, "key:a") == 3 * CENT // 2)
    held = {**bearer("a"), "x-lab-fault": "tokens-50, interval-200"}
    with gateway.open(headers=held, max_tokens=50) as stream:
        read_until(stream, b'"content":"')
        gateway.stop(number)
    with Gateway(gateway.folder, lab.url, settings) as again:
        spent = settled(again)
        assert spent == sum(nano for _, nano in charged(again)) and spent >= 3 * CENT // 2
        if number == signal.SIGKILL:
            assert spent == 3 * CENT // 2
        replies = at_once(40, lambda each: call(again))
        assert sum(reply.status == 200 for reply in replies) == (100 * CENT - spent) // (5 * CENT)
        assert settled(again) <= 100 * CENT


def test_streamed_and_buffered_are_settled_alike(own):
    gateway = governed(own, {"a": budget(1), "b": budget(1)})
    for name, stream in (("a", False), ("b", True)):
        for fault in ("cached-3, reasoning-7", "tokens-12", "usage-cumulative"):
            assert gateway.chat(stream=stream, headers={**bearer(name), "x-lab-fault": fault}).status == 200
    assert settled(gateway, "a") == settled(gateway, "b") > 0


@pytest.mark.parametrize("door", PAID)
def test_BUD_6_every_door_that_costs_is_closed_alike(own, lab, door):
    gateway = governed(own, {"a": budget(0)})
    path, body = PAID[door]
    lab.reset()
    for stream in (False, True):
        if stream and door == "embeddings":
            continue
        reply = ask(gateway, path, {**body, **({"stream": True} if stream else {})}, bearer("a"))
        assert reply.status == 402, reply.text
        assert reply.headers["x-sluice-limit"] == "key/all"
    assert lab.total()["requests"] == 0


def test_what_costs_nothing_passes_a_budget_that_is_used_up(own):
    gateway = governed(own, {"a": budget(0)})
    assert ask(gateway, *DOORS["count_tokens"], bearer("a")).status == 200
    assert ask(gateway, "/v1/models", headers=bearer("a")).status == 200
    assert ask(gateway, "/v1/usage", headers=bearer("a")).status == 200


def test_BUD_7_first_requests_of_an_end_user_share_one_default_budget(own):
    gateway = governed(own, {"a": {}, "b": {}}, **DEAR, end_users=budget("0.15"))
    replies = at_once(8, lambda number: call(gateway, "ab"[number % 2], user="ann"))
    assert sum(reply.status == 200 for reply in replies) == 3
    refused = next(reply for reply in replies if reply.status == 402)
    assert "user 'default/ann'" in refused.error["message"]
    assert call(gateway, user="bob").status == 200
    eventually(lambda: spend_of(gateway, "user:default/ann") == 15 * CENT)


def test_BUD_7_a_long_name_is_the_same_end_user_after_a_restart(own, lab):
    settings = settings_for({"a": {}}, **DEAR, end_users=budget("0.05"))
    gateway, name = own(settings), "u" * 300
    assert call(gateway, user=name).status == 200
    assert call(gateway, user=name).status == 402
    assert gateway.stop() == 0
    with Gateway(gateway.folder, lab.url, settings) as again:
        assert call(again, user=name).status == 402


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"amuont": 1, "amount": 1, "per": "day"}, "keys.a.budgets.all.amuont"),
        ({"amount": 1, "per": "fortnight"}, "keys.a.budgets.all.per"),
        ({"amount": -1, "per": "day"}, "keys.a.budgets.all.amount"),
        ({"amount": 1, "per": "day", "time_zone": "Mars/Olympus"}, "keys.a.budgets.all.time_zone"),
        ({"amount": 1, "per": "day", "ladder": {"wran": "80%"}}, "keys.a.budgets.all.ladder.wran"),
        ({"per": "day"}, "keys.a.budgets.all"),
    ],
)
def test_BUD_8_a_misspelled_field_of_a_budget_is_refused_by_name(tmp_path, wrong, named):
    file = tmp_path / "sluice.json"
    file.write_text(json.dumps({"keys": {"a": {"key": key("a"), "budgets": {"all": wrong}}}}), encoding="utf-8")
    said = subprocess.run([SLUICE, "check", file], capture_output=True, text=True, timeout=60 * SLOW, check=False)
    assert said.returncode == 2 and f"`{named}" in said.stdout


@pytest.mark.parametrize("how", ["limit", "increase"])
def test_BUD_10_more_money_is_there_within_a_second(own, how):
    gateway = governed(own, {"a": budget("0.05")}, **DEAR)
    assert call(gateway).status == 200 and call(gateway).status == 402
    more = budget("0.10") if how == "limit" else budget("0.05", increase={"amount": "0.05", "until": "2999-01-01"})
    gateway.configure(settings_for({"a": more}, **DEAR))
    began = time.monotonic()
    eventually(lambda: call(gateway).status == 200, 3)
    assert time.monotonic() - began < 1.5 * SLOW
    assert call(gateway).status == 402 and settled(gateway) == 10 * CENT


def test_BUD_11_a_refusal_says_which_budget_how_much_and_until_when(own):
    gateway = governed(own, {"a": {"budgets": {"monthly": {"amount": "0.05", "per": "month"}}}}, **DEAR)
    assert call(gateway).status == 200
    refused = call(gateway)
    assert refused.status == 402
    error = refused.error
    assert (error["type"], error["code"]) == ("insufficient_quota", "budget_exceeded")
    for words in ("month budget 'monthly' of key 'a'", "$0.05 of $0.05", "-01T00:00:00"):
        assert words in error["message"]
    assert refused.headers["x-should-retry"] == "false" and refused.headers["retry-after"] is None
    assert refused.headers["x-sluice-limit"] == "key/monthly"
    limited = governed(own, {"a": {"requests_per_minute": 1}})
    assert [limited.chat(headers=bearer("a")).status for _ in range(2)] == [200, 429]
    assert eventually(lambda: gateway.metric("llm_limit_refusals_total", level="key", limit="budget", mode="enforced")) == 1


def test_BUD_11_the_sdks_do_not_repeat_what_a_budget_refused(own):
    gateway = governed(own, {"a": budget(0)})
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key("a"), max_retries=3) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model="lab/chat", messages=HELLO)
    assert caught.value.status_code == 402 and caught.value.type == "insufficient_quota"
    assert len(gateway.wait_for_rows(1)) == 1
    with anthropic.Anthropic(base_url=gateway.url, api_key=key("a"), max_retries=3) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(model="lab/chat", max_tokens=9, messages=HELLO)
    assert caught.value.status_code == 402 and caught.value.body["error"]["type"] == "billing_error"
    assert len(gateway.wait_for_rows(2)) == 2


def test_BUD_12_a_step_is_not_taken_before_its_share_is_used(own):
    gateway = governed(own, {"a": budget(15, ladder={"warn": "99%"})}, **DEAR)
    assert call(gateway, tokens=40).headers["x-sluice-budget"] is None
    assert gateway.chat(max_tokens=360, headers={**bearer("a"), "x-lab-fault": "tokens-360"}).status == 200
    assert settled(gateway) == 40 * CENT
    assert call(gateway, tokens=5).headers["x-sluice-budget"] is None


# What happens as a budget is used up.


def used(own, tokens, **more):
    """A gateway whose key has used this many tenths of a cent of a dollar."""
    prices = {"chat": {"input": 0, "output": 1000}, "fast": {"input": 0, "output": 1}, "tools": {"input": 0, "output": 5000}}
    gateway = governed(own, {"a": budget(1, **more)}, prices={"custom": {**prices, "embed": {"input": 1, "output": 0}}}, tiers={"quick": ["lab/fast"]})
    headers = {**bearer("a"), "x-lab-fault": f"tokens-{tokens}"}
    assert gateway.chat(max_tokens=tokens, headers=headers).status == 200
    settled(gateway)
    return gateway


def test_the_first_step_is_a_header(own):
    gateway = used(own, 850)
    reply = call(gateway, tokens=5)
    assert reply.headers["x-sluice-budget"] == "key/all 85% of $1.00"
    assert (reply.headers["x-sluice-budget-step"], reply.headers["x-sluice-model"]) == ("warn", "chat")


def test_the_second_step_is_a_cheaper_tier(own):
    gateway = used(own, 850, ladder={"cheaper_tier": "80%"}, cheaper="quick")
    for stream in (False, True):
        reply = call(gateway, tokens=5, stream=stream)
        assert reply.status == 200, reply.text
        assert reply.headers["x-sluice-budget-step"] == "cheaper_tier"
    assert {row["model"] for row in gateway.wait_for_rows(3)[1:]} == {"fast"}
    assert "a budget is nearly used up: quick in place" in gateway.rows()[-1]["reason"]


def test_what_is_no_chat_or_would_cost_more_elsewhere_stays_where_it_was(own):
    gateway = used(own, 850, ladder={"cheaper_tier": "80%"}, cheaper="lab/tools")
    assert call(gateway, tokens=5).headers["x-sluice-model"] == "chat"
    other = used(own, 850, ladder={"cheaper_tier": "80%"}, cheaper="quick")
    assert ask(other, *PAID["embeddings"], bearer("a")).headers["x-sluice-model"] == "embed"


@pytest.mark.parametrize("door", ["chat", "completions", "responses", "messages"])
def test_the_third_step_is_a_shorter_answer(own, lab, door):
    gateway = used(own, 850, ladder={"smaller_output": "80%"}, output_limit=7)
    path, body = PAID[door]
    reply = ask(gateway, path, body, bearer("a"))
    assert reply.status == 200, reply.text
    assert reply.headers["x-sluice-budget-step"] == "smaller_output"
    sent = lab.last()["body"]
    assert '":7' in sent and ":50" not in sent
    assert gateway.wait_for_rows(2)[1]["output"] <= 7


def test_thoughts_keep_the_room_they_were_given(own, lab):
    gateway = used(own, 850, ladder={"smaller_output": "80%"}, output_limit=500)
    body = {**PAID["messages"][1], "max_tokens": 1100, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    refused = ask(gateway, PAID["messages"][0], body, bearer("a"))
    assert refused.status == 402  # as it was asked, which is more than is left


@pytest.mark.parametrize("step", ["cache_only", "block"])
def test_the_last_steps_close_the_door_early(own, step):
    gateway = used(own, 850, ladder={step: "80%"})
    refused = call(gateway, tokens=5)
    assert refused.status == 402 and "$0.85 of $1.00" in refused.error["message"]


def test_a_soft_budget_warns_and_refuses_nothing(own):
    gateway = used(own, 990, kind="soft")
    for _ in range(3):
        reply = call(gateway)
        assert reply.status == 200 and reply.headers["x-sluice-budget-step"] == "warn"
    assert settled(gateway) > 100 * CENT
    assert gateway.chat("lab/tokens-5", headers=bearer("a")).status == 200  # no price


def test_a_budget_in_shadow_refuses_nothing_and_counts_whom_it_would_have(own):
    gateway = governed(own, {"a": budget(0, shadow=True)})
    reply = gateway.chat(headers=bearer("a"))
    assert reply.status == 200 and reply.headers["x-sluice-budget"] is None
    assert gateway.chat("lab/tokens-5", headers=bearer("a")).status == 200  # no price
    assert "in shadow: the total budget 'all'" in gateway.wait_for_rows(1)[0]["reason"]
    assert eventually(lambda: gateway.metric("llm_limit_refusals_total", limit="budget", mode="shadow")) >= 1


# Models nobody knows the price of.


def test_PRICE_2_what_nobody_knows_the_price_of_is_not_for_whoever_has_a_budget(own, lab):
    gateway = governed(own, {"a": budget(1), "b": {}}, tiers={"mixed": ["lab/tokens-5", "lab/chat"]})
    lab.reset()
    refused = gateway.chat("lab/tokens-5", headers=bearer("a"))
    assert refused.status == 403 and "lab/tokens-5" in refused.error["message"] and lab.total()["requests"] == 0
    assert gateway.chat("lab/tokens-5", headers=bearer("b")).status == 200
    assert gateway.chat("mixed", headers=bearer("a")).headers["x-sluice-model"] == "chat"


def test_PRICE_2_a_ceiling_stands_in_for_a_price(own):
    gateway = governed(own, {"a": budget(1)}, governance={"ceiling_input": 0, "ceiling_output": 1000})
    asked = dict(max_tokens=50, headers=bearer("a"))
    assert gateway.chat("lab/tokens-5", **asked).status == 200
    assert settled(gateway) == CENT // 2
    assert gateway.wait_for_rows(1)[0]["cost"] is None
    assert gateway.chat("lab/tokens-5", max_tokens=1001, headers=bearer("a")).status == 402


def test_a_key_is_told_its_own_figures_and_what_a_reply_cost(own):
    gateway = governed(own, {"a": {"team": "t", "environment": "staging", "requests_per_minute": 60, **budget(1)}}, teams={"t": budget(5)})
    reply = gateway.chat(headers={**bearer("a"), "x-sluice-cost": "on"})
    spent = settled(gateway)
    assert nanos(float(reply.headers["x-sluice-cost-usd"])) == spent > 0
    told = own_usage(gateway, "a")
    assert (told["key"], told["team"], told["organisation"], told["environment"]) == ("a", "t", "default", "staging")
    assert {nanos(amount) for amount in told["spend"].values()} == {spent}
    assert [(each["level"], each["limit_usd"], nanos(each["spent_usd"])) for each in told["budgets"]] == [("key", 1, spent), ("team", 5, spent)]
    assert told["limits"][0]["requests"] == {"limit": 60, "remaining": 59, "reset_seconds": told["limits"][0]["requests"]["reset_seconds"]}
    assert told["budgets"][0]["resets_at"] is None
