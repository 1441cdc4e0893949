"""The state that a launch description is visited with: arguments, environment, handlers."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from chefmate.launching.errors import ADVICE, UnsupportedLaunchFeatureError
from chefmate.launching.output import OutputLine

if TYPE_CHECKING:
    from chefmate.launching.events import Event, EventHandler
    from chefmate.launching.process_actions import ExecuteProcess, ProcessSpec


class LaunchContext:
    """What actions read and change while they are visited.

    `launch_configurations` holds the values of arguments by name. `environment` is the environment
    of this process itself, as in launch: the runner puts it back when the launch ends.
    """

    def __init__(self, log: Callable[[OutputLine], None] | None = None) -> None:
        self.launch_configurations: dict[str, str] = {}
        self.environment = os.environ
        self.locals = SimpleNamespace()
        self.is_shutdown = False
        self.events: deque[Event] = deque()
        self.handlers: list[EventHandler] = []
        self.pending: list[tuple[ExecuteProcess, ProcessSpec]] = []
        self.node_names: dict[str, int] = {}
        self.temporary_folder: Path | None = None  # for parameter files; set by the runner
        self._process_count = 0
        self._log = log

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        raise UnsupportedLaunchFeatureError(
            f'the built-in launch runner has no LaunchContext.{name}. Next: {ADVICE}'
        )

    def perform_substitution(self, substitution: Any) -> str:
        """Return the text of one substitution."""
        return substitution.perform(self)

    def emit_event_sync(self, event: 'Event') -> None:
        """Queue an event; handlers see it after what is being visited now."""
        event.cause = getattr(self.locals, 'event', None)
        self.events.append(event)

    def register_event_handler(self, handler: 'EventHandler') -> None:
        """Add a handler; the newest is asked first, as in launch."""
        self.handlers.insert(0, handler)

    def unregister_event_handler(self, handler: 'EventHandler') -> None:
        """Forget a handler."""
        self.handlers.remove(handler)

    def next_process_number(self) -> int:
        """Return 1, 2, 3 ...: the N of a process named name-N."""
        self._process_count += 1
        return self._process_count

    def log(self, text: str, level: str = 'INFO', source: str = 'launch') -> None:
        """Say something to whoever watches this launch."""
        if self._log is not None:
            self._log(OutputLine(source, 'launch', text, level))

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Undo, at the end, changes to launch configurations and to the environment."""
        configurations = dict(self.launch_configurations)
        with preserved_environment():
            try:
                yield
            finally:
                self.launch_configurations = configurations

    @contextmanager
    def event_in_scope(self, event: 'Event') -> Iterator[None]:
        """Offer the event as `context.locals.event` to what its handlers visit."""
        before = dict(vars(self.locals))
        self.locals.event = event
        try:
            yield
        finally:
            self.locals = SimpleNamespace(**before)


@contextmanager
def preserved_environment() -> Iterator[None]:
    """Put this process's environment back at the end."""
    before = dict(os.environ)
    try:
        yield
    finally:
        # By difference, so that another thread never reads an empty environment.
        for name in set(os.environ) - set(before):
            del os.environ[name]
        for name, value in before.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
