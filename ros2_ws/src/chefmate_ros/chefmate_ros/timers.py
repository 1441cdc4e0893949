"""Timers that go on when the system's clock is set.

A timer of a node's own clock stands for an hour where that clock is set back by one.
"""

from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer


def steady_timer(node: Node, period_s: float, callback: Callable[[], object]) -> Timer:
    """Call `callback` every `period_s` of the steady clock, in the node's executor."""
    return node.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))
