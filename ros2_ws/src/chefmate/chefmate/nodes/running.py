"""How every node of ChefMate starts and ends: one idiom, one exit code, one clear message."""

import sys
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from chefmate_core.errors import ChefMateError


class NodeFailure(ChefMateError):
    """The node cannot go on; its process ends with exit code 1 and this message."""


def run_node(make_node: Callable[[], Node], arguments: list[str] | None = None) -> int:
    """Spin a node until Ctrl-C, shutdown or a NodeFailure; return the exit code."""
    rclpy.init(args=arguments)
    node = None
    try:
        node = make_node()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except ChefMateError as error:
        print(f'[FATAL] {error}', file=sys.stderr, flush=True)
        return 1
    finally:
        if node is not None:
            close = getattr(node, 'close', None)
            if close is not None:
                close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
