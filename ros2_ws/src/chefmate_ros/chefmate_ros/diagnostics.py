"""Health of a node on `/diagnostics`, once a second: every hardware and compute node uses this."""

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from chefmate_core.diagnosis import Diagnosis, Level, value_text
from chefmate_core.errors import ConfigurationError
from chefmate_ros import qos
from chefmate_ros.timers import steady_timer

Source = Callable[[], Diagnosis]


class DiagnosticsPublisher:
    """Asks its sources on a steady timer and publishes one DiagnosticArray.

    Works for plain and lifecycle nodes; a lifecycle node keeps reporting while it is inactive,
    which is when its operator needs the report most.

    Args:
        node: the node whose executor runs the timer.
        hardware_id: what the statuses are about: a device path, a serial number.
        period_s: time between two reports.
    """

    def __init__(self, node: Node, hardware_id: str = '', period_s: float = 1.0) -> None:
        self._node = node
        self._hardware_id = hardware_id
        self._sources: dict[str, Source] = {}
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)
        # Steady, so that reports go on when simulated time stands still or the system clock jumps.
        self._timer = steady_timer(node, period_s, self.publish)

    def add(self, name: str, source: Source) -> None:
        """Report `source()` as `<node>: <name>` from now on; names are unique in one node."""
        if name in self._sources:
            raise ConfigurationError(
                f'diagnostics of {self._node.get_name()}: {name!r} exists already; give each '
                'source its own name'
            )
        self._sources[name] = source

    def publish(self) -> None:
        """Publish one report now: the timer does, and whoever has news that cannot wait."""
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.status = [self._status(name) for name in self._sources]
        self._publisher.publish(message)

    def _status(self, name: str) -> DiagnosticStatus:
        try:
            diagnosis = self._sources[name]()
        except Exception as error:  # a source that fails is a finding, not the end of the node
            self._node.get_logger().error(
                f'diagnostics source {name!r} failed: {type(error).__name__}: {error}',
                throttle_duration_sec=10.0,
            )
            diagnosis = Diagnosis(Level.ERROR, f'source failed: {type(error).__name__}: {error}')
        full_name = f'{self._node.get_fully_qualified_name().lstrip("/")}: {name}'
        return status_message(full_name, diagnosis, self._hardware_id)


def status_message(name: str, diagnosis: Diagnosis, hardware_id: str = '') -> DiagnosticStatus:
    """Return a diagnosis as a message."""
    return DiagnosticStatus(
        level=bytes([diagnosis.level]),
        name=name,
        message=diagnosis.message,
        hardware_id=hardware_id,
        values=[
            KeyValue(key=key, value=value_text(value)) for key, value in diagnosis.values.items()
        ],
    )
