#!/usr/bin/env python3
"""A ledger of ten million rows in a month: how long a start, a month's report and the sums of old rows take.

Makes the file (some 3 GB in --folder, kept for the next run), then measures the real program on it.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MONTH_MS = 30 * 86_400_000
PIECE = 250_000
KEYS, USERS, MODELS = 50, 1_000, 20


def draw(title, share):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{title} [{'#' * int(30 * share):-<30}] {100 * share:3.0f} %" + ("\n" if share == 1 else ""))


def fill(path, rows):
    """Rows as a gateway without sums would have left them: the next start finds them all to be summed."""
    first, step = int(time.time() * 1000) - MONTH_MS, MONTH_MS / rows
    with closing(sqlite3.connect(path)) as ledger:
        ledger.execute("PRAGMA synchronous=OFF")
        with ledger:
            names = ["ok", "upstream_error", "chat", "openai", "tier2", "catalog 2026-11-23"]
            names += [f"model-{n}" for n in range(MODELS)]
            ledger.executemany("INSERT INTO name VALUES (?, ?)", list(enumerate(names, 1)))
            ledger.executemany(
                "INSERT INTO caller VALUES (?, 'acme', ?, ?, 'prod')",
                [(n + 1, f"team {n % 7}", f"key {n}") for n in range(KEYS)],
            )
        for done in range(0, rows, PIECE):
            draw("fill", done / rows)
            with ledger:
                ledger.execute(
                    "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
                    " INSERT INTO exchange(key, request_tail, started_micros, trace_id, endpoint, asked_model, alias,"
                    " provider, model, user, outcome, result, status, stream, plain_input, cache_read, cache_write,"
                    " cache_write_1h, audio_input, visible_output, reasoning, audio_output, usage_source, cost,"
                    " cost_source, price_notes, price_version, duration, ttft, upstream, overhead, bytes_in, bytes_out,"
                    " events, slim, caller, charged)"
                    " SELECT (CAST(? + i * ? AS INTEGER) << 21) + (i & 32767), random(),"
                    " CAST(? + i * ? AS INTEGER) * 1000, randomblob(16), 3, 'tier2', 5, 4, 7 + abs(random()) % ?,"
                    " 'user ' || abs(random()) % ?, 1 + (i % 97 = 0), 1, 200, i & 1, 812, 128, 0, 0, 0, 230, 64, 0, 1,"
                    " 500000, 1, 0, 6, 812345, 210456, 812000, 37, 2000, 9000, 60, 0, 1 + abs(random()) % ?, 500000"
                    " FROM n",
                    (done, min(rows, done + PIECE), first, step, first, step, MODELS, USERS, KEYS),
                )
        with ledger:
            ledger.execute(
                "INSERT INTO usage_total SELECT 'openai', 'model', '', 0, 0, count(*), 0, sum(plain_input),"
                " sum(cache_read), sum(visible_output), sum(reasoning), sum(cost) FROM exchange"
            )
            ledger.execute("UPDATE mark SET value = (SELECT max(key) + 1 FROM exchange) WHERE name = 'summed_from'")
        draw("fill", 1)


class Gateway:
    def __init__(self, program, folder):
        words = [program, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", folder]
        began = time.monotonic()
        self.child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.child.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if said.get("msg") == "serving":
                self.seconds, self.url = time.monotonic() - began, said["api"]
                return
        raise SystemExit("the gateway did not start")

    def stop(self):
        self.child.terminate()
        self.child.communicate()


def report(program, ledger, *words):
    began = time.monotonic()
    done = subprocess.run([program, "usage", "--json", "--ledger", ledger, *words], capture_output=True, check=True)
    return time.monotonic() - began, json.loads(done.stdout)["total"]["requests"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/sluice")
    parser.add_argument("--folder", default=ROOT / "build/ledger-bench", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    ledger = options.folder / "ledger.db"
    if not ledger.exists():
        options.folder.mkdir(parents=True)
        Gateway(options.program, options.folder).stop()
        fill(ledger, options.rows)
    gateway = Gateway(options.program, options.folder)
    print(f"start, all rows still to be summed: {gateway.seconds:.2f} s")
    began = time.monotonic()
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as reader:
        while (left := reader.execute("SELECT value FROM mark WHERE name = 'summed_from'").fetchone()[0]) > 0:
            first, last = reader.execute("SELECT min(key), max(key) FROM exchange").fetchone()
            draw("sum", 1 - (left - first) / max(1, last - first))
            time.sleep(0.5)
    print(f"sums of {options.rows} rows, beside serving: {time.monotonic() - began:.0f} s")
    gateway.stop()
    gateway = Gateway(options.program, options.folder)
    print(f"start, all rows summed: {gateway.seconds:.2f} s")
    for by in ("model", "day", "user", "key"):
        for words in (("--since", "29d"), ()):
            took = min(report(options.program, ledger, "--by", by, *words) for _ in range(5))
            print(f"usage --by {by} {' '.join(words)}: {1000 * took[0]:.0f} ms for {took[1]} requests")
    urllib.request.urlopen(gateway.url + "/livez", timeout=10).read()
    gateway.stop()


if __name__ == "__main__":
    main()
