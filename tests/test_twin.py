"""The bridge and its twin with real processes: names, errors, what is broken or late."""

import math
import time

import numpy as np
import pytest
from sensor_msgs.msg import JointState
from twin_stage import REST_RAD

from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_NAMES

pytestmark = pytest.mark.system
pytest_plugins = ['twin_fixtures']


def test_the_arm_goes_to_joint_states_as_it_is(stage, bridge):
    bridge(mode='none')
    stage.play_until(lambda: len(stage.relayed) > 50, what='joint_states')
    message = stage.relayed[-1]
    assert list(message.name) == list(JOINT_NAMES)
    assert message.position == pytest.approx(REST_RAD)
    assert message.velocity == pytest.approx([0.1] * 6)
    age_s = stage.node.get_clock().now().nanoseconds * 1e-9 - message.header.stamp.sec
    assert age_s < 60.0  # the stamp of the measurement, not zero
    assert stage.commanded == []


def test_a_stack_that_spells_joints_otherwise_gets_its_names(stage, bridge):
    bridge(mode='none', joint_prefix='left_', joint_suffix='_joint')
    stage.play_until(lambda: len(stage.relayed) > 10, what='joint_states')
    assert list(stage.relayed[-1].name) == [f'left_{name}_joint' for name in JOINT_NAMES]


def test_beside_another_bridge_joint_states_are_left_to_it(stage, bridge):
    bridge(publish_joint_states='false')
    stage.play_until(lambda: len(stage.commanded) > 3, what='isaac_joint_command')
    assert stage.relayed == []


def test_the_simulator_is_told_its_names_positions_only_and_seldom_of_an_arm_at_rest(
    stage, bridge
):
    bridge()
    stage.moves = True
    stage.play_until(lambda: len(stage.commanded) > 30, what='isaac_joint_command')
    assert all(list(message.name) == list(ISAAC_JOINT_NAMES) for message in stage.commanded)
    assert all(len(m.position) == 6 and not m.velocity for m in stage.commanded)
    rates = []
    for stage.moves in (True, False):
        stage.play(0.5)
        begun, begun_s = len(stage.commanded), time.monotonic()
        stage.play(3.0)
        rates.append((len(stage.commanded) - begun) / (time.monotonic() - begun_s))
    moving_hz, resting_hz = rates
    assert moving_hz < 70.0  # of 100: no more than 60 in the long run
    assert 0.3 < resting_hz < min(5.0, 0.3 * moving_hz)


def test_the_error_is_published_by_name_and_the_twin_under_the_names_of_the_arm(stage, bridge):
    bridge()
    off = np.array([0.0, 0.0, 0.1, 0.0, 0.0, 0.0])
    order = [5, 4, 3, 2, 1, 0]
    names = [ISAAC_JOINT_NAMES[index] for index in order]
    stage.play_until(
        lambda: len(stage.errors) > 10 and len(stage.twin) > 10,
        lambda: stage.simulator_says(names, (stage.where() + off)[order]),
        'twin/joint_error',
    )
    assert list(stage.errors[-1].name) == list(JOINT_NAMES)
    assert stage.errors[-1].position == pytest.approx(-off, abs=1e-6)
    assert list(stage.twin[-1].name) == list(JOINT_NAMES)
    assert stage.twin[-1].position == pytest.approx(REST_RAD + off, abs=1e-6)


BROKEN = (
    (ISAAC_JOINT_NAMES, [math.nan] * 6, 'not finite'),
    (ISAAC_JOINT_NAMES[:5], [0.0] * 5, 'Jaw is missing'),
    ((*ISAAC_JOINT_NAMES[:5], 'Thumb'), [0.0] * 6, 'Thumb is unknown'),
    ((*ISAAC_JOINT_NAMES[:5], 'Pitch'), [0.0] * 6, 'Pitch is named twice'),
    (ISAAC_JOINT_NAMES, [0.0] * 3, '6 names, but 3 positions'),
    (ISAAC_JOINT_NAMES, np.degrees(REST_RAD), 'unit: deg'),
)


def test_a_broken_simulator_is_refused_by_name_and_the_arm_goes_on(stage, bridge):
    bridge()
    for names, positions, expected in BROKEN:
        stage.play_until(
            lambda expected=expected: expected in stage.said(),
            lambda names=names, positions=positions: stage.simulator_says(names, positions),
            expected,
        )
        assert stage.statuses['joint_state_bridge: twin'].level == b'\x02'
    before = len(stage.relayed)
    stage.play_until(
        lambda: len(stage.relayed) - before > 70,
        lambda: stage.simulator_says(*BROKEN[0][:2]),
        'joint_states beside a broken twin',
    )
    assert stage.twin == []
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'a good twin')


DAMAGED = b'\x00\x01\x00\x00' + b'\xff' * 6  # a sequence of 4 billion names


def test_damaged_bytes_end_neither_the_bridge_nor_its_launch(stage, bridge):
    process = bridge(joint_suffix='_joint')  # so that the relay reads what it hands on
    simulator = stage.node.create_publisher(JointState, 'isaac_joint_states', 10)
    arm = stage.node.create_publisher(JointState, 'follower/joint_states', 10)
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'a good twin')

    def damage():
        simulator.publish(DAMAGED)
        arm.publish(DAMAGED)
        names = [f'garbage_{number}' for number in range(1000)]
        stage.simulator_says(names, [0.0] * len(names))

    stage.play_until(lambda: 'are no JointState' in stage.said(), damage, 'the refusal')
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'a good twin')
    assert process.poll() is None
    status = stage.statuses['joint_state_bridge: joint_states']
    assert int({value.key: value.value for value in status.values}['malformed']) > 0


def test_a_silent_simulator_is_told_and_the_arm_goes_on(stage, bridge):
    bridge()
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'a good twin')
    before = len(stage.relayed)
    stage.play_until(lambda: 'silent' in stage.said(), what='silence')
    assert len(stage.relayed) > before
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'its return')


def test_a_simulator_2_s_late_is_told_by_its_stamps(stage, bridge):
    bridge()
    stage.play_until(
        lambda: '2.0 s old' in stage.said(), lambda: stage.simulator_says(age_s=2.0), 'lateness'
    )


def test_a_twin_that_does_not_move_is_an_alarm(stage, bridge):
    bridge(hold_off=0.2)
    stage.play_until(
        lambda: 'far from the arm' in stage.said(),
        lambda: stage.simulator_says(positions=[0.9] * 6),
        'the alarm',
    )
    assert stage.statuses['joint_state_bridge: twin'].level == b'\x02'
