"""The project's own files: what the checks read. No git needed, so it works on an unpacked archive too."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_SKIPPED = {"build", "node_modules", "__pycache__", "sluice-data"}
_HIDDEN_BUT_OURS = {".ci", ".githooks"}


def files(root, suffixes=None):
    """Yields every file under `root`, sorted, as Path; only those ending in one of `suffixes` if given."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and (not name.startswith(".") or name in _HIDDEN_BUT_OURS)
        )
        # In a worktree .git is a file that says where the repository is.
        for name in sorted(set(names) - {".git"}):
            if suffixes is None or name.endswith(tuple(suffixes)):
                yield Path(folder) / name
