# Needs make, git and Python 3.11 to 3.14. `make help` lists what there is.
# Another Python: make demo PYTHON=/path/to/python3.12 (after `make clean`, if there is an environment already).

SHELL := /bin/sh
VENV := .venv
RUN := $(VENV)/bin/python
PIP_INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
	--require-hashes --only-binary :all:
COMPILE := $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-header
AT_ONCE := --numprocesses 2 --dist loadfile --no-loadscope-reorder
PYTHONS := 3.11 3.12 3.13 3.14
MACHINES := x86_64-manylinux_2_28 aarch64-manylinux_2_28 x86_64-apple-darwin aarch64-apple-darwin

.DELETE_ON_ERROR:
.PHONY: help demo test check test-interop bench format lock clean

help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/runtime.stamp ## Watch a bank's events become SMS, all on this machine (ARGS="--for 60s --seed 7 --plain")
	@$(RUN) -m consumer demo $(ARGS)

# Most tests wait most of the time, so two processes share them, each with a Kafka of its own.
test: $(VENV)/dev.stamp ## Run every test in Python (ARGS="-k outbox" for some of them, without the check of coverage)
	@$(RUN) -m pytest $(if $(ARGS),$(ARGS),$(AT_ONCE) --cov --cov-report=term:skip-covered)
	@$(if $(ARGS),:,$(RUN) -m coverage report --include='consumer/core/*' --fail-under=100 >$(VENV)/core-coverage.txt \
		|| { cat $(VENV)/core-coverage.txt; exit 1; })

check: $(VENV)/dev.stamp ## Look for mistakes without running anything: format, lint, types, imports, settings table
	@$(RUN) -m ruff format --check --quiet .
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(RUN) -m consumer.settings --check README.md

test-interop: $(VENV)/dev.stamp ## Let a Node producer talk to Avviso through real Kafka and a real registry (needs Node and Docker)
	@$(RUN) -m pytest -m interop $(ARGS)

bench: $(VENV)/dev.stamp ## Measure intake and dispatch against bare loops in the same run
	@$(RUN) -m tests.benchmarks $(ARGS)

format: $(VENV)/dev.stamp ## Bring code and the settings table into shape
	@$(RUN) -m ruff format --quiet .
	@$(RUN) -m ruff check --fix --quiet .
	@$(RUN) -m consumer.settings README.md

lock: $(VENV)/dev.stamp ## Pin all dependencies anew, and see that each has wheels for every supported Python and machine
	@$(COMPILE) --upgrade pyproject.toml --output-file requirements/runtime.txt
	@$(COMPILE) --upgrade pyproject.toml --group dev --constraints requirements/runtime.txt \
		--output-file requirements/dev.txt
	@for python in $(PYTHONS); do for machine in $(MACHINES); do \
		MACOSX_DEPLOYMENT_TARGET=13.0 $(VENV)/bin/uv pip install --quiet --dry-run --no-deps --require-hashes \
			--only-binary :all: --python-version $$python --python-platform $$machine \
			--target $(VENV)/elsewhere --requirements requirements/dev.txt || exit 1; \
	done; done

clean: ## Remove the environment and every cache; data in var/ stays
	@rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .coverage .coverage.* \
		build dist htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/python.stamp:
	@for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11); do \
		if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then \
			found=$$python; break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "No Python 3.11 to 3.14 found. Install one, or name it: make demo PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$found has no venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)
	@touch $@

$(VENV)/runtime.stamp: $(VENV)/python.stamp requirements/runtime.txt
	@echo "Installing what Avviso needs to run"
	@$(PIP_INSTALL) -r requirements/runtime.txt
	@touch $@

$(VENV)/dev.stamp: $(VENV)/python.stamp requirements/runtime.txt requirements/dev.txt
	@echo "Installing what its tests need as well"
	@$(PIP_INSTALL) -r requirements/dev.txt
	@touch $(VENV)/runtime.stamp $@
