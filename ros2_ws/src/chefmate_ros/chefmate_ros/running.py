"""How every node of ChefMate starts and ends: one idiom, exit codes that say why, one message."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from chefmate_core.errors import ChefMateError
from chefmate_ros.start import END_SIGNALS


class NodeError(ChefMateError):
    """The node cannot go on; its process ends with exit code 1 and this message."""


def run_node(make_node: Callable[[], Node]) -> int:
    """Spin a node until Ctrl-C, SIGTERM, shutdown or an error; return the exit code.

    1: it refused to start or to go on, and said why (a ChefMateError). To start it again would be
    of no use. 70, EX_SOFTWARE: any other exception, a defect of ours. Launch files tell the two
    apart: what comes back after a crash does so after that one, too.

    A node with a `close` method has it called while its publishers still work. For that, signals
    are taken by a thread of ours: rclpy's own handler would shut the context down first, under the
    feet of every thread that publishes.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    executor = SingleThreadedExecutor()
    node = None
    try:
        node = make_node()
        executor.add_node(node)
        ending = Future(executor=executor)
        threading.Thread(target=_end_on_signal, args=(ending,), daemon=True).start()
        executor.spin_until_future_complete(ending)  # unlike shutdown(), its end wakes the spin
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except ChefMateError as error:
        print(f'[FATAL] {error}', file=sys.stderr, flush=True)
        return 1
    except Exception:
        traceback.print_exc()
        return os.EX_SOFTWARE
    finally:
        if node is not None:
            close = getattr(node, 'close', None)
            if close is not None:
                close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _end_on_signal(ending: Future) -> None:
    # Only the first counts: a terminal and a launcher often both send one. Should the orderly end
    # hang, launchers go on to SIGKILL, and people to Ctrl-\.
    ending.set_result(signal.sigwait(END_SIGNALS))
