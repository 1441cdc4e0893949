"""What makes a loop's thread keep time: each measure asked for, each said whether it was granted.

    report = make_realtime(RealtimeConfig())  # in the loop's own thread, before its first cycle

Nothing here is needed to run: what the system refuses is named, with what to do, and the loop goes
on without it. The processors, the timer and the loop's priority are the calling thread's; the rest
is the whole process's. docs/realtime.md says what each one gives.
"""

import ctypes
import os
import resource
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from chefmate_core.errors import ConfigurationError

# Source: linux/prctl.h, asm-generic/mman.h, linux/capability.h
_PR_SET_TIMERSLACK, _PR_GET_TIMERSLACK = 29, 30
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_CAP_IPC_LOCK, _CAP_SYS_NICE = 14, 23
_WHOLE_ID_RANGE = 2**32 - 1

_HOW = 'see docs/realtime.md; `chefmate doctor --hardware real` checks it'


@dataclass(frozen=True)
class RealtimeConfig:
    """What to ask for. Zero, False and empty leave a thing as it is.

    The priority is ros2_control's, and no higher than that of the kernel's interrupt threads
    (50 on PREEMPT_RT): the loop waits for what they deliver.
    """

    priority: int = 50  # SCHED_FIFO, 1..99
    # SCHED_FIFO of the process's other threads. One of them may hold the interpreter that the loop
    # waits for; were it an ordinary thread, every busy program would come before it, and so before
    # the loop (priority inversion). Left alone where the loop has no priority.
    others_priority: int = 1
    lock_memory: bool = True
    cpus: tuple[int, ...] = ()  # processors that the thread may run on
    timer_slack_ns: int = 1_000  # how much later than asked a sleep may end; Linux: 50 us
    switch_interval_s: float = 0.0005  # how long another Python thread keeps the interpreter

    def __post_init__(self) -> None:
        for name, low, high in (
            ('priority', 0, 99),
            ('others_priority', 0, 99),
            ('timer_slack_ns', 0, 10_000_000),
            ('switch_interval_s', 0.0, 0.1),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not low <= value <= high:
                raise ConfigurationError(
                    f'real-time set-up: {name} is {value!r}, expected {low} to {high}; 0 leaves '
                    'it as it is'
                )
        if self.priority and self.others_priority >= self.priority:
            raise ConfigurationError(
                f'real-time set-up: others_priority is {self.others_priority}, expected less '
                f'than the priority of the loop, {self.priority}; 0 leaves the others as they are'
            )
        present = sorted(os.sched_getaffinity(0))
        wrong = [cpu for cpu in self.cpus if cpu not in present]
        if wrong:
            raise ConfigurationError(
                f'real-time set-up: cpus {list(self.cpus)}: this process may not use {wrong}; it '
                f'may use {present}'
            )


@dataclass(frozen=True)
class Measure:
    """One thing that was asked for."""

    name: str
    granted: bool
    found: str
    advice: str = ''  # what to do; empty when granted

    def __str__(self) -> str:
        if self.granted:
            return self.found
        return f'refused: {self.found}. Next: {self.advice}'


@dataclass
class RealtimeReport:
    """What was granted; and the way back."""

    measures: list[Measure] = field(default_factory=list)
    _undo: list[Callable[[], object]] = field(default_factory=list)

    @property
    def granted(self) -> bool:
        """Whether everything that was asked for was granted."""
        return all(measure.granted for measure in self.measures)

    def as_dict(self) -> dict[str, str]:
        """Return `realtime_{measure}`: what was granted, or why not and what to do."""
        return {f'realtime_{measure.name}': str(measure) for measure in self.measures}

    def undo(self) -> None:
        """Put everything back as it was; call it in the same thread."""
        while self._undo:
            self._undo.pop()()


def make_realtime(config: RealtimeConfig) -> RealtimeReport:
    """Ask for every measure of the configuration, for the calling thread; never raises."""
    report = RealtimeReport()
    undo, measures = report._undo, report.measures
    if config.cpus:
        measures.append(_pin(config.cpus, undo))
    if config.timer_slack_ns:
        measures.append(_sharpen_sleep(config.timer_slack_ns, undo))
    if config.switch_interval_s:
        measures.append(_shorten_switches(config.switch_interval_s, undo))
    if config.lock_memory:
        measures.append(_lock_memory(undo))
    if config.priority:
        measures.append(_schedule_first(config.priority, undo))
        if config.others_priority:
            measures.append(_schedule_others(config.others_priority, undo))
    return report


def fifo_priority_allowed() -> int:
    """Return the highest SCHED_FIFO priority that the limits allow this process, 0 for none.

    The kernel may still refuse: a control group without real-time time does.
    """
    if _has_capability(_CAP_SYS_NICE):
        return 99
    limit, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    return 99 if limit == resource.RLIM_INFINITY else min(99, limit)


def memory_lock_refusal() -> str:
    """Return why all memory of this process must not be locked; empty when it may."""
    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return judge_memory_limit(limit_bytes, _has_capability(_CAP_IPC_LOCK))


def judge_memory_limit(limit_bytes: int, capable: bool) -> str:
    """Return why a limit on locked memory forbids to lock all of it; empty when it does not.

    With everything that comes later locked too, a finite limit would not refuse here but make some
    later allocation fail, and end the process.
    """
    if capable or limit_bytes == resource.RLIM_INFINITY:
        return ''
    return f'at most {limit_bytes / 2**20:.0f} MiB may be locked, all of it is needed'


def _has_capability(number: int) -> bool:
    """Whether this thread has a capability that counts: root of a user namespace has not."""
    try:
        lines = Path('/proc/thread-self/status').read_text().splitlines()
        identities = Path('/proc/self/uid_map').read_text().split()
    except OSError:
        return False
    held = next((int(line[7:], 16) for line in lines if line.startswith('CapEff:')), 0)
    return bool(held >> number & 1) and identities == ['0', '0', str(_WHOLE_ID_RANGE)]


def _pin(cpus: tuple[int, ...], undo: list[Callable[[], object]]) -> Measure:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, cpus)
    except OSError as error:
        advice = f'name processors out of {sorted(before)}'
        return Measure('cpus', False, f'processors {list(cpus)}: {error.strerror}', advice)
    undo.append(lambda: os.sched_setaffinity(0, before))
    return Measure('cpus', True, f'processors {sorted(cpus)}')


