# Every target sets up what it needs: on a fresh machine only Python 3.11 or later and make are required.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CROISSANT := .venv-croissant
BROWSER := .venv-browser
# qwen-omni is tested in an environment of its own, and what reads and answers there with the oldest transformers as
# well, which lies beside the same torch. All of it with another: make test-qwen TRANSFORMERS=5.17.0
QWEN := .venv-qwen
OLDEST := 5.17.0
QWEN_ALL := tests/models/qwen tests/models/worker/test_worker_qwen.py
QWEN_CORE := $(patsubst %,tests/models/qwen/test_qwen_%.py,answers official hub)
QWEN_PYTEST = $(QWEN)/bin/python -m pytest -q --numprocesses 2 --dist loadfile $(QWEN_MARKS)

.PHONY: demo test test-all check check-croissant test-browser test-qwen format bench bench-inspect docs messy fuzz lock clean

demo: $(READY)  ## synthesised scenes -> shifted clips -> reference models -> a report to open
	$(BIN)/offbeat demo --out demo

test: $(READY)  ## the tests, under five minutes on two cores
	$(BIN)/python -m pytest -q --numprocesses auto --dist loadfile

test-all: $(READY) $(BROWSER)/.ready  ## with the slow ones, the browser among them
	PYTHONPATH=$(BROWSER) $(BIN)/python -m pytest -q --numprocesses auto --dist loadfile -m "slow or not slow"

check: $(READY)  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright

check-croissant: $(READY) $(CROISSANT)/.ready  ## does the reader of others understand our metadata?
	$(BIN)/python -m pytest -q -m "slow or not slow" tests/dataset/test_croissant.py

test-browser: $(READY) $(BROWSER)/.ready  ## the page of a report, and written clips, in the Chromium of this machine
	PYTHONPATH=$(BROWSER) $(BIN)/python -m pytest -q --numprocesses 2 --dist loadfile -m "slow or not slow" tests/browser tests/dataset/test_in_chromium.py

ifdef TRANSFORMERS
test-qwen: $(QWEN)/transformers-$(TRANSFORMERS)/.ready
	PYTHONPATH=$(CURDIR)/$(<D) $(QWEN_PYTEST) $(QWEN_ALL)
else
test-qwen: $(QWEN)/.ready $(QWEN)/transformers-$(OLDEST)/.ready  ## qwen-omni with tiny checkpoints, in an environment with torch
	$(QWEN_PYTEST) $(QWEN_ALL)
	PYTHONPATH=$(CURDIR)/$(QWEN)/transformers-$(OLDEST) $(QWEN_PYTEST) $(QWEN_CORE)
endif

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## each benchmark compares with what one would do otherwise, in one run
	for b in $(filter-out benchmarks/material.py benchmarks/floor.py benchmarks/inspect_task.py,$(wildcard benchmarks/*.py)); do echo "== $$b"; $(BIN)/python $$b || exit 1; done

bench-inspect: $(READY)  ## what asking costs, beside Inspect AI in an environment of its own
	test -x .venv-inspect/bin/python || ($(PYTHON) -m venv .venv-inspect && .venv-inspect/bin/python -m pip install --quiet inspect_ai==0.3.285)
	$(BIN)/python benchmarks/run.py --inspect .venv-inspect/bin/python

docs: $(READY)  ## write the pages that are generated
	$(BIN)/python docs/generate.py

messy: $(READY)  ## build from every awkward source, and write docs/messy.md
	PYTHONPATH=tests/dataset:tests/media $(BIN)/python -m messy_page

fuzz: $(READY)  ## damage small videos in 2,000 ways: nothing hangs, nothing wrong comes out unnoticed
	PYTHONPATH=tests/dataset:tests/media $(BIN)/python tests/media/fuzz.py

lock:  ## pin exact versions and hashes anew (needs uv)
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	  --group pyproject.toml:dev pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	  pyproject.toml -o requirements/core.txt
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	  --group pyproject.toml:croissant -o requirements/croissant.txt
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	  --constraints requirements/dev.txt --group pyproject.toml:browser -o requirements/browser.txt

$(READY): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Offbeat needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(CROISSANT)/.ready: requirements/croissant.txt
	$(PYTHON) -m venv $(CROISSANT)
	$(CROISSANT)/bin/python -m pip install --quiet --require-hashes -r requirements/croissant.txt
	@touch $@

# Playwright beside the packages of the tests, on their path; it drives Chromium, and downloads none.
$(BROWSER)/.ready: $(READY) requirements/browser.txt
	rm -rf $(BROWSER)
	$(BIN)/python -m pip install --quiet --require-hashes --target $(BROWSER) -r requirements/browser.txt
	@touch $@

# dashscope is there for its vocabulary file alone; torchvision for the makers' processor alone, so that the rest is seen
# to do without it: neither is given what it depends on.
$(QWEN)/.ready: pyproject.toml requirements/dev.txt requirements/qwen.txt
	$(PYTHON) -m venv $(QWEN)
	$(QWEN)/bin/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(QWEN)/bin/python -m pip install --quiet -r requirements/qwen.txt
	$(QWEN)/bin/python -m pip install --quiet --no-deps dashscope==2.0.2
	$(QWEN)/bin/python -m pip install --quiet --no-deps --upgrade --target $(QWEN)/torchvision torchvision==0.28.0 pillow==13.0.0
	$(QWEN)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The hub's client as this version asks for it; before its 2.0 it stands on httpx.
$(QWEN)/transformers-%/.ready: $(QWEN)/.ready
	rm -rf $(@D)
	$(QWEN)/bin/python -m pip install --quiet --no-deps --no-compile --target $(@D) transformers==$* httpx httpcore
	hub=$$(sed -n 's/^Requires-Dist: \(huggingface.hub[^;]*\)$$/\1/p' $(@D)/transformers-*.dist-info/METADATA) && \
	  $(QWEN)/bin/python -m pip install --quiet --no-deps --no-compile --target $(@D) "$$hub"
	@touch $@

clean:
	rm -rf $(VENV) $(CROISSANT) $(BROWSER) $(QWEN) .venv-inspect demo .pytest_cache .ruff_cache
