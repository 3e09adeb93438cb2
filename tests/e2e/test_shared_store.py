"""Limits that gateways share while their Redis forgets, is full, or holds what another program put there."""

import time

import pytest

from fleet import TENTH, WORST, accepted, dollar
from harness import eventually

HEARD = 1.2  # seconds after which each instance knows what the others spent


def spend(fleet, cents):
    """Five cents a request, asked of the gateways in turn."""
    for number in range(cents // 5):
        eventually(lambda: fleet[number % len(fleet)].chat(**WORST).status == 200, 3, "room for the next")


def nobody_passes(fleet):
    """What is left of the dollar can be spent, and no more."""
    eventually(lambda: fleet.send(8, **WORST) and fleet.spent() >= 95, 10, "room for what is left")
    fleet.send(8, **WORST)
    assert fleet.spent() <= 100


def test_R6_a_redis_that_is_emptied_is_told_again_what_was_spent(fleet, redis):
    two = fleet(dollar()).start(2)
    spend(two, 60)
    time.sleep(HEARD)
    for _ in range(3):
        redis.tell("FLUSHALL")
        assert {reply.status for reply in two.send(4, **TENTH)} <= {200, 402, 429}
    nobody_passes(two)


def test_R6_a_redis_that_evicts_lets_nobody_pass_a_budget(fleet, redis):
    two = fleet(dollar()).start(2)
    spend(two, 60)
    time.sleep(HEARD)
    redis.tell("CONFIG SET maxmemory-policy allkeys-random")
    redis.tell("CONFIG SET maxmemory 1mb")  # less than it takes when empty: every write evicts what there is
    assert {reply.status for reply in two.send(12, at_once=4, **TENTH)} <= {200, 402, 429}
    eventually(lambda: "evicted_keys:0" not in redis.tell("INFO stats"), 5, "an eviction")
    redis.tell("CONFIG SET maxmemory 0")
    nobody_passes(two)


def test_R6_a_redis_that_is_full_is_one_that_is_down(fleet, redis):
    two = fleet(dollar()).start(2)
    spend(two, 40)
    time.sleep(HEARD)
    redis.tell("CONFIG SET maxmemory 1mb")  # and nothing may be evicted
    replies = two.send(8, at_once=4, **WORST)
    assert {reply.status for reply in replies} <= {200, 402, 429}
    assert accepted(replies) >= 2, "each has its share of what was left"
    redis.tell("CONFIG SET maxmemory 0")
    nobody_passes(two)


@pytest.mark.parametrize("junk", ["SET {} junk", "LPUSH {} junk", "HSET {} somebody junk"])
def test_R7_what_another_program_put_in_a_budgets_place_is_no_budget(fleet, redis, junk):
    two = fleet(dollar()).start(2)
    spend(two, 60)
    time.sleep(HEARD)
    names = [word for word in redis.tell("KEYS sluice:*budget*").split() if word.startswith("sluice:")]
    assert names
    for name in names:
        redis.tell(f"DEL {name}")
        redis.tell(junk.format(name))
    assert {reply.status for reply in two.send(4, **TENTH)} <= {200, 402, 429}
    nobody_passes(two)


def test_R8_scripts_that_redis_forgot_are_sent_again(fleet, redis):
    two = fleet(dollar()).start(2)
    spend(two, 40)
    redis.tell("SCRIPT FLUSH")
    spend(two, 40)
    nobody_passes(two)
    assert all(gateway.metric("llm_redis_up") == 1 for gateway in two)
