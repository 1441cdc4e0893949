import pytest
import recording_rig as rig

from chefmate_core.errors import ConfigurationError
from chefmate_core.recording.report import EpisodeMonitor, ReportLimits

WRIST = 'wrist/image_raw/compressed'
STATES = 'follower/joint_states'


def report(messages, limits=None, seconds=2.0):
    monitor = EpisodeMonitor(rig.topics(), limits or ReportLimits())
    for each in messages:
        monitor.observe(each.name, each.log_ns, each.data)
    return monitor.report(seconds)


def found(content, *words):
    return [text for text in content['findings'] if all(word in text for word in words)]


def test_a_good_episode_has_no_findings():
    assert report(rig.episode_messages(2.0))['findings'] == []


def test_dropped_frames_are_counted_by_their_stamps_and_named():
    skip = {(WRIST, index) for index in (10, 11, 12, 30)}
    content = report(rig.episode_messages(2.0, skip))
    assert content['topics'][WRIST]['missing'] == 4
    assert content['topics']['scene/image_raw/compressed']['missing'] == 0
    assert found(content, WRIST, '4 of 60')


def test_a_writer_that_is_held_up_and_catches_up_has_dropped_nothing():
    messages = list(rig.episode_messages(1.0))
    for index, each in enumerate(messages):
        if each.name == STATES:
            number = (each.log_ns - rig.START_NS) // 10_000_000
            shift_ns = 9_000_000 * (number % 10) * (number < 90)  # ten of them in a burst
            data = rig.joints(each.log_ns - 2_000_000 - shift_ns, 0.01 * number)
            messages[index] = type(each)(each.name, each.log_ns, 0, data)
    content = report(messages)
    assert content['topics'][STATES]['missing'] == 0
    assert content['topics'][STATES]['max_gap_s'] > 0.05


def test_a_camera_that_froze_while_the_arm_moved_is_named():
    content = report(rig.episode_messages(2.0, frozen=range(20, 40)))
    assert content['topics'][WRIST]['frozen'] == 20
    assert content['topics'][WRIST]['longest_freeze_frames'] == 21
    assert found(content, 'wrist', 'frozen, 21 equal images')


def test_equal_pictures_of_an_arm_that_stands_are_no_freeze():
    messages = []
    for index, each in enumerate(rig.episode_messages(1.0, frozen=range(1, 30))):
        if 'joint' in each.name:
            data = rig.joints(rig.START_NS + index * 5_000_000)
            each = type(each)(each.name, each.log_ns, each.publish_ns, data)
        messages.append(each)
    content = report(messages)
    assert content['topics'][WRIST]['frozen'] == 29
    assert not found(content, 'frozen')
    assert found(content, 'did not move')


def test_frames_that_come_late_are_counted():
    messages = []
    for each in rig.episode_messages(1.0):
        late_ns = 300_000_000 if each.name == WRIST else 0
        messages.append(type(each)(each.name, each.log_ns + late_ns, 0, each.data))
    content = report(messages)
    assert content['topics'][WRIST]['late'] == 30
    assert found(content, WRIST, 'late')


def test_cameras_that_disagree_in_time_with_the_joints_are_named():
    skip = {(STATES, index) for index in range(20, 60)}
    content = report(rig.episode_messages(1.0, skip))
    assert content['sync']['wrist-joints']['max_ms'] > 350
    assert found(content, 'wrist-joints', 'apart')


def test_an_idle_head_is_measured_and_named():
    def stands_first(seconds):
        for index, each in enumerate(rig.episode_messages(4.0)):
            if 'joint' in each.name:
                stamp_ns = each.log_ns - 2_000_000
                moved = stamp_ns - rig.START_NS > seconds * 1e9
                data = rig.joints(stamp_ns, 0.3 if moved else 0.001 * (index % 2))
                each = type(each)(each.name, each.log_ns, each.publish_ns, data)
            yield each

    content = report(stands_first(3.0))
    assert content['idle_head_s'] == pytest.approx(3.0, abs=0.02)
    assert found(content, 'idle head')


def test_the_gates_activity_is_the_difference_of_its_counters_and_its_modes():
    messages = list(rig.episode_messages(1.0))
    name = 'follower/arm_driver: arm'
    for count in (7, 9, 12):
        data = rig.diagnostics(rig.START_NS, name, {'gate_clamped': count, 'gate_stale': 1})
        messages.append(type(messages[0])('/diagnostics', rig.START_NS, 0, data))
    gate = report(messages)['gate']
    assert gate['counters'] == {'clamped': 5}
    assert gate['modes'] == {'tracking': 100}


def test_a_topic_without_a_message_is_named():
    content = report(each for each in rig.episode_messages(1.0) if each.name != WRIST)
    assert found(content, WRIST, 'not one message')


def test_rubbish_on_a_topic_is_counted_and_hurts_nobody():
    messages = list(rig.episode_messages(1.0))
    messages.insert(5, type(messages[0])(WRIST, rig.START_NS, 0, b'rubbish'))
    content = report(messages)
    assert content['unreadable'] == {WRIST: 1}
    assert found(content, WRIST, '1 unreadable')


def test_a_picture_of_another_size_is_named():
    messages = list(rig.episode_messages(1.0))
    data = rig.picture(rig.START_NS + 10**9, rig.jpeg(1, 32, 32))
    messages.append(type(messages[0])(WRIST, rig.START_NS + 10**9, 0, data))
    assert found(report(messages), 'wrist', 'another size')


def test_joints_of_another_length_or_order_are_left_out_of_the_motion():
    messages = list(rig.episode_messages(1.0))
    data = rig.joints(rig.START_NS + 10**9, 99.0, names=('other',))
    messages.append(type(messages[0])(STATES, rig.START_NS + 10**9, 0, data))
    assert report(messages)['findings'] == []


def test_a_limit_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match='late_after_s'):
        ReportLimits(late_after_s=float('nan'))
