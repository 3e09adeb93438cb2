"""Several gateways of one configuration, as the tests drive them."""

import concurrent.futures
import signal

from harness import Gateway, merged

# A hundred tokens of output, what each request may come to, are five cents.
PRICES = {"chat": {"input": 0, "output": 500, "cached_input": 0}}
WORST = {"max_tokens": 100, "headers": {"x-lab-fault": "tokens-100"}}
TENTH = {"max_tokens": 100, "headers": {"x-lab-fault": "tokens-10"}}


class Fleet(list):
    """Gateways of the same configuration, each with a directory of its own."""

    def __init__(self, folder, lab, key, redis=None, workers=1):
        self.folder, self.lab, self.redis = folder, lab, redis
        self.settings = {
            "keys": {"prod": {"key": "client-key", **key}},
            "prices": {"custom": PRICES},
            "server": {"workers": workers},
        }

    def start(self, count=1):
        shared = {"redis": {"url": self.redis.url}} if self.redis else {}
        first = len(self)
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            for number in range(first, first + count):
                self.append(None)
                pool.submit(self.start_one, number, shared)
        assert all(self)
        return self

    def start_one(self, number, shared):
        self[number] = Gateway(self.folder / f"instance{number}", self.lab.url, merged(self.settings, shared))

    def stop(self):
        for gateway in self:
            gateway.send_signal(signal.SIGTERM)
        for gateway in self:
            gateway.stop()

    def send(self, count, at_once=40, **chat):
        """The replies, in the order of sending: one gateway after the other."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            calls = [pool.submit(self[number % len(self)].chat, **chat) for number in range(count)]
            return [call.result() for call in calls]

    def spent(self):
        """The sum of the ledgers, in cents."""
        return round(sum(row["charged"] or 0 for gateway in self for row in gateway.rows()) / 1e7, 4)


def restarted(fleet):
    """The same gateways in their folders, which were stopped before."""
    return Fleet(fleet.folder, fleet.lab, fleet.settings["keys"]["prod"], fleet.redis).start(len(fleet))


def dollar(**more):
    return {"budgets": {"monthly": {"amount": 1, "per": "month", **more}}}


def accepted(replies):
    assert {reply.status for reply in replies} <= {200, 402, 429}, {reply.status for reply in replies}
    return sum(reply.status == 200 for reply in replies)
