"""Launch files inside launch files: stand-ins for IncludeLaunchDescription and its source."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chefmate.launching.actions import Action, LaunchDescription, SetLaunchConfiguration
from chefmate.launching.context import LaunchContext
from chefmate.launching.errors import ADVICE, LaunchFileError, UnsupportedLaunchFeatureError
from chefmate.launching.files import load_description
from chefmate.launching.substitutions import SomeSubstitutions, normalize, perform


class PythonLaunchDescriptionSource:
    """The path of another Python launch file."""

    def __init__(self, launch_file_path: SomeSubstitutions | Path) -> None:
        is_path = isinstance(launch_file_path, Path)
        self.path = normalize(str(launch_file_path) if is_path else launch_file_path)


class IncludeLaunchDescription(Action):
    """Another launch file, with arguments."""

    def __init__(
        self,
        launch_description_source: PythonLaunchDescriptionSource,
        *,
        launch_arguments: Iterable[tuple[Any, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(launch_description_source, PythonLaunchDescriptionSource):
            raise UnsupportedLaunchFeatureError(
                'the built-in launch runner includes PythonLaunchDescriptionSource(path) only; '
                f'found {launch_description_source!r}. Next: {ADVICE}'
            )
        self.source = launch_description_source
        self.arguments = [
            SetLaunchConfiguration(name, value) for name, value in launch_arguments or ()
        ]

    def argument_names(self) -> list[str]:
        """Return the names of the arguments that are set here."""
        return [perform(LaunchContext(), argument.name) for argument in self.arguments]

    def execute(self, context: LaunchContext) -> list[Any]:  # noqa: D102
        description = self._load(Path(perform(context, self.source.path)).absolute(), context)
        return [*self.arguments, description]

    def _load(self, path: Path, context: LaunchContext) -> LaunchDescription:
        context.locals = SimpleNamespace(
            **{
                **vars(context.locals),
                'current_launch_file_path': str(path),
                'current_launch_file_directory': str(path.parent),
            }
        )
        return load_description(path)

    def nested(self) -> list[Any]:
        """Return what the file holds, if its path is known before anything runs."""
        context = LaunchContext()
        try:
            path = Path(perform(context, self.source.path)).absolute()
        except (LaunchFileError, AttributeError):  # depends on an argument
            return []
        return [self._load(path, context)]
