"""How fast and how closely the follower follows: real processes, topics, both wires, the gate.

    python benchmarks/teleop.py [--seconds 60] [--physics none] [--preset careful] [--json FILE]

A hand moves a virtual leader on a known curve. **Latency**: from the instant at which a joint of
the leader crosses a level to the instant at which the first goal beyond that level has arrived at
the follower's servo; so it holds both buses' bytes at 1 Mbaud, the wait for the leader's next
reading, DDS twice, the wait for the follower's next cycle, and what the safety gate takes.
**Tracking error**: the follower's true joint less the leader's, through both calibrations, at the
same instant; most of it is the servo's own lag times the speed. After a silence of 0.2 s on the
way from hand to gate (a `starvation`) the arm comes after the hand at blend speed, by design: what
the gate did meanwhile is counted, so that a large error has its reason beside it.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from motion import MIDDLE_RAD, curve

from chefmate.task.monitor import DiagnosticsMonitor
from chefmate.task.report import ARM
from chefmate_core.calibration import ArmCalibration
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.teleop.range_map import RangeMap
from chefmate_core.timing import Ticker
from chefmate_description.scene import HOME_POSITION_RAD
from chefmate_sim.kitchen.live import LiveKitchen
from chefmate_sim.leader.hand_held_arm import HandHeldArm
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.model import FirstOrderArm

ROOT = Path(__file__).resolve().parents[1]
HAND_PERIOD_S = 0.002
SETTLE_S = 4.0  # the blend at the start
LEVEL_RAD = 0.02
COUNTED = ('starvations', 'blends', 'stalls', 'rate_limited')  # by the gate, while measured
FAST_RAD_S = 0.3  # a level is crossed in earnest above this speed


class WatchedFollower:
    """A servo model that remembers when each joint's goal arrived."""

    def __init__(self, model) -> None:
        self._model = model
        self.goals = [[] for _ in range(JOINT_COUNT)]  # (steady time, rad)

    def __getattr__(self, name):
        return getattr(self._model, name)

    def set_goal(self, index: int, position_rad: float) -> None:
        """A goal has arrived."""
        self.goals[index].append((time.monotonic(), position_rad))
        self._model.set_goal(index, position_rad)


class Hand(threading.Thread):
    """Moves the leader; remembers where it was, in the follower's joints, and where that was."""

    def __init__(self, leader: HandHeldArm, mapping: RangeMap, follower: WatchedFollower) -> None:
        super().__init__(daemon=True)
        self._leader, self._mapping, self._follower = leader, mapping, follower
        self.moves_at_s = np.inf
        self.ends = threading.Event()
        self.times, self.wanted, self.followed = [], [], []

    def run(self) -> None:
        """Move until told to end."""
        ticker = Ticker(HAND_PERIOD_S)
        while ticker.wait(self.ends):
            now_s = time.monotonic()
            place = curve(max(now_s - self.moves_at_s, 0.0))
            self._leader.move(self._mapping.to_leader(place))
            self.times.append(now_s)
            self.wanted.append(place)
            self.followed.append(self._follower.position_rad())


def crossings_ms(times, wanted, goals) -> list[float]:
    """Return the latency of each level that one joint crosses, ms."""
    goal_times, goal_rad = np.array(goals).T
    speed = np.gradient(wanted, times)
    latencies = []
    for before, after, arrived_s in zip(goal_rad, goal_rad[1:], goal_times[1:], strict=False):
        if not times[0] < arrived_s < times[-1]:
            continue
        low, high = sorted((before, after))
        for level in np.arange(np.ceil(low / LEVEL_RAD), high / LEVEL_RAD) * LEVEL_RAD:
            end = np.searchsorted(times, arrived_s)
            begin = np.searchsorted(times, arrived_s - 0.5)
            side = np.sign(after - before)
            beyond = side * (wanted[begin:end] - level) >= 0.0
            entered = np.flatnonzero(~beyond[:-1] & beyond[1:])
            if not len(entered):
                continue
            index = begin + entered[-1]
            if abs(speed[index]) < FAST_RAD_S:
                continue
            part = (level - wanted[index]) / (wanted[index + 1] - wanted[index])
            crossed_s = times[index] + part * (times[index + 1] - times[index])
            latencies.append((arrived_s - crossed_s) * 1e3)
    return latencies


