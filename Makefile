# Two commands: `make run` shows the product, `make test` runs every test. Both need Python 3.11, pip and make.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test quick check pictures bench lock clean

run: .venv/ready
	$(BIN)/call-light demo

test: .venv/ready
	$(BIN)/python -m pytest -q --numprocesses auto

# Without those that take minutes: to run all day.
quick: .venv/ready
	$(BIN)/python -m pytest -q --numprocesses auto -m "not slow"

# What .ci/run checks beside the tests.
check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

pictures: .venv/ready
	$(BIN)/python docs/pictures.py

bench: .venv/ready
	$(BIN)/python -m benchmarks.flow $(TWEETS)

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Newer versions of what we depend on; needs uv.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --upgrade -o requirements.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
