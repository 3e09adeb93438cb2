#!/usr/bin/env python3
"""Side-by-side benchmark: the gateway against plain proxies and rival gateways.

The proxy runs on CPU 0 with one worker, mock upstream and load generator on CPU 1. Rounds visit
every contender in turn; cost is the CPU time of all the proxy's threads and children, divided by
the requests (or events) of the counted window. Ratios are taken inside a round, then the median.
Rounds disturbed by other programs are repeated, and left out if they stay disturbed.
"""

import argparse
import json
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import contenders
import procs
import report
import scenarios

FOREIGN_LIMIT_PERCENT = 8
REPEATS = 2
HOLD_PATIENCE_S = 40


class Bench:
    def __init__(self, options, run_dir):
        self.options = options
        self.run_dir = Path(run_dir)
        self.cert, self.key = contenders.certificate(run_dir)
        self.missing = {}
        self.available = {}
        self.mocks = []
        for kind in contenders.ALL:
            if options.contenders and kind.name not in options.contenders:
                continue
            contender = kind(run_dir, self.cert, self.key)
            try:
                contender.prepare()
                self.available[kind.name] = contender
            except contenders.Unavailable as reason:
                self.missing[kind.name] = str(reason)

    def start_mocks(self):
        mock, interval = contenders.mock_program(), scenarios.SSE_INTERVAL_US
        plain = [mock, "--port", contenders.MOCK_PORT, "--interval-us", interval]
        secure = [mock, "--port", contenders.MOCK_TLS_PORT, "--interval-us", interval,
                  "--tls", self.cert, self.key]
        log = self.run_dir / "mock.log"
        self.mocks = [procs.spawn(argv, procs.METER_CPU, log) for argv in (plain, secure)]
        time.sleep(0.3)
        for mock in self.mocks:
            if mock.poll() is not None:
                sys.exit(f"bench: the mock upstream does not start: {log.read_text()}")

    def stop(self):
        for contender in self.available.values():
            contender.stop()
        for mock in self.mocks:
            procs.stop(mock)

    def start_all(self, names, wiring):
        running = []
        for name in names:
            contender = self.available.get(name)
            if contender is None or wiring not in contender.wirings:
                continue
            try:
                contender.start(wiring)
                running.append(contender)
            except contenders.Unavailable as reason:
                contender.stop()
                self.missing[name] = str(reason)
        return running

    def same_body(self, running):
        """Plain proxies and Sluice must hand on the upstream's body untouched."""
        exact = [c for c in running if c.exact_body]
        for stream in (False, True):
            bodies = {c.name: c.ask(stream)[1] for c in exact}
            if len(set(bodies.values())) > 1:
                sizes = {name: len(body) for name, body in bodies.items()}
                sys.exit(f"bench: the contenders' bodies differ (stream={stream}): {sizes}")

    # One load ---------------------------------------------------------------------------------

    def run_load(self, scenario):
        running = self.start_all(scenario.contenders, scenario.wiring)
        try:
            self.same_body(running)
            rounds = []
            for number in range(scenario.rounds or self.options.rounds):
                turn = number % max(1, len(running))
                order = running[turn:] + running[:turn]
                rounds.append({c.name: self.visit(scenario, c, running) for c in order})
                self.tell(scenario, number, rounds[-1])
            return rounds
        finally:
            for contender in running:
                contender.stop()

    def visit(self, scenario, contender, running):
        for _ in range(1 + REPEATS):
            result = self.measure(scenario, contender, running)
            noisy = result["foreign_pct"] > FOREIGN_LIMIT_PERCENT
            result["kept"] = noisy and self.options.keep_disturbed
            result["disturbed"] = noisy and not result["kept"]
            if not result["disturbed"]:
                break
        return result

    def measure(self, scenario, contender, running):
        pids = contender.pids()
        ours = [mock.pid for mock in self.mocks] + [p for c in running for p in c.pids()]
        ticks = procs.user_share(pids)
        foreign = procs.ForeignWatch(ours)
        window = scenario.window_s or self.options.window
        argv = [contenders.load_program(), "--port", contender.port,
                "--warmup", self.options.warmup, "--window", window, *scenario.load_flags(contender)]
        for pid in pids:
            argv += ["--watch", pid]
        result = run_pinned(argv, timeout=window + self.options.warmup + 60)
        result["foreign_pct"] = round(foreign.percent(), 1)
        user, system = procs.user_share(pids, ticks)
        units = result["events"] if scenario.stream else result["answers"]
        result["units"] = units
        if result["event_reads"]:
            result["events_per_read"] = result["events"] / result["event_reads"]
        result["per_second"] = units / result["seconds"]
        result["cpu_us"] = result["cpu_ns"] / 1000 / units if units else None
        result["user_us"] = (result["cpu_us"] * user / (user + system)
                             if units and user + system else None)
        result["rss_kb"] = procs.rss_kb(pids)
        return result

    def tell(self, scenario, number, results):
        cells = ", ".join(
            f"{name} {r['cpu_us'] or 0:.1f}us{'*' if r['disturbed'] or r['kept'] else ''}"
            + (f" wrong={r['wrong']} broken={r['broken']} {r['last_wrong']}"
               if r["wrong"] or r["broken"] else "")
            for name, r in results.items())
        print(f"bench: {scenario.name} round {number + 1}: {cells}", file=sys.stderr)

    # Idle connections and start-up -------------------------------------------------------------

    def run_hold(self, hold):
        results = {}
        for name in hold.contenders:
            running = self.start_all([name], hold.wiring)
            if not running:
                continue
            try:
                results[name] = self.hold(hold, running[0])
                print(f"bench: {hold.name}: {name} {results[name]}", file=sys.stderr)
            finally:
                running[0].stop()
        return results

    def hold(self, hold, contender):
        flags = [*(["--tls"] if hold.wiring == "tls_both" else [])]
        warm = [contenders.load_program(), "--port", contender.port, "--connections", 4,
                "--requests", 200, "--warmup", 0, *flags]
        run_pinned(warm, timeout=60)
        pids = contender.pids()
        before = procs.rss_kb(pids)
        argv = [contenders.load_program(), "--port", contender.port, "--mode", "hold",
                "--connections", hold.count, *hold.flags, *flags]
        load = procs.spawn(argv, procs.METER_CPU, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if not select.select([load.stdout], [], [], HOLD_PATIENCE_S)[0]:
                return {"held": 0, "wrong": 0, "broken": 0, "kb_each": None}
            result = json.loads(load.stdout.readline())
            time.sleep(self.options.settle)
            after = procs.rss_kb(contender.pids())
            load.stdin.close()
            lost = json.loads(load.stdout.readline())["lost"]
        finally:
            procs.stop(load)
        held = result["held"] - lost
        return {"held": held, "wrong": result["wrong"], "broken": result["broken"],
                "rss_before_kb": before, "rss_after_kb": after,
                "kb_each": (after - before) / held if held == hold.count else None}

    def run_start(self):
        results = {}
        for name in scenarios.START_CONTENDERS:
            contender = self.available.get(name)
            if contender is None:
                continue
            times, rss = [], []
            for _ in range(min(3, self.options.rounds) if name in ("portkey", "litellm")
                           else self.options.rounds):
                try:
                    times.append(contender.start("plain") * 1000)
                    time.sleep(self.options.settle)
                    rss.append(procs.rss_kb(contender.pids()) / 1024)
                except contenders.Unavailable as reason:
                    self.missing[name] = str(reason)
                finally:
                    contender.stop()
            if times:
                results[name] = {"first_answer_ms": times, "idle_rss_mb": rss}
        return results


def run_pinned(argv, timeout):
    """Runs the load generator on its CPU; its JSON line."""
    process = procs.spawn(argv, procs.METER_CPU, stdout=subprocess.PIPE)
    try:
        output, _ = process.communicate(timeout=timeout)
    finally:
        procs.stop(process)
    if process.returncode != 0:
        sys.exit(f"bench: the load generator failed: {' '.join(map(str, argv))}")
    return json.loads(output)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modes", nargs="+", choices=scenarios.MODES, help="only these")
    parser.add_argument("--contenders", nargs="+", choices=[c.name for c in contenders.ALL],
                        help="only these")
    parser.add_argument("--rounds", type=int, help="default 7, with --quick 1")
    parser.add_argument("--window", type=float, help="counted seconds, default 4, with --quick 1.5")
    parser.add_argument("--quick", action="store_true", help="a look, not a judgement: under 2 min")
    parser.add_argument("--keep-disturbed", action="store_true",
                        help="count rounds that other programs disturbed")
    parser.add_argument("--json", type=Path, help="write every measurement to this file")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--run-dir", type=Path, help="keep configurations and logs here")
    options = parser.parse_args()
    quick = options.quick
    options.rounds = options.rounds or (1 if quick else 7)
    options.window = options.window or (1.5 if quick else 4)
    options.warmup = 1
    options.settle = 0.5 if quick else 1.5
    if quick and not options.modes:
        options.modes = ["json", "sse300", "tls", "idle_streams", "start"]
        options.contenders = options.contenders or ["direct", "nginx", "haproxy", "sluice"]
    return options


def run(options, run_dir):
    bench = Bench(options, run_dir)
    wanted = options.modes or scenarios.MODES
    results = {"loads": {}, "holds": {}, "start": {}}
    try:
        bench.start_mocks()
        for scenario in scenarios.LOADS:
            if scenario.name in wanted:
                results["loads"][scenario.name] = bench.run_load(scenario)
        for hold in scenarios.HOLDS:
            if hold.name in wanted:
                results["holds"][hold.name] = bench.run_hold(hold)
        if "start" in wanted:
            results["start"] = bench.run_start()
    finally:
        bench.stop()
    results["missing"] = bench.missing
    return results


def main():
    options = parse_arguments()
    if options.run_dir:
        options.run_dir.mkdir(parents=True, exist_ok=True)
        results = run(options, options.run_dir.resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as run_dir:
            results = run(options, run_dir)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    text = report.render(results, options)
    print(text)
    if options.write:
        report.write_into(contenders.ROOT / "docs" / "performance.md", text)


if __name__ == "__main__":
    main()
