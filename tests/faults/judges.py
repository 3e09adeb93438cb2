"""What is made of a case that was played: one figure, what it should be, and whether it is."""

import math
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from stage import SLOW
from views import NEVER_SENT

WINDOW_S = 10
MOST_AMPLIFICATION = 1.10
MOST_ATTEMPTS = 3
FALLBACK_P99_US = 2000
HEALTHY_P99_S = 0.1
PROMPT_S = 0.5
MOST_MIB = 512


@dataclass
class Verdict:
    figure: str
    wanted: str
    kept: bool


def share(part, whole):
    return 100.0 * part / whole if whole else 0.0


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * percent / 100))] if values else 0


def success(percent, after_s=0.0):
    def judge(played):
        began = min(one.began for one in played.seen)
        counted = [one for one in played.seen if one.began - began >= after_s] or played.seen
        good = sum(one.good for one in counted)
        figure = f"{share(good, len(counted)):.3f} % of {len(counted):,} succeed"
        # Of few requests a share is a matter of one: what may fail is rounded up to a whole request.
        may_fail = math.ceil(round(len(counted) * (100 - percent) / 100, 6))
        return Verdict(figure, f"≥ {percent} %", len(counted) - good <= may_fail)

    return judge


def visible_errors(percent):
    def judge(played):
        bad = sum(not one.good for one in played.seen)
        figure = f"{share(bad, len(played.seen)):.3f} % errors ({bad} of {len(played.seen):,})"
        return Verdict(figure, f"≤ {percent} %", share(bad, len(played.seen)) <= percent)

    return judge


def explicit(played):
    """A complete stream, an explicit error, or an HTTP error; never a silent end."""
    silent = sum(one.end == "silent" for one in played.seen)
    whole, said = (sum(one.end == end for one in played.seen) for end in ("whole", "error"))
    refused = len(played.seen) - whole - said - silent
    figure = f"{silent} silent; {whole:,} whole, {said:,} error events, {refused:,} HTTP errors"
    return Verdict(figure, "0 silent", silent == 0 and whole > 0 and said + refused > 0)


def failing(played, provider):
    """How the calls of this provider failed, as the ledger has it."""
    attempts = [attempt for row in played.rows.values() for attempt in row.attempts]
    return Counter(attempt[1] for attempt in attempts if attempt[0].startswith(f"{provider}/") and attempt[1] != "ok")


def named(judge, **expected):
    """The same, and the ledger says of these providers that they failed so, and in no other way."""

    def judge_both(played):
        verdict = judge(played)
        for provider, outcome in expected.items():
            found = failing(played, provider)
            verdict.figure += "; " + ", ".join(f"{count} × {name}" for name, count in found.items())
            verdict.kept = verdict.kept and set(found) == {outcome}
        return verdict

    return judge_both


def serving(judge):
    """The same, and the third provider has its share of it."""

    def judge_both(played):
        verdict = judge(played)
        part = share(sum(row.provider == "c" for row in played.rows.values()), len(played.rows))
        verdict.figure += f"; {part:.0f} % by this one"
        verdict.kept = verdict.kept and 25 < part < 42
        return verdict

    return judge_both


def ejected(percent, silence_s):
    """Success, and that only those wait for a silent upstream who came before its first silence was over."""

    def judge(played):
        verdict = success(percent)(played)
        began = min(one.began for one in played.seen)
        waited = [one for one in played.seen if one.ended - one.began >= silence_s]
        if not waited:
            return Verdict("nobody waited", verdict.wanted, False)
        healthy_s = min(one.ended for one in waited) - began
        later = [one.ended - one.began for one in played.seen if one.began - began > healthy_s]
        p99 = percentile(later, 99)
        verdict.figure += (f"; {len(waited)} waited, {len(waited) - sum(one >= silence_s for one in later)} of them in "
                           f"the first {healthy_s:.1f} s; p99 then {p99 * 1000:.0f} ms")
        verdict.wanted += f", then p99 ≤ {HEALTHY_P99_S * 1000:.0f} ms"
        verdict.kept = verdict.kept and p99 <= HEALTHY_P99_S * SLOW and healthy_s <= silence_s + PROMPT_S * SLOW
        return verdict

    return judge


