"""Timers go on when the system's clock is set back."""

from pathlib import Path

import rclpy
from rclpy.clock import ClockType
from rclpy.context import Context

from chefmate_ros.timers import steady_timer

SOURCES = Path(__file__).resolve().parents[2]
HOME = SOURCES / 'chefmate_ros' / 'chefmate_ros' / 'timers.py'


def test_a_timer_is_of_the_steady_clock_and_calls():
    context = Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node('timers', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    calls = []
    timer = steady_timer(node, 0.01, lambda: calls.append(1))
    executor.add_node(node)
    for _ in range(100):
        executor.spin_once(timeout_sec=1.0)
        if calls:
            break
    assert calls
    assert timer.clock.clock_type is ClockType.STEADY_TIME
    node.destroy_node()
    rclpy.try_shutdown(context=context)


def test_no_node_makes_a_timer_of_another_clock():
    others = [
        str(path.relative_to(SOURCES))
        for path in SOURCES.glob('*/*/**/*.py')
        if path != HOME and '/test/' not in str(path) and '.create_timer(' in path.read_text()
    ]
    assert others == []
