"""When a twin is late, silent or wrong: a frozen dataclass, validated once."""

import dataclasses
from dataclasses import dataclass

from chefmate_core.errors import ConfigurationError

LONGEST_WINDOW_S = 120.0


@dataclass(frozen=True)
class TwinConfig:
    """Thresholds of the comparison between an arm and its twin."""

    warn_rad: float = 0.15  # error of any joint, real minus simulated
    alarm_rad: float = 0.35
    hold_off_s: float = 1.0  # that an error must last until it counts, and be gone until it ends
    window_s: float = 10.0  # that rms and maximum are taken over
    silent_s: float = 0.5  # without a message
    late_s: float = 0.5  # by its stamps

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not 0.0 < value < 1e3:  # False for NaN
                raise ConfigurationError(
                    f'{field.name} is {value!r}; expected a number above 0 and below 1000'
                )
        if self.window_s > LONGEST_WINDOW_S:
            raise ConfigurationError(
                f'window_s is {self.window_s:g}; at most {LONGEST_WINDOW_S:g} s of errors are kept'
            )
        if not self.warn_rad < self.alarm_rad:
            raise ConfigurationError(
                f'warn_rad {self.warn_rad} must be below alarm_rad {self.alarm_rad}'
            )
