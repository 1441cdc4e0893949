"""Stamps, and what they say of a message's age."""

import pytest
from builtin_interfaces.msg import Time

from chefmate_ros.joint_messages import age_s, seconds, time_message


def test_seconds_come_back_as_they_were():
    assert seconds(time_message(1795303722.5)) == 1795303722.5


@pytest.mark.parametrize(
    ('stamp_s', 'expected_s'), [(100.0, 2.5), (102.5, 0.0), (103.0, -0.5), (0.0, 0.0)]
)
def test_what_was_stamped_before_is_old_and_what_has_no_stamp_is_new(stamp_s, expected_s):
    stamp = time_message(stamp_s) if stamp_s else Time()
    assert age_s(stamp, 102.5) == pytest.approx(expected_s)
