"""Lists of models and prices fetched from a provider: before the lab's strict faces, and before a list of the test's own."""

import json
import sqlite3
import threading
from contextlib import contextmanager

import pytest

from harness import Lab, eventually
from listed import Listed
from test_providers import provider

NULL_COST = {"x-lab-fault": "cost-null"}
PASS = {"pass_headers": ["x-lab-fault"]}


def openrouter(lab, **more):
    return {"providers": {"openrouter": provider(lab, "openrouter", **PASS, **more)}}


def fetched(gateway, name="openrouter", count=1):
    """Waits until so many lists of the provider have come."""
    return eventually(
        lambda: gateway.metric("llm_model_list_refreshes_total", provider=name, outcome="ok") >= count,
        10,
        f"list {count} of {name}",
    )


def failed(gateway, name="openrouter", count=1):
    return eventually(
        lambda: gateway.metric("llm_model_list_refreshes_total", provider=name, outcome="error") >= count,
        10,
        f"failure {count} of {name}",
    )


def only_warning(gateway):
    (warning,) = eventually(lambda: gateway.logged(msg="the list of a provider could not be fetched; the last one stays"))
    return warning


def models(gateway):
    return {model["id"]: model["owned_by"] for model in gateway.get("/v1/models").json()["data"]}


def version_of(gateway, row):
    with sqlite3.connect(f"file:{gateway.ledger}?mode=ro", uri=True) as ledger:
        return ledger.execute("SELECT text FROM name WHERE id = ?", [row["price_version"]]).fetchone()[0]


def models_body(prices=(("a/b", "0.000001"),), following=None):
    data = [{"id": name, "pricing": {"prompt": price, "completion": price}} for name, price in prices]
    return json.dumps({"data": data, "links": {"next": following}})


@pytest.fixture
def listed():
    with Listed(lambda path: (200, models_body())) as server:
        yield server


def of(listed, refresh="1s"):
    settings = {"kind": "openrouter", "base_url": f"{listed.url}/api/v1", "api_key": "sk-or-listed-key-1234"}
    return {"providers": {"openrouter": {**settings, "list_refresh": refresh}}}


def test_openrouters_list_gives_the_price_and_the_names(own, lab):
    gateway = own(openrouter(lab))
    fetched(gateway)
    shown = models(gateway)
    assert shown["openrouter/openai/gpt-5-mini"] == "openrouter" and "openrouter/lab/chat" in shown
    one = gateway.get("/v1/models/openrouter/openai/gpt-5-mini")
    assert one.status == 200 and one.json()["owned_by"] == "openrouter"
    lab.reset()
    for stream in (False, True):
        assert gateway.chat("openrouter/lab/chat", stream=stream, headers=NULL_COST).status == 200
    rows = gateway.wait_for_rows(2)
    charged = lab.total()["cost_nanodollars"]
    assert charged > 0 and sum(row["cost"] for row in rows) == charged
    assert {row["cost_source"] for row in rows} == {1}
    assert version_of(gateway, rows[0]).startswith("list 20")
    assert gateway.metric("llm_model_list_age_seconds", provider="openrouter") < 60


def test_PRICE_1_a_price_that_varies_is_unknown_and_one_of_zero_is_zero(own, lab):
    gateway = own(openrouter(lab))
    fetched(gateway)
    free = "openrouter/meta-llama/llama-3.3-70b-instruct:free"
    for model in ("openrouter/openrouter/auto", free):
        assert gateway.chat(model, headers=NULL_COST).status == 200
    varies, nothing = gateway.wait_for_rows(2)
    assert varies["cost"] is None and varies["output"] > 0
    assert nothing["cost"] == 0 and nothing["cost_source"] == 1


def test_what_the_configuration_says_stands_above_the_list(own, lab):
    named = {"prices": {"custom": {"lab/chat": {"input": 1000, "output": 1000}}}}
    gateway = own({**openrouter(lab, models=["lab/chat"], open=True), **named})
    fetched(gateway)
    assert not any(name.startswith("openrouter/openai") for name in models(gateway))
    assert gateway.chat("openrouter/lab/chat", headers=NULL_COST).status == 200
    assert gateway.chat("openrouter/openai/gpt-5-mini", headers=NULL_COST).status == 200
    own_price, listed_price = gateway.wait_for_rows(2)
    assert version_of(gateway, own_price) == "config 1000/1000"
    assert own_price["cost"] == (own_price["input"] + own_price["output"]) * 1_000_000
    assert version_of(gateway, listed_price).startswith("list ")


def test_PRICE_5_another_list_is_taken_without_a_restart(own):
    def cost_of(lab, gateway, count):
        lab.reset()
        assert gateway.chat("openrouter/lab/fast", headers=NULL_COST).status == 200
        row = gateway.wait_for_rows(count)[-1]
        assert row["cost"] == lab.total()["cost_nanodollars"]
        return row["cost"]

    with Lab() as cheap:
        gateway = own(openrouter(cheap, list_refresh="1s"))
        fetched(gateway)
        first = cost_of(cheap, gateway, 1)
    with Lab("--price-factor", "5", listen=cheap.url.removeprefix("http://")) as dear:
        so_far = gateway.metric("llm_model_list_refreshes_total", provider="openrouter", outcome="ok")
        fetched(gateway, count=so_far + 2)
        assert cost_of(dear, gateway, 2) == 5 * first
    assert gateway.wait_for_rows(2)[0]["cost"] == first


