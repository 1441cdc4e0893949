"""docs/conventions.md agrees with the code; where they differ, the code is right."""

import re
from pathlib import Path

import pytest

from chefmate_core import qos_table
from chefmate_core.joints import (
    ISAAC_JOINT_NAMES,
    JOINT_NAMES,
    MECHANICAL_RANGES,
    SERVO_IDS,
)
from chefmate_core.policy.protocol import HORIZON, PERIOD_S

PAGE = (Path(__file__).resolve().parents[1] / 'docs/conventions.md').read_text()


def test_the_table_of_joints_is_that_of_the_code():
    rows = re.findall(
        r'^\| (\d) \| `(\w+)` \| (\d) \| ([-.\d]+) \| ([-.\d]+) \| `(\w+)` \|$', PAGE, re.MULTILINE
    )
    expected = [
        (index, name, SERVO_IDS[index], MECHANICAL_RANGES[name].lower_rad,
         MECHANICAL_RANGES[name].upper_rad, ISAAC_JOINT_NAMES[index])
        for index, name in enumerate(JOINT_NAMES)
    ]  # fmt: skip
    found = [
        (int(index), name, int(servo), float(lower), float(upper), isaac)
        for index, name, servo, lower, upper, isaac in rows
    ]
    assert found == expected


def test_the_chunk_is_that_of_the_code():
    assert f'{HORIZON} rows of six goals, 1/{1 / PERIOD_S:.0f} s apart' in PAGE


def test_every_qos_row_that_the_page_names_exists():
    section = PAGE.split('## Topics')[1]
    named = set(re.findall(r'`([A-Z_]+)`', section))
    assert len(named) >= 10
    assert all(isinstance(getattr(qos_table, name, None), qos_table.QosRow) for name in named)


def test_the_deadline_is_that_of_the_code():
    deadline_s = float(re.search(r'deadline ([.\d]+) s', PAGE)[1])
    assert deadline_s == pytest.approx(qos_table.COMMAND_DEADLINE_S)
