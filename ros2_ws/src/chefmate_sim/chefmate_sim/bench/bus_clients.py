"""Who talks to the servos in the bus bench: each opens the port, offers a cycle, closes it.

A cycle reads position and velocity of six servos and writes six goals. The wire of that is 14
bytes of request, 60 of replies and 26 of goals: 1.00 ms at 1 Mbaud.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scservo_sdk as sdk

from chefmate_core.errors import BusError, ConfigurationError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.protocol import wire_time_s
from chefmate_core.servo.sync import SyncRead, SyncWrite
from chefmate_sim.bench.virtual_arm import CALIBRATION
from chefmate_sim.bench.worker import Worker

WIRE_S = wire_time_s(14 + 60 + 26, 1_000_000)
# A machine that stalls is not a bus that fails: every client waits longer than it would on an arm.
PATIENCE_S = 0.5
PATIENT = ServoConfig(reply_timeout_s=PATIENCE_S, gap_timeout_s=PATIENCE_S)
WARM_UP_CYCLES = 50
LEROBOT_VERSION = '0.4.4'
LEROBOT_PYTHON = Path('benchmarks/lerobot/.venv/bin/python')
NOT_INSTALLED = 'not installed: `make lerobot-env`'

Cycle = tuple[Callable[[], object], Callable[[], object]]


class Client(Protocol):
    """One row of the table."""

    name: str

    def run(self, port: str, cycles: int) -> dict[str, Any]:
        """Return `durations_s` (list, one a cycle) and `cpu_s` of all cycles."""
        ...

    def close(self) -> None:
        """End what was started for it."""
        ...


class InProcess:
    """A client in this process: CPU time is the calling thread's."""

    def __init__(self, name: str, start: Callable[[str], Cycle]) -> None:
        self.name = name
        self._start = start

    def run(self, port: str, cycles: int) -> dict[str, Any]:
        """Open, warm up, measure, close."""
        cycle, close = self._start(port)
        try:
            return measure(cycle, cycles)
        finally:
            close()

    def close(self) -> None:
        """Nothing is left."""


class LeRobot:
    """LeRobot's FeetechMotorsBus under an interpreter of its own."""

    name = f'LeRobot {LEROBOT_VERSION}'

    def __init__(self, python: Path) -> None:
        script = Path(__file__).with_name('lerobot_client.py')
        self._worker = Worker((str(python), '-I', str(script)))  # -I: nothing of ours in its path
        self._calibration = json.dumps(CALIBRATION.to_mapping())

    def run(self, port: str, cycles: int) -> dict[str, Any]:
        """Open, warm up, measure, close, over there."""
        return self._worker.ask(
            port=port,
            cycles=cycles,
            warm_up=WARM_UP_CYCLES,
            patience_s=PATIENCE_S,
            calibration=self._calibration,
        )

    def close(self) -> None:
        """End its process."""
        self._worker.close()


def measure(cycle: Callable[[], object], cycles: int) -> dict[str, Any]:
    """Warm up, then time each cycle and take the thread's CPU time of all."""
    for _ in range(WARM_UP_CYCLES):
        cycle()
    durations_s = [0.0] * cycles
    cpu_from_s = time.thread_time()
    before_s = time.perf_counter()
    for index in range(cycles):
        cycle()
        now_s = time.perf_counter()
        durations_s[index] = now_s - before_s
        before_s = now_s
    return {'durations_s': durations_s, 'cpu_s': time.thread_time() - cpu_from_s}


def in_process_clients() -> list[Client]:
    """Return the clients that need nothing but ChefMate itself."""
    return [
        InProcess('ChefMate, whole arm in SI', chefmate_arm),
        InProcess('ChefMate, raw bus', chefmate_bus),
        InProcess('Feetech SDK 1.0.0', feetech_sdk),
    ]


def find_lerobot_python(given: Path | None) -> Path | None:
    """Return the interpreter that has LeRobot: the given one, or the repository's, or None.

    Raises:
        ConfigurationError: the given one does not exist.
    """
    if given is not None:
        if not given.is_file():
            raise ConfigurationError(f'{given}: no such file; expected a Python with LeRobot')
        return given
    for folder in Path(__file__).resolve().parents:
        if (folder / LEROBOT_PYTHON).is_file():
            return folder / LEROBOT_PYTHON
    return None


def chefmate_arm(port: str) -> Cycle:
    """The driver's whole path: radians, limits, ages, NaN checks."""
    arm = FeetechArm(port, CALIBRATION, PATIENT)
    arm.connect()
    goal = arm.read().position_rad

    def cycle() -> None:
        if not arm.read().ok:
            raise BusError(f'{port}: a servo did not answer within {PATIENCE_S} s')
        arm.write_goal(goal)

    return cycle, lambda: arm.disconnect(torque_off=False)


def chefmate_bus(port: str) -> Cycle:
    """The same in raw register values, as the SDK has them."""
    bus = ServoBus(port, PATIENT)
    bus.open()
    motion = SyncRead(CALIBRATION.ids, (reg.PRESENT_POSITION, reg.PRESENT_VELOCITY))
    goals = SyncWrite(CALIBRATION.ids, reg.GOAL_POSITION)
    goal = np.full(len(CALIBRATION.ids), 2048).tolist()

    def cycle() -> None:
        if None in bus.sync_read(motion):
            raise BusError(f'{port}: a servo did not answer within {PATIENCE_S} s')
        bus.sync_write(goals, goal)

    return cycle, bus.close


def feetech_sdk(port: str) -> Cycle:
    """Feetech's GroupSyncRead and GroupSyncWrite, as its examples use them."""
    handler = sdk.PortHandler(port)
    handler.openPort()
    handler.setBaudRate(1_000_000)
    # Its own timeout is the wire time and a bit: a busy machine would fail, not be slow.
    handler.setPacketTimeout = lambda length: handler.setPacketTimeoutMillis(PATIENCE_S * 1e3)
    packets = sdk.PacketHandler(0)
    reader = sdk.GroupSyncRead(handler, packets, reg.PRESENT_POSITION.address, 4)
    for servo_id in CALIBRATION.ids:
        reader.addParam(servo_id)
    writer = sdk.GroupSyncWrite(handler, packets, reg.GOAL_POSITION.address, 2)

    def cycle() -> None:
        result = reader.txRxPacket()
        if result != sdk.COMM_SUCCESS:
            raise BusError(f'{port}: Feetech SDK: {packets.getTxRxResult(result)}')
        for servo_id in CALIBRATION.ids:
            reader.getData(servo_id, reg.PRESENT_POSITION.address, 2)
            reader.getData(servo_id, reg.PRESENT_VELOCITY.address, 2)
        writer.clearParam()
        for servo_id in CALIBRATION.ids:
            writer.addParam(servo_id, [0, 8])
        writer.txPacket()

    return cycle, handler.closePort
