"""One error tree: a message says what, where, what was found, what is allowed, what to do next.

Each class also inherits the builtin that a caller unaware of ChefMate would catch.
"""


class ChefMateError(Exception):
    """Base of every error that ChefMate raises on purpose."""


class ConfigurationError(ChefMateError, ValueError):
    """A parameter, file or argument is wrong; the program refuses to start."""


class CalibrationError(ConfigurationError):
    """A calibration file is unreadable, incomplete, or disagrees with the servos."""


class UnknownJointError(ConfigurationError):
    """A joint name outside the arm's joints."""


class PolicyError(ChefMateError, RuntimeError):
    """A policy could not be loaded or could not produce a chunk."""


class UnknownInstructionError(PolicyError, ValueError):
    """The policy does not understand the instruction; the message lists what it understands."""


class BusError(ChefMateError, OSError):
    """The servo bus could not do what was asked."""


class CameraError(ChefMateError, OSError):
    """A camera, or an image, is not what was asked for."""
