#!/usr/bin/env python3
"""Builds and runs every fuzz target for a while, two at a time; seeds come from fuzz/corpus/<target> and, for
what reads a dialect, from the golden files.

What a run finds on its way stays in build/fuzz/corpus, a crashing input in build/fuzz/artifacts.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import sanitizers
import tree
from run_tests import BUILD, Count, build


GOLDEN = tree.ROOT / "tests/golden"
# By target: pattern of golden files -> the bytes put before each, from which the target takes its subject.
GOLDEN_SEEDS = {
    "json": {"openai/*.json": [b""]},
    "sse": {"openai/*.stream.sse": [b""]},
    "openai": {
        "openai/*.request.json": [b"\x00"],
        "openai/*.bad.json": [b"\x00"],
        "openai/*.reply.json": [b"\x03"],
        "openai/*.stream.sse": [b"\x06", b"\x09"],
    },
    "responses": {
        "responses/*.request.json": [b"\x00"],
        "responses/*.bad.json": [b"\x00"],
        "responses/*.reply.json": [b"\x01"],
        "responses/*.stream.sse": [b"\x02"],
        "responses/*.script.txt": [b"\x03"],
    },
    "anthropic": {
        "anthropic/*.request.json": [b"\x00", b"\x01", b"\x02", b"\x03"],
        "anthropic/*.bad.json": [b"\x00"],
        "anthropic/*.reply.json": [b"\x04"],
        "anthropic/*.stream.sse": [b"\x05", b"\x06"],
    },
    "translate": {
        "translate/*.chat.json": [b"\x00"],
        "translate/*.reply.json": [b"\x01"],
        "cortex/*.reply.json": [b"\x02"],
        "translate/*.stream.sse": [b"\x03"],
        "cortex/*.stream.sse": [b"\x04"],
        "cortex/*.embed.json": [b"\x05"],
        "openai/embeddings_*.json": [b"\x05"],
    },
}


def golden_seeds(name):
    """A folder of seeds made from the golden files, or nothing."""
    if name not in GOLDEN_SEEDS:
        return []
    folder = BUILD / "fuzz/seeds" / name
    folder.mkdir(parents=True, exist_ok=True)
    for pattern, prefixes in GOLDEN_SEEDS[name].items():
        for file in GOLDEN.glob(pattern):
            for number, prefix in enumerate(prefixes):
                (folder / f"{file.parent.name}-{file.name}.{number}").write_bytes(prefix + file.read_bytes())
    return [folder]


def run_target(binary, seconds):
    """(name, exit code, the end of what it said)."""
    name = binary.name.removesuffix("_fuzz")
    grown, artifacts, seeds = BUILD / "fuzz/corpus" / name, BUILD / "fuzz/artifacts", tree.ROOT / "fuzz/corpus" / name
    grown.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]
    words = [*sanitizers.prefix(), binary, *limits, f"-artifact_prefix={artifacts}/{name}-", grown, *golden_seeds(name)]
    if seeds.is_dir():
        words.append(seeds)
    run = subprocess.run(
        words, env=sanitizers.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return name, run.returncode, run.stdout.decode(errors="replace")


def executions(output):
    for line in output.splitlines():
        if line.startswith("stat::number_of_executed_units:"):
            return int(line.split()[-1])
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    options = parser.parse_args()

    names = sorted(source.stem for source in (tree.ROOT / "fuzz").glob("*_fuzz.cc"))
    build("fuzz", names)
    binaries = [BUILD / "fuzz/fuzz" / name for name in names]
    total = Count()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, exit_code, output in pool.map(lambda binary: run_target(binary, options.seconds), binaries):
            runs = executions(output)
            if exit_code == 0 and runs > 0:
                total.passed += 1
                print(f"fuzz {name}: clean after {runs} inputs", flush=True)
            else:
                total.failed += 1
                print(f"{output[-6000:]}\nfuzz {name}: failed (exit code {exit_code})", flush=True)
    print(total)
    return 0 if total.passed and not total.failed else 1


if __name__ == "__main__":
    sys.exit(main())
