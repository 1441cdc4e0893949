"""A virtual arm as it comes out of the box, and the hand that moves it."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from chefmate_core.calibrating.hand import SimulatedHand
from chefmate_core.calibrating.views import Step
from chefmate_core.calibration import MAX_TICK, RAD_PER_TICK, ArmCalibration, JointCalibration
from chefmate_core.errors import ChefMateError
from chefmate_core.joints import LOWER_LIMITS_RAD, SERVO_IDS, UPPER_LIMITS_RAD
from chefmate_core.servo import registers as reg
from chefmate_sim.leader.hand_held_arm import HandHeldArm
from chefmate_sim.virtual_bus.bus import VirtualServoBus

# How the arm lies on the table, rad: no joint in its middle, none at a stop.
LYING_RAD = np.array([0.3, -0.6, 0.5, 0.4, -0.5, 0.2])
# What a servo that was never calibrated has in its EEPROM.
FACTORY = {reg.HOMING_OFFSET: 0, reg.MIN_POSITION_LIMIT: 0, reg.MAX_POSITION_LIMIT: MAX_TICK}
# A horn sits on its servo as it was screwed on: up to so many ticks from the encoder's middle.
HORN_SPREAD = 700
# 1.5 rad/s, and a rest at each stop: what the wizard samples must see every end.
MOVE_RAD, MOVE_S, REST_S = 0.03, 0.02, 0.15


class HeldError(ChefMateError):
    """The arm has torque, so a hand cannot move it."""


def as_built(seed: int) -> ArmCalibration:
    """Return the true geometry of an arm whose horns were put on by chance."""
    chance = random.Random(seed)
    joints = []
    for servo_id, lower, upper in zip(SERVO_IDS, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, strict=True):
        span = round((upper - lower) / RAD_PER_TICK)
        least = MAX_TICK // 2 - span // 2
        offset = chance.randint(-HORN_SPREAD, HORN_SPREAD)
        joints.append(JointCalibration(servo_id, 0, offset, least, least + span))
    return ArmCalibration(tuple(joints))


class PracticeArm:
    """A virtual arm on a port, with servos that nobody has calibrated; a context manager.

    Args:
        link: where its port appears.
        seed: how it was put together.
        pause: waits, seconds.
    """

    def __init__(self, link: Path, seed: int, pause: Callable[[float], None] = time.sleep) -> None:
        self._arm = HandHeldArm(LYING_RAD)
        self._hand = SimulatedHand(self._place, LYING_RAD, step_rad=MOVE_RAD)
        self._pause = pause
        self.bus = VirtualServoBus(self._arm, as_built(seed), link, wire_time=True)
        for servo in self.bus.servos:
            for register, value in FACTORY.items():
                servo.memory.set_lasting(register, value)

    def __enter__(self) -> 'PracticeArm':
        return self

    def __exit__(self, *_: object) -> None:
        self.bus.close()

    @property
    def position_rad(self) -> np.ndarray:
        """Where the joints truly are, shape (6,)."""
        return self._arm.position_rad()

    def move(self, step: Step) -> None:
        """Do with the arm what a step of the wizard asks, as slowly as a person.

        Raises:
            HeldError: the arm has torque.
        """
        if self._arm.has_torque:
            raise HeldError(
                'the arm holds against the hand: its torque is on. Next: confirm the first step '
                'of the wizard, which takes the torque off'
            )
        hand = self._hand
        hand.act(Step.DONE)  # so that the same words begin the same motion anew
        done = False
        while not done:
            done = hand.act(step)
            self._pause(REST_S if hand.arrived else MOVE_S)

    def _place(self, position_rad: np.ndarray) -> None:
        self._arm.move(position_rad)
