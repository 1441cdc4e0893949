"""What each real-time measure gives, one at a time: the tables of docs/realtime.md.

    python benchmarks/realtime.py [--seconds 8]

`interpreter`: a thread sleeps to deadlines of 5 ms while another thread of its process computes
2 ms in every 10, and two other programs keep both processors busy. How late does it wake?

`terminal`: two SCHED_FIFO processes send each other 14 bytes, through a pseudo-terminal and
through a socket, while both processors are busy. How long does it take, there and back?

`garbage`: how long a full collection stops a process that has ROS and the driver's node imported,
as it is and after `gc.freeze`.
"""

import argparse
import gc
import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time
import tty

import numpy as np

from chefmate_core.realtime import RealtimeConfig, make_realtime

PERIOD_S = 0.005
CASES = {
    'as it comes': None,
    'switch interval 0.5 ms': RealtimeConfig(priority=0),
    'SCHED_FIFO 50 only': RealtimeConfig(others_priority=0, switch_interval_s=0.0),
    'both': RealtimeConfig(others_priority=0),
    'both, other threads SCHED_FIFO 1': RealtimeConfig(),
}


def percentiles(durations_s: list[float]) -> str:
    """Return p50, p90, p99, p99.9 and max in ms."""
    values = np.percentile(np.array(durations_s) * 1e3, (50, 90, 99, 99.9, 100))
    return '  '.join(f'{value:7.3f}' for value in values)


def lateness(config: RealtimeConfig | None, seconds: float) -> list[float]:
    """Return how late each wake-up was, s, beside a thread that computes."""
    done, late_s = threading.Event(), []

    def compute() -> None:
        while not done.wait(0.008):
            until_s = time.thread_time() + 0.002
            while time.thread_time() < until_s:
                pass

    def loop() -> None:
        report = make_realtime(config) if config is not None else None
        due_s = time.monotonic()
        for _ in range(round(seconds / PERIOD_S)):
            due_s += PERIOD_S
            time.sleep(max(0.0, due_s - time.monotonic()))
            now_s = time.monotonic()
            late_s.append(now_s - due_s)
            due_s = max(due_s, now_s - PERIOD_S)
        if report is not None:
            report.undo()

    threads = [threading.Thread(target=compute), threading.Thread(target=loop)]
    for thread in threads:
        thread.start()
    threads[1].join()
    done.set()
    threads[0].join()
    return late_s


def round_trips(through_terminal: bool, seconds: float) -> list[float]:
    """Return how long a packet took to a SCHED_FIFO process and back, s."""
    if through_terminal:
        there, here = pty.openpty()
        tty.setraw(here)
    else:
        there, here = (end.detach() for end in socket.socketpair())
    child = os.fork()
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    if child == 0:
        while True:
            os.write(there, os.read(there, 100))
    durations_s, poll = [], select.poll()
    poll.register(here, select.POLLIN)
    for _ in range(round(seconds / PERIOD_S)):
        time.sleep(PERIOD_S)
        before_s = time.perf_counter()
        os.write(here, bytes(14))
        poll.poll()
        os.read(here, 100)
        durations_s.append(time.perf_counter() - before_s)
    os.kill(child, 9)
    os.waitpid(child, 0)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return durations_s


def full_collections_s() -> tuple[float, float]:
    """Return how long a full collection takes, s, as it is and after gc.freeze."""
    import rclpy

    import chefmate.nodes.arm_driver_node  # noqa: F401

    rclpy.init()
    node = rclpy.create_node('garbage')
    found = []
    for prepare in (gc.collect, gc.freeze):
        prepare()
        before_s = time.perf_counter()
        gc.collect()
        found.append(time.perf_counter() - before_s)
    gc.unfreeze()
    node.destroy_node()
    rclpy.try_shutdown()
    return found[0], found[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=8.0, help='of each case')
    seconds = parser.parse_args().seconds
    command = (sys.executable, '-c', 'while True: pass')
    busy = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        print(f'{"interpreter, late by, ms":34}    p50      p90      p99    p99.9      max')
        for name, config in CASES.items():
            print(f'{name:34}', percentiles(lateness(config, seconds)), flush=True)
        print('terminal, there and back, ms')
        for name, through_terminal in (('pseudo-terminal', True), ('socket', False)):
            print(f'{name:34}', percentiles(round_trips(through_terminal, seconds)), flush=True)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    whole_s, frozen_s = full_collections_s()
    print(f'garbage: full collection {whole_s * 1e3:.1f} ms, frozen {frozen_s * 1e6:.1f} us')


if __name__ == '__main__':
    main()
