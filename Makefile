# Two commands matter: `make demo` runs Sightline, `make test` tests it. Each does all of its own set-up.

PYTHON ?= python3
DATA ?= ./sightline-data
DEMO_DATA ?= ./sightline-demo

VENV := .venv
BIN := $(VENV)/bin
# -qq: errors only
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
PRODUCT := $(VENV)/.product
TOOLS := $(VENV)/.tools
PAGE := src/sightline/app/static/index.html
WEB_TOOLS := web/node_modules/.package-lock.json
JUDGES := tests/judges/node_modules/.package-lock.json
WEB_SOURCES := $(shell find web/src web/public -type f 2>/dev/null) \
	$(wildcard web/*.*)

export PIP_ROOT_USER_ACTION := ignore
export NO_MKDOCS_2_WARNING := true

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup tools demo serve test check bench docs openapi reference format lock clean

help:
	@echo "make demo     set up, fill an empty data folder with real and simulated studies, start Sightline"
	@echo "make test     set up and run every test, in the browser too"
	@echo "make setup    make the virtual environment with the product in it"
	@echo "make serve    start Sightline on $(DATA)"
	@echo "make check    format, lint, types, contracts, licences, docs"
	@echo "make bench    measure"
	@echo "make docs     build the documentation into site/"
	@echo "make openapi  write the description of the API, and the web client's types from it"
	@echo "make reference  print the generated pages of the documentation"
	@echo "make format   format the code"
	@echo "make lock     pin the dependencies anew (needs uv)"
	@echo "make clean    remove what was built, and the virtual environment"

# Set-up ---------------------------------------------------------------------------------------------

setup: $(PRODUCT) $(PAGE)

tools: $(TOOLS) $(WEB_TOOLS) $(JUDGES)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "Sightline needs Python 3.11 or newer: install it, or say PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sightline needs Python 3.11 or newer, and this is $$($(PYTHON) -V): say PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) tools/system_packages.py product
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(PRODUCT): requirements.lock pyproject.toml hatch_build.py | $(BIN)/python
	@$(PYTHON) tools/system_packages.py product
	@echo "Installing what Sightline stands on (a minute or two) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@echo "Installing Sightline and building its web application ..."
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(TOOLS): requirements-dev.lock pyproject.toml hatch_build.py | $(BIN)/python
	@$(PYTHON) tools/system_packages.py tests
	@echo "Installing Sightline with the tools for tests and checks (a minute or two) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $(PRODUCT) $@

$(PAGE): $(WEB_SOURCES) | $(PRODUCT)
	@$(BIN)/python hatch_build.py
	@touch $@

$(WEB_TOOLS): web/package-lock.json | $(TOOLS)
	@$(BIN)/python -m tools.npm ci --ignore-scripts --loglevel=error
	@touch $@

$(JUDGES): tests/judges/package-lock.json tools/judges.py | $(TOOLS)
	@echo "Fetching the clients and the viewer that judge Sightline ..."
	@$(BIN)/python -m tools.judges
	@touch $@

# Run ------------------------------------------------------------------------------------------------

demo: setup
	@$(BIN)/sightline demo --data $(DEMO_DATA)

serve: setup
	@$(BIN)/sightline serve --data $(DATA)

# Prove ----------------------------------------------------------------------------------------------

# Tests wait more than they work: what waits for browsers runs beside what waits for workers and the rest, which
# have the lower priority and whose output follows at the end.
SEEN := tests/journeys tests/judges
SERVED := tests/app tests/care tests/wire
REST = $(SEEN:%=--ignore=%) $(SERVED:%=--ignore=%)

test: $(TOOLS) $(WEB_TOOLS) $(JUDGES) $(PAGE)
	$(BIN)/python -m tools.npm run test
	@logs=$$(mktemp -d); \
	nice -n 10 $(BIN)/python -m pytest $(SERVED) >$$logs/served 2>&1 & served=$$!; \
	nice -n 10 $(BIN)/python -m pytest $(REST) >$$logs/rest 2>&1 & rest=$$!; \
	trap 'kill $$served $$rest' INT TERM; $(BIN)/python -m pytest $(SEEN); seen=$$?; \
	wait $$served; served=$$?; wait $$rest; rest=$$?; cat $$logs/served $$logs/rest; rm -r $$logs; \
	test $$seen -eq 0 -a $$served -eq 0 -a $$rest -eq 0

check: $(TOOLS) $(WEB_TOOLS) $(PAGE)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m tools.licences
	$(BIN)/python -m tools.strays
	$(BIN)/python -m tools.fragments check
	$(BIN)/python -m tools.api_types --check
	$(BIN)/python -m tools.npm run check
	$(BIN)/python -m tools.print_reference --check
	$(BIN)/mkdocs build --strict --quiet

bench: $(TOOLS) $(PAGE)
	@export PYTHONPATH=.; for script in $$(find bench -name '[a-z]*.py' | sort); do \
		echo "== $$script"; $(BIN)/python $$script || exit 1; done
	PROOFS=1 $(BIN)/python -m pytest -q tests/journeys tests/science tests/intelligence

# Write ----------------------------------------------------------------------------------------------

docs: $(TOOLS)
	$(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html"

openapi: $(TOOLS) $(WEB_TOOLS)
	$(BIN)/python -m tools.api_types

reference: $(TOOLS)
	$(BIN)/python -m tools.print_reference

format: $(TOOLS) $(WEB_TOOLS)
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv" >&2; exit 1; }
	$(LOCK) --group pyproject.toml:build pyproject.toml -o requirements.lock
	$(LOCK) --group pyproject.toml:build --group pyproject.toml:dev --constraint requirements.lock \
		pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) site dist src/sightline/app/static web/node_modules tests/judges/node_modules tests/judges/ohif
