"""The servo bus: registers of servos by id, over one port, owned by one thread.

A reply that is lost or damaged is asked for again, for the servos that are missing only, and a
bounded number of times. Nothing here knows joints or radians; that is `arm`.
"""

import time

from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import ServoReadbackError, ServoSilentError
from chefmate_core.servo.port import SerialPort
from chefmate_core.servo.protocol import (
    OVERHEAD_BYTES,
    Frame,
    PacketParser,
    ping_packet,
    read_packet,
    write_packet,
)
from chefmate_core.servo.registers import LOCK, MODEL_NUMBER, Area, Register
from chefmate_core.servo.statistics import BusStatistics
from chefmate_core.servo.sync import Row, SyncRead, SyncWrite

_LONGEST_ANSWER = 4.0  # timeouts; with rubbish in between an answer takes longer than usual


class ServoBus:
    """Ping, read, write, sync read and sync write. Raises PortLostError when the port is gone."""

    def __init__(self, port: str, config: ServoConfig | None = None) -> None:
        self.config = config = config or ServoConfig()
        self.statistics = BusStatistics()
        self._port = SerialPort(port, config.baud_rate, config.low_latency, self.statistics)
        self._reply_timeout_ms = config.reply_timeout_s * 1e3
        self._gap_timeout_ms = config.gap_timeout_s * 1e3
        self._register_timeout_ms = config.register_timeout_s * 1e3
        self._parts: dict[tuple[SyncRead, tuple[int, ...]], SyncRead] = {}

    @property
    def port(self) -> str:
        """Path of the port."""
        return self._port.path

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self._port.is_open

    def open(self) -> None:
        """Open the port."""
        self._port.open()

    def close(self) -> None:
        """Close the port. The servos keep what they were told."""
        self._port.close()

    def ping(self, servo_id: int, attempts: int | None = None) -> bool:
        """Return whether a servo answers to this id."""
        if self._ask(servo_id, ping_packet(servo_id), 0, attempts) is not None:
            return True
        # A pong with the voltage bit set is, byte for byte, the ping's echo. A read tells.
        request = read_packet(servo_id, MODEL_NUMBER.address, MODEL_NUMBER.size)
        return self._ask(servo_id, request, MODEL_NUMBER.size, 1) is not None

    def read(self, servo_id: int, register: Register) -> int:
        """Return a register's value; raise ServoSilentError if there is no good answer."""
        request = read_packet(servo_id, register.address, register.size)
        frame = self._ask(servo_id, request, register.size)
        if frame is None:
            raise self._silent(servo_id, f'reading {register.name}')
        return register.decode(frame.parameters)

    def write(self, servo_id: int, register: Register, value: int) -> None:
        """Write a register and wait for the servo's acknowledgement."""
        data = register.encode(value)
        request = write_packet(servo_id, register.address, data)
        if self._ask(servo_id, request, 0) is None:
            raise self._silent(servo_id, f'writing {register.name}')

    def write_verified(self, servo_id: int, register: Register, value: int) -> bool:
        """Make a register hold a value; return whether it had to be written.

        What holds it already is left alone: EEPROM wears. EEPROM is unlocked for the write only.
        Raises ServoReadbackError if the servo does not take the value.
        """
        if self.read(servo_id, register) == value:
            return False
        if register.area is Area.RAM:
            self.write(servo_id, register, value)
        else:
            self.write(servo_id, LOCK, 0)
            try:
                self.write(servo_id, register, value)
            finally:
                if self.is_open:
                    self.write(servo_id, LOCK, 1)
        found = self.read(servo_id, register)
        if found != value:
            raise ServoReadbackError(
                f'{self.port}, servo {servo_id}: wrote {value} to {register.name}, read back '
                f'{found}. Update its firmware or replace the servo.'
            )
        return True

    def sync_read(self, block: SyncRead) -> list[Row | None]:
        """Return a row for each servo of the block, in its order; None for a servo without answer.

        Servos that are missing are asked again `cycle_retries` times, alone.
        """
        rows = self._sync_read_once(block)
        for _ in range(self.config.cycle_retries):
            missing = [index for index, row in enumerate(rows) if row is None]
            if not missing:
                return rows
            self.statistics.retries += 1
            again = self._part(block, tuple(block.servo_ids[index] for index in missing))
            for index, row in zip(missing, self._sync_read_once(again), strict=True):
                rows[index] = row
        for servo_id, row in zip(block.servo_ids, rows, strict=True):
            if row is None:
                self.statistics.missed(servo_id)
        return rows

    def sync_write(self, block: SyncWrite, raw_values: list[int]) -> None:
        """Write one raw value to each servo of the block. Servos do not acknowledge it."""
        self.statistics.writes += 1
        self._port.write(block.packet(raw_values))

    def _sync_read_once(self, block: SyncRead) -> list[Row | None]:
        statistics = self.statistics
        data = self._exchange(
            block.request, block.total_bytes, self._reply_timeout_ms, self._gap_timeout_ms
        )
        rows = block.decode_clean(data)
        if rows is None:
            rows = self._sort_out(block, data)
        for row in rows:
            if row is not None:
                statistics.replies += 1
                if row[0]:
                    statistics.status_errors += 1
        return rows

    def _sort_out(self, block: SyncRead, data: bytes) -> list[Row | None]:
        """Find the good replies in a flawed answer, waiting for more while it is incomplete."""
        found: dict[int, Row] = {}

        def sort(frame: Frame) -> None:
            row = block.decode_frame(frame)
            if frame.servo_id not in block.servo_ids or row is None or frame.servo_id in found:
                self.statistics.unexpected_replies += 1
            else:
                found[frame.servo_id] = row

        parser = PacketParser()
        is_silent = len(data) < block.total_bytes
        ends_s = self._latest_end_s(self._reply_timeout_ms)
        while True:
            for frame in parser.feed(data):
                sort(frame)
            missing = len(block.servo_ids) - len(found)
            if not missing or is_silent or time.monotonic() > ends_s:
                break
            wanted = missing * block.reply_bytes
            data = self._port.read(wanted, self._gap_timeout_ms, self._gap_timeout_ms)
            is_silent = not data
        for frame in parser.finish():
            sort(frame)
        self._count_flaws(parser)
        if len(found) < len(block.servo_ids):
            self.statistics.timeouts += 1
        return [found.get(servo_id) for servo_id in block.servo_ids]

    def _ask(
        self, servo_id: int, request: bytes, parameter_bytes: int, attempts: int | None = None
    ) -> Frame | None:
        """Send a request to one servo until it answers; return None after the last attempt."""
        for attempt in range(attempts or 1 + self.config.register_retries):
            if attempt:
                self.statistics.retries += 1
            frame = self._ask_once(servo_id, request, parameter_bytes)
            if frame is not None:
                if attempt:
                    self._drain()  # the answer was that to an earlier attempt, perhaps
                self.statistics.replies += 1
                if frame.code:
                    self.statistics.status_errors += 1
                return frame
            self.statistics.timeouts += 1
        return None

    def _ask_once(self, servo_id: int, request: bytes, parameter_bytes: int) -> Frame | None:
        expected = OVERHEAD_BYTES + parameter_bytes
        timeout_ms = self._register_timeout_ms
        # Adapters that echo return the request first, and some echoes look like answers.
        echo = Frame(request[2], request[4], request[5:-1])
        parser = PacketParser()
        data = self._exchange(request, expected, timeout_ms, timeout_ms)
        answer: Frame | None = None
        ends_s = self._latest_end_s(timeout_ms)
        while data and answer is None:
            for frame in parser.feed(data):
                is_ours = frame.servo_id == servo_id and len(frame.parameters) == parameter_bytes
                if is_ours and frame != echo and answer is None:
                    answer = frame
                else:
                    self.statistics.unexpected_replies += 1
            if answer is None:
                if time.monotonic() > ends_s:
                    break
                # No more than what is missing: behind an echo it would wait for what never comes.
                missing = max(1, expected - parser.pending_bytes)
                data = self._port.read(missing, timeout_ms, timeout_ms)
        self._count_flaws(parser)
        return answer

    def _exchange(
        self, request: bytes, expected: int, first_timeout_ms: float, gap_timeout_ms: float
    ) -> bytes:
        port, statistics = self._port, self.statistics
        statistics.requests += 1
        # A late reply to a request that was given up must not pass for the answer to this one:
        # every later answer would then be one cycle old.
        statistics.stale_bytes += port.discard_input()
        port.write(request)
        return port.read(expected, first_timeout_ms, gap_timeout_ms)

    def _drain(self) -> None:
        """Wait until nothing comes any more: a late answer would pass for the next one."""
        ends_s = self._latest_end_s(self._register_timeout_ms)
        while time.monotonic() < ends_s:
            late = self._port.read(256, self._register_timeout_ms, self._gap_timeout_ms)
            if not late:
                return
            self.statistics.stale_bytes += len(late)

    def _latest_end_s(self, timeout_ms: float) -> float:
        """When to give up although bytes still come: some lines never fall silent."""
        return time.monotonic() + _LONGEST_ANSWER * timeout_ms / 1e3

    def _count_flaws(self, parser: PacketParser) -> None:
        self.statistics.checksum_errors += parser.checksum_errors
        self.statistics.garbage_bytes += parser.garbage_bytes

    def _part(self, block: SyncRead, servo_ids: tuple[int, ...]) -> SyncRead:
        if servo_ids == block.servo_ids:
            return block
        key = (block, servo_ids)
        if key not in self._parts:
            self._parts[key] = block.only(servo_ids)
        return self._parts[key]

    def _silent(self, servo_id: int, what: str) -> ServoSilentError:
        return ServoSilentError(
            f'{self.port}, servo {servo_id}: no good answer when {what}, after '
            f'{1 + self.config.register_retries} attempts of {self._register_timeout_ms:.0f} ms. '
            'Check its power and the cable to it.'
        )
