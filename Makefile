# Two commands: `make run` shows the product, `make test` tests it. Both need Python 3.11, pip and make.
PYTHON ?= python3
BIN := .venv/bin
# Half as many again as there are cores: tests wait too, for browsers and for what hangs on purpose.
WORKERS := $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))
PYTEST := $(BIN)/python -m pytest -q --numprocesses $(WORKERS) --dist worksteal

.PHONY: run test deep quick check faults pictures bench lock sbom audit clean

run: .venv/ready
	$(BIN)/call-light demo

test: .venv/ready
	$(PYTEST) -m "not deep"

# The other cases where `make test` plays some: every fault of every call, a kill at every commit, simulated weeks.
deep: .venv/ready
	$(PYTEST) -m deep

# Without those that take more than two seconds each: to run all day.
quick: .venv/ready
	$(PYTEST) -m "not slow and not deep"

# What .ci/run checks beside the tests.
check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Every call to the outside with every fault; writes docs/faults.md anew.
faults: .venv/ready
	$(BIN)/python -m pytest -q -p no:randomly tests/faults --see

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
	$(MAKE) sbom

# What a server installs, and the list of its parts (CycloneDX), both by what requirements.lock says.
sbom: .venv/ready
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --no-annotate -c requirements.lock -o deploy/requirements.lock
	$(BIN)/python deploy/sbom.py

# Known holes in what a server installs; asks the network.
audit: .venv/ready
	$(BIN)/python deploy/audit.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
