import numpy as np
import pytest
from small_session import EpisodePlan, motion_rad, write_bag, write_session

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.errors import ConfigurationError
from chefmate_core.twin.replay import Playback, Recording, load_recordings


def short(duration_s):
    return EpisodePlan(duration_s=duration_s, cameras=())


def test_a_session_is_its_episodes_in_order(tmp_path):
    folder = write_session(tmp_path / 'session', [short(1.0), short(2.0)])
    recordings = list(load_recordings(folder))
    assert [recording.name for recording in recordings] == ['episode_000000', 'episode_000001']
    assert [recording.duration_s for recording in recordings] == pytest.approx([0.99, 1.99])
    assert recordings[1].at(1.5) == pytest.approx(motion_rad(1.45, 0.2), abs=1e-6)


def test_one_bag_is_enough(tmp_path):
    folder = write_session(tmp_path / 'session', [short(1.0)])
    (recording,) = load_recordings(folder / 'episode_000000')
    assert recording.times_s[0] == 0.0


def test_a_position_that_is_no_number_is_left_out(tmp_path):
    def spoil(messages):
        for message in messages:
            if message.topic == '/follower/joint_states' and 0.4 < message.stamp_s % 100 < 0.6:
                message.value = np.full(6, np.nan)
        return messages

    plan = short(1.0)
    plan.alter = spoil
    (recording,) = load_recordings(write_session(tmp_path / 'session', [plan]))
    assert np.isfinite(recording.positions_rad).all()
    assert len(recording.times_s) < 100
    left_out = 100 - len(recording.times_s)
    assert f'{left_out} without six finite positions' in recording.line()


def test_a_bag_without_a_follower_is_refused(tmp_path):
    plan = short(1.0)
    plan.alter = lambda messages: [m for m in messages if 'instruction' in m.topic]
    with pytest.raises(ConfigurationError, match='follower/joint_states'):
        list(load_recordings(write_session(tmp_path / 'session', [plan])))


def test_a_bag_in_simulation_time_says_why_it_has_no_motion(tmp_path):
    def simulated(messages):
        for message in messages:
            message.stamp_s %= 1000.0
        return messages

    plan = short(1.0)
    plan.alter = simulated
    with pytest.raises(ConfigurationError, match='100 stamped more than 5 s off'):
        list(load_recordings(write_session(tmp_path / 'session', [plan])))


def test_an_empty_folder_and_none_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match='no motion'):
        list(load_recordings(tmp_path))
    with pytest.raises(ConfigurationError, match='no such folder'):
        list(load_recordings(tmp_path / 'nothing'))


def test_a_damaged_bag_says_so(tmp_path):
    folder = tmp_path / 'bag'
    write_bag(folder, [])
    (folder / 'metadata.yaml').write_text('nonsense: [')
    with pytest.raises(DatasetError, match='no readable rosbag2'):
        list(load_recordings(folder))


def ramp(duration_s, slope):
    return Recording(
        'ramp', np.array([0.0, duration_s]), np.array([np.zeros(6), np.full(6, slope)])
    )


def test_a_playback_goes_at_its_speed_and_ends():
    playback = Playback([ramp(2.0, 1.0)], speed=2.0, pause_s=0.5)
    assert playback.position_rad(50.0) == pytest.approx(np.zeros(6))
    assert playback.position_rad(50.5) == pytest.approx(np.full(6, 0.5))
    assert playback.position_rad(51.2) == pytest.approx(np.full(6, 1.0))
    assert not playback.is_done
    playback.position_rad(51.6)
    assert playback.is_done


def test_recordings_follow_one_another_after_a_pause():
    playback = Playback([ramp(1.0, 1.0), ramp(1.0, -1.0)], speed=1.0, pause_s=1.0)
    playback.position_rad(0.0)
    assert playback.position_rad(1.9) == pytest.approx(np.full(6, 1.0))
    assert playback.position_rad(2.1) == pytest.approx(np.zeros(6))
    assert playback.index == 1
    assert playback.position_rad(2.6) == pytest.approx(np.full(6, -0.5))


@pytest.mark.parametrize('speed', [0.0, -1.0, float('nan'), 1000.0])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(ConfigurationError, match='speed'):
        Playback([ramp(1.0, 1.0)], speed)
