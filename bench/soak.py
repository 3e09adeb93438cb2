#!/usr/bin/env python3
"""Mixed soak: buffered chats, streams, upstream errors, cut answers, unknown models, malformed
requests and clients that hang up, all at once. Fails when memory or descriptors grow after the
warm-up, or when traffic that should succeed does not.
"""

import argparse
import json
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import contenders
import procs
import scenarios

# What one leaked byte per request would show as at about 600 requests/s is 35 KB a minute; the
# limit leaves room for the allocator's own wandering.
GROWTH_LIMIT_KB_PER_MINUTE = 100
LEAST_GROWTH_LIMIT_KB = 512
DESCRIPTOR_SLACK = 16
SAMPLE_S = 2

BAD_MODELS = ("bench-500", "bench-429", "bench-cut")

# (name, flags, must succeed)
TRAFFIC = (
    ("chat", ("--mode", "rate", "--rate", 400, "--connections", 64, "--expect-bytes",
              scenarios.JSON_BYTES), True),
    ("streams", ("--connections", 50, "--stream", "--include-usage", "--stagger", 0.6,
                 "--expect-events", scenarios.STREAM_EVENTS), True),
    ("metered streams", ("--connections", 20, "--stream", "--stagger", 0.6, "--expect-events",
                         scenarios.METERED_EVENTS), True),
    ("upstream 500", ("--mode", "rate", "--rate", 20, "--model", "bench-500"), False),
    ("upstream 429", ("--mode", "rate", "--rate", 5, "--model", "bench-429"), False),
    ("cut answers", ("--mode", "rate", "--rate", 10, "--model", "bench-cut"), False),
    ("cut streams", ("--mode", "rate", "--rate", 10, "--model", "bench-cut", "--stream"), False),
    ("unknown models", ("--mode", "rate", "--rate", 20, "--model", "no-such-model"), False),
)


class SoakedSluice(contenders.Sluice):
    """The bench's Sluice, with the failing models on a provider of their own."""

    def command(self):
        argv = super().command()
        path = self.dir / "sluice.yaml"
        text = path.read_text()
        good = f"    models: [{contenders.MODEL}]\n    open: false\n"
        text = text.replace("    api_key: bench\n", "    api_key: bench\n" + good, 1)
        text = text.replace("default_provider: bench\n", f"""\
  failing:
    kind: openai
    base_url: http://127.0.0.1:{self.upstream}/v1
    api_key: bench
    models: [{', '.join(BAD_MODELS)}]
    open: false
""")
        path.write_text(text)
        return argv


