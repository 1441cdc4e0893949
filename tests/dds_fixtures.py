"""Fixtures of the DDS client's tests."""

import subprocess
import sys

import pytest
from dds_peers import CONFIG, Ros

from chefmate_core.dds import dds_environment
from chefmate_core.dds_client.participant import Participant


@pytest.fixture
def ros(domain):
    ros = Ros(domain)
    yield ros
    ros.close()


@pytest.fixture
def variables(domain):
    return {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}


@pytest.fixture
def dds(variables):
    with Participant(environment=variables) as participant:
        yield participant


@pytest.fixture
def start(environment):
    """Run Python code in a process of its own that is killed after the test."""
    running = []

    def run(code, *words, **more):
        more_environment = {**environment, **dds_environment(CONFIG), **more}
        process = subprocess.Popen(
            [sys.executable, '-c', code, *words],
            env=more_environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()
