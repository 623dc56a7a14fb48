# Two commands from a bare checkout, with Python >= 3.11 and make only:  make demo  and  make test

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARMONICA := $(BIN)/armonica
PYTEST := $(BIN)/python -m pytest

# One thread a process where many processes run side by side; see also tests/conftest.py.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1 RAYON_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format types docs wheel slow bench clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## */\t/' | expand -t 10

setup: $(VENV)/.stamp  ## .venv with everything for tests and docs, pinned; again only if a pin changes

# The demo needs only what armonica itself needs; tests and docs come on top.
$(VENV)/.stamp-demo: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "armonica needs Python 3.11 or newer; $(PYTHON) is not there (make PYTHON=... names another)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "armonica needs Python 3.11 or newer; $(PYTHON) is %d.%d (make PYTHON=... names another)" % sys.version_info[:2])'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.stamp: $(VENV)/.stamp-demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,docs]'
	@touch $@

demo: $(VENV)/.stamp-demo  ## learn the embedded chorales, plot and play what was learned
	$(ARMONICA) learn --until 800 --store runs && $(ARMONICA) listen latest --chorale 8 --store runs

test: lint types docs wheel  ## everything CI runs; pytest last
	$(ONE_THREAD) $(PYTEST) -n 2

lint: setup  ## ruff
	$(BIN)/ruff check .

format: setup  ## let ruff mend what it can
	$(BIN)/ruff check --fix .

types: setup  ## pyright
	PYRIGHT_PYTHON_GLOBAL_NODE=0 PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

docs: setup  ## the pages, into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html (the search wants a server: $(BIN)/python -m http.server -d site)"

wheel: setup  ## build wheel and sdist, install the wheel elsewhere and use it there
	$(ONE_THREAD) $(BIN)/python tests/check_wheel.py

slow: setup  ## the tests that take minutes
	$(ONE_THREAD) $(PYTEST) -n 2 -m 'slow and not hardware' --timeout 1800

bench: setup  ## how long a step takes
	$(ONE_THREAD) $(BIN)/python tests/benchmarks/recurrent.py
	$(ONE_THREAD) $(BIN)/python tests/benchmarks/quantum_recurrent.py
	$(ONE_THREAD) $(BIN)/python tests/benchmarks/noisy_shots.py
	$(ONE_THREAD) $(BIN)/python tests/benchmarks/perceptron.py
	$(ONE_THREAD) $(BIN)/python tests/benchmarks/pennylane_device.py
	$(ONE_THREAD) $(BIN)/python tests/benchmarks/melting.py
	$(ONE_THREAD) $(BIN)/python tests/benchmarks/digits.py

clean:  ## remove what was made here; runs/ stays
	rm -rf $(VENV) build dist site .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
