# Atelier's commands. `make run` opens the app; bare `make` checks everything.
#
# Both install once, from the locks, into .venv; a lock that changes installs again. What the app itself needs
# (requirements.lock) and what the tests add (requirements-dev.lock) are apart, so that running it fetches no test tools.

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-input --require-hashes
LOCK := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header
UV := uv==0.13.8

# The first of these that is new enough makes .venv; `make run PYTHON=/path/to/python` names another.
PYTHON :=
PYTHONS := $(PYTHON) $(if $(PYTHON),,python3 python3.13 python3.12 python3.11)
# TensorFlow's version in the lock comes for these.
OLDEST := 3, 11
NEWEST := 3, 13

# The app's port; Streamlit's own (8501, or the next free one) where none is given.
PORT :=
# A browser opens where there is a screen; elsewhere only the address is printed.
HEADLESS := $(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),false,true)

# Processes that share the tests: one per core, unless told otherwise (`make test WORKERS=4`; 0 runs them in one).
WORKERS := auto
PYTEST := -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# The processes keep every core busy already; threads of the libraries would only wait for one another.
test quick: export OMP_NUM_THREADS := 1

.PHONY: all test quick lint types run fix lock clean

all: test

## make test: lint, types and every test, with its coverage; tests that find no browser or no real data are skipped and listed
test: lint types
	$(BIN)/coverage erase
	$(BIN)/coverage run $(PYTEST) -rs
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

## make quick: lint, types, and the tests that need no engine, no training and no browser
quick: lint types
	$(BIN)/python $(PYTEST) -q -m "not slow"

## make lint: the linter's rules and the formatter's layout
lint: $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

## make types: check the types of core/ and ui/
types: $(VENV)/.tools
	$(BIN)/mypy

## make run [PORT=8600]: install if need be, open the app and print its address
run: $(VENV)/.app
	@exec $(BIN)/python -m streamlit run streamlit_app.py --server.headless $(HEADLESS) \
		--server.showEmailPrompt false $(if $(PORT),--server.port $(PORT))

## make fix: mend what the linter can mend, then format; what is left is listed
fix: $(VENV)/.tools
	@$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	$(BIN)/ruff check .

## make lock: resolve both requirements files again; versions that still fit stay (`rm *.lock` first to move them all)
lock: $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet $(UV)
	$(LOCK) requirements.txt -o requirements.lock
	$(LOCK) requirements-dev.txt -c requirements.lock -o requirements-dev.lock

## make clean: remove what was installed or cached here; data and runs lie elsewhere and stay
clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .coverage .coverage.* screenshots
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.tools: requirements-dev.lock $(VENV)/.app
	$(INSTALL) --quiet -r requirements.lock -r requirements-dev.lock
	@touch $@

$(VENV)/.app: requirements.lock | $(BIN)/python
	@echo "Installing what Atelier needs into $(VENV): a download of some 700 MB, once."
	$(INSTALL) -r requirements.lock
	@touch $@

$(BIN)/python:
	@for python in $(PYTHONS); do \
		if "$$python" -c 'import sys; sys.exit(not ($(OLDEST)) <= sys.version_info[:2] <= ($(NEWEST)))' 2>/dev/null; then \
			echo "Making $(VENV) with $$("$$python" --version)."; \
			"$$python" -m venv --clear $(VENV) && exit 0; \
			rm -rf $(VENV); \
			echo "That Python cannot make virtual environments: install its venv module (python3-venv on Debian and Ubuntu)." >&2; \
			exit 1; \
		fi; \
	done; \
	echo "Atelier needs Python 3.11, 3.12 or 3.13; looked for: $(strip $(PYTHONS)), and python3 is" \
		"$$(python3 --version 2>&1 || echo missing). Install one of them, or name it: make run PYTHON=/path/to/python3.12" >&2; \
	exit 1
