"""What the plots take out of a bag, and what they refuse."""

import numpy as np
import pytest

from chefmate.bag_plot.figures import png
from chefmate.bag_plot.reading import read_recording
from chefmate.bag_plot.series import at_times
from chefmate_core.dataset.errors import DatasetError, DatasetRequestError
from chefmate_core.joints import JOINT_NAMES

STATES = 'follower/joint_states'


def test_everything_that_is_drawn_is_read(whole_bag):
    recording = read_recording(whole_bag)
    assert recording.messages[STATES] == 400
    assert recording.joints[STATES].position_rad.shape == (400, 6)
    assert recording.joints['follower/joint_commands_applied'].labels[0] == 'blending'
    assert [text for _, text in recording.instructions] == [
        'pick up the bread',
        'pick up the <cheese> & $x^$',
    ]
    assert recording.health.temperature_c[:, 2].tolist() == [30, 31, 32, 33]
    assert recording.health.counters['clamped_to_limits'].tolist() == [0, 0, 2, 2]
    assert recording.arrivals['wrist/image_raw/compressed'].age_s == pytest.approx(0.02, abs=1e-6)
    assert not recording.unreadable


def test_a_joint_is_found_by_its_name_and_may_be_left_out(new_bag):
    bag = new_bag()
    bag.joints(f'/{STATES}', 0.0, range(6), names=reversed(JOINT_NAMES))
    bag.joints(f'/{STATES}', 0.01, [0.7], names=['gripper'])
    bag.joints(f'/{STATES}', 0.02, [1.0, 9.0], names=['wrist_roll', 'tail'])
    series = read_recording(bag.close()).joints[STATES]
    assert series.position_rad[0].tolist() == [5, 4, 3, 2, 1, 0]
    assert series.position_rad[1, 5] == pytest.approx(0.7)
    assert np.isnan(series.position_rad[1, :5]).all()
    assert series.position_rad[2, 4] == 1.0
    assert np.isnan(series.velocity_rad_s).all()


def test_malformed_messages_are_counted_and_the_others_drawn(new_bag):
    bag = new_bag()
    bag.joints(f'/{STATES}', 0.0, np.ones(6))
    bag.joints(f'/{STATES}', 0.01, np.ones(5))  # six names
    bag.joints(f'/{STATES}', 0.02, [1.0], names=['tail'])
    bag.joints(f'/{STATES}', 0.03, [], names=[])
    bag.raw(f'/{STATES}', 'sensor_msgs/msg/JointState', b'\0\1\0\0\7', 0.04)
    bag.raw('/wrist/image_raw/compressed', 'sensor_msgs/msg/CompressedImage', b'\0', 0.05)
    bag.joints(f'/{STATES}', 0.06, np.full(6, np.nan))
    recording = read_recording(bag.close())
    assert recording.unreadable == {STATES: 4, 'wrist/image_raw/compressed': 1}
    assert recording.joints[STATES].time_s == pytest.approx([0.0, 0.06], abs=0.002)


def test_numbers_that_are_none_leave_holes(new_bag):
    bag = new_bag()
    for step, value in enumerate((0.5, np.nan, np.inf, -np.inf, 1e300, 0.6)):
        bag.joints(f'/{STATES}', step / 100, np.full(6, value), velocity=np.full(6, value))
    recording = read_recording(bag.close())
    series = recording.joints[STATES]
    for values in (series.position_rad, series.velocity_rad_s):
        assert np.isnan(values[1:5]).all()
        assert values[[0, 5], 0] == pytest.approx([0.5, 0.6])
    assert png(recording, 'holes', [])[:4] == b'\x89PNG'


def test_stamps_of_another_clock_have_no_age_and_are_placed_by_reception(new_bag):
    bag = new_bag()
    for step in range(10):
        bag.joints(f'/{STATES}', -1e9 + step / 10, np.zeros(6), delay_s=1e9)  # a simulated clock
    recording = read_recording(bag.close())
    assert recording.joints[STATES].time_s == pytest.approx(np.arange(10) / 10, abs=1e-6)
    assert np.isnan(recording.arrivals[STATES].age_s).all()


def test_messages_that_arrive_out_of_order_are_drawn_in_order(new_bag):
    bag = new_bag()
    for stamp_s, received_s in ((0.0, 0.0), (0.2, 0.21), (0.1, 0.22), (0.3, 0.31)):
        bag.joints(f'/{STATES}', stamp_s, np.full(6, stamp_s), delay_s=received_s - stamp_s)
    recording = read_recording(bag.close())
    assert recording.joints[STATES].position_rad[:, 0] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    arrivals = recording.arrivals[STATES]
    assert arrivals.time_s == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert arrivals.received_s == pytest.approx([0.0, 0.22, 0.21, 0.31])


