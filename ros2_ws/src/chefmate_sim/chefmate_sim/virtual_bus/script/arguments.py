"""The words of a fault line: what may stand there, and what it means."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chefmate_core.joints import JOINT_NAMES, SERVO_IDS
from chefmate_core.servo.registers import REGISTERS, Area, Register


class FaultLineError(ValueError):
    """A word of a fault line is wrong; the message says what was expected."""


@dataclass(frozen=True)
class Argument:
    """One value of a line: its name, how help writes it, how its word is read."""

    name: str
    syntax: str
    read: Callable[[str], Any]
    optional: bool = False
    default: Any = None


def read_words(
    words: Sequence[str],
    places: Sequence[Argument],
    options: Sequence[Argument],
    flags: Sequence[str],
) -> dict[str, Any]:
    """Return a value for every argument and flag; raise FaultLineError.

    Args:
        words: what stands behind the line's name.
        places: arguments by position.
        options: arguments written as name=value, in any order.
        flags: words that are there or not.
    """
    by_name = {option.name: option for option in options}
    waiting = list(places)
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition('=')
        if equals and name in by_name:
            value = by_name[name].read(text)
        elif word in flags:
            name, value = word, True
        elif waiting and not equals:
            argument = waiting.pop(0)
            name, value = argument.name, argument.read(word)
        else:
            raise FaultLineError(f'{word!r} is not understood')
        if name in found:
            raise FaultLineError(f'{name} is there twice')
        found[name] = value
    for argument in (*places, *options):
        if argument.name not in found:
            if not argument.optional:
                raise FaultLineError(f'{argument.name} is missing')
            found[argument.name] = argument.default
    return {**dict.fromkeys(flags, False), **found}


def servo(word: str) -> int:
    """Read a servo's id or its joint's name; return the id."""
    if word in JOINT_NAMES:
        return SERVO_IDS[JOINT_NAMES.index(word)]
    if word.isdecimal() and int(word) in SERVO_IDS:
        return int(word)
    raise FaultLineError(
        f'{word!r} is no servo; a servo is {SERVO_IDS[0]} to {SERVO_IDS[-1]} or '
        f'{", ".join(JOINT_NAMES)}'
    )


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a reader of numbers from `low` to `high`."""

    def read(word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise FaultLineError(f'{word!r} is not a number from {low:g} to {high:g}')
        return value

    return read


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(word: str) -> int:
        try:
            value = int(word)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise FaultLineError(f'{word!r} is not a whole number from {low} to {high}')
        return value

    return read


def count(word: str) -> int | str:
    """Read how often: a number or `all`."""
    return word if word == 'all' else whole(1, 1_000_000)(word)


def choice(*words: str) -> Callable[[str], str]:
    """Return a reader of one of some words."""

    def read(word: str) -> str:
        if word not in words:
            raise FaultLineError(f'{word!r} is none of {", ".join(words)}')
        return word

    return read


def eeprom_register(word: str) -> Register:
    """Read the name of a register in EEPROM."""
    register = REGISTERS.get(word)
    if register is None or register.area is not Area.EEPROM or register.read_only:
        names = [
            name
            for name, one in REGISTERS.items()
            if one.area is Area.EEPROM and not one.read_only
        ]
        raise FaultLineError(
            f'{word!r} is no register in EEPROM that can be written; those are {", ".join(names)}'
        )
    return register
