#!/usr/bin/env python3
"""Which promise is held by which test.

A promise has an id (COST-4). It is kept when the name of a test holds it (COST_4 or COST-4), or when a table row of
docs/scope.md begins with it and says who takes it. Prints the ids that have neither; --list prints all of them with
their tests; --strict fails when one is missing.
"""

import argparse
import re
import sys
from pathlib import Path

import tree

_CPP_TEST = re.compile(r"\bTEST(?:_F|_P)?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)")
_PY_TEST = re.compile(r"^\s*(?:async\s+)?def\s+(test_\w+)", re.MULTILINE)
_JS_TEST = re.compile(r"\b(?:test|it)\s*\(\s*(?:'([^']*)'|\"([^\"]*)\"|`([^`]*)`)")
_SCOPE_ROW = re.compile(r"^\|\s*([A-Z]+-\d[^|]*)\|", re.MULTILINE)


def read_ids(text):
    """Expands "COST-1..3" into COST-1, COST-2, COST-3."""
    ids = []
    for match in re.finditer(r"^([A-Z]+)-(\d+)(?:\.\.(\d+))?$", text, re.MULTILINE):
        family, first, last = match.group(1), int(match.group(2)), int(match.group(3) or match.group(2))
        ids += [f"{family}-{number}" for number in range(first, last + 1)]
    return ids


def ids_in(name):
    """The ids that a test's name holds: COST_11 is COST-11, never COST-1."""
    return {f"{family}-{number}" for family, number in re.findall(r"(?<![A-Z])([A-Z]{2,})[_-](\d+)(?!\d)", name)}


def test_names(path, text):
    if path.suffix == ".cc":
        return [f"{suite}.{name}" for suite, name in _CPP_TEST.findall(text)]
    if path.suffix == ".py":
        return _PY_TEST.findall(text)
    return ["".join(found) for found in _JS_TEST.findall(text)]


def test_files(root):
    yield from (path for path in tree.files(root / "src", ["_test.cc"]))
    yield from (path for path in tree.files(root / "tests", ["_test.cc", ".py", ".test.js", ".test.mjs"]))


def kept_by(root):
    """{id: ["src/wire/sse_test.cc: Sse.COST_4_..."]}."""
    root, kept = Path(root), {}
    for path in test_files(root):
        for name in test_names(path, path.read_text(encoding="utf-8")):
            for found in ids_in(name):
                kept.setdefault(found, []).append(f"{path.relative_to(root).as_posix()}: {name}")
    scope = root / "docs/scope.md"
    if scope.exists():
        for cell in _SCOPE_ROW.findall(scope.read_text(encoding="utf-8")):
            for found in ids_in(cell):
                kept.setdefault(found, []).append("docs/scope.md")
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print every id with what keeps it")
    parser.add_argument("--strict", action="store_true", help="fail when an id is kept by nothing")
    options = parser.parse_args()

    ids = read_ids((tree.ROOT / "scripts/acceptance_ids.txt").read_text(encoding="utf-8"))
    kept = kept_by(tree.ROOT)
    if options.list:
        for name in ids:
            print(name, *kept.get(name, ["nothing"]), sep="\n    ")
    missing = [name for name in ids if name not in kept]
    rest = f"; not yet: {' '.join(missing)}" if missing else ""
    print(f"acceptance: {len(ids) - len(missing)} of {len(ids)} ids kept{rest}")
    return 1 if options.strict and missing else 0


if __name__ == "__main__":
    sys.exit(main())
