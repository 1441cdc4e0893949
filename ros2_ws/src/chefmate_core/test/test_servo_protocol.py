import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.servo.protocol import (
    Frame,
    PacketParser,
    checksum,
    packet,
    ping_packet,
    read_packet,
    sync_read_packet,
    sync_write_packet,
    wire_time_s,
    write_packet,
)

ids = st.integers(0, 253)
codes = st.integers(0, 255)
parameters = st.binary(max_size=40)
frames = st.builds(Frame, ids, codes, parameters)


def encoded(frame: Frame) -> bytes:
    return packet(frame.servo_id, frame.code, frame.parameters)


def test_packets_are_those_of_the_protocol_manual():
    # Examples of Feetech's protocol manual, sections ping, read, write and sync write.
    assert ping_packet(1) == bytes.fromhex('ff ff 01 02 01 fb')
    assert read_packet(1, 0x38, 2) == bytes.fromhex('ff ff 01 04 02 38 02 be')
    goal = bytes.fromhex('00 08 00 00 e8 03')
    assert write_packet(1, 0x2A, goal) == bytes.fromhex('ffff 01 09 03 2a 00 08 00 00 e8 03 d5')
    assert sync_write_packet(0x2A, 6, [1, 2, 3, 4], [goal] * 4) == bytes.fromhex(
        'ffff fe 20 83 2a 06'
        '01 00 08 00 00 e8 03 02 00 08 00 00 e8 03 03 00 08 00 00 e8 03 04 00 08 00 00 e8 03 58'
    )
    assert sync_read_packet(0x38, 8, [1, 2]) == bytes.fromhex('ffff fe 06 82 38 08 01 02 36')


@given(ids, codes, parameters)
def test_every_packet_has_a_checksum_that_fits(servo_id, code, data):
    whole = packet(servo_id, code, data)
    assert whole[-1] == checksum(whole[2:-1])
    assert len(whole) == 6 + len(data) == whole[3] + 4


@given(st.lists(frames, max_size=6), st.lists(st.integers(1, 9), max_size=60))
def test_packets_are_found_however_the_stream_is_cut(sent, cuts):
    stream = b''.join(encoded(frame) for frame in sent)
    parser = PacketParser()
    found = []
    for cut in cuts:
        found += parser.feed(stream[:cut])
        stream = stream[cut:]
    found += parser.feed(stream)
    assert found == sent
    assert parser.garbage_bytes == parser.checksum_errors == parser.pending_bytes == 0


# Bytes without FF cannot look like a packet, so what must be found is certain.
noise = st.lists(st.integers(0, 0xFE), max_size=12).map(bytes)


@given(st.lists(st.tuples(noise, frames), min_size=1, max_size=6), noise)
def test_packets_are_found_between_garbage_and_the_garbage_is_counted(pieces, tail):
    stream = b''.join(dirt + encoded(frame) for dirt, frame in pieces) + tail
    parser = PacketParser()
    assert parser.feed(stream) + parser.finish() == [frame for _, frame in pieces]
    assert parser.garbage_bytes == sum(len(dirt) for dirt, _ in pieces) + len(tail)


@given(st.binary(max_size=200), st.integers(1, 7))
def test_no_stream_breaks_the_parser_and_every_byte_is_accounted_for(stream, cut):
    parser = PacketParser()
    found = []
    for start in range(0, len(stream), cut):
        found += parser.feed(stream[start : start + cut])
    found += parser.finish()
    assert parser.pending_bytes == 0
    assert sum(len(encoded(frame)) for frame in found) + parser.garbage_bytes == len(stream)


@given(frames, st.data())
def test_a_flipped_bit_never_passes_for_the_packet_that_was_sent(frame, data):
    whole = bytearray(encoded(frame))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << (bit % 8)
    parser = PacketParser()
    assert frame not in parser.feed(bytes(whole)) + parser.finish()


@given(frames, frames, st.data())
def test_a_packet_behind_a_truncated_one_is_found(first, second, data):
    whole = encoded(first)
    cut = data.draw(st.integers(0, len(whole) - 1))
    parser = PacketParser()
    found = parser.feed(whole[:cut] + encoded(second)) + parser.finish()
    # A truncated packet can swallow the beginning of the next one only if the checksum agrees.
    assert second in found or any(frame not in (first, second) for frame in found)


def test_a_wrong_checksum_is_counted():
    broken = bytearray(ping_packet(1))
    broken[-1] ^= 1
    parser = PacketParser()
    assert parser.feed(bytes(broken)) == []
    assert parser.checksum_errors == 1


def test_reset_forgets_a_packet_that_has_begun():
    parser = PacketParser()
    parser.feed(ping_packet(1)[:4])
    parser.reset()
    assert parser.feed(ping_packet(2)) == [Frame(2, 1, b'')]


@pytest.mark.parametrize('arguments', [(255, 1), (-1, 1), (1, 256), (1, 1, bytes(249))])
def test_impossible_packets_are_refused(arguments):
    with pytest.raises(ValueError, match='no such packet'):
        packet(*arguments)


def test_a_byte_is_ten_bits_on_the_wire():
    assert wire_time_s(100, 1_000_000) == pytest.approx(1e-3)
