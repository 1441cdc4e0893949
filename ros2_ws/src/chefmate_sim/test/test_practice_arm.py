"""An arm to practise on: put together by chance, moved by a hand, calibrated by the library."""

import threading
import time

import numpy as np
import pytest
from calibrating_rig import BLANK, settings_of

from chefmate_core.calibrating.change import Patience
from chefmate_core.calibrating.session import CalibrationSession
from chefmate_core.calibrating.views import Step
from chefmate_core.calibration import ArmCalibration
from chefmate_core.joints import JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.servo import registers as reg
from chefmate_sim.practice.arm import LYING_RAD, HeldError, PracticeArm, as_built

# A tenth of what the wizard wants of a joint's range; what was sampled of a stop varies.
TOLERANCE = 20
THRICE_AS_FAST = 3.0


@pytest.fixture
def arm(tmp_path):
    with PracticeArm(tmp_path / 'follower', seed=3, pause=lambda _: None) as made:
        yield made


def test_no_two_arms_are_put_together_alike():
    offsets = [[joint.homing_offset for joint in as_built(seed).joints] for seed in (0, 1)]
    assert offsets[0] != offsets[1]
    assert as_built(0) == as_built(0)


def test_a_new_arm_has_never_been_calibrated(arm):
    settings = settings_of(arm.bus)
    assert {one.homing_offset for one in settings} == {BLANK[reg.HOMING_OFFSET]}
    assert np.allclose(arm.position_rad, LYING_RAD)


def test_the_hand_reaches_both_stops_of_every_joint_but_moves_no_arm_that_holds(arm):
    seen = [arm.position_rad]
    arm._pause = lambda _: seen.append(arm.position_rad)
    arm.move(Step.RANGE)
    assert np.allclose(np.min(seen, axis=0), LOWER_LIMITS_RAD, atol=1e-6)
    assert np.allclose(np.max(seen, axis=0), UPPER_LIMITS_RAD, atol=1e-6)
    arm._arm.set_torque_limit(1, 1.0)
    with pytest.raises(HeldError, match='torque'):
        arm.move(Step.MIDDLE)


def test_a_calibration_finds_how_the_arm_was_put_together(tmp_path):
    """Real time and the real bytes: the wizard's library here, the hand in a thread of its own."""

    def pause(seconds):
        time.sleep(seconds / THRICE_AS_FAST)

    with PracticeArm(tmp_path / 'leader', seed=5, pause=pause) as arm:
        path = tmp_path / 'leader.json'
        session = CalibrationSession(
            arm.bus.port, path, full_turn={'wrist_roll'}, patience=Patience(wait_s=5.0)
        )
        with session:
            session.start()
            for step in (Step.MIDDLE, Step.RANGE, Step.GRIPPER):
                assert session.step is step
                hand = threading.Thread(target=arm.move, args=(step,))
                hand.start()
                while hand.is_alive():
                    session.poll()
                session.poll()
                session.confirm()
            assert session.step is Step.REVIEW
            session.confirm()
    made = ArmCalibration.load(path)
    for name, mine, true in zip(JOINT_NAMES, made.joints, as_built(5).joints, strict=True):
        if name == 'wrist_roll':  # a full turn
            assert (mine.range_min, mine.range_max) == (0, 4095)
        else:
            span, wanted = mine.range_max - mine.range_min, true.range_max - true.range_min
            assert abs(span - wanted) < TOLERANCE
            zero = mine.homing_offset + (mine.range_min + mine.range_max) / 2
            true_zero = true.homing_offset + (true.range_min + true.range_max) / 2
            assert abs(zero - true_zero) < TOLERANCE
