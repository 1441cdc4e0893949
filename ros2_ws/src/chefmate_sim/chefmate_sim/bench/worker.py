"""A process that answers questions: one JSON object a line, in and out.

A bench must not share an interpreter with what it measures against. A worker ends when its
standard input does, so none outlives the bench.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chefmate_core.errors import ChefMateError

STOP_TIMEOUT_S = 5.0


class WorkerError(ChefMateError, RuntimeError):
    """A worker could not do what it was asked, or ended."""


class Worker:
    """The asking end. Usable as a context manager."""

    def __init__(self, command: Sequence[str]) -> None:
        self.name = ' '.join(command)
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @classmethod
    def of_module(cls, module: str) -> 'Worker':
        """Start one that is a module of ours."""
        return cls((sys.executable, '-m', module))

    def __enter__(self) -> 'Worker':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, **question: Any) -> dict[str, Any]:
        """Return the answer; raise WorkerError with the worker's own words if it failed."""
        self.begin(**question)
        return self.answer()

    def begin(self, **question: Any) -> None:
        """Ask without waiting; `answer` must follow."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question) + '\n')
            self._process.stdin.flush()
        except OSError:
            raise self._ended() from None

    def answer(self) -> dict[str, Any]:
        """Wait for the answer to what was begun."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer = json.loads(line)
        if 'error' in answer:
            raise WorkerError(f'{self.name}: {answer["error"]}')
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _ended(self) -> WorkerError:
        code = self._process.wait(STOP_TIMEOUT_S)
        return WorkerError(
            f'{self.name}: ended with exit code {code} before it answered; what it wrote to '
            'standard error says why'
        )


def serve(actions: Mapping[str, Callable[..., dict[str, Any]]]) -> None:
    """The answering end: call `actions[question.pop('do')](**question)` until the input ends."""
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = actions[question.pop('do')](**question)
        except Exception as error:  # who asked is told, and decides
            answer = {'error': f'{type(error).__name__}: {error}'}
        sys.stdout.write(json.dumps(answer) + '\n')
        sys.stdout.flush()
