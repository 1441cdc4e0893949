"""Find servos: on which port, at which baud rate, which ids, and how they are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chefmate_core.calibrating.probing import LAST_ID, Answer, answering, probe
from chefmate_core.errors import BusError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.port import SerialPort

# Source: STS memory table, register 6 (baud_rate): the codes 0 to 7, in this order.
BAUD_RATES = (1_000_000, 500_000, 250_000, 128_000, 115_200, 76_800, 57_600, 38_400)
_PATTERNS = ('serial/by-id/*', 'ttyACM*', 'ttyUSB*')
_NAMED = ('follower', 'leader')
# LeRobot's and ours; asked one by one where the answers to everyone were damaged.
_USUAL_IDS = range(16)


@dataclass(frozen=True)
class FoundServo:
    """One servo, or an id at which more than one answers (`problem`)."""

    servo_id: int
    baud_rate: int
    problem: str = ''
    model: int = 0
    firmware: str = ''
    voltage_v: float = 0.0
    temperature_c: int = 0
    position_tick: int = 0
    has_torque: bool = False
    status: tuple[str, ...] = ()  # names of the status bits that are set


@dataclass(frozen=True)
class ScannedPort:
    """One port and who was found on it."""

    port: str
    servos: tuple[FoundServo, ...]
    problem: str = ''  # why it could not be asked


def candidate_ports(devices: Path = Path('/dev')) -> tuple[str, ...]:
    """Return the serial devices that an arm may be on, each once, by its most telling name."""
    paths = [devices / name for name in _NAMED]
    for pattern in _PATTERNS:
        paths += sorted(devices.glob(pattern))
    found: dict[Path, str] = {}
    for path in paths:
        if path.exists():
            found.setdefault(path.resolve(), str(path))
    return tuple(found.values())


def scan(
    ports: Iterable[str],
    baud_rates: Sequence[int] = BAUD_RATES,
    is_thorough: bool = False,
    on_progress: Callable[[str], None] = lambda message: None,
) -> tuple[ScannedPort, ...]:
    """Look for servos on every port at every baud rate. A port that cannot be used says why.

    Args:
        is_thorough: also ask every id alone (7 s a baud rate): for wires with two servos of one
            id, and for servos that do not answer a ping to all.
        on_progress: called with what is looked at now.
    """
    return tuple(_scan_port(port, baud_rates, is_thorough, on_progress) for port in ports)


def _scan_port(
    path: str, baud_rates: Sequence[int], is_thorough: bool, on_progress: Callable[[str], None]
) -> ScannedPort:
    servos: list[FoundServo] = []
    known: set[int] = set()
    try:
        for baud_rate in baud_rates:
            on_progress(f'{path} at {baud_rate} baud')
            twins: list[int] = []
            ids: list[int] = []
            for servo_id, answer in _ask(path, baud_rate, is_thorough).items():
                (twins if answer is Answer.DAMAGED else ids).append(servo_id)
            servos += [
                FoundServo(
                    servo_id,
                    baud_rate,
                    'the answers are damaged: two servos have this id, or the wire is bad',
                )
                for servo_id in twins
                if servo_id not in known
            ]
            servos += [
                _examine(path, baud_rate, servo_id) for servo_id in ids if servo_id not in known
            ]
            # A pseudo-terminal has no baud rate: the same servo would be found at each.
            known |= {*twins, *ids}
    except BusError as error:
        return ScannedPort(path, tuple(servos), str(error))
    return ScannedPort(path, tuple(sorted(servos, key=lambda servo: servo.servo_id)))


def _ask(path: str, baud_rate: int, is_thorough: bool) -> dict[int, Answer]:
    port = SerialPort(path, baud_rate)
    port.open()
    try:
        ids, is_damaged = answering(port)
        if is_thorough:
            asked: Iterable[int] = range(LAST_ID + 1)
        elif is_damaged or ids:
            asked = sorted({*ids, *_USUAL_IDS})
        else:
            return {}
        answers = {}
        for servo_id in asked:
            answer = probe(port, servo_id, attempts=1)
            if answer is not Answer.NONE or servo_id in ids:
                answers[servo_id] = probe(port, servo_id)
        return {key: answer for key, answer in answers.items() if answer is not Answer.NONE}
    finally:
        port.close()


def _examine(path: str, baud_rate: int, servo_id: int) -> FoundServo:
    bus = ServoBus(path, ServoConfig(baud_rate=baud_rate))
    bus.open()
    try:
        major, minor = (
            bus.read(servo_id, register) for register in (reg.FIRMWARE_MAJOR, reg.FIRMWARE_MINOR)
        )
        return FoundServo(
            servo_id,
            baud_rate,
            model=bus.read(servo_id, reg.MODEL_NUMBER),
            firmware=f'{major}.{minor}',
            voltage_v=bus.read(servo_id, reg.PRESENT_VOLTAGE) * reg.VOLTS_PER_COUNT,
            temperature_c=bus.read(servo_id, reg.PRESENT_TEMPERATURE),
            position_tick=bus.read(servo_id, reg.PRESENT_POSITION),
            has_torque=bus.read(servo_id, reg.TORQUE_ENABLE) == 1,
            status=reg.status_names(bus.read(servo_id, reg.STATUS)),
        )
    finally:
        bus.close()