class Canceller(threading.Thread):
    """Clients that leave in mid-answer, politely or with a reset, and some that speak nonsense."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.over = threading.Event()
        self.done = 0

    def run(self):
        chance = random.Random(7)
        while not self.over.wait(0.03):
            try:
                self.once(chance)
                self.done += 1
            except OSError:
                continue

    def once(self, chance):
        with socket.create_connection(("127.0.0.1", self.port), timeout=0.5) as client:
            client.sendall(self.request(chance))
            if chance.random() < 0.7:
                client.recv(4096)
            if chance.random() < 0.5:  # closes with a reset
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def request(self, chance):
        bodies = (
            f'{{"model":"{contenders.MODEL}","stream":true,"messages":[{{"role":"user","content":"x"}}]}}',
            f'{{"model":"{contenders.MODEL}","messages":[{{"role":"user","content":"x"}}]}}',
            '{"model":"bench-chat","messages":[',
            '{"model":7}',
        )
        body = chance.choice(bodies)
        length = len(body) + (100 if chance.random() < 0.1 else 0)  # some bodies never arrive
        return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n"
                f"Content-Type: application/json\r\n\r\n{body}").encode()


def slope_per_minute(samples):
    """Least-squares slope of (seconds, value) pairs, per minute."""
    mean_t = sum(t for t, _ in samples) / len(samples)
    mean_v = sum(v for _, v in samples) / len(samples)
    above = sum((t - mean_t) * (v - mean_v) for t, v in samples)
    below = sum((t - mean_t) ** 2 for t, _ in samples)
    return 60 * above / below if below else 0.0


def start_traffic(port, seconds):
    running = []
    for name, flags, must_succeed in TRAFFIC:
        argv = [contenders.load_program(), "--port", port, "--warmup", 1, "--window", seconds, *flags]
        process = procs.spawn(argv, procs.METER_CPU, stdout=subprocess.PIPE)
        running.append((name, process, must_succeed))
    return running


def sample(sluice, seconds):
    """(seconds, RSS KB, descriptors) every SAMPLE_S while the traffic runs."""
    samples, started = [], time.monotonic()
    while time.monotonic() - started < seconds:
        time.sleep(SAMPLE_S)
        pids = sluice.pids()
        samples.append((time.monotonic() - started, procs.rss_kb(pids), procs.open_descriptors(pids)))
        if len(samples) % 15 == 0:
            at, rss, descriptors = samples[-1]
            print(f"soak: {at:5.0f} s: {rss:,} KB, {descriptors} descriptors", file=sys.stderr)
    return samples


def collect_traffic(traffic, faults):
    for name, process, must_succeed in traffic:
        output, _ = process.communicate(timeout=120)
        answer = json.loads(output)
        bad = answer["wrong"] + answer["broken"]
        print(f"soak: {name}: {answer['answers']:,} good, {answer['wrong']:,} refused, "
              f"{answer['broken']:,} broken, p99 {answer['p99_us'] / 1000:.1f} ms")
        if must_succeed and (bad or not answer["answers"]):
            faults.append(f"{name}: {bad} of its answers were not good ({answer['last_wrong']})")
        if not must_succeed and answer["answers"]:
            faults.append(f"{name}: {answer['answers']} were answered as if nothing were wrong")


def judge(samples, warmup_s, faults):
    settled = [s for s in samples if s[0] > warmup_s]
    minutes = (settled[-1][0] - settled[0][0]) / 60
    for title, column, limit in (
            ("memory, KB", 1, max(LEAST_GROWTH_LIMIT_KB, GROWTH_LIMIT_KB_PER_MINUTE * minutes)),
            ("descriptors", 2, DESCRIPTOR_SLACK)):
        growth = slope_per_minute([(s[0], s[column]) for s in settled]) * minutes
        low, high = min(s[column] for s in settled), max(s[column] for s in settled)
        print(f"soak: {title}: {low:,}..{high:,}, fitted growth {growth:+,.0f} in {minutes:.1f} min "
              f"(limit {limit:,.0f})")
        if growth > limit:
            faults.append(f"{title} grew by {growth:,.0f} in {minutes:.1f} min")


def soak(sluice, minutes, faults):
    sluice.start("plain")
    idle = procs.open_descriptors(sluice.pids())
    seconds = minutes * 60
    canceller = Canceller(sluice.port)
    canceller.start()
    traffic = start_traffic(sluice.port, seconds)
    samples = sample(sluice, seconds)
    collect_traffic(traffic, faults)
    canceller.over.set()
    canceller.join()
    print(f"soak: {canceller.done:,} clients left early or spoke nonsense")
    time.sleep(5)
    after = procs.open_descriptors(sluice.pids())
    # A request in flight holds two descriptors; only its upstream connection may be kept.
    allowed = idle + (max(s[2] for s in samples) - idle) // 2 + DESCRIPTOR_SLACK
    print(f"soak: descriptors: {idle} before, {after} after (limit {allowed})")
    if after > allowed:
        faults.append(f"{after} descriptors stay open after the traffic, {idle} before")
    judge(samples, min(60.0, seconds / 3), faults)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    faults = []
    with tempfile.TemporaryDirectory(prefix="sluice-soak-") as run_dir:
        cert, key = contenders.certificate(run_dir)
        sluice = SoakedSluice(Path(run_dir), cert, key)
        mock = procs.spawn([contenders.mock_program(), "--port", contenders.MOCK_PORT],
                           procs.METER_CPU)
        try:
            sluice.prepare()
            soak(sluice, options.minutes, faults)
        except contenders.Unavailable as reason:
            sys.exit(f"soak: {reason}")
        finally:
            sluice.stop()
            procs.stop(mock)
    for fault in faults:
        print(f"soak: FAILED: {fault}")
    print("soak: failed" if faults else "soak: passed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
