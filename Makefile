# The front door. Each door is a line or two over scripts/ and the presets of CMakePresets.json.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help run build test check fmt tidy asan tsan fuzz bench guard soak faults bench-programs golden

help: ## list the doors
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

run: build ## install what is missing, build, start the gateway on 127.0.0.1:8080 (admin: 8081)
	@exec build/release/sluice serve --listen 127.0.0.1:8080 --admin-listen 127.0.0.1:8081

build: ## the release binary: build/release/sluice
	@scripts/install.sh build
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release --target sluice

test: ## install what is missing, then build and run every test, with address and undefined-behaviour sanitizers
	@scripts/install.sh build test
	@scripts/run_tests.py

check: ## format, layers, bans, headers, documents: under a minute, fails on any finding
	@scripts/install.sh build test
	@scripts/check.sh

fmt: ## format the C++
	@scripts/install.sh test
	@scripts/format.sh --fix

tidy: ## clang-tidy over src/ (some minutes)
	@scripts/install.sh build tidy
	@cmake --preset dev --log-level=WARNING >/dev/null
	@run-clang-tidy-16 -quiet -p build/dev '/src/'

asan: test ## the same as test: its build is the sanitizer build

tsan: ## every test, with the thread sanitizer
	@scripts/install.sh build test
	@scripts/run_tests.py --preset tsan

fuzz: ## each fuzz target for 60 seconds
	@scripts/install.sh build test
	@scripts/run_fuzz.py

bench: bench-programs ## side by side with nginx, haproxy and other gateways; prints one table of ratios
	@python3 bench/bench.py

guard: bench-programs ## instructions of a request and of a streamed event; fails when they grow by over a tenth
	@python3 bench/guard.py

soak: bench-programs ## ten minutes of mixed traffic; fails if memory or descriptors grow
	@python3 bench/soak.py

faults: build ## some ten minutes of failing upstreams, then rushes on budgets, kills and power cuts of the ledger; fails when a goal is missed
	@python3 tests/faults/campaign.py
	@scripts/install.sh test
	@python3 tests/faults/overruns.py
	@cmake --build --preset release --target telemetry_test
	@python3 tests/faults/crashes.py

bench-programs: build
	@scripts/install.sh bench
	@cmake --build --preset release --target mock_upstream bench_load

golden: ## rewrite the golden files from what the code does now; review the diff
	@scripts/install.sh build test
	@SLUICE_REWRITE_GOLDEN=1 scripts/run_tests.py --only unit
	@build/dev/src/wire_test --rewrite-golden >/dev/null
	@git --no-pager diff --stat -- tests/golden
