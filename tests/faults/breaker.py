"""The breaker against a real upstream that falls ill and gets well again (G9)."""

import threading
import time
from collections import namedtuple
from dataclasses import dataclass

import driver
import judges
import stage
import views

SICK_S = 6.0
MOST_CALLS, MOST_S, MOST_PROBES = 20, 2.0, 3
# Calls of one try of the breaker lie close together; its pauses are 0.75 s at least.
GAP_S = 0.4
SLACK_S = 0.5

Call = namedtuple("Call", "at good")


@dataclass(frozen=True)
class Case:
    name: str = "breaker"
    what: str = f"1 of 3 answers 503 for {SICK_S:.0f} s, then is well"
    goal: str = "G9"


def calls_of(rows, provider):
    """Calls of this provider, oldest first; `at` in seconds since 1970."""
    calls = []
    for row in rows.values():
        at = row.started / 1e6
        attempts = row.attempts or [[f"{row.provider}/", "ok", 200, row.duration]]
        for target, outcome, _, micros, *_ in attempts:
            if target.startswith(provider + "/"):
                calls.append(Call(at, outcome == "ok"))
            at += micros / 1e6
    return sorted(calls)


def groups_of(calls):
    """Calls that lie close together."""
    groups = []
    for call in calls:
        if not groups or call.at - groups[-1][-1].at > GAP_S:
            groups.append([])
        groups[-1].append(call)
    return groups


def judge(rows, well_at):
    before, *tries = groups_of(calls_of(rows, "c"))
    opened_s = before[-1].at - before[0].at
    failed = [group for group in tries if not all(call.good for call in group)]
    healed = [group for group in tries if all(call.good for call in group)]
    if not healed:
        return judges.Verdict("it was never called again", "recovers", False)
    most_probes = max((len(group) for group in failed), default=0)
    back_s = healed[0][0].at - well_at
    last_sick = failed[-1][-1].at if failed else before[-1].at
    pause_s = healed[0][0].at - last_sick
    figure = (f"open after {len(before)} calls, {opened_s:.2f} s; {len(failed)} failed tries of at most {most_probes} "
              f"probes; back {back_s:.1f} s after it was well, pause {pause_s:.1f} s")
    kept = (len(before) <= MOST_CALLS or opened_s <= MOST_S) and most_probes <= MOST_PROBES
    kept = kept and back_s <= pause_s + SLACK_S and len(healed) == 1
    return judges.Verdict(figure, f"≤ {MOST_CALLS} calls or {MOST_S:.0f} s, ≤ {MOST_PROBES} probes, ≤ 1 pause", kept)


def play(folder, seed, played_as, sick_s=SICK_S, seconds=16.0, rate=200):
    began = time.monotonic()
    load = driver.Load("spread", 0, connections=16, rate=rate, seconds=seconds)
    well_at = []
    with stage.Stage(folder, seed, ((), (), ("status-503",))) as on_stage:
        sick_records = []

        def heal():
            sick_records.extend(on_stage.records_of(2))
            on_stage.replace_lab(2, ())
            well_at.append(time.time())

        timer = threading.Timer(sick_s, heal)
        timer.start()
        seen = driver.drive(on_stage.gateway.address, load, seed, "breaker")
        timer.join()
        rows, twice = views.wait_for_rows(on_stage.gateway.ledger, "breaker", len(seen))
        agreement = views.compare(seen, rows, twice, sick_records + on_stage.records())
    return played_as(Case(), seen, rows, agreement, time.monotonic() - began, judge(rows, well_at[0]))
