"""The built-in launch runner: visits a launch file, handles events, and says how it ended.

Exit codes: 0 the launch ended well; 1 a process that the launch depended on died with an error, or
could not be started; 130, 143 and 129 ended from outside by Ctrl-C, SIGTERM and a closed terminal.
"""

import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

from chefmate.launching.actions import visit_all
from chefmate.launching.arguments import check_arguments, declared_arguments
from chefmate.launching.child import exit_text
from chefmate.launching.context import LaunchContext, preserved_environment
from chefmate.launching.events import Event, ProcessExited, Shutdown
from chefmate.launching.files import explained, load_description
from chefmate.launching.include import IncludeLaunchDescription, PythonLaunchDescriptionSource
from chefmate.launching.interrupts import Interrupts
from chefmate.launching.output import OutputRouter, OutputSink
from chefmate.launching.standin import standin_modules
from chefmate.launching.supervisor import Supervisor


class BuiltinRunner:
    """Runs one launch file, once. `run()` blocks; `stop()` may be called from any thread."""

    def __init__(self, path: Path, arguments: Mapping[str, str], sink: OutputSink) -> None:
        self._path, self._arguments, self._sink = path, dict(arguments), sink
        self._interrupts = Interrupts()
        self._exit_code = 0

    def stop(self) -> None:
        """End the launch in good order, with the exit code of a good end."""
        self._interrupts.request()

    def run(self) -> int:
        """Run the launch file to its end and return the exit code.

        Raises:
            LaunchFileError: the file or its arguments are wrong; nothing was started.
        """
        with (
            self._interrupts,
            standin_modules(),
            preserved_environment(),
            tempfile.TemporaryDirectory(prefix='chefmate_launch_') as folder,
        ):
            description = load_description(self._path)
            check_arguments(self._arguments, declared_arguments(description), self._path)
            self._output = OutputRouter(self._sink)
            self._context = LaunchContext(self._output.say)
            self._context.temporary_folder = Path(folder)
            self._context.launch_configurations.update(self._arguments)
            self._supervisor = Supervisor(self._context, self._output, self._interrupts.fd)
            try:
                self._visit_file()
                self._loop()
            finally:
                self._supervisor.close()
                self._output.close()
        return self._exit_code

    def _visit_file(self) -> None:
        """Visit the whole file before anything starts, so that an error leaves nothing running."""
        source = PythonLaunchDescriptionSource(self._path)
        try:
            visit_all([IncludeLaunchDescription(source)], self._context)
        except Exception as error:
            raise explained(error, self._path) from error

    def _loop(self) -> None:
        context, supervisor = self._context, self._supervisor
        while supervisor.busy or context.pending or context.events or not context.is_shutdown:
            for number in self._interrupts.take():
                self._interrupted(number)
            while context.events:
                self._handle(context.events.popleft())
            supervisor.start_due()
            if context.events:
                continue
            if not supervisor.busy and not context.is_shutdown:
                context.emit_event_sync(Shutdown(reason='every process has ended'))
                continue
            supervisor.wait()
            if self._output.sink_failed and not context.is_shutdown:
                context.emit_event_sync(Shutdown(reason='nobody reads the output'))

    def _interrupted(self, number: int) -> None:
        if not self._context.is_shutdown:
            if number:
                self._exit_code = 128 + number
            reason = signal.Signals(number).name if number else 'stop() was called'
            self._handle(Shutdown(reason=reason, due_to_sigint=number == signal.SIGINT))
        elif number == signal.SIGINT:
            self._context.log('Ctrl-C again: killing what is left', 'WARNING')
            self._supervisor.kill()

    def _handle(self, event: Event) -> None:
        context = self._context
        if isinstance(event, Shutdown):
            if context.is_shutdown:
                return
            self._begin_shutdown(event)
        for handler in list(context.handlers):
            if not handler.matches(event):
                continue
            if handler.handle_once:
                context.unregister_event_handler(handler)
            try:
                with context.event_in_scope(event):
                    visit_all(handler.handle(event, context), context)
            except Exception as error:  # a handler is the launch file's own code
                context.log(str(explained(error, self._path)), 'ERROR')
                self._exit_code = 1
                context.emit_event_sync(Shutdown(reason='an event handler failed'))

    def _begin_shutdown(self, event: Shutdown) -> None:
        context, cause = self._context, event.cause
        context.is_shutdown = True
        failed: list[str] = []
        if isinstance(cause, ProcessExited):
            context.log(f'{cause.process_name} has ended, and ends the launch: {event.reason}')
            name, code = cause.process_name, cause.returncode
            failed = [f'{name} ({exit_text(code)})'] if code else []
        else:
            context.log(f'ending the launch: {event.reason}')
            if not self._supervisor.busy:
                failed = self._supervisor.failures
        if failed:
            context.log(f'the launch failed because of {", ".join(failed)}', 'ERROR')
        if failed or self._supervisor.start_failed:
            self._exit_code = 1
        self._supervisor.end()
