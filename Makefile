# Two commands: `make demo` (set-up and the main job on the built-in film), `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= auto
TESTS ?=

# As many processes as there are cores, with one thread each. Bytecode is kept wherever the
# environment says otherwise: many tests start processes, which would compile everything anew.
PYTEST = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest \
	-n $(WORKERS) --dist worksteal

.PHONY: demo test check attack format bench clean help

help:
	@echo "make demo    set up .venv, then cluster the built-in film"
	@echo "make test    all tests, slow ones included; with TESTS=slow those that check leaves out"
	@echo "make check   ruff, mypy, fast tests"
	@echo "make attack  all attacks on inputs and run folders, about an hour"
	@echo "make format  reformat the code"
	@echo "make bench   speed and memory"

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	@echo "installing torch into $(VENV) (with all that follows a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet -c constraints.txt torch
	@echo "installing videoclusternet and its other packages"
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

demo: $(STAMP)
	$(BIN)/vcn demo -o demo

test: $(STAMP)
	$(PYTEST) -m "$(TESTS)"

check: $(STAMP)
	$(BIN)/ruff format --check src tests examples
	$(BIN)/ruff check src tests examples
	$(BIN)/mypy
	$(PYTEST) -m "not slow"

attack: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.attack

format: $(STAMP)
	$(BIN)/ruff format src tests examples
	$(BIN)/ruff check --fix src tests examples

bench: $(STAMP)
	$(BIN)/python bench/speed.py

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache
