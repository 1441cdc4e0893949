"""Checks of the computer: Python, processors, real-time permission, shared memory, locale."""

import locale
import os
import platform
import sys
from contextlib import suppress

from chefmate.cli.checks.finding import Finding, Machine

OLDEST_PYTHON = (3, 11)
NEWEST_WHEEL_PYTHON = (3, 13)  # the newest that the pip wheels of ROS 2 Jazzy exist for
FEWEST_CPUS = 2
MIB = 1 << 20
# Each process that sends images holds a 32 MiB segment (config/fastdds.xml); eight of them, twice.
ENOUGH_SHARED_MEMORY_BYTES = 512 * MIB
WANTED_PRIORITY = 50  # chefmate_core.realtime.RealtimeConfig; a test compares them
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
    """Permission for what the driver's loop asks for: SCHED_FIFO and locked memory."""
    # Imported here, so that the doctor can say what else is wrong where this cannot be.
    from chefmate_core.realtime import fifo_priority_allowed, memory_lock_refusal

    allowed = fifo_priority_allowed()
    # The limits may say yes and the kernel no: a control group without real-time time.
    return judge_realtime(machine, allowed if may_use_fifo() else 0, memory_lock_refusal())


def may_use_fifo() -> bool:
    """Whether this thread may use SCHED_FIFO: tried, and put back at once."""
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, policy, parameter)
        return True
    return False


def judge_realtime(machine: Machine, priority: int, memory_refusal: str) -> Finding:
    """Say what is missing: the highest priority, 0 for none, and why memory is not locked."""
    scheduler = f'SCHED_FIFO up to {priority}' if priority else 'no SCHED_FIFO'
    memory = memory_refusal or 'all memory may be locked'
    found = f'{scheduler}; {memory}'
    if priority >= WANTED_PRIORITY and not memory_refusal:
        return Finding('Real time', 'ok', found)
    if not machine.is_real:
        return Finding('Real time', 'skipped', f'{found} (not needed in simulation)')
    advice = (
        f'write `@realtime - rtprio 90` and `@realtime - memlock unlimited` into {LIMITS_FILE}, '
        'add yourself to the group realtime, log in again (a container: docs/realtime.md); '
        'without it the driver runs late when this computer is busy'
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
