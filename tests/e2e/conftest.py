"""What the tests are given: one lab and one plain gateway for all, and gateways of their own where they ask."""

import openai
import pytest

from fleet import Fleet
from harness import Gateway, Lab
from redis_server import Redis

# Dollars per million tokens; the same as the lab's own meter asks.
PRICES = {name: {"input": 1, "output": 4, "cached_input": 0.1} for name in ("chat", "fast", "tools", "slow")}


@pytest.fixture(scope="session")
def lab():
    with Lab() as started:
        yield started


@pytest.fixture(scope="session")
def gateway(lab, tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("gateway"), lab.url, {"prices": {"custom": PRICES}}) as started:
        yield started


@pytest.fixture
def own(lab, tmp_path):
    """Starts a gateway of the test's own: own({"tiers": ...}). Its ledger begins empty."""
    started = []

    def start(settings=None, **more):
        gateway = Gateway(tmp_path / f"gateway{len(started)}", lab.url, settings, **more)
        started.append(gateway)
        return gateway

    yield start
    for gateway in started:
        with gateway:
            pass


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="client-key", max_retries=0) as opened:
        yield opened


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def fleet(lab, tmp_path, redis):
    made = []

    def make(key, **more):
        made.append(Fleet(tmp_path / f"fleet{len(made)}", lab, key, **{"redis": redis, **more}))
        return made[-1]

    yield make
    for each in made:
        each.stop()
