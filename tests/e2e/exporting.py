"""What the tests of `sluice export` share: gateways with rows, runs of the command, and what has to arrive."""

import calendar
import json
import sqlite3
import subprocess
import time
from decimal import Decimal

from conftest import PRICES
from harness import SLOW, SLUICE, eventually


def command(kind, gateway, *more):
    return [str(word) for word in (SLUICE, "export", kind, "-c", gateway.config, *more)]


def run(kind, gateway, *more):
    return subprocess.run(command(kind, gateway, *more), capture_output=True, text=True, timeout=90 * SLOW, check=False)


def exported(kind, gateway, *more):
    """How many rows went."""
    done = run(kind, gateway, "--json", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["rows"]


def kill_thrice(gateway, table, total):
    """Kills an export when some rows have arrived, and two more when more have."""
    for kill in range(3):
        before = table.count()
        child = subprocess.Popen(command(table.kind, gateway), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda known=before, child=child: table.count() > known or child.poll() is not None, 20)
        child.kill()
        child.wait()
        if kill == 0:
            assert 0 < table.count() < total, "it was at work"


def reprice(gateway):
    """Doubles what everything has cost."""
    double = {name: {what: 2 * price for what, price in own.items()} for name, own in PRICES.items()}
    gateway.configure({**gateway.settings, "prices": {"custom": double}})
    done = subprocess.run([SLUICE, "reprice", "-c", gateway.config, "--from", "1d"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    gateway.configure(gateway.settings)


def busy(own, count=8, export=None, **more):
    settings = {"prices": {"custom": PRICES}, "export": export or {}, **more}
    gateway = own(settings)
    gateway.settings = settings
    talk(gateway, count)
    return gateway


def talk(gateway, count):
    before = len(gateway.rows()) if gateway.ledger.exists() else 0
    for i in range(count):
        said = {"x-sluice-workflow": f"flow {i} '\\N\\", "x-sluice-metadata": 'colour=blue,size="7\\'}
        model = ("lab/chat", "lab/status-503", "lab/fast", "lab/chat")[i % 4]
        gateway.chat(model, stream=i % 2 == 1, headers=said)
    gateway.wait_for_rows(before + count)


def dollars(nanos):
    return None if nanos is None else Decimal(nanos) / 10**9


def wanted(gateway):
    """What every destination has to hold, from the ledger itself: {(started, duration): figures}."""
    return sorted(
        (row["started_micros"], row["provider"], row["model"], row["outcome"], row["status"], row["plain_input"],
         row["visible_output"], dollars(row["cost"]), row["duration"], row["bytes_out"])
        for row in gateway.rows()
    )


def micros(text):
    day = time.strptime(text[:19].replace(" ", "T"), "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(day) * 10**6 + int(text[20:26])


def held(rows):
    """The same of rows that arrived."""
    return sorted(
        (micros(row["started_at"]), row["provider"], row["model"], row["outcome"], int(row["status"]),
         int(row["plain_input"]), int(row["visible_output"]),
         None if row["cost_usd"] is None else Decimal(str(row["cost_usd"])), int(row["duration_us"]), int(row["bytes_out"]))
        for row in rows
    )


def multiply(gateway, copies):
    """Every row of the ledger so many times more, under earlier keys: many rows in a moment."""
    with sqlite3.connect(gateway.ledger, timeout=30) as ledger:
        columns = [name for _, name, *_ in ledger.execute("PRAGMA table_info(exchange)") if name != "key"]
        listed = ", ".join(columns)
        ledger.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {copies})"
            f" INSERT INTO exchange(key, {listed}) SELECT key - (i << 40), {listed} FROM exchange, n"
        )
