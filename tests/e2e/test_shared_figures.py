"""What sharing through Redis promises in figures, with real gateways and a real Redis."""

import asyncio
import json
import time

from fleet import TENTH, WORST, accepted, dollar, restarted
from harness import HELLO, SLOW, eventually
from rush import all_at_once


def test_X1_a_thousand_at_once_on_four_instances_never_overrun_a_budget_for_a_hundred(fleet):
    four = fleet(dollar(amount=5)).start(4)
    statuses = asyncio.run(all_at_once(four, 1000, max_tokens=WORST["max_tokens"]))
    assert set(statuses) <= {200, 402, 429}
    assert 95 <= statuses.count(200) <= 100
    eventually(lambda: sum(len(gateway.rows()) for gateway in four) == 1000)
    assert four.spent() <= 500, "not a cent over"
    assert four.spent() == statuses.count(200) * 5


def marks_of(fleet):
    return sorted(line["percent"] for gateway in fleet for line in gateway.logged(msg="a budget has passed a mark"))


def test_OBS_7_each_mark_is_told_once_by_all_instances_together(fleet):
    two = fleet(dollar()).start(2)
    for cents in range(5, 101, 5):
        # Now by one, now by the other, sometimes by both: who passes a mark may not know it alone.
        eventually(lambda: two[cents // 5 % 2].chat(**WORST).status == 200, 2, f"room at {cents} cents")
    eventually(lambda: marks_of(two) == [50, 80, 100])
    time.sleep(1)
    assert marks_of(two) == [50, 80, 100]
    two.stop()
    again = restarted(two)
    try:
        assert accepted(again.send(4, **TENTH)) == 0
        time.sleep(1)
        assert marks_of(again) == [], "a restart tells nothing twice"
    finally:
        again.stop()


async def keep_calling(gateway, count):
    body = json.dumps({"model": "lab/chat", "messages": HELLO, "max_tokens": 10}).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer client-key\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nx-lab-fault: tokens-1\r\n\r\n"
    reader, writer = await asyncio.open_connection(*gateway.address)
    for _ in range(count):
        writer.write(head.encode() + body)
        reply = await reader.readuntil(b"\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 200"), reply
        length = next(line for line in reply.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
    writer.close()


def trips(fleet):
    return sum(gateway.metric("llm_redis_round_trips_total") for gateway in fleet)


def test_redis_is_asked_less_than_once_in_ten_requests(fleet):
    limits = {"requests_per_minute": 600000, "tokens_per_minute": 600000000, "parallel": 1000}
    two = fleet({**limits, **dollar(amount=1000)}).start(2)
    assert two[0].chat().status == two[1].chat().status == 200

    async def load():
        await asyncio.gather(*(keep_calling(two[i % 2], 250) for i in range(16)))

    before, began = trips(two), time.monotonic()
    asyncio.run(load())
    seconds = time.monotonic() - began
    time.sleep(1)  # what follows belongs to them
    asked = (trips(two) - before) / 4000
    print(f"{asked:.4f} round trips a request, {4000 / seconds:.0f} requests a second")
    assert asked <= 0.1 * SLOW
