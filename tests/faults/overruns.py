#!/usr/bin/env python3
"""Budgets under a rush: a thousand requests at once, against money for a hundred of them, many times over.

Plays it on one gateway and on four that share a real Redis, each run with a key and a budget of its own, and fails
with the first budget that is overrun by as much as a nano-dollar, or whose spend is not what the ledgers say.
"""

import argparse
import asyncio
import contextlib
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import stage  # noqa: F401  puts tests/e2e on the path
from campaign import Progress, raise_file_limit
from fleet import Fleet, dollar
from harness import Lab, eventually
from redis_server import Redis
from rush import all_at_once

# What prices of the fleet make of a hundred tokens, and room for a hundred such answers.
ANSWER_NANOS, ROOM_NANOS = 50_000_000, 5_000_000_000


def key_of(run):
    return f"rush-{run:03}-{'k' * 24}"


def charged(fleet, key):
    """How many rows the ledgers of all have, and the nano-dollars on them."""
    asked = "SELECT count(*), coalesce(sum(charged), 0) FROM exchange JOIN caller ON caller.id = caller WHERE caller.key = ?"
    found = []
    for gateway in fleet:
        with contextlib.closing(sqlite3.connect(f"file:{gateway.ledger}?mode=ro", uri=True)) as ledger:
            found.append(ledger.execute(asked, (key,)).fetchone())
    return sum(rows for rows, _ in found), sum(nanos for _, nanos in found)


def play(fleet, runs, at_once, title):
    """How many requests each run let through, and the most that a budget was spent beyond."""
    progress, passed, beyond = Progress(title), [], 0
    for run in range(runs):
        statuses = asyncio.run(all_at_once(fleet, at_once, key_of(run), max_tokens=100))
        strange = set(statuses) - {200, 402, 429}
        if strange:
            sys.exit(f"overruns: {title}, run {run}: answered {sorted(strange)}")
        name = f"run{run:03}"
        eventually(lambda name=name: charged(fleet, name)[0] == at_once, 20, "a ledger row of each request")
        _, nanos = charged(fleet, name)
        passed.append(statuses.count(200))
        beyond = max(beyond, nanos - ROOM_NANOS)
        if nanos > ROOM_NANOS or nanos != passed[-1] * ANSWER_NANOS:
            sys.exit(f"overruns: {title}, run {run}: {passed[-1]} answers, {nanos / 1e9} of {ROOM_NANOS / 1e9} dollars")
        progress((run + 1) / runs)
    progress.end()
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=1_000)
    options = parser.parse_args()
    raise_file_limit()
    keys = {f"run{run:03}": {"key": key_of(run), **dollar(amount=ROOM_NANOS / 1e9)} for run in range(options.runs)}
    with tempfile.TemporaryDirectory(prefix="sluice-overruns-") as folder, Lab() as lab:
        redis = Redis(Path(folder) / "redis")
        redis.start()
        try:
            for title, count, shared in (("one gateway", 1, None), ("four with Redis", 4, redis)):
                fleet = Fleet(Path(folder) / title.replace(" ", "-"), lab, {}, shared)
                fleet.settings["keys"] = keys
                began = time.monotonic()
                try:
                    passed = play(fleet.start(count), options.runs, options.at_once, title)
                finally:
                    fleet.stop()
                print(f"{title}: {options.runs} times {options.at_once:,} at once, money for 100: {min(passed)} to "
                      f"{max(passed)} answered, no budget overrun  [{time.monotonic() - began:.0f} s]", flush=True)
        finally:
            redis.kill()


if __name__ == "__main__":
    main()
