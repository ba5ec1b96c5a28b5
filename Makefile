# Two commands do everything on a machine that has Python 3.11 or newer and make.
#   make demo    simulate an association with a misplaced pointing, process it, name the report that tells of it
#   make test    run all tests but the slow ones in the same virtual environment
# For those who change the program: make check, coverage, test-slow, schema.

PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
JOBS ?= auto
BIN := $(VENV)/bin

.PHONY: demo test test-slow coverage check schema clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[dev,catalogs]"
	touch $@

demo: $(VENV)/installed
	rm -rf $(DEMO)
	$(BIN)/astrodriz demo $(DEMO)

# Tests are handed out one by one, so that no worker waits for another; each keeps to one thread.
test: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# The same tests, and whether they reach all branches of the core and nearly all of the rest.
coverage: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --include='src/astrodriz_core/*' --fail-under=100
	$(BIN)/coverage report --fail-under=97

# What takes long: every degenerate cell, many processes, many kills, a thousand runs. Writes docs/slow-tests.md.
test-slow: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow -n $(JOBS) --dist worksteal --junitxml=$(VENV)/slow.xml; \
	status=$$?; $(BIN)/python benchmarks/slow_tests_page.py $(VENV)/slow.xml && exit $$status

# Tests are checked less strictly: pytest's fixtures have no types, None fails a test by itself, and a test may reach
# for what a module has imported.
TEST_TYPES := --allow-untyped-defs --allow-incomplete-defs --allow-untyped-calls --allow-untyped-decorators \
	--no-strict-optional --implicit-reexport --no-warn-return-any --no-strict-equality \
	--disable-error-code func-returns-value

check: $(VENV)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy $(TEST_TYPES) --cache-dir .mypy_cache/tests tests/property/*.py tests/integration
	$(BIN)/lint-imports
	$(BIN)/vulture

# After a change of the records.
schema: $(VENV)/installed
	$(BIN)/astrodriz schema > docs/decisions.schema.json

clean:
	rm -rf $(VENV) $(DEMO)
