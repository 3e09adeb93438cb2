#!/usr/bin/env bash
# All that can be said about the code without building it. Runs every check, then fails if one found something.
# The git hook (.githooks/pre-commit) and .ci/run call exactly this.
set -uo pipefail
cd "$(dirname "$0")/.."

bad=()
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "$name: clean"
  else
    echo "$name:"
    sed 's/^/  /' <<<"$output"
    bad+=("$name")
  fi
}

long_files() {
  find src tests fuzz bench -name node_modules -prune -o -type f \( -name '*.cc' -o -name '*.h' \) -print0 |
    xargs -0 -r wc -l | awk '$2 != "total" && $1 > 400 {print "warning: " $2 ": " $1 " lines; would two files be clearer?"}'
}

check format scripts/format.sh
check layers python3 scripts/check_layers.py
check bans python3 scripts/check_bans.py
check headers python3 scripts/check_headers.py
check docs python3 scripts/check_docs.py
check "scripts' tests" python3 -m unittest discover -q -s scripts/tests -t scripts
check "bench's tests" python3 -m unittest discover -q -s bench -p '*_test.py'
long_files
check "promises kept" python3 scripts/acceptance.py --strict

if ((${#bad[@]})); then
  echo "make check: findings in: ${bad[*]}"
  exit 1
fi
