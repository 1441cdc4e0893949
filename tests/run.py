"""The whole suite: first what stands for itself, on every processor, then the systems, in turn.

    python tests/run.py [PYTEST ARGUMENT...]

A system test starts a robot's worth of processes and needs the machine for itself. Most other
tests wait more than they compute: for a pseudo-terminal, a timer, a time-out.
"""

import os
import subprocess
import sys

MOST_WORKERS = 4
NOTHING_COLLECTED = 5  # pytest's exit code


def run_pytest(*words: str) -> int:
    """Return pytest's exit code."""
    return subprocess.run([sys.executable, '-m', 'pytest', *words], check=False).returncode


def main(words: list[str]) -> int:
    """Return the exit code of the phase that failed, of the first one if both did."""
    if '-m' in words:  # somebody's own choice
        return run_pytest(*words)
    workers = min(len(os.sched_getaffinity(0)), MOST_WORKERS)
    alone = run_pytest(
        '-n', str(workers), '--dist', 'loadfile', '-m', 'not system and not nightly', *words
    )
    if alone not in (0, NOTHING_COLLECTED) and '-x' in words:
        return alone
    systems = run_pytest('-m', 'system and not nightly', *words)
    if alone == NOTHING_COLLECTED:
        return systems
    return alone or (0 if systems == NOTHING_COLLECTED else systems)


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
