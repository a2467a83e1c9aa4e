# The commands of this repository. `make up` and `make test` do all the set-up that they need.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
STAMPS := .stamps
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help up dev test lint format check check-proto proto bench smoke lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(STAMPS)/run ## Run the whole mesh on this machine (Ctrl-C stops it); options: make up ARGS="--port 9000"
	@exec $(BIN)/onenumbers up $(ARGS)

dev: $(STAMPS)/dev ## Install everything for development into .venv

test: $(STAMPS)/dev ## Run all tests; options: make test ARGS="tests/gateway -x"
	@PATH="$$PWD/.tools/bin:$$PATH" $(BIN)/python -m pytest -q $(ARGS)

lint: $(STAMPS)/dev ## Check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "run 'make format'" >&2; exit 1; }
	@$(BIN)/mypy

format: $(STAMPS)/dev ## Format the code and the protos
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .
	@$(BIN)/buf format --write

check-proto: $(STAMPS)/dev ## Check generated code, proto style and breaking changes
	@$(BIN)/python scripts/gen_protos.py --check
	@$(BIN)/buf lint
	@PATH="$$PWD/$(BIN):$$PATH" scripts/check_breaking.sh

proto: $(STAMPS)/dev ## Generate the Python code of the protos
	@$(BIN)/python scripts/gen_protos.py

smoke: $(STAMPS)/dev ## Start the mesh and call it with real clients
	@PATH="$$PWD/.tools/bin:$$PATH" $(BIN)/python scripts/smoke.py

check: check-proto lint test smoke ## Everything that must hold before a change lands

bench: $(STAMPS)/dev ## Measure; writes docs/benchmarks.md
	@for script in start edge faces listing; do echo "bench/$$script.py"; $(BIN)/python bench/$$script.py; done

lock: $(STAMPS)/dev ## Compile the requirement locks anew
	@scripts/lock.sh

clean: ## Remove what was installed and built here (data stays)
	@rm -rf .venv $(STAMPS) .tools .mypy_cache .ruff_cache .pytest_cache

.venv/bin/python:
	@scripts/check_machine.sh "$(PYTHON)"
	@echo "creating .venv"
	@$(PYTHON) -m venv .venv

$(STAMPS)/run: requirements.txt pyproject.toml | .venv/bin/python
	@[ $(STAMPS)/dev -nt requirements.txt ] && [ $(STAMPS)/dev -nt pyproject.toml ] || scripts/install.sh requirements.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.txt pyproject.toml | .venv/bin/python
	@scripts/install.sh requirements-dev.txt
	@mkdir -p $(STAMPS) && touch $@