def measure(arguments, folder: Path) -> dict:
    """Bring everything up, move for the time asked for, take it down."""
    calibrations = {
        arm: ArmCalibration.load(ROOT / 'calibration' / f'{arm}.json')
        for arm in ('leader', 'follower')
    }
    mapping = RangeMap(calibrations['leader'], calibrations['follower'])
    kitchen = None
    if arguments.physics == 'kitchen':
        kitchen = LiveKitchen(0, 1.0, lambda _: None)
        kitchen.start()
        follower = WatchedFollower(kitchen.world)
    else:
        follower = WatchedFollower(FirstOrderArm(np.array(HOME_POSITION_RAD)))
    leader = HandHeldArm(mapping.to_leader(MIDDLE_RAD))
    hand = Hand(leader, mapping, follower)
    with (
        VirtualServoBus(leader, calibrations['leader'], folder / 'leader', wire_time=True),
        VirtualServoBus(follower, calibrations['follower'], folder / 'follower', wire_time=True),
        (folder / 'launch.log').open('w') as log,
    ):
        launch = subprocess.Popen(
            ['chefmate', 'launch', 'teleop.launch.py', 'hardware:=real', 'cameras:=false',
             'instruction:=none', f'preset:={arguments.preset}',
             f'calibration_dir:={ROOT}/calibration',
             f'follower_port:={folder}/follower', f'leader_port:={folder}/leader',
             *([f'params_file:={arguments.params}'] if arguments.params else [])],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        monitor = DiagnosticsMonitor()
        try:
            hand.start()
            wait_until_it_follows(follower, launch, folder)
            hand.moves_at_s = time.monotonic()
            time.sleep(3.0)
            before, from_s = counters(monitor), time.monotonic()
            time.sleep(arguments.seconds)
            after = counters(monitor)
            hand.ends.set()
            hand.join()
        finally:
            monitor.close()
            launch.terminate()
            launch.wait(10.0)
            if kitchen is not None:
                kitchen.stop()
    result = evaluate(hand, follower, from_s, kitchen)
    result['gate'] = {name: after[name] - before[name] for name in COUNTED}
    return result


def counters(monitor: DiagnosticsMonitor) -> dict[str, int]:
    """Return what the follower's gate has counted so far; it reports once a second."""
    said = monitor.board.of(ARM)
    return {name: int(said.get(f'gate_{name}', 0)) for name in COUNTED}


def wait_until_it_follows(follower: WatchedFollower, launch, folder: Path) -> None:
    """Wait for the blend to the leader to end."""
    end_s = time.monotonic() + 60.0
    while not all(
        goals and abs(goals[-1][1] - middle) < 0.01
        for goals, middle in zip(follower.goals, MIDDLE_RAD, strict=True)
    ):
        if time.monotonic() > end_s or launch.poll() is not None:
            sys.exit(f'the follower does not follow:\n{(folder / "launch.log").read_text()}')
        time.sleep(0.05)
    time.sleep(1.0)


def evaluate(hand: Hand, follower: WatchedFollower, from_s: float, kitchen) -> dict:
    """Return latencies and errors."""
    times = np.array(hand.times)
    kept = times >= from_s
    times, wanted = times[kept], np.array(hand.wanted)[kept]
    error = np.array(hand.followed)[kept] - wanted
    latencies = [
        crossings_ms(times, wanted[:, index], follower.goals[index])
        for index in range(JOINT_COUNT)
    ]
    everything = np.concatenate(latencies)
    gaps_ms = np.diff([t for t, _ in follower.goals[0] if t >= from_s]) * 1e3
    hand_gaps_ms = np.diff(times) * 1e3
    return {
        'date': datetime.date.today().isoformat(),
        'machine': f'{platform.machine()}, {os.cpu_count()} cores, '
        f'Python {platform.python_version()}',
        'physics': 'none' if kitchen is None else 'kitchen',
        'real_time_factor': 1.0 if kitchen is None else kitchen.statistics()['real_time_factor'],
        'seconds': float(times[-1] - times[0]),
        'crossings': len(everything),
        'latency_ms': percentiles(everything),
        'cycle_ms': percentiles(gaps_ms),
        'hand_ms': percentiles(hand_gaps_ms),
        'joints': {
            name: {
                'top_speed_rad_s': float(np.max(np.abs(np.gradient(wanted[:, i], times)))),
                'latency_ms': percentiles(np.array(latencies[i])),
                'error_rms_rad': float(np.sqrt(np.mean(error[:, i] ** 2))),
                'error_p99_rad': float(np.percentile(np.abs(error[:, i]), 99)),
                'error_max_rad': float(np.max(np.abs(error[:, i]))),
            }
            for i, name in enumerate(JOINT_NAMES)
        },
    }


def percentiles(values: np.ndarray) -> dict[str, float]:
    """Return p50, p99, max."""
    if not len(values):
        return dict.fromkeys(('p50', 'p99', 'max'), float('nan'))
    p50, p99 = np.percentile(values, (50, 99))
    return {'p50': float(p50), 'p99': float(p99), 'max': float(np.max(values))}


def show(result: dict) -> None:
    """Print the tables."""
    print(f'{result["date"]}, {result["machine"]}; physics: {result["physics"]}, real-time factor '
          f'{result["real_time_factor"]:.2f}; {result["seconds"]:.0f} s')  # fmt: skip
    print('\n| from | p50 | p99 | max |\n|---|---|---|---|')
    for name, key in (
        (f'leader crosses a level to goal at the servo, ms ({result["crossings"]})', 'latency_ms'),
        ('follower cycle, ms (10 asked for)', 'cycle_ms'),
        ('the simulated hand itself, ms (2 asked for)', 'hand_ms'),
    ):
        values = result[key]
        print(f'| {name} | {values["p50"]:.1f} | {values["p99"]:.1f} | {values["max"]:.1f} |')
    print('\ngate: ' + ', '.join(f'{name} {count}' for name, count in result['gate'].items()))
    print('\n| joint | top speed, rad/s | latency p50 / p99, ms | error rms / p99 / max, rad |')
    print('|---|---|---|---|')
    for name, joint in result['joints'].items():
        latency = joint['latency_ms']
        print(f'| `{name}` | {joint["top_speed_rad_s"]:.2f} '
              f'| {latency["p50"]:.1f} / {latency["p99"]:.1f} '
              f'| {joint["error_rms_rad"]:.3f} / {joint["error_p99_rad"]:.3f} '
              f'/ {joint["error_max_rad"]:.3f} |')  # fmt: skip


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--physics', choices=('kitchen', 'none'), default='kitchen')
    parser.add_argument('--preset', choices=('careful', 'normal', 'fast'), default='careful')
    parser.add_argument('--params', type=Path, help='params_file of the launch')
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    sys.setswitchinterval(0.0002)  # as kitchen_node: the bus must answer while physics computes
    with tempfile.TemporaryDirectory(prefix='chefmate_teleop_') as folder:
        result = measure(arguments, Path(folder))
    show(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + '\n')


if __name__ == '__main__':
    main()
