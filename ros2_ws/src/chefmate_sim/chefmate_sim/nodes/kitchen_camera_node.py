"""`kitchen_camera_node`: the kitchen's cameras, drawn in a process of their own.

It draws what the kitchen publishes, so that drawing never delays the bus, and a recorded bag can
be drawn again.
"""

import numpy as np
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState, MultiDOFJointState
from std_msgs.msg import Header, Int64

from chefmate_core.camera.intrinsics import CameraIntrinsics, ideal_intrinsics
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.timing import Durations, Rate
from chefmate_description.scene import CAMERAS
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.image_messages import camera_info_message, image_message
from chefmate_ros.jpeg_messages import jpeg_message
from chefmate_ros.object_messages import object_poses
from chefmate_ros.parameters import declare
from chefmate_ros.running import run_node
from chefmate_sim.kitchen.renderer import KitchenRenderer


class KitchenCameraNode(Node):
    """Draws both cameras from the newest state, at most at the camera rate."""

    def __init__(self) -> None:
        super().__init__('kitchen_cameras')
        self._width = declare(self, 'width', 640, 'Pixels in a row.')
        self._height = declare(self, 'height', 480, 'Rows.')
        rate_hz = declare(self, 'rate_hz', 15.0, 'Pairs of frames a second, Hz.', (0.1, 120.0))
        self._jpeg_quality = declare(self, 'jpeg_quality', 85, 'JPEG quality, 1..100.')
        self._period_ns = round(1e9 / rate_hz)
        self._renderer: KitchenRenderer | None = None
        self._joints: JointState | None = None
        self._drawn_ns = 0
        self._drawing = Durations()
        self._frames = Rate()
        self._outputs: dict[str, tuple[Publisher, Publisher, Publisher, CameraIntrinsics]] = {}
        for camera in CAMERAS:
            fov_deg = float(np.degrees(camera.vertical_fov_rad))
            self._outputs[camera.name] = (
                self.create_publisher(Image, f'{camera.name}/image_raw', qos.IMAGE),
                self.create_publisher(
                    CompressedImage, f'{camera.name}/image_raw/compressed', qos.COMPRESSED_IMAGE
                ),
                self.create_publisher(CameraInfo, f'{camera.name}/camera_info', qos.IMAGE),
                ideal_intrinsics(self._width, self._height, fov_deg),
            )
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('drawing', self._diagnose)
        self.create_subscription(Int64, 'kitchen/seed', self._on_seed, qos.LATCHED)
        self.create_subscription(
            JointState, 'kitchen/joint_states', self._on_joints, qos.LATEST_STATE
        )
        self.create_subscription(
            MultiDOFJointState, 'kitchen/objects', self._on_objects,
            qos.LATEST_STATE,
        )  # fmt: skip

    def close(self) -> None:
        """Release OpenGL."""
        if self._renderer is not None:
            self._renderer.close()

    def _on_seed(self, message: Int64) -> None:
        self.close()
        self._renderer = KitchenRenderer(message.data, self._width, self._height)
        self.get_logger().info(
            f'drawing kitchen {message.data} with {self._renderer.backend} '
            f'at {1e9 / self._period_ns:g} Hz'
        )

    def _on_joints(self, message: JointState) -> None:
        self._joints = message

    def _on_objects(self, message: MultiDOFJointState) -> None:
        """Joints and objects of one instant bear one stamp, joints first."""
        if self._renderer is None or self._joints is None:
            return
        if self._joints.header.stamp != message.header.stamp:
            return
        stamp = message.header.stamp
        now_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
        # States come faster than frames: take the one nearest to each frame's time.
        # Not if the clock was set back: then the last frame lies in the future.
        if 0 <= now_ns - self._drawn_ns < 0.75 * self._period_ns:
            return
        self._drawn_ns = now_ns
        start = self.get_clock().now()
        self._renderer.set_state(np.array(self._joints.position), object_poses(message))
        for name, (images, jpegs, infos, intrinsics) in self._outputs.items():
            header = Header(stamp=stamp, frame_id=f'{name}_camera_optical_frame')
            image = self._renderer.image(name)
            images.publish(image_message(image, header))
            if jpegs.get_subscription_count() > 0:
                jpegs.publish(jpeg_message(image, header, self._jpeg_quality))
            infos.publish(camera_info_message(intrinsics, header))
        self._drawing.add((self.get_clock().now() - start).nanoseconds * 1e-9)
        self._frames.tick()

    def _diagnose(self) -> Diagnosis:
        values = {
            'frames': self._frames.count,
            'rate_hz': self._frames.hz(),
            **self._drawing.summary_ms('drawing'),
        }
        if self._renderer is None:
            return Diagnosis(Level.WARN, 'waiting for the kitchen', values)
        return Diagnosis(Level.OK, f'drawing with {self._renderer.backend}', values)


def main() -> int:
    """Entry point."""
    return run_node(KitchenCameraNode)
