# Every target works from a fresh clone; run `make help`.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.venv/.ready: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps -e .
	@touch $@

.venv/.ready-dev: .venv/.ready requirements-dev.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

demo: .venv/.ready ## the whole thing on a pretend company, in your browser
	@$(BIN)/beyond-quota demo

test: .venv/.ready-dev ## everything that needs no browser, on SQLite and a real PostgreSQL
	$(BIN)/pytest -m "not browser" -n 2 --dist loadfile -q

peers: .venv/.ready-dev ## clients that others wrote against the pretend org and portal (installs them under .peers)
	$(BIN)/python -m benchmarks.peers
	$(BIN)/python -m benchmarks.pull_hubspot --deals 5000

browser: .venv/.ready-dev ## the pages in a real Chromium (BEYOND_QUOTA_CHROMIUM says where it is)
	$(BIN)/pytest -m browser -q

lint: .venv/.ready-dev ## style, types, layers, unused dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: .venv/.ready-dev ## put the code in shape
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

lock: .venv/.ready ## resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra postgres pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra postgres --group dev pyproject.toml -o requirements-dev.lock

clean: ## forget the environment and the pretend company
	rm -rf .venv .peers demo-company .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help demo test peers browser lint format lock clean
