"""A simulator in the arm's place: what happens when it falls silent while it is taken up."""

from typing import ClassVar

import numpy as np
import pytest
import rclpy
from domain_coordinator import domain_id
from rclpy.context import Context

from chefmate.nodes import simulated_arm
from chefmate.nodes.bridge_parameters import declared_parameters
from chefmate.nodes.simulated_arm import SimulatedArm
from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.servo.errors import ServoSilentError

HELD_RAD = np.array([0.1, -0.3, 0.4, 0.2, 0.0, 0.3])


class NoRelay:
    def publish(self, message):
        del message


class Faltering(ArmDriver):
    """A driver whose simulator is silent at the given steps of its beginning."""

    fails_at: ClassVar[list[str]] = []

    def start(self):
        self._fail('start')
        super().start()

    def engage(self):
        self._fail('engage')
        super().engage()

    def _fail(self, step):
        if step in self.fails_at:
            self.fails_at.remove(step)
            raise ServoSilentError('the simulator is 0.6 s behind')


@pytest.fixture
def node():
    with domain_id() as number:
        context = Context()
        rclpy.init(args=['--ros-args', '-p', 'mode:=command'], context=context, domain_id=number)
        node = rclpy.create_node('joint_state_bridge', context=context)
        yield node
        node.destroy_node()
        rclpy.try_shutdown(context=context)


@pytest.fixture
def arm(node, monkeypatch):
    monkeypatch.setattr(simulated_arm, 'ArmDriver', Faltering)
    arm = SimulatedArm(node, declared_parameters(node), NoRelay())
    monkeypatch.setattr(arm._wait, 'is_over', lambda: True)
    yield arm
    arm.close()
    arm.link.close()


@pytest.mark.parametrize('fails_at', [['start'], ['engage'], ['start', 'engage']])
def test_a_simulator_that_falls_silent_while_it_is_taken_up_is_taken_up_again(arm, fails_at):
    Faltering.fails_at = fails_at
    for _ in range(len(fails_at)):
        arm._on_state(HELD_RAD, 0.0)
        arm._watch_driver()
        assert arm._driver is None
    arm._on_state(HELD_RAD, 0.0)
    arm._watch_driver()
    assert arm._driver.state is DriverState.DRIVING
    assert arm._topics.driver is arm._driver
