# Two commands are all a new user needs: `make demo` and `make test`. Each sets up everything it needs by itself.

.DEFAULT_GOAL := help
.PHONY: demo test run bench check lock clean help local dev

# Some containers forbid Python to keep what it compiled; a run of hundreds of short processes would compile it each time.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(LOCK)

# The first Python that is new enough. A command that is there may still refuse to run, as pyenv's do.
FIND_PYTHON = for python in $(BIN)/python python3.13 python3.12 python3.11 python3.14 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; python=; done; \
	test -n "$$python" || { echo "Python 3.11 or later is needed, and none was found." >&2; exit 2; }

demo: local  ## Play the whole story: two calendars kept in step, with outages
	@$(BIN)/calsync demo

test: dev  ## Run all tests
	@$(BIN)/python -m stack prepare
	$(BIN)/pytest -n auto

run: local  ## Run everything here until Ctrl-C: RabbitMQ, MongoDB, sandboxes, relay, worker
	@$(BIN)/calsync up

bench: local  ## Measure throughput and delay
	@$(BIN)/calsync bench

check: dev  ## Check format, lint, types, layers, generated documents and the compose file
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python -m events.documents --check
	$(BIN)/python -m cli.documents --check
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

lock: dev  ## Write the lock files anew from pyproject.toml; LOCK=--upgrade takes newer versions
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) pyproject.toml --extra otel -c requirements/run.txt -o requirements/otel.txt
	$(COMPILE) pyproject.toml --extra dev -c requirements/run.txt -o requirements/dev.txt
	$(COMPILE) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	$(COMPILE) requirements/stack.in -c requirements/dev.txt -o requirements/stack.txt
	$(COMPILE) requirements/native.in -o requirements/native.txt

clean:  ## Remove everything that was installed, fetched or cached
	rm -rf .venv .stack .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage

help:  ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

# What runs the project on a machine, from its source.
local:
	@$(FIND_PYTHON); $$python requirements/install.py run.txt build.txt stack.txt

# That and all tools.
dev:
	@$(FIND_PYTHON); $$python requirements/install.py dev.txt build.txt
