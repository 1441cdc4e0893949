"""What can go wrong while an arm is calibrated."""

from chefmate_core.errors import BusError, CalibrationError


class NotReadyError(CalibrationError):
    """A step was confirmed before the arm is where the step needs it; move on and try again."""


class UnchangedError(BusError):
    """Writing failed; EEPROM and file were brought back to what they were before."""


class HalfWrittenError(BusError):
    """Writing failed and the servos cannot be reached: some hold new values, some old ones.

    What is to be done lies in the undo record: `recover` finishes the way back.
    """