def test_diagnostics_of_others_and_garbage_in_them_are_left_alone(new_bag):
    bag = new_bag()
    bag.diagnostics(0.0, {'gripper_temperature_c': 99}, name='leader/arm_driver: arm')
    bag.diagnostics(0.5, {'gripper_temperature_c': 'hot', 'gate_stalls': '²'})
    bag.diagnostics(1.0, {'gripper_temperature_c': 41, 'gate_stalls': '-1', 'gate_blends': '2'})
    health = read_recording(bag.close()).health
    assert health.temperature_c[:, 5].tolist() == [41.0]
    assert set(health.counters) == {'blends'}


def test_only_the_topics_that_were_asked_for_are_read(whole_bag):
    recording = read_recording(whole_bag, ['follower/*', '/twin/joint_error'])
    assert set(recording.messages) == {
        STATES,
        'follower/joint_commands',
        'follower/joint_commands_applied',
        'twin/joint_error',
    }
    assert recording.health is None
    assert '/diagnostics' in recording.other_topics


def test_a_topic_that_is_not_there_is_refused_with_those_that_are(whole_bag):
    with pytest.raises(DatasetRequestError, match=r'follower/joint_stats.*/follower/joint_states'):
        read_recording(whole_bag, ['follower/joint_stats'])


def test_a_bag_without_anything_to_draw_says_what_it_holds(new_bag):
    bag = new_bag()
    bag.write('/chatter', bag.header(0.0), 0.0)
    with pytest.raises(DatasetRequestError, match=r'nothing in this bag can be drawn.*/chatter'):
        read_recording(bag.close())


def test_an_empty_bag_says_that_it_holds_no_topic(new_bag):
    with pytest.raises(DatasetRequestError, match='found no topic'):
        read_recording(new_bag().close())


def test_a_bag_that_is_cut_off_is_named_with_what_to_do(whole_bag):
    file = next(whole_bag.glob('*.mcap'))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DatasetError, match='ros2 bag reindex'):
        read_recording(whole_bag)


def test_what_is_lost_in_a_hole_of_the_bag_is_counted_or_the_bag_refused(new_bag):
    bag = new_bag()
    for step in range(2000):
        bag.joints(f'/{STATES}', step / 100, np.ones(6), label='x' * 400)
    folder = bag.close()
    file = next(folder.glob('*.mcap'))
    whole = file.read_bytes()
    outcomes = set()
    for tenth in range(1, 10):
        data = bytearray(whole)
        start = len(data) * tenth // 10
        data[start : start + 2000] = bytes(2000)
        file.write_bytes(data)
        try:
            recording = read_recording(folder)
        except DatasetError as error:
            outcomes.add('refused')
            assert 'readable up to' in str(error) and 'ros2 bag reindex' in str(error)
        else:
            outcomes.add('drawn')
            drawn = len(recording.joints[STATES].time_s)
            assert drawn + recording.unreadable[STATES] == 2000
    assert 'drawn' in outcomes


def test_a_stretch_is_read_and_knows_the_instruction_that_was_in_force(whole_bag):
    recording = read_recording(whole_bag, from_s=1.0, to_s=1.5)
    assert recording.messages[STATES] == pytest.approx(50, abs=1)
    assert recording.joints[STATES].time_s[0] == pytest.approx(1.0, abs=0.02)
    assert [text for _, text in recording.instructions] == ['pick up the bread']


def test_a_stretch_behind_the_end_is_refused_with_the_length(whole_bag):
    with pytest.raises(DatasetRequestError, match=r'the bag is 4\.0 s long'):
        read_recording(whole_bag, from_s=60.0)


def test_progress_is_told_about_a_hundred_times(whole_bag):
    said = []
    read_recording(whole_bag, progress=said.append)
    assert 90 <= len(said) <= 120


def test_the_newest_value_is_held_and_nothing_is_known_before_the_first(whole_bag):
    series = read_recording(whole_bag, ['twin/joint_error']).joints['twin/joint_error']
    held = at_times(series, np.array([0.5, 1.0, 1.9, 2.0, 9.0]))
    assert np.isnan(held[0]).all()
    assert held[1:, 0] == pytest.approx([0.01, 0.01, 0.02, 0.02])
