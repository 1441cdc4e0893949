"""Processes that prepare episodes beside each other.

Not `multiprocessing`: by `fork` it copies the threads' locks of pyarrow and FFmpeg, and by `spawn`
it runs the caller's main module again.
"""

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.preparing import EpisodeWork, prepare


def prepare_all(jobs: Sequence[tuple[EpisodeWork, Path]], workers: int) -> Iterator[None]:
    """Prepare episodes with so many processes; yields after each of them.

    With one worker no process is started.

    Raises:
        DatasetError: one cannot be prepared, or a process ended. The others are given up.
    """
    processors = os.cpu_count() or 1
    if workers <= 1:
        for work, folder in jobs:
            prepare(work, folder, processors)
            yield
        return
    processes = [_Process() for _ in range(workers)]
    idle: SimpleQueue[_Process] = SimpleQueue()
    for process in processes:
        idle.put(process)
    threads = max(1, processors // workers)

    def hand_over(work: EpisodeWork, folder: Path) -> None:
        process = idle.get()
        try:
            process.prepare(work, folder, threads)
        finally:
            idle.put(process)

    pool = ThreadPoolExecutor(workers)
    try:
        for future in as_completed([pool.submit(hand_over, *job) for job in jobs]):
            future.result()
            yield
    finally:  # also when the caller goes away, or Ctrl-C
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.end()
        pool.shutdown()


class _Process:
    """One `worker`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'chefmate_core.dataset.worker'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {'PYTHONPATH': os.pathsep.join(path for path in sys.path if path)},
        )
        self._send([path for path in sys.path if path])

    def prepare(self, work: EpisodeWork, folder: Path, threads: int) -> None:
        """Let the process prepare an episode.

        Raises:
            DatasetError: the episode's own, or the process ended.
        """
        try:
            self._send((work, folder, threads))
            assert self._process.stdout is not None
            answer = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            code = self._process.wait()
            raise DatasetError(
                f'{folder}: the process that prepared this episode ended with code {code}. '
                f'Next: is memory or disk full? Run it again, with --workers 1 if need be'
            ) from error
        if answer is not None:
            raise answer

    def _send(self, content: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(pickle.dumps(content))
        self._process.stdin.flush()

    def end(self) -> None:
        """End the process at once: half an episode is made anew."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
