"""What a launch file lists: stand-ins for LaunchDescription and the plain launch.actions.

Actions that start processes are in process_actions.py.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chefmate.launching.conditions import Condition
from chefmate.launching.context import LaunchContext
from chefmate.launching.errors import (
    ADVICE,
    LaunchFileError,
    UnsupportedLaunchFeatureError,
    refuse_keywords,
)
from chefmate.launching.events import Event, EventHandler
from chefmate.launching.events import Shutdown as ShutdownEvent
from chefmate.launching.substitutions import SomeSubstitutions, Substitution, normalize, perform


class Action:
    """One step of a launch description, visited unless its condition says no."""

    def __init__(self, *, condition: Condition | None = None, **unknown: Any) -> None:
        refuse_keywords(self, unknown)
        self.condition = condition

    def visit(self, context: LaunchContext) -> None:
        """Execute this action, then what it returns, in order."""
        if self.condition is not None and not self.condition.evaluate(context):
            return
        visit_all(self.execute(context), context)

    def execute(self, context: LaunchContext) -> 'Iterable[Action] | None':
        """Do it; return further actions, if any."""
        raise NotImplementedError

    def nested(self) -> 'Iterable[Action]':
        """Return the actions that are known inside this one before anything runs."""
        return ()


class LaunchDescription:
    """The list of actions of a launch file."""

    def __init__(self, initial_entities: Iterable[Any] | None = None) -> None:
        self.entities = list(initial_entities or ())

    def add_action(self, action: Any) -> None:
        """Append an action."""
        self.entities.append(action)

    add_entity = add_action
    condition = None

    def visit(self, context: LaunchContext) -> None:
        """Visit the actions in order."""
        visit_all(self.entities, context)

    def nested(self) -> list[Any]:
        """Return the actions."""
        return self.entities


def visit_all(actions: Iterable[Any] | None, context: LaunchContext) -> None:
    """Visit what a launch file or one of its functions returned."""
    for action in actions or ():
        if not isinstance(action, Action | LaunchDescription):
            raise LaunchFileError(
                f'expected an action in the launch description; found {action!r} '
                f'({type(action).__name__})'
            )
        action.visit(context)


class DeclareLaunchArgument(Action):
    """An argument of the launch file."""

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutions | None = None,
        description: str | None = None,
        choices: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if choices is not None and not choices:
            raise LaunchFileError(f'argument {name!r}: choices=[] allows nothing; leave it away')
        if isinstance(default_value, str) and choices and default_value not in choices:
            raise LaunchFileError(
                f'argument {name!r}: the default {default_value!r} is not among its choices: '
                f'{", ".join(choices)}'
            )
        self.name = name
        self.default_value = None if default_value is None else normalize(default_value)
        self.description = description or ''
        self.choices = choices

    def execute(self, context: LaunchContext) -> None:  # noqa: D102
        values = context.launch_configurations
        if self.name not in values:
            if self.default_value is None:
                raise LaunchFileError(
                    f'required launch argument {self.name!r} was not given '
                    f'({self.description or "no description"}). Next: add {self.name}:=VALUE'
                )
            values[self.name] = perform(context, self.default_value)
        self.check(values[self.name])

    def check(self, value: str) -> None:
        """Raise LaunchFileError unless `value` is among the choices."""
        if self.choices is not None and value not in self.choices:
            raise LaunchFileError(
                f'launch argument {self.name}:={value} is not valid; choices: '
                f'{", ".join(self.choices)}'
            )


class SetLaunchConfiguration(Action):
    """Set the value of an argument or of another configuration."""

    def __init__(self, name: SomeSubstitutions, value: SomeSubstitutions, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name, self.value = normalize(name), normalize(value)

    def execute(self, context: LaunchContext) -> None:  # noqa: D102
        context.launch_configurations[perform(context, self.name)] = perform(context, self.value)


class SetEnvironmentVariable(Action):
    """Set an environment variable of the processes started after it."""

    def __init__(self, name: SomeSubstitutions, value: SomeSubstitutions, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name, self.value = normalize(name), normalize(value)

    def execute(self, context: LaunchContext) -> None:  # noqa: D102
        context.environment[perform(context, self.name)] = perform(context, self.value)


class GroupAction(Action):
    """Actions with a scope of their own for configurations, environment and ROS namespace."""

    def __init__(
        self,
        actions: Iterable[Action],
        *,
        scoped: bool = True,
        forwarding: bool = True,
        launch_configurations: Mapping | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not forwarding:
            raise UnsupportedLaunchFeatureError(
                f'the built-in launch runner has no GroupAction(forwarding=False). Next: {ADVICE}'
            )
        self.actions = list(actions)
        self.scoped = scoped
        self.configurations = [
            SetLaunchConfiguration(key, value)
            for key, value in (launch_configurations or {}).items()
        ]

    def execute(self, context: LaunchContext) -> None:  # noqa: D102
        if not self.scoped:
            visit_all([*self.configurations, *self.actions], context)
            return
        with context.scope():
            visit_all([*self.configurations, *self.actions], context)

    def nested(self) -> list[Action]:  # noqa: D102
        return self.actions


class OpaqueFunction(Action):
    """A function `function(context, *args, **kwargs)` that may return further actions."""

    def __init__(
        self,
        *,
        function: Callable,
        args: Iterable | None = None,
        kwargs: Mapping | None = None,
        **left_over: Any,
    ) -> None:
        super().__init__(**left_over)
        if not callable(function):
            raise LaunchFileError(f'OpaqueFunction(function=...) is callable; found {function!r}')
        self._function = function
        self._args, self._kwargs = list(args or ()), dict(kwargs or {})

    def execute(self, context: LaunchContext) -> Iterable[Action] | None:  # noqa: D102
        return self._function(context, *self._args, **self._kwargs)


class RegisterEventHandler(Action):
    """Listen to events from here on."""

    def __init__(self, event_handler: EventHandler, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(event_handler, EventHandler):
            raise LaunchFileError(f'expected an event handler; found {event_handler!r}')
        self.event_handler = event_handler

    def execute(self, context: LaunchContext) -> None:  # noqa: D102
        context.register_event_handler(self.event_handler)


class EmitEvent(Action):
    """Emit an event; the built-in runner offers events.Shutdown."""

    def __init__(self, *, event: Event, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(event, ShutdownEvent):
            raise UnsupportedLaunchFeatureError(
                f'the built-in launch runner emits Shutdown only; found {event!r}. Next: {ADVICE}'
            )
        self.event = event

    def execute(self, context: LaunchContext) -> None:  # noqa: D102
        context.emit_event_sync(self.event)


class Shutdown(EmitEvent):
    """End the launch."""

    def __init__(self, *, reason: str = 'reason not given', **kwargs: Any) -> None:
        super().__init__(event=ShutdownEvent(reason=reason), **kwargs)


class LogInfo(Action):
    """Say something."""

    def __init__(self, *, msg: SomeSubstitutions, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.msg: list[Substitution] = normalize(msg)

    def execute(self, context: LaunchContext) -> None:  # noqa: D102
        context.log(perform(context, self.msg), source='launch.user')
