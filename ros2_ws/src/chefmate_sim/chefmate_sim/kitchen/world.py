"""The kitchen in motion: MuJoCo's physics behind the face of six servos.

One thread, the physics thread, calls `reset` and `advance` and alone touches MuJoCo's data. Every
other method may be called from any thread: goals and limits are latched and taken over at the
next step, and what is read is the last published snapshot.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.geometry import Pose
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_description.arm import CONTACT_BOXES, SERVO_FRICTION_NM, STALL_TORQUE_NM
from chefmate_description.scene import HOME_POSITION_RAD, SLICE_NAMES
from chefmate_sim.kitchen.scene_builder import (
    PLATE,
    TIMESTEP_S,
    TRAY,
    arm_qpos_addresses,
    body_pose,
    build_model,
    home_qpos,
    plate_pose,
    tray_pose,
)
from chefmate_sim.kitchen.variation import KitchenVariation

# An STS3215 without torque still turns its 1:345 gear train when it is driven from the arm's side.
# Assumed, not measured: enough to hold the folded arm, not enough to hold it stretched out, which
# sinks slowly, as the real one does.
LIMP_FRICTION_NM = 0.20
SETTLING_TIME_S = 0.4  # until the slices lie still in their slots


@dataclass(frozen=True)
class RenderState:
    """What a camera in another process needs in order to draw the kitchen of the same seed."""

    time_s: float
    joint_position_rad: np.ndarray  # (6,)
    object_poses: Mapping[str, Pose]  # base frame


@dataclass(frozen=True)
class _ServoSnapshot:
    time_s: float
    position_rad: np.ndarray
    velocity_rad_s: np.ndarray
    torque_nm: np.ndarray


class KitchenWorld:
    """The kitchen of one seed; begins at home, with torque off, and the slices at rest."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self.reset(seed)

    def reset(self, seed: int, keep_arm: bool = False) -> None:
        """Begin anew in the kitchen of `seed`: time 0, arm at home, torque off. Physics thread.

        With `keep_arm` the arm stays as it is, pose, goals and torque, and only the kitchen is
        laid anew; what other threads set meanwhile counts. An arm that stands where food is laid
        pushes it away.
        """
        arm_rad = self.position_rad() if keep_arm else np.array(HOME_POSITION_RAD)
        self.variation = KitchenVariation.sample(seed)
        self._model = model = build_model(self.variation, with_looks=False)
        self._data = mujoco.MjData(model)
        self._qpos = arm_qpos_addresses(model)
        self._dofs = np.array([model.joint(name).dofadr[0] for name in JOINT_NAMES])
        self._actuators = np.array([model.actuator(name).id for name in JOINT_NAMES])
        self._slice_bodies = {name: model.body(name).id for name in SLICE_NAMES}
        self._arm_bodies = frozenset(model.body(name).id for name in CONTACT_BOXES)
        self._fixed = {TRAY: tray_pose(self.variation), PLATE: plate_pose(self.variation)}
        self._settle(arm_rad)
        with self._lock:
            if not keep_arm:
                self._goal_rad = arm_rad.copy()
                self._torque_fraction = np.zeros(JOINT_COUNT)
            self._latched = True
        self._apply_latched()
        mujoco.mj_forward(self._model, self._data)
        self._data.time = 0.0
        self._steps = 0
        self._due_s = 0.0  # sum of what was asked for, so that odd durations leave no error behind
        self._publish_servos()
        self._publish_objects()

    def advance(self, duration_s: float) -> None:
        """Run the physics for `duration_s`, in steps of 2 ms; fractions add up. Physics thread."""
        if not 0.0 <= duration_s < 3600.0:
            raise ConfigurationError(
                f'the kitchen advances by 0 s to 3600 s at a time; found {duration_s}'
            )
        self._due_s += duration_s
        target_steps = round(self._due_s / TIMESTEP_S)
        while self._steps < target_steps:
            self._apply_latched()
            mujoco.mj_step(self._model, self._data)
            self._steps += 1
            self._publish_servos()
        self._publish_objects()

    @property
    def time_s(self) -> float:
        """Simulated time since the reset."""
        return self._steps * TIMESTEP_S

    # The servos' side; see `chefmate_sim.virtual_bus.model.ServoArmModel`.

    def position_rad(self) -> np.ndarray:
        """Return the joint positions, shape (6,)."""
        return self._servos.position_rad.copy()

    def velocity_rad_s(self) -> np.ndarray:
        """Return the joint velocities, shape (6,)."""
        return self._servos.velocity_rad_s.copy()

    def load_fraction(self) -> np.ndarray:
        """Return the motors' torque as a fraction of stall torque, -1..1, shape (6,)."""
        return self._servos.torque_nm / STALL_TORQUE_NM

    def set_goal(self, index: int, position_rad: float) -> None:
        """Set where the servo of joint `index` goes; beyond the mechanical limit, to the limit."""
        if not np.isfinite(position_rad):
            raise ConfigurationError(
                f'the goal of {JOINT_NAMES[index]} must be finite; found {position_rad}'
            )
        goal = min(max(position_rad, LOWER_LIMITS_RAD[index]), UPPER_LIMITS_RAD[index])
        with self._lock:
            self._goal_rad[index] = goal
            self._latched = True

    def set_torque_limit(self, index: int, fraction: float) -> None:
        """Set how much of its stall torque the servo may use, 0..1; 0 is torque off, limp."""
        if not 0.0 <= fraction <= 1.0:
            raise ConfigurationError(
                f'the torque limit of {JOINT_NAMES[index]} is a fraction of stall torque, 0 to 1; '
                f'found {fraction}'
            )
        with self._lock:
            self._torque_fraction[index] = fraction
            self._latched = True

    # What an observer knows.

    def joint_position_rad(self) -> np.ndarray:
        """Return the joint positions, shape (6,)."""
        return self.position_rad()

    def joint_velocity_rad_s(self) -> np.ndarray:
        """Return the joint velocities, shape (6,)."""
        return self.velocity_rad_s()

    def object_poses(self) -> dict[str, Pose]:
        """Return the poses of the four slices, `tray` and `plate` in the arm's base frame.

        They are those at the end of the last `advance`.
        """
        return dict(self._render_state.object_poses)

    def touched_slices(self) -> frozenset[str]:
        """Return the names of the slices that the arm touched at the end of the last `advance`."""
        return self._touched

    def render_state(self) -> RenderState:
        """Return what a renderer in another process needs, of the end of the last `advance`."""
        return self._render_state

    def _settle(self, arm_rad: np.ndarray) -> None:
        """Let the slices come to rest; the arm is held at `arm_rad` and ends at rest there."""
        self._data.qpos[:] = home_qpos(self._model)
        self._data.qpos[self._qpos] = arm_rad
        self._data.ctrl[self._actuators] = arm_rad
        for _ in range(round(SETTLING_TIME_S / TIMESTEP_S)):
            mujoco.mj_step(self._model, self._data)
        self._data.qpos[self._qpos] = arm_rad
        self._data.qvel[self._dofs] = 0.0

    def _apply_latched(self) -> None:
        if not self._latched:
            return
        with self._lock:
            goal_rad = self._goal_rad.copy()
            fraction = self._torque_fraction.copy()
            self._latched = False
        self._data.ctrl[self._actuators] = goal_rad
        self._apply_torque_fraction(fraction)

    def _apply_torque_fraction(self, fraction: np.ndarray) -> None:
        limit_nm = fraction * STALL_TORQUE_NM
        self._model.actuator_forcerange[self._actuators] = np.column_stack([-limit_nm, limit_nm])
        self._model.dof_frictionloss[self._dofs] = np.where(
            fraction > 0.0, SERVO_FRICTION_NM, LIMP_FRICTION_NM
        )

    def _publish_servos(self) -> None:
        data = self._data
        self._servos = _ServoSnapshot(
            self.time_s,
            data.qpos[self._qpos],
            data.qvel[self._dofs],
            data.actuator_force[self._actuators],
        )

    def _publish_objects(self) -> None:
        poses = {name: body_pose(self._data, body) for name, body in self._slice_bodies.items()}
        self._render_state = RenderState(
            self.time_s, self._servos.position_rad.copy(), {**poses, **self._fixed}
        )
        self._touched = self._slices_in_contact_with_arm()

    def _slices_in_contact_with_arm(self) -> frozenset[str]:
        bodies = self._model.geom_bodyid[self._data.contact.geom]  # (contacts, 2)
        touched = set()
        for first, second in bodies:
            for name, body in self._slice_bodies.items():
                if body in (first, second) and {first, second} & self._arm_bodies:
                    touched.add(name)
        return frozenset(touched)
