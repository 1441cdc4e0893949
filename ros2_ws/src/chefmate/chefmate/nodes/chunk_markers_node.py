"""`chunk_markers_node`: the policy's chunk as the path of the gripper, for RViz and Foxglove."""

from geometry_msgs.msg import Point
from rclpy.node import Node
from std_msgs.msg import ColorRGBA, Header
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import Marker, MarkerArray

from chefmate.nodes.chunk_messages import chunk_rows, duration
from chefmate_core.errors import ConfigurationError
from chefmate_core.kinematics import GRIPPER_LINK, Chain
from chefmate_core.kinematics.planned_path import PlannedPath, planned_path
from chefmate_description import urdf_path
from chefmate_ros import qos
from chefmate_ros.parameters import declare
from chefmate_ros.running import run_node

LINE_WIDTH_M = 0.004
END_DIAMETER_M = 0.014
REFUSED_EVERY_S = 5.0


class ChunkMarkersNode(Node):
    """`policy/action_chunk` in, `policy/chunk_markers` out.

    Raises:
        ConfigurationError: no robot description, or one without our joints or the link.
    """

    def __init__(self) -> None:
        super().__init__('chunk_markers')
        urdf = declare(self, 'urdf', '', 'Robot description, a file; empty: the SO-101 alone.')
        self._link = declare(self, 'link', GRIPPER_LINK, 'The link whose path is drawn.')
        self._chain = Chain.from_urdf(urdf or urdf_path())
        self._chain.require(self._link)
        self._publisher = self.create_publisher(MarkerArray, 'policy/chunk_markers', qos.CHUNK)
        self.create_subscription(JointTrajectory, 'policy/action_chunk', self._on_chunk, qos.CHUNK)

    def _on_chunk(self, message: JointTrajectory) -> None:
        if self._publisher.get_subscription_count() == 0:
            return
        try:
            rows = chunk_rows(message)
            path = planned_path(self._chain, rows.positions_rad, rows.period_s, self._link)
        except ConfigurationError as error:
            self.get_logger().warning(f'not drawn: {error}', throttle_duration_sec=REFUSED_EVERY_S)
            return
        header = Header(stamp=message.header.stamp, frame_id=self._chain.root)
        self._publisher.publish(path_markers(header, path))


def path_markers(header: Header, path: PlannedPath) -> MarkerArray:
    """Return the path as a line with a ball at its end; both go by themselves when it is over."""
    points = [Point(x=x, y=y, z=z) for x, y, z in path.points_m.tolist()]
    colours = [ColorRGBA(r=r, g=g, b=b, a=a) for r, g, b, a in path.colours_rgba.tolist()]
    line = _marker(header, path, 0, Marker.LINE_STRIP)
    line.scale.x = LINE_WIDTH_M
    line.points, line.colors = points, colours
    if len(points) < 2:  # no line; RViz would complain of one
        line.action = Marker.DELETE
    end = _marker(header, path, 1, Marker.SPHERE)
    end.scale.x = end.scale.y = end.scale.z = END_DIAMETER_M
    end.pose.position, end.color = points[-1], colours[-1]
    return MarkerArray(markers=[line, end])


def _marker(header: Header, path: PlannedPath, number: int, kind: int) -> Marker:
    marker = Marker(header=header, ns='planned_path', id=number, type=kind, action=Marker.ADD)
    marker.pose.orientation.w = 1.0
    marker.lifetime = duration(path.shown_s)
    return marker


def main() -> int:
    """Entry point."""
    return run_node(ChunkMarkersNode)
