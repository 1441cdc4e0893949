"""The whole way of a person at a terminal, on virtual arms: `chefmate calibrate` and `servo`."""

import json
import signal
import time
from itertools import pairwise

import numpy as np
import pytest
from calibrating_rig import make_blank, settings_of
from terminal import Terminal
from virtual_arm import CALIBRATION, START_RAD

from chefmate.cli.main import main
from chefmate_core.calibration import RAD_PER_TICK, ArmCalibration
from chefmate_core.joints import GRIPPER, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus
from chefmate_sim.virtual_bus.hardware import Twin

MIDDLE_RAD = (LOWER_LIMITS_RAD + UPPER_LIMITS_RAD) / 2


@pytest.fixture
def terminal():
    opened = []

    def start(*words):
        opened.append(Terminal(*words))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def model():
    return FirstOrderArm(START_RAD)


@pytest.fixture
def virtual(model, tmp_path):
    with VirtualServoBus(model, CALIBRATION, tmp_path / 'follower') as bus:
        yield bus


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'arms'


@pytest.fixture
def place(virtual, folder):
    return ['--port', virtual.port, '--out', str(folder)]


def move(model, *waypoints):
    """Move all joints at once, as slowly as a hand does."""
    for begin, end in pairwise(waypoints):
        for share in np.linspace(0, 1, 30):
            model.place(begin + share * (end - begin))
            time.sleep(0.03)
        time.sleep(0.3)  # a hand rests at a stop


def calibrate(wizard, model):
    wizard.see('Move every joint to the middle')
    move(model, START_RAD, MIDDLE_RAD)
    wizard.press('\n')
    wizard.see('both of its stops')
    move(model, MIDDLE_RAD, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, MIDDLE_RAD)
    wizard.press('\n')
    wizard.see('Close the gripper')
    closed = MIDDLE_RAD.copy()
    closed[GRIPPER] = LOWER_LIMITS_RAD[GRIPPER]
    move(model, MIDDLE_RAD, closed)
    wizard.press('\n')
    wizard.see('Look at the result')


def test_a_person_calibrates_at_a_terminal_and_takes_it_back(
    terminal, virtual, model, place, folder
):
    make_blank(virtual)
    blank = settings_of(virtual)
    wizard = terminal('calibrate', 'follower', *place)
    calibrate(wizard, model)
    assert settings_of(virtual) == blank
    wizard.press('\n')
    wizard.see('Calibrated:')
    wizard.see('calibration_dir:=')
    assert wizard.end() == 0
    calibration = ArmCalibration.load(folder / 'follower.json')
    arm = FeetechArm(virtual.port, calibration)
    arm.connect()
    position_rad = arm.read().position_rad
    arm.disconnect(torque_off=False)
    # wrist_roll's zero is where the hand held it, everything else is what it was moved through
    expected = model.position_rad() - np.array([0, 0, 0, 0, MIDDLE_RAD[4], 0])
    assert position_rad == pytest.approx(expected, abs=3 * RAD_PER_TICK)
    assert main(['calibrate', 'check', 'follower', *place]) == 0
    assert main(['calibrate', 'undo', 'follower', *place]) == 0
    assert settings_of(virtual) == blank
    assert not (folder / 'follower.json').exists()


def test_ctrl_c_before_the_result_is_confirmed_changes_nothing(
    terminal, virtual, model, place, folder
):
    make_blank(virtual)
    before = settings_of(virtual)
    wizard = terminal('calibrate', 'follower', *place)
    calibrate(wizard, model)
    wizard.process.send_signal(signal.SIGINT)
    assert wizard.end() == 130
    assert 'Stopped. Servos and follower.json are what they were before.' in wizard.text
    assert 'The arm is limp.' in wizard.text
    assert settings_of(virtual) == before
    assert not folder.exists()


@pytest.mark.parametrize('key', ['q', '\x1b'])
def test_a_person_can_stop_at_any_step(terminal, virtual, place, key):
    wizard = terminal('calibrate', 'follower', *place)
    wizard.see('Move every joint to the middle')
    wizard.press(key)
    assert wizard.end() == 130
    assert 'what they were before' in wizard.text


def test_the_wizard_says_what_is_missing_and_goes_on(terminal, virtual, model, place):
    wizard = terminal('calibrate', 'follower', *place)
    wizard.see('Move every joint to the middle')
    wizard.press('\n')
    wizard.see('both of its stops')
    wizard.press('\n')
    wizard.see('elbow_flex: it was not moved')
    wizard.press('r')
    wizard.see('Move every joint to the middle')
    virtual.faults.kill(4)
    wizard.see('no answer')
    wizard.press('\n')
    wizard.see('no answer from wrist_flex (id 4)')
    virtual.hang_up()
    wizard.see('no such device')
    wizard.press('q')
    assert wizard.end() == 130


