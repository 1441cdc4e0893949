"""The action that starts a process: a stand-in for launch.actions.ExecuteProcess."""

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chefmate.launching.actions import Action
from chefmate.launching.context import LaunchContext
from chefmate.launching.errors import LaunchFileError
from chefmate.launching.events import OnProcessExit
from chefmate.launching.output import OUTPUT_CHOICES
from chefmate.launching.substitutions import (
    LaunchConfiguration,
    SomeSubstitutions,
    normalize,
    perform,
    perform_bool,
)

# A launch ends within 3 s, unless a node has something to save: asked, told, killed. launch itself
# takes 5 s and 5 s by default.
SIGTERM_AFTER_S = 1.5  # after SIGINT
SIGKILL_AFTER_S = 1.0  # after SIGTERM


@dataclass(frozen=True)
class ProcessSpec:
    """A process as it will be started, every substitution performed."""

    name: str  # unique in the launch: 'arm_driver_node-1'
    cmd: list[str]
    env: dict[str, str]
    cwd: str | None
    shell: bool
    output: str
    sigterm_after_s: float
    sigkill_after_s: float
    respawn: bool
    respawn_delay_s: float
    respawn_max_retries: int  # negative: no limit


class ExecuteProcess(Action):
    """Start a program."""

    is_process = True

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutions],
        name: SomeSubstitutions | None = None,
        cwd: SomeSubstitutions | None = None,
        env: Mapping | None = None,
        additional_env: Mapping | None = None,
        prefix: SomeSubstitutions | None = None,
        shell: bool = False,
        output: SomeSubstitutions = 'log',
        on_exit: Any = None,
        respawn: bool | SomeSubstitutions = False,
        respawn_delay: float | None = None,
        respawn_max_retries: int = -1,
        sigterm_timeout: SomeSubstitutions | None = None,
        sigkill_timeout: SomeSubstitutions | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._cmd = [normalize(part) for part in cmd]
        self._name, self._cwd, self._prefix = name, cwd, prefix
        self._env, self._additional_env = env, additional_env
        self._shell, self._output, self.on_exit = shell, output, on_exit
        self._respawn, self._respawn_delay = respawn, respawn_delay
        self._respawn_max_retries = respawn_max_retries
        self._sigterm_timeout = sigterm_timeout or LaunchConfiguration(
            'sigterm_timeout', default=str(SIGTERM_AFTER_S)
        )
        self._sigkill_timeout = sigkill_timeout or LaunchConfiguration(
            'sigkill_timeout', default=str(SIGKILL_AFTER_S)
        )
        self._executed = False

    def command(self, context: LaunchContext) -> list[str]:
        """Return the command line."""
        return [perform(context, part) for part in self._cmd]

    def execute(self, context: LaunchContext) -> None:
        """Prepare the process; the runner starts it when all that is visited with it was good."""
        if self._executed:
            raise LaunchFileError(f'{self!r} was visited twice; make one action per process')
        self._executed = True
        if context.is_shutdown:
            return
        spec = self.specify(context)
        if self.on_exit is not None:
            handler = OnProcessExit(target_action=self, on_exit=self.on_exit)
            context.register_event_handler(handler)
        context.pending.append((self, spec))

    def nested(self) -> list[Action]:  # noqa: D102
        return self.on_exit if isinstance(self.on_exit, list) else []

    def specify(self, context: LaunchContext) -> ProcessSpec:
        """Perform every substitution."""
        cmd = self.command(context)
        if self._prefix is not None:
            cmd = [*shlex.split(perform(context, self._prefix)), *cmd]
        name = perform(context, self._name) if self._name else os.path.basename(cmd[0])
        output = os.environ.get('OVERRIDE_LAUNCH_PROCESS_OUTPUT') or perform(context, self._output)
        if output not in OUTPUT_CHOICES:
            raise LaunchFileError(
                f'{name}: output={output!r} is not known to the built-in launch runner; known: '
                f'{", ".join(OUTPUT_CHOICES)}'
            )
        respawn = self._respawn
        return ProcessSpec(
            name=f'{name}-{context.next_process_number()}',
            cmd=cmd,
            env=self._environment(context),
            cwd=None if self._cwd is None else perform(context, self._cwd),
            shell=self._shell,
            output=output,
            sigterm_after_s=_seconds(context, self._sigterm_timeout, 'sigterm_timeout'),
            sigkill_after_s=_seconds(context, self._sigkill_timeout, 'sigkill_timeout'),
            respawn=respawn if isinstance(respawn, bool) else perform_bool(context, respawn),
            respawn_delay_s=self._respawn_delay or 0.0,
            respawn_max_retries=self._respawn_max_retries,
        )

    def _environment(self, context: LaunchContext) -> dict[str, str]:
        env = dict(context.environment) if self._env is None else {}
        for more in (self._env, self._additional_env):
            for key, value in (more or {}).items():
                env[perform(context, key)] = perform(context, value)
        return env


def _seconds(context: LaunchContext, value: Any, what: str) -> float:
    text = perform(context, value)
    try:
        seconds = float(text)
    except ValueError:
        seconds = float('nan')
    if not 0.0 <= seconds < float('inf'):
        raise LaunchFileError(f'{what} is a number of seconds, 0 or more; found {text!r}')
    return seconds
