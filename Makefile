# rawscope: `make run` and `make test` need python3 (3.11 or later) with venv, and make.
# Each target sets up .venv by itself; the stamp files make a second run start at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
# As an installed wheel has it: a fifth of a second of every start, where PYTHONDONTWRITEBYTECODE is set.
COMPILE := $(BIN)/python -m compileall -q app core widgets

# Errors only: pip repeats its index's warnings and setuptools' remark on editable installs.
QUIET := -qq --disable-pip-version-check

# Test processes at once. `make test WORKERS=0` runs all of it in one.
WORKERS ?= 3

.PHONY: run test thorough check screenshots bench soak clean

run: $(RUN_READY)
	@$(BIN)/rawscope --demo

# Tests that measure time run after the others, three at a time: most of their time they sleep. Both
# parts run, and a failure of either is one of `make test`. Bytecode is written even where the
# environment says otherwise, since each test process would compile all tests again.
test: export PYTHONDONTWRITEBYTECODE =
test: $(DEV_READY)
	@status=0; set -x; \
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal -m 'not timed' || status=$$?; \
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal -m timed \
		$$(grep --recursive --files-with-matches --include='test_*.py' mark.timed tests) \
		|| status=$$?; \
	exit $$status

# The tests that take a choice of their cases in `make test`, with all cases.
thorough: export PYTHONDONTWRITEBYTECODE =
thorough: $(DEV_READY)
	RAWSCOPE_THOROUGH=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal \
		$$(grep --recursive --files-with-matches --include='test_*.py' \
			--regexp=is_thorough --regexp='combinations(' tests)

check: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

screenshots: $(DEV_READY)
	$(BIN)/python -m screenshots.make

bench: $(DEV_READY)
	$(COMPILE)
	$(BIN)/python -m tests.bench

# Mixed load for SOAK_SECONDS (600): memory, descriptors, threads and the loss ledger. Needs root.
soak: $(DEV_READY)
	$(BIN)/python -m tests.soak

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis .coverage
	find app core widgets tests -name __pycache__ -type d -prune -exec rm -rf {} +

# pip is brought up to date first: the one in Debian 12's venv (23.0) is too old.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "rawscope needs Python 3.11 or later; try: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "no venv module here; on Debian: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(RUN_READY): pyproject.toml requirements-dev.lock | $(BIN)/python
	@echo "setting up $(VENV) (once)" >&2
	@$(BIN)/python -m pip install $(QUIET) --upgrade 'pip>=24'
	@$(BIN)/python -m pip install $(QUIET) -c requirements-dev.lock -e .
	@$(COMPILE)
	@touch $@

$(DEV_READY): $(RUN_READY)
	@echo "adding the development tools to $(VENV) (once)" >&2
	@$(BIN)/python -m pip install $(QUIET) -c requirements-dev.lock -e '.[dev]'
	@touch $@
