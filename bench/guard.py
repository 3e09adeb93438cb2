#!/usr/bin/env python3
"""Instruction-count guard: fails when a request or a streamed event costs over 10 % more than
bench/guard.json says. Counted by valgrind's callgrind, so a busy machine does not disturb it. The
ledger's rows are stored at the end, all at once: otherwise how many go together is a matter of time.

    guard.py            compare
    guard.py --update   measure and rewrite bench/guard.json (say why in the commit)
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import contenders
import procs
import scenarios

BASELINE = contenders.BENCH / "guard.json"
TOLERANCE = 0.10
REQUESTS = 300
STREAMS = 5
STREAM = ("--stream", "--include-usage", "--expect-events", scenarios.STREAM_EVENTS)
VALGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=cg.out")


def under_callgrind(contender):
    """Makes the contender's command run a copy without debug sections: Debian's valgrind cannot read
    the ones our compiler writes."""
    plain_command = contender.command

    def command():
        program, *arguments = map(str, plain_command())
        bare = contender.dir / "program"
        subprocess.run(["objcopy", "--strip-debug", shutil.which(program), bare], check=True)
        return [*VALGRIND, bare, *arguments]

    contender.command = command


def count(contender, work):
    """Instructions of all threads, from start to end, with `work` between."""
    contender.start("plain")
    try:
        load(contender, "--requests", 50)
        load(contender, "--requests", 1, *STREAM)
        work()
    finally:
        contender.stop()
    found = re.search(r"^totals: (\d+)", (contender.dir / "cg.out").read_text(), re.M)
    return int(found.group(1)) if found else sys.exit("guard: callgrind wrote no totals")


def load(contender, *flags):
    argv = [contenders.load_program(), "--port", contender.port, "--connections", 1, "--warmup", 0,
            "--window", 120, *flags]
    for header in contender.request_headers():
        argv += ["--header", header]
    result = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=180)
    answer = json.loads(result.stdout)
    if answer["wrong"] or answer["broken"]:
        sys.exit(f"guard: wrong answers: {answer}")
    return answer


def measure(contender):
    """What is counted with a load, less what is counted without it."""
    mock = procs.spawn([contenders.mock_program(), "--port", contenders.MOCK_PORT,
                        "--interval-us", scenarios.SSE_INTERVAL_US], procs.METER_CPU)
    try:
        time.sleep(0.2)
        under_callgrind(contender)
        idle = count(contender, lambda: None)
        chat = count(contender, lambda: load(contender, "--requests", REQUESTS,
                                             "--expect-bytes", scenarios.JSON_BYTES))
        events = count(contender, lambda: load(contender, "--requests", STREAMS, *STREAM))
        return {"instructions_per_request": (chat - idle) // REQUESTS,
                "instructions_per_event": (events - idle) // (STREAMS * scenarios.STREAM_EVENTS)}
    finally:
        procs.stop(mock)


def compare(now, before):
    worse = False
    for name, count in now.items():
        change = count / before[name] - 1
        word = "too much" if change > TOLERANCE else (
            "better: consider --update" if change < -TOLERANCE else "ok")
        worse |= change > TOLERANCE
        print(f"guard: {name}: {count:,}, was {before[name]:,} ({change:+.1%}): {word}")
    return worse


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="rewrite bench/guard.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-guard-") as run_dir:
        cert, key = contenders.certificate(run_dir)
        sluice = contenders.Sluice(Path(run_dir), cert, key)
        sluice.more = "ledger: {flush_window: 1m}\n"
        try:
            contenders.need_program("valgrind")
            sluice.prepare()
            now = measure(sluice)
        except contenders.Unavailable as reason:
            sys.exit(f"guard: {reason}")
    if options.update:
        BASELINE.write_text(json.dumps(now, indent=2) + "\n")
        print(f"guard: wrote {now}")
        return
    if not BASELINE.exists():
        sys.exit("guard: there is no bench/guard.json; make it with --update")
    sys.exit(1 if compare(now, json.loads(BASELINE.read_text())) else 0)


if __name__ == "__main__":
    main()
