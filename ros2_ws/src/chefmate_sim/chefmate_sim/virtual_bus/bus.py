"""The virtual servo bus: a pseudo-terminal that answers the STS protocol, in its own thread."""

import contextlib
import ctypes
import os
import random
import select
import threading
import time
from collections.abc import Callable
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
from chefmate_sim.virtual_bus.collision import SAMPLES_PER_BIT, superimpose
from chefmate_sim.virtual_bus.faults import Faults
from chefmate_sim.virtual_bus.hardware import HardwareFaults, Plant
from chefmate_sim.virtual_bus.model import ServoArmModel
from chefmate_sim.virtual_bus.obstruction import ObstructedArm
from chefmate_sim.virtual_bus.servo import VirtualServo
from chefmate_sim.virtual_bus.terminal import PseudoTerminal

_BAUD_RATE = 1_000_000
_READ_BYTES = 4096
# While something changes by itself, as a sagging supply: how often it is looked at.
_TICK_MS = 10
# Servos answer within a few microseconds of one another; a bit lasts one.
_LATEST_TWIN_SAMPLES = 8 * SAMPLES_PER_BIT
_PR_SET_TIMERSLACK = 29  # source: linux/prctl.h


class VirtualServoBus:
    """Six virtual STS3215 behind a serial port.

    `port` is what a driver opens: `link` if given, else the terminal's own path. The servos are
    born with the calibration in their EEPROM. With `wire_time` each byte takes its 10 bits at
    1 Mbaud, as on the real wire. Usable as a context manager; running once constructed.

    What may go wrong: `faults` with the packets, `hardware` with the servos, `hang_up` with the
    port; `chefmate_sim.virtual_bus.language` has a line of text for each. Times are those of
    `clock`, seconds; random choices follow the seed of `faults`.
    """

    def __init__(
        self,
        arm: ServoArmModel,
        calibration: ArmCalibration,
        link: Path | None = None,
        *,
        faults: Faults | None = None,
        wire_time: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.faults = faults or Faults()
        self._arm = ObstructedArm(arm)
        self.servos = tuple(
            VirtualServo(index, self._arm, calibration) for index in range(JOINT_COUNT)
        )
        self.packets = 0  # good packets heard
        self.parser = PacketParser()
        self._clock = clock
        self._link = Path(link) if link is not None else None
        self._second_per_byte = wire_time_s(1, _BAUD_RATE) if wire_time else 0.0
        self._wire_free_s = 0.0
        # Whoever holds it has the servos and the terminal for itself.
        self._lock = threading.RLock()
        self._terminal: PseudoTerminal | None = None
        self._plug_in_at_s: float | None = None
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK)
        self._is_closed = False
        # Not that of the packets: faults of one sort do not shift the choices of the other.
        self._random = random.Random(self.faults.seed + 1)
        plant = Plant(self.servos, self._arm, self._random)
        self.hardware = HardwareFaults(plant, clock, self._lock, self._wake)
        self._thread = threading.Thread(target=self._serve, name='virtual servo bus', daemon=True)
        try:
            self.plug_in()
        except BaseException:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise
        self._thread.start()

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

    @property
    def plugs_in_after_s(self) -> float | None:
        """Time until the port returns by itself, s; None if it does not."""
        with self._lock:
            at_s = self._plug_in_at_s
            return None if at_s is None else max(at_s - self._clock(), 0.0)

    def hang_up(self, power_lost: bool = False, for_s: float | None = None) -> None:
        """Unplug: the port vanishes, and with `for_s` returns by itself after that time.

        With `power_lost` the servos restart, torque off.
        """
        with self._lock:
            if self._terminal is not None:
                self._terminal.close()
                self._terminal = None
            self._plug_in_at_s = None if for_s is None else self._clock() + for_s
            if power_lost:
                for servo in self.servos:
                    if servo.is_powered:
                        servo.power_on()
            self._wake()

    def plug_in(self) -> None:
        """Plug in (again): a new pseudo-terminal, the link pointing at it."""
        with self._lock:
            self._plug_in_at_s = None
            if self._is_closed or self._terminal is not None:
                return
            self._terminal = PseudoTerminal(self._link)
            self.parser.reset()
            self._wake()

    def clear_faults(self) -> None:
        """End every fault: of packets, of servos, and a hang-up."""
        self.faults.clear()
        self.hardware.clear()
        self.plug_in()

    def close(self) -> None:
        """End the thread, close the terminal, remove the link. The bus cannot be used again."""
        with self._lock:
            if self._is_closed:
                return
            self.hang_up()
            self._is_closed = True
            self._wake()
        self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _wake(self) -> None:
        # A full pipe wakes the thread as well.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b'x')

    def _serve(self) -> None:
        if self._second_per_byte:
            _sharpen_sleep()
        while not self._is_closed:
            terminal = self._terminal
            poll = select.poll()
            poll.register(self._wake_read, select.POLLIN)
            if terminal is not None:
                poll.register(terminal.fd, select.POLLIN)
            self._serve_one(terminal, poll)

    def _serve_one(self, terminal: PseudoTerminal | None, poll: select.poll) -> None:
        """Serve until the bus is plugged in or out, or closed."""
        while True:
            changes = self.hardware.is_active or self._plug_in_at_s is not None
            events = poll.poll(_TICK_MS if changes else None)
            with self._lock:
                if self._is_closed or self._terminal is not terminal:
                    return
                self._let_time_pass()
                for ready, _ in events:
                    if ready == self._wake_read:
                        with contextlib.suppress(BlockingIOError):
                            os.read(self._wake_read, _READ_BYTES)
                    elif self._terminal is terminal:
                        with contextlib.suppress(BlockingIOError, InterruptedError):
                            self._take(ready, os.read(ready, _READ_BYTES))

    def _let_time_pass(self) -> None:
        if self._plug_in_at_s is not None and self._clock() >= self._plug_in_at_s:
            self.plug_in()
        if self.hardware.is_active:
            self.hardware.advance()
            # Servos protect themselves whether they are asked or not.
            now_s = self._clock()
            loads = self._arm.load_fraction().tolist()
            for servo in self._listening():
                servo.protect(loads[servo.index], now_s)

    def _take(self, fd: int, data: bytes) -> None:
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
                self._answer(fd, self._execute(frame, self._listening()))

    def _mishear(self, fd: int, frame: Frame) -> None:
        """Let the servos hear what the faults leave of a request."""
        delay_s, on_wire = self.faults.apply_to_wire(_bytes_of(frame))
        time.sleep(delay_s)
        for heard in _frames_in(on_wire):
            request = _bytes_of(heard)
            listeners = self._listening()
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
        if not self.faults.is_active and not self.hardware.is_active:
            self._send(fd, b''.join([reply for _, reply in replies]))
            return
        for group in _simultaneous(replies):
            sent = b''
            for servo, reply in group:
                delay_s, bent = self.faults.apply(servo.servo_id, reply)
                time.sleep(delay_s)
                if not sent:
                    sent = bent
                elif bent:
                    late = self._random.randrange(1, _LATEST_TWIN_SAMPLES)
                    sent = superimpose(sent, bent, late)
            self._send(fd, sent)

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
        now_s = self._clock()
        positions = self._arm.position_rad().tolist()
        velocities = self._arm.velocity_rad_s().tolist()
        loads = self._arm.load_fraction().tolist()
        for servo in servos:
            index = servo.index
            servo.protect(loads[index], now_s)
            servo.measure(positions[index], velocities[index], loads[index])

    def _listening(self) -> list[VirtualServo]:
        if not self.faults.is_active and not self.hardware.is_active:
            return list(self.servos)
        return [
            servo
            for servo in self.servos
            if servo.is_powered and not self.faults.is_dead(servo.servo_id)
        ]

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


def _simultaneous(
    replies: list[tuple[VirtualServo, bytes]],
) -> list[list[tuple[VirtualServo, bytes]]]:
    """Return the replies in order, those that collide together: of different servos of one id."""
    groups: list[list[tuple[VirtualServo, bytes]]] = []
    for servo, reply in replies:
        last = groups[-1] if groups else []
        collides = bool(last) and last[0][0].servo_id == servo.servo_id
        if collides and all(other is not servo for other, _ in last):
            last.append((servo, reply))
        else:
            groups.append([(servo, reply)])
    return groups


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
