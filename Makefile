# Two commands: `make deploy` cooks, `make test` proves. Both set up whatever is missing first.
SHELL := /bin/bash
ENV := . ros2_ws/env.sh
BOOTSTRAP := python3 ros2_ws/bootstrap/bootstrap.py
ARGS ?=
TEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup deploy test campaign lint shell clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup:  ## Install what is missing and build the workspace
	@$(BOOTSTRAP)

deploy:  ## The kitchen, the arm and the policy in simulation, until the task is done (ARGS='name:=value ...')
	@$(BOOTSTRAP) --roles robot sim && $(ENV) && exec chefmate deploy $(ARGS)

test:  ## The whole test suite (TEST_ARGS='-k gate -x')
	@$(BOOTSTRAP) && $(ENV) && exec python -m pytest $(TEST_ARGS)

campaign:  ## Every hostile command and bus fault, 10,000 steps (CHEFMATE_CAMPAIGN_STEPS=...); docs/campaign.md
	@$(BOOTSTRAP) && $(ENV) && exec python -m pytest -m nightly ros2_ws/src/chefmate_sim/test/campaign $(TEST_ARGS)

lint:  ## ruff and mypy
	@$(BOOTSTRAP) && $(ENV) && ruff check . && ruff format --check . && \
	  for package in ros2_ws/src/*/*/py.typed; do \
	    mypy -p "$$(basename "$$(dirname "$$package")")" || exit 1; done

shell:  ## A shell with ChefMate in it
	@$(BOOTSTRAP) --roles robot sim && $(ENV) && exec $$SHELL -i

clean:  ## Remove what was built (not .venv)
	rm -rf ros2_ws/build ros2_ws/install ros2_ws/log