def within(judge, limit_s):
    """The same, and no answer takes longer than the limit."""

    def judge_both(played):
        verdict = judge(played)
        longest = max(one.ended - one.began for one in played.seen)
        verdict.figure += f"; the longest took {longest:.2f} s"
        verdict.wanted += f", ≤ {limit_s + PROMPT_S:g} s"
        verdict.kept = verdict.kept and longest <= limit_s + PROMPT_S * SLOW
        return verdict

    return judge_both


def paid(judge):
    """The same, and failed attempts are paid for."""

    def judge_both(played):
        verdict, bill = judge(played), played.agreement
        verdict.figure += f"; {bill.attempts_paid:,} failed attempts for {bill.attempts_nanos / 1e9:.6f} dollars"
        verdict.kept = verdict.kept and bill.attempts_nanos > 0
        return verdict

    return judge_both


def slender(judge):
    """The same, and the gateway's memory stays small."""

    def judge_both(played):
        verdict = judge(played)
        verdict.figure += f"; at most {played.peak_mib:.0f} MiB"
        verdict.wanted += f", ≤ {MOST_MIB} MiB"
        verdict.kept = verdict.kept and played.peak_mib <= MOST_MIB * SLOW
        return verdict

    return judge_both


def sent_attempts(row):
    if not row.attempts:
        return int(row.result in ("ok", "fallback_ok", "cancelled"))
    return sum(attempt[1] not in NEVER_SENT for attempt in row.attempts)


def amplification(played):
    """The worst of all windows of 10 s that lie inside the case."""
    rows = sorted(played.rows.values(), key=lambda row: row.started)
    times = [row.started / 1e6 for row in rows]
    attempts = [sent_attempts(row) for row in rows]
    window = min(WINDOW_S, max(1, int(times[-1] - times[0]) - 1))
    worst = 0.0
    for first in range(0, len(rows), max(1, len(rows) // 200)):
        if times[first] + window > times[-1]:
            break
        end = bisect_left(times, times[first] + window)
        worst = max(worst, sum(attempts[first:end]) / (end - first))
    total = sum(attempts) / len(attempts)
    figure = f"{worst:.3f} in the worst {window} s, {total:.3f} in all, at most {max(attempts)} for one"
    kept = 0 < worst <= MOST_AMPLIFICATION and max(attempts) <= MOST_ATTEMPTS
    return Verdict(figure, f"≤ {MOST_AMPLIFICATION:.2f}, at most {MOST_ATTEMPTS}", kept)


def fallback_time(played):
    """Our own time, as the ledger has it, of requests that fell back; beside that of those that did not."""
    rows = played.rows.values()
    fell = [row.overhead for row in rows if row.result == "fallback_ok"]
    plain = [row.overhead for row in rows if row.result == "ok"]
    p99 = percentile(fell, 99)
    figure = f"p99 {p99 / 1000:.2f} ms, p50 {percentile(fell, 50) / 1000:.2f} ms of {len(fell):,}"
    figure += f" (without fallback: {percentile(plain, 99) / 1000:.2f} and {percentile(plain, 50) / 1000:.2f} ms)"
    return Verdict(figure, "≤ 2 ms p99", bool(fell) and p99 <= FALLBACK_P99_US)


def left(played):
    """Whoever leaves gets a row that says so, and its upstream call is ended."""
    gone = [one for one in played.seen if one.end == "left"]
    cancelled = sum(played.rows[one.name].result == "cancelled" for one in gone if one.name in played.rows)
    others = sum(not one.good for one in played.seen if one.end != "left")
    figure = f"{cancelled} of {len(gone)} rows say cancelled; {others} errors of others"
    # A client may leave when the last bytes are already on their way to it.
    return Verdict(figure, "≥ 95 %, 0 errors", bool(gone) and cancelled >= 0.95 * len(gone) and not others)
