# make run     the main study: squeezing of a 64 x 64 dipolar XXZ array, with its picture
# make test    the test suite            make lint   style, types, import rules
# make docs    the documentation         make bench  the speed figures
# make test-slow   coverage of error bars, kills, interrupts
# make clean   remove everything these targets made
#
# Everything is installed into .venv with pip alone. Another Python: make run PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq

STUDY ?= examples/dipolar_xxz_64x64.toml
NAME := $(notdir $(basename $(STUDY)))
WORKERS ?= 2

.PHONY: help run test test-slow lint docs bench clean

help:
	@sed -n 's/^# //p' Makefile

# One stamp for each set of packages: pip runs again only when pyproject.toml changes.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing spinsqueeze into $(VENV) (once, a minute or two)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	@echo "installing spinsqueeze[$*] into $(VENV) (once, a minute or two)"
	@$(PIP) -e '.[$*]'
	@touch $@

run: $(VENV)/.installed
	@mkdir -p results
	@$(BIN)/spinsqueeze run $(STUDY) --overwrite \
	  -o results/$(NAME).nc --plot results/$(NAME).png

test: $(VENV)/.installed-test
	@$(BIN)/python -m pytest -n $(WORKERS)

test-slow: $(VENV)/.installed-test
	@$(BIN)/python -m pytest -n $(WORKERS) -m slow

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.installed-docs
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "documentation: docs/_build/html/index.html"

bench: $(VENV)/.installed-test
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) results docs/_build docs/api/generated build .pytest_cache .mypy_cache \
	  .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
