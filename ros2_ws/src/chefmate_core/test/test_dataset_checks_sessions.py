"""What a session's bags tell before anything is converted."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_session import START_S, EpisodePlan, jpeg, picture, write_session

from chefmate_core.dataset_checks import check
from chefmate_core.dataset_checks.findings import Severity

STATE = '/follower/joint_states'
WRIST, SCENE = '/wrist/image_raw/compressed', '/scene/image_raw/compressed'


def names(folder):
    return [finding.name for finding in check(folder)]


def found(folder, *plans):
    return check(write_session(folder / 'session', list(plans) or [EpisodePlan()]))


def test_a_clean_session_has_no_finding(tmp_path):
    assert found(tmp_path, EpisodePlan(), EpisodePlan(), EpisodePlan()) == []


def test_an_idle_head_is_told_with_the_row_of_the_first_motion(tmp_path):
    (finding,) = found(tmp_path, EpisodePlan(duration_s=4.0, idle_s=2.0))
    assert finding.name == 'idle-head' and finding.severity is Severity.WARNING
    assert finding.where.episode == 0 and 60 <= finding.where.row <= 66


def test_an_arm_that_never_moves_is_told(tmp_path):
    (finding,) = found(tmp_path, EpisodePlan(idle_s=99.0))
    assert finding.name == 'no-motion'


def test_an_empty_instruction_is_told(tmp_path):
    (finding,) = found(tmp_path, EpisodePlan(instruction=' '))
    assert finding.name == 'empty-instruction' and 'episode_000000.json' in finding.repair


def test_an_instruction_that_was_not_the_one_in_force_is_told(tmp_path):
    folder = write_session(tmp_path / 'session', [EpisodePlan()])
    path = folder / 'episode_000000.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | {'instruction': 'wave'}))
    (finding,) = check(folder)
    assert finding.name == 'instruction-mismatch' and 'pick up the bread' in finding.found


def test_a_camera_that_shows_one_image_while_the_arm_moves_is_frozen(tmp_path):
    def freeze(messages):
        still = jpeg(picture('wrist', 0.5))
        return [
            replace(m, value=still) if m.topic == WRIST and m.stamp_s > START_S + 0.5 else m
            for m in messages
        ]

    (finding,) = found(tmp_path, EpisodePlan(alter=freeze))
    assert finding.name == 'frozen-camera' and finding.where.file == 'camera wrist'
    assert 14 <= finding.where.row <= 18


def test_a_still_image_of_an_arm_at_rest_is_no_frozen_camera(tmp_path):
    def freeze(messages):
        still = {topic: jpeg(picture(topic[1:6], 0.5)) for topic in (WRIST, SCENE)}
        return [replace(m, value=still.get(m.topic, m.value)) for m in messages]

    assert [f.name for f in found(tmp_path, EpisodePlan(idle_s=99.0, alter=freeze))] == [
        'no-motion'
    ]


def test_a_dark_camera_is_told(tmp_path):
    def cover(messages):
        dark = jpeg(np.zeros_like(picture('scene', 0.0)))
        return [replace(m, value=dark) if m.topic == SCENE else m for m in messages]

    (finding,) = found(tmp_path, EpisodePlan(alter=cover))
    assert finding.name == 'black-camera' and finding.where.file == 'camera scene'


def swap(messages):
    other = {WRIST: SCENE, SCENE: WRIST}
    return [replace(m, topic=other.get(m.topic, m.topic)) for m in messages]


@pytest.mark.parametrize('swapped', [{1}, {0, 4}])
def test_episodes_with_swapped_cameras_are_told(tmp_path, swapped):
    plans = [EpisodePlan(alter=swap) if n in swapped else EpisodePlan() for n in range(5)]
    findings = found(tmp_path, *plans)
    assert {finding.name for finding in findings} == {'swapped-cameras'}
    assert {finding.where.episode for finding in findings} == swapped


def test_too_few_episodes_say_nothing_about_swapped_cameras(tmp_path):
    assert found(tmp_path, EpisodePlan(alter=swap), EpisodePlan()) == []


def test_a_joint_outside_the_calibration_is_told_by_name(tmp_path):
    def turn(messages):
        place = [i for i, m in enumerate(messages) if m.topic == STATE][100]
        value = np.array(messages[place].value)
        value[2] = 2.5
        late = [i for i, m in enumerate(messages) if m.topic == STATE and i > place][:5]
        for index in (place, *late):
            messages[index] = replace(messages[index], value=value)
        return messages

    (finding,) = found(tmp_path, EpisodePlan(alter=turn))
    assert finding.name == 'joint-outside-calibration'
    assert 'elbow_flex at 2.50 rad' in finding.found and '-1.66 to 1.66' in finding.expected


def test_a_pulled_camera_is_told_from_the_row_on_where_a_policy_would_have_stopped(tmp_path):
    def pull(messages):
        return [m for m in messages if m.topic != WRIST or m.stamp_s < START_S + 1.0]

    findings = {f.name: f for f in found(tmp_path, EpisodePlan(duration_s=4.0, alter=pull))}
    assert set(findings) == {'late-frames', 'repeated-frames', 'frozen-camera'}
    assert 30 < findings['late-frames'].where.row < 50
    assert 'camera wrist' in findings['repeated-frames'].found


def test_a_clock_that_is_off_is_told(tmp_path):
    def shift(messages):
        return [
            replace(m, stamp_s=m.stamp_s + 60) if m.topic == SCENE and i % 2 else m
            for i, m in enumerate(messages)
        ]

    findings = {finding.name for finding in found(tmp_path, EpisodePlan(alter=shift))}
    assert {'bad-stamps', 'repeated-frames'} <= findings


def test_images_that_cannot_be_decoded_are_told(tmp_path):
    def damage(messages):
        return [replace(m, value=m.value[:200]) if m.topic == WRIST else m for m in messages]

    (finding,) = found(tmp_path, EpisodePlan(alter=damage))
    assert finding.name == 'unreadable-images' and 'camera wrist' in finding.found


def test_what_is_not_whole_is_told_and_the_rest_is_checked_all_the_same(tmp_path):
    folder = write_session(
        tmp_path / 'session', [EpisodePlan(), EpisodePlan(), EpisodePlan(idle_s=99.0)]
    )
    (folder / '.open_episode_000003').mkdir()
    (folder / 'episode_000000.json').unlink()
    (file,) = (folder / 'episode_000001').glob('*.mcap')
    file.write_bytes(file.read_bytes()[:5000])
    findings = check(folder)
    assert [finding.name for finding in findings] == [
        'unreadable-file', 'unreadable-file', 'unfinished-episode', 'no-motion',
    ]  # fmt: skip
    assert all('chefmate dataset repair' in finding.repair for finding in findings[:3])


def test_what_the_recorder_said_is_said_again(tmp_path):
    folder = write_session(tmp_path / 'session', [EpisodePlan()])
    path = folder / 'episode_000000.json'
    content = json.loads(path.read_text()) | {'report': {'findings': ['wrist: 9 missing']}}
    path.write_text(json.dumps(content))
    assert names(folder) == ['recorder-finding']


def test_a_damaged_session_file_and_a_folder_of_something_else_are_told(tmp_path):
    folder = write_session(tmp_path / 'session', [EpisodePlan(duration_s=0.3)])
    (folder / 'session.json').write_text('{')
    assert names(folder) == ['unreadable-file']
    assert names(tmp_path) == names(tmp_path / 'nowhere') == ['not-a-data-set']
