"""A process that prepares episodes: `python -m chefmate_core.dataset.worker`.

Takes (work, folder, threads) from standard input and answers None or an exception, pickled, until
the input ends. Only `workers` starts it; the pipes are between the two processes.
"""

import os
import pickle
import signal
import sys
from typing import BinaryIO

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.preparing import prepare


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more."""
    sys.path[:] = pickle.load(requests)  # recordings may come from any package
    while True:
        try:
            work, folder, threads = pickle.load(requests)
        except EOFError:
            return
        except Exception as error:  # as for a class of a script, which is a module to nobody else
            _send(
                replies,
                DatasetError(
                    f'a recorded episode cannot be sent to another process: {error}. Next: define '
                    f'its class in a module that can be imported, or use one worker'
                ),
            )
            return
        answer: Exception | None = None
        try:
            prepare(work, folder, threads)
        except Exception as error:
            answer = error
        _send(replies, answer)


def _send(replies: BinaryIO, answer: Exception | None) -> None:
    try:
        content = pickle.dumps(answer)
        pickle.loads(content)
    except Exception:  # some exceptions cannot be pickled: their words can
        content = pickle.dumps(DatasetError(f'{type(answer).__name__}: {answer}'))
    replies.write(content)
    replies.flush()


def main() -> None:
    """Serve standard input; whatever a library prints goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    with os.fdopen(os.dup(sys.stdout.fileno()), 'wb') as replies:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, replies)


if __name__ == '__main__':
    main()
