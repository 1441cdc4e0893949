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
from chefmate_core.servo.protocol import PacketParser, wire_time_s
from chefmate_sim.virtual_bus.faults import Faults
from chefmate_sim.virtual_bus.hardware import HardwareFaults, Plant
from chefmate_sim.virtual_bus.model import ServoArmModel
from chefmate_sim.virtual_bus.obstruction import ObstructedArm
from chefmate_sim.virtual_bus.servo import VirtualServo
from chefmate_sim.virtual_bus.terminal import PseudoTerminal
from chefmate_sim.virtual_bus.wire import ServoWire

_BAUD_RATE = 1_000_000
_READ_BYTES = 4096
# While something changes by itself, as a sagging supply: how often it is looked at.
_TICK_MS = 10
_PR_SET_TIMERSLACK = 29  # source: linux/prctl.h


class VirtualServoBus:
    """Six virtual STS3215 behind a serial port.

    `port` is what a driver opens: `link` if given, else the terminal's own path. The servos are
    born with the calibration in their EEPROM. With `wire_time` each byte takes its 10 bits at
    1 Mbaud, as on the real wire. Usable as a context manager; running once constructed.

    What may go wrong: `faults` with the packets, `hardware` with the servos, `hang_up` with the
    port; `chefmate_sim.virtual_bus.script` has a line of text for each. Times are those of
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
        self.ids = calibration.ids  # what the servos were born with, in the order of the joints
        obstructed = ObstructedArm(arm)
        self.servos = tuple(
            VirtualServo(index, obstructed, calibration) for index in range(JOINT_COUNT)
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
        chance = random.Random(self.faults.seed + 1)
        plant = Plant(self.servos, obstructed, chance)
        self.hardware = HardwareFaults(plant, clock, self._lock, self._wake)
        self._wire = ServoWire(
            self.servos, obstructed, self.faults, self.hardware, self._send, clock, chance
        )
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
            poll = select.poll()
            poll.register(self._wake_read, select.POLLIN)
            with self._lock:
                terminal = self._terminal
                if terminal is not None:
                    poll.register(terminal.fd, select.POLLIN)
            self._serve_one(terminal, poll)

    def _serve_one(self, terminal: PseudoTerminal | None, poll: select.poll) -> None:
        """Serve until the bus is plugged in or out, or closed."""
        while True:
            changes = self.hardware.is_active or self._plug_in_at_s is not None
            ready = {fd for fd, _ in poll.poll(_TICK_MS if changes else None)}
            with self._lock:
                if self._wake_read in ready:
                    ready.remove(self._wake_read)
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake_read, _READ_BYTES)
                self._let_time_pass()  # may plug in
                if self._is_closed or self._terminal is not terminal:
                    return
                for fd in ready:
                    with contextlib.suppress(BlockingIOError, InterruptedError):
                        self._take(fd, os.read(fd, _READ_BYTES))

    def _let_time_pass(self) -> None:
        if self._plug_in_at_s is not None and self._clock() >= self._plug_in_at_s:
            self.plug_in()
        if self.hardware.is_active:
            self.hardware.advance()
            self._wire.protect()

    def _take(self, fd: int, data: bytes) -> None:
        if self.faults.echo:
            _emit(fd, data)
        if self._second_per_byte:
            now_s = time.monotonic()
            self._wire_free_s = max(self._wire_free_s, now_s) + self._wire_s(data)
        for frame in self.parser.feed(data):
            self.packets += 1
            self._wire.answer(frame)

    def _send(self, data: bytes) -> None:
        if not data or self._terminal is None:
            return
        if self._second_per_byte:
            self._wire_free_s = max(self._wire_free_s, time.monotonic()) + self._wire_s(data)
            time.sleep(max(0.0, self._wire_free_s - time.monotonic()))
        _emit(self._terminal.fd, data)

    def _wire_s(self, data: bytes) -> float:
        return len(data) * self._second_per_byte


def _emit(fd: int, data: bytes) -> None:
    # If nobody reads, the adapter's buffer fills up and the bytes are lost.
    with contextlib.suppress(BlockingIOError):
        os.write(fd, data)


def _sharpen_sleep() -> None:
    """Let this thread's sleeps end within 1 us, not 50 us: a whole packet lasts 600 us."""
    prctl = getattr(ctypes.CDLL(None), 'prctl', None)
    if prctl is not None:
        prctl(_PR_SET_TIMERSLACK, 1000, 0, 0, 0)
