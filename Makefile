# Needs python3 (3.11 or newer) and make. Everything else goes into .venv and .vertune.
PYTHON ?= python3
BIN := .venv/bin

# Another environment of the user's shell must not lend this one its packages.
# Without compiled modules each command would compile the clients anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONSTARTUP CONDA_PREFIX
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIREMENT PIP_CONSTRAINT
unexport UV_SYSTEM_PYTHON UV_PROJECT UV_WORKING_DIRECTORY UV_NO_DEV UV_NO_DEFAULT_GROUPS

.DEFAULT_GOAL := help
.PHONY: help demo test test-changed soak fuzz rehearsal docs check format clean environment engine

help:
	@echo 'make demo     tune three small models here, from specs to stack outputs'
	@echo 'make test     check, then run every test'
	@echo 'make test-changed BASE=origin/main   check, then the tests of what a branch changes'
	@echo 'make rehearsal   a pull request from its plan to production, on this machine'
	@echo 'make soak     ten minutes of killed, cut and raced appliers; prints what came of it'
	@echo 'make fuzz     ten minutes of made-up bytes for every parser; prints what broke'
	@echo 'make docs     build the documentation as a site, and check its links'
	@echo 'make check    formatting, lint, types, and the borders between the rooms'
	@echo 'make format   put the code into its format'
	@echo 'make environment   set up .venv, for commands typed by hand'
	@echo 'make clean    stop the emulator and remove all that these commands made here'

demo: engine
	@$(BIN)/vertune demo

test: check engine
	@$(BIN)/pytest -n 2 --dist worksteal

test-changed: check engine
	@found=$$($(BIN)/python -m tests.changed $(or $(BASE),origin/main)) && \
	  if [ -n "$$found" ]; then $(BIN)/pytest $$found; else echo 'nothing to try'; fi

rehearsal: engine
	@$(BIN)/python -m tests.rehearsal

soak: environment
	@$(BIN)/python -m tests.faults.soak --minutes $(or $(MINUTES),10) --seed $(or $(SEED),0)

# Its packages stay out of .venv, which the lock of the other groups decides.
fuzz: environment
	@$(BIN)/uv run --quiet --isolated --locked --no-default-groups --group fuzz \
	  python -m tests.fuzz --minutes $(or $(MINUTES),10) $(TARGETS)

check: environment
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

docs: environment
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs .vertune/docs
	@echo 'the documentation is in .vertune/docs/index.html'

format: environment
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

engine: environment
	@$(BIN)/python -m jobs.emulator.engine

environment:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is not Python 3.11 or newer. Install one, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) .ci/environment.py

clean:
	@if [ -d .vertune/emulator ] && [ -x $(BIN)/vertune ]; then $(BIN)/vertune emulator stop || true; fi
	@rm -rf .venv .vertune build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
