"""The short form of the fault campaign (`make faults`), and what each kind of failure means for those who wait."""

import dataclasses
import re
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from harness import HELLO, ROOT, SLOW

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))

import breaker  # noqa: E402
import campaign  # noqa: E402
import cases  # noqa: E402
import clients  # noqa: E402
import driver  # noqa: E402
import judges  # noqa: E402
import stage  # noqa: E402
import views  # noqa: E402

REQUESTS = 3200 // SLOW
MIXTURES = cases.mixtures(REQUESTS)
SICKNESSES = cases.short(REQUESTS // 4)
SHORT = {"timeouts": {"first_byte": "300ms", "idle": "300ms"}}


def check(played):
    assert not played.agreement.faults, played.agreement.examples
    assert played.verdict.kept, f"{played.verdict.figure}, wanted {played.verdict.wanted}"


@pytest.mark.parametrize("name", MIXTURES)
def test_FB_1_FB_3_every_class_of_faults_once_and_three_views_agree(tmp_path, name):
    check(campaign.play(MIXTURES[name], tmp_path, seed=1, texts=campaign.reference_texts(1)))


@pytest.mark.parametrize("name", SICKNESSES)
def test_FB_1_what_is_sick_below_http_is_hidden_or_told_and_three_views_agree(tmp_path, name):
    check(campaign.play(SICKNESSES[name], tmp_path, seed=7))


@pytest.mark.parametrize("case", [case for case in cases.outages(REQUESTS) if case.load.seconds is None], ids=lambda case: case.name)
def test_RET_13_one_upstream_of_three_that_is_down_is_not_noticed(tmp_path, case):
    if case.goal == "G2":
        # The goal allows errors in the first two seconds, and all of this is over before.
        case = dataclasses.replace(case, judge=judges.success(75))
    check(campaign.play(case, tmp_path, seed=2))


def test_RET_6_when_everything_fails_the_load_stays_under_eleven_tenths(tmp_path):
    # At this rate the budget is ten percent from the first half second on, not the reserve.
    load = cases.spread(0, rate=400 / SLOW, seconds=6)
    case = cases.Case("storm", "", "G8", cases.everywhere("status-503"), load, judges.amplification)
    check(campaign.play(case, tmp_path, seed=3))


def test_RET_13_a_breaker_opens_probes_and_closes_again(tmp_path):
    check(breaker.play(tmp_path, 4, campaign.Played, sick_s=2.0, seconds=7.0, rate=200 / SLOW))


def test_DISC_1_clients_that_leave_have_rows_that_say_so(tmp_path):
    load = cases.spread(REQUESTS // 8, streamed=1.0, leaving=0.3)
    check(campaign.play(cases.Case("left", "", "", cases.everywhere("interval-3"), load, judges.left), tmp_path, seed=5))


def test_NET_1_clients_that_misbehave_are_told_and_disturb_nobody(tmp_path):
    check(clients.play(tmp_path, 6, campaign.Played, rounds=1))


def test_COST_11_what_the_guide_sums_by_payee_is_what_each_lab_charged(tmp_path):
    guide = (ROOT / "docs/operational-guide.md").read_text(encoding="utf-8")
    by_payee = re.search(r"SELECT payee.*?DESC", guide, re.S).group()
    faults = cases.mix_of(cases.PAID, 20)
    with stage.Stage(tmp_path, 8, faults) as on_stage:
        seen = driver.drive(on_stage.gateway.address, cases.spread(150, streamed=1.0), 8, "payees")
        rows, _ = views.wait_for_rows(on_stage.gateway.ledger, "payees", len(seen))
        assert sum(row.attempts_cost for row in rows.values()) > 0
        with sqlite3.connect(f"file:{on_stage.gateway.ledger}?mode=ro", uri=True) as ledger:
            paid = dict(ledger.execute(by_payee).fetchall())
        charged = [lab.get("/lab/meter").json()["total"]["cost_nanodollars"] for lab in on_stage.labs]
    assert [round(paid[name] * 1e9) for name in stage.NAMES] == charged


BODIES = {
    "chat": ("/v1/chat/completions", {"messages": HELLO}),
    "messages": ("/v1/messages", {"messages": HELLO, "max_tokens": 100}),
    "responses": ("/v1/responses", {"input": "Tell me about the harbour."}),
}


@pytest.mark.parametrize("fault", ["status-503", "reset", "silent", "garbage-200", "overloaded-after-0"])
def test_FB_2_the_three_dialects_streamed_and_buffered_fall_back_alike(own, fault):
    gateway = own({**SHORT, "tiers": {"pair": [f"lab/{fault}", "lab/chat"]}})
    for path, body in BODIES.values():
        for stream in (False, True):
            reply = gateway.request("POST", path, {"model": "pair", "stream": stream, **body})
            assert (reply.status, reply.headers["x-sluice-model"]) == (200, "chat"), (path, stream, reply.text)
            assert '"error":{' not in reply.text and "event: error" not in reply.text
    assert {row["result"] for row in gateway.wait_for_rows(6)} <= {"fallback_ok", "ok"}


@pytest.mark.parametrize("stream", [False, True])
def test_FB_6_without_a_second_target_the_only_one_is_asked_again(own, stream):
    reply = own().chat("lab/fail-first-1", stream=stream, headers={"x-lab-key": f"FB-6 {stream}"})
    assert reply.status == 200
    assert reply.headers["x-sluice-attempts"] == "2"


@pytest.mark.parametrize("fault, status", [("status-503", 503), ("reset", 502), ("garbage-200", 502)])
def test_FB_7_with_fallback_off_nobody_else_is_called(own, fault, status):
    gateway = own({"tiers": {"pair": [f"lab/{fault}", "lab/chat"]}, "resilience": {"attempts": 2}})
    assert gateway.chat("pair", headers={"x-sluice-fallback": "off"}).status == status
    assert {attempt[0] for attempt in gateway.wait_for_rows(1)[0]["attempts"]} == {f"lab/{fault}"}


@pytest.mark.parametrize("fault", ["html-200", "error-200", "empty-200", "garbage-200"])
def test_FB_10_a_200_that_is_no_answer_is_a_failure(own, fault):
    gateway = own()
    reply = gateway.chat(f"lab/{fault}")
    assert reply.status >= 500 and reply.error["message"]
    row = gateway.wait_for_rows(1)[0]
    assert row["outcome"] in ("upstream_bad_reply", "upstream_overloaded", "upstream_error")


@pytest.mark.parametrize("fault, status", [("status-400", 400), ("status-422", 422), ("bad-schema", 400)])
def test_RET_2_what_is_wrong_with_the_request_is_told_in_the_providers_words(own, lab, fault, status):
    gateway = own({"tiers": {"pair": [f"lab/{fault}", "lab/chat"]}})
    own_words = lab.chat(fault).error["message"]
    for _ in range(8):  # more than open a breaker
        reply = gateway.chat("pair")
        assert (reply.status, reply.error["message"]) == (status, own_words)
    assert all(len(row["attempts"]) <= 1 for row in gateway.wait_for_rows(8))


@pytest.mark.parametrize("fault, rule", [("context-length", "on_context_overflow"), ("content-policy", "on_content_policy")])
def test_RET_3_RET_4_overflow_and_policy_have_rules_of_their_own(own, fault, rule):
    assert own({"tiers": {"pair": [f"lab/{fault}", "lab/chat"]}}).chat("pair").status == 400
    gateway = own({"tiers": {"pair": [f"lab/{fault}", "lab/slow"]}, "resilience": {rule: ["lab/chat"]}})
    reply = gateway.chat("pair")
    assert (reply.status, reply.headers["x-sluice-model"]) == (200, "chat")
    assert [attempt[0] for attempt in gateway.wait_for_rows(1)[0]["attempts"]] == [f"lab/{fault}", "lab/chat"]


@pytest.mark.parametrize("status", [401, 403])
def test_RET_5_a_refused_key_is_our_fault_and_its_target_is_left_alone(own, status):
    gateway = own({"tiers": {"alone": [f"lab/status-{status}"], "pair": [f"lab/status-{status}", "lab/chat"]}})
    reply = gateway.chat("alone")
    assert reply.status == 502 and reply.error["code"] == "upstream_auth"
    for _ in range(5):
        assert gateway.chat("pair").status == 200
    asked = [attempt[0] for row in gateway.wait_for_rows(6)[1:] for attempt in row["attempts"]]
    assert f"lab/status-{status}" not in asked


def test_RET_7_the_only_target_is_asked_all_the_same_and_its_own_429_is_told(own, lab):
    gateway = own({"resilience": {"attempts": 1}})
    own_words = lab.chat("status-429").error["message"]
    before = lab.total()["requests"]
    for _ in range(12):
        reply = gateway.chat("lab/status-429")
        assert (reply.status, reply.error["message"]) == (429, own_words)
    assert lab.total()["requests"] == before + 12


def test_RET_8_a_pause_that_was_asked_for_is_kept(own):
    gateway = own({"tiers": {"pair": ["lab/status-429-retry-30", "lab/chat"]}})
    for _ in range(6):
        assert gateway.chat("pair").status == 200
    asked = [attempt[0] for row in gateway.wait_for_rows(6) for attempt in row["attempts"]]
    assert asked.count("lab/status-429-retry-30") == 1


def test_RET_9_the_most_useful_error_is_told_with_the_list_of_attempts(own):
    gateway = own({"tiers": {"three": ["lab/status-429", "lab/status-500", "lab/reset"]}})
    reply = gateway.chat("three")
    assert reply.status == 429
    assert [part.split()[:2] for part in reply.headers["x-sluice-fallback"].split(", ")] == [
        ["lab/status-429", "upstream_rate_limit"],
        ["lab/status-500", "upstream_error"],
        ["lab/reset", "upstream_reset"],
    ]
    assert reply.headers["x-sluice-attempts"] == "3"


@pytest.mark.parametrize("stream", [False, True])
def test_RET_10_the_answer_is_there_by_the_deadline_whatever_the_chain(own, stream):
    gateway = own({"tiers": {"chain": ["lab/status-503", "lab/silent", "lab/silent", "lab/silent"]}})
    began = time.monotonic()
    reply = gateway.chat("chain", stream=stream, headers={"x-sluice-timeout": "1"})
    assert reply.status in (503, 504)
    assert 0.9 < time.monotonic() - began < 1.1 + 0.2 * SLOW


def test_RET_12_no_target_is_asked_twice_while_another_has_not_been_asked(own):
    gateway = own({"tiers": {"three": ["lab/status-503", "lab/status-500", "lab/chat"]}})
    assert gateway.chat("three").status == 200
    assert [attempt[0] for attempt in gateway.wait_for_rows(1)[0]["attempts"]] == ["lab/status-503", "lab/status-500", "lab/chat"]


def test_RET_14_a_spent_quota_is_not_tried_with_each_request(own):
    gateway = own({"tiers": {"pair": ["lab/quota", "lab/chat"]}})
    for _ in range(20):
        assert gateway.chat("pair").status == 200
    asked = [attempt[0] for row in gateway.wait_for_rows(20) for attempt in row["attempts"]]
    assert asked.count("lab/quota") == 1
