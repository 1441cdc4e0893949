"""Kinematics of the SO-101's tool centre point (TCP), on a model of the arm only.

The TCP is the site `gripperframe` of the arm's model: on the static finger's pad face, 6.4 mm
behind the fingertip. Its frame, in the arm's base frame:
    x  approach, from the wrist to the fingertip;
    z  opening direction, from the static finger to the moving jaw;
    y  completes the right-handed frame, sideways.
The arm has five joints before the jaw, so a TCP pose can be reached only if its approach lies
in the vertical plane through the pan axis and the gripper (`grasp_geometry.py` makes such poses).
"""

from dataclasses import dataclass
from pathlib import Path

import mink
import mujoco
import numpy as np

from chefmate_core.errors import PolicyError
from chefmate_core.joints import JOINT_NAMES

TCP_SITE = 'gripperframe'
ARM_JOINT_COUNT = 5  # all but the jaw
ARM_JOINT_NAMES = JOINT_NAMES[:ARM_JOINT_COUNT]

POSITION_TOLERANCE_M = 0.5e-3
ORIENTATION_TOLERANCE_RAD = 0.01

_MAX_ITERATIONS = 25
_MAX_STEP_RAD = 0.4  # larger Gauss-Newton steps leave the region where the Jacobian holds
_CONVERGED_M = 2e-5
_CONVERGED_RAD = 2e-4
# Postures in front of the arm: where to start again if the caller's guess leads into a joint
# limit.
_RESTARTS_RAD = (
    (0.0, -0.6, 0.9, 0.5, 0.0),
    (0.0, -1.2, 1.3, 0.6, 0.0),
    (0.0, 0.2, 0.1, 0.4, 0.0),
)


class UnreachableError(PolicyError):
    """The arm cannot bring its TCP to a pose."""


@dataclass(frozen=True)
class TcpPose:
    """Pose of the TCP in the arm's base frame."""

    position_m: np.ndarray  # (3,)
    rotation: np.ndarray  # (3, 3), columns: approach, sideways, opening direction

    @property
    def approach(self) -> np.ndarray:
        """Unit vector from the wrist to the fingertip, shape (3,)."""
        return self.rotation[:, 0]


