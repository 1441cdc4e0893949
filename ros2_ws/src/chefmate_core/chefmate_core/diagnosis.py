"""What a part says about its own health, free of ROS.

A node turns each `Diagnosis` into a `diagnostic_msgs/DiagnosticStatus` once a second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """Severity, with the values of `diagnostic_msgs/DiagnosticStatus`."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Diagnosis:
    """One part's health at one instant: a level, a sentence for people, numbers for tools."""

    level: Level
    message: str
    values: Mapping[str, object] = field(default_factory=dict)


def worst(levels: Iterable[Level]) -> Level:
    """Return the most severe level, OK for none. STALE (no news) counts as worse than ERROR."""
    return max(levels, default=Level.OK)


def value_text(value: object) -> str:
    """Return a value as diagnostics carry it: floats with six significant digits."""
    return f'{value:.6g}' if isinstance(value, float) else str(value)
