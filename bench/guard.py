#!/usr/bin/env python3
"""Instruction-count guard: fails when a request or a streamed event costs over 10 % more than
bench/guard.json says. Counted by valgrind's callgrind, so a busy machine does not disturb it, and on
the event loop's thread alone: how many rows the journal stores at once is a matter of time.

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
VALGRIND = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--separate-threads=yes",
            "--callgrind-out-file=cg.out")


class UnderCallgrind:
    """A contender run by callgrind, and its instruction counter."""

    def __init__(self, contender):
        self.contender = contender
        self.plain_command = contender.command
        contender.command = self.command
        self.dumps = 0

    def command(self):
        """The contender's command over a copy without debug sections: Debian's valgrind cannot read
        the ones our compiler writes."""
        program, *arguments = map(str, self.plain_command())
        program = shutil.which(program)
        bare = self.contender.dir / "program"
        subprocess.run(["objcopy", "--strip-debug", program, bare], check=True)
        return [*VALGRIND, bare, *arguments]

    def control(self, *flags):
        result = subprocess.run(["callgrind_control", *flags, str(self.contender.process.pid)],
                                capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"guard: callgrind_control {' '.join(flags)}: {result.stderr or result.stdout}")

    def count(self, work):
        """Instructions the busiest thread executes while `work` runs: the loop with one worker."""
        self.control("--instr=on")
        self.control("--zero")
        work()
        self.control("--dump")
        self.control("--instr=off")
        self.dumps += 1
        dump = self.contender.dir / f"cg.out.{self.dumps}"
        for _ in range(100):
            totals = [re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.M)
                      for path in self.contender.dir.glob(f"{dump.name}*")]
            if totals and all(totals):
                return max(int(found.group(1)) for found in totals)
            time.sleep(0.1)
        sys.exit(f"guard: callgrind wrote no totals to {dump}")


def load(contender, *flags):
    argv = [contenders.load_program(), "--port", contender.port, "--connections", 1, "--warmup", 0,
            "--window", 120, *flags]
    result = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=180)
    answer = json.loads(result.stdout)
    if answer["wrong"] or answer["broken"]:
        sys.exit(f"guard: wrong answers: {answer}")
    return answer


def measure(contender):
    mock = procs.spawn([contenders.mock_program(), "--port", contenders.MOCK_PORT,
                        "--interval-us", scenarios.SSE_INTERVAL_US], procs.METER_CPU)
    try:
        time.sleep(0.2)
        guarded = UnderCallgrind(contender)
        contender.start("plain")
        stream = ("--stream", "--include-usage", "--expect-events", scenarios.STREAM_EVENTS)
        load(contender, "--requests", 50)
        load(contender, "--requests", 1, *stream)
        chat = guarded.count(lambda: load(contender, "--requests", REQUESTS,
                                          "--expect-bytes", scenarios.JSON_BYTES))
        events = guarded.count(lambda: load(contender, "--requests", STREAMS, *stream))
        return {"instructions_per_request": chat // REQUESTS,
                "instructions_per_event": events // (STREAMS * scenarios.STREAM_EVENTS)}
    finally:
        contender.stop()
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
