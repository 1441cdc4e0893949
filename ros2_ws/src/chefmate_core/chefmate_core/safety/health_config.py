"""Thresholds of the health rules: read from `presets.yaml`, validated once."""

import dataclasses
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chefmate_core.errors import ConfigurationError


@dataclass(frozen=True)
class Levels:
    """Three thresholds of one quantity, and for how long each must be passed, s.

    The quantity is good again when it is back within a threshold by `hysteresis`.
    """

    warn: float
    derate: float
    stop: float
    persistence_s: tuple[float, float, float]
    hysteresis: float


@dataclass(frozen=True)
class HealthConfig:
    """Limits of the servos' health; the same for every preset."""

    temperature_c: Levels
    voltage_v: Levels  # too low below these
    current_ma: Levels
    stall_load: Levels  # fraction of stall torque, of an arm joint at rest
    following_error_rad: Levels  # beyond the lag that its speed explains
    following_lag_s: float  # delay of a healthy servo
    rest_velocity_rad_s: float  # slower than this is at rest
    derate_speed: float  # fraction of the velocity caps that is left
    grip_rest_velocity_rad_s: float  # slower than this the gripper holds something
    grip_load: float  # fraction of stall torque at which the gripper counts as pressing
    grip_stall_s: float  # pressing for this long: eased
    grip_eased_torque: float  # fraction of stall torque that is left to an eased gripper
    telemetry_age_s: float  # older telemetry is none
    encoder_error_reads: int  # so many in a row: the joint's position is not known
    forecast_window_s: float  # the rise of the temperature is taken over this time
    forecast_s: float  # warn this long before the servo would be too hot

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, Levels) and not 0.0 < value < 1e4:  # False for NaN
                raise ConfigurationError(
                    f'health: {field.name} must be above 0 and finite; found {value}'
                )
        for name in ('derate_speed', 'grip_load', 'grip_eased_torque'):
            if not getattr(self, name) <= 1.0:
                raise ConfigurationError(
                    f'health: {name} is a fraction, at most 1; found {getattr(self, name)}'
                )


def health_from_mapping(values: Mapping[str, Any], origin: str) -> HealthConfig:
    """Build a HealthConfig; `origin` names the values' place in error messages."""
    expect_keys(values, HealthConfig, origin)
    fields = dict(values)
    for name, value in values.items():
        if HealthConfig.__dataclass_fields__[name].type is Levels:
            fields[name] = _levels(value, f'{origin}: {name}', falls=name == 'voltage_v')
    return HealthConfig(**fields)


def _levels(value: Any, where: str, falls: bool) -> Levels:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f'{where}: expected {{warn, derate, stop, ...}}, found {value!r}')
    expect_keys(value, Levels, where)
    numbers = [float(value[name]) for name in ('warn', 'derate', 'stop')]
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    if not all((step < 0 if falls else step > 0) for step in steps):
        order = 'fall' if falls else 'rise'
        raise ConfigurationError(f'{where}: warn, derate, stop must {order}; found {numbers}')
    persistence_s = tuple(float(seconds) for seconds in value['persistence_s'])
    if len(persistence_s) != 3 or not all(0.0 <= seconds < 1e3 for seconds in persistence_s):
        raise ConfigurationError(
            f'{where}: persistence_s is three times, for warn, derate and stop; found '
            f'{value["persistence_s"]}'
        )
    hysteresis = float(value['hysteresis'])
    if not all(math.isfinite(number) for number in (*numbers, hysteresis)) or hysteresis < 0.0:
        raise ConfigurationError(
            f'{where}: thresholds and hysteresis must be finite, the hysteresis not negative; '
            f'found {numbers}, {hysteresis}'
        )
    warn, derate, stop = numbers
    after_s, then_s, last_s = persistence_s
    return Levels(warn, derate, stop, (after_s, then_s, last_s), hysteresis)


def expect_keys(values: Mapping[str, Any], kind: type, origin: str) -> None:
    """Raise a ConfigurationError unless the keys are exactly the fields of a dataclass."""
    known = {field.name for field in dataclasses.fields(kind)}
    unknown, missing = set(values) - known, known - set(values)
    if unknown or missing:
        raise ConfigurationError(
            f'{origin}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}; '
            f'expected exactly {sorted(known)}'
        )
