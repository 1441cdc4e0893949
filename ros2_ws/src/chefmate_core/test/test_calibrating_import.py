import os

import pytest

from chefmate_core.calibrating.comparison import compare
from chefmate_core.calibrating.eeprom import ServoSettings, calibrated
from chefmate_core.calibrating.files import (
    backup_of,
    default_folder,
    replace_file,
    write_atomically,
)
from chefmate_core.calibrating.lerobot_cache import (
    cache_folder,
    choose_calibration,
    find_calibrations,
)
from chefmate_core.calibration import ArmCalibration, JointCalibration
from chefmate_core.errors import CalibrationError

CALIBRATION = ArmCalibration(
    tuple(JointCalibration(index + 1, 0, 10 * index, 800, 3000) for index in range(6))
)
HELD = tuple(ServoSettings(0, 0, 4095, 0, 12) for _ in range(6))


@pytest.fixture
def cache(tmp_path):
    for place in (
        'robots/so101_follower/mine',
        'robots/so_follower/other',
        'teleoperators/so101_leader/mine',
    ):
        path = tmp_path / f'{place}.json'
        path.parent.mkdir(parents=True)
        CALIBRATION.save(path)
    os.utime(tmp_path / 'robots/so101_follower/mine.json', (1, 1))
    koch = tmp_path / 'robots/koch_follower/blue.json'
    koch.parent.mkdir()
    koch.write_text('{"shoulder": 1}')
    return tmp_path


def test_what_lerobot_has_is_listed_with_what_cannot_be_used(cache):
    found = find_calibrations(cache)
    assert [(one.arm, one.type, one.id) for one in found if not one.problem] == [
        ('follower', 'so_follower', 'other'),
        ('follower', 'so101_follower', 'mine'),
        ('leader', 'so101_leader', 'mine'),
    ]
    (broken,) = [one for one in found if one.problem]
    assert broken.type == 'koch_follower'


def test_a_calibration_is_chosen_by_id_by_path_or_because_it_is_the_only_one(cache):
    assert choose_calibration('follower', 'other', cache).parent.name == 'so_follower'
    assert choose_calibration('leader', None, cache).stem == 'mine'
    assert choose_calibration('leader', '/some/where.json', cache).name == 'where.json'
    with pytest.raises(CalibrationError, match=r'more than one .* so101_follower/mine'):
        choose_calibration('follower', None, cache)
    with pytest.raises(CalibrationError, match=r"no calibration called 'blue'"):
        choose_calibration('follower', 'blue', cache)


def test_the_cache_is_where_lerobot_has_it(monkeypatch, tmp_path):
    for name in ('HF_LEROBOT_CALIBRATION', 'HF_LEROBOT_HOME', 'HF_HOME', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert cache_folder() == tmp_path / '.cache/huggingface/lerobot/calibration'
    monkeypatch.setenv('HF_HOME', '/hf')
    assert str(cache_folder()) == '/hf/lerobot/calibration'
    monkeypatch.setenv('HF_LEROBOT_HOME', '/le')
    assert str(cache_folder()) == '/le/calibration'
    monkeypatch.setenv('HF_LEROBOT_CALIBRATION', '/cal')
    assert str(cache_folder()) == '/cal'
    assert find_calibrations() == ()


def test_ones_own_calibrations_have_a_folder_that_can_be_named(monkeypatch, tmp_path):
    monkeypatch.delenv('CHEFMATE_CALIBRATION_DIR', raising=False)
    monkeypatch.setenv('XDG_CONFIG_HOME', str(tmp_path))
    assert default_folder() == tmp_path / 'chefmate' / 'calibration'
    monkeypatch.setenv('CHEFMATE_CALIBRATION_DIR', '/arms')
    assert str(default_folder()) == '/arms'


def test_file_and_servo_are_compared_value_by_value():
    held = list(calibrated(HELD, CALIBRATION))
    assert all(joint.agrees for joint in compare(CALIBRATION, held))
    held[2] = ServoSettings(20, 800, 2999, 3, 12 | 0x10)
    joints = compare(CALIBRATION, held)
    assert [joint.agrees for joint in joints] == [True, True, False, True, True, True]
    assert [value.name for value in joints[2].values if not value.agrees] == ['range_max']
    assert joints[2].notes == ('operating mode 3, not position', 'multi-turn feedback is on')


def test_calibrated_servos_are_in_position_mode_without_multi_turn_feedback():
    odd = (ServoSettings(0, 0, 4095, 3, 12 | 0x10),) * 6
    assert {(one.operating_mode, one.phase) for one in calibrated(odd, CALIBRATION)} == {(0, 12)}


def test_a_replaced_file_leaves_its_predecessor_and_nothing_else(tmp_path):
    path = tmp_path / 'new' / 'follower.json'
    replace_file(path, 'one')
    assert not backup_of(path).exists()
    replace_file(path, 'two')
    assert (path.read_text(), backup_of(path).read_text()) == ('two', 'one')
    replace_file(path, 'two')
    assert backup_of(path).read_text() == 'one'  # the same text is no change
    replace_file(path, None)
    assert not path.exists()
    assert backup_of(path).read_text() == 'two'
    assert sorted(entry.name for entry in path.parent.iterdir()) == ['follower.json.bak']


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / 'follower.json'
    path.mkdir()
    with pytest.raises(CalibrationError, match='cannot be written'):
        write_atomically(path, 'text')
    assert list(tmp_path.iterdir()) == [path]
