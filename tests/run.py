"""The whole suite: what stands for itself on up to four processors, then the systems in turn.

    python tests/run.py [PYTEST ARGUMENT...]

A system test starts a robot's worth of processes and needs the machine for itself. Most other
tests wait more than they compute: for a pseudo-terminal, a timer, a time-out.
"""

import os
import signal
import subprocess
import sys

MOST_WORKERS = 4
PASSED, FAILED, NOTHING_COLLECTED = 0, 1, 5  # pytest's exit codes
ENDS_EARLY = ('-x', '--exitfirst', '--maxfail')
ONE_PHASE = ('-m', '--pdb')  # somebody's own choice, or somebody who wants to look


def run_pytest(*words: str) -> int:
    """Return pytest's exit code. Ctrl-C is pytest's: it has robots to end first."""
    process = subprocess.Popen([sys.executable, '-m', 'pytest', *words])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass


def main(words: list[str]) -> int:
    """Return the exit code of the phase that failed, of the first one if both did."""
    if any(word.startswith(ONE_PHASE) for word in words):
        return run_pytest(*words)
    workers = min(len(os.sched_getaffinity(0)), MOST_WORKERS)
    alone = run_pytest(
        '-n', str(workers), '--dist', 'loadfile', '-m', 'not system and not nightly', *words
    )
    goes_on = (PASSED, NOTHING_COLLECTED)
    if not any(word.startswith(ENDS_EARLY) for word in words):
        goes_on = (*goes_on, FAILED)
    if alone not in goes_on:
        return alone
    systems = run_pytest('-m', 'system and not nightly', *words)
    if alone == NOTHING_COLLECTED:
        return systems
    return alone or (PASSED if systems == NOTHING_COLLECTED else systems)


if __name__ == '__main__':
    # A background job of a shell ignores Ctrl-C, and so would all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
