"""The sensor topics that feed a policy's observations, and how well the cameras deliver."""

from functools import partial

from rclpy.event_handler import QoSMessageLostInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from sensor_msgs.msg import Image, JointState, MultiDOFJointState

from chefmate_core.camera.delivery import DeliveryMeter
from chefmate_core.errors import CameraError
from chefmate_core.policy.observations import ObservationBuffer
from chefmate_msgs.msg import ServoTelemetry
from chefmate_ros import qos
from chefmate_ros.image_messages import rgb_image
from chefmate_ros.joint_messages import joint_vectors, seconds
from chefmate_ros.object_messages import object_poses

KEPT_FRAMES = 3600  # that the delivery figures look back: four minutes at 15 Hz


class ObservationInputs:
    """Subscribes to joints, cameras and, in simulation, objects; fills an ObservationBuffer."""

    def __init__(self, node: Node, cameras: list[str], rate_hz: float, max_age_s: float) -> None:
        """Listen to `<camera>/image_raw` of each camera, meant to have `rate_hz`."""
        self.buffer = ObservationBuffer(cameras, max_age_s)
        self._node = node
        self._deliveries = {
            camera: DeliveryMeter(1.0 / rate_hz, KEPT_FRAMES) for camera in cameras
        }
        self._lost = dict.fromkeys(cameras, 0)
        node.create_subscription(
            JointState, 'follower/joint_states', self._on_joints, qos.LATEST_STATE
        )
        node.create_subscription(
            ServoTelemetry, 'follower/servo_telemetry', self._on_telemetry, qos.LATEST_STATE
        )
        node.create_subscription(
            MultiDOFJointState, 'kitchen/objects', self._on_objects, qos.LATEST_STATE
        )
        for camera in cameras:
            node.create_subscription(
                Image,
                f'{camera}/image_raw',
                partial(self._on_image, camera),
                qos.EVERY_IMAGE,
                event_callbacks=SubscriptionEventCallbacks(
                    message_lost=partial(self._on_lost_image, camera)
                ),
            )

    def statistics(self) -> dict[str, object]:
        """Frames, rate and age of each camera, for diagnostics."""
        values: dict[str, object] = {}
        for camera, delivery in self._deliveries.items():
            report = delivery.report()
            values |= {
                f'{camera}_received': report.arrived,
                f'{camera}_missing': report.missing,  # by stamps: never captured, or lost
                f'{camera}_lost_in_transport': self._lost[camera],  # by the middleware
                f'{camera}_rate_hz': report.rate_hz,
                f'{camera}_age_p50_ms': report.latency_p50_s * 1e3,
                f'{camera}_age_p99_ms': report.latency_p99_s * 1e3,
                f'{camera}_age_max_ms': report.latency_max_s * 1e3,
            }
        return values

    def _on_joints(self, message: JointState) -> None:
        vectors = joint_vectors(message)
        if vectors is not None:
            self.buffer.add_joints(seconds(message.header.stamp), *vectors)

    def _on_telemetry(self, message: ServoTelemetry) -> None:
        self.buffer.set_speed(message.speed)

    def _on_objects(self, message: MultiDOFJointState) -> None:
        self.buffer.add_objects(seconds(message.header.stamp), object_poses(message))

    def _on_image(self, camera: str, message: Image) -> None:
        stamp_s = seconds(message.header.stamp)
        now_s = self._node.get_clock().now().nanoseconds * 1e-9
        self._deliveries[camera].add(stamp_s, now_s)
        try:
            self.buffer.add_image(camera, stamp_s, rgb_image(message))
        except CameraError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=5.0)

    def _on_lost_image(self, camera: str, event: QoSMessageLostInfo) -> None:
        self._lost[camera] = event.total_count
