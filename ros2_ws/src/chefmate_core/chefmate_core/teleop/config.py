"""How teleoperation is done: a frozen dataclass, validated once."""

from dataclasses import dataclass

from chefmate_core.errors import ConfigurationError


@dataclass(frozen=True)
class TeleopConfig:
    """Times in s, distances in rad."""

    leader_timeout_s: float = 0.1  # ten readings of the leader; older is no leader
    future_tolerance_s: float = 0.05  # clocks of two synchronised hosts differ by less
    # Half of what the gate takes for a leap; a follower that follows lags by a few hundredths.
    leash_rad: float = 0.5
    follower_timeout_s: float = 0.2  # the gate's patience, in the other direction
    starts_engaged: bool = True

    def __post_init__(self) -> None:
        for name in (
            'leader_timeout_s',
            'future_tolerance_s',
            'leash_rad',
            'follower_timeout_s',
        ):
            value = getattr(self, name)
            if not 0.0 < value <= 1.0:  # False for NaN
                raise ConfigurationError(
                    f'teleoperation: {name} must be above 0 and at most 1; found {value}'
                )
