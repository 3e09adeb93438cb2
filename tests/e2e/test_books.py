"""Repricing and reconciling, beside a running gateway."""

import json
import subprocess
import time

import pytest

from admin import Admin
from conftest import PRICES
from harness import SLOW, SLUICE, eventually


def sluice(*arguments):
    return subprocess.run([SLUICE, *map(str, arguments)], capture_output=True, text=True, timeout=60 * SLOW, check=False)


def export_of(meter):
    """What a provider of this format exports of what the lab has metered."""
    result = {
        "num_model_requests": meter["requests"],
        "input_tokens": meter["prompt_tokens"],
        "input_cached_tokens": 0,
        "output_tokens": meter["completion_tokens"],
        "model": "chat",
    }
    day = int(time.time()) // 86400 * 86400
    return {"object": "page", "data": [{"object": "bucket", "start_time": day, "results": [result]}]}


def busy(own, count=6):
    gateway = own({"prices": {"custom": PRICES}})
    for i in range(count):
        assert gateway.chat("lab/chat", stream=i % 2 == 1).status == 200
    gateway.wait_for_rows(count)
    return gateway


def test_TOK_9_reconcile_holds_the_ledger_against_the_providers_own_books(own, lab, tmp_path):
    lab.reset()
    gateway = busy(own)
    file = tmp_path / "export.json"

    def reconcile(export, *more):
        file.write_text(json.dumps(export), encoding="utf-8")
        return sluice("reconcile", file, "--ledger", gateway.ledger, "--provider", "lab", "--json", *more)

    meter = lab.total()
    equal = reconcile(export_of(meter))
    assert equal.returncode == 0, equal.stdout + equal.stderr
    assert json.loads(equal.stdout)["differences"] == []
    meter["prompt_tokens"] += 1
    off = reconcile(export_of(meter))
    assert off.returncode == 1
    (difference,) = json.loads(off.stdout)["differences"]
    assert difference["figure"] == "prompt" and difference["provider"] == difference["ledger"] + 1
    assert difference["model"] == "chat"
    assert reconcile(export_of(meter), "--tolerance", "5%").returncode == 0
    file.write_text("nothing of the kind", encoding="utf-8")
    unreadable = sluice("reconcile", file, "--ledger", gateway.ledger)
    assert unreadable.returncode == 2 and str(file) in unreadable.stderr


def test_PRICE_5_repricing_a_period_is_an_act_that_leaves_a_record(own):
    gateway = busy(own)
    before = sum(row["cost"] for row in gateway.rows())
    gateway.configure({"prices": {"custom": {**PRICES, "chat": {"input": 2, "output": 8, "cached_input": 0.2}}}})

    def reprice(*more):
        return sluice("reprice", "-c", gateway.config, "--from", "1d", "--json", *more)

    dry = reprice("--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert json.loads(dry.stdout)["total"]["changed"] == 6
    assert sum(row["cost"] for row in gateway.rows()) == before
    unwritten = reprice("--control", gateway.folder / "none.db")
    assert unwritten.returncode == 1 and "none.db is not there" in unwritten.stderr
    assert sum(row["cost"] for row in gateway.rows()) == before
    admin = Admin(gateway)
    assert [row for row in admin.audit() if row["action"] == "ledger.reprice"] == []
    real = reprice()
    assert real.returncode == 0, real.stderr
    assert sum(row["cost"] for row in gateway.rows()) == 2 * before
    assert gateway.chat("lab/chat").status == 200  # the gateway goes on beside it
    gateway.wait_for_rows(7)
    assert sluice("ledger", "verify", "--ledger", gateway.ledger).returncode == 0
    (audited,) = [row for row in admin.audit() if row["action"] == "ledger.reprice"]
    assert audited["actor"] and audited["target"] == str(gateway.ledger) and audited["before"] is None
    after = audited["after"]
    assert after["from"] < after["to"] and after["prices"].startswith("catalog 20")
    assert after["provider"] is None and after["model"] is None and after["provider_costs"] is False
    admin.make("/teams", name="later")  # the gateway's next row seals that of the command
    assert sluice("audit", "verify", "--control", gateway.folder / "data/control.db").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("reprice", "--from", "yesterday"), "--from takes"),
        (("reprice", "--from", "2026-11-02", "--to", "2026-11-01"), "is not before"),
        (("reconcile", "no-such-file"), "no-such-file"),
        (("reconcile", "x", "--format", "excel"), "--format takes"),
        (("reconcile", "x", "--tolerance", "much"), "--tolerance takes"),
    ],
)
def test_a_command_that_cannot_be_meant_ends_with_2(arguments, why):
    result = sluice(*arguments)
    assert result.returncode == 2 and why in result.stderr


def test_PRICE_6_prices_are_read_anew_from_their_file_and_garbage_changes_nothing(own, tmp_path):
    file = tmp_path / "prices.json"

    def write(text):
        fresh = file.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(file)

    def catalog(day, dollars):
        model = {"id": "chat", "provider": "lab", "input": dollars, "output": 0}
        return json.dumps({"_meta": {"as_of": day}, "models": [model]})

    def cost():
        known = len(gateway.rows())
        assert gateway.chat("lab/chat").status == 200
        row = gateway.wait_for_rows(known + 1)[-1]
        return row["cost"] / row["input"], row["price_version"]

    write(catalog("2026-11-20", 1))
    gateway = own({"prices": {"file": str(file)}})
    first, version = cost()
    assert first == 1000
    write(catalog("2026-11-21", 3))
    eventually(lambda: gateway.metric("llm_config_revision") == 2, 10, "the new prices")
    second, newer = cost()
    assert second == 3000 and newer != version
    write("{ garbage")
    eventually(lambda: gateway.logged(level="error"), 10, "the complaint")
    assert cost() == (3000, newer)
    assert gateway.metric("llm_price_catalog_age_seconds") > 0


@pytest.mark.parametrize("stream", [False, True])
def test_TOK_6_fee_and_charge_to_the_own_account_are_apart(own, stream):
    gateway = own({"prices": {"custom": PRICES}})
    assert gateway.chat("lab/chat", stream=stream, headers={"x-lab-fault": "cost-own-key"}).status == 200
    row = gateway.wait_for_rows(1)[0]
    assert row["cost"] == 0 and row["cost_source"] == 2 and row["upstream_cost"] > 0
