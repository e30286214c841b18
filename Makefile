# Everything from a fresh clone: `make demo` shows it at work, `make test` tests it.
# PYTHON names the Python (3.11 or later) that .venv is made with.

.PHONY: setup migrate demo test pictures lint types check bench stop clean

PYTHON ?= python3
BIN := .venv/bin
REQUIREMENTS := requirements/dev.txt
INSTALLED := .venv/installed-$(firstword $(shell sha256sum $(REQUIREMENTS)))
# One more than the two cores it is run on: much of a browser test is waiting.
WORKERS ?= 3

setup: $(INSTALLED)

# Named by what is installed: a changed lock file is another name, hence installed at once.
$(INSTALLED):
	@sh scripts/make_venv.sh $(PYTHON) $(REQUIREMENTS)
	@rm -f .venv/installed-* && touch $@

migrate: setup
	@$(BIN)/python -m embedded start
	@$(BIN)/python manage.py migrate --verbosity 0

# PORT, DEMO_ONCE and DEMO_PASSWORD reach the command through the environment.
demo: export TOLLGATE_MODE := demo
demo: migrate
	@$(BIN)/python manage.py demo

test: setup
	@sh scripts/browser.sh
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

# The guides' pictures, made anew by the tests that go the same ways.
pictures: setup
	@sh scripts/browser.sh
	rm -rf docs/pictures
	GUIDE_PICTURES=docs/pictures $(BIN)/pytest tests/e2e -n $(WORKERS) --dist worksteal

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy .

check: lint types
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check
	@$(MAKE) --no-print-directory test

# One line of JSON for each benchmark.
bench: migrate
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python -m benchmarks.$$(basename $$file .py); done

# Ends everything started in the background; the data stay.
stop:
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m embedded stop; fi

clean:
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m embedded destroy; fi
	@rm -rf var
