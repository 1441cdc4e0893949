"""QoS profiles of every topic, from the rows in `chefmate_core.qos_table` (reasons there)."""

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from chefmate_core import qos_table
from chefmate_core.qos_table import QosRow


def profile(row: QosRow) -> QoSProfile:
    """Return the rclpy profile of one row."""
    qos = QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=row.depth,
        reliability=ReliabilityPolicy[row.reliability.name],
        durability=DurabilityPolicy[row.durability.name],
    )
    if row.deadline_s is not None:
        qos.deadline = Duration(seconds=row.deadline_s)
    return qos


STATE = profile(qos_table.STATE)
LATEST_STATE = profile(qos_table.LATEST_STATE)
EVERY_STATE = profile(qos_table.EVERY_STATE)
COMMAND = profile(qos_table.COMMAND)
COMMAND_READER = profile(qos_table.COMMAND_READER)
CHUNK = profile(qos_table.CHUNK)
HEARTBEAT = profile(qos_table.HEARTBEAT)
LATCHED = profile(qos_table.LATCHED)
IMAGE = profile(qos_table.IMAGE)
COMPRESSED_IMAGE = profile(qos_table.COMPRESSED_IMAGE)
LATEST_IMAGE = profile(qos_table.LATEST_IMAGE)
EVERY_IMAGE = profile(qos_table.EVERY_IMAGE)
TWIN_COMMAND = profile(qos_table.TWIN_COMMAND)
TWIN_STATE = profile(qos_table.TWIN_STATE)
DIAGNOSTICS = profile(qos_table.DIAGNOSTICS)
