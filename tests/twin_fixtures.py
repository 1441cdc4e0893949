"""Fixtures of the twin's tests."""

import subprocess
from pathlib import Path

import pytest
from ament_index_python.packages import get_package_prefix
from twin_stage import Stage


@pytest.fixture
def stage(domain):
    with Stage(domain) as stage:
        yield stage


@pytest.fixture
def node(environment):
    """Start one executable with parameters; whatever still runs is ended after the test."""
    running = []

    def start(package, executable, *arguments, **parameters):
        path = Path(get_package_prefix(package)) / 'lib' / package / executable
        words = [f'-p {name}:={value}' for name, value in parameters.items()]
        process = subprocess.Popen(
            [path, '--ros-args', *' '.join(words).split(), *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.terminate()
        process.wait(15.0)


@pytest.fixture
def bridge(node):
    def start(*arguments, **parameters):
        return node('chefmate', 'joint_state_bridge_node', *arguments, **parameters)

    return start
