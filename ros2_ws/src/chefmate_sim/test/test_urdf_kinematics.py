"""The URDF (topics, viewers, planners) and the MJCF (the kitchen) are one arm.

Both are made from stock files that were exported separately; when one of these fails, the change
was in chefmate_description/build or in the package that carries the SO-101.
"""

import math

import mujoco
import numpy as np
import pytest

from chefmate_core.joints import LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.kinematics import GRIPPER_LINK, Chain
from chefmate_description.scene import CAMERAS
from chefmate_description.share import urdf_path
from chefmate_sim.kitchen.scene_builder import arm_qpos_addresses, build_model
from chefmate_sim.kitchen.variation import KitchenVariation

POSITION_TOLERANCE_M = 1e-4
ANGLE_TOLERANCE_RAD = math.radians(0.01)
POSES = 200

BODIES = ('base', 'shoulder', 'upper_arm', 'lower_arm', 'wrist', 'gripper', 'moving_jaw_so101_v1')
# The stock files turn the frame between the jaws differently: z of the URDF's link leads out of
# the arm, x of the MJCF's site does. The expert plans with the site, users know the link.
TCP_SITE = 'gripperframe'
SITE_TO_LINK = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])  # 90 deg about y
# MuJoCo's camera looks along -z with y up, the optical frame along z with y down.
CAMERA_TO_OPTICAL = np.diag([1.0, -1.0, -1.0])


@pytest.fixture(scope='module')
def chain():
    return Chain.from_urdf(urdf_path())


@pytest.fixture(scope='module')
def positions_rad():
    return np.random.default_rng(6).uniform(LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, (POSES, 6))


@pytest.fixture(scope='module')
def mujoco_poses(positions_rad):
    """T_base_link of every link of the URDF that MuJoCo has, too: name -> (POSES, 4, 4)."""
    model = build_model(KitchenVariation.sample(0), with_looks=False)
    data = mujoco.MjData(model)
    addresses = arm_qpos_addresses(model)
    poses = {}
    for position_rad in positions_rad:
        data.qpos[addresses] = position_rad
        mujoco.mj_forward(model, data)
        for link, position_m, rotation in _frames(data):
            T_base_link = np.eye(4)
            T_base_link[:3, :3], T_base_link[:3, 3] = rotation, position_m
            poses.setdefault(link, []).append(T_base_link)
    return {link: np.array(found) for link, found in poses.items()}


def _frames(data):
    for name in BODIES:
        body = data.body(name)
        yield f'{name}_link', body.xpos, body.xmat.reshape(3, 3)
    site = data.site(TCP_SITE)
    yield GRIPPER_LINK, site.xpos, site.xmat.reshape(3, 3) @ SITE_TO_LINK
    for camera in CAMERAS:
        seen = data.camera(camera.name)
        rotation = seen.xmat.reshape(3, 3) @ CAMERA_TO_OPTICAL
        yield f'{camera.name}_camera_optical_frame', seen.xpos, rotation


def test_every_link_is_where_mujoco_has_it_in_random_poses(chain, positions_rad, mujoco_poses):
    assert len(mujoco_poses) == 10
    for link, expected in mujoco_poses.items():
        found = chain.poses(positions_rad, link)
        apart_m = np.linalg.norm(found[:, :3, 3] - expected[:, :3, 3], axis=1)
        # |R1 - R2| (Frobenius) is 2 sqrt(2) sin(angle / 2): exact for small angles, which the
        # arc cosine of the trace is not.
        difference = np.linalg.norm(found[:, :3, :3] - expected[:, :3, :3], axis=(1, 2))
        turned_rad = 2 * np.arcsin(np.clip(difference / math.sqrt(8), 0, 1))
        assert apart_m.max() < POSITION_TOLERANCE_M, f'{link}: {apart_m.max() * 1000:.3f} mm'
        assert turned_rad.max() < ANGLE_TOLERANCE_RAD, f'{link}: {turned_rad.max():.2e} rad'


def test_only_frames_without_a_body_are_in_the_urdf_alone(chain, mujoco_poses):
    only_urdf = set(chain.links) - set(mujoco_poses)
    assert only_urdf == {'tool0', 'wrist_camera_link', 'scene_camera_link'}
