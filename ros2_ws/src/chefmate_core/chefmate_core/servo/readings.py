"""What an arm reports, in SI units. Arrays are in the order of `JOINT_NAMES`, shape (6,)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ArmHealth:
    """Health of the servos. A servo that never answered has NaN; `age_s` tells how old each is."""

    temperature_c: np.ndarray
    voltage_v: np.ndarray
    load_fraction: np.ndarray  # of stall torque, signed as rad
    current_ma: np.ndarray
    status_bits: np.ndarray  # int; names in `registers.STATUS_NAMES`
    moving: np.ndarray  # bool
    steady_time_s: float
    age_s: np.ndarray


@dataclass(frozen=True, slots=True)
class ArmReading:
    """One read of the bus. A joint that did not answer keeps its last value; its age tells."""

    position_rad: np.ndarray
    velocity_rad_s: np.ndarray
    steady_time_s: float  # time.monotonic() when the answer was complete
    age_s: np.ndarray  # since each joint's last good read; 0 for a fresh one
    ok: bool  # every joint is fresh
    health: ArmHealth | None = None  # where it was asked for
