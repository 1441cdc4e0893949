"""The running processes of a launch: starts them, passes on what they say, sees to their end."""

import os
import selectors
import signal
import time
from dataclasses import dataclass

from chefmate.launching.child import Child, exit_text
from chefmate.launching.context import LaunchContext
from chefmate.launching.events import ProcessExited, ProcessStarted, Shutdown
from chefmate.launching.output import OutputLine, OutputRouter
from chefmate.launching.process_actions import ExecuteProcess, ProcessSpec

POLL_S = 0.1  # a process whose pipes someone else holds open is noticed this late


@dataclass(frozen=True)
class _Respawn:
    due_s: float  # steady time
    action: ExecuteProcess
    spec: ProcessSpec


class Supervisor:
    """Owns the children. All happens in the thread that calls it; events go to `context`.

    `wake_fd` is a descriptor whose readiness ends a wait early. `failures` tells of the processes
    that died with an error by themselves and were not started again; `start_failed` says that one
    could not be started at all.
    """

    def __init__(self, context: LaunchContext, output: OutputRouter, wake_fd: int) -> None:
        self.failures: list[str] = []
        self.start_failed = False
        self._context, self._output = context, output
        self._children: list[Child] = []
        self._respawns: list[_Respawn] = []
        self._retries: dict[ExecuteProcess, int] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(wake_fd, selectors.EVENT_READ)

    @property
    def busy(self) -> bool:
        """Whether anything runs or will be started again."""
        return bool(self._children or self._respawns)

    def start_due(self) -> None:
        """Start what was visited since the last call, and respawns whose time has come."""
        now_s = time.monotonic()
        due = [(item.action, item.spec) for item in self._respawns if item.due_s <= now_s]
        self._respawns = [item for item in self._respawns if item.due_s > now_s]
        pending, self._context.pending = self._context.pending, []
        for action, spec in [*pending, *due]:
            if not self._context.is_shutdown:
                self._start(action, spec)

    def _start(self, action: ExecuteProcess, spec: ProcessSpec) -> None:
        def say(line: OutputLine) -> None:
            self._output.route(line, spec.output)

        try:
            child = Child(action, spec, say)
        except OSError as error:
            self.start_failed = True
            self._context.log(f'cannot start {spec.cmd[0]}: {error}', 'ERROR', spec.name)
            self._context.emit_event_sync(Shutdown(reason=f'{spec.name} cannot be started'))
            return
        self._children.append(child)
        for stream in child.streams:
            self._selector.register(stream, selectors.EVENT_READ, child)
        self._context.log(f'process started with pid [{child.pid}]', source=spec.name)
        self._context.emit_event_sync(
            ProcessStarted(action=action, name=spec.name, cmd=spec.cmd, pid=child.pid)
        )

    def wait(self) -> None:
        """Wait for output, an end or a wake-up, for POLL_S at most, and pass on what came."""
        for key, _ in self._selector.select(POLL_S):
            if not isinstance(key.data, Child):
                os.read(key.fd, 512)  # it only meant to wake
            elif not key.data.read(key.fileobj):  # type: ignore[arg-type]
                self._selector.unregister(key.fileobj)
        for child in list(self._children):
            if child.ended():
                self._children.remove(child)
                self._forget_streams(child)
                self._report_end(child)
            elif (number := child.escalate()) is not None:
                name = signal.Signals(number).name
                self._context.log(f'still running; sent {name}', 'ERROR', child.spec.name)

    def _forget_streams(self, child: Child) -> None:
        for stream in set(child.streams) & {key.fileobj for key in self._registered()}:
            self._selector.unregister(stream)

    def _registered(self) -> list[selectors.SelectorKey]:
        return list(self._selector.get_map().values())

    def _report_end(self, child: Child) -> None:
        context, spec, code = self._context, child.spec, child.returncode or 0
        what = exit_text(code)
        if code == 0:
            context.log(f'process has finished cleanly [pid {child.pid}]', source=spec.name)
        elif context.is_shutdown:
            context.log(f'ended with {what}', source=spec.name)
        else:
            command = ' '.join(spec.cmd)
            text = f"process has died [pid {child.pid}, {what}, cmd '{command}']"
            context.log(text, 'ERROR', spec.name)
            if spec.output == 'log':  # what it said last is not all on the screen
                for line in child.last_lines:
                    context.log(f'  it last said: {line}', 'ERROR', spec.name)
        if not self._plan_respawn(child) and code and not context.is_shutdown:
            self.failures.append(f'{spec.name} ({what})')
        context.emit_event_sync(
            ProcessExited(
                action=child.action, name=spec.name, cmd=spec.cmd, pid=child.pid, returncode=code
            )
        )

    def _plan_respawn(self, child: Child) -> bool:
        spec, retries = child.spec, self._retries.get(child.action, 0)
        used_up = 0 <= spec.respawn_max_retries <= retries
        if not spec.respawn or used_up or self._context.is_shutdown:
            return False
        self._retries[child.action] = retries + 1
        due_s = time.monotonic() + spec.respawn_delay_s
        self._respawns.append(_Respawn(due_s, child.action, spec))
        return True

    def end(self) -> None:
        """Ask every process to end; start nothing more."""
        self._context.pending.clear()
        self._respawns.clear()
        for child in self._children:
            child.end()

    def kill(self) -> None:
        """Kill every process now."""
        for child in self._children:
            child.signal(signal.SIGKILL)

    def close(self) -> None:
        """Leave nothing running, whatever happened."""
        self.kill()
        while not all(child.ended() for child in self._children):
            time.sleep(0.01)
        self._selector.close()
