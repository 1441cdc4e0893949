"""The virtual servos in a process of their own, which can be unplugged, starved and silenced.

They stand in for hardware, which no load on the computer slows down: they run at real-time
priority where that is allowed.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from chefmate_core.calibration import ArmCalibration, JointCalibration
from chefmate_core.joints import JOINT_NAMES
from chefmate_sim.bench.worker import Worker, serve
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus

# Ranges of an ordinary SO-101, in ticks; what they are matters to no measurement.
CALIBRATION = ArmCalibration(
    tuple(
        JointCalibration(index + 1, 0, 0, *((2029, 3281) if name == 'gripper' else (848, 3248)))
        for index, name in enumerate(JOINT_NAMES)
    )
)
PRIORITY = 60  # above every loop that is measured


class VirtualArm:
    """The asking end: a port that exists while this does. Usable as a context manager."""

    def __init__(self, link: Path, wire_time: bool) -> None:
        self.port = str(link)
        self._worker = Worker.of_module('chefmate_sim.bench.virtual_arm')
        try:
            answer = self._worker.ask(do='open', link=self.port, wire_time=wire_time)
        except BaseException:
            self._worker.close()
            raise
        self.has_priority: bool = answer['has_priority']

    def __enter__(self) -> 'VirtualArm':
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()

    def cpu_s(self) -> float:
        """Return how much processor time the servos have taken, s."""
        return self._worker.ask(do='cpu')['cpu_s']

    def hang_up(self) -> None:
        """Pull the USB plug; the servos keep their power."""
        self._worker.ask(do='hang_up')

    def plug_in(self) -> float:
        """Plug it in again; return when that was done, s of the steady clock."""
        return self._worker.ask(do='plug_in')['at_s']

    def cut_power(self) -> None:
        """Take the power of all servos away; the port stays."""
        self._worker.ask(do='silence', servo_ids=list(CALIBRATION.ids))

    def restore_power(self) -> float:
        """Give it back: the servos start anew, with torque off; return when that was done, s."""
        return self._worker.ask(do='restart', servo_ids=list(CALIBRATION.ids))['at_s']

    def silence(self, servo_id: int) -> None:
        """Let one servo neither hear nor answer."""
        self._worker.ask(do='silence', servo_ids=[servo_id])

    def revive(self, servo_id: int) -> float:
        """Let it hear and answer again, its torque as it was; return when that was done, s."""
        return self._worker.ask(do='revive', servo_ids=[servo_id])['at_s']


class _Servos:
    """The answering end."""

    def __init__(self) -> None:
        self._bus: VirtualServoBus | None = None

    @property
    def bus(self) -> VirtualServoBus:
        assert self._bus is not None, 'open comes first'
        return self._bus

    def open(self, link: str, wire_time: bool) -> dict[str, Any]:
        has_priority = False
        with suppress(PermissionError):
            # Threads that this one starts inherit it.
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
            has_priority = True
        self._bus = VirtualServoBus(FirstOrderArm(), CALIBRATION, Path(link), wire_time=wire_time)
        return {'has_priority': has_priority}

    def cpu(self) -> dict[str, Any]:
        return {'cpu_s': time.process_time()}

    def hang_up(self) -> dict[str, Any]:
        self.bus.hang_up()
        return _done()

    def plug_in(self) -> dict[str, Any]:
        self.bus.plug_in()
        return _done()

    def silence(self, servo_ids: list[int]) -> dict[str, Any]:
        for servo_id in servo_ids:
            self.bus.faults.kill(servo_id)
        return _done()

    def revive(self, servo_ids: list[int]) -> dict[str, Any]:
        for servo_id in servo_ids:
            self.bus.faults.revive(servo_id)
        return _done()

    def restart(self, servo_ids: list[int]) -> dict[str, Any]:
        for servo in self.bus.servos:
            if servo.servo_id in servo_ids:
                servo.power_on()
        return self.revive(servo_ids)

    def close(self) -> None:
        if self._bus is not None:
            self._bus.close()


def _done() -> dict[str, Any]:
    return {'at_s': time.monotonic()}


def main() -> None:
    """Answer until the input ends."""
    servos = _Servos()
    names = ('open', 'cpu', 'hang_up', 'plug_in', 'silence', 'revive', 'restart')
    try:
        serve({name: getattr(servos, name) for name in names})
    finally:
        servos.close()


if __name__ == '__main__':
    main()
