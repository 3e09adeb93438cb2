"""A small tree to check, written from {path: text}."""

import tempfile
from pathlib import Path


def write_tree(case, files):
    """A folder with `files`, gone when the test `case` ends."""
    folder = tempfile.TemporaryDirectory()
    case.addCleanup(folder.cleanup)
    for name, text in files.items():
        path = Path(folder.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Path(folder.name)
