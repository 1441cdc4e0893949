"""Nodes and their namespaces: stand-ins for launch_ros.actions."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from chefmate.launching.actions import Action
from chefmate.launching.context import LaunchContext
from chefmate.launching.names import absolute_namespace, checked_node_name, join_namespace
from chefmate.launching.packages import package_executable
from chefmate.launching.parameters import evaluate_parameters
from chefmate.launching.process_actions import ExecuteProcess
from chefmate.launching.substitutions import SomeSubstitutions, normalize, perform


class PushRosNamespace(Action):
    """Put what follows in the same group into a ROS namespace."""

    def __init__(self, namespace: SomeSubstitutions, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.namespace = normalize(namespace)

    def execute(self, context: LaunchContext) -> None:  # noqa: D102
        outer = context.launch_configurations.get('ros_namespace')
        pushed = join_namespace(outer, perform(context, self.namespace))
        context.launch_configurations['ros_namespace'] = absolute_namespace(pushed) or '/'


class Node(ExecuteProcess):
    """Start a ROS node: PREFIX/lib/PACKAGE/EXECUTABLE with its name, parameters and remappings."""

    def __init__(
        self,
        *,
        executable: SomeSubstitutions,
        package: SomeSubstitutions | None = None,
        name: SomeSubstitutions | None = None,
        namespace: SomeSubstitutions | None = None,
        exec_name: SomeSubstitutions | None = None,
        parameters: list | None = None,
        remappings: Iterable[tuple[Any, Any]] | None = None,
        ros_arguments: Iterable[SomeSubstitutions] | None = None,
        arguments: Iterable[SomeSubstitutions] | None = None,
        **process: Any,
    ) -> None:
        super().__init__(cmd=[], name=exec_name, **process)
        self._package, self._executable = package, executable
        self._node_name, self._namespace = name, namespace
        self._parameters = parameters or []
        self._remappings = list(remappings or ())
        self._ros_arguments = list(ros_arguments or ())
        self._arguments = list(arguments or ())

    def command(self, context: LaunchContext) -> list[str]:
        """Return the command line, in the order in which launch_ros writes it."""
        executable = perform(context, self._executable)
        if self._package is not None:
            executable = package_executable(perform(context, self._package), executable)
        cmd = [executable, *(perform(context, part) for part in self._arguments)]
        if self._ros_arguments:
            cmd += ['--ros-args', *(perform(context, part) for part in self._ros_arguments)]
        cmd.append('--ros-args')

        name = None if self._node_name is None else perform(context, self._node_name)
        if name is not None:
            cmd += ['-r', f'__node:={checked_node_name(name)}']
        given = None if self._namespace is None else perform(context, self._namespace)
        outer = context.launch_configurations.get('ros_namespace')
        namespace = absolute_namespace(join_namespace(outer, given))
        if namespace is not None:
            cmd += ['-r', f'__ns:={namespace}']

        # Fully known nodes are addressed by name, so that their values win over a file's wildcard.
        target = '/**'
        if name is not None and namespace is not None:
            target = f'{namespace.rstrip("/")}/{name}'
            self._warn_about_a_second(context, target)
        for item in evaluate_parameters(context, self._parameters):
            path = item if isinstance(item, Path) else _parameter_file(context, target, item)
            cmd += ['--params-file', str(path)]
        for source, destination in self._remappings:
            cmd += ['-r', f'{perform(context, source)}:={perform(context, destination)}']
        return cmd

    def _warn_about_a_second(self, context: LaunchContext, target: str) -> None:
        count = context.node_names[target] = context.node_names.get(target, 0) + 1
        if count > 1:
            context.log(f'there are now {count} nodes with the name {target}', level='WARNING')


def _parameter_file(context: LaunchContext, target: str, parameters: dict[str, Any]) -> Path:
    """Write parameters where the node can read them; the folder is removed after the launch."""
    with tempfile.NamedTemporaryFile(
        mode='w', prefix='launch_params_', dir=context.temporary_folder, delete=False
    ) as file:
        yaml.safe_dump({target: {'ros__parameters': parameters}}, file)
    return Path(file.name)
