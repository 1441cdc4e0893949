"""What the recorder writes, the reader reads: both from start to end, without ROS."""

import numpy as np
import recording_rig
from recording_rig import START_NS, episode_messages, make_recorder, record
from small_session import CALIBRATION

from chefmate_core.dataset_checks import check
from chefmate_core.recording.repair import repair_session
from chefmate_core.session_reader import open_session
from chefmate_core.session_reader.ticks import EpisodeCounts


def recorded(folder, monkeypatch, *episodes):
    """Record episodes of these messages; return the session's folder."""
    monkeypatch.setattr(recording_rig, 'CALIBRATION', CALIBRATION.to_mapping())
    recorder = make_recorder(folder)
    for messages in episodes:
        record(recorder, messages)
    recorder.close()
    return folder


def test_a_recorded_session_is_read_frame_by_frame(tmp_path, monkeypatch):
    folder = recorded(tmp_path / 'session', monkeypatch, episode_messages(2.0))
    session = open_session(folder)
    assert session.cameras == {'wrist': (48, 64), 'scene': (48, 64)}
    (episode,) = session.episodes
    assert episode.instruction == 'pick up the cheese'
    counts = EpisodeCounts()
    frames = list(episode.frames(counts))
    assert 58 <= len(frames) == episode.frame_count <= 60
    assert counts.refused == [] and not +counts.held_images and not +counts.unreadable_images
    for frame, tick in zip(frames, episode.ticks(), strict=True):
        step = (tick.stamp_s - START_NS * 1e-9) * 100
        np.testing.assert_allclose(frame.state_rad, 0.5 * np.sin(step * 0.02), atol=1e-4)
        np.testing.assert_array_equal(frame.state_rad, frame.action_rad)


def test_a_clean_recording_has_no_finding(tmp_path, monkeypatch):
    folder = recorded(tmp_path / 'session', monkeypatch, episode_messages(1.5))
    assert [str(finding) for finding in check(folder)] == []


def test_a_camera_that_froze_is_found_in_the_bag_as_the_recorder_found_it(tmp_path, monkeypatch):
    folder = recorded(
        tmp_path / 'session', monkeypatch, episode_messages(1.5, frozen=range(5, 44))
    )
    names = {finding.name for finding in check(folder)}
    assert names == {'frozen-camera', 'recorder-finding'}


def test_what_a_killed_recorder_left_is_told_and_after_its_repair_can_be_read(
    tmp_path, monkeypatch
):
    folder = recorded(tmp_path / 'session', monkeypatch, episode_messages(2.0))
    open_folder = folder / '.open_episode_000000'
    (folder / 'episode_000000').rename(open_folder)
    (folder / 'episode_000000.json').unlink()
    (file,) = open_folder.glob('*.mcap')
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 3 // 4])
    (open_folder / 'metadata.yaml').unlink()
    (finding,) = check(folder)
    assert finding.name == 'unfinished-episode' and 'chefmate dataset repair' in finding.repair
    repair_session(folder)
    session = open_session(folder)
    assert len(session.episodes) == 1 and len(list(session.episodes[0].frames())) > 20
