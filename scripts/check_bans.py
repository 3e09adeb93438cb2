#!/usr/bin/env python3
"""Fails where the code does what scripts/bans.txt forbids, and says why it is forbidden."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import tree

_TEXT = (".h", ".cc", ".py", ".sh", ".js", ".mjs", ".ts", ".json", ".md", ".txt", ".cmake", ".yaml", ".yml", ".svg")


@dataclass
class Ban:
    pattern: re.Pattern
    why: str = ""
    read: str = "code"
    within: list = field(default_factory=list)
    allowed: list = field(default_factory=list)

    def holds_for(self, name):
        return any(g.fullmatch(name) for g in self.within) and not any(g.fullmatch(name) for g in self.allowed)


def glob(text):
    """A glob as a regular expression: * stays in a folder, ** crosses folders."""
    out = ""
    for part in re.split(r"(\*\*/|\*\*|\*)", text):
        out += {"**/": "(.*/)?", "**": ".*", "*": "[^/]*"}.get(part) or re.escape(part)
    return re.compile(out)


def read_bans(text):
    """The stanzas of bans.txt. Raises ValueError on a line it does not know."""
    bans = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.partition(" ")
        value = value.strip()
        if key == "ban":
            bans.append(Ban(re.compile(value)))
        elif key in ("why", "read") and bans:
            setattr(bans[-1], key, value)
        elif key in ("in", "allow") and bans:
            (bans[-1].within if key == "in" else bans[-1].allowed).extend(glob(word) for word in value.split())
        else:
            raise ValueError(f"scripts/bans.txt:{number}: unknown line: {line}")
    for ban in bans:
        if not ban.why or not ban.within or ban.read not in ("code", "text"):
            raise ValueError(f"scripts/bans.txt: the ban on {ban.pattern.pattern} needs `why`, `in` and a known `read`")
    return bans


_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>\bR"(?P<mark>[^\s()\\]{0,16})\((?P<body>.*?)\)(?P=mark)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![\w])'(?:\\.|[^'\\\n])+')""",
    re.VERBOSE | re.DOTALL,
)


def code_of(text):
    """C++ without comments and without what strings hold; every line keeps its number."""

    def blank(match):
        keep = "" if match.group("comment") is not None else '""'
        return keep + "\n" * match.group(0).count("\n")

    includes_kept = re.sub(r'(?m)^(\s*#\s*include\s*)"([^"\n]*)"', r"\1<\2>", text)
    return _TOKEN.sub(blank, includes_kept)


def check_text(name, text, bans):
    """Yields (line number, matched words, why) for each ban that `text` breaks."""
    code = None
    for ban in bans:
        if not ban.holds_for(name):
            continue
        if ban.read == "code" and code is None:
            code = code_of(text)
        subject = text if ban.read == "text" else code
        for match in ban.pattern.finditer(subject):
            yield subject.count("\n", 0, match.start()) + 1, " ".join(match.group(0).split()), ban.why


def check(root, bans):
    root = Path(root)
    for path in tree.files(root):
        if path.suffix not in _TEXT and path.suffix != "" or path.name == "package-lock.json":
            continue
        name = path.relative_to(root).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a golden file or a corpus entry of bytes
        for line, words, why in check_text(name, text, bans):
            yield f"{name}:{line}: {words}: {why}"


def main():
    bans = read_bans((tree.ROOT / "scripts/bans.txt").read_text(encoding="utf-8"))
    findings = list(check(tree.ROOT, bans))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
