# The two commands of a newcomer are `make demo` and `make test`; `make help` lists all.
# PY is the Python that .venv is made with:   make PY=python3.12 test
PY ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
# One process a core, one thread a process: small tensors gain nothing from more.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

CONFIG := configs/balloon/mask-rcnn_r18_fpn_balloon.py
DEMO := work_dirs/balloon_demo

.DEFAULT_GOAL := help
.PHONY: help install demo test check lint format type clean

help:
	@echo "make demo     draw balloons, train Mask R-CNN on them, test it, leave pictures"
	@echo "make test     run the tests"
	@echo "make check    format, lint, types and tests: what a change has to pass"
	@echo "make install  make $(VENV) with the package and its tools in it (the others do this first)"
	@echo "make lint | type | format"
	@echo "make clean    remove caches (data, work_dirs and $(VENV) stay)"

install: $(STAMP)

$(STAMP): pyproject.toml
	@$(PY) -c 'import sys; sys.version_info < (3, 10) and sys.exit("This needs Python 3.10 or newer, $(PY) is %d.%d. Name a newer one: make PY=python3.12 ..." % sys.version_info[:2])'
	$(PY) -m venv $(VENV)
	@echo "Installing into $(VENV). The first time this fetches PyTorch: some GB, some minutes."
	$(BIN)/python -m pip install --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

# An earlier demo is never deleted: it is moved aside, with the time in its name.
demo: install
	$(BIN)/python tools/misc/make_balloons.py --out data/balloon
	$(BIN)/python tools/dataset_converters/balloon2coco.py data/balloon
	@if [ -e $(DEMO) ]; then kept=$(DEMO)_until_$$(date +%Y%m%d_%H%M%S); \
		mv $(DEMO) $$kept && echo "the earlier demo is now $$kept"; fi
	$(BIN)/python tools/train.py $(CONFIG) --work-dir $(DEMO)
	$(BIN)/python tools/test.py $(CONFIG) $(DEMO)/best_*.pth --work-dir $(DEMO)/test \
		--out $(DEMO)/results.pkl
	$(BIN)/python tools/analysis_tools/contact_sheet.py $(CONFIG) $(DEMO)/results.pkl
	$(BIN)/python tools/analysis_tools/plot_log.py $(DEMO)
	@echo
	@echo "pictures, ground truth beside prediction:  $(DEMO)/contact_sheet.png"
	@echo "loss and AP curves:                        $(DEMO)/curves.png"
	@echo "best checkpoint:                           $$(ls $(DEMO)/best_*.pth)"

test: install
	$(PYTEST)

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

lint: install
	$(BIN)/ruff check .

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

type: install
	$(BIN)/mypy

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
