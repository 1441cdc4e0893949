"""What each key means to teleoperation; a terminal's keys in, what is to be done out."""

from dataclasses import dataclass
from enum import Enum

from chefmate_core.joints import JOINT_NAMES

# Pairs lie one over the other on the keyboard: the upper key is the positive direction.
JOINT_KEYS = dict(zip(JOINT_NAMES, ('qa', 'ws', 'ed', 'rf', 'tg', 'yh'), strict=True))
SPEEDS_RAD_S = (0.1, 0.2, 0.4, 0.7, 1.0)
_FIRST_SPEED = 2


class Order(Enum):
    """What is not a motion."""

    TOGGLE_CLUTCH = 'toggle the clutch'
    LEAVE = 'leave'


ORDER_KEYS = {
    ' ': Order.TOGGLE_CLUTCH,
    'x': Order.LEAVE,
    '\x03': Order.LEAVE,  # Ctrl-C where the terminal does not make a signal of it
    '\x04': Order.LEAVE,
}


@dataclass(frozen=True)
class Jog:
    """A joint moves for as long as a key counts."""

    joint: str
    velocity_rad_s: float


class Keyboard:
    """Turns keys into jogs and orders; it has a speed, as a keyboard has none of its own."""

    def __init__(self) -> None:
        self._speed = _FIRST_SPEED

    @property
    def speed_rad_s(self) -> float:
        """How fast a held key moves its joint."""
        return SPEEDS_RAD_S[self._speed]

    def press(self, key: str) -> Jog | Order | None:
        """Return what a key means; None: nothing, or a change of the speed."""
        if key in ORDER_KEYS:
            return ORDER_KEYS[key]
        if key in '+-' and key:
            step = 1 if key == '+' else -1
            self._speed = min(max(self._speed + step, 0), len(SPEEDS_RAD_S) - 1)
            return None
        for joint, keys in JOINT_KEYS.items():
            if key and key in keys and len(key) == 1:
                is_up = key == keys[0]
                return Jog(joint, self.speed_rad_s if is_up else -self.speed_rad_s)
        return None
