# rsu-agent: two commands do everything: `make run` and `make test`.
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
PY := .venv/bin/python
RSU := .venv/bin/rsu
APT_TOOLS := mosquitto chrony chromium systemd tshark asn1c gcc gpsd linuxptp iproute2 prometheus postgresql nats-server

.DEFAULT_GOAL := help
.PHONY: help deb setup tools run test check check-messages bench hil fuzz faults device-faults chaos power-cut drills device-chaos docs generate lock lock-peers lock-docs clean train
DEB_PYTHON ?= 3.11

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: .venv/.ready ## the virtual environment .venv with the command rsu in it

.venv/.ready: requirements/dev.txt pyproject.toml
	@command -v python3 >/dev/null || { echo "python3 is missing: sudo apt install git make python3-venv"; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, this is $$(python3 -V)"; exit 1; }
	@python3 -c 'import venv, ensurepip' 2>/dev/null || { echo "the module venv is missing: sudo apt install git make python3-venv"; exit 1; }
	@test -x $(PY) || python3 -m venv .venv
	@echo "installing the locked packages (about 400 MB, some minutes) ..."
	@$(PY) -m pip install --disable-pip-version-check --require-hashes -r requirements/dev.txt $(if $(CI),-q,)
	@$(PY) -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@

tools: ## Debian's servers and tools that tests use, where they may be installed
	@deploy/install-tools $(APT_TOOLS)

run: setup ## the whole product on the virtual crossing
	@$(RSU) demo

test: setup tools ## every test, with a table of what ran, was skipped, is missing
	@$(PY) -m pytest

check: setup ## formatting, lint, types, import law, size budget, licences, generated files
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PY) -m rsu_agent.cli.generate --check
	@$(PY) -m pytest -q tests/house

check-messages: setup ## N random messages of each type through our codecs and the referees (SEED= for others)
	@$(PY) -m tests.messages.differential --n $(or $(N),10000) --seed $(or $(SEED),1)

bench: setup ## every benchmark with its ratios, or ONLY=name; writes build/bench.json
	@$(RSU) bench $(if $(ONLY),--only $(ONLY),)

hil: setup ## every scenario with its report, in build/hil; MUTANTS=1: wrong installations, each to be named
	@$(if $(MUTANTS),$(PY) -m hil.mutants,$(RSU) hil all --out build/hil)

fuzz: setup ## N random inputs into everything that reads a wire (SEED= for the same ones again)
	@$(PY) -m tests.fuzz --n $(or $(N),20000) --seed $(or $(SEED),1)

faults: setup ## N line faults on the fake clock, each judged against what the line carried
	@$(PY) -m hil.line_faults --n $(or $(N),200) --seed $(or $(SEED),1)

device-faults: setup ## N random device faults on a running crossing
	@$(PY) -m hil.device_faults --n $(or $(N),10) --seed $(or $(SEED),1)

chaos: setup ## N kills of edge, broker, receiver under load (SEED= ENVELOPES= POINTS= BROKER= MODE=sqlite|postgres|jetstream); nothing may be lost
	@$(PY) -m hil.uplink_chaos --n $(or $(N),300) --seed $(or $(SEED),1) --envelopes $(or $(ENVELOPES),200000) $(if $(POINTS),--points $(POINTS),) --broker $(or $(BROKER),mosquitto) --mode $(or $(MODE),sqlite)

drills: setup ## the counted drills of a pole: KILLS= changes of its site file killed at any step, INSTALLS= releases too, a bundle (SEED=)
	@$(PY) -m hil.drills --kills $(or $(KILLS),200) --installs $(or $(INSTALLS),100) --seed $(or $(SEED),1)

power-cut: setup ## every write of an outbox recorded, the power cut after each (RECORDS= SEED=); no promise may be broken
	@$(PY) -m hil.power_cut --records $(or $(RECORDS),800) --seed $(or $(SEED),1)

device-chaos: setup ## N random kills on a running crossing; nothing may be lost
	@$(PY) -m hil.chaos --n $(or $(N),10) --seed $(or $(SEED),1)

generate: setup ## codecs and reference pages made anew
	@$(PY) -m rsu_agent.cli.generate

docs: setup build/docs-env/.ready ## the documentation as a site, built strictly into build/docs
	@$(PY) -m rsu_agent.cli.site_pages
	@NO_MKDOCS_2_WARNING=1 build/docs-env/bin/mkdocs build --strict --quiet -f build/mkdocs.yml
	@$(PY) -m rsu_agent.cli.site_pages --built

build/docs-env/.ready: requirements/docs.txt
	@python3 -m venv build/docs-env
	@build/docs-env/bin/python -m pip install --disable-pip-version-check -q --require-hashes -r requirements/docs.txt
	@touch $@

lock: setup ## the locked requirements made anew (needs uv)
	@.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --extra dev --python-version 3.11 pyproject.toml -o requirements/dev.txt
	@.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --extra can -c requirements/dev.txt --python-version 3.11 pyproject.toml -o requirements/run.txt

lock-peers: setup ## the peers' locked requirements made anew (needs uv)
	@.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --universal --python-version 3.11 requirements/peers.in --override requirements/peers-override.txt -o requirements/peers.txt

lock-docs: setup ## the documentation's locked requirements made anew (needs uv)
	@.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --universal --python-version 3.11 requirements/docs.in -o requirements/docs.txt

train: ## the detector's weights made anew (needs torch: models/README.md)
	@$(PY) -m models.train --out models/detector

deb: setup ## build/rsu-agent_VERSION_ARCH.deb from locked wheels (ARCH="amd64 arm64", DEB_PYTHON=3.12 for Ubuntu 24.04)
	@$(PY) deploy/debian/build.py --python $(DEB_PYTHON) --arch $(or $(ARCH),amd64 arm64)

clean: ## what was built, not the environment
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache
