#!/usr/bin/env python3
"""Builds a preset and runs every test: GoogleTest binaries, then tests/e2e with pytest, then tests/e2e with Node.

The last line is the sum over all runners: `N passed, N failed`. Reports stay in build/<preset>/reports.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import sanitizers
import tree

BUILD = tree.ROOT / "build"
E2E = tree.ROOT / "tests/e2e"
UNIT_SECONDS = 600
E2E_SECONDS = 2400


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def count_gtest_report(report):
    """The count of a GoogleTest JSON report."""
    count = Count()
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            if test.get("failures"):
                count.failed += 1
            elif test["result"] == "COMPLETED":
                count.passed += 1
            else:
                count.skipped += 1
    return count


_GTEST_END = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] \S+.*\(\d+ ms\)")


def count_gtest_output(output):
    """The count of a GoogleTest run that died before it wrote its report: the test it died in has failed."""
    ends = [match.group(1) for match in _GTEST_END.finditer(output)]
    died = max(1, output.count("[ RUN      ]") - len(ends))
    return Count(ends.count("OK"), ends.count("FAILED") + died, ends.count("SKIPPED"))


def count_junit(root):
    """The count of a pytest JUnit report (its parsed XML)."""
    count = Count()
    for suite in root.iter("testsuite"):
        total, bad, skipped = (
            int(suite.get("tests", 0)),
            int(suite.get("failures", 0)) + int(suite.get("errors", 0)),
            int(suite.get("skipped", 0)),
        )
        count += Count(total - bad - skipped, bad, skipped)
    return count


def count_tap(output):
    """The count in the closing lines of Node's TAP reporter."""
    found = {name: int(number) for name, number in re.findall(r"^# (pass|fail|cancelled|skipped) (\d+)$", output, re.M)}
    return Count(found.get("pass", 0), found.get("fail", 0) + found.get("cancelled", 0), found.get("skipped", 0))


def at_least_one_failure(count, exit_code, what):
    """A runner that ends badly without a failed test (a leak found at exit, a crash) counts as one."""
    if exit_code != 0 and count.failed == 0:
        print(f"{what}: no test failed, but the runner ended with exit code {exit_code}")
        return count + Count(failed=1)
    return count


def give_up(output, words):
    """Ends the run when a step that all tests need has failed."""
    print(output[-12000:], f"{' '.join(map(str, words))}: failed", Count(failed=1), sep="\n")
    sys.exit(1)


def build(preset, targets=("all",)):
    print(f"building {preset}", flush=True)
    for step in (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset, "--target", *targets]):
        run = subprocess.run(step, cwd=tree.ROOT, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            give_up(run.stdout + run.stderr, step)


def run_captured(words, seconds, **how):
    """(all it said, exit code); a command that takes too long is ended and has no good exit code."""
    how.update(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    try:
        run = subprocess.run(words, timeout=seconds, **how)
        return run.stdout.decode(errors="replace"), run.returncode
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace") + f"\nended after {seconds} s\n", -1


def unit_binaries(preset):
    """(name, command) of each test that CMake knows."""
    listing = subprocess.run(
        ["ctest", "--test-dir", BUILD / preset, "--show-only=json-v1"], capture_output=True, text=True, check=True
    )
    return [(test["name"], test["command"]) for test in json.loads(listing.stdout)["tests"]]


def run_unit(name, command, reports):
    report = reports / f"{name}.json"
    report.unlink(missing_ok=True)
    words = [*sanitizers.prefix(), *command, f"--gtest_output=json:{report}"]
    output, exit_code = run_captured(words, UNIT_SECONDS, env=sanitizers.environment())
    if report.exists():
        count = count_gtest_report(json.loads(report.read_text(encoding="utf-8")))
    else:
        count = count_gtest_output(output)
    return name, at_least_one_failure(count, exit_code, name), output


def run_units(preset, reports):
    total = Count()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(run_unit, name, command, reports) for name, command in unit_binaries(preset)]
        for job in jobs:
            name, count, output = job.result()
            if count.failed:
                print(output)
            print(f"unit {name}: {count}", flush=True)
            total += count
    return total


def e2e_environment(preset):
    env = sanitizers.environment()
    env["SLUICE_BIN"] = str(BUILD / preset / "sluice")
    env["SLUICE_PRESET"] = preset
    return env


def run_quietly(words, cwd=tree.ROOT):
    run = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if run.returncode != 0:
        give_up(run.stdout, words)


def python_environment():
    """The e2e tests' Python, with what tests/e2e/requirements.txt names; renewed when that file changes."""
    venv, wanted = BUILD / "venv", (E2E / "requirements.txt").read_text(encoding="utf-8")
    stamp = venv / "requirements.installed"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        run_quietly([sys.executable, "-m", "venv", venv])
        run_quietly([venv / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r", E2E / "requirements.txt"])
        stamp.write_text(wanted, encoding="utf-8")
    return venv / "bin/python"


def node_environment():
    """Installs what tests/e2e/package.json names, once and when its lock file changes."""
    lock = E2E / "package-lock.json"
    source = lock if lock.exists() else E2E / "package.json"
    wanted, stamp = source.read_text(encoding="utf-8"), E2E / "node_modules/.installed"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        run_quietly(["npm", "ci" if lock.exists() else "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=E2E)
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")


def run_pytest(preset, reports):
    python, report = python_environment(), reports / "e2e.xml"
    report.unlink(missing_ok=True)
    words = [*sanitizers.prefix(), python, "-m", "pytest", "-q", "--no-header", f"--junitxml={report}", E2E]
    try:
        run = subprocess.run(words, cwd=tree.ROOT, env=e2e_environment(preset), timeout=E2E_SECONDS, check=False)
        exit_code = run.returncode
    except subprocess.TimeoutExpired:
        exit_code = "none, it took too long"
    count = count_junit(xml.parse(report).getroot()) if report.exists() else Count()
    return at_least_one_failure(count, exit_code, "pytest")


def run_node(preset):
    node_environment()
    words = [*sanitizers.prefix(), "node", "--test", "--test-reporter=tap"]
    output, exit_code = run_captured(words, E2E_SECONDS, cwd=E2E, env=e2e_environment(preset))
    count = at_least_one_failure(count_tap(output), exit_code, "node --test")
    if count.failed:
        print(output)
    return count


def run_e2e(preset, reports):
    total = Count()
    if (E2E / "package.json").exists():
        node_environment()  # the Python tests start gateways that come from npm, too
    if (E2E / "requirements.txt").exists():
        count = run_pytest(preset, reports)
        print(f"e2e python: {count}", flush=True)
        total += count
    if any(tree.files(E2E, [".test.js", ".test.mjs"])):
        count = run_node(preset)
        print(f"e2e node: {count}", flush=True)
        total += count
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="dev", help="of CMakePresets.json (default: dev)")
    parser.add_argument("--only", choices=["unit", "e2e"], help="run one half")
    options = parser.parse_args()

    build(options.preset)
    reports = BUILD / options.preset / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    total = Count()
    if options.only != "e2e":
        total += run_units(options.preset, reports)
    if options.only != "unit":
        total += run_e2e(options.preset, reports)
    print(total)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
