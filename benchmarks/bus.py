"""Cycles of a servo bus: read position and velocity of six servos, write six goals.

    python benchmarks/bus.py [--cycles 3000] [--rounds 3] [--json FILE]

ChefMate's bus and Feetech's own SDK (GroupSyncRead, GroupSyncWrite) take turns on the same
pseudo-terminal; the virtual servos run in a process of their own. CPU time is the client's alone.
`chefmate, SI` is the whole `FeetechArm`: radians, limits, ages, NaN checks. With wire time every
byte takes 10 bits at 1 Mbaud, as on the real wire.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scservo_sdk as sdk

from chefmate_core.calibration import ArmCalibration
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.protocol import wire_time_s
from chefmate_core.servo.sync import SyncRead, SyncWrite
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus

CALIBRATION = Path(__file__).resolve().parents[1] / 'calibration' / 'follower.json'
IDS = (1, 2, 3, 4, 5, 6)
PATIENT = ServoConfig(reply_timeout_s=0.5, gap_timeout_s=0.5)


def serve(link: str, wire_time: bool, ready, done) -> None:
    """Run the virtual bus until told to end."""
    calibration = ArmCalibration.load(CALIBRATION)
    with VirtualServoBus(FirstOrderArm(), calibration, Path(link), wire_time=wire_time):
        ready.set()
        done.wait()


def chefmate_arm(port: str) -> tuple[Callable[[], None], Callable[[], None], int]:
    """Return cycle, close, bytes on the wire a cycle."""
    arm = FeetechArm(port, ArmCalibration.load(CALIBRATION), PATIENT)
    arm.connect()
    goal = arm.read().position_rad

    def cycle() -> None:
        arm.read()
        arm.write_goal(goal)

    return cycle, lambda: arm.disconnect(torque_off=False), 14 + 60 + 26


def chefmate_bus(port: str) -> tuple[Callable[[], None], Callable[[], None], int]:
    """The same cycle in raw register values."""
    bus = ServoBus(port, PATIENT)
    bus.open()
    motion = SyncRead(IDS, (reg.PRESENT_POSITION, reg.PRESENT_VELOCITY))
    goals = SyncWrite(IDS, reg.GOAL_POSITION)

    def cycle() -> None:
        rows = bus.sync_read(motion)
        assert None not in rows
        bus.sync_write(goals, [2048] * 6)

    return cycle, bus.close, 14 + 60 + 26


def feetech_sdk(port: str) -> tuple[Callable[[], None], Callable[[], None], int]:
    """The same cycle with Feetech's SDK, in raw register values."""
    handler = sdk.PortHandler(port)
    handler.openPort()
    handler.setBaudRate(1_000_000)
    handler.setPacketTimeout = lambda length: handler.setPacketTimeoutMillis(500)
    packets = sdk.PacketHandler(0)
    reader = sdk.GroupSyncRead(handler, packets, 56, 4)
    for servo_id in IDS:
        reader.addParam(servo_id)
    writer = sdk.GroupSyncWrite(handler, packets, 42, 2)

    def cycle() -> None:
        assert reader.txRxPacket() == sdk.COMM_SUCCESS
        for servo_id in IDS:
            reader.getData(servo_id, 56, 2)
            reader.getData(servo_id, 58, 2)
        writer.clearParam()
        for servo_id in IDS:
            writer.addParam(servo_id, [0, 8])
        writer.txPacket()

    return cycle, handler.closePort, 14 + 60 + 26


CLIENTS = {'chefmate, SI': chefmate_arm, 'chefmate, raw': chefmate_bus, 'feetech SDK': feetech_sdk}


def measure(wire_time: bool, cycles: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return milliseconds and CPU microseconds a cycle of each client: the best of the rounds."""
    context = multiprocessing.get_context('spawn')
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in CLIENTS}
    wire_ms = {}
    with tempfile.TemporaryDirectory() as folder:
        link = str(Path(folder) / 'arm')
        ready, done = context.Event(), context.Event()
        server = context.Process(target=serve, args=(link, wire_time, ready, done))
        server.start()
        ready.wait()
        try:
            for _ in range(rounds):
                for name, client in CLIENTS.items():
                    cycle, close, wire_bytes = client(link)
                    wire_ms[name] = wire_time_s(wire_bytes, 1_000_000) * 1e3
                    for _ in range(50):
                        cycle()
                    start_s, start_cpu_s = time.perf_counter(), time.thread_time()
                    for _ in range(cycles):
                        cycle()
                    elapsed_s = time.perf_counter() - start_s
                    cpu_s = time.thread_time() - start_cpu_s
                    close()
                    results[name].append((elapsed_s / cycles * 1e3, cpu_s / cycles * 1e6))
        finally:
            done.set()
            server.join()
    table = {}
    for name, rows in results.items():
        cycle_ms, cpu_us = np.array(rows).min(axis=0)
        table[name] = {
            'cycle_ms': round(float(cycle_ms), 4),
            'cycles_per_s': round(1e3 / float(cycle_ms), 1),
            'cpu_us_per_cycle': round(float(cpu_us), 1),
        }
        if wire_time:
            table[name]['of_wire_limit'] = round(wire_ms[name] / float(cycle_ms), 3)
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cycles', type=int, default=3000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--json', type=Path, help='write the numbers here too')
    arguments = parser.parse_args()
    report = {}
    for wire_time in (False, True):
        table = measure(wire_time, arguments.cycles, arguments.rounds)
        report['wire time' if wire_time else 'no wire time'] = table
        print('with wire time, 1 Mbaud' if wire_time else 'without wire time')
        for name, row in table.items():
            print(f'  {name:14}', '  '.join(f'{key} {value:8}' for key, value in row.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + '\n')


if __name__ == '__main__':
    main()
