# All that is needed is make and Python 3.11 or newer; the first target that is asked for sets up .venv.

PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

RESULTS := benchmarks/results
BENCH := $(BIN)/python -m pytest benchmarks --benchmark-columns=min,median,max,rounds

.PHONY: help verify test test-slow lint docs figures evidence bench bench-gpu bench-report calibrate .venv

help:
	@echo "make verify     prove and check every claim, print the table"
	@echo "make test       pytest, without the tests marked slow, on $(JOBS) processes (JOBS=n)"
	@echo "make test-slow  pytest, the tests marked slow"
	@echo "make lint       ruff and basedpyright"
	@echo "make docs       the book, into docs/_build/html (a minute)"
	@echo "make bench      our samplers beside others' on one thread, into $(RESULTS) (two to five minutes)"
	@echo "make bench-gpu  the same on a GPU (five minutes)"
	@echo "make bench-report  pictures and tables of both"
	@echo "make calibrate  count false alarms and errors found, beside what is stated (a minute)"

verify: .venv
	$(BIN)/noiseproof verify

test: .venv
	$(BIN)/python -m pytest tests benchmarks -m "not slow" -n $(JOBS)

test-slow: .venv
	$(BIN)/python -m pytest -m slow -n $(JOBS)

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/basedpyright

docs: .venv/docs
	$(BIN)/python -m docs.book

# What the book shows of runs is committed: its figures (three minutes), and its verdicts (twelve minutes).
figures: .venv/docs
	$(BIN)/python -m docs.figures

evidence: .venv/docs
	$(BIN)/python -m docs.book.evidence

bench: .venv
	$(BENCH) --benchmark-json=$(RESULTS)/cpu.json

# Without a GPU it says so, before anything is installed.
bench-gpu: .venv
	@if $(BIN)/python -m benchmarks.machine; then \
	    $(INSTALL) -e ".[test,gpu,docs]" && \
	    $(BENCH) --device cuda --benchmark-json=$(RESULTS)/cuda.json; measured=$$?; \
	    $(BIN)/python -m benchmarks.report $(RESULTS)/cuda.json && exit $$measured; fi

bench-report: .venv
	$(INSTALL) -e ".[docs]"
	@set -e; for file in $(RESULTS)/cpu.json $(RESULTS)/cuda.json; do \
	    if [ -f $$file ]; then $(BIN)/python -m benchmarks.report $$file; fi; done

calibrate: .venv
	$(BIN)/noiseproof calibrate

.venv/docs: .venv/test
	$(INSTALL) -e ".[docs]"
	@touch $@

# The stamps are files inside, so that an installation that was interrupted is taken up again.
.venv: .venv/test

.venv/test: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "Installing into .venv (a minute or two) ..."
	$(INSTALL) -e ".[test]"
	@touch $@

# azula asks for torchvision, which must match torch to the letter and which none of its samplers imports.
.venv/dev: .venv/test
	$(INSTALL) -e ".[dev]"
	$(INSTALL) --no-deps azula einops
	@touch $@
