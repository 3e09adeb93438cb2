"""Several gateways that share limits and budgets through a real Redis."""

import signal
import time

import pytest

from fleet import TENTH, WORST, Fleet, accepted, dollar
from harness import SLOW, eventually

def test_BUD_1_four_instances_never_pass_a_budget_together(fleet):
    four = fleet(dollar()).start(4)
    replies = four.send(200, **WORST)
    assert 18 <= accepted(replies) <= 20
    eventually(lambda: sum(len(gateway.rows()) for gateway in four) == 200)
    assert four.spent() <= 100
    refused = next(reply for reply in replies if reply.status != 200)
    assert refused.headers["x-sluice-limit"] == "key/monthly" and "monthly" in refused.error["message"]


def test_BUD_2_what_was_not_used_can_be_spent_within_a_second(fleet):
    four = fleet(dollar()).start(4)
    first = accepted(four.send(200, **TENTH))
    assert first >= 18
    time.sleep(1)
    # A tenth of what was held is spent; what is left is for whoever comes, to the last cent.
    spent = first * 0.5
    while spent <= 95:
        one = four[int(spent) % 4]
        eventually(lambda: one.chat(**TENTH).status == 200, 1 if SLOW == 1 else 0.5, f"room at {spent} cents")
        spent += 0.5
    assert accepted([four[1].chat(**WORST)]) == 0
    eventually(lambda: four.spent() == spent)


def test_BUD_3_what_a_killed_instance_held_comes_back_after_its_lease(fleet):
    two = fleet(dollar(), workers=1).start(2)
    slow = {"max_tokens": 1900, "headers": {"x-lab-fault": "first-token-60000"}}
    with two[0].open(**slow):
        eventually(lambda: two[1].chat(**WORST, stream=False).status != 200, 5, "the hold")
        two[0].send_signal(signal.SIGKILL)
        two[0].child.wait()
        eventually(lambda: two[1].chat(**WORST).status == 200, 6, "the end of the lease")


def test_BUD_4_eight_instances_that_start_together_count_the_ledger_once(fleet, redis):
    eight = fleet(dollar()).start(8)
    assert accepted(eight.send(16, at_once=8, **WORST)) == 16
    eventually(lambda: eight.spent() == 80)
    eight.stop()
    redis.tell("FLUSHALL")
    again = Fleet(eight.folder, eight.lab, dollar(), redis)
    again.start(8)
    try:
        time.sleep(1.2)  # all have heard of all
        for number in range(4):
            eventually(lambda: again[number].chat(**WORST).status == 200, 1, "the next request")
        assert accepted(again.send(16, at_once=8, **WORST)) == 0
        time.sleep(1.5)
        states = {gateway.chat(**WORST).headers["x-sluice-budget"] for gateway in again}
        assert states == {"key/monthly 100% of $1.00"}
        assert again.spent() == 100
    finally:
        again.stop()


def test_BUD_5_an_old_copy_of_the_store_lets_nobody_pass_who_is_over(fleet, redis):
    two = fleet(dollar()).start(2)
    assert two[0].chat(**WORST).status == 200
    eventually(lambda: two.spent() == 5)
    redis.tell("SAVE")
    for number in range(19):
        eventually(lambda: two[number % 2].chat(**WORST).status == 200, 1, "the next request")
    time.sleep(1.5)  # each is told of the others once a second
    redis.kill()
    redis.start()  # from the dump: five cents are spent, it says
    eventually(lambda: all(gateway.metric("llm_redis_up") == 1 for gateway in two))
    for _ in range(10):
        assert accepted(two.send(4, at_once=4, **WORST)) == 0
        time.sleep(0.3)


def test_RL_1_a_limit_a_minute_holds_over_instances_and_workers(fleet):
    four = fleet({"requests_per_minute": 100}, workers=4).start(4)
    replies = four.send(1000, headers={"x-lab-fault": "tokens-1"})
    assert 96 <= accepted(replies) <= 100
    refused = replies[-1]
    assert refused.status == 429
    assert refused.headers["x-ratelimit-limit-requests"] == "100"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert 40 <= int(refused.headers["retry-after"]) <= 62
    assert refused.headers["x-sluice-limit"] == "key/requests"
    calls = sum(gateway.metric("llm_shared_calls_total") for gateway in four)
    assert calls < 300, "refused floods stay on their instance"


def test_RL_3_slots_of_requests_that_die_come_back_within_a_second(fleet):
    two = fleet({"parallel": 3}).start(2)
    slow = {"headers": {"x-lab-fault": "first-token-60000"}}
    holding = [two[0].open(**slow) for _ in range(3)]
    eventually(lambda: two[0].metric("llm_requests_in_flight", provider="lab") == 3)
    assert two[1].chat().status == 429
    holding[0].close()
    eventually(lambda: two[1].chat().status == 200, 1 if SLOW == 1 else 0.5, "the slot")
    for connection in holding:
        connection.close()


def test_RL_5_limits_of_an_instance_that_is_alone_are_said_to_be_its_own(fleet):
    (alone,) = fleet({"requests_per_minute": 5}, redis=None).start()
    assert any("this instance alone" in line["msg"] and line["level"] == "warn" for line in alone.logged())
    assert accepted([alone.chat() for _ in range(7)]) == 5


def test_RL_6_R1_without_redis_each_instance_starts_with_its_own_limits(fleet, redis):
    redis.kill()
    (one,) = fleet({"requests_per_minute": 5}).start()
    assert any("Redis does not answer" in line["msg"] for line in one.logged(level="warn"))
    assert accepted([one.chat() for _ in range(7)]) == 5
    ready = one.get("/readyz")
    assert ready.status == 200 and "redis" in ready.text
    assert one.metric("llm_redis_up") == 0
    redis.start()
    eventually(lambda: one.metric("llm_redis_up") == 1, 5, "the return")


def timed(gateway, count):
    seconds = []
    for _ in range(count):
        before = time.perf_counter()
        reply = gateway.chat(headers={"x-lab-fault": "tokens-1"})
        seconds.append(time.perf_counter() - before)
        assert reply.status == 200, reply.text
    return sorted(seconds)


@pytest.mark.parametrize("fault", ["R2_it_dies", "R3_it_is_silent"])
def test_RL_6_no_request_fails_or_waits_long_when(fleet, redis, fault):
    # Small batches, so that many requests would ask.
    two = fleet({"requests_per_minute": 5000, **dollar(amount=1000)}).start(2)
    well = timed(two[0], 300)
    redis.kill() if fault.startswith("R2") else redis.pause()
    ill = timed(two[0], 300)
    added = ill[int(len(ill) * 0.99) - 1] - well[int(len(well) * 0.99) - 1]
    assert added < 0.005 * SLOW, f"{added * 1000:.1f} ms added at p99"
    assert ill[-1] < 0.3 * SLOW
    eventually(lambda: two[0].metric("llm_redis_up") == 0)
    assert "redis" in two[0].get("/readyz").text
    redis.start() if fault.startswith("R2") else redis.go_on()
    eventually(lambda: two[0].metric("llm_redis_up") == 1, 5, "the return")
