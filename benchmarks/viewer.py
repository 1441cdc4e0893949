#!/usr/bin/env python3
"""What the page costs: its processor time by viewers, and the driver's loop with and without it.

    python benchmarks/viewer.py [--rounds 5] [--seconds 15] [--browser] [--json FILE]

The simulated kitchen makes sandwiches all the time, through the whole ROS path. In each round
every condition has its turn, in another order each time: no page; a page that nobody watches; one
viewer; five. A viewer here is a websocket that reads everything, in a process of its own: what a
browser takes to draw is the cost of the machine on which it runs. `--browser` adds a condition
with a real Chromium on this machine, drawing by software, which is the worst there is.

**Processor time** is in percent of one core, of all threads of a process. **Loop period**: from
one read of the servos to the next, by the stamps of `follower/joint_states`.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from chefmate_msgs.action import ExecuteTask
from chefmate_ros import qos

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))  # the page's viewers, with and without a browser

CLOSED, BROWSER = 'no page', 'Chromium here'
VIEWERS = {'nobody': 0, 'one viewer': 1, 'five viewers': 5}
PROCESSES = ('viewer_node', 'arm_driver_node', 'kitchen_camera_node')
SETTLE_S = 4.0
TICKS_PER_S = os.sysconf('SC_CLK_TCK')


class Bench(Node):
    """Keeps the arm at work, and collects the stamps of what it reads."""

    def __init__(self) -> None:
        super().__init__('bench')
        self.stamps_ns: list[int] = []
        self.create_subscription(
            JointState, 'follower/joint_states', self._on_joints, qos.EVERY_STATE
        )
        self._tasks = ActionClient(self, ExecuteTask, 'execute_task')
        self._reset = self.create_client(Trigger, 'kitchen/reset')
        self._ends = threading.Event()
        self._spinner = threading.Thread(target=self._spin, daemon=True)
        self._worker = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Wait for the kitchen; then give one task after the other."""
        self._spinner.start()
        if not self._tasks.wait_for_server(60.0) or not self._reset.wait_for_service(60.0):
            sys.exit('the kitchen did not come up')
        self._worker.start()

    def stop(self) -> None:
        """Give no more tasks, and hear nothing more."""
        self._ends.set()
        if self._worker.is_alive():
            self._worker.join(timeout=15.0)
        rclpy.try_shutdown()
        if self._spinner.is_alive():
            self._spinner.join(timeout=5.0)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            rclpy.spin(self)

    def _work(self) -> None:
        while not self._ends.is_set():
            self._wait(self._reset.call_async(Trigger.Request()), 10.0)
            goal = ExecuteTask.Goal(instruction='make a sandwich')
            accepted = self._wait(self._tasks.send_goal_async(goal), 10.0)
            if accepted is None or not accepted.accepted:
                time.sleep(1.0)
                continue
            self._wait(accepted.get_result_async(), 120.0)

    def _wait(self, future, timeout_s: float):
        end_s = time.monotonic() + timeout_s
        while not future.done() and time.monotonic() < end_s and not self._ends.is_set():
            time.sleep(0.05)
        return future.result() if future.done() else None

    def _on_joints(self, message: JointState) -> None:
        stamp = message.header.stamp
        self.stamps_ns.append(stamp.sec * 10**9 + stamp.nanosec)


@contextlib.contextmanager
def working() -> Iterator[Bench]:
    """Keep the arm at work."""
    rclpy.init()
    bench = Bench()
    try:
        bench.start()
        yield bench
    finally:
        bench.stop()


@contextlib.contextmanager
def running(*words: str, log: Path) -> Iterator[subprocess.Popen]:
    """Run a command in a process group of its own, and end all of it."""
    with log.open('a') as output:
        process = subprocess.Popen(
            words, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15.0)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def page(folder: Path) -> Iterator[str]:
    """Serve the page; yields its address."""
    log = folder / f'page_{time.monotonic_ns()}.log'
    with running('chefmate', 'launch', 'viewer', 'view_port:=8480', log=log):
        end_s = time.monotonic() + 30.0
        while not (found := re.search(r'the page: (http://[^\s?]+)', log.read_text())):
            if time.monotonic() > end_s:
                sys.exit(f'the page did not come up:\n{log.read_text()}')
            time.sleep(0.1)
        yield found[1]


@contextlib.contextmanager
def condition(name: str, folder: Path) -> Iterator[None]:
    """Bring a condition about."""
    with contextlib.ExitStack() as opened:
        if name != CLOSED:
            address = opened.enter_context(page(folder))
            if count := VIEWERS.get(name, 1):
                what = 'browser' if name == BROWSER else str(count)
                me = (sys.executable, __file__, '--watch', address, what)
                opened.enter_context(running(*me, log=folder / 'viewers.log'))
        time.sleep(SETTLE_S if name != BROWSER else 3 * SETTLE_S)
        yield


