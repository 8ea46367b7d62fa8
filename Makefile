# The commands of this project; `make help` lists them. Every target makes what it needs: an
# environment in .venv, with the versions of constraints.txt.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
WORKERS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
RUNTIME := .venv/.installed
DEV := .venv/.installed-dev

# One thread a test worker: more would fight over the cores.
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

.DEFAULT_GOAL := help
.PHONY: help demo setup check test test-slow mutations docs bench clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

demo: $(RUNTIME)  ## train on S&P 500 returns, draw samples, judge them, write a page (minutes)
	$(BIN)/undula run sp500

setup: $(DEV)  ## make the environment of a developer in .venv

check: $(DEV)  ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(DEV)  ## the tests, without the slow ones
	$(TEST) -m "not slow"

test-slow: $(DEV)  ## the slow tests
	$(TEST) -m slow

mutations: $(DEV)  ## change one coefficient at a time; a test must notice each
	$(BIN)/python tests/mutations.py --workers $(WORKERS)

docs: $(DEV)  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(DEV)  ## speed, memory and quality; tables, and JSON in benchmarks/results/
	cd benchmarks && for script in imports sampler_overhead train_step memory checkpointing architectures \
		samplers preprocessing noise components demo; do \
		../$(BIN)/python $$script.py || exit 1; done

clean:  ## remove what was built and cached; .venv and experiments/ stay
	rm -rf site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "undula needs Python 3.11 or later: none was found"; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "undula needs Python 3.11 or later, $(PYTHON) is older: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	"$(PYTHON)" -m venv .venv || { rm -rf .venv; exit 2; }

$(RUNTIME): .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing undula into .venv (once; a minute or two)"
	@$(PIP) -e .
	@touch $@

$(DEV): .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing undula and its development tools into .venv (once; a minute or two)"
	@$(PIP) -e ".[dev]"
	@touch $(RUNTIME) $@