@pytest.mark.parametrize(
    "status, body, because",
    [
        (200, "<html>", "is no JSON"),
        (200, models_body([("a/b", "cheap")]), "a bad price of a/b"),
        (200, '{"data":[', "is no JSON"),
        (500, '{"error":{"code":500,"message":"on fire"}}', "status 500: "),
        (401, '{"error":{"code":401,"message":"bad sk-or-listed-key-1234"}}', "status 401: "),
        (302, "", "status 302"),
    ],
)
def test_PRICE_6_a_broken_list_leaves_the_last_one(own, listed, status, body, because):
    gateway = own(of(listed))
    fetched(gateway)
    listed.answer = lambda path: (status, body)
    failed(gateway, count=2)
    assert "openrouter/a/b" in models(gateway)
    warning = only_warning(gateway)
    assert because in warning["because"] and warning["provider"] == "openrouter"
    assert "sk-or-listed-key" not in str(gateway.lines)
    listed.answer = lambda path: (200, models_body([("a/c", "0.000001")]))
    eventually(lambda: "openrouter/a/c" in models(gateway), 10, "the next list")
    assert "openrouter/a/b" not in models(gateway)


def test_PRICE_6_AG_7_the_start_does_not_wait_for_a_list(own, listed):
    waiting = threading.Event()
    listed.answer = lambda path: waiting.wait(30) and (200, models_body())
    try:
        gateway = own(of(listed))
        eventually(lambda: listed.paths, what="the request")
        assert gateway.get("/v1/models").status == 200
        assert gateway.metric("llm_model_list_refreshes_total", provider="openrouter") == 0
    finally:
        waiting.set()
    fetched(gateway)


def test_pages_are_read_to_the_end(own, listed):
    pages = {
        "/api/v1/models": models_body([("a/1", "0"), ("a/2", "0")], "/elsewhere"),
        "/api/v1/models?offset=2&limit=2": models_body([("a/2", "0"), ("a/3", "0")], "/elsewhere"),
        "/api/v1/models?offset=4&limit=2": models_body([("a/4", "0")]),
    }
    listed.answer = lambda path: (200, pages[path])
    gateway = own(of(listed, "6h"))
    fetched(gateway)
    assert [name for name in models(gateway) if name.startswith("openrouter/")] == [f"openrouter/a/{n}" for n in (1, 2, 3, 4)]
    assert listed.paths == list(pages)


def test_an_endless_list_is_given_up(own, listed):
    many = [(f"a/{number}", "0") for number in range(3000)]
    listed.answer = lambda path: (200, models_body(many, "/more"))
    gateway = own(of(listed, "6h"))
    failed(gateway)
    warning = only_warning(gateway)
    assert "too long" in warning["because"] and len(listed.paths) < 10


def test_off_means_that_nothing_is_asked(own, listed):
    gateway = own(of(listed, 0))
    assert gateway.get("/v1/models").status == 200
    gateway.configure(of(listed, "1s"))
    fetched(gateway)
    gateway.configure(of(listed, 0))
    eventually(lambda: "openrouter/a/b" not in models(gateway), 10, "the reload")


def test_a_reload_puts_prices_of_the_configuration_in_force(own):
    gateway = own()

    def with_price(dollars):
        gateway.configure({"prices": {"custom": {"fast": {"input": dollars, "output": dollars}}}})
        revision = gateway.metric("llm_config_revision")
        eventually(lambda: gateway.metric("llm_config_revision") > revision, 10, "the reload")

    costs = []
    for count, dollars in enumerate((1, 3), 1):
        with_price(dollars)
        assert gateway.chat("lab/fast").status == 200
        costs.append(gateway.wait_for_rows(count)[-1]["cost"])
    assert costs[1] == 3 * costs[0] > 0


def test_snowflakes_list_is_shown(own, lab):
    gateway = own({"providers": {"cortex": provider(lab, "cortex")}})
    fetched(gateway, "cortex")
    shown = models(gateway)
    assert shown["cortex/claude-sonnet-4-5"] == "cortex" and "cortex/snowflake-arctic-embed-m" in shown
    assert gateway.chat("cortex/claude-sonnet-4-5").status == 200
    assert gateway.chat("cortex/no-such-model").status == 400, "as without a list"


def test_a_token_snowflake_refuses_is_told_and_changes_nothing_for_calls(own, lab):
    gateway = own({"providers": {"cortex": provider(lab, "cortex", token="pat-wrong")}})
    failed(gateway, "cortex")
    warning = only_warning(gateway)
    assert "status 401" in warning["because"] and "pat-wrong" not in str(gateway.lines)