def test_an_arm_that_holds_is_to_be_supported_first(terminal, virtual, place):
    arm = FeetechArm(virtual.port, CALIBRATION)
    arm.connect()
    arm.hold()
    arm.disconnect(torque_off=False)
    wizard = terminal('calibrate', 'follower', *place)
    wizard.see('Hold the arm')
    assert all(servo.memory.get(reg.TORQUE_ENABLE) for servo in virtual.servos)
    wizard.press('\n')
    wizard.see('Move every joint to the middle')
    assert not any(servo.memory.get(reg.TORQUE_ENABLE) for servo in virtual.servos)


def test_without_a_terminal_the_wizard_says_so(virtual, place, capsys):
    assert main(['calibrate', 'follower', *place]) == 2
    assert 'no terminal' in capsys.readouterr().err


def test_check_names_the_joint_and_both_values(virtual, place, folder, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '140')
    folder.mkdir()
    CALIBRATION.save(folder / 'follower.json')
    assert main(['calibrate', 'check', 'follower', *place]) == 0
    assert 'is what the servos hold' in capsys.readouterr().out
    virtual.servos[2].memory.set_lasting(reg.MAX_POSITION_LIMIT, 3000)
    assert main(['calibrate', 'check', 'follower', *place]) == 1
    text = capsys.readouterr().out
    assert 'file 3160, servo 3000' in text
    assert text.count('differs') == 1


def test_show_draws_the_file_with_and_without_an_arm(virtual, place, folder, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '140')
    folder.mkdir()
    CALIBRATION.save(folder / 'follower.json')
    assert main(['calibrate', 'show', 'follower', *place]) == 0
    assert capsys.readouterr().out.count('●') == 6
    virtual.hang_up()
    assert main(['calibrate', 'show', 'follower', *place]) == 0
    text = capsys.readouterr().out
    assert 'without present positions' in text
    assert '3160' in text


def test_a_calibration_of_lerobot_is_listed_and_taken_over(
    virtual, place, folder, tmp_path, capsys, monkeypatch
):
    cache = tmp_path / 'cache'
    (cache / 'robots' / 'so101_follower').mkdir(parents=True)
    CALIBRATION.save(cache / 'robots' / 'so101_follower' / 'blue.json')
    monkeypatch.setenv('HF_LEROBOT_CALIBRATION', str(cache))
    assert main(['calibrate', 'import', 'follower', '--list']) == 0
    assert 'so101_follower/blue' in capsys.readouterr().out
    assert main(['calibrate', 'import', 'follower', *place]) == 0
    assert json.loads((folder / 'follower.json').read_text()) == CALIBRATION.to_mapping()
    make_blank(virtual)
    assert main(['calibrate', 'check', 'follower', *place]) == 1
    assert main(['calibrate', 'import', 'follower', 'blue', '--to-servos', *place]) == 0
    assert main(['calibrate', 'check', 'follower', *place]) == 0
    assert main(['calibrate', 'import', 'follower', 'green', *place]) == 2
    assert "called 'green'" in capsys.readouterr().err


def test_a_scan_prints_who_is_there_and_who_is_there_twice(virtual, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', '160')
    words = ['servo', 'scan', '--port', virtual.port, '--baud', '1000000']
    assert main([*words, '--json']) == 0
    (port,) = json.loads(capsys.readouterr().out)
    assert [servo['servo_id'] for servo in port['servos']] == [1, 2, 3, 4, 5, 6]
    virtual.hardware.add(Twin(1, of_id=3))
    assert main(words) == 0
    text = capsys.readouterr().out
    assert text.count('STS3215') == 4
    assert 'two servos have this id' in text


def test_an_id_is_set_only_when_somebody_says_yes(terminal, virtual, capsys):
    words = ['servo', 'set-id', '6', '9', '--port', virtual.port]
    assert main(words) == 2
    assert '--yes' in capsys.readouterr().err
    for answer, code, last in (('n\n', 2, 6), ('y\n', 0, 9)):
        asked = terminal(*words)
        asked.see('[y/N]')
        asked.press(answer)
        assert asked.end() == code
        assert virtual.servos[5].servo_id == last
    assert main(['servo', 'set-id', '9', '6', '--port', virtual.port, '--yes']) == 0
    assert virtual.servos[5].servo_id == 6
    assert main(['servo', 'set-id', '6', '5', '--port', virtual.port, '--yes']) == 2
    assert 'id 5 is taken' in capsys.readouterr().err
