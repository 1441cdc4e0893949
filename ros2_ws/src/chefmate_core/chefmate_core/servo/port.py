"""A serial device as a file descriptor: open it exclusively, write, read what is expected.

pyserial opens and configures the device; bytes then go through the descriptor itself, because
one poll and one read for a whole answer cost a fraction of pyserial's loop. Any tty will do, a
pseudo-terminal too.
"""

import contextlib
import errno
import fcntl
import os
import select
import struct
import termios
from pathlib import Path

import serial

from chefmate_core.servo.errors import (
    PortBusyError,
    PortInvalidError,
    PortLostError,
    PortMissingError,
    PortPermissionError,
)
from chefmate_core.servo.statistics import BusStatistics

_BY_ID = Path('/dev/serial/by-id')
# The kernel's buffer holds dozens of packets: once it is full, the adapter has stopped.
_FULL_BUFFER_TIMEOUT_S = 0.05
_LATENCY_TIMER = '/sys/class/tty/{name}/device/latency_timer'


class SerialPort:
    """One serial device, opened for one owner thread. Every failure is a typed BusError."""

    def __init__(
        self,
        path: str,
        baud_rate: int = 1_000_000,
        low_latency: bool = True,
        statistics: BusStatistics | None = None,
    ) -> None:
        self.path = path
        self._statistics = statistics or BusStatistics()
        self.baud_rate = baud_rate
        self._wants_low_latency = low_latency
        self._serial: serial.Serial | None = None
        self._fd = -1
        self._input = select.poll()

    @property
    def is_open(self) -> bool:
        """Whether the device is open and was not found gone."""
        return self._fd >= 0

    def open(self) -> None:
        """Open the device exclusively; raise the BusError that names what to do."""
        if self.is_open:
            return
        try:
            device = serial.Serial(self.path, self.baud_rate, timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise self._open_error(error) from error
        try:
            if self._wants_low_latency:
                _request_low_latency(device, self.path)
            device.reset_input_buffer()
        except (OSError, termios.error) as error:
            device.close()
            raise self._lost(error) from error
        self._serial = device
        self._fd = device.fileno()
        self._input = select.poll()
        self._input.register(self._fd, select.POLLIN)

    def close(self) -> None:
        """Close the device; harmless when it is closed or gone."""
        device, self._serial, self._fd = self._serial, None, -1
        if device is not None:
            # A device that vanished complains; its descriptor is freed all the same.
            with contextlib.suppress(OSError, termios.error):
                device.close()

    def discard_input(self) -> int:
        """Throw away bytes that came after their request was given up; return how many."""
        # A poll costs less than a read that finds nothing.
        if not self._poll(0):
            return 0
        try:
            (waiting,) = struct.unpack('i', fcntl.ioctl(self._fd, termios.FIONREAD, b'\0' * 4))
            termios.tcflush(self._fd, termios.TCIFLUSH)
        except (OSError, termios.error) as error:
            raise self._lost(error) from error
        return waiting

    def write(self, data: bytes | bytearray) -> None:
        """Write everything; the kernel's buffer takes a packet at once in all usual cases."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                if not select.select((), (self._fd,), (), _FULL_BUFFER_TIMEOUT_S)[1]:
                    raise self._lost(TimeoutError('it takes no more bytes')) from None
            except OSError as error:
                raise self._lost(error) from error

    def read(self, count: int, first_timeout_ms: float, gap_timeout_ms: float) -> bytes:
        """Return up to `count` bytes: fewer when the device falls silent.

        Waits `first_timeout_ms` for the first byte and `gap_timeout_ms` for each next piece.
        """
        if not self._poll(first_timeout_ms):
            return b''
        data = self._read(count)
        while len(data) < count and self._poll(gap_timeout_ms):
            data += self._read(count - len(data))
        return data

    def _poll(self, timeout_ms: float) -> bool:
        if self._fd < 0:
            raise self._lost(None)
        events = self._input.poll(timeout_ms)
        # A hang-up shows as an event too; the read that follows turns it into an error.
        return bool(events)

    def _read(self, count: int) -> bytes:
        try:
            data = os.read(self._fd, count)
        except BlockingIOError:
            return b''
        except OSError as error:
            raise self._lost(error) from error
        if not data:
            raise self._lost(None)
        return data

    def _lost(self, error: Exception | None) -> PortLostError:
        was_open = self.is_open
        self.close()
        if not was_open:
            return PortLostError(f'{self.path}: the port is not open; connect or reconnect first')
        self._statistics.port_losses += 1
        return PortLostError(
            f'{self.path}: the port is gone ({error or "it hung up"}). Check the USB cable; '
            'reconnect when the device is back.'
        )

    def _open_error(self, error: Exception) -> Exception:
        path = self.path
        code = getattr(error, 'errno', None)
        if code is None and isinstance(error.__cause__ or error.__context__, OSError):
            code = (error.__cause__ or error.__context__).errno  # type: ignore[union-attr]
        if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            return PortMissingError(
                f'{path}: no such device. {_devices_present()} Plug the arm in, install '
                "ChefMate's udev rules (udev/README.md) for /dev/leader and /dev/follower, or "
                'name the right port.'
            )
        if code in (errno.EACCES, errno.EPERM):
            return PortPermissionError(
                f'{path}: no permission. Add yourself to the group dialout (`sudo usermod -aG '
                'dialout $USER`, then log in again), or install the udev rules (udev/README.md).'
            )
        if code in (errno.EAGAIN, errno.EBUSY):
            return PortBusyError(
                f'{path}: another program holds the port (`fuser {path}` shows which). Stop it: '
                'a bus has one owner.'
            )
        return PortInvalidError(
            f'{path}: not a serial port that works at {self.baud_rate} baud ({error}). Expected '
            'the tty of a bus servo adapter.'
        )


def _devices_present() -> str:
    try:
        present = sorted(str(entry) for entry in _BY_ID.iterdir())
    except OSError:
        present = []
    if not present:
        return 'No serial adapter is plugged in.'
    return f'Serial adapters present: {", ".join(present)}.'


def _request_low_latency(device: serial.Serial, path: str) -> None:
    """Ask the adapter to pass bytes on at once; adapters without the setting are fine as is."""
    # A pseudo-terminal, and some drivers, have no such setting.
    with contextlib.suppress(OSError, ValueError):
        device.set_low_latency_mode(True)
    # FTDI adapters collect bytes for 16 ms unless told otherwise; only some users may tell them.
    timer = Path(_LATENCY_TIMER.format(name=Path(path).resolve().name))
    with contextlib.suppress(OSError, ValueError):
        if int(timer.read_text()) > 1:
            timer.write_text('1')
