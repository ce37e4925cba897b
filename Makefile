# Everything a person or a machine does with this project. `make` alone says what there is.
PYTHON ?= python3
UV     ?= uv
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.set-up
LOCKS  := pyproject.toml requirements.lock tools/bootstrap.lock reports/node.lock reports/package-lock.json

.DEFAULT_GOAL := help
.PHONY: help run test lab check bench report setup lock clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  More words for the command: make run ARGS="--bench my-bench.yaml", make test ARGS="tests/wire -x"'

run: $(READY)  ## Run the regression suite on the virtual bench and write the report
	@$(BIN)/rig run $(ARGS)

test: $(READY)  ## Run the rig's own tests
	@$(BIN)/pytest -q -n 2 --dist worksteal $(or $(ARGS),tests)

lab: $(READY)  ## Measure on real kernels, netem and Wi-Fi included; some parts alone: make lab ARGS="netem userspace"
	@$(BIN)/python -m lab $(ARGS)

check: $(READY)  ## Lint, types, and the order of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary rig tests testcases tools benchmarks lab
	@$(BIN)/lint-imports --no-logo
	@echo "check: lint, types and imports are clean"

bench: $(READY)  ## Measure what the rig costs, as JSON lines
	@$(BIN)/python -m benchmarks $(ARGS)

report: $(READY)  ## Render the newest run again
	@$(BIN)/python -m tools.setup --renderer
	@$(BIN)/rig report $(or $(ARGS),reports/latest)

setup: $(READY)  ## Set everything up (every other target does it by itself)

$(READY): $(LOCKS)
	@$(PYTHON) -m tools.setup

lock:  ## Choose versions anew and write the lock files (needs uv and npm)
	@./tools/lock.sh $(UV)

clean:  ## Remove what set-up and runs made, reports included
	rm -rf $(VENV) reports/node_modules reports/runs reports/latest reports/history.jsonl
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
	rm -rf .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache *.egg-info build dist
