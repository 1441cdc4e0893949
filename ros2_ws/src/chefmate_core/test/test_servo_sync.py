import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.servo import registers as reg
from chefmate_core.servo.protocol import Frame, packet, sync_write_packet
from chefmate_core.servo.sync import SyncRead, SyncWrite

IDS = (1, 2, 5)
MOTION = SyncRead(IDS, (reg.PRESENT_POSITION, reg.PRESENT_VELOCITY))


def answer(rows: dict[int, tuple[int, int, int]]) -> bytes:
    return b''.join(
        packet(servo_id, error, position.to_bytes(2, 'little') + velocity.to_bytes(2, 'little'))
        for servo_id, (error, position, velocity) in rows.items()
    )


values = st.tuples(st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))


@given(st.lists(values, min_size=3, max_size=3))
def test_a_clean_answer_is_decoded_as_sent(rows):
    data = answer(dict(zip(IDS, rows, strict=True)))
    assert len(data) == MOTION.total_bytes
    assert MOTION.decode_clean(data) == rows


@given(st.lists(values, min_size=3, max_size=3), st.data())
def test_a_flawed_answer_is_never_taken_for_a_clean_one(rows, data):
    whole = bytearray(answer(dict(zip(IDS, rows, strict=True))))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << (bit % 8)
    assert MOTION.decode_clean(bytes(whole)) is None
    assert MOTION.decode_clean(bytes(whole[:-1])) is None


def test_replies_in_another_order_are_not_clean():
    row = (0, 1, 2)
    assert MOTION.decode_clean(answer({2: row, 1: row, 5: row})) is None


def test_a_block_may_skip_registers_it_does_not_want():
    block = SyncRead((3,), (reg.PRESENT_TEMPERATURE, reg.PRESENT_CURRENT))
    data = packet(3, 0, bytes((40, 1, 0, 0, 0, 0, 7, 0)))
    assert block.decode_clean(data) == [(0, 40, 7)]
    assert block.decode_frame(Frame(3, 4, bytes((40, 1, 0, 0, 0, 0, 7, 0)))) == (4, 40, 7)
    assert block.decode_frame(Frame(3, 0, b'too short')) is None or len(b'too short') == 8


def test_registers_out_of_order_are_refused():
    with pytest.raises(ValueError, match='overlaps'):
        SyncRead((1,), (reg.PRESENT_VELOCITY, reg.PRESENT_POSITION))


@given(st.lists(st.integers(0, 0xFFFF), min_size=6, max_size=6))
def test_the_kept_packet_equals_one_made_from_scratch(raw):
    servo_ids = tuple(range(1, 7))
    block = SyncWrite(servo_ids, reg.GOAL_POSITION)
    block.packet([0xFFFF] * 6)  # what was in it before must not matter
    data = [value.to_bytes(2, 'little') for value in raw]
    assert bytes(block.packet(raw)) == sync_write_packet(42, 2, servo_ids, data)
