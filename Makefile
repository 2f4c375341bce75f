# Everything happens in .venv. `make setup` makes it; the other targets make it when it is missing.
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

# Starts each installed server of language models, and steps it: tests/vendors/test_real_servers.py.
servers: setup
	$(BIN)/pytest -m slow -rs tests/vendors/test_real_servers.py

# What is not found in the database, or a database that is not found, is a failure: --strict.
audit: setup
	$(BIN)/python -m tools.licenses
	$(BIN)/pip install --quiet pip-audit
	$(BIN)/pip freeze --exclude-editable | sed 's/+[a-z0-9.]*$$//' > $(VENV)/installed.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip -r $(VENV)/installed.txt || \
		{ echo "Not everything was audited, or something was found: see above." >&2; exit 1; }

# Interrupts two sessions of a learner in many ways, and checks that no saved answer is lost.
chaos: setup
	$(BIN)/python -m tests.chaos --cycles 1000

# Tries random input for MINUTES minutes, and keeps what fails in build/fuzz: tests/fuzz/__main__.py.
fuzz: setup
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

# Makes mistakes in a copy of the code, and tells which of them the tests catch.
mutants: setup
	$(BIN)/python -m tools.mutants

# Writes the parts of README.md and docs/ that follow from the code.
docs: setup
	$(BIN)/python -m tools.docs

# Extracts the interface strings, then updates and compiles the translations: docs/translate.md.
messages: setup
	$(BIN)/python -m tools.catalogs $(NEW)

# Builds the website in build/site. The pictures need the default model: `tutor model pull`.
site: setup
	$(BIN)/pip install --quiet -e '.[test,site]'
	$(BIN)/python -m tools.site

# Pins the versions that are installed here, for hosts (docs/hosting.md). Run the tests first.
constraints: setup
	$(BIN)/python -m tools.constraints

# Checks whether the pinned versions are still the versions that the tests run with.
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

# Among the tests, too: tests/test_architecture.py.
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
