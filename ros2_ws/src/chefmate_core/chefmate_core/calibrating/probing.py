"""Who answers on a port, and does one servo answer or two at once? Bytes, not registers.

`ServoBus` asks again until it has a good answer. Here the bad ones are the finding: two servos of
one id answer together and what arrives is neither's.
"""

import time
from enum import Enum

from chefmate_core.servo.port import SerialPort
from chefmate_core.servo.protocol import (
    BROADCAST_ID,
    Frame,
    PacketParser,
    ping_packet,
    read_packet,
)
from chefmate_core.servo.registers import MIN_POSITION_LIMIT, PRESENT_CURRENT

LAST_ID = 253
# From the limits to the current: whatever differs between two servos is in it.
_BLOCK_BEGIN = MIN_POSITION_LIMIT.address
_BLOCK_BYTES = PRESENT_CURRENT.address + PRESENT_CURRENT.size - _BLOCK_BEGIN
_ATTEMPTS = 5
_TIMEOUT_MS = 25.0
# Six replies to a broadcast come one after the other; USB adapters hold bytes for 16 ms.
_BROADCAST_MS, _BROADCAST_GAP_MS = 120.0, 40.0
_LONGEST_S = 1.0  # some lines never fall silent


class Answer(Enum):
    """What came of asking one id."""

    NONE = 'none'
    ONE = 'one'
    DAMAGED = 'damaged'  # two servos of one id, or a bad wire


def probe(port: SerialPort, servo_id: int, attempts: int = _ATTEMPTS) -> Answer:
    """Ask one id several times for a long block; the port is open."""
    request = read_packet(servo_id, _BLOCK_BEGIN, _BLOCK_BYTES)
    good = damaged = 0
    for _ in range(attempts):
        frames, is_damaged = _exchange(port, request, _TIMEOUT_MS, _TIMEOUT_MS)
        is_good = any(
            frame.servo_id == servo_id and len(frame.parameters) == _BLOCK_BYTES
            for frame in frames
        )
        good += is_good and not is_damaged
        damaged += is_damaged
    if damaged > good:
        return Answer.DAMAGED
    return Answer.ONE if good else Answer.NONE


def answering(port: SerialPort) -> tuple[list[int], bool]:
    """Ask all ids at once; return those that answered, and whether anything was damaged."""
    request = ping_packet(BROADCAST_ID)
    frames, is_damaged = _exchange(port, request, _BROADCAST_MS, _BROADCAST_GAP_MS)
    ids = {frame.servo_id for frame in frames if frame.servo_id <= LAST_ID}
    return sorted(ids), is_damaged


def _exchange(
    port: SerialPort, request: bytes, first_ms: float, gap_ms: float
) -> tuple[list[Frame], bool]:
    """Send, listen until it is silent; return the good packets and whether there was rubbish."""
    port.discard_input()
    port.write(request)
    parser = PacketParser()
    frames: list[Frame] = []
    ends_s = time.monotonic() + _LONGEST_S
    wait_ms = first_ms
    while data := port.read(256, wait_ms, 1.0):
        frames += parser.feed(data)
        wait_ms = gap_ms
        if time.monotonic() > ends_s:
            break
    frames += parser.finish()
    return frames, bool(parser.checksum_errors or parser.garbage_bytes)
