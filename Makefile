# All targets use .venv. `make setup` creates it, and the other targets create it if it is missing.
PYTHON ?= python3
MINUTES ?= 60
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup run test test-slow questions servers audit chaos fuzz mutants docs messages site constraints constraints-check prose check format-check lint lint-lessons types contracts bench format clean

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e '.[test]'
	touch $@

run: setup
	$(BIN)/tutor

test: setup
	$(BIN)/pytest

test-slow: setup
	$(BIN)/pytest -m 'slow or not slow'

# Answers every question of the course in the real app, in a terminal.
questions: setup
	$(BIN)/pytest -m slow tests/pty/test_every_question.py

# Starts each installed model server and steps through texts: tests/vendors/test_real_servers.py.
servers: setup
	$(BIN)/pytest -m slow -rs tests/vendors/test_real_servers.py

# With --strict, the audit fails if a package is not in the database, or if there is no database.
audit: setup
	$(BIN)/python -m tools.licenses
	$(BIN)/pip install --quiet pip-audit
	$(BIN)/pip freeze --exclude-editable | sed 's/+[a-z0-9.]*$$//' > $(VENV)/installed.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip -r $(VENV)/installed.txt || \
		{ echo "The audit is incomplete or has found a vulnerability: see above." >&2; exit 1; }

# Interrupts two sessions of a learner in many ways, and checks that no saved answer is lost.
chaos: setup
	$(BIN)/python -m tests.chaos --cycles 1000

# Tries random input for MINUTES minutes, and saves failures in build/fuzz: tests/fuzz/__main__.py.
fuzz: setup
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

# Inserts bugs into a copy of the code, and reports which of them the tests catch.
mutants: setup
	$(BIN)/python -m tools.mutants

# Updates the generated parts of README.md and docs/, and the manual page.
docs: setup
	$(BIN)/python -m tools.docs

# Extracts the interface strings, then updates and compiles the translations: docs/translate.md.
messages: setup
	$(BIN)/python -m tools.catalogs $(NEW)

# Builds the website in build/site. The pictures need the default model: `tutor model pull`.
site: setup
	$(BIN)/pip install --quiet -e '.[test,site]'
	$(BIN)/python -m tools.site

# Pins the installed versions, for administrators (docs/hosting.md). Run the tests first.
constraints: setup
	$(BIN)/python -m tools.constraints

# Checks whether the pinned versions are the versions that the tests use.
constraints-check: setup
	$(BIN)/python -m tools.constraints --check

# Finds words and phrases that read like a translation; tools/prose.py has the list.
prose: setup
	$(BIN)/python -m tools.prose

check: format-check lint prose types test lint-lessons

format-check: setup
	$(BIN)/ruff format --check

lint: setup
	$(BIN)/ruff check

types: setup
	$(BIN)/mypy
	$(BIN)/mypy -p tutor --platform darwin --cache-dir .mypy_cache/darwin
	$(BIN)/mypy -p tutor --platform win32 --cache-dir .mypy_cache/win32

lint-lessons: setup
	$(BIN)/pytest -m slow tests/authoring

# tests/test_architecture.py checks the contracts, too.
contracts: setup
	$(BIN)/lint-imports

bench: setup
	$(BIN)/pip install --quiet -e '.[test,reference]'
	$(BIN)/python -m tests.benchmarks

format: setup
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf $(VENV) dist build