class ArmKinematics:
    """Kinematics of the five arm joints. Not thread-safe: it owns one MuJoCo state."""

    def __init__(self, model_path: Path) -> None:
        """Read the arm from the MJCF file `model_path`; only its joints are used."""
        self._model = _joints_only(model_path)
        self._configuration = mink.Configuration(self._model)
        self._task = mink.FrameTask(
            TCP_SITE, 'site', position_cost=1.0, orientation_cost=0.15, lm_damping=1e-6
        )
        self._posture = mink.PostureTask(self._model, cost=1e-4)
        self._limits = [mink.ConfigurationLimit(self._model)]
        margin_rad = 1e-4
        self.lower_rad = self._model.jnt_range[:, 0] + margin_rad
        self.upper_rad = self._model.jnt_range[:, 1] - margin_rad
        zero = np.zeros(ARM_JOINT_COUNT)
        self.forward(zero)
        data = self._configuration.data
        self.pan_axis_xy_m = data.body('shoulder').xpos[:2].copy()
        site = data.site(TCP_SITE)
        # Position of the gripper's body, which lies on the roll axis, seen from the TCP, shape
        # (3,).
        self.gripper_in_tcp_m = site.xmat.reshape(3, 3).T @ (data.body('gripper').xpos - site.xpos)

    def forward(self, joint_position_rad: np.ndarray) -> TcpPose:
        """Return the TCP for joint positions of shape (5,) or (6,); the jaw does not matter."""
        self._configuration.update(np.asarray(joint_position_rad, float)[:ARM_JOINT_COUNT])
        site = self._configuration.data.site(TCP_SITE)
        return TcpPose(site.xpos.copy(), site.xmat.reshape(3, 3).copy())

    def inverse(self, target: TcpPose, guess_rad: np.ndarray) -> np.ndarray:
        """Return arm joint positions, shape (5,), rad, that bring the TCP to `target`.

        Args:
            target: where the TCP shall be.
            guess_rad: joint positions to start from, shape (5,) or (6,); the nearest solution in
                joint space is found.

        Raises:
            UnreachableError: no posture within the joint limits is closer than 0.5 mm and 0.01
            rad.
        """
        best = (np.inf, np.inf)
        for guess in (np.asarray(guess_rad, float)[:ARM_JOINT_COUNT], *self._restarts(target)):
            solution, error_m, error_rad = self._descend(target, guess)
            if error_m < POSITION_TOLERANCE_M and error_rad < ORIENTATION_TOLERANCE_RAD:
                return solution
            best = min(best, (error_m, error_rad))
        position = ', '.join(f'{value:.3f}' for value in target.position_m)
        raise UnreachableError(
            f'the arm cannot bring its TCP to ({position}) m with the wanted orientation: the '
            f'nearest posture is {best[0] * 1e3:.1f} mm and {best[1]:.3f} rad away, allowed are '
            f'{POSITION_TOLERANCE_M * 1e3:.1f} mm and {ORIENTATION_TOLERANCE_RAD} rad. Move the '
            f'object nearer to the middle of the reach (0.17-0.30 m from the pan axis)'
        )

    def _restarts(self, target: TcpPose) -> list[np.ndarray]:
        offset = target.position_m[:2] - self.pan_axis_xy_m
        pan_rad = -np.arctan2(offset[1], offset[0])  # positive pan turns to -y
        return [np.array([pan_rad, *posture[1:]]) for posture in _RESTARTS_RAD]

    def _descend(self, target: TcpPose, guess: np.ndarray) -> tuple[np.ndarray, float, float]:
        """Gauss-Newton from `guess`; return the joints and the errors that are left, m and rad."""
        configuration = self._configuration
        start = np.clip(guess, self.lower_rad, self.upper_rad)
        configuration.update(start)
        self._posture.set_target(start)
        self._task.set_target(_transform(target))
        for _ in range(_MAX_ITERATIONS):
            # dt = 1 and an equal dt in the integration: the daqp solver finds smaller steps
            # infeasible once a joint touches its limit.
            step = mink.solve_ik(
                configuration, [self._task, self._posture], 1.0, 'daqp', limits=self._limits
            )
            step = np.clip(step, -_MAX_STEP_RAD, _MAX_STEP_RAD)
            configuration.update(np.clip(configuration.q + step, self.lower_rad, self.upper_rad))
            # The posture only chooses among equals; it must not pull the end of the descent away.
            self._posture.set_target(configuration.q)
            error = self._task.compute_error(configuration)
            error_m, error_rad = np.linalg.norm(error[:3]), np.linalg.norm(error[3:])
            if error_m < _CONVERGED_M and error_rad < _CONVERGED_RAD:
                break
            if np.linalg.norm(step) < 1e-6:
                break
        return configuration.q.copy(), float(error_m), float(error_rad)


def _transform(pose: TcpPose) -> mink.SE3:
    return mink.SE3.from_rotation_and_translation(
        mink.SO3.from_matrix(pose.rotation), np.asarray(pose.position_m, float)
    )


def _joints_only(model_path: Path) -> mujoco.MjModel:
    """Compile the arm without jaw and geometry: kinematics needs neither, and no mesh is read."""
    spec = mujoco.MjSpec.from_file(str(model_path))
    jaw = next(body for body in spec.bodies if any(j.name == 'gripper' for j in body.joints))
    for elements in (spec.sensors, spec.actuators, spec.geoms, spec.meshes, spec.keys):
        for element in list(elements):
            spec.delete(element)
    spec.delete(jaw)
    model = spec.compile()
    names = tuple(model.joint(index).name for index in range(model.njnt))
    if names != ARM_JOINT_NAMES:
        raise PolicyError(
            f'{model_path}: expected the arm joints {", ".join(ARM_JOINT_NAMES)} before the jaw, '
            f'in this order; found {", ".join(names)}'
        )
    return model
