#!/usr/bin/env python3
"""A thousand kills and ten thousand power cuts of a writing ledger.

Repeats the tests of LedgerKill (50 kills) and LedgerPower (200 cuts), each time with another seed, and fails with the
first stored row that is lost, doubled or not in the sums.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KILLS_A_RUN, CUTS_A_RUN = 50, 200
BAR = 30


def draw(title, share):
    if sys.stderr.isatty():
        full = "#" * int(BAR * share)
        sys.stderr.write(f"\r{title} [{full:-<{BAR}}] {100 * share:3.0f} %" + ("\n" if share == 1 else ""))
        sys.stderr.flush()


def repeat(program, test, runs, seed, title):
    """The seconds it took, or the output of what failed."""
    words = [program, f"--gtest_filter={test}", f"--gtest_repeat={runs}", "--gtest_shuffle", "--gtest_fail_fast"]
    began, said, done = time.monotonic(), [], 0
    with subprocess.Popen(
        [*words, f"--gtest_random_seed={seed}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        for line in child.stdout:
            said = [*said[-60:], line]
            if re.match(r"\[ +PASSED +\] 1 test", line):
                done += 1
                draw(title, done / runs)
            elif "FAILED" in line:
                child.kill()
    if done != runs:
        sys.exit(f"crashes: {title}: run {done + 1} of {runs} failed, seed {seed}\n" + "".join(said))
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/src/telemetry_test")
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for what, test, count, each in (
        ("kills", "LedgerKill.DB_4_FiftyKillsLoseNoRowThatWasFlushedAndNoSum", options.kills, KILLS_A_RUN),
        ("power cuts", "LedgerPowerTest.P2_NoStoredRowIsLostToAPowerCutAndAllSumsStayRight", options.cuts, CUTS_A_RUN),
    ):
        runs = max(1, count // each)
        seconds = repeat(options.program, test, runs, options.seed, what)
        print(f"{runs * each} {what}: no stored row lost or doubled, all sums right  [{seconds:.0f} s]", flush=True)


if __name__ == "__main__":
    main()
