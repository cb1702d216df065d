# `make` alone lists the targets. Each works on a fresh clone: what it needs is installed into .venv first.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.13 python3.12 python3; do \
	$$p -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; \
	done)
ARGS ?=
QUICK = 'start --rounds 3' 'sim --quick --peer none' 'stream --quick --peer none' 'deploy --quick' 'score --quick' \
	'autoencoders --quick' 'train --part small --rounds 1 --peer none --no-compiled'

.DEFAULT_GOAL := help
.PHONY: help demo conformance interop trained full setup hooks test test-fast coverage mutation bench dist lint format \
	docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-11s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/run.stamp ## the whole way on real handwritten digits; ends in demo/report.html
	$(BIN)/spikeport demo -o demo

conformance: $(VENV)/run.stamp ## against published recordings, Lava and each other, value by value; ARGS=--quick
	$(BIN)/spikeport conformance $(ARGS)

setup: $(VENV)/dev.stamp ## install everything into .venv

hooks: $(VENV)/dev.stamp ## check format, style, types, notebooks and sizes at each commit
	$(BIN)/pre-commit install

# Files whose tests take least for what they hold, by `pytest --durations=0`; DEAR are the few among them that take most.
FAST = $(addprefix tests/,test_fixed.py test_chip.py test_neurons.py test_program.py test_archive.py errors/test_base.py export \
	deploy/passes deploy/rules deploy/cores/test_map_cores.py deploy/test_resize.py deploy/quantize train/layer train/neurons \
	sim/engine sim/test_rules.py sim/test_reference.py sim/test_graded.py \
	$(addprefix cli/test_,help.py recipe_to_energy.py refused_graphs.py refused_runs.py refused_training.py))
DEAR = $(addprefix --ignore=tests/,export/test_from_program.py deploy/passes/test_random.py train/layer/test_batch_norm.py \
	sim/engine/test_dense.py)

# one thread for each of pytest's workers
test test-fast coverage mutation: export OMP_NUM_THREADS ?= 1

test: $(VENV)/dev.stamp ## run all tests; ARGS='tests/sim -k reset' picks some
	$(BIN)/pytest -n 2 $(ARGS)

test-fast: $(VENV)/dev.stamp ## run the core's tests, in less than a minute: FAST lists them
	$(BIN)/pytest -n 2 --dist loadfile -m 'not slow' $(FAST) $(DEAR) $(ARGS)

coverage: $(VENV)/dev.stamp ## run all tests, and list the lines that none ran; htmlcov/index.html shows them
	$(BIN)/pytest -n 2 --cov --cov-report=term-missing:skip-covered --cov-report=html $(ARGS)

mutation: $(VENV)/dev.stamp ## change the integer kernels, and see whether tests notice; ARGS='fixed.py --every 5' for some
	$(BIN)/python -m tests.mutation.live $(ARGS)

bench: $(VENV)/run.stamp ## benchmarks in small, all but those that fetch or train; ARGS='sim -o benchmarks' runs one in full
	@set -e; for words in $(if $(ARGS),"$(ARGS)",$(QUICK)); do echo "spikeport bench $$words"; $(BIN)/spikeport bench $$words; done
	@echo 'What was measured in full lies in benchmarks/; benchmarks/README.md says how.'

dist: $(VENV)/dev.stamp ## build dist/*.whl and *.tar.gz, and try both in environments of their own
	$(BIN)/python -m tests.built.live $(ARGS)

interop: $(VENV)/dev.stamp ## NIR of five frameworks and counts of four tools, live; ARGS='norse spikingjelly sanafe' picks some
	$(BIN)/python -m tests.interop.live $(ARGS)

trained: $(VENV)/dev.stamp ## train networks in these five frameworks, on digits and Fashion-MNIST; ARGS=--list lists them
	$(BIN)/python -m tests.trained.live $(ARGS)

full: export OMP_NUM_THREADS ?= 1
full: $(VENV)/dev.stamp ## the papers' networks in full size, layer by layer beside torch; ARGS='resnet18 vgg16' picks some
	$(BIN)/python -m tests.full.live $(ARGS)

lint: $(VENV)/dev.stamp ## check format, style and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/mypy --allow-untyped-calls --follow-imports=silent examples

format: $(VENV)/dev.stamp ## format the code and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: export OMP_NUM_THREADS ?= 1
docs: $(VENV)/docs.stamp ## build docs/_build/html, notebooks executed; a warning fails. ARGS='-b linkcheck' asks other sites
	$(BIN)/sphinx-build -E -W --keep-going -q $(or $(ARGS),-b html) docs docs/_build/$(lastword $(or $(ARGS),html))

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) build dist *.egg-info demo docs/_build .coverage htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/run.stamp: EXTRAS = train,lava
$(VENV)/dev.stamp: EXTRAS = train,events,lava,dev
$(VENV)/dev.stamp: ALSO = $(VENV)/run.stamp
$(VENV)/docs.stamp: EXTRAS = train,docs
$(VENV)/run.stamp $(VENV)/dev.stamp $(VENV)/docs.stamp: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11, 3.12 or 3.13 with pip was found; name one: make PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -c constraints.txt -e '.[$(EXTRAS)]'
	touch $@ $(ALSO)
