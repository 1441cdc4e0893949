"""`chefmate sim faults` without a kitchen: what it refuses, and what it says then."""

import argparse

import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_sim.cli import sim


def arguments(*lines, clear=False, show=False):
    return argparse.Namespace(
        action='faults', lines=list(lines), clear=clear, list=show, arm='follower'
    )


@pytest.mark.parametrize(
    ('args', 'said'),
    [
        (arguments(), 'no fault is given'),
        (arguments('kill 9'), "'kill 9'"),
        (arguments('kill 1', 'explode'), "no fault 'explode'"),
        (arguments('kill 1', show=True), '--list changes nothing'),
        (arguments(clear=True, show=True), '--list changes nothing'),
    ],
)
def test_a_wrong_line_is_refused_before_a_kitchen_is_looked_for(args, said):
    with pytest.raises(ConfigurationError) as caught:
        sim.run(args)
    assert said in str(caught.value)


def test_without_a_kitchen_it_says_where_it_looked(monkeypatch):
    pytest.importorskip('rclpy')
    from domain_coordinator import domain_id

    from chefmate_sim.nodes import fault_service

    monkeypatch.setattr(fault_service, 'FIND_S', 0.2)
    with domain_id() as domain:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
        with pytest.raises(fault_service.FaultServiceError) as caught:
            sim.run(arguments(show=True))
    assert f'ROS_DOMAIN_ID={domain}' in str(caught.value)
    assert 'start a simulation' in str(caught.value)
