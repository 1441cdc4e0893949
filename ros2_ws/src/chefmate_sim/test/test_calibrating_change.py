import dataclasses
import json

import pytest
from calibrating_rig import advance, make_blank, new_hand, new_session, settings_of
from virtual_arm import CALIBRATION, CONFIG

from chefmate_core.calibrating import change
from chefmate_core.calibrating.change import Patience
from chefmate_core.calibrating.connecting import turn_torque_off
from chefmate_core.calibrating.eeprom import calibrated, read_settings
from chefmate_core.calibrating.errors import HalfWrittenError, UnchangedError
from chefmate_core.calibrating.files import backup_of, text_of
from chefmate_core.calibrating.record import load_record, record_of
from chefmate_core.calibrating.views import Step
from chefmate_core.errors import CalibrationError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.registers import Register
from chefmate_sim.virtual_bus.hardware import RefusedEeprom

NOT_AT_ALL = Patience(wait_s=0.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'follower.json'


@pytest.fixture
def blank(virtual):
    make_blank(virtual)
    return settings_of(virtual)


@pytest.fixture
def bus(virtual):
    bus = ServoBus(virtual.port, CONFIG)
    bus.open()
    yield bus
    virtual.clear_faults()
    bus.close()


class CountedBus(ServoBus):
    """The real bus, and something that happens before the n-th write."""

    def __init__(self, port, nth, happens):
        super().__init__(port, CONFIG)
        self.left, self.happens = nth, happens

    def write(self, servo_id: int, register: Register, value: int) -> None:
        self.left -= 1
        if self.left == 0:
            self.happens()
        super().write(servo_id, register, value)


def wanted(before):
    return calibrated(before, CALIBRATION)


def put(bus, path, patience=NOT_AT_ALL):
    before = [read_settings(bus, servo_id) for servo_id in CALIBRATION.ids]
    change.apply(bus, path, CALIBRATION.ids, wanted(before), text_of(CALIBRATION), patience)


def interrupt():
    raise KeyboardInterrupt


def test_a_change_is_in_servos_and_file_and_undo_takes_both_back_and_again(
    virtual, bus, path, blank
):
    path.write_text('the old file')
    put(bus, path)
    assert settings_of(virtual) == wanted(blank)
    assert json.loads(path.read_text()) == CALIBRATION.to_mapping()
    assert backup_of(path).read_text() == 'the old file'
    change.undo(bus, path)
    assert settings_of(virtual) == blank
    assert path.read_text() == 'the old file'
    change.undo(bus, path)
    assert settings_of(virtual) == wanted(blank)
    assert json.loads(path.read_text()) == CALIBRATION.to_mapping()


def test_undo_of_a_first_calibration_leaves_no_file(virtual, bus, path, blank):
    put(bus, path)
    change.undo(bus, path)
    assert not path.exists()
    assert settings_of(virtual) == blank


@pytest.mark.parametrize('nth', [1, 2, 7, 20, 40, 54])
def test_ctrl_c_at_any_write_leaves_everything_as_it_was(virtual, path, blank, nth):
    path.write_text('the old file')
    bus = CountedBus(virtual.port, nth, interrupt)
    bus.open()
    try:
        with pytest.raises(KeyboardInterrupt):
            put(bus, path)
    finally:
        bus.close()
    assert settings_of(virtual) == blank
    assert path.read_text() == 'the old file'
    assert not record_of(path).exists()
    assert all(servo.memory.get(reg.LOCK) == 1 for servo in virtual.servos)


@pytest.mark.parametrize('nth', [2, 25, 50])
def test_a_cable_that_is_pulled_while_writing_is_waited_for_and_all_is_as_before(
    virtual, path, blank, nth
):
    said = []

    def back(message):
        said.append(message)
        virtual.plug_in()

    bus = CountedBus(virtual.port, nth, lambda: virtual.hang_up(power_lost=True))
    bus.open()
    try:
        with pytest.raises(UnchangedError, match='what they were before'):
            put(bus, path, Patience(60.0, back))
    finally:
        bus.close()
    assert settings_of(virtual) == blank
    assert not path.exists()
    assert 'Plug the cable in again' in said[0]


def test_a_cable_that_stays_out_leaves_a_record_from_which_the_next_start_takes_it_back(
    virtual, path, blank, clock
):
    bus = CountedBus(virtual.port, 25, lambda: virtual.hang_up(power_lost=True))
    bus.open()
    with pytest.raises(HalfWrittenError, match='some the old one') as raised:
        put(bus, path)
    bus.close()
    assert 'undo' in str(raised.value)
    assert settings_of(virtual) not in (blank, wanted(blank))  # half, and it is known
    assert not load_record(record_of(path)).is_complete
    virtual.plug_in()
    with new_session(virtual, path, clock) as session:
        session.start()
        assert 'cut short' in session.recovered
        assert settings_of(virtual) == blank
        assert not record_of(path).exists()


def test_what_was_cut_short_can_be_undone_and_the_older_change_after_it(virtual, path, blank, bus):
    put(bus, path)
    bus.close()
    other = CALIBRATION.joints[0]
    changed = calibrated(blank, CALIBRATION)
    shifted = tuple(
        type(settings)(**{**vars(settings), 'min_position_limit': 1000}) for settings in changed
    )
    pulled = CountedBus(virtual.port, 10, virtual.hang_up)
    pulled.open()
    with pytest.raises(HalfWrittenError):
        change.apply(pulled, path, CALIBRATION.ids, shifted, '{}', NOT_AT_ALL)
    pulled.close()
    virtual.plug_in()
    bus.open()
    assert 'cut short' in change.undo(bus, path)
    assert settings_of(virtual) == changed
    assert json.loads(path.read_text())['shoulder_pan']['range_min'] == other.range_min
    change.undo(bus, path)
    assert settings_of(virtual) == blank


def test_a_process_killed_after_everything_but_the_last_mark_is_taken_back(
    virtual, bus, path, blank
):
    path.write_text('the old file')
    put(bus, path)
    record = load_record(record_of(path))
    dataclasses.replace(record, is_complete=False).save(record_of(path))
    assert 'cut short' in change.recover(bus, path)
    assert settings_of(virtual) == blank
    assert path.read_text() == 'the old file'
    assert change.recover(bus, path) == ''


def test_what_was_cut_short_is_not_taken_back_on_another_arm(virtual, path, blank, bus):
    pulled = CountedBus(virtual.port, 25, virtual.hang_up)
    bus.close()
    pulled.open()
    with pytest.raises(HalfWrittenError):
        put(pulled, path)
    virtual.plug_in()
    virtual.servos[5].memory.set_lasting(reg.HOMING_OFFSET, 123)
    held = settings_of(virtual)
    bus.open()
    with pytest.raises(CalibrationError, match='this is another arm: gripper'):
        change.recover(bus, path)
    assert settings_of(virtual) == held


def test_a_servo_that_refuses_its_eeprom_takes_the_others_back(virtual, bus, path, blank):
    virtual.hardware.add(RefusedEeprom(3, reg.HOMING_OFFSET))
    with pytest.raises(UnchangedError, match=r'servo 4: wrote 1466 to homing_offset, read back 0'):
        put(bus, path)
    assert settings_of(virtual) == blank
    assert not path.exists()


def test_a_folder_that_cannot_be_written_changes_no_servo(virtual, bus, tmp_path, blank):
    (tmp_path / 'file').write_text('not a folder')
    with pytest.raises(CalibrationError, match='Not a directory'):
        put(bus, tmp_path / 'file' / 'follower.json')
    assert settings_of(virtual) == blank


def test_a_file_that_cannot_be_replaced_takes_the_servos_back(virtual, bus, path, blank):
    backup_of(path).mkdir()  # where the old file would go
    path.write_text('the old file')
    with pytest.raises(UnchangedError, match='cannot be written'):
        put(bus, path)
    assert settings_of(virtual) == blank
    assert path.read_text() == 'the old file'


def test_an_arm_that_holds_itself_is_not_written_to(virtual, path, arm):
    arm.hold()
    arm.disconnect(torque_off=False)
    held = settings_of(virtual)
    bus = ServoBus(virtual.port, CONFIG)
    bus.open()
    with pytest.raises(CalibrationError, match='the arm holds itself'):
        put(bus, path)
    turn_torque_off(bus, CALIBRATION.ids)
    put(bus, path)
    bus.close()
    assert settings_of(virtual) == held


def test_undo_refuses_an_arm_or_a_file_that_was_changed_since(virtual, bus, path, blank):
    with pytest.raises(CalibrationError, match='no change to undo'):
        change.undo(bus, path)
    put(bus, path)
    path.write_text('edited')
    with pytest.raises(CalibrationError, match='was changed since'):
        change.undo(bus, path)
    virtual.servos[1].memory.set_lasting(reg.MIN_POSITION_LIMIT, 1)
    with pytest.raises(CalibrationError, match=r'shoulder_lift \(id 2\) does not hold'):
        change.undo(bus, path)


def test_a_session_can_be_undone(virtual, model, path, blank, clock, bus):
    bus.close()
    with new_session(virtual, path, clock) as session:
        session.start()
        advance(session, new_hand(model), clock)
        assert session.step is Step.DONE
    assert settings_of(virtual) != blank
    bus.open()
    change.undo(bus, path)
    assert settings_of(virtual) == blank


@pytest.mark.parametrize(
    'text',
    ['', '[]', '{"format": 1}', '{"format": 2, "previous": ""}', 'null'],
)
def test_a_broken_undo_record_is_named(bus, path, text):
    record_of(path).write_text(text)
    with pytest.raises(CalibrationError, match=r'follower.json.undo: not an undo record'):
        change.undo(bus, path)
