# make demo   simulate six scans, run the whole chain on them, show the results   (sets itself up)
# make test   all tests                                                          (sets itself up)
# make parity SPINEPS 2.1.3 and Wirbel on the same scans with the same weights      (sets both up)
# make coverage  the tests that run in one process, with coverage printed (make test is faster without)
# make lint   formatting, linting and types of Python; formatting and linting of the rules
# make licences  write docs/licences.md, after a change of the dependencies
# make setup  only the environment in .venv
# make clean  remove the demo's results and caches; clean-all also the environment

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3,$(if $(shell command -v $(name)),$(name))))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
DEMO := results/demo
SNAKEMAKE := $(BIN)/snakemake --profile profiles/default
DEMO_SETTINGS := --configfile config/demo.yaml

.PHONY: setup demo test coverage parity lint licences clean clean-all

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || \
	    { echo "Wirbel needs Python 3.11 or 3.12, found $$($(PYTHON) -V); set it with make PYTHON=..."; exit 1; }
	@echo "Setting up $(VENV) (some minutes the first time, mostly downloads)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check -c constraints.txt -e ".[test,cpu-engine]"
	@touch $(STAMP)

# Without a GPU the demo runs two jobs with networks at a time, each on half of the processors: while one scan is
# measured, which takes one processor, the networks work on the next.
HALF = $(shell $(BIN)/python -c "import os; print(max(1, len(os.sched_getaffinity(0)) // 2))")
SIDE_BY_SIDE = $(if $(shell command -v nvidia-smi),,--resources gpu=2 --set-threads semantic=$(HALF))

demo: $(STAMP)
	@$(SNAKEMAKE) $(DEMO_SETTINGS) -- simulate
	@$(SNAKEMAKE) $(DEMO_SETTINGS) $(SIDE_BY_SIDE)

test: $(STAMP)
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

coverage: $(STAMP)
	@$(BIN)/python -m pytest tests/unit tests/stages -n 3 --dist loadfile --cov --cov-report=term

# SPINEPS gets its own environment with Wirbel's version of torch, because another version would sum in another order.
# It does not need torchvision, which fails to start with a torch from another source.
SPINEPS := .venv-spineps
SPINEPS_NEEDS = spineps==2.1.3 TPTBox==1.1.0 torch==2.13.0
PARITY ?=
$(SPINEPS)/.complete:
	@echo "Setting up $(SPINEPS) with spineps 2.1.3 (some minutes)"
	@$(PYTHON) -m venv $(SPINEPS)
	@$(SPINEPS)/bin/pip install -qq --disable-pip-version-check $(SPINEPS_NEEDS)
	@$(SPINEPS)/bin/pip uninstall -qqy torchvision
	@$(SPINEPS)/bin/python -c "import spineps.seg_run"
	@touch $@

parity: $(STAMP) $(SPINEPS)/.complete
	@PYTHONPATH=benchmarks $(BIN)/python -m parity --spineps-python $(SPINEPS)/bin/python $(PARITY)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check Snakefile rules
	@$(BIN)/snakemake --lint

licences: $(STAMP)
	@$(BIN)/python .ci/licences.py

clean:
	rm -rf $(DEMO) .snakemake .coverage .pytest_cache .ruff_cache .mypy_cache .hypothesis

clean-all: clean
	rm -rf $(VENV) .venv-audit
