"""The topics that feed a policy's observations, and how well the cameras deliver."""

import time
from functools import partial

from rclpy.event_handler import QoSMessageLostInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from sensor_msgs.msg import Image, JointState, MultiDOFJointState
from trajectory_msgs.msg import JointTrajectory

from chefmate.nodes.chunk_messages import chunk_rows
from chefmate_core.camera.delivery import DeliveryMeter
from chefmate_core.camera.frame import Frame
from chefmate_core.camera.monitor import FrameMonitor, FrameMonitorConfig
from chefmate_core.errors import CameraError, ConfigurationError
from chefmate_core.motion.committed import CommittedMotion
from chefmate_core.policy.observations import ObservationBuffer
from chefmate_msgs.msg import ServoTelemetry
from chefmate_ros import qos
from chefmate_ros.image_messages import rgb_image, stamp_ns
from chefmate_ros.joint_messages import joint_vectors, seconds
from chefmate_ros.object_messages import object_poses
from chefmate_ros.parameters import declare

KEPT_FRAMES = 3600  # that the delivery figures look back: four minutes at 15 Hz


class ObservationInputs:
    """Subscribes to joints, cameras, the executor's plan and, in simulation, objects."""

    def __init__(self, node: Node, cameras: list[str]) -> None:
        """Declare parameters and listen to `<camera>/image_raw` of each camera."""
        rate_hz = declare(
            node, 'camera_rate_hz', 30.0, 'Rate the cameras should have, Hz.', (0.1, 240)
        )
        self.buffer = ObservationBuffer(
            cameras,
            declare(node, 'max_observation_age', 0.5, 'Older ones are refused, s.', (0.01, 10.0)),
            declare(
                node,
                'max_image_skew',
                0.1,
                'Images taken further from the observed instant are refused, s.',
                (0.005, 10.0),
            ),
        )
        self.committed = CommittedMotion()
        self._node = node
        self._frozen_after = declare(
            node,
            'frozen_after_frames',
            0,
            'So many identical images mean a frozen camera; 0: never, as a simulation may stand '
            'still, and the real camera node looks itself.',
        )
        self._monitors: dict[str, FrameMonitor] = {}
        self._faults = dict.fromkeys(cameras, '')  # of the newest image
        self._rate_hz = rate_hz
        self._lost = dict.fromkeys(cameras, 0)
        self._deliveries: dict[str, DeliveryMeter] = {}
        self.measure_anew()
        node.create_subscription(
            JointState, 'follower/joint_states', self._on_joints, qos.LATEST_STATE
        )
        node.create_subscription(
            ServoTelemetry, 'follower/servo_telemetry', self._on_telemetry, qos.LATEST_STATE
        )
        node.create_subscription(
            MultiDOFJointState, 'kitchen/objects', self._on_objects, qos.LATEST_STATE
        )
        node.create_subscription(
            JointTrajectory, 'policy/committed', self._on_committed, qos.CHUNK
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

    def measure_anew(self) -> None:
        """Forget how well the cameras delivered so far."""
        self._deliveries = {
            camera: DeliveryMeter(1.0 / self._rate_hz, KEPT_FRAMES) for camera in self._lost
        }

    def values(self) -> dict[str, object]:
        """Frames, rate and age of each camera, for diagnostics."""
        values: dict[str, object] = {}
        for camera, delivery in self._deliveries.items():
            report = delivery.report()
            values |= {
                f'{camera}_received': report.arrived,
                f'{camera}_missing': report.missing,  # by stamps: never captured, or lost
                f'{camera}_lost_in_transport': self._lost[camera],  # by the middleware
                f'{camera}_fault': self._faults[camera],
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
            image = rgb_image(message)
        except CameraError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=5.0)
            return
        fault = self._fault(camera, Frame(image, stamp_ns(message.header), time.monotonic()))
        if fault != self._faults[camera]:
            self._faults[camera] = fault
            self._node.get_logger().warning(f'camera {camera}: {fault or "good again"}')
        if not fault:
            self.buffer.add_image(camera, stamp_s, image)

    def _fault(self, camera: str, frame: Frame) -> str:
        """Return what makes an image no evidence, or nothing; a policy shall not act on it."""
        if camera not in self._monitors:
            height_px, width_px = frame.image.shape[:2]
            config = FrameMonitorConfig(
                width_px, height_px, frozen_after_frames=self._frozen_after
            )
            self._monitors[camera] = FrameMonitor(config)
        findings = self._monitors[camera].observe(frame)
        return ', '.join(sorted(finding.value for finding in findings))

    def _on_committed(self, message: JointTrajectory) -> None:
        if not message.points:
            self.committed.clear()
            return
        try:
            rows = chunk_rows(message)
        except ConfigurationError as error:
            self._node.get_logger().error(f'committed: {error}', throttle_duration_sec=5.0)
            return
        start_s = seconds(message.header.stamp)
        self.committed.add(start_s, rows.positions_rad, rows.period_s)

    def _on_lost_image(self, camera: str, event: QoSMessageLostInfo) -> None:
        self._lost[camera] = event.total_count
