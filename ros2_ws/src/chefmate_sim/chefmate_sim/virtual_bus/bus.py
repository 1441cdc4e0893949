"""The virtual servo bus: a pseudo-terminal that answers the STS protocol, in its own thread."""

import contextlib
import ctypes
import os
import select
import threading
import time
from pathlib import Path

from chefmate_core.calibration import ArmCalibration
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.servo.protocol import (
    BROADCAST_ID,
    Frame,
    Instruction,
    PacketParser,
    packet,
    wire_time_s,
)
from chefmate_sim.virtual_bus.faults import Faults
from chefmate_sim.virtual_bus.model import ServoArmModel
from chefmate_sim.virtual_bus.servo import VirtualServo
from chefmate_sim.virtual_bus.terminal import PseudoTerminal

_BAUD_RATE = 1_000_000
_READ_BYTES = 4096
_PR_SET_TIMERSLACK = 29  # source: linux/prctl.h


class VirtualServoBus:
    """Six virtual STS3215 behind a serial port.

    `port` is what a driver opens: `link` if given, else the terminal's own path. The servos are
    born with the calibration in their EEPROM. With `wire_time` each byte takes its 10 bits at
    1 Mbaud, as on the real wire. Usable as a context manager; running once constructed.
    """

    def __init__(
        self,
        arm: ServoArmModel,
        calibration: ArmCalibration,
        link: Path | None = None,
        *,
        faults: Faults | None = None,
        wire_time: bool = False,
    ) -> None:
        self.faults = faults or Faults()
        self.servos = tuple(VirtualServo(index, arm, calibration) for index in range(JOINT_COUNT))
        self.packets = 0  # good packets heard
        self.parser = PacketParser()
        self._arm = arm
        self._link = Path(link) if link is not None else None
        self._second_per_byte = wire_time_s(1, _BAUD_RATE) if wire_time else 0.0
        self._wire_free_s = 0.0
        self._terminal: PseudoTerminal | None = None
        self._thread: threading.Thread | None = None
        self._wake_read, self._wake_write = os.pipe()
        self._is_closed = False
        try:
            self.plug_in()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> 'VirtualServoBus':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> str:
        """What a driver opens."""
        if self._link is not None:
            return str(self._link)
        if self._terminal is None:
            raise RuntimeError('the virtual servo bus has hung up and has no link: no port now')
        return self._terminal.path

    @property
    def is_plugged_in(self) -> bool:
        """Whether there is a port at the moment."""
        return self._terminal is not None

    def hang_up(self, power_lost: bool = False) -> None:
        """Unplug: the port vanishes. With `power_lost` the servos restart, torque off."""
        if self._thread is not None:
            os.write(self._wake_write, b'x')
            self._thread.join()
            os.read(self._wake_read, 1)
            self._thread = None
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None
        if power_lost:
            for servo in self.servos:
                servo.power_on()

    def plug_in(self) -> None:
        """Plug in (again): a new pseudo-terminal, the link pointing at it."""
        if self._is_closed or self._terminal is not None:
            return
        self._terminal = PseudoTerminal(self._link)
        self.parser.reset()
        self._thread = threading.Thread(
            target=self._serve, args=(self._terminal.fd,), name='virtual servo bus', daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the thread, close the terminal, remove the link. The bus cannot be used again."""
        if self._is_closed:
            return
        self.hang_up()
        self._is_closed = True
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _serve(self, fd: int) -> None:
        if self._second_per_byte:
            _sharpen_sleep()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while True:
            events = poll.poll()
            if any(ready == self._wake_read for ready, _ in events):
                return
            try:
                data = os.read(fd, _READ_BYTES)
            except (BlockingIOError, InterruptedError):
                continue
            if self.faults.echo:
                _emit(fd, data)
            if self._second_per_byte:
                now_s = time.monotonic()
                self._wire_free_s = max(self._wire_free_s, now_s) + self._wire_s(data)
            for frame in self.parser.feed(data):
                self.packets += 1
                if self.faults.strikes_requests:
                    self._mishear(fd, frame)
                else:
                    self._answer(fd, self._execute(frame, self._alive()))

    def _mishear(self, fd: int, frame: Frame) -> None:
        """Let the servos hear what the faults leave of a request."""
        delay_s, on_wire = self.faults.apply_to_wire(_bytes_of(frame))
        time.sleep(delay_s)
        for heard in _frames_in(on_wire):
            request = _bytes_of(heard)
            listeners = self._alive()
            mishearing: list[tuple[VirtualServo, list[Frame]]] = []
            for servo in listeners:
                if _means(heard, servo.servo_id):
                    delay_s, in_ear = self.faults.apply_to_ear(servo.servo_id, request)
                    time.sleep(delay_s)
                    frames = _frames_in(in_ear)
                    if frames != [heard]:
                        mishearing.append((servo, frames))
            for servo, _ in mishearing:
                listeners.remove(servo)
            replies = self._execute(heard, listeners)
            for servo, frames in mishearing:
                for misheard in frames:
                    replies += self._execute(misheard, [servo])
            self._answer(fd, replies)

    def _answer(self, fd: int, replies: list[tuple[VirtualServo, bytes]]) -> None:
        if not replies:
            return
        if self.faults.is_active:
            for servo, reply in replies:
                delay_s, bent = self.faults.apply(servo.servo_id, reply)
                if delay_s:
                    time.sleep(delay_s)
                self._send(fd, bent)
        else:
            self._send(fd, b''.join([reply for _, reply in replies]))

    def _execute(
        self, frame: Frame, listeners: list[VirtualServo]
    ) -> list[tuple[VirtualServo, bytes]]:
        """Let those who hear a request execute it; return their replies in order."""
        code, target = frame.code, frame.servo_id
        if code == Instruction.SYNC_READ and target == BROADCAST_ID:
            return self._sync_read(frame.parameters, listeners)
        if code == Instruction.SYNC_WRITE and target == BROADCAST_ID:
            self._sync_write(frame.parameters, listeners)
            return []
        is_broadcast = target == BROADCAST_ID
        if not is_broadcast:
            listeners = _with_id(target, listeners)
        if code in (Instruction.READ, Instruction.PING):
            self._measure(listeners)
        replies = []
        for servo in listeners:
            reply = servo.execute(frame)
            # Only a broadcast ping is answered by everyone.
            if reply is not None and (not is_broadcast or code == Instruction.PING):
                replies.append((servo, reply))
        return replies

    def _sync_read(
        self, parameters: bytes, listeners: list[VirtualServo]
    ) -> list[tuple[VirtualServo, bytes]]:
        if len(parameters) < 3 or parameters[1] == 0:
            return []
        address, size = parameters[0], parameters[1]
        servos = [servo for servo_id in parameters[2:] for servo in _with_id(servo_id, listeners)]
        self._measure(servos)
        return [(servo, servo.reply(servo.memory.read(address, size))) for servo in servos]

    def _sync_write(self, parameters: bytes, listeners: list[VirtualServo]) -> None:
        if len(parameters) < 2 or parameters[1] == 0:
            return
        address, size = parameters[0], parameters[1]
        for start in range(2, len(parameters) - size, 1 + size):
            for servo in _with_id(parameters[start], listeners):
                servo.write(address, parameters[start + 1 : start + 1 + size])

    def _measure(self, servos: list[VirtualServo]) -> None:
        if not servos:
            return
        positions = self._arm.position_rad().tolist()
        velocities = self._arm.velocity_rad_s().tolist()
        loads = self._arm.load_fraction().tolist()
        for servo in servos:
            index = servo.index
            servo.unload_if_unsafe()
            servo.measure(positions[index], velocities[index], loads[index])

    def _alive(self) -> list[VirtualServo]:
        if not self.faults.is_active:
            return list(self.servos)
        return [servo for servo in self.servos if not self.faults.is_dead(servo.servo_id)]

    def _send(self, fd: int, data: bytes) -> None:
        if not data:
            return
        if self._second_per_byte:
            self._wire_free_s = max(self._wire_free_s, time.monotonic()) + self._wire_s(data)
            time.sleep(max(0.0, self._wire_free_s - time.monotonic()))
        _emit(fd, data)

    def _wire_s(self, data: bytes) -> float:
        return len(data) * self._second_per_byte


def _with_id(servo_id: int, servos: list[VirtualServo]) -> list[VirtualServo]:
    return [servo for servo in servos if servo.servo_id == servo_id]


def _means(frame: Frame, servo_id: int) -> bool:
    """Whether a request wants something of this servo."""
    if frame.servo_id != BROADCAST_ID:
        return frame.servo_id == servo_id
    parameters = frame.parameters
    if frame.code == Instruction.SYNC_READ:
        return servo_id in parameters[2:]
    if frame.code == Instruction.SYNC_WRITE and len(parameters) > 1:
        return servo_id in parameters[2 :: 1 + parameters[1]]
    return True


def _bytes_of(frame: Frame) -> bytes:
    return packet(frame.servo_id, frame.code, frame.parameters)


def _frames_in(data: bytes) -> list[Frame]:
    # Assumed: a servo gives up an unfinished packet when the line falls silent, so that the rest
    # of a broken request does not swallow the beginning of the next.
    parser = PacketParser()
    return parser.feed(data) + parser.finish()


def _emit(fd: int, data: bytes) -> None:
    # If nobody reads, the adapter's buffer fills up and the bytes are lost.
    with contextlib.suppress(BlockingIOError):
        os.write(fd, data)


def _sharpen_sleep() -> None:
    """Let this thread's sleeps end within 1 us, not 50 us: a whole packet lasts 600 us."""
    prctl = getattr(ctypes.CDLL(None), 'prctl', None)
    if prctl is not None:
        prctl(_PR_SET_TIMERSLACK, 1000, 0, 0, 0)
