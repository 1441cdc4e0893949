"""On what and when something was measured."""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path


def describe() -> dict[str, str | int]:
    """Return date, processor, number of processors that may be used, system, Python, load."""
    return {
        'date': datetime.now(UTC).strftime('%Y-%m-%d %H:%M UTC'),
        'processor': _processor(),
        'cpus': len(os.sched_getaffinity(0)),
        'system': f'{platform.system()} {platform.release()}',
        'python': platform.python_version(),
        'load_average': f'{os.getloadavg()[0]:.1f}',
    }


def gpu() -> dict[str, str | int]:
    """Return the GPU's name, where a bench has loaded torch and it sees one; empty otherwise."""
    torch = sys.modules.get('torch')  # to import it takes seconds
    if torch is None or not torch.cuda.is_available():
        return {}
    return {'gpu': torch.cuda.get_device_name()}


def title(machine: dict[str, str | int]) -> str:
    """Return one line for the head of a table."""
    gpu = f'{machine["gpu"]}; ' if 'gpu' in machine else ''
    return (
        f'{machine["date"]}; {gpu}{machine["cpus"]} x {machine["processor"]}; '
        f'{machine["system"]}; Python {machine["python"]}; load before: {machine["load_average"]}'
    )


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.machine()
