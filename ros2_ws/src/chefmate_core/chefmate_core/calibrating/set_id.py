"""Give a servo another id: checked before, read back after, and never two servos with one id."""

import contextlib

from chefmate_core.calibrating.probing import LAST_ID, Answer, probe
from chefmate_core.errors import ConfigurationError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import ServoReadbackError, ServoSilentError
from chefmate_core.servo.port import SerialPort

# A write of the id is answered by the old id or by the new one: the answer is not waited for long.
_CONFIG = ServoConfig(register_retries=2)


class ServoIdError(ConfigurationError):
    """The id cannot be given: taken, not there, or not a servo of its own."""


def check_ids(port: str, from_id: int, to_id: int, config: ServoConfig = _CONFIG) -> None:
    """Check that one STS3215 answers to `from_id` and nobody to `to_id`. Writes nothing.

    Raises ServoIdError, or a BusError of the port.
    """
    for servo_id in (from_id, to_id):
        if not 0 <= servo_id <= LAST_ID:
            raise ServoIdError(f'servo id {servo_id}: expected 0 to {LAST_ID}')
    if from_id == to_id:
        raise ServoIdError(f'the servo has the id {from_id} already, if it is there')
    wire = SerialPort(port, config.baud_rate)
    wire.open()
    try:
        answers = {servo_id: probe(wire, servo_id) for servo_id in (from_id, to_id)}
    finally:
        wire.close()
    if answers[from_id] is Answer.NONE:
        raise ServoIdError(
            f'{port}: no servo answers to id {from_id} at {config.baud_rate} baud. Next: '
            '`chefmate servo scan` shows which ids are there'
        )
    if answers[from_id] is Answer.DAMAGED:
        raise ServoIdError(
            f'{port}: the answers of id {from_id} are damaged: two servos have it, and both would '
            'get the new one; or the wire is bad. Next: connect only the servo that is meant'
        )
    if answers[to_id] is not Answer.NONE:
        raise ServoIdError(
            f'{port}: id {to_id} is taken; two servos of one id cannot be told apart any more. '
            f'Next: give that one another id first, or connect only the servo that is meant'
        )
    bus = ServoBus(port, config)
    bus.open()
    try:
        model = bus.read(from_id, reg.MODEL_NUMBER)
    finally:
        bus.close()
    if model != reg.MODEL_STS3215:
        raise ServoIdError(
            f'{port}, servo {from_id}: model {model}, expected {reg.MODEL_STS3215} (STS3215); '
            'its memory is laid out differently, perhaps. Nothing was written'
        )


def set_id(port: str, from_id: int, to_id: int, config: ServoConfig = _CONFIG) -> None:
    """Give the servo `from_id` the id `to_id` for good, after `check_ids`.

    The id is one byte: cut short at any moment, the servo has the one or the other.

    Raises:
        ServoReadbackError: it has not taken it; it has the old id then.
        ServoSilentError: it answers to neither any more.
    """
    check_ids(port, from_id, to_id, config)
    bus = ServoBus(port, config)
    bus.open()
    try:
        bus.write(from_id, reg.LOCK, 0)
        try:
            with contextlib.suppress(ServoSilentError):
                bus.write(from_id, reg.SERVO_ID, to_id)
        finally:
            owner = _owner(bus, from_id, to_id)
            if owner is not None:
                bus.write(owner, reg.LOCK, 1)
    finally:
        bus.close()
    if owner == from_id:
        raise ServoReadbackError(
            f'{port}, servo {from_id}: it does not take the id {to_id} and keeps its own. Update '
            'its firmware or replace the servo'
        )
    if owner is None:
        raise ServoSilentError(
            f'{port}: the servo answers neither to {from_id} nor to {to_id} any more. Check its '
            'cable and power; then `chefmate servo scan` shows which of both it has'
        )


def _owner(bus: ServoBus, from_id: int, to_id: int) -> int | None:
    if not bus.is_open:
        return None
    for servo_id in (to_id, from_id):
        with contextlib.suppress(ServoSilentError):
            if bus.read(servo_id, reg.SERVO_ID) == servo_id:
                return servo_id
    return None
