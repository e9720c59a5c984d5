# README's two commands are `make run` and `make test`. Both make .venv when it is missing or old; tests and
# checks add the packages of requirements-dev.txt.
PYTHON ?= python3
PORT ?= 8000
PY := .venv/bin/python

.PHONY: run install test lint bench-scoring bench-intervals bench-generation bench-training bench-pages bench-pipeline bench-review bench-page bench-search bench-freeze bench-import bench-queues bench-hostile clean help

run: .venv/installed
	@exec $(PY) manage.py quickstart --port $(PORT)

install: .venv/installed-dev

help:
	@grep -oE '^[a-z][a-z-]*:' Makefile | tr -d ':'

.venv/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 run" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "This Python has no venv module. On Debian: apt install python3-venv" >&2; exit 1; }
	@free=$$(df -Pk . | awk 'NR==2 {print $$4}'); test "$$free" -gt 6000000 || \
	  { echo "Only $$((free / 1024)) MB are free on this disk; the packages need 6 GB." >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip -q
	@echo "Installing the packages into .venv (once; some minutes) ..."
	@$(PY) -m pip install -q --disable-pip-version-check --no-compile --only-binary :all: -r requirements.txt || \
	  { echo "The packages could not be installed: see the lines above. Everything comes as a wheel, so no compiler is needed; a network that reaches a package index is." >&2; exit 1; }
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@echo "Installing what tests and checks need ..."
	@$(PY) -m pip install -q --disable-pip-version-check --no-compile --only-binary :all: -r requirements-dev.txt || \
	  { echo "The packages of requirements-dev.txt could not be installed: see the lines above." >&2; exit 1; }
	@touch $@

# One process for each core, four at most; the files in their order, so that the longest go first.
# `make test JOBS=0 ARGS=tests/curation` runs in one process.
JOBS ?= auto
test: .venv/installed-dev
	@$(PY) -m pytest -n $(JOBS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/installed-dev
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/djlint templates --lint --quiet
	@.venv/bin/mypy
	@.venv/bin/hadolint deploy/containers/*.Containerfile
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@.venv/bin/lint-imports --no-cache
	@$(PY) manage.py makemigrations --check --dry-run

bench-scoring: .venv/installed-dev
	@$(PY) -m tests.benchmarks.scoring $(ARGS)
bench-intervals: .venv/installed-dev
	@$(PY) -m tests.benchmarks.intervals $(ARGS)
bench-generation: .venv/installed-dev
	@$(PY) -m tests.benchmarks.generation
bench-training: .venv/installed-dev
	@$(PY) -m workers.training.bench
bench-pages: .venv/installed-dev
	@$(PY) -m tests.benchmarks.pages
bench-pipeline: .venv/installed-dev
	@$(PY) -m tests.benchmarks.pipeline

# `make bench-review ARGS="--database postgres://… --peer"`: tests/benchmarks/review.py says what it takes.
bench-review: .venv/installed-dev
	@$(PY) -m tests.benchmarks.review $(ARGS)
bench-search: .venv/installed-dev
	@$(PY) -m tests.benchmarks.search $(ARGS)
# A million rationales; `ARGS="--rationales 100000"` for fewer.
bench-freeze: .venv/installed-dev
	@$(PY) -m tests.benchmarks.freeze $(ARGS)
# A million questions; `ARGS="--rows 20000"` for fewer.
bench-import: .venv/installed-dev
	@$(PY) -m tests.benchmarks.importing $(ARGS)
bench-queues: .venv/installed-dev
	@$(PY) -m tests.benchmarks.queues $(ARGS)
bench-hostile: .venv/installed-dev
	@$(PY) -m tests.benchmarks.hostile_stack $(ARGS)
bench-page: .venv/installed-dev
	@$(PY) -m tests.benchmarks.bench_page $(ARGS)

clean:
	@rm -rf .venv var .pytest_cache .ruff_cache
