"""Faults as lines of text, for tests and for `chefmate sim faults`.

    inject(bus, 'drop replies servo=3 count=2')
    inject(bus, 'twin 2 of=3', 'sag to=4.5 for=3')
    in_force(bus)  # the lines that would bring another bus to where this one is

The table of lines, of which parsing, messages and help are made, is `commands.COMMANDS`.
"""

import difflib
from collections.abc import Callable

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_sim.virtual_bus import hardware
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.faults import Fault, FaultKind
from chefmate_sim.virtual_bus.script.arguments import FaultLineError
from chefmate_sim.virtual_bus.script.commands import COMMANDS

_BY_NAME = {command.name: command for command in COMMANDS}


def inject(bus: VirtualServoBus, *lines: str) -> None:
    """Do what the lines say, in their order.

    Raises:
        ConfigurationError: a line is wrong; nothing was done, also not what other lines say.
    """
    for act in [parse(line) for line in lines]:
        act(bus)


def parse(line: str) -> Callable[[VirtualServoBus], None]:
    """Return what a line does to a bus; raise ConfigurationError if it is wrong."""
    words = line.split()
    if not words:
        raise ConfigurationError(f'an empty line is no fault. Expected one of: {_names()}')
    command = _BY_NAME.get(words[0])
    if command is None:
        close = difflib.get_close_matches(words[0], _BY_NAME, n=1)
        hint = f' Did you mean {close[0]!r}?' if close else ''
        raise ConfigurationError(
            f'{line!r}: there is no fault {words[0]!r}.{hint} Expected one of: {_names()}'
        )
    try:
        values = command.parse(words[1:])
    except FaultLineError as error:
        raise ConfigurationError(f'{line!r}: {error}. Expected: {command.syntax}') from None
    return lambda bus: command.act(bus, values)


def usage() -> list[tuple[str, str]]:
    """Return how each line is written, and what it means."""
    return [(command.syntax, command.meaning) for command in COMMANDS]


def in_force(bus: VirtualServoBus) -> list[str]:
    """Return a line for each fault in force."""
    lines = [_rule_line(fault, left) for fault, left in bus.faults.rules()]
    lines += [f'kill {servo_id}' for servo_id in bus.faults.dead()]
    if bus.faults.echo:
        lines.append('echo on')
    lines += [_hardware_line(bus, fault) for fault in bus.hardware.in_force()]
    if not bus.is_plugged_in:
        left_s = bus.plugs_in_after_s
        lines.append('hang-up' if left_s is None else f'hang-up for={left_s:.3g}')
    return lines


def _names() -> str:
    return ', '.join(_BY_NAME)


def _rule_line(fault: Fault, left: int | None) -> str:
    words = [fault.kind.value, fault.traffic.value]
    if fault.servo_id is not None:
        words.append(f'servo={fault.servo_id}')
    words.append(f'count={"all" if left is None else left}')
    if fault.probability < 1.0:
        words.append(f'probability={fault.probability:g}')
    if fault.kind is FaultKind.LATE:
        words.append(f'delay={fault.delay_s:g}')
    return ' '.join(words)


def _hardware_line(bus: VirtualServoBus, fault: hardware.HardwareFault) -> str:
    match fault:
        case hardware.Twin(index, of_id):
            return f'twin {bus.ids[index]} of={of_id}'
        case hardware.Sag(to_v, for_s, over_s):
            line = f'sag to={to_v:g}' + ('' if for_s is None else f' for={for_s:g}')
            return line + (f' over={over_s:g}' if over_s else '')
        case hardware.Heat(index, to_c, rate_c_s):
            return f'heat servo={JOINT_NAMES[index]} to={to_c:g} rate={rate_c_s:g}'
        case hardware.Stall(index):
            return f'stall {JOINT_NAMES[index]}'
        case hardware.EncoderError(index, jump_ticks, probability):
            return f'encoder {JOINT_NAMES[index]} jump={jump_ticks} probability={probability:g}'
        case hardware.RefusedEeprom(index, register):
            line = f'refuse-eeprom servo={JOINT_NAMES[index]}'
            return line + ('' if register is None else f' register={register.name}')
    return repr(fault)
