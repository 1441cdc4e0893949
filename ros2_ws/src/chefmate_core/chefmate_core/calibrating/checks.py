"""Is a recorded range one that an SO-101's joint can have? Pure functions."""

import math
from collections.abc import Sequence

from chefmate_core.calibrating.recorder import RangeRecorder
from chefmate_core.calibrating.views import Finding, Severity
from chefmate_core.calibration import RAD_PER_TICK, TICKS_PER_TURN
from chefmate_core.joints import JOINT_NAMES, MECHANICAL_RANGES

# Ticks between the stops, from the URDF's limits. Arms that people calibrated (files that they
# published) have 97 to 117 % of these: printed stops differ, and a hand presses.
EXPECTED_SPANS = tuple(
    round((MECHANICAL_RANGES[name].upper_rad - MECHANICAL_RANGES[name].lower_rad) / RAD_PER_TICK)
    for name in JOINT_NAMES
)
NARROW, WIDE = 0.85, 1.30
NEVER_MOVED_TICKS = 57  # 5 degrees: a joint that was only touched
# How near to an end of its range a closed gripper is.
CLOSED_FRACTION = 0.15


def range_findings(
    recorders: Sequence[RangeRecorder], full_turn: frozenset[str]
) -> tuple[Finding, ...]:
    """Return what is wrong with the six ranges, in joint order; at most one finding a joint.

    Joints of `full_turn` have the whole turn for their range, whatever was seen of them.
    """
    findings = []
    for name, recorder, expected in zip(JOINT_NAMES, recorders, EXPECTED_SPANS, strict=True):
        finding = None if name in full_turn else _finding(name, recorder, expected)
        if finding is not None:
            findings.append(finding)
    return tuple(findings)


def gripper_drive_mode(tick: int, low: int, high: int) -> int | None:
    """Return 0 where a closed gripper at `tick` is at the lower end of its range, 1 at the upper.

    None: it is at neither, so it is not closed.
    """
    fraction = (tick - low) / max(high - low, 1)
    if fraction <= CLOSED_FRACTION:
        return 0
    return 1 if fraction >= 1.0 - CLOSED_FRACTION else None


def _finding(name: str, recorder: RangeRecorder, expected: int) -> Finding | None:
    span = recorder.span
    if recorder.passed_end:
        return Finding(
            name,
            Severity.BLOCKS,
            "it passed the end of the encoder's turn (4095 to 0)",
            'It was not in its middle at the step before: start again from the middle.',
        )
    if span < NEVER_MOVED_TICKS:
        again = ' since it was silent' if recorder.gaps else ''
        return Finding(
            name,
            Severity.BLOCKS,
            f'it was not moved{again} ({_degrees(span)})',
            "Move it to both of its stops. If it did move, it has another joint's servo id: "
            '`chefmate servo scan` shows whose position changes.',
        )
    share = span / expected
    if share < NARROW:
        error = _degrees(expected - span, 2)
        return Finding(
            name,
            Severity.WARNS,
            f'it moved {_degrees(span)}, an SO-101 does {_degrees(expected)} ({share:.0%})',
            f'Was it at both stops? Its zero will be wrong by up to {error}.',
        )
    if share > WIDE or span > 0.98 * TICKS_PER_TURN:
        return Finding(
            name,
            Severity.WARNS,
            f'it moved {_degrees(span)}, an SO-101 does {_degrees(expected)} ({share:.0%})',
            'Is something loose, a stop broken off, or a servo id that of another joint?',
        )
    return None


def _degrees(ticks: int, parts: int = 1) -> str:
    return f'{math.degrees(ticks * RAD_PER_TICK) / parts:.0f} degrees'
