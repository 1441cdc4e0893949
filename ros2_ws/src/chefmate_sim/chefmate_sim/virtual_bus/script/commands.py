"""Every kind of fault line: its words, what it means, what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chefmate_sim.virtual_bus import hardware
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.faults import Fault, FaultKind, Traffic
from chefmate_sim.virtual_bus.script.arguments import (
    Argument,
    choice,
    count,
    eeprom_register,
    number,
    read_words,
    servo,
    whole,
)

Values = Mapping[str, Any]


@dataclass(frozen=True)
class FaultCommand:
    """One kind of line: its words, what it means, and what it does."""

    name: str
    meaning: str
    act: Callable[[VirtualServoBus, Values], None]
    places: tuple[Argument, ...] = ()  # by position
    options: tuple[Argument, ...] = ()  # as name=value
    flags: tuple[str, ...] = ()

    @property
    def syntax(self) -> str:
        """How the line is written."""
        words = [self.name, *(f'[{a.syntax}]' if a.optional else a.syntax for a in self.places)]
        for option in self.options:
            word = f'{option.name}={option.syntax}'
            words.append(f'[{word}]' if option.optional else word)
        return ' '.join([*words, *(f'[{flag}]' for flag in self.flags)])

    def parse(self, words: list[str]) -> Values:
        """Return the values of the words behind the name; raise FaultLineError."""
        return read_words(words, self.places, self.options, self.flags)


def _strike(kind: FaultKind) -> Callable[[VirtualServoBus, Values], None]:
    def act(bus: VirtualServoBus, values: Values) -> None:
        # A line that leaves it to chance means from now on, one that does not means once.
        default = 1 if values['probability'] == 1.0 else 'all'
        times: int | str = values['count'] or default
        bus.faults.add(
            Fault(
                kind,
                values['servo'],
                times if isinstance(times, int) else None,
                values['probability'],
                values.get('delay', 0.0),
                Traffic(values['traffic']),
            )
        )

    return act


def _index_of(bus: VirtualServoBus, servo_id: int) -> int:
    """Return the joint that a servo was born for; a twin's id is not its own."""
    return bus.ids.index(servo_id)


def _kill(bus: VirtualServoBus, values: Values) -> None:
    bus.faults.kill(values['servo'])


def _revive(bus: VirtualServoBus, values: Values) -> None:
    bus.faults.revive(values['servo'])


def _echo(bus: VirtualServoBus, values: Values) -> None:
    bus.faults.echo = values['state'] == 'on'


def _twin(bus: VirtualServoBus, values: Values) -> None:
    bus.hardware.add(hardware.Twin(_index_of(bus, values['servo']), values['of']))


def _sag(bus: VirtualServoBus, values: Values) -> None:
    bus.hardware.add(hardware.Sag(values['to'], values['for'], values['over']))


def _heat(bus: VirtualServoBus, values: Values) -> None:
    index = _index_of(bus, values['servo'])
    bus.hardware.add(hardware.Heat(index, values['to'], values['rate']))


def _stall(bus: VirtualServoBus, values: Values) -> None:
    bus.hardware.add(hardware.Stall(_index_of(bus, values['servo'])))


def _encoder(bus: VirtualServoBus, values: Values) -> None:
    index = _index_of(bus, values['servo'])
    bus.hardware.add(hardware.EncoderError(index, values['jump'], values['probability']))


def _refuse_eeprom(bus: VirtualServoBus, values: Values) -> None:
    index = _index_of(bus, values['servo'])
    bus.hardware.add(hardware.RefusedEeprom(index, values['register']))


def _hang_up(bus: VirtualServoBus, values: Values) -> None:
    bus.hang_up(values['power-lost'], values['for'])


def _plug_in(bus: VirtualServoBus, values: Values) -> None:
    bus.plug_in()


def _change_nothing(bus: VirtualServoBus, values: Values) -> None:
    pass


def _clear(bus: VirtualServoBus, values: Values) -> None:
    what = values['what']
    if what is None:
        bus.clear_faults()
    elif what in HARDWARE_KINDS:
        bus.hardware.clear(HARDWARE_KINDS[what])
    else:
        bus.faults.forget(FaultKind(what))


