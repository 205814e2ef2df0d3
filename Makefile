# Everything a newcomer needs. Nothing has to be installed by hand: targets install what they use,
# with apt where they may (root or sudo), else they say which command to run.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check -q

# Real programs the tests drive; see scripts/apt-install.
TEST_PACKAGES := pcscd vsmartcard-vpcd vsmartcard-vpicc libccid opensc opensc-pkcs11 yubico-piv-tool ykcs11 \
	pcsc-tools openssh-client openssh-server openssl libengine-pkcs11-openssl gnutls-bin \
	libnss3-tools tshark swig libpcsclite1 libpcsclite-dev gcc libc6-dev pkg-config \
	chromium chromium-driver libhivex-bin wine wine64 gcc-mingw-w64-x86-64 \
	gnupg-pkcs11-scd gpg gpg-agent gpgconf curl libp11-kit-dev
# Without bytecode every start would compile the program again.
unexport PYTHONDONTWRITEBYTECODE
SOURCES := vreader cards tests docs

.PHONY: demo test lint types docs bench soak mutants wine-trixie image shell clean

demo: $(VENV)/base
	@scripts/demo

test: $(VENV)/dev lint types
	@scripts/apt-install $(TEST_PACKAGES)
	@PYTHON=$(PYTHON) scripts/install-clients $(VENV)/clients
	@$(MAKE) -s $(VENV)/pcsc || [ "$$CI" != true ]
	$(BIN)/pytest -q

lint: $(VENV)/dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check -q $(SOURCES)

types: $(VENV)/dev
	$(BIN)/mypy

docs: $(VENV)/docs
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/diagrams.py
	$(BIN)/sphinx-build -nW --keep-going -q -b html docs docs/_build/html

bench: $(VENV)/base
	@scripts/apt-install $(TEST_PACKAGES)
	$(BIN)/python tests/bench/bench.py

soak: $(VENV)/dev
	@scripts/apt-install $(TEST_PACKAGES)
	$(BIN)/python tests/soak/soak.py

# Each mutant of the reference minidriver against every check: 4 minutes. 'make test' takes some.
mutants: $(VENV)/dev
	VREADER_MUTANTS=all $(BIN)/pytest -q tests/minidriver/mutants

# Minidriver DLLs through Wine's own winscard; its root is kept in .venv (1.9 GB).
wine-trixie: $(VENV)/dev
	@scripts/apt-install mmdebstrap gcc-mingw-w64-x86-64
	@scripts/wine-trixie $(VENV)/wine-trixie $(BIN)/pytest

# The container image, built for real and tried; no image is pulled. Needs root.
image:
	@scripts/apt-install buildah mmdebstrap
	@scripts/image $(VENV)/image

shell: $(VENV)/base
	@PATH="$(CURDIR)/$(BIN):$$PATH" $${SHELL:-/bin/sh}

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis docs/_build

# Stamps: the environment is made once for each set of requirements.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { echo "hint: apt install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/base: pyproject.toml | $(BIN)/python
	$(PIP) install -e .
	@touch $@

$(VENV)/dev: pyproject.toml | $(BIN)/python
	$(PIP) install -e '.[dev]'
	@touch $@ $(VENV)/base

# pyscard is compiled: it needs what scripts/apt-install and scripts/install-clients bring.
$(VENV)/pcsc: pyproject.toml | $(BIN)/python
	$(PIP) install -e '.[pcsc]'
	@touch $@

$(VENV)/docs: pyproject.toml | $(BIN)/python
	$(PIP) install -e '.[docs]'
	@touch $@
