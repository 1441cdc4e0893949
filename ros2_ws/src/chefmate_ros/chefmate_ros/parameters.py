"""Declaring parameters: every one with a description, a range where it has one, read once."""

from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.node import Node


def declare(
    node: Node,
    name: str,
    default: Any,
    description: str,
    between: Sequence[float] | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """Declare a read-only parameter and return its value.

    Args:
        between: lowest and highest allowed value of a float.
        choices: named in the description; checking them is the reader's part.
    """
    if choices:
        description = f'{description} One of: {", ".join(choices)}.'
    descriptor = ParameterDescriptor(description=description, read_only=True)
    if between is not None:
        low, high = map(float, between)
        descriptor.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return node.declare_parameter(name, default, descriptor).value