HARDWARE_KINDS: dict[str, type] = {
    'twin': hardware.Twin,
    'sag': hardware.Sag,
    'heat': hardware.Heat,
    'stall': hardware.Stall,
    'encoder': hardware.EncoderError,
    'refuse-eeprom': hardware.RefusedEeprom,
}
_KINDS = [kind.value for kind in FaultKind]

_SERVO = Argument('servo', 'SERVO', servo)
_FOR = Argument('for', 'S', number(0.0, 3600.0), optional=True)
_PROBABILITY = Argument('probability', '0..1', number(0.0, 1.0), optional=True, default=1.0)
_PACKETS: dict[str, Any] = {
    'places': (Argument('traffic', 'replies|requests', choice(*(one.value for one in Traffic))),),
    'options': (
        Argument('servo', 'SERVO', servo, optional=True),
        Argument('count', 'N|all', count, optional=True),
        _PROBABILITY,
    ),
}
_DELAY = Argument('delay', 'S', number(0.0, 10.0), optional=True, default=0.02)
_OF = Argument('of', 'SERVO', servo)

COMMANDS = (
    FaultCommand('drop', 'packets never arrive', _strike(FaultKind.DROP), **_PACKETS),
    FaultCommand('corrupt', 'one bit is flipped', _strike(FaultKind.CORRUPT), **_PACKETS),
    FaultCommand('truncate', 'the end is missing', _strike(FaultKind.TRUNCATE), **_PACKETS),
    FaultCommand('duplicate', 'packets arrive twice', _strike(FaultKind.DUPLICATE), **_PACKETS),
    FaultCommand('noise', 'rubbish comes before them', _strike(FaultKind.NOISE), **_PACKETS),
    FaultCommand(
        'late',
        'packets arrive after a delay, s',
        _strike(FaultKind.LATE),
        _PACKETS['places'],
        (*_PACKETS['options'], _DELAY),
    ),
    FaultCommand('kill', 'a servo neither hears nor answers', _kill, (_SERVO,)),
    FaultCommand('revive', 'it does again', _revive, (_SERVO,)),
    FaultCommand(
        'echo',
        'the adapter hears itself',
        _echo,
        (Argument('state', 'on|off', choice('on', 'off')),),
    ),
    FaultCommand('twin', 'a servo has the id of another, not its own', _twin, (_SERVO,), (_OF,)),
    FaultCommand(
        'sag',
        'the supply falls to a voltage, within a time, and returns after a time',
        _sag,
        (),
        (
            Argument('to', 'V', number(0.0, 15.0)),
            _FOR,
            Argument('over', 'S', number(0.0, 3600.0), optional=True, default=0.0),
        ),
    ),
    FaultCommand(
        'heat',
        'a servo warms up to a temperature, C, by a rate, C/s',
        _heat,
        (),
        (
            _SERVO,
            Argument('to', 'C', number(0.0, 150.0)),
            Argument('rate', 'C/S', number(0.01, 1000.0), optional=True, default=5.0),
        ),
    ),
    FaultCommand('stall', 'a joint stands still, as before an obstacle', _stall, (_SERVO,)),
    FaultCommand(
        'encoder',
        'measured positions jump by some ticks',
        _encoder,
        (_SERVO,),
        (
            Argument('jump', 'TICKS', whole(-4095, 4095), optional=True, default=300),
            _PROBABILITY,
        ),
    ),
    FaultCommand(
        'refuse-eeprom',
        'writes to EEPROM are acknowledged and forgotten',
        _refuse_eeprom,
        (),
        (_SERVO, Argument('register', 'NAME', eeprom_register, optional=True)),
    ),
    FaultCommand(
        'hang-up',
        'the port vanishes, and returns after a time, s',
        _hang_up,
        (),
        (_FOR,),
        ('power-lost',),
    ),
    FaultCommand('plug-in', 'it is there again', _plug_in),
    FaultCommand('list', 'change nothing; what is in force is always shown', _change_nothing),
    FaultCommand(
        'clear',
        'end every fault, or those of one kind',
        _clear,
        (Argument('what', 'KIND', choice(*_KINDS, *HARDWARE_KINDS), optional=True),),
    ),
)
