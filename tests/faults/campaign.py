#!/usr/bin/env python3
"""The fault campaign: the gateway between failing upstreams and its clients, judged from three sides.

Three labs play providers that refuse, stall, lie and break off; many clients ask; then what each client saw, what the
ledger says of it and what the labs themselves counted are compared, request by request. Prints one table and fails
when a goal is missed. The same seed draws the same faults and the same requests.
"""

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import breaker
import cases
import clients
import driver
import stage
import views
from harness import ROOT

PAGE = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- campaign:begin -->", "<!-- campaign:end -->"
BAR = 30


@dataclass
class Played:
    case: object
    seen: list
    rows: dict
    agreement: views.Agreement
    seconds: float
    verdict: object = None
    peak_mib: float = 0.0  # of the gateway
    texts: set = field(default_factory=set)

    @property
    def kept(self):
        return self.verdict.kept and not self.agreement.faults


class Progress:
    """One line that is written over, on a terminal; elsewhere nothing."""

    def __init__(self, title):
        self.title, self.shown = title, -1

    def __call__(self, share):
        part = min(100, int(100 * share))
        if part == self.shown or not sys.stderr.isatty():
            return
        self.shown = part
        full = "#" * (part * BAR // 100)
        print(f"\r\x1b[K{self.title:<9} [{full:<{BAR}}] {part:3} %", end="", file=sys.stderr, flush=True)

    def end(self):
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def settle(on_stage, patience=10):
    """The labs' records, once no call is under way any more."""
    end = time.monotonic() + patience
    while on_stage.is_busy() and time.monotonic() < end:
        time.sleep(0.05)
    return on_stage.records()


def check_texts(played, texts):
    """Every whole answer is what one lab says: never a mixture of two."""
    for one in played.seen:
        if one.good and texts and one.text not in texts:
            played.agreement.blame("answers that no lab gave", one)


def reference_texts(seed):
    """What the three labs say to the campaign's question when they are well."""
    texts = set()
    for i in range(len(stage.NAMES)):
        lab = stage.Lab(stage.free_port(), seed + i, ())
        reply = lab.request("POST", driver.CHAT, {"model": "chat", "messages": driver.QUESTION})
        texts.add(reply.json()["choices"][0]["message"]["content"])
        lab.stop()
    return texts


def play(case, folder, seed, texts=frozenset()):
    progress, began = Progress(case.name), time.monotonic()
    with stage.Stage(folder, seed, case.faults, dict(case.settings)) as on_stage:
        seen = driver.drive(on_stage.gateway.address, case.load, seed, case.name, progress)
        rows, twice = views.wait_for_rows(on_stage.gateway.ledger, case.name, len(seen))
        agreement = views.compare(seen, rows, twice, settle(on_stage), case.bills)
        if on_stage.is_busy():
            agreement.blame("upstream calls that nobody ended", case.name)
        peak = on_stage.gateway.peak_mib()
    progress.end()
    played = Played(case, seen, rows, agreement, time.monotonic() - began, peak_mib=peak)
    if case.bills:
        check_texts(played, texts)
    played.verdict = case.judge(played)
    return played


def line_of(played):
    """One row of the table."""
    agree = "yes" if not played.agreement.faults else "**no**: " + "; ".join(
        f"{count} {what}" for what, count in played.agreement.faults.items()
    )
    kept = "yes" if played.verdict.kept else "**no**"
    case = played.case
    return (f"| {case.goal} | {case.name} | {case.what} | {len(played.seen):,} | {played.verdict.figure} | "
            f"{played.verdict.wanted} | {kept} | {agree} |")


HEADER = ("| goal | fault | what the upstreams do | requests | came out | wanted | kept | three views agree |\n"
          "| --- | --- | --- | ---: | --- | --- | --- | --- |")


def conservation(total, calls):
    return (
        f"Sums (G13) over {total.clients:,} requests and {calls:,} upstream calls: {total.rows:,} ledger rows. "
        f"{total.billed:,} answers were charged {total.tokens:,} tokens and {total.cost_nanos / 1e9:.6f} dollars, each "
        f"equal to what the lab that gave it had counted. {total.estimated:,} answers broke off, were left, or told no "
        f"usage that can be believed; the ledger's estimates for them add up to {total.tokens_estimated:,} output tokens, of {total.tokens_sent:,} that "
        f"the labs had written. {total.attempts_paid:,} attempts that failed unseen had told their usage: "
        f"{total.attempts_tokens:,} tokens and {total.attempts_nanos / 1e9:.6f} dollars more, each equal to the lab's books. "
        f"{total.attempts_unknown:,} fell silent: what they cost nobody knows, and their rows say so; the labs wrote "
        f"{total.unseen_tokens:,} tokens in attempts that failed."
    )


def report(all_played, seconds, options):
    total = views.Agreement()
    for played in all_played:
        total.add(played.agreement)
    cpus = os.cpu_count()
    lines = [
        f"`make faults` (seed {options.seed}, {options.requests:,} requests in the largest case), {date.today()}, "
        f"{platform.machine()}, {cpus} cores shared by gateway, labs and clients, Linux {platform.release()}; "
        f"{seconds / 60:.1f} minutes, {total.clients / seconds:,.0f} requests/s on average.",
        "",
        HEADER,
        *map(line_of, all_played),
        "",
        conservation(total, total.calls),
    ]
    return "\n".join(lines) + "\n"


def write_into(path, text):
    page = path.read_text(encoding="utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n{text}{END}{tail}", encoding="utf-8")


def everything(options, folder):
    """Plays case after case."""
    texts = reference_texts(options.seed)
    for case in cases.cases(options.requests):
        if wanted(case.name, options) or wanted(case.goal, options):
            yield play(case, folder / case.name, options.seed, texts)
    if wanted("breaker", options) or wanted("G9", options):
        yield breaker.play(folder / "breaker", options.seed, Played)
    if wanted("clients", options):
        yield clients.play(folder / "clients", options.seed, Played)


def wanted(name, options):
    return not options.only or name in options.only


def raise_file_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=100_000, help="of the largest case; the others are in proportion")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="cases or goals: down, U13, G6, breaker, clients")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    options = parser.parse_args()
    raise_file_limit()
    all_played, began = [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sluice-faults-") as folder:
        for played in everything(options, Path(folder)):
            all_played.append(played)
            print(f"{played.case.name:<9} {'kept' if played.kept else 'MISSED':<7} {played.verdict.figure}  "
                  f"[{played.seconds:.0f} s]", flush=True)
            for what, example in played.agreement.examples.items():
                print(f"          {played.agreement.faults[what]} {what}, such as {example}", flush=True)
    text = report(all_played, time.monotonic() - began, options)
    print("\n" + text)
    if options.write:
        write_into(PAGE, text)
    missed = [played.case.name for played in all_played if not played.kept]
    if missed or not all_played:
        sys.exit(f"faults: missed: {', '.join(missed) or 'nothing was played'}")


if __name__ == "__main__":
    main()
