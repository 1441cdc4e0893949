"""Limits of the safety gate: a frozen dataclass, read from `presets.yaml`, validated once."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import yaml

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.health_config import HealthConfig, expect_keys, health_from_mapping

ESTOP_MODES = ('hold', 'limp')


@dataclass(frozen=True)
class GateConfig:
    """Limits of the gate; per-joint values are arrays of shape (6,) in JOINT_NAMES order."""

    max_velocity_rad_s: np.ndarray
    max_acceleration_rad_s2: np.ndarray
    blend_velocity_rad_s: np.ndarray  # towards the first command of a source
    blend_patience_s: float  # a blend that lasts longer may go as much faster as its target moves
    blend_acceleration_rad_s2: np.ndarray  # by which a long blend's speed may grow
    first_motion_s: float  # after torque came on nothing goes faster than a blend for this long
    limit_margin_rad: float  # kept from both ends of the calibrated range
    pass_distance_rad: float  # command this near to the setpoint: followed, nothing to report
    reject_distance_rad: float  # command farther away than this: refused
    blend_distance_rad: float  # a blend ends this near to its command
    hold_error_rad: float  # a hold lets go of a setpoint that the arm could not reach by this much
    command_timeout_s: float  # older commands are refused; silence this long is starvation
    future_tolerance_s: float  # commands stamped later than now by more are refused
    longest_step_cycles: float  # a longer stall of the loop ends in a stand
    estop_mode: str  # 'hold': torque stays on; 'limp': torque goes off
    health: HealthConfig

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == 'health':
                continue  # it checks itself
            if field.name == 'estop_mode':
                if value not in ESTOP_MODES:
                    raise ConfigurationError(
                        f'estop_mode is {value!r}; choose one of {", ".join(ESTOP_MODES)}'
                    )
                continue
            array = np.asarray(value, dtype=float)
            # Written so that NaN fails: a comparison with NaN is false.
            if not np.all((array > 0) & (array < 1e3)):
                raise ConfigurationError(f'{field.name} must be above 0 and finite; found {value}')
        if not np.all(self.blend_velocity_rad_s <= self.max_velocity_rad_s):
            raise ConfigurationError(
                f'blend_velocity_rad_s ({self.blend_velocity_rad_s}) must not be above '
                f'max_velocity_rad_s ({self.max_velocity_rad_s})'
            )
        if not self.pass_distance_rad < self.reject_distance_rad:
            raise ConfigurationError(
                f'pass_distance_rad ({self.pass_distance_rad}) must be below reject_distance_rad '
                f'({self.reject_distance_rad})'
            )


PER_JOINT = (
    'max_velocity_rad_s',
    'max_acceleration_rad_s2',
    'blend_velocity_rad_s',
    'blend_acceleration_rad_s2',
)


def config_from_mapping(values: Mapping[str, Any], origin: str) -> GateConfig:
    """Build a GateConfig; `origin` names the values' place in error messages.

    A per-joint value is a mapping `{arm: x, gripper: y}` or one by joint name.
    """
    expect_keys(values, GateConfig, origin)
    fields: dict[str, Any] = {
        key: _per_joint(value, f'{origin}: {key}') if key in PER_JOINT else value
        for key, value in values.items()
    }
    fields['health'] = health_from_mapping(values['health'], f'{origin}: health')
    return GateConfig(**fields)


def _per_joint(value: Any, where: str) -> np.ndarray:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f'{where}: expected {{arm: x, gripper: y}}, found {value!r}')
    if set(value) == {'arm', 'gripper'}:
        by_name = {**dict.fromkeys(JOINT_NAMES, value['arm']), 'gripper': value['gripper']}
    elif set(value) == set(JOINT_NAMES):
        by_name = dict(value)
    else:
        raise ConfigurationError(
            f'{where}: expected the keys arm and gripper, or all of {", ".join(JOINT_NAMES)}; '
            f'found {", ".join(map(str, value))}'
        )
    array = np.array([float(by_name[name]) for name in JOINT_NAMES])
    array.setflags(write=False)
    return array


def load_preset(name: str) -> GateConfig:
    """Return a preset of `presets.yaml`; an unknown name lists the choices."""
    text = resources.files(__package__).joinpath('presets.yaml').read_text()
    presets = yaml.safe_load(text)['presets']
    if name not in presets:
        raise ConfigurationError(f'unknown safety preset {name!r}; choose: {", ".join(presets)}')
    return config_from_mapping(presets[name], f'presets.yaml: {name}')
