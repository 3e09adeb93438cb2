#!/usr/bin/env python3
"""What the documents say is there, is there: links to files, `make` doors, paths of the tree.

A fenced block whose info string is `LANGUAGE test=NAME` (a command in sh, a configuration in yaml) is used by a test,
which gets it from runnable_block(NAME).
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import tree

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_MAKE = re.compile(r"`make ([a-z][a-z-]*)`")
_PATH = re.compile(r"`((?:src|tests|fuzz|bench|scripts|docs|cmake)/[\w./-]+\.\w+)`")
# architecture.md is the contract for the whole project, doors and rooms still to come included.
_AHEAD = {"docs/architecture.md"}


@dataclass
class Block:
    file: str
    line: int
    name: str
    language: str
    text: str


def documents(root):
    root = Path(root)
    return [path for path in (root / "README.md", root / "CONTRIBUTING.md") if path.exists()] + list(
        tree.files(root / "docs", [".md"])
    )


def runnable_blocks(root):
    """Every block marked `test=NAME` in the documents under `root`."""
    blocks = []
    for path in documents(root):
        text = path.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            marked = re.fullmatch(r"(\w+) test=([\w-]+)\s*", match.group("info"))
            if marked:
                line = text.count("\n", 0, match.start()) + 1
                name = path.relative_to(root).as_posix()
                blocks.append(Block(name, line, marked.group(2), marked.group(1), match.group("body").strip()))
    return blocks


def runnable_block(name, root=tree.ROOT):
    """The one block called `name`. Raises LookupError when there is none, or more than one."""
    found = [block for block in runnable_blocks(root) if block.name == name]
    if len(found) != 1:
        raise LookupError(f"{len(found)} blocks are marked `test={name}`; one should be")
    return found[0]


def doors(root):
    makefile = (Path(root) / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def check_document(path, root):
    name, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")

    def at(match):
        return f"{name}:{text.count(chr(10), 0, match.start()) + 1}"

    for match in _LINK.finditer(text):
        target = match.group(1).split("#")[0]
        if target and "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
            yield f"{at(match)}: link to {target}: no such file"
    if name in _AHEAD:
        return
    known = doors(root)
    for match in _MAKE.finditer(text):
        if match.group(1) not in known:
            yield f"{at(match)}: `make {match.group(1)}`: no such door in the Makefile"
    for match in _PATH.finditer(text):
        if not (Path(root) / match.group(1)).exists():
            yield f"{at(match)}: {match.group(1)}: no such file"


def check(root):
    for path in documents(root):
        yield from check_document(path, Path(root))
    names = [block.name for block in runnable_blocks(root)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two blocks are marked `test={name}`"


def main():
    findings = list(check(tree.ROOT))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
