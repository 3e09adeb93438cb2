"""The price catalog that is fetched from a URL."""

import json
import signal

import pytest

from harness import Gateway, eventually
from listed import Listed


def catalog(dollars):
    model = {"id": "chat", "provider": "lab", "input": dollars, "output": 0}
    return json.dumps({"_meta": {"as_of": "2026-11-20"}, "models": [model]})


@pytest.fixture
def listed():
    with Listed(lambda path: (200, catalog(1))) as server:
        yield server


def prices(listed, refresh="1s"):
    return {"prices": {"url": f"{listed.url}/prices.json", "refresh": refresh}}


def rate(gateway):
    """Nano-dollars for a token of input."""
    known = len(gateway.rows())
    assert gateway.chat("lab/chat").status == 200
    row = gateway.wait_for_rows(known + 1)[-1]
    return row["cost"] / row["input"]


def in_force(gateway, revision):
    return eventually(lambda: gateway.metric("llm_config_revision") >= revision, 10, "the new prices")


def refreshes(gateway, outcome, count=1):
    return eventually(
        lambda: gateway.metric("llm_price_refreshes_total", outcome=outcome) >= count, 10, f"{count} {outcome}"
    )


def test_a_new_catalog_is_in_force_without_a_restart(own, listed):
    gateway = own(prices(listed))
    in_force(gateway, 2)
    assert listed.paths[0] == "/prices.json" and rate(gateway) == 1000
    listed.answer = lambda path: (200, catalog(3))
    in_force(gateway, 3)
    assert rate(gateway) == 3000
    assert gateway.metric("llm_price_refresh_age_seconds") < 60


def test_the_same_catalog_is_no_change(own, listed):
    listed.fields = {"ETag": '"one"'}
    gateway = own(prices(listed))
    in_force(gateway, 2)
    eventually(lambda: any(fields.get("if-none-match") == '"one"' for fields in listed.asked), what="the condition")
    listed.answer = lambda path: (304, "")
    refreshes(gateway, "ok", gateway.metric("llm_price_refreshes_total", outcome="ok") + 2)
    assert gateway.metric("llm_config_revision") == 2 and rate(gateway) == 1000


@pytest.mark.parametrize(
    ("status", "body", "because"),
    [(500, "oh", "status 500"), (200, "{ garbage", ""), (302, "", "status 302"), (200, "{}", "")],
)
def test_PRICE_6_a_bad_catalog_leaves_the_last_good_one_also_after_a_restart(own, lab, listed, status, body, because):
    gateway = own(prices(listed))
    in_force(gateway, 2)
    listed.answer = lambda path: (status, body)
    refreshes(gateway, "error", 1)
    (warning,) = eventually(lambda: gateway.logged(msg="prices could not be fetched; the last good ones stay"))
    assert because in warning["because"]
    assert rate(gateway) == 1000
    gateway.stop(signal.SIGKILL)
    with Gateway(gateway.folder, lab.url, prices(listed)) as again:
        assert rate(again) == 1000


def test_PRICE_6_AG_7_the_start_does_not_wait_for_the_catalog(own):
    gateway = own({"prices": {"url": "http://127.0.0.1:1/prices.json"}})
    assert gateway.chat("lab/chat").status == 200
    refreshes(gateway, "error")
    assert gateway.metric("llm_price_refresh_age_seconds") == 0
