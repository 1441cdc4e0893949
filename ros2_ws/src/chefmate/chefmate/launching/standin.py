"""The modules that launch files import, made of the stand-ins.

While a launch file runs through the built-in runner, `launch` and `launch_ros` in sys.modules are
these. A name that is not offered is refused by name, at the import.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from chefmate.launching import (
    actions,
    comparisons,
    conditions,
    context,
    events,
    include,
    parameters,
    process_actions,
    ros_actions,
    substitutions,
)
from chefmate.launching.errors import refuse_name

_EVENTS = {'Shutdown': events.Shutdown}
_PROCESS_EVENTS = {
    'ProcessExited': events.ProcessExited,
    'ProcessStarted': events.ProcessStarted,
}
_DESCRIPTIONS: dict[str, Any] = {
    'ParameterFile': parameters.ParameterFile,
    'ParameterValue': parameters.ParameterValue,
}

OFFERED: dict[str, dict[str, Any]] = {
    'launch': {
        'Action': actions.Action,
        'Condition': conditions.Condition,
        'LaunchContext': context.LaunchContext,
        'LaunchDescription': actions.LaunchDescription,
        'Substitution': substitutions.Substitution,
    },
    'launch.actions': {
        kind.__name__: kind
        for kind in (
            actions.DeclareLaunchArgument,
            actions.EmitEvent,
            actions.GroupAction,
            include.IncludeLaunchDescription,
            actions.LogInfo,
            actions.OpaqueFunction,
            actions.RegisterEventHandler,
            actions.SetEnvironmentVariable,
            actions.SetLaunchConfiguration,
            actions.Shutdown,
            process_actions.ExecuteProcess,
        )
    },
    'launch.conditions': {
        'IfCondition': conditions.IfCondition,
        'UnlessCondition': conditions.UnlessCondition,
    },
    'launch.event_handlers': {
        'OnProcessExit': events.OnProcessExit,
        'OnProcessStart': events.OnProcessStart,
        'OnShutdown': events.OnShutdown,
    },
    'launch.events': _EVENTS,
    'launch.events.process': _PROCESS_EVENTS,
    'launch.launch_context': {'LaunchContext': context.LaunchContext},
    'launch.launch_description_sources': {
        'PythonLaunchDescriptionSource': include.PythonLaunchDescriptionSource,
    },
    'launch.substitutions': {
        kind.__name__: kind
        for kind in (
            comparisons.AllSubstitution,
            comparisons.AndSubstitution,
            comparisons.AnySubstitution,
            substitutions.EnvironmentVariable,
            comparisons.EqualsSubstitution,
            comparisons.IfElseSubstitution,
            substitutions.LaunchConfiguration,
            comparisons.NotEqualsSubstitution,
            comparisons.NotSubstitution,
            comparisons.OrSubstitution,
            substitutions.PathJoinSubstitution,
            substitutions.PythonExpression,
            substitutions.SubstitutionFailure,
            substitutions.TextSubstitution,
            substitutions.ThisLaunchFileDir,
        )
    },
    'launch_ros': {},
    'launch_xml': {},  # empty, so that an installed one is not found: it would meet the stand-ins
    'launch_yaml': {},
    'launch_ros.actions': {
        'Node': ros_actions.Node,
        'PushROSNamespace': ros_actions.PushRosNamespace,
        'PushRosNamespace': ros_actions.PushRosNamespace,
    },
    'launch_ros.descriptions': _DESCRIPTIONS,
    'launch_ros.parameter_descriptions': _DESCRIPTIONS,
    'launch_ros.substitutions': {'FindPackageShare': substitutions.FindPackageShare},
}


class StandInModule(ModuleType):
    """A module that offers a few names and refuses all others by name."""

    def __init__(self, name: str, offered: dict[str, Any]) -> None:
        super().__init__(name, 'Stand-in of the built-in launch runner.')
        self.__path__: list[str] = []
        vars(self).update(offered)

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):  # the import system and pytest ask for these
            raise AttributeError(name)
        offered = [key for key in vars(self) if not key.startswith('__')]
        raise refuse_name(self.__name__, name, offered)


def make_modules() -> dict[str, ModuleType]:
    """Return the stand-in modules by name, submodules set on their parents."""
    modules = {name: StandInModule(name, offered) for name, offered in OFFERED.items()}
    for name, module in modules.items():
        parent, _, child = name.rpartition('.')
        if parent:
            setattr(modules[parent], child, module)
    return dict(modules)


@contextmanager
def standin_modules() -> Iterator[None]:
    """Let `import launch` find the stand-ins, and nothing else of that name, until the end."""
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_launch(name)}
    sys.modules.update(make_modules())
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_launch(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _is_launch(name: str) -> bool:
    """Whether a module is of launch, or was made of it and must be made anew."""
    tops = ('launch', 'launch_ros', 'launch_xml', 'launch_yaml')
    return name.split('.')[0] in tops or name == 'chefmate.launch_parts'