def _sharpen_sleep(slack_ns: int, undo: list[Callable[[], object]]) -> Measure:
    prctl = getattr(_libc(), 'prctl', None)
    if prctl is None:
        return Measure('timer', False, 'no prctl: this is not Linux', 'run it on Linux')
    before_ns = prctl(_PR_GET_TIMERSLACK, 0, 0, 0, 0)
    if prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(slack_ns), 0, 0, 0):
        return Measure('timer', False, f'timer slack: {_reason()}', _HOW)
    undo.append(lambda: prctl(_PR_SET_TIMERSLACK, ctypes.c_ulong(before_ns), 0, 0, 0))
    return Measure('timer', True, f'timer slack {slack_ns / 1e3:g} us')


def _shorten_switches(interval_s: float, undo: list[Callable[[], object]]) -> Measure:
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(interval_s)
    undo.append(lambda: sys.setswitchinterval(before_s))
    return Measure('switching', True, f'Python threads switch after {interval_s * 1e3:g} ms')


def _lock_memory(undo: list[Callable[[], object]]) -> Measure:
    advice = f'allow `memlock unlimited` (limits.d, or ulimits of a container): {_HOW}'
    refusal = memory_lock_refusal()
    if refusal:
        return Measure('memory', False, refusal, advice)
    # On fault: what was touched stays. To fetch every page at once would take five times the
    # memory (thread stacks, arenas) and stall the process for 0.3 to 0.8 s.
    flags = _MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT
    mlockall = getattr(_libc(), 'mlockall', None)
    if mlockall is None or mlockall(flags):
        found = 'no mlockall' if mlockall is None else f'mlockall: {_reason()}'
        return Measure('memory', False, found, advice)
    undo.append(_libc().munlockall)
    return Measure('memory', True, 'memory locked')


def _schedule_first(priority: int, undo: list[Callable[[], object]]) -> Measure:
    given, refusal = _fifo(priority)
    if refusal is None:
        # Reset on fork: a child of this thread is an ordinary process.
        refusal = _schedule(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, given, undo)
    if refusal is not None:
        return Measure('scheduler', False, f'SCHED_FIFO {priority}: {refusal[0]}', refusal[1])
    less = f' ({priority} asked for, no more is allowed)' if given < priority else ''
    return Measure('scheduler', True, f'SCHED_FIFO {given}{less}')


def _schedule_others(priority: int, undo: list[Callable[[], object]]) -> Measure:
    given, refusal = _fifo(priority)
    count = 0
    for name in os.listdir('/proc/self/task') if refusal is None else ():
        if int(name) != threading.get_native_id():
            refusal = _schedule(int(name), os.SCHED_FIFO, given, undo)
            if refusal is not None:
                break
            count += 1
    if refusal is not None:
        return Measure('others', False, f'SCHED_FIFO {priority}: {refusal[0]}', refusal[1])
    return Measure('others', True, f'SCHED_FIFO {given} for {count} other threads')


def _fifo(priority: int) -> tuple[int, tuple[str, str] | None]:
    """Return the priority that is allowed, and why none is and what to do."""
    allowed = fifo_priority_allowed()
    if allowed:
        return min(priority, allowed), None
    advice = f'allow `rtprio {priority}` (limits.d, or cap_add SYS_NICE): {_HOW}'
    return 0, ('real-time priority is limited to 0', advice)


def _schedule(
    thread: int, policy: int, priority: int, undo: list[Callable[[], object]]
) -> tuple[str, str] | None:
    """Schedule a thread, 0 for the calling one; return why it is refused and what to do."""
    try:
        before = os.sched_getscheduler(thread), os.sched_getparam(thread)
        os.sched_setscheduler(thread, policy, os.sched_param(priority))
    except ProcessLookupError:
        return None  # it has ended meanwhile
    except OSError as error:
        advice = f'check cpu.rt_runtime_us of the control group, and seccomp: {_HOW}'
        return f'{error.strerror}', advice

    def back() -> None:
        with suppress(ProcessLookupError):
            try:
                os.sched_setscheduler(thread, *before)
            except PermissionError:  # only a privileged thread may clear reset on fork
                os.sched_setscheduler(thread, before[0] | os.SCHED_RESET_ON_FORK, before[1])

    undo.append(back)
    return None


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _reason() -> str:
    return os.strerror(ctypes.get_errno())
