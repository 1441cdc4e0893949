"""A subscription with a thread of its own, for one topic at a high rate.

rclpy's executor gathers every entity of its node anew for each message: at 100 Hz that is 5 % of
a core to hand on some bytes. This waits for the one subscription alone, as
`rclpy.wait_for_message` does, and takes a third of it.
"""

import threading
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message

LOOK_NS = 200_000_000  # between two looks whether to end, while nothing arrives


def message_in(raw: bytes, message_type: type) -> Any | None:
    """Return the message that these bytes are, or None if they are none.

    Any process may publish damaged bytes; a subscription of rclpy drops them with a log line.
    """
    try:
        return deserialize_message(raw, message_type)
    except RuntimeError:  # RMWError, which is in no public module
        return None


class NotOfTheExecutor(CallbackGroup):
    """Its entities are left alone by every executor."""

    def can_execute(self, entity: object) -> bool:
        """Never."""
        del entity
        return False

    def beginning_execution(self, entity: object) -> bool:
        """Never."""
        del entity
        return False

    def ending_execution(self, entity: object) -> None:
        """Nothing was begun."""


class RawSubscription:
    """Calls `on_message` with the bytes of each message, in its own thread, until `close`.

    Attributes:
        failure: what ended the thread, if anything did; its owner must look.
    """

    def __init__(
        self,
        node: Node,
        message_type: type,
        topic: str,
        on_message: Callable[[bytes], None],
        qos: QoSProfile,
    ) -> None:
        self.failure: Exception | None = None
        self._node, self._type, self._on_message = node, message_type, on_message
        self._subscription = node.create_subscription(
            message_type, topic, on_message, qos, callback_group=NotOfTheExecutor(), raw=True
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f'read {topic}', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        try:
            self._read()
        except Exception as error:  # no thread may end unnoticed
            if not self._stop.is_set():
                self.failure = error

    def _read(self) -> None:
        handle, context = self._subscription.handle, self._node.context.handle
        assert context is not None  # a node without one cannot be made
        with handle, context:
            wait_set = rclpy_implementation.WaitSet(1, 0, 0, 0, 0, 0, context)
            while not self._stop.is_set():
                wait_set.clear_entities()
                wait_set.add_subscription(handle)
                wait_set.wait(LOOK_NS)
                taken = handle.take_message(self._type, True)
                if taken is not None:
                    self._on_message(taken[0])
