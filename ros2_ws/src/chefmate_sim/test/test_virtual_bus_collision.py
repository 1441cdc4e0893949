"""Bytes of two servos at once: a 0 on the wire wins over a 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.servo.protocol import PacketParser, packet
from chefmate_sim.virtual_bus.collision import SAMPLES_PER_BIT, superimpose


@given(st.binary(max_size=20), st.integers(0, SAMPLES_PER_BIT // 2 - 1))
def test_equal_bytes_at_nearly_the_same_time_are_not_noticed(data, late):
    assert superimpose(data, data, late) == data


@given(st.binary(min_size=1, max_size=20))
def test_of_two_bytes_at_once_the_common_ones_remain(data):
    other = bytes(255 - byte for byte in data)
    assert superimpose(data, other, 0) == bytes(len(data))
    assert superimpose(data, b'\xff' * len(data), 0) == data


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_packets_that_do_not_overlap_arrive_whole(first, second):
    late = (10 * len(first) + 3) * SAMPLES_PER_BIT
    assert superimpose(first, second, late) == first + second


@given(st.binary(max_size=20), st.binary(max_size=20), st.integers(0, 200))
def test_whatever_collides_something_is_received(first, second, late):
    received = superimpose(first, second, late)
    assert bool(received) == bool(first or second)
    assert len(received) <= len(first) + len(second)


@pytest.mark.parametrize('bits_late', range(1, 8))
def test_equal_replies_a_few_bits_apart_destroy_each_other(bits_late):
    reply = packet(3, 0, bytes((0x12, 0x08, 0x40, 0x80)))
    received = superimpose(reply, reply, bits_late * SAMPLES_PER_BIT)
    assert received != reply
    parser = PacketParser()
    assert parser.feed(received) + parser.finish() == []
