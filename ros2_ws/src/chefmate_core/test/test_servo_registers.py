import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.servo import registers as reg
from chefmate_core.servo.registers import REGISTERS, Area, decode_sign_magnitude, status_names


@given(
    st.sampled_from(sorted(REGISTERS.values(), key=lambda register: register.address)), st.data()
)
def test_every_register_reads_back_what_was_written(register, data):
    value = data.draw(st.integers(register.minimum, register.maximum))
    encoded = register.encode(value)
    assert len(encoded) == register.size
    assert register.decode(encoded) == value


@given(st.sampled_from([10, 11, 15]), st.data())
def test_sign_magnitude_is_symmetric_and_has_a_sign_bit(sign_bit, data):
    magnitude = data.draw(st.integers(0, (1 << sign_bit) - 1))
    assert decode_sign_magnitude(magnitude, sign_bit) == magnitude
    assert decode_sign_magnitude(magnitude | 1 << sign_bit, sign_bit) == -magnitude


def test_a_homing_offset_in_twos_complement_is_understood():
    # Seen on some firmware when the register is read back; sign and magnitude would be 0x0bed.
    assert reg.HOMING_OFFSET.decode((-1005 & 0xFFFF).to_bytes(2, 'little')) == -1005
    assert reg.HOMING_OFFSET.decode((1005 | 0x800).to_bytes(2, 'little')) == -1005


@pytest.mark.parametrize(
    ('register', 'value'),
    [(reg.HOMING_OFFSET, 2048), (reg.HOMING_OFFSET, -2048), (reg.P_COEFFICIENT, 256)],
)
def test_a_value_that_does_not_fit_is_refused_with_the_allowed_range(register, value):
    with pytest.raises(ValueError, match=f'{register.name}: {value} does not fit'):
        register.encode(value)


def test_registers_do_not_overlap_and_fit_the_memory():
    taken = {}
    for register in REGISTERS.values():
        for address in range(register.address, register.address + register.size):
            assert address not in taken, f'{register.name} overlaps {taken.get(address)}'
            taken[address] = register.name
    assert max(taken) < reg.MEMORY_SIZE


def test_eeprom_lies_below_ram_as_in_the_manual():
    for register in REGISTERS.values():
        expected = (
            Area.EEPROM
            if register.address < 40
            else (Area.RAM if register.address < 80 else Area.FACTORY)
        )
        assert register.area is expected, register.name


def test_status_bits_have_names():
    assert status_names(0) == ()
    assert status_names(0x25) == ('voltage', 'temperature', 'overload')
