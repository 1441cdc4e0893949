"""How an executable begins: signals are held back before anything else is imported.

Importing rclpy and the messages takes a good part of a second; a Ctrl-C in that time would end in
a traceback from somewhere inside an import. And numpy's import begins threads: only if the signals
are blocked before do those threads block them too, and `running` alone decides on the end.
"""

import importlib
import signal

END_SIGNALS = (signal.SIGINT, signal.SIGTERM)
EXIT_INTERRUPTED = 130


def start_node(module: str) -> int:
    """Import the node's module and run its `main`; return the exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    main = importlib.import_module(module).main
    if signal.sigpending() & set(END_SIGNALS):
        return EXIT_INTERRUPTED
    return main()
