# The one interface to this project, for people, pre-commit and CI. All that it makes lies in this clone's own folder
# (build/, .venv, .venv-store, caches), so two clones on one machine do not meet.

PYTHON_BIN := .venv/bin
SETUP := sh deploy/local/setup.sh
SOURCES := libs services agent deploy tests
TESTS ?= tests/unit tests/contract tests/model tests/integration tests/e2e

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup python as-root check format test prove test-contract demo up down bench faults screenshots runtime-linux runtime-linux-portable lock clean

# What a caller's own environment would make of our Python is not what is tested.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

help: ## List what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

python:
	@$(SETUP) python

setup: python ## Bring in all that is missing: Python environments, broker, store, Debian packages (root or sudo)
	@$(SETUP) parts
	@failed=; for part in runtime tests lab; do $(SETUP) $$part || failed=1; done; [ -z "$$failed" ]

check: python ## Check format, lint, types and imports, and run the unit tests
	@$(PYTHON_BIN)/ruff format --check --quiet .
	@$(PYTHON_BIN)/ruff check --quiet .
	@$(PYTHON_BIN)/mypy $(SOURCES)
	@$(PYTHON_BIN)/lint-imports --no-logo
	@$(PYTHON_BIN)/pytest -n 2 --no-loadscope-reorder tests/unit

format: python ## Format the code and mend what ruff can mend
	@$(PYTHON_BIN)/ruff format .
	@$(PYTHON_BIN)/ruff check --fix .

# Without root some Debian packages may stay missing: setup names them, and the tests that need them say so one by one.
test: python ## Run the tests: unit, contract, model, integration, end to end (TESTS=path narrows it)
	@$(SETUP) parts
	@for part in runtime tests lab; do $(SETUP) $$part || true; done
	@$(PYTHON_BIN)/pytest -n 3 --no-loadscope-reorder $(TESTS)

prove: python ## Prove the rules: every state, each weaker rule, SEEDS=n simulations (1000) from seed FIRST=n (0)
	@$(PYTHON_BIN)/python -m tests.model.prove $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FIRST),--first $(FIRST))

test-contract: python ## Hold your own MongoDB and RabbitMQ to our suites: STORE=mongodb://... BROKER=amqp://...
	@[ -n "$(STORE)$(BROKER)" ] || { echo 'make test-contract STORE=mongodb://HOST:PORT/ BROKER=amqp://HOST:PORT/ (either or both)' >&2; exit 2; }
	@STORE='$(STORE)' BROKER='$(BROKER)' $(PYTHON_BIN)/pytest tests/contract

demo: as-root setup ## Show one reset on a real host, from set-up to proof (ONCE=1 ends by itself; needs root)
	@$(PYTHON_BIN)/python -m tests.demo $(if $(ONCE),--once)

as-root:
	@[ "$$(id -u)" = 0 ] || { echo 'The demo boots a real host, and only root can do that: sudo make demo' >&2; exit 1; }

up: python ## Start the embedded default in the background and keep it
	@$(SETUP) parts
	@$(PYTHON_BIN)/python -m deploy.local up

down: python ## Stop what make up started
	@$(PYTHON_BIN)/python -m deploy.local down || [ $$? -eq 3 ]  # 3: nothing was up

bench: python ## Measure polls, pages, a reset and an idle agent (the last two as root; MACHINES=n in the store of the pages); writes build/bench/report.json
	@$(SETUP) parts
	@for part in runtime lab; do $(SETUP) $$part || true; done
	@$(if $(MACHINES),MACHINES=$(MACHINES)) $(PYTHON_BIN)/python -m tests.bench

faults: python ## Break each process at each step on real parts and hosts (needs root; ONLY=pattern or SAMPLE=n SEED=n); writes build/faults/report.json
	@$(SETUP) parts
	@for part in runtime tests lab; do $(SETUP) $$part || true; done
	@$(PYTHON_BIN)/python -m tests.e2e.faults $(if $(ONLY),--only '$(ONLY)') $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

screenshots: python ## Take pictures of each page, light and dark, wide and narrow, into docs/screenshots/
	@$(SETUP) tests || true
	@$(PYTHON_BIN)/python -m tests.screenshots

runtime-linux: python ## Build the packed Linux agent, signed; RELEASE_KEY=file signs with your own key
	@$(SETUP) runtime
	@$(PYTHON_BIN)/python -m agent.packaging.linux $(if $(RELEASE_KEY),--release-key '$(RELEASE_KEY)')

runtime-linux-portable: python ## Build one that runs from glibc 2.31 on (needs root; minutes, then cached in build/portable)
	@$(SETUP) runtime
	@$(SETUP) portable
	@$(PYTHON_BIN)/python -m agent.packaging.linux --portable $(if $(RELEASE_KEY),--release-key '$(RELEASE_KEY)')

lock: python ## Write requirements/ anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@UPGRADE='$(UPGRADE)' requirements/lock.sh

clean: ## Stop what make up started and remove all that make made
	@[ ! -x $(PYTHON_BIN)/python ] || $(PYTHON_BIN)/python -m deploy.local down || [ $$? -eq 3 ]
	@rm -rf --one-file-system build .venv .venv-store .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	@find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
