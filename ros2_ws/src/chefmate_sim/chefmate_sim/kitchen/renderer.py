"""Draws the kitchen of one seed from joint positions and object poses, in any process."""

from collections.abc import Mapping

import mujoco
import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.geometry import Pose
from chefmate_core.joints import JOINT_COUNT
from chefmate_description.scene import CAMERAS
from chefmate_sim.kitchen import looks
from chefmate_sim.kitchen.gl_backend import open_context
from chefmate_sim.kitchen.scene_builder import arm_qpos_addresses, build_model, home_qpos
from chefmate_sim.kitchen.variation import KitchenVariation

CAMERA_NAMES = tuple(camera.name for camera in CAMERAS)
_MAX_GEOMS = 400


class KitchenRenderer:
    """The kitchen of a seed as its cameras see it; needs no live world. One thread uses it."""

    def __init__(
        self, seed: int, width: int = 640, height: int = 480, backend: str | None = None
    ) -> None:
        """Build the kitchen of `seed` and open OpenGL (`backend`: None, 'egl' or 'osmesa').

        Raises:
            ConfigurationError: bad size, or no OpenGL on this machine.
        """
        if not (16 <= width <= 4096 and 16 <= height <= 4096):
            raise ConfigurationError(
                f'a picture has 16 to 4096 pixels each way; found {width} x {height}'
            )
        self.seed, self.width, self.height = seed, width, height
        self._model = model = build_model(KitchenVariation.sample(seed))
        # A sleeping body's kinematics would not be computed.
        model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        model.vis.quality.offsamples = 0
        self._data = mujoco.MjData(model)
        self._data.qpos[:] = home_qpos(model)
        self._arm_qpos = arm_qpos_addresses(model)
        self._free_qpos = {
            model.joint(i).name: int(model.jnt_qposadr[i])
            for i in range(model.njnt)
            if model.jnt_type[i] == mujoco.mjtJoint.mjJNT_FREE
        }
        self._gl, self.backend = open_context(width, height, backend)
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        for flag in (
            mujoco.mjtRndFlag.mjRND_SHADOW,
            mujoco.mjtRndFlag.mjRND_REFLECTION,
            mujoco.mjtRndFlag.mjRND_SKYBOX,
        ):
            self._scene.flags[flag] = 0
        self._option = mujoco.MjvOption()
        self._option.geomgroup[looks.CONTACT_GROUP] = 0
        self._cameras = {name: _fixed_camera(model, name) for name in CAMERA_NAMES}
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._upside_down = np.empty((height, width, 3), np.uint8)

    def set_state(self, joint_position_rad: np.ndarray, object_poses: Mapping[str, Pose]) -> None:
        """Put arm and food where they are; objects that the seed fixes (tray, plate) stay.

        Args:
            joint_position_rad: shape (6,), in joint order.
            object_poses: poses in the base frame by name; missing slices keep their last pose.
        """
        joints = np.asarray(joint_position_rad, float)
        if joints.shape != (JOINT_COUNT,) or not np.all(np.isfinite(joints)):
            raise ConfigurationError(
                f'joint positions to draw are {JOINT_COUNT} finite numbers; found {joints}'
            )
        qpos = self._data.qpos
        qpos[self._arm_qpos] = joints
        for name, address in self._free_qpos.items():
            pose = object_poses.get(name)
            if pose is not None:
                qpos[address : address + 3] = pose.position_m
                qpos[address + 3 : address + 7] = pose.quaternion_wxyz
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)

    def image(self, camera: str) -> np.ndarray:
        """Return what `camera` sees of the state last set, uint8 rgb, shape (H, W, 3)."""
        if camera not in self._cameras:
            raise ConfigurationError(
                f'no camera {camera!r} in the kitchen; there are: {", ".join(CAMERA_NAMES)}'
            )
        mujoco.mjv_updateScene(
            self._model,
            self._data,
            self._option,
            None,
            self._cameras[camera],
            mujoco.mjtCatBit.mjCAT_ALL,
            self._scene,
        )
        mujoco.mjr_render(self._rectangle, self._scene, self._context)
        mujoco.mjr_readPixels(self._upside_down, None, self._rectangle, self._context)
        return self._upside_down[::-1].copy()

    def render(
        self, camera: str, joint_position_rad: np.ndarray, object_poses: Mapping[str, Pose]
    ) -> np.ndarray:
        """Return what `camera` sees of that state, uint8 rgb, shape (H, W, 3)."""
        self.set_state(joint_position_rad, object_poses)
        return self.image(camera)

    def close(self) -> None:
        """Release OpenGL; the renderer cannot be used afterwards."""
        self._context.free()
        self._gl.free()

    def __enter__(self) -> 'KitchenRenderer':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _fixed_camera(model: mujoco.MjModel, name: str) -> mujoco.MjvCamera:
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
    camera.fixedcamid = model.camera(name).id
    return camera
