#!/usr/bin/env bash
# Installs from Debian 12 what is missing, and nothing else. Says nothing when all is there.
#
#   scripts/install.sh build          compiler, linker, libraries
#   scripts/install.sh build test     and what the tests need
#   scripts/install.sh build bench    and what the benchmark needs
#   scripts/install.sh build tidy     and what `make tidy` needs
set -euo pipefail

build=(clang-16 mold lld-16 ccache cmake ninja-build pkg-config ca-certificates libssl-dev libsimdjson-dev
  libsqlite3-dev libyaml-cpp-dev libcli11-dev libfmt-dev zlib1g-dev libbrotli-dev libzstd-dev
  libhowardhinnant-date-dev tzdata libpq-dev
  libgtest-dev libgmock-dev)
test=(clang-format-16 libclang-rt-16-dev llvm-16 openssl curl redis-server postgresql)
bench=(nginx-light haproxy valgrind libbenchmark-dev openssl)
tidy=(clang-tidy-16)

missing=()

# nginx-full is as good as nginx-light: what counts for these is the program.
declare -A program=([nginx-light]=nginx [haproxy]=haproxy [valgrind]=valgrind [openssl]=openssl
  [redis-server]=redis-server [curl]=curl [cmake]=cmake [ninja-build]=ninja [pkg-config]=pkg-config [ccache]=ccache [mold]=mold)

need_packages() {
  local name
  for name in "$@"; do
    if [[ -n ${program[$name]:-} ]] && PATH=$PATH:/usr/sbin command -v "${program[$name]}" >/dev/null; then
      continue
    fi
    grep -qxF "$name" <<<"$installed" || missing+=("$name")
  done
}

# Python and Node may come from elsewhere than Debian; then Debian's would stand in their way.
need_python_and_node() {
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
  command -v node >/dev/null || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
}

installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^ii *//p')
for group in "$@"; do
  case $group in
    build) need_packages "${build[@]}" ;;
    test) need_packages "${test[@]}"; need_python_and_node ;;
    bench) need_packages "${bench[@]}"; need_python_and_node ;;
    tidy) need_packages "${tidy[@]}" ;;
    *) echo "install.sh: no group '$group' (build, test, bench, tidy)" >&2; exit 2 ;;
  esac
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

sudo=()
if [[ $(id -u) != 0 ]]; then
  sudo=(sudo)
  if ! command -v sudo >/dev/null; then
    echo "install.sh: as root, run: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi

echo "installing from Debian: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${sudo[@]}" apt-get update -q &&
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qy --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 30 "$log" >&2
  exit 1
fi
