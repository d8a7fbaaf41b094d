# Needs python3 (3.11 or newer), its pip (22.3 or newer) and make. Everything is installed below the checkout, into
# .venv and .venvs; `make clean` removes it again. The environments are made without ensurepip, which Debian ships
# apart, and filled by the system's pip, which may write into an environment though not into the system.

PYTHON3 ?= python3
VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALL = PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(PYTHON3) -m pip --python $(PYTHON) install --quiet

# Tests run in two processes, file by file, in the order of the files: the long ones come early.
SPREAD := -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: $(VENV)/installed  ## Install the service and start it in the foreground; FLAGS="--listen ..." are passed on
	@exec $(VENV)/bin/sukkal serve $(FLAGS)

.PHONY: test
test: environments  ## Install what the tests need, run all checks and all tests; ARGS="-k ..." go to pytest
	@status=0; $(MAKE) check || status=1; $(PYTHON) -m pytest $(SPREAD) --durations=20 $(ARGS) || status=1; exit $$status

.PHONY: check
check: $(VENV)/installed-dev  ## Run the style, type and import checks
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports

.PHONY: format
format: $(VENV)/installed-dev  ## Bring the code into the house's format
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format

.PHONY: environments
environments: $(VENV)/installed-dev  # the foreign programs that tests drive, each in an environment of its own
	@$(PYTHON) -m tests.clients.environments
	@$(PYTHON) -m tests.clients.asyncapi
	@$(PYTHON) -m tests.clients.prometheus
	@$(PYTHON) -m tests.clients.rabbitmq
	@$(PYTHON) -m tests.console.chromium
	@$(PYTHON) -m tests.clients.redis
	@$(PYTHON) -m tests.cli.shells
	@$(PYTHON) -m tests.engines.postgresql_older

.PHONY: docs
docs: $(VENV)/installed-dev  ## Build the documentation site into ./site; a broken link or heading fails
	@$(PYTHON) -m website

.PHONY: bench
bench: environments  ## Measure the service against a no-op handler; ARGS="--quick" are passed on
	@$(PYTHON) -m bench $(ARGS)

.PHONY: bench-peers
bench-peers: $(VENV)/installed-peers  ## Measure it beside Zaqar, RabbitMQ, Redis, PostgreSQL and NATS; ARGS="--quick"
	@$(PYTHON) -m tests.clients.environments zaqar
	@$(PYTHON) -m tests.clients.rabbitmq
	@$(PYTHON) -m tests.clients.redis
	@$(PYTHON) -m bench.peers $(ARGS)

.PHONY: mutants
mutants: $(VENV)/installed-dev  ## Break the engines and listening on purpose and see that the tests notice
	@$(PYTHON) -m tests.engines.mutants

.PHONY: soak
soak: $(VENV)/installed-dev  ## Listen with thousands of WebSockets for a minute; ARGS="--idle 100 ..." are passed on
	@$(PYTHON) -m tests.soak $(ARGS)

.PHONY: soak-stores
soak-stores: $(VENV)/installed-dev  ## Load PostgreSQL for three minutes and see that its tables do not grow
	@$(PYTHON) -m tests.soak_of_stores $(ARGS)

.PHONY: clean
clean:  ## Remove what the other targets made; data in ./sukkal-data stays
	rm -rf $(VENV) .venvs build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PYTHON):
	@$(PYTHON3) -m venv --without-pip $(VENV)

# The stamps make a second call quick: pip runs again only when the dependencies may have changed.
$(VENV)/installed: pyproject.toml | $(PYTHON)
	@echo "Installing Sukkal into $(VENV) ..."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(PYTHON)
	@echo "Installing Sukkal and the tools of its tests into $(VENV) ..."
	@$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-peers: $(VENV)/installed-dev
	@echo "Installing what the service is measured beside into $(VENV) ..."
	@$(INSTALL) --editable '.[dev,peers]'
	@touch $@
