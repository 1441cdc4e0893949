# Two commands: `make deploy` cooks, `make test` proves. Both set up whatever is missing first.
SHELL := /bin/bash
ENV := . ros2_ws/env.sh
BOOTSTRAP := python3 ros2_ws/bootstrap/bootstrap.py
ARGS ?=
TEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup deploy test campaign bench lerobot-env lerobot-data-env lint shell clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup:  ## Install what is missing and build the workspace
	@$(BOOTSTRAP)

# torch only where a policy is named that may need it, the page unless it is declined
DEPLOY_ROLES = robot sim $(if $(filter view:=false,$(ARGS)),,view) $(if $(filter-out policy:=expert policy:=zmq:% policy:=http% policy:=chefmate:%,$(filter policy:=%,$(ARGS))),policy)
deploy:  ## The kitchen, the arm and the policy in simulation, until the task is done (ARGS='name:=value ...')
	@$(BOOTSTRAP) --roles $(DEPLOY_ROLES) && $(ENV) && exec chefmate deploy $(ARGS)

test:  ## The whole test suite (TEST_ARGS='-k gate -x')
	@$(BOOTSTRAP) && $(ENV) && exec python tests/run.py $(TEST_ARGS)

campaign:  ## Every hostile command and bus fault, 10,000 steps (CHEFMATE_CAMPAIGN_STEPS=...); docs/campaign.md
	@$(BOOTSTRAP) && $(ENV) && exec python -m pytest -m nightly ros2_ws/src/chefmate_sim/test/campaign $(TEST_ARGS)

bench:  ## Measure bus, recovery, policy and loop into out/ (a quarter of an hour); docs/measuring.md
	@$(BOOTSTRAP) --roles robot sim policy && $(ENV) && mkdir -p out && for what in bus recovery policy loop; do \
	  chefmate bench $$what --json out/bench-$$what.json --svg out/bench-$$what.svg || exit 1; done

lerobot-env:  ## LeRobot's servo bus in an environment of its own, for `chefmate bench bus`
	@$(BOOTSTRAP) --roles robot sim && $(ENV) && python -m venv --clear benchmarks/lerobot/.venv && \
	  benchmarks/lerobot/.venv/bin/python -m pip install --quiet --no-deps -r ros2_ws/bootstrap/requirements/lerobot.txt

lerobot-data-env:  ## LeRobot's data sets in an environment of their own, for read-back and benchmarks/dataset.py (1.5 GB)
	@$(BOOTSTRAP) --roles robot sim && $(ENV) && cd tests/lerobot_readback && python -m venv --clear .venv && \
	  .venv/bin/python -m pip install --quiet --no-deps -r requirements.txt && \
	  .venv/bin/python -m pip install --quiet --no-deps --target .venv/lerobot-0.3.3 -r requirements-v21.txt

lint:  ## ruff and mypy
	@$(BOOTSTRAP) && $(ENV) && ruff check . && ruff format --check . && \
	  for package in ros2_ws/src/*/*/py.typed; do \
	    mypy -p "$$(basename "$$(dirname "$$package")")" || exit 1; done

shell:  ## A shell with ChefMate in it
	@$(BOOTSTRAP) --roles robot sim && $(ENV) && exec $$SHELL -i

clean:  ## Remove what was built (not .venv)
	rm -rf ros2_ws/build ros2_ws/install ros2_ws/log
