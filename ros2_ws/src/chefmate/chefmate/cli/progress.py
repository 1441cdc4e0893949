"""Shows how far a measurement is, on standard error."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class _Steps(Progress):
    """Counts steps, or, where `timed`, seconds."""

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            if task.fields['timed'] and task.total is not None:
                task.completed = min(task.elapsed or 0.0, task.total)
        yield from super().get_renderables()


@contextmanager
def progress(total: float, timed: bool = False) -> Iterator[Callable[[str], None]]:
    """Show progress up to `total` steps (`timed`: seconds).

    Yields:
        What is called with each thing that begins.
    """
    steps = _Steps(
        SpinnerColumn(),
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.completed:.0f}/{task.total:.0f}'),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        refresh_per_second=2,  # a bench must not measure its own progress
        transient=True,
    )
    task = steps.add_task('', total=total, timed=timed)
    begun = 0

    def advance(what: str) -> None:
        nonlocal begun
        if timed:
            steps.update(task, description=what)
        else:
            steps.update(task, description=what, completed=begun)
        begun += 1

    with steps:
        yield advance
