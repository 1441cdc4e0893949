"""Two servos that answer at once: what a half-duplex wire makes of their bytes.

The line is high when idle and pulled low by whoever sends a 0, so a 0 wins over a 1. Each byte is
a start bit 0, eight data bits, lowest first, and a stop bit 1.
"""

SAMPLES_PER_BIT = 8
_BITS_PER_BYTE = 10
_IDLE = 1


def superimpose(first: bytes, second: bytes, late_samples: int) -> bytes:
    """Return what a receiver makes of two packets sent at the same time.

    `second` begins `late_samples` eighths of a bit after `first`.
    """
    levels = _levels(first)
    late = [_IDLE] * late_samples + _levels(second)
    size = max(len(levels), len(late))
    levels += [_IDLE] * (size - len(levels))
    late += [_IDLE] * (size - len(late))
    return _receive([one & other for one, other in zip(levels, late, strict=True)])


def _levels(data: bytes) -> list[int]:
    levels: list[int] = []
    for byte in data:
        bits = [0, *(byte >> place & 1 for place in range(8)), 1]
        for bit in bits:
            levels += [bit] * SAMPLES_PER_BIT
    return levels


def _receive(levels: list[int]) -> bytes:
    """Return the bytes that a UART reads: it samples each bit in its middle."""
    received = bytearray()
    byte_samples = _BITS_PER_BYTE * SAMPLES_PER_BIT
    middle = SAMPLES_PER_BIT // 2
    levels = levels + [_IDLE] * byte_samples  # so that the last byte is complete
    position = 0
    while True:
        try:
            position = levels.index(0, position)
        except ValueError:
            return bytes(received)
        if levels[position + middle]:  # too short for a start bit
            position += middle
            continue
        byte = 0
        for place in range(8):
            byte |= levels[position + (1 + place) * SAMPLES_PER_BIT + middle] << place
        received.append(byte)
        position += (_BITS_PER_BYTE - 1) * SAMPLES_PER_BIT + middle
        if not levels[position]:  # no stop bit: the next byte begins after the line was high
            position = levels.index(_IDLE, position)
