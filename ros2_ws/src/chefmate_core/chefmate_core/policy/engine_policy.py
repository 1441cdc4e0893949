"""An engine as a policy: the only place where a model's numbers become radians, and back."""

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import ConfigurationError, PolicyError, UnknownInstructionError
from chefmate_core.joints import GRIPPER, JOINT_COUNT, JOINT_NAMES
from chefmate_core.policy.camera_names import match_cameras
from chefmate_core.policy.engine import Engine, ModelInput
from chefmate_core.policy.joint_columns import JointColumns
from chefmate_core.policy.protocol import PERIOD_S, ActionChunk, Observation, PolicySpec
from chefmate_core.policy.registry import PolicyContext
from chefmate_core.units import LerobotUnits, lerobot_to_rad, rad_to_lerobot

REPLAN_ROWS = 4  # of a chunk, then a new one is wanted
_RANGE_SLACK = 0.5  # of the ranged units: what a data set may hold by rounding


@dataclass(frozen=True)
class EnginePolicyOptions:
    """What can be set of any policy that is an engine."""

    units: str = LerobotUnits.RANGE_M100_100.value  # of the data set the model was trained on
    cameras: Mapping[str, str] = field(default_factory=dict)  # the model's name -> ours
    rate_hz: float | None = None  # of the chunk's rows; None: what the model's data had
    replan_period_s: float | None = None  # how often a new chunk is wanted; None: every four rows
    samples: int | None = None  # noise samples of which the best is taken; None: the engine's
    seed: int | None = None  # of the noise; None: fresh noise for every chunk
    timeout_s: float | None = None  # how long an answer is waited for; None: the engine's own

    def __post_init__(self) -> None:
        known = [units.value for units in LerobotUnits]
        _require(self.units in known, 'units', f'one of: {", ".join(known)}', self.units)
        is_named = isinstance(self.cameras, Mapping) and all(
            isinstance(name, str) for pair in self.cameras.items() for name in pair
        )
        _require(is_named, 'cameras', "{the model's name: ours}", self.cameras)
        for name, least in (('samples', 1), ('seed', 0)):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
            _require(value is None or whole, name, f'a whole number from {least}', value)
        for name in ('rate_hz', 'replan_period_s', 'timeout_s'):
            value = getattr(self, name)
            _require(value is None or _is_above_0(value), name, 'a number above 0', value)


