"""What happens in a launch, and who is told: stand-ins for launch.events and event_handlers."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from chefmate.launching.errors import LaunchFileError, refuse_keywords

if TYPE_CHECKING:
    from chefmate.launching.context import LaunchContext


class Event:
    """Something that happened."""

    cause: 'Event | None' = None  # what was being handled when this was emitted


class Shutdown(Event):
    """The launch ends."""

    def __init__(
        self,
        *,
        reason: str = 'reason not given',
        due_to_sigint: bool = False,
        **unknown: Any,
    ) -> None:
        refuse_keywords(self, unknown)
        self.reason = reason
        self.due_to_sigint = due_to_sigint


class ProcessStarted(Event):
    """A process was started."""

    def __init__(self, *, action: Any, name: str, cmd: list[str], pid: int) -> None:
        self.action = action
        self.process_name = name
        self.cmd = cmd
        self.pid = pid


class ProcessExited(ProcessStarted):
    """A process ended. A negative `returncode` is the number of the signal that ended it."""

    def __init__(
        self, *, action: Any, name: str, cmd: list[str], pid: int, returncode: int
    ) -> None:
        super().__init__(action=action, name=name, cmd=cmd, pid=pid)
        self.returncode = returncode


class EventHandler:
    """Base of the handlers; the built-in runner offers the three below."""

    event_class: type[Event] = Event

    def __init__(self, action: Any, *, handle_once: bool = False, **unknown: Any) -> None:
        refuse_keywords(self, unknown)
        self._action = action
        self.handle_once = handle_once

    def matches(self, event: Event) -> bool:
        """Whether this handler wants the event."""
        return type(event) is self.event_class

    def handle(self, event: Event, context: 'LaunchContext') -> list:
        """Return the actions to visit."""
        found = self._action(event, context) if callable(self._action) else self._action
        if found is None:
            return []
        return list(found) if isinstance(found, Iterable) else [found]


class _OnProcess(EventHandler):
    def __init__(self, action: Any, target_action: Any, **kwargs: Any) -> None:
        super().__init__(action, **kwargs)
        if target_action is not None and not (
            callable(target_action) or hasattr(target_action, 'is_process')
        ):
            raise LaunchFileError(
                f'{type(self).__name__}(target_action=...) takes a Node, an ExecuteProcess or a '
                f'function; found {target_action!r}'
            )
        self._target: Any = target_action

    def matches(self, event: Event) -> bool:
        if not super().matches(event) or not isinstance(event, ProcessStarted):
            return False
        if hasattr(self._target, 'is_process'):
            return event.action is self._target
        return self._target is None or bool(self._target(event.action))


class OnProcessStart(_OnProcess):
    """Visit `on_start` when the process of `target_action` (default: any) has started."""

    event_class = ProcessStarted

    def __init__(
        self, *, target_action: Any = None, on_start: Callable | Iterable | Any, **kwargs: Any
    ) -> None:
        super().__init__(on_start, target_action, **kwargs)


class OnProcessExit(_OnProcess):
    """Visit `on_exit` when the process of `target_action` (default: any) has ended."""

    event_class = ProcessExited

    def __init__(
        self, *, target_action: Any = None, on_exit: Callable | Iterable | Any, **kwargs: Any
    ) -> None:
        super().__init__(on_exit, target_action, **kwargs)


class OnShutdown(EventHandler):
    """Visit `on_shutdown` when the launch ends."""

    event_class = Shutdown

    def __init__(self, *, on_shutdown: Callable | Iterable | Any, **kwargs: Any) -> None:
        super().__init__(on_shutdown, **kwargs)
