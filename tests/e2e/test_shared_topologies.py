"""Limits that gateways share through a Redis Cluster, and through a Redis that sentinels watch over."""

import time

import pytest

from fleet import WORST, accepted, dollar
from harness import eventually
from redis_server import Cluster, Guarded


@pytest.fixture(params=[Cluster, Guarded])
def servers(request, tmp_path):
    made = request.param(tmp_path / "servers")
    made.start()
    yield made
    made.kill()


def redis_is_up(gateways):
    return all(gateway.metric("llm_redis_up") == 1 for gateway in gateways)


def test_BUD_1_a_budget_holds_through_a_cluster_and_through_sentinels(fleet, servers):
    two = fleet({**dollar(), "requests_per_minute": 1000, "parallel": 100}, redis=servers).start(2)
    replies = two.send(60, **WORST)
    assert 18 <= accepted(replies) <= 20
    eventually(lambda: sum(len(gateway.rows()) for gateway in two) == 60)
    assert two.spent() <= 100
    assert redis_is_up(two), "its keys were all found where they are"


def test_R4_a_budget_holds_when_a_replica_takes_its_masters_place(fleet, tmp_path):
    servers = Guarded(tmp_path / "guarded")
    servers.start()
    try:
        two = fleet(dollar(), redis=servers).start(2)
        assert accepted(two.send(8, **WORST)) == 8
        time.sleep(1.2)  # each has heard of the other's: what was spent in the last second they may not know
        servers.master.kill()
        eventually(lambda: not redis_is_up(two), 5, "that it is missed")
        assert {reply.status for reply in two.send(4, **WORST)} <= {200, 402, 429}, "nobody fails because of it"
        eventually(lambda: redis_is_up(two), 15, "the replica in its place")
        eventually(lambda: two.send(8, **WORST) and two.spent() >= 95, 10, "room for what is left")
        two.send(8, **WORST)
        assert two.spent() <= 100
    finally:
        servers.kill()
