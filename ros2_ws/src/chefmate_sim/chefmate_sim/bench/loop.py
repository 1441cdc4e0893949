"""The loop bench: how punctual the driver is, next to a loop that does nothing but sleep.

Both run at the same time at the same rate, each in a process of its own. Shared machines stall by
themselves; what the driver adds is the difference.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chefmate_core.realtime import RealtimeConfig
from chefmate_core.timing import percentiles_ms
from chefmate_sim.bench.virtual_arm import VirtualArm
from chefmate_sim.bench.worker import Worker

WARM_UP_S = 1.0
START_UP_S = 4.0  # connecting and setting up six servos takes about one
LATENESS_MS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class LoopBench:
    """What to measure: every combination of rate, load and real-time set-up."""

    seconds: float = 60.0
    rates_hz: Sequence[float] = (100.0, 200.0)
    loads: Sequence[bool] = (False, True)
    realtime: Sequence[bool] = (False, True)
    config: RealtimeConfig = field(default_factory=RealtimeConfig)
    wire_time: bool = True

    def windows(self) -> list[tuple[float, bool, bool]]:
        """Return (rate in Hz, loaded, real-time) of each window."""
        return [
            (rate_hz, loaded, realtime)
            for rate_hz in self.rates_hz
            for loaded in self.loads
            for realtime in self.realtime
        ]

    def duration_s(self) -> float:
        """Return about how long all of it takes, s."""
        return len(self.windows()) * (self.seconds + START_UP_S)


def run(bench: LoopBench, advance: Callable[[str], None] = lambda what: None) -> dict[str, Any]:
    """Measure; return {'windows': [...]}. `advance` is called before each window."""
    windows = []
    for rate_hz, loaded, realtime in bench.windows():
        advance(describe(rate_hz, loaded, realtime))
        windows.append(_measure(bench, rate_hz, loaded, realtime))
    return {'windows': windows}


def describe(rate_hz: float, loaded: bool, realtime: bool) -> str:
    """Return a window's name."""
    load = 'busy' if loaded else 'idle'
    return f'{rate_hz:g} Hz, {load}{", real-time" if realtime else ""}'


def _measure(bench: LoopBench, rate_hz: float, loaded: bool, realtime: bool) -> dict[str, Any]:
    config = asdict(bench.config) if realtime else None
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        arm = stack.enter_context(VirtualArm(Path(folder) / 'arm', bench.wire_time))
        driver, bare = (
            stack.enter_context(Worker.of_module('chefmate_sim.bench.loop_worker'))
            for _ in range(2)
        )
        begin_s = time.monotonic() + START_UP_S
        common = {'rate_hz': rate_hz, 'seconds': bench.seconds, 'realtime': config}
        driver.begin(do='drive', port=arm.port, begin_s=begin_s, warm_up_s=WARM_UP_S, **common)
        bare.begin(do='bare', begin_s=begin_s, **common)
        with _busy(os.cpu_count() or 1 if loaded else 0, begin_s - WARM_UP_S):
            driven, slept = driver.answer(), bare.answer()
    ours, best = _periods(driven['periods_us'], rate_hz), _periods(slept['periods_us'], rate_hz)
    return {
        'rate_hz': rate_hz,
        'loaded': loaded,
        'realtime': realtime,
        'driver': {**ours, 'overruns': driven['overruns']},
        'bare': best,
        'ratio': {
            name: ours[f'period_{name}_ms'] / best[f'period_{name}_ms']
            for name in ('p50', 'p99', 'p999', 'max')
        },
        'read': percentiles_ms((us * 1e-6 for us in driven['reads_us']), 'read'),
        'write': percentiles_ms((us * 1e-6 for us in driven['writes_us']), 'write'),
        'gc': driven['gc'],
        'garbage': driven['garbage'],
        'starvations': driven['starvations'],
        'bus': driven['bus'],
        'granted': driven['realtime'],
        'servos_have_priority': arm.has_priority,
    }


def _periods(periods_us: Sequence[int], rate_hz: float) -> dict[str, Any]:
    """Return the percentiles, and what share of the periods was how much too long."""
    values_ms = np.array(periods_us) / 1e3
    late_ms = values_ms - 1e3 / rate_hz
    return {
        'count': len(values_ms),
        **percentiles_ms(values_ms / 1e3, 'period'),
        'share_longer_by_ms': {
            str(limit): float(np.mean(late_ms > limit)) for limit in LATENESS_MS
        },
        'late_ms': {
            name: float(np.percentile(late_ms, share))
            for name, share in (
                ('p50', 50),
                ('p90', 90),
                ('p99', 99),
                ('p999', 99.9),
                ('max', 100),
            )
        },
    }


@contextmanager
def _busy(count: int, from_s: float) -> Iterator[None]:
    """Keep that many processors busy, from a time of the steady clock on."""
    wait = f'import time; time.sleep(max(0.0, {from_s!r} - time.monotonic()))'
    processes = [
        subprocess.Popen((sys.executable, '-c', f'{wait}\nwhile True: pass')) for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