class EnginePolicy:
    """Observations in radians go in, chunks in radians come out; see `Policy`.

    Two attributes of an engine are used where it has them: `state_range`, the least and greatest
    state of the training data, shape (D,) each, or None; and `prepare(instruction)`, which makes
    the first inference of an instruction as fast as the others.
    """

    def __init__(
        self,
        engine: Engine,
        calibration: ArmCalibration,
        cameras: tuple[str, ...],
        options: EnginePolicyOptions | None = None,
    ) -> None:
        """`cameras` are the names of the images that observations will hold.

        Raises:
            ConfigurationError: joints, cameras or units do not fit the model.
        """
        self._engine, self._calibration = engine, calibration
        self._options = options or EnginePolicyOptions()
        self._units = LerobotUnits(self._options.units)
        modality = engine.modality
        rate_hz = self._options.rate_hz
        self._period_s = modality.period_s if rate_hz is None else 1.0 / rate_hz
        self._state = JointColumns(modality.state, 'state')
        self._action = JointColumns(modality.action, 'action')
        self.cameras = match_cameras(modality.cameras, cameras, self._options.cameras)
        _check_units(getattr(engine, 'state_range', None), self._state, self._units)
        self._instruction = ''

    @property
    def spec(self) -> PolicySpec:
        """The cameras that it looks at. It never says that a task is done."""
        return PolicySpec(
            name=self._engine.name,
            cameras=tuple(self.cameras.values()),
            replan_period_s=self._options.replan_period_s or REPLAN_ROWS * self._period_s,
            horizon=self._engine.modality.horizon,
            period_s=self._period_s,
            says_done=False,
        )

    def reset(self, instruction: str) -> None:
        """Take the instruction as it is, and get the engine ready for it where that helps.

        Raises:
            UnknownInstructionError: there is none.
            PolicyError: the engine cannot use it.
        """
        if not instruction.strip():
            raise UnknownInstructionError(
                'the instruction is empty; say what to do in plain language'
            )
        prepare = getattr(self._engine, 'prepare', None)
        if prepare is not None:
            prepare(instruction)
        self._instruction = instruction

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the engine's next chunk, inside the joints' limits.

        Raises:
            PolicyError: the engine has no answer, or one that no arm can play.
        """
        output = self._engine.infer(self._request(observation))
        action = np.asarray(output.action, dtype=float)
        if action.ndim != 2 or action.shape[1] != JOINT_COUNT or not len(action):
            raise PolicyError(
                f'{self._engine.name}: expected an action of shape (T, {JOINT_COUNT}); '
                f'found {action.shape}'
            )
        if not np.all(np.isfinite(action)):
            raise PolicyError(f'{self._engine.name}: the action holds NaN or inf')
        said_rad = lerobot_to_rad(self._action.to_joints(action), self._calibration, self._units)
        positions_rad = np.clip(
            said_rad, self._calibration.lower_limits_rad, self._calibration.upper_limits_rad
        )
        committed = observation.committed_rad
        return ActionChunk(
            stamp_s=observation.stamp_s,
            positions_rad=positions_rad,
            period_s=self._period_s,
            phase=f'acting on "{self._instruction}"',
            timings_s=output.timings_s,
            figures={
                'spread': float(output.spread),
                'committed_rows': 0 if committed is None else len(committed),
                'rows_outside_limits': int(np.sum(np.any(positions_rad != said_rad, axis=1))),
            },
        )

    def close(self) -> None:
        """Release the engine."""
        self._engine.close()

    def _request(self, observation: Observation) -> ModelInput:
        missing = [ours for ours in self.cameras.values() if ours not in observation.images]
        if missing:
            raise PolicyError(
                f'{self._engine.name} needs images of {", ".join(missing)}; '
                f'found: {", ".join(observation.images) or "none"}'
            )
        committed = observation.committed_rad
        return ModelInput(
            images={name: observation.images[ours] for name, ours in self.cameras.items()},
            state=self._state.from_joints(self._from_rad(observation.joint_position_rad)),
            instruction=self._instruction,
            committed=None
            if committed is None
            else self._action.from_joints(self._from_rad(committed)),
            samples=self._options.samples,
            seed=self._options.seed,
            timeout_s=self._options.timeout_s,
        )

    def _from_rad(self, values_rad: np.ndarray) -> np.ndarray:
        return rad_to_lerobot(values_rad, self._calibration, self._units)


def load_engine_policy(
    load: Callable[..., Engine], source: str, context: PolicyContext, options: Mapping[str, Any]
) -> EnginePolicy:
    """Call `load(source, **rest)`, check that the engine fits this arm, and warm it up.

    `rest` are the options that are not those of `EnginePolicyOptions`.

    Raises:
        ConfigurationError: an option, the calibration, the cameras or the units are wrong.
        PolicyError: the engine cannot be loaded.
    """
    own = {entry.name for entry in fields(EnginePolicyOptions)}
    if not isinstance(options.get('cameras', {}), Mapping):
        own.remove('cameras')  # a list is the engine's: which cameras, in the model's order
    ours = EnginePolicyOptions(**{key: value for key, value in options.items() if key in own})
    if not context.calibration_path:
        raise ConfigurationError(
            f"policy {source!r} converts the data set's units, for which it needs the arm's "
            'calibration: give calibration_dir:=FOLDER (the parameter calibration of the node)'
        )
    calibration = ArmCalibration.load(context.calibration_path)
    context.tell(f'loading {source}')
    engine = load(source, **{key: value for key, value in options.items() if key not in own})
    try:
        policy = EnginePolicy(engine, calibration, context.cameras, ours)
        renamed = [f'{name} is {cam}' for name, cam in policy.cameras.items() if name != cam]
        if renamed:
            context.tell(f"the model's camera {', '.join(renamed)}")
        if not math.isclose(policy.spec.period_s, PERIOD_S, rel_tol=0.01):
            context.tell(f'rows of a chunk are played at {1 / policy.spec.period_s:.3g} Hz')
        context.tell(f'warming up {engine.name}')
        engine.warm_up()
    except BaseException:
        engine.close()
        raise
    return policy


def _check_units(state_range: Any, columns: JointColumns, units: LerobotUnits) -> None:
    """Refuse units that the statistics of the model's data contradict."""
    if state_range is None or units is not LerobotUnits.RANGE_M100_100:
        return
    low, high = (columns.to_joints(np.asarray(end, dtype=float)) for end in state_range)
    largest = np.maximum(np.abs(low), np.abs(high))[:GRIPPER]
    if np.any(largest > 100.0 + _RANGE_SLACK):
        worst = int(np.argmax(largest))
        raise ConfigurationError(
            f"units: the model's data go to {largest[worst]:.1f} for {JOINT_NAMES[worst]}, and "
            f'{units.value} ends at 100: set the option units to '
            f'{LerobotUnits.DEGREES.value!r}, as in policy_options:=\'{{"units": "degrees"}}\''
        )


def _is_above_0(value: object) -> bool:
    return (
        isinstance(value, numbers.Real)
        and not isinstance(value, bool)
        and 0.0 < float(value) < math.inf
    )


def _require(condition: bool, name: str, expected: str, found: object) -> None:
    if not condition:
        raise ConfigurationError(f'option {name}: expected {expected}; found {found!r}')
