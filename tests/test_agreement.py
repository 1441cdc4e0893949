"""Joint order and limits are written in four places; here they are held together.

`chefmate_core.joints` is right: when one of these fails, change the other file.
"""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import mujoco
import numpy as np
import pytest

from chefmate_core.calibration import RAD_PER_TICK, ArmCalibration
from chefmate_core.joints import (
    JOINT_NAMES,
    LOWER_LIMITS_RAD,
    MECHANICAL_RANGES,
    SERVO_IDS,
    UPPER_LIMITS_RAD,
)
from chefmate_description.scene import HOME_POSITION_RAD
from chefmate_description.share import mjcf_path, urdf_path
from chefmate_sim.kitchen.scene_builder import arm_qpos_addresses, build_model
from chefmate_sim.kitchen.variation import KitchenVariation

CALIBRATIONS = sorted((Path(__file__).resolve().parents[1] / 'calibration').glob('*.json'))
TOLERANCE_RAD = 1e-4  # the files round to five or six digits


def test_the_urdf_has_these_joints_with_these_limits():
    joints = {
        joint.get('name'): joint.find('limit')
        for joint in ElementTree.parse(urdf_path()).getroot().findall('joint')
        if joint.get('type') == 'revolute'
    }
    assert set(joints) == set(JOINT_NAMES)
    for name, limits in MECHANICAL_RANGES.items():
        assert float(joints[name].get('lower')) == pytest.approx(
            limits.lower_rad, abs=TOLERANCE_RAD
        )
        assert float(joints[name].get('upper')) == pytest.approx(
            limits.upper_rad, abs=TOLERANCE_RAD
        )


@pytest.mark.parametrize('which', ['arm', 'kitchen'])
def test_the_mjcf_has_these_joints_in_this_order_with_these_limits(which):
    if which == 'arm':
        model = mujoco.MjModel.from_xml_path(str(mjcf_path()))
    else:
        model = build_model(KitchenVariation.sample(0))
    hinges = [
        model.joint(index)
        for index in range(model.njnt)
        if model.jnt_type[index] == mujoco.mjtJoint.mjJNT_HINGE
    ]
    assert tuple(joint.name for joint in hinges) == JOINT_NAMES
    assert tuple(model.actuator(index).name for index in range(model.nu)) == JOINT_NAMES
    ranges = np.array([joint.range for joint in hinges])
    assert ranges[:, 0] == pytest.approx(LOWER_LIMITS_RAD, abs=TOLERANCE_RAD)
    assert ranges[:, 1] == pytest.approx(UPPER_LIMITS_RAD, abs=TOLERANCE_RAD)
    if which == 'kitchen':
        assert len(arm_qpos_addresses(model)) == len(JOINT_NAMES)


@pytest.mark.parametrize('path', CALIBRATIONS, ids=lambda path: path.stem)
def test_the_example_calibrations_reach_these_limits_to_a_tick(path):
    calibration = ArmCalibration.load(path)
    assert calibration.ids == SERVO_IDS
    assert calibration.lower_limits_rad == pytest.approx(LOWER_LIMITS_RAD, abs=RAD_PER_TICK)
    assert calibration.upper_limits_rad == pytest.approx(UPPER_LIMITS_RAD, abs=RAD_PER_TICK)


def test_home_is_inside_the_limits():
    assert np.all(np.array(HOME_POSITION_RAD) > LOWER_LIMITS_RAD)
    assert np.all(np.array(HOME_POSITION_RAD) < UPPER_LIMITS_RAD)
