#!/usr/bin/env bash
# Says where the C++ is not formatted as .clang-format has it; with --fix, formats it.
set -euo pipefail
cd "$(dirname "$0")/.."
how=(--dry-run -Werror)
[[ ${1:-} == --fix ]] && how=(-i)
find src tests fuzz bench -name node_modules -prune -o -type f \( -name '*.cc' -o -name '*.h' \) -print0 |
  xargs -0 -r -P 2 -n 40 clang-format-16 "${how[@]}"