def watch(address: str, what: str) -> None:
    """Be the viewers, until interrupted."""
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as opened:
        if what == 'browser':
            from browser import Browser

            opened.enter_context(Browser()).open(address)
        else:
            from page_watcher import PageWatcher

            for _ in range(int(what)):
                opened.enter_context(PageWatcher(address))
        signal.pause()


def processor_s() -> dict[str, float]:
    """Return the processor time that each process of interest has taken, s."""
    domain = f'ROS_DOMAIN_ID={os.environ["ROS_DOMAIN_ID"]}'.encode()
    taken = dict.fromkeys(PROCESSES, 0.0)
    for folder in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            command = (folder / 'cmdline').read_bytes().decode().split('\0')
            name = next((Path(w).name for w in command[:2] if Path(w).name in taken), None)
            if name and domain in (folder / 'environ').read_bytes().split(b'\0'):
                fields = (folder / 'stat').read_text().rpartition(')')[2].split()
                taken[name] += (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    return taken


def measure(arguments: argparse.Namespace, folder: Path) -> dict:
    """Go through all rounds."""
    names = [CLOSED, *VIEWERS, *([BROWSER] if arguments.browser else [])]
    periods_ms: dict[str, list[float]] = {name: [] for name in names}
    shares: dict[str, dict[str, list[float]]] = {
        name: {process: [] for process in PROCESSES} for name in names
    }
    deploy = ('chefmate', 'launch', 'deploy', 'instruction:=none', 'view:=false')
    with contextlib.ExitStack() as opened:
        opened.enter_context(running(*deploy, log=folder / 'deploy.log'))
        bench = opened.enter_context(working())
        time.sleep(SETTLE_S)
        for number in range(arguments.rounds):
            for name in np.roll(names, -number):
                with condition(str(name), folder):
                    before, first = processor_s(), len(bench.stamps_ns)
                    began_s = time.monotonic()
                    time.sleep(arguments.seconds)
                    elapsed_s, after = time.monotonic() - began_s, processor_s()
                    stamps = bench.stamps_ns[first:]
                periods_ms[name] += [gap * 1e-6 for gap in np.diff(stamps)]
                for process in PROCESSES:
                    share = 100.0 * (after[process] - before[process]) / elapsed_s
                    shares[name][process].append(share)
                print(f'round {number + 1}, {name}: done', file=sys.stderr)
    return {
        'date': datetime.date.today().isoformat(),
        'machine': f'{platform.machine()}, {os.cpu_count()} cores, '
        f'Python {platform.python_version()}',
        'rounds': arguments.rounds,
        'seconds': arguments.seconds,
        'conditions': {
            name: {
                'period_ms': percentiles(periods_ms[name]),
                'processor_percent': {
                    process: {
                        'median': float(np.median(values)),
                        'lowest': min(values),
                        'highest': max(values),
                    }
                    for process, values in shares[name].items()
                },
            }
            for name in names
        },
    }


def percentiles(values: list[float]) -> dict[str, float]:
    """Return how many, p50, p99, max."""
    p50, p99 = np.percentile(values, (50, 99)) if values else (np.nan, np.nan)
    return {'count': len(values), 'p50': p50, 'p99': p99, 'max': max(values, default=np.nan)}


def show(result: dict) -> None:
    """Print the table."""
    print(f'{result["date"]}, {result["machine"]}; {result["rounds"]} rounds of '
          f'{result["seconds"]:.0f} s each\n')  # fmt: skip
    print('| | page, % of a core (range) | cameras | driver | driver loop p50 / p99 / max, ms |')
    print('|---|---|---|---|---|')
    for name, found in result['conditions'].items():
        page_share, driver, cameras = (found['processor_percent'][key] for key in PROCESSES)
        period = found['period_ms']
        print(f'| {name} | {page_share["median"]:.1f} ({page_share["lowest"]:.1f}-'
              f'{page_share["highest"]:.1f}) | {cameras["median"]:.0f} | {driver["median"]:.0f} '
              f'| {period["p50"]:.2f} / {period["p99"]:.2f} / {period["max"]:.1f} |')  # fmt: skip


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=float, default=15.0, help='of each turn')
    parser.add_argument('--browser', action='store_true', help='also a real Chromium')
    parser.add_argument('--json', type=Path)
    parser.add_argument('--watch', nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch:
        watch(*arguments.watch)
        return
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    os.environ.setdefault('ROS_DOMAIN_ID', '0')
    with tempfile.TemporaryDirectory(prefix='chefmate_viewer_') as folder:
        result = measure(arguments, Path(folder))
    show(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + '\n')


if __name__ == '__main__':
    main()
