"""What the system tests share: a DDS domain of their own, and commands that are ended."""

import os
from functools import partial

import pytest
from deployment import Command


@pytest.fixture
def domain():
    """A ROS domain that nobody else on this machine uses now."""
    from domain_coordinator import domain_id

    with domain_id() as number:
        yield number


@pytest.fixture
def environment(domain, tmp_path):
    """The environment of a test's processes; what one leaves behind, the next does not find."""
    (tmp_path / 'tmp').mkdir()
    return {
        **os.environ,
        'TMPDIR': str(tmp_path / 'tmp'),  # default of run_dir: ports, locks, the clutch's marker
        'ROS_DOMAIN_ID': str(domain),
        'ROS_LOG_DIR': str(tmp_path / 'log'),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        'PYTHONUNBUFFERED': '1',
        'COLUMNS': '200',
    }


@pytest.fixture
def program(environment):
    """Start a program; whatever still runs is ended after the test.

    What it said is printed then: pytest shows it with a test that failed.
    """
    running = []

    def start(*words):
        command = Command(environment, *words)
        running.append(command)
        return command

    yield start
    for command in running:
        command.end()
        print(f'--- {command}\n{command.output}')


@pytest.fixture
def chefmate(program):
    """Start `chefmate WORDS...`, as `program` does."""
    return partial(program, 'chefmate')
