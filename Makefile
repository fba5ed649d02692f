# Everything sets itself up: Python into .venv, the page into web/node_modules, real programs by apt where we are root.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
DYNAMODB ?= moto
STAGE ?= dev
BIN := .venv/bin
SETUP := .venv/.ready web/node_modules/.ready
PAGE := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/coverage/*' 2>/dev/null)

export PYTHONDONTWRITEBYTECODE := 1
export NPM_CONFIG_UPDATE_NOTIFIER := false

.PHONY: help setup programs native run dev test check lint unit stack turn e2e soak bench generate format package image deploy clean

help: ## says what there is
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(SETUP) ## installs what the project needs, into the project

.venv/.ready: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Set PYTHON=."; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@echo "installing Python packages into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

web/node_modules/.ready: web/package-lock.json
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || { echo "Node 20 or newer is needed"; exit 1; }
	@echo "installing the page's packages into web/node_modules ..."
	@npm --prefix web ci --silent --no-audit --no-fund
	@touch $@

web/dist/index.html: $(PAGE) web/node_modules/.ready
	@echo "building the page ..."
	@npm --prefix web run --silent build
	@touch $@

programs: # Chromium for the page's tests; Java and Maven for DynamoDB Local. Real programs, from the system.
	@local/programs.sh

native: $(SETUP) ## compiles what every packet goes through (media_node/native.py); the node is started so from then on
	@$(BIN)/python -m media_node.native

run: $(SETUP) web/dist/index.html ## the whole system at http://127.0.0.1:8000 (PORT, HOST, DYNAMODB=moto|local)
	@PORT=$(PORT) HOST=$(HOST) DYNAMODB=$(DYNAMODB) exec $(BIN)/python -m local.run

dev: $(SETUP) web/dist/index.html ## the same, reloading Python and the page as they change
	@RELOAD=1 PORT=$(PORT) HOST=$(HOST) DYNAMODB=$(DYNAMODB) exec $(BIN)/python -m local.run

test: check unit stack turn e2e ## every check and every test
	@echo "all checks and tests passed"

check: $(SETUP) ## formats, lint, types, the dependency law, generated files; Python and TypeScript
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo
	@$(BIN)/python -m local.generate --check
	@npm --prefix web run --silent check

unit: $(SETUP) programs ## unit and contract tests with coverage floors; the page's own tests
	@npm --prefix web run --silent test
	@$(BIN)/coverage erase
	@$(BIN)/python -m pytest tests/unit tests/contract tests/local tests/infra tests/node -n 2 --dist loadfile --cov --cov-report=
	@$(BIN)/coverage report --fail-under=90
	@$(BIN)/coverage report --fail-under=100 --include='$(PURE)'

# The pure rooms: values in, values out. Every branch of them is tested.
PURE := media_node/frames.py,media_node/gather.py,media_node/pace.py,media_node/audience.py,media_node/roster.py,media_node/bridge.py,media_node/model.py
PURE := $(PURE),media_node/stun.py,media_node/ice.py,media_node/sdp.py,media_node/channels.py,media_node/sctp.py,media_node/sctp_*.py
PURE := $(PURE),media_node/opus.py,media_node/ogg.py,media_node/recorder.py,media_node/recorded.py,media_node/mixdown.py
PURE := $(PURE),chalicelib/voice/recordings_model.py
PURE := $(PURE),chalicelib/wire/*
PURE := $(PURE),chalicelib/ot/*
PURE := $(PURE),chalicelib/presence/model.py,chalicelib/presence/frames.py,chalicelib/presence/broadcast.py
PURE := $(PURE),chalicelib/sessions/model.py
PURE := $(PURE),chalicelib/users/model.py
PURE := $(PURE),chalicelib/activity/model.py
PURE := $(PURE),chalicelib/peers/turn.py,chalicelib/peers/quality.py,chalicelib/peers/model.py,chalicelib/peers/service.py,chalicelib/peers/signals.py

stack: $(SETUP) programs web/dist/index.html ## the whole system through its ports: REST, WebSocket, faults, schemathesis
	@$(BIN)/python -m pytest tests/stack tests/soak -n 2 --dist loadfile

turn: $(SETUP) programs web/dist/index.html ## real coturn: what it refuses, pages that meet at it, NATs that leave no other way, a mixed room
	@$(BIN)/python -m pytest tests/turn

e2e: $(SETUP) programs web/dist/index.html ## real Chromium windows in one room
	@$(BIN)/python -m pytest tests/e2e

soak: $(SETUP) programs web/dist/index.html ## the algebra's fuzz, the documents under fire, a media node for 30 minutes, with new seeds until one fails or Ctrl-C
	@export SOAK=1; while true; do seed=$$RANDOM$$RANDOM; echo "seed $$seed"; \
	  OT_FUZZ_SEED=$$seed OT_FUZZ_ROUNDS=5000 $(BIN)/python -m pytest tests/unit/ot -q --timeout 600; \
	  FAULT_SEED=$$seed FAULT_ROUNDS=3 $(BIN)/python -m pytest tests/stack/test_document_faults.py tests/stack/test_document_clauses.py tests/stack/test_relay_faults.py tests/stack/test_relay_networks.py -q --timeout 600; \
	  SOAK_S=1800 $(BIN)/python -m pytest tests/soak -q -s; done

bench: $(SETUP) programs web/dist/index.html ## benchmarks (NAME=room-presence for one); results in benchmarks/results
	@$(BIN)/python -m media_node.native || true # it said why not; the node is Python then
	@$(BIN)/python -m benchmarks $(NAME)

generate: $(SETUP) ## TypeScript and API documents from the Python definitions
	@$(BIN)/python -m local.generate

format: $(SETUP) ## formats Python and TypeScript
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .
	@npm --prefix web run --silent format

package: $(SETUP) ## the CloudFormation package for STAGE, offline
	@$(BIN)/python -m infra.package --stage $(STAGE)

image: $(SETUP) ## the media node's image with Docker, as holodeck-media
	@$(BIN)/python -m infra.image

deploy: $(SETUP) ## the whole deployment of STAGE to AWS (DRY_RUN=1 to see it, NO_MEDIA=1 without Docker)
	@$(BIN)/python -m infra.deploy --stage $(STAGE) $(if $(DRY_RUN),--dry-run) $(if $(NO_MEDIA),--without-media)

clean: ## removes everything that can be made again
	@rm -rf .venv web/node_modules benchmarks/peers/node_modules web/dist web/coverage .local .cache infra/out .mypy_cache .ruff_cache .hypothesis .coverage*
