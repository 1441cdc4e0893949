"""One launch: which file, which arguments, through which runner."""

from collections.abc import Mapping
from pathlib import Path

from chefmate.launching.arguments import DeclaredArgument, declared_arguments
from chefmate.launching.files import find_launch_file, load_description
from chefmate.launching.output import OutputSink
from chefmate.launching.real import RealRunner, real_declared_arguments, real_launch_installed
from chefmate.launching.runner import BuiltinRunner
from chefmate.launching.standin import standin_modules
from chefmate_core.errors import ConfigurationError

RUNNERS = ('auto', 'launch', 'builtin')


def choose_runner(runner: str) -> str:
    """Return 'launch' or 'builtin' for what was asked.

    Raises:
        ConfigurationError: no such runner, or the real launch was asked for and is not there.
    """
    if runner not in RUNNERS:
        raise ConfigurationError(f'unknown runner {runner!r}; known: {", ".join(RUNNERS)}')
    if runner == 'auto':
        return 'launch' if real_launch_installed() else 'builtin'
    if runner == 'launch' and not real_launch_installed():
        raise ConfigurationError(
            'the real `launch` cannot be imported. Next: source a ROS 2 install, or use the '
            'runner builtin'
        )
    return runner


def launch_file_arguments(name: str | Path, runner: str = 'auto') -> list[DeclaredArgument]:
    """Return the arguments that a launch file declares, without running it."""
    path = find_launch_file(name)
    if choose_runner(runner) == 'launch':
        return real_declared_arguments(path)
    with standin_modules():
        return declared_arguments(load_description(path))


class LaunchJob:
    """A launch file with its arguments, to be run once.

    `name` is a launch file of package chefmate (`deploy`, `deploy.launch.py`) or a path.
    `output_sink` gets each line for the screen, in the thread that runs. The real launch runs in
    the main thread only; the built-in runner in any, and then leaves signals to the caller.
    """

    def __init__(
        self,
        name: str | Path,
        arguments: Mapping[str, str],
        output_sink: OutputSink,
        runner: str = 'auto',
    ) -> None:
        kind = RealRunner if choose_runner(runner) == 'launch' else BuiltinRunner
        self._runner = kind(find_launch_file(name), arguments, output_sink)

    def run(self) -> int:
        """Run to the end and return the exit code: 0 well, 1 failed, 128 + N ended by signal N.

        Raises:
            LaunchFileError: the file or its arguments are wrong; nothing was started.
        """
        return self._runner.run()

    def stop(self) -> None:
        """End the launch in good order; from any thread."""
        self._runner.stop()


def run_launch_file(
    name: str | Path,
    arguments: Mapping[str, str],
    output_sink: OutputSink,
    runner: str = 'auto',
) -> int:
    """Run a launch file to its end and return the exit code; see LaunchJob."""
    return LaunchJob(name, arguments, output_sink, runner).run()
