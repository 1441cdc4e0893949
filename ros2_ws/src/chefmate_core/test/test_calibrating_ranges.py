from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.calibrating.checks import (
    EXPECTED_SPANS,
    gripper_drive_mode,
    range_findings,
)
from chefmate_core.calibrating.recorder import RangeRecorder, homing_offset, reported
from chefmate_core.calibrating.views import Severity
from chefmate_core.calibration import MAX_HOMING_OFFSET
from chefmate_core.joints import JOINT_NAMES


@given(st.integers(0, 4095))
def test_where_the_hand_held_it_reads_2047_and_the_offset_fits_its_register(actual):
    offset = homing_offset(actual)
    assert abs(offset) <= MAX_HOMING_OFFSET
    assert reported(actual, offset) == (2047 if actual != 4095 else 2048)


@given(st.integers(0, 4095), st.lists(st.integers(-900, 900), max_size=30))
def test_a_range_is_that_of_the_motion_unless_it_passed_the_end(start, moves):
    recorder = RangeRecorder()
    place, places = start, [start]
    for move in moves:
        place += move
        places.append(place)
    for index, tick in enumerate(places):
        recorder.add(tick % 4096, 0.02 * index)
    has_passed = any(a // 4096 != b // 4096 for a, b in pairwise(places))
    assert recorder.passed_end == has_passed
    if not has_passed:
        assert recorder.span == max(places) - min(places)


def moved(*spans):
    recorders = []
    for span in spans:
        recorder = RangeRecorder()
        for index in range(9):
            recorder.add(2047 - span // 2 + round(span * index / 8), 0.1 * index)
        recorders.append(recorder)
    return recorders


def test_the_spans_of_arms_that_people_calibrated_are_accepted():
    # published files of two follower arms and a leader, wrist_roll as the URDF has it
    for spans in (
        (2476, 2400, 2192, 2340, 3641, 1232),
        (2436, 2597, 2193, 2348, 3641, 1464),
        (2504, 2276, 2204, 2162, 3706, 1252),
    ):
        assert range_findings(moved(*spans), frozenset()) == ()


@pytest.mark.parametrize(
    ('share', 'severity'),
    [
        (0.0, Severity.BLOCKS),
        (0.01, Severity.BLOCKS),
        (0.5, Severity.WARNS),
        (1.5, Severity.WARNS),
    ],
)
def test_an_implausible_range_is_found_on_every_joint_but_a_full_turn(share, severity):
    for index, name in enumerate(JOINT_NAMES):
        spans = list(EXPECTED_SPANS)
        spans[index] = min(round(share * spans[index]), 4090)
        findings = range_findings(moved(*spans), frozenset())
        assert [(finding.joint, finding.severity) for finding in findings] == [(name, severity)]
        assert range_findings(moved(*spans), frozenset({name})) == ()


def test_a_recorder_without_any_position_is_a_joint_that_was_not_moved():
    findings = range_findings([RangeRecorder() for _ in JOINT_NAMES], frozenset())
    assert {finding.severity for finding in findings} == {Severity.BLOCKS}
    assert len(findings) == 6


@pytest.mark.parametrize(
    ('tick', 'mode'), [(1000, 0), (1150, 0), (1300, None), (1700, None), (2000, 1), (1860, 1)]
)
def test_a_closed_gripper_is_at_an_end_of_its_range(tick, mode):
    assert gripper_drive_mode(tick, 1000, 2000) == mode
