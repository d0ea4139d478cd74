# Everything that a developer runs. `make` lists the targets; ARGS="…" is passed on where that makes sense.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help environment demo test check smoke bench faults liveness screens lock

# A Python 3.11 or later to make .venv with; without it the usual names are tried.
PYTHON ?=
RUN = .venv/bin/python -m
SETTINGS = $(RUN) config.local.run
COMPILE = UV_PYTHON_DOWNLOADS=never $(RUN) uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url $(ARGS)

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1 \2/p' Makefile | while read -r target text; do \
		printf '  make %-12s %s\n' "$$target" "$$text"; done

environment: ## create or update .venv (every other target does this first)
	@for python in .venv/bin/python $(if $(PYTHON),"$(PYTHON)",python3.11 python3 python3.12 python3.13 python3.14); do \
		if "$$python" -ISc 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec "$$python" -I -S config/local/bootstrap.py; fi; done; \
	echo 'Latchkey needs Python 3.11 or later: apt-get install python3 python3-venv, or make PYTHON=/path' >&2; exit 1

demo: environment ## run all of Latchkey on this machine, with demo data, until Ctrl-C
	@$(RUN) config.local

test: environment ## run the tests on private databases (ARGS="tests/api -k vend")
	$(RUN) pytest -n auto --dist loadfile $(or $(ARGS),tests)

check: environment ## lint, types, import layers, migrations, deployment checks, then the tests
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(SETTINGS) -- $(RUN) mypy
	.venv/bin/lint-imports
	@if find templates -name '*.html' | grep -q .; then set -x; $(RUN) djlint --lint --quiet templates; fi
	$(SETTINGS) --database -- manage.py makemigrations --check --dry-run
	$(SETTINGS) -- manage.py check --deploy --fail-level WARNING
	$(RUN) pytest -n auto --dist loadfile $(or $(ARGS),tests)

smoke: environment ## start the whole stack, connect, vend and refresh once, and stop it
	$(RUN) tests.smoke $(ARGS)

bench: environment ## measure vends and refreshes against yardsticks of the same run
	$(RUN) tests.campaigns.bench $(ARGS)

faults: environment ## kill, pause and mislead it, and print what became of each promise (ARGS="--scale 0.01": a few)
	$(RUN) tests.campaigns.faults $(ARGS)

liveness: environment ## of that, what it knows of grants: none taken for revoked wrongly, how soon one that is
	$(RUN) tests.campaigns.faults --only transients revocation revocation_reported $(ARGS)

screens: environment ## take a picture of every page, desktop and phone (ARGS=--readme: those of the README)
	$(RUN) tests.campaigns.screens $(ARGS)

lock: environment ## write the three hashed locks anew (ARGS=--upgrade takes newer versions)
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --all-extras -c requirements.lock -o requirements-dev.lock
	echo uv | $(COMPILE) - -o requirements-uv.lock
	@! grep -nE '://' requirements.lock requirements-dev.lock requirements-uv.lock
