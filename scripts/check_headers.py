#!/usr/bin/env python3
"""Every header compiles alone.

A header x.h beside an x.cc (or x_test.cc) that includes it first is proved by every build; this script sees that
the include does come first, and compiles only the headers that no such file proves. --all compiles each of them.
"""

import argparse
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

_FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
_LIBRARIES = ["openssl", "simdjson", "sqlite3", "yaml-cpp", "zlib", "libbrotlidec", "libzstd", "fmt"]


def first_include(path):
    match = _FIRST_INCLUDE.search(path.read_text(encoding="utf-8"))
    return match.group(1) if match else None


def sort_headers(root):
    """(findings, headers that no source file proves) of the tree under `root`/src."""
    src = Path(root) / "src"
    findings, unproved = [], []
    for header in tree.files(src, [".h"]):
        own = header.relative_to(src).as_posix()
        if "#pragma once" not in header.read_text(encoding="utf-8"):
            findings.append(f"src/{own}: no #pragma once")
        source, test = header.with_suffix(".cc"), header.with_name(header.stem + "_test.cc")
        if source.exists() and first_include(source) != own:
            findings.append(f'src/{own[:-2]}.cc: its first include is not "{own}", so nothing proves that header alone')
        if not any(path.exists() and first_include(path) == own for path in (source, test)):
            unproved.append(header)
    return findings, unproved


def library_flags():
    run = subprocess.run(["pkg-config", "--cflags", *_LIBRARIES], capture_output=True, text=True, check=True)
    return shlex.split(run.stdout)


def compile_alone(header, root, flags):
    """The compiler's words when `header` does not compile alone; None when it does."""
    command = ["clang++-16", "-std=c++20", "-fsyntax-only", "-w", f"-I{root}/src", f"-I{root}"]
    command += [*flags, "-x", "c++", str(header)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if run.returncode == 0 else f"{Path(header).relative_to(root)}: does not compile alone\n{run.stderr}"


def check(root, compile_all=False):
    findings, headers = sort_headers(root)
    if compile_all:
        headers = list(tree.files(Path(root) / "src", [".h"]))
    headers += list(tree.files(Path(root) / "tests", [".h"]))
    flags = library_flags()
    with ThreadPoolExecutor(2) as pool:
        findings += [why for why in pool.map(lambda header: compile_alone(header, root, flags), headers) if why]
    return findings


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="compile each header, the proved ones too")
    findings = check(tree.ROOT, parser.parse_args().all)
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
