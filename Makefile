# Everything runs from .venv, which the first target that needs it makes and fills: nothing to do before `make run`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV ?= .venv
# Another pip than the Python's own, as `pip install` names it; only .ci/installs asks for one.
WITH_PIP ?=
BIN := $(VENV)/bin
READY := $(VENV)/ready
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
# Bytecode is kept whatever the caller's shell says: without it every process compiles all it imports once more.
export PYTHONDONTWRITEBYTECODE :=
# Many tests wait more than they compute; a file's servers are started once.
WAITING ?= 5

CHECKS := types format lint layers limits
.PHONY: help run test quick check search soak bench lock clean $(CHECKS)

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

run: $(READY) ## start everything here, filled with a rehearsed cohort; Ctrl-C stops it
	@exec $(BIN)/caravel up

test: check ## everything that must hold, about 10 minutes on two cores
	$(PYTEST) -m "not soak" -n $(WAITING) --dist loadfile --no-loadscope-reorder

quick: check ## before every commit, about 2 minutes on two cores
	$(PYTEST) -m "not slow and not soak" -n $(WORKERS) -q

check: $(READY) ## format, lint, types, layers, limits
	@$(MAKE) -j $(CHECKS)

# Beside each other: without its cache mypy alone takes half a minute of one core.
types: $(READY)
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format --check .

lint: $(READY)
	$(BIN)/ruff check .

layers: $(READY)
	$(BIN)/lint-imports --no-logo

limits: $(READY)
	$(BIN)/python -m tests.house

search: $(READY) ## draw the properties' inputs at random, twenty times as many as elsewhere, long
	$(PYTEST) -m "hypothesis and not slow and not soak" --hypothesis-profile search --timeout 0 -n $(WORKERS)

soak: $(READY) ## kill loops and growth, long
	$(PYTEST) -m soak --timeout 0

bench: $(READY) ## measurements, each against a peer in the same run
	$(BIN)/python -m bench

# uv resolves for every platform at once; no address of any registry ends up in the files.
LOCK := uv pip compile --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11 -q
lock: ## pin the newest versions that fit (needs uv)
	$(LOCK) --upgrade pyproject.toml --extra build -o requirements.txt
	$(LOCK) --upgrade pyproject.toml --extra build --extra dev -c requirements.txt -o requirements-dev.txt

clean: ## remove the environment and caches, never the data in .caravel
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info

# Installing never resolves: --no-deps with a lock that holds everything, so what is released later changes nothing here.
# --no-build-isolation: setuptools is pinned in the lock, so the last step asks no registry.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Caravel needs Python 3.11 or newer: make PYTHON=/path/to/python3.12 ...")'
	@echo "Preparing $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian: apt-get install python3-venv"; exit 1; }
	@$(if $(WITH_PIP),$(PIP) --upgrade '$(WITH_PIP)')
	@$(PIP) --no-compile --require-hashes -r requirements-dev.txt
	@$(PIP) --no-build-isolation --editable .
	@touch $@
