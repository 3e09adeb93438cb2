"""A key revoked on one gateway opens nothing on any that shares its Redis."""

import concurrent.futures
import json
import signal
import time

from admin import Admin
from fleet import restarted
from harness import SLOW, eventually


def revoke(gateway):
    reply = Admin(gateway).call("POST", "/keys/prod/revoke")
    assert reply.status == 200 and reply.json()["state"] == "revoked", reply.text


def statuses(fleet):
    return [gateway.chat().status for gateway in fleet]


class Callers:
    """One for each gateway, all with the same key: (when sent, status), as it went."""

    def __init__(self, fleet):
        self.seen, self.stopping = [], False
        self.pool = concurrent.futures.ThreadPoolExecutor(len(fleet))
        for gateway in fleet:
            self.pool.submit(self.call, gateway)

    def call(self, gateway):
        while not self.stopping:
            sent = time.monotonic()
            self.seen.append((sent, gateway.chat(headers={"x-lab-fault": "tokens-1"}).status))

    def stop(self):
        self.stopping = True
        self.pool.shutdown()


def test_SEC_5_a_key_of_the_file_is_refused_by_all_within_a_second_of_its_revocation(fleet):
    four = fleet({}).start(4)
    callers = Callers(four)
    eventually(lambda: len(callers.seen) > 40)
    revoke(four[0])
    confirmed = time.monotonic()
    time.sleep(2 * SLOW)
    callers.stop()
    assert {status for sent, status in callers.seen if sent < confirmed - 1 * SLOW} <= {200}
    late = max(sent for sent, status in callers.seen if status == 200) - confirmed
    assert late < 1 * SLOW, f"a request was let in {late:.2f} s after the revocation"
    assert {status for sent, status in callers.seen if sent > confirmed + 1 * SLOW} == {401}
    for gateway in four:
        assert Admin(gateway).get("/keys/prod")["state"] == "revoked"
        assert [row["target"] for row in Admin(gateway).audit() if row["action"] == "key.revoke"] == ["prod"]
    assert four[1].rows()[-1]["reason"] == "the key is revoked"
    # One that starts later never knew the key as good.
    late = four.start(1)[-1]
    assert late.chat().status == 401


def test_a_revocation_outlives_a_redis_that_forgets_and_is_told_to_whoever_comes(fleet, redis):
    two = fleet({}).start(2)
    revoke(two[0])
    eventually(lambda: statuses(two) == [401, 401], 2, "the revocation everywhere")
    redis.tell("FLUSHALL")
    eventually(lambda: redis.tell("EXISTS sluice:revoked").startswith(":1"), 2, "it to be told again")
    assert two.start(1)[-1].chat().status == 401
    two.stop()
    redis.kill()
    again = restarted(two)
    try:
        assert statuses(again) == [401, 401, 401], "each keeps what it has heard"
    finally:
        again.stop()


def test_without_redis_a_revocation_holds_here_at_once_and_elsewhere_when_it_is_back(fleet, redis):
    two = fleet({}).start(2)
    redis.kill()
    eventually(lambda: two[0].metric("llm_redis_up") == 0)
    revoke(two[0])
    assert statuses(two) == [401, 200]
    redis.start()
    eventually(lambda: statuses(two) == [401, 401], 5, "the revocation everywhere")
    # Killed at once, it has not forgotten.
    two[1].send_signal(signal.SIGKILL)
    two[1].child.wait()
    redis.kill()
    assert restarted_one(two, 1).chat().status == 401


def restarted_one(fleet, number):
    fleet.start_one(number, {"redis": {"url": fleet.redis.url}})
    return fleet[number]


def test_another_text_in_place_of_a_revoked_one_opens_again(fleet):
    (one,) = fleet({}).start(1)
    revoke(one)
    assert one.chat().status == 401
    fresh = {**fleet_settings(one), "keys": {"prod": {"key": "another-key"}}}
    one.configure(fresh)
    one.send_signal(signal.SIGHUP)
    eventually(lambda: one.chat(headers={"Authorization": "Bearer another-key"}).status == 200)
    assert one.chat().status == 401
    assert Admin(one).get("/keys/prod")["state"] == "active"


def fleet_settings(gateway):
    return json.loads(gateway.config.read_text(encoding="utf-8"))
