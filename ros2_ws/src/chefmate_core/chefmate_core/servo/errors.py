"""What can go wrong on the servo bus, one class per thing a caller treats differently."""

from chefmate_core.errors import BusError, ChefMateError


class PortMissingError(BusError, FileNotFoundError):
    """The serial device does not exist: unplugged, or the wrong path."""


class PortPermissionError(BusError, PermissionError):
    """This user may not open the serial device."""


class PortBusyError(BusError, BlockingIOError):
    """Another process holds the serial device."""


class PortInvalidError(BusError):
    """The path exists but is no serial device, or it refuses the bus's settings."""


class PortLostError(BusError, ConnectionError):
    """The port was open and is gone, or was never opened."""


class ServoSilentError(BusError, TimeoutError):
    """A servo does not answer, after the retries."""


class ServoReadbackError(BusError):
    """A servo answered, but a register does not hold what was written."""


class TorqueLostError(BusError):
    """A servo that should hold has switched its torque off by itself."""


class GoalError(ChefMateError, ValueError):
    """A goal that no servo may ever see: wrong shape, NaN or infinity."""
