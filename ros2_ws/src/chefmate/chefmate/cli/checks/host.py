"""Checks of the computer: Python, processors, real-time permission, shared memory, locale."""

import locale
import os
import platform
import resource
import sys
from contextlib import suppress

from chefmate.cli.checks.finding import Finding, Machine

OLDEST_PYTHON = (3, 11)
NEWEST_WHEEL_PYTHON = (3, 13)  # the newest that the pip wheels of ROS 2 Jazzy exist for
FEWEST_CPUS = 2
MIB = 1 << 20
# Each process that sends images holds a 32 MiB segment (config/fastdds.xml); eight of them, twice.
ENOUGH_SHARED_MEMORY_BYTES = 512 * MIB
LIMITS_FILE = '/etc/security/limits.d/chefmate.conf'


def python_version(machine: Machine) -> Finding:
    """Python: 3.11 or newer."""
    return judge_python(sys.version_info[:2], platform.python_version(), sys.executable)


def judge_python(version: tuple[int, int], text: str, executable: str) -> Finding:
    """Say whether ChefMate runs on this Python."""
    found = f'{text} ({executable})'
    if version < OLDEST_PYTHON:
        return Finding('Python', 'broken', found, 'install Python 3.11 or newer, run `make setup`')
    if version > NEWEST_WHEEL_PYTHON:
        return Finding('Python', 'warn', found, 'ROS 2 Jazzy exists for Python 3.11 to 3.13')
    return Finding('Python', 'ok', found)


def processors(machine: Machine) -> Finding:
    """Processors that this process may use."""
    return judge_processors(len(os.sched_getaffinity(0)), platform.machine())


def judge_processors(count: int, kind: str) -> Finding:
    """Say whether that many are enough."""
    if count < FEWEST_CPUS:
        advice = f'give this machine or container {FEWEST_CPUS}; cameras and physics will lag'
        return Finding('Processors', 'warn', f'{count} ({kind})', advice)
    return Finding('Processors', 'ok', f'{count} ({kind})')


def realtime(machine: Machine) -> Finding:
    """Permission for SCHED_FIFO and for locked memory."""
    memory_bytes, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    unlimited = memory_bytes == resource.RLIM_INFINITY or os.geteuid() == 0
    return judge_realtime(machine, may_use_fifo(), None if unlimited else memory_bytes)


def may_use_fifo() -> bool:
    """Whether this process may use SCHED_FIFO: tried, and put back at once."""
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, policy, parameter)
        return True
    return False


def judge_realtime(machine: Machine, fifo: bool, memory_bytes: int | None) -> Finding:
    """Say what is missing; `memory_bytes` None means that all memory may be locked."""
    memory = 'all' if memory_bytes is None else f'{memory_bytes / MIB:.0f} MiB'
    found = f'SCHED_FIFO {"allowed" if fifo else "not allowed"}, lockable memory {memory}'
    if fifo and (memory_bytes is None or memory_bytes >= 64 * MIB):
        return Finding('Real time', 'ok', found)
    if not machine.is_real:
        return Finding('Real time', 'skipped', f'{found} (not needed in simulation)')
    advice = (
        f'write `@realtime - rtprio 90` and `@realtime - memlock unlimited` into {LIMITS_FILE}, '
        f'add yourself to the group realtime, log in again; without it the driver may run late'
    )
    return Finding('Real time', 'warn', found, advice)


def shared_memory(machine: Machine) -> Finding:
    """Space in /dev/shm, where images pass between processes."""
    folder = machine.root / 'dev/shm'
    if not folder.is_dir():
        return Finding('Shared memory', 'broken', f'no folder {folder}', 'mount a tmpfs there')
    space = os.statvfs(folder)
    return judge_shared_memory(space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize)


def judge_shared_memory(free_bytes: int, total_bytes: int) -> Finding:
    """Say whether the images of two cameras fit."""
    found = f'{free_bytes / MIB:.0f} MiB free of {total_bytes / MIB:.0f} MiB'
    if free_bytes >= ENOUGH_SHARED_MEMORY_BYTES:
        return Finding('Shared memory', 'ok', found)
    advice = (
        f'images get lost below {ENOUGH_SHARED_MEMORY_BYTES // MIB} MiB: start the container '
        f'with --shm-size=1g, or delete what is left behind in /dev/shm/fastrtps_*'
    )
    return Finding('Shared memory', 'warn', found, advice)


def text_encoding(machine: Machine) -> Finding:
    """The locale's encoding: ROS 2 wants UTF-8."""
    return judge_encoding(locale.getencoding(), machine.environment.get('LANG', ''))


def judge_encoding(encoding: str, language: str) -> Finding:
    """Say whether the encoding is UTF-8."""
    found = f'{encoding} (LANG={language})'
    if encoding.lower().replace('-', '') == 'utf8':
        return Finding('Locale', 'ok', found)
    return Finding('Locale', 'warn', found, 'export LANG=C.UTF-8')
