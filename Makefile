# Every chore by one verb. Each environment is made once and again only when its inputs change.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
DEMO := .venv-demo
DEV := .venv
INPUTS := pyproject.toml constraints.txt
export HF_HUB_OFFLINE := 1
export BENTOML_DO_NOT_TRACK := True
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check fix bench bench-serving bench-batch bento clean

demo: $(DEMO)/ready  ## classify a sample page with the bundled model
	@FORCE_COLOR=1 $(DEMO)/bin/faqra classify --to table tests/pages/sample.html
	@echo "The same in a browser: $(DEMO)/bin/pip install -c constraints.txt '.[serve]', then $(DEMO)/bin/faqra serve"

test: $(DEV)/ready  ## the whole test suite
	@$(DEV)/bin/python -m pytest

check: $(DEV)/ready  ## format, lint, types
	@$(DEV)/bin/ruff format --check .
	@$(DEV)/bin/ruff check .
	@$(DEV)/bin/mypy

fix: $(DEV)/ready  ## what the formatter and linter can mend themselves
	@$(DEV)/bin/ruff check --fix .
	@$(DEV)/bin/ruff format .

bench: $(DEV)/ready  ## paragraphs a second, beside a BERT-base in a plain pipeline
	@$(DEV)/bin/python tests/benchmarks/page_mode.py

bento: $(DEV)/ready  ## a Bento of the service with the bundled model, in the BentoML store
	@$(DEV)/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@$(DEV)/bin/bentoml build --bentofile serving/bentofile.yaml .

bench-serving: $(DEV)/ready  ## the service's speed, bounds and faults; WITH="--quick" or what else its --help says
	@$(DEV)/bin/python serving/benchmarks service $(WITH)

bench-batch: $(DEV)/ready  ## the speed of faqra classify, its memory and what kills do to it; WITH as above
	@$(DEV)/bin/python serving/benchmarks batch $(WITH)

clean:  ## everything that can be made again
	rm -rf $(DEMO) $(DEV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

# torch is installed by its exact version first: a range would let pip choose a newer build, on
# Linux one with several GB of CUDA libraries.
$(DEV)/ready: $(INPUTS)
	@echo "Making the development environment in $(DEV) (once, a few minutes) ..."
	@test -x $(DEV)/bin/python || $(PYTHON) -m venv $(DEV)
	@$(DEV)/bin/pip install --quiet "$$(grep '^torch==' constraints.txt)"
	@$(DEV)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(DEMO)/ready: $(INPUTS)
	@echo "Making the environment in $(DEMO) (once, about a minute) ..."
	@test -x $(DEMO)/bin/python || $(PYTHON) -m venv $(DEMO)
	@$(DEMO)/bin/pip install --quiet --constraint constraints.txt --editable .
	@touch $@
