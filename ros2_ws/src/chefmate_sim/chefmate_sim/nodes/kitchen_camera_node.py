"""`kitchen_camera_node`: the kitchen's cameras, drawn in a process of their own.

It draws what the kitchen publishes, so that drawing never delays the bus, and a recorded bag can be drawn again.
"""

from array import array

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image, JointState, MultiDOFJointState
from std_msgs.msg import Int64

from chefmate_core import qos_table
from chefmate_core.camera.intrinsics import CameraIntrinsics, ideal_intrinsics
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.timing import Durations, Rate
from chefmate_description.scene import CAMERAS
from chefmate_sim.kitchen.renderer import KitchenRenderer
from chefmate_sim.nodes.ros import (
    diagnostic_array,
    diagnostic_status,
    poses_of,
    profile,
    run_node,
)


class KitchenCameraNode(Node):
    """Draws both cameras from the newest state, at most at the camera rate."""

    def __init__(self) -> None:
        super().__init__('kitchen_cameras')
        self._width = self.declare_parameter('width', 640).value
        self._height = self.declare_parameter('height', 480).value
        rate_hz = self.declare_parameter('rate_hz', 15.0).value
        self._period_ns = round(1e9 / rate_hz)
        self._renderer: KitchenRenderer | None = None
        self._joints: JointState | None = None
        self._drawn_ns = 0
        self._drawing = Durations()
        self._frames = Rate()
        self._outputs: dict[str, tuple[Publisher, Publisher, CameraIntrinsics]] = {}
        for camera in CAMERAS:
            fov_deg = float(np.degrees(camera.vertical_fov_rad))
            self._outputs[camera.name] = (
                self.create_publisher(Image, f'{camera.name}/image_raw', profile(qos_table.IMAGE)),
                self.create_publisher(
                    CameraInfo, f'{camera.name}/camera_info', profile(qos_table.IMAGE)
                ),
                ideal_intrinsics(self._width, self._height, fov_deg),
            )
        self._diagnostics = self.create_publisher(
            DiagnosticArray, '/diagnostics', profile(qos_table.DIAGNOSTICS)
        )
        self.create_subscription(Int64, 'kitchen/seed', self._on_seed, profile(qos_table.LATCHED))
        self.create_subscription(
            JointState, 'kitchen/joint_states', self._on_joints, profile(qos_table.LATEST_STATE)
        )
        self.create_subscription(
            MultiDOFJointState, 'kitchen/objects', self._on_objects,
            profile(qos_table.LATEST_STATE),
        )  # fmt: skip
        self.create_timer(1.0, self._publish_diagnostics)

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
        if now_ns - self._drawn_ns < 0.75 * self._period_ns:
            return
        self._drawn_ns = now_ns
        start = self.get_clock().now()
        self._renderer.set_state(np.array(self._joints.position), poses_of(message))
        for name, (images, infos, intrinsics) in self._outputs.items():
            self._publish(images, infos, intrinsics, stamp, f'{name}_camera_optical_frame',
                          self._renderer.image(name))  # fmt: skip
        self._drawing.add((self.get_clock().now() - start).nanoseconds * 1e-9)
        self._frames.tick()

    def _publish(
        self,
        images: Publisher,
        infos: Publisher,
        intrinsics: CameraIntrinsics,
        stamp: Time,
        frame_id: str,
        image: np.ndarray,
    ) -> None:
        height, width, _ = image.shape
        message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
        message.header.stamp, message.header.frame_id = stamp, frame_id
        content = array('B')
        content.frombytes(image.data)
        message.data = content  # any other sequence is checked byte by byte
        images.publish(message)
        info = CameraInfo(
            header=message.header,
            height=height,
            width=width,
            distortion_model=intrinsics.distortion_model,
            d=intrinsics.distortion.tolist(),
            k=intrinsics.camera_matrix.ravel(),
            r=intrinsics.rectification.ravel(),
            p=intrinsics.projection.ravel(),
        )
        infos.publish(info)

    def _publish_diagnostics(self) -> None:
        values = {
            'frames': self._frames.count,
            'rate_hz': self._frames.hz(),
            **self._drawing.summary_ms('drawing'),
        }
        ready = self._renderer is not None
        diagnosis = Diagnosis(
            Level.OK if ready else Level.WARN, 'drawing' if ready else 'waiting for the kitchen',
            values,
        )  # fmt: skip
        status = diagnostic_status('kitchen_cameras: drawing', diagnosis)
        self._diagnostics.publish(diagnostic_array(self.get_clock().now().to_msg(), status))


def main() -> int:
    """Entry point."""
    return run_node(KitchenCameraNode)
