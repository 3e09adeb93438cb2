#!/usr/bin/env python3
"""The house's only rule: a room includes strictly lower layers, never a sibling (docs/architecture.md).

Reads every `#include "room/..."` under src/, and the DEPS of src/CMakeLists.txt, which must say the same:
each DEPS entry is a lower room, and each included room is reached through DEPS.
"""

import re
import sys
from pathlib import Path

import tree

LAYERS = [
    ["base"],
    ["net", "wire", "store"],
    ["providers", "routing", "cache", "governance", "telemetry"],
    ["gateway"],
    ["api"],
    ["app"],
]
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}

_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
_ROOM = re.compile(r"sluice_room\(\s*(\w+)([^)]*)\)")


def read_deps(cmake_text):
    """{room: its DEPS} of a src/CMakeLists.txt."""
    deps = {}
    text = re.sub(r"#.*", "", cmake_text)
    for room, rest in _ROOM.findall(text):
        words = rest.split()
        start = words.index("DEPS") + 1 if "DEPS" in words else len(words)
        end = words.index("LIBS") if "LIBS" in words else len(words)
        deps[room] = words[start:end]
    return deps


def closure(room, deps):
    """Every room that `room` may use by its links."""
    reached, waiting = set(), list(deps.get(room, []))
    while waiting:
        other = waiting.pop()
        if other not in reached:
            reached.add(other)
            waiting.extend(deps.get(other, []))
    return reached


def refusal(room, other):
    """Why `room` may not use `other`; None when it may."""
    if other not in RANK:
        return f"'{other}' is no room of the house"
    if RANK[other] > RANK[room]:
        return f"{room} (L{RANK[room]}) reaches up to {other} (L{RANK[other]})"
    if RANK[other] == RANK[room]:
        return f"{room} and {other} are siblings of L{RANK[room]}: they do not know each other"
    return None


def check_links(deps):
    for room, others in deps.items():
        if room not in RANK:
            yield f"src/CMakeLists.txt: '{room}' is no room of the house"
            continue
        for other in others:
            why = refusal(room, other)
            if why:
                yield f"src/CMakeLists.txt: DEPS of {room}: {why}"


def check_include(room, included, is_test, allowed):
    other = included.split("/")[0]
    if other == room:
        return None
    if other == "tests":
        return None if is_test else "only tests may include tests/"
    why = refusal(room, other)
    if why is None and other not in allowed:
        why = f"src/CMakeLists.txt gives {room} no link to {other}: add it to DEPS"
    return why


def check_file(path, name, room, allowed):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = _INCLUDE.match(line)
        if match:
            why = check_include(room, match.group(1), "_test" in path.stem, allowed)
            if why:
                yield f'{name}:{number}: #include "{match.group(1)}": {why}'


def check(root):
    root = Path(root)
    deps = read_deps((root / "src/CMakeLists.txt").read_text(encoding="utf-8"))
    yield from check_links(deps)
    for path in tree.files(root / "src", [".h", ".cc"]):
        name = path.relative_to(root)
        if len(name.parts) < 3:
            yield f"{name}: a source file stands in a room"
        elif name.parts[1] not in RANK:
            yield f"{name}: '{name.parts[1]}' is no room of the house (scripts/check_layers.py lists them)"
        else:
            room = name.parts[1]
            yield from check_file(path, name, room, closure(room, deps))


def main():
    findings = list(check(tree.ROOT))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
