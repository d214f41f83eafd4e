# make run     the main study: squeezing of a 64 x 64 dipolar XXZ array, with its picture
# make test    the test suite            make lint   style, types, import rules
# make docs    the documentation         make bench  the speed figures
# make test-slow    coverage of error bars, kills, interrupts
# make test-blas    the tests of linear algebra on each kernel of OpenBLAS, on 1 and 2 threads
# make test-lowest  the test suite on the lowest versions that pyproject.toml declares
# make clean   remove everything these targets made
#
# Everything is installed into .venv with pip alone (test-lowest: into .venv-lowest, on Python 3.11).
# Another Python: make run PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := -m pip --disable-pip-version-check install -qq
PIP := $(BIN)/python $(INSTALL)

LOWEST_PYTHON ?= python3.11
LOWEST := .venv-lowest

STUDY ?= examples/dipolar_xxz_64x64.toml
NAME := $(notdir $(basename $(STUDY)))
WORKERS ?= 2

.PHONY: help run test test-slow test-blas test-lowest lint docs bench clean

help:
	@sed -n '/^$$/q; s/^# //p' Makefile

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

# Workers share the cores: a second thread of linear algebra in each would only wait.
test test-slow test-lowest: export OPENBLAS_NUM_THREADS ?= 1
# Tests start many processes, and each would compile every file that it imports.
test test-slow test-lowest: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/.installed-test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-slow: $(VENV)/.installed-test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m slow

test-blas: $(VENV)/.installed-test
	@$(BIN)/python .ci/test_blas.py $(WORKERS)

$(LOWEST)/.installed: pyproject.toml .ci/lowest_versions.py
	@$(LOWEST_PYTHON) -m venv $(LOWEST) || \
	  { echo "Python 3.11 is needed; name it: make test-lowest LOWEST_PYTHON=..." >&2; exit 1; }
	@echo "installing the lowest versions into $(LOWEST) (once, a minute or two)"
	@versions=$$($(LOWEST)/bin/python .ci/lowest_versions.py test) && \
	  $(LOWEST)/bin/python $(INSTALL) -e '.[test]' $$versions
	@touch $@

test-lowest: $(LOWEST)/.installed
	@$(LOWEST)/bin/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(VENV)/.installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.installed-docs
	@$(BIN)/python -m sphinx -W --keep-going -q $(SPHINXOPTS) -b html docs docs/_build/html
	@echo "documentation: docs/_build/html/index.html"

bench: $(VENV)/.installed-test
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) $(LOWEST) results docs/_build docs/api/generated docs/gallery build .pytest_cache .mypy_cache \
	  .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
