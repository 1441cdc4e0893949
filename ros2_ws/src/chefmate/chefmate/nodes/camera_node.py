"""`camera_node`: one camera (V4L2 device or video file) as images, camera_info and JPEG.

Run it in the camera's namespace: `wrist` publishes `wrist/image_raw`, `wrist/camera_info` and
`wrist/image_raw/compressed`.
"""

import logging
from pathlib import Path

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from chefmate.cameras.opening import open_source
from chefmate_core.camera.capture import CaptureLoop
from chefmate_core.camera.frame import Frame, FrameSource
from chefmate_core.camera.intrinsics import CameraIntrinsics, ideal_intrinsics, load_intrinsics
from chefmate_core.camera.monitor import FrameMonitor
from chefmate_core.camera.settings import JPEG_MODES, CameraSettings
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.image_messages import camera_info_message, image_header, image_message
from chefmate_ros.jpeg_messages import jpeg_message
from chefmate_ros.parameters import declare
from chefmate_ros.running import run_node


class CameraNode(Node):
    """Publishes each good frame from the capture thread.

    Raises:
        ConfigurationError: a parameter or the calibration is wrong.
        CameraError: the camera cannot be opened now. One that is lost later is waited for.
    """

    def __init__(self) -> None:
        super().__init__('camera')
        self._settings = declared_settings(self)
        self._intrinsics = intrinsics_of(self._settings)
        self._images = self.create_publisher(Image, 'image_raw', qos.IMAGE)
        self._infos = self.create_publisher(CameraInfo, 'camera_info', qos.IMAGE)
        self._jpegs = None
        if self._settings.jpeg == 'on_demand':
            self._jpegs = self.create_publisher(
                CompressedImage, 'image_raw/compressed', qos.COMPRESSED_IMAGE
            )
        self._capture = CaptureLoop(
            self._open,
            self._publish,
            FrameMonitor(self._settings.monitor_config()),
            period_s=1.0 / self._settings.rate_hz,
            reopen_period_s=self._settings.reopen_period_s,
            withhold_bad_frames=self._settings.withhold_bad_frames,
        )
        self._capture.start()
        self._diagnostics = DiagnosticsPublisher(self, hardware_id=self._settings.source)
        self._diagnostics.add('capture', self._capture.diagnosis)
        self.get_logger().info(
            f'camera {self._settings.name}: {self._settings.source}, {self._settings.width_px}x'
            f'{self._settings.height_px} at {self._settings.rate_hz:g} Hz'
        )

    def close(self) -> None:
        """End the capture thread and release the camera."""
        self._capture.stop()

    def _open(self) -> FrameSource:
        return open_source(self._settings, lambda: self.get_clock().now().nanoseconds)

    def _publish(self, frame: Frame) -> None:
        """Runs in the capture thread."""
        header = image_header(frame.stamp_ns, self._settings.frame_id)
        self._images.publish(image_message(frame.image, header))
        self._infos.publish(camera_info_message(self._intrinsics, header))
        if self._jpegs is not None and self._jpegs.get_subscription_count() > 0:
            self._jpegs.publish(jpeg_message(frame.image, header, self._settings.jpeg_quality))


def declared_settings(node: Node) -> CameraSettings:
    """Declare the parameters and return what they were set to."""
    default = CameraSettings('camera')
    namespace_name = node.get_namespace().rsplit('/', 1)[-1]
    return CameraSettings(
        name=declare(
            node, 'camera_name', namespace_name, 'Name; the frame is <name>_camera_optical_frame.'
        ),
        source=declare(node, 'source', '', 'Camera or video file; empty for /dev/<camera_name>.'),
        width_px=declare(node, 'width', default.width_px, 'Pixels in a row.'),
        height_px=declare(node, 'height', default.height_px, 'Rows.'),
        rate_hz=declare(node, 'rate_hz', default.rate_hz, 'Frames a second, Hz.', (0.1, 1000.0)),
        pixel_format=declare(
            node, 'pixel_format', default.pixel_format, "The camera's format: MJPG, YUYV."
        ),
        vertical_fov_deg=declare(
            node,
            'vertical_fov_deg',
            default.vertical_fov_deg,
            'Vertical field of view for camera_info without a calibration, degrees.',
            (1.0, 179.0),
        ),
        calibration_file=declare(
            node,
            'calibration_file',
            '',
            'Intrinsics as camera_calibration writes them; empty: ideal.',
        ),
        jpeg=declare(
            node, 'jpeg', default.jpeg, 'When to encode image_raw/compressed.', choices=JPEG_MODES
        ),
        jpeg_quality=declare(node, 'jpeg_quality', default.jpeg_quality, 'JPEG quality, 1..100.'),
        stall_timeout_s=declare(
            node,
            'stall_timeout_s',
            default.stall_timeout_s,
            'Silence after which the camera has stalled, s.',
            (0.05, 60.0),
        ),
        frozen_after_frames=declare(
            node,
            'frozen_after_frames',
            default.frozen_after_frames,
            'Identical images in a row that mean a frozen camera; 0: never.',
        ),
        black_level=declare(
            node,
            'black_level',
            default.black_level,
            'Mean brightness, 0..255, up to which an image is black.',
            (0.0, 254.0),
        ),
        withhold_bad_frames=declare(
            node, 'withhold_bad_frames', True, 'Do not publish black and frozen frames.'
        ),
        reopen_period_s=declare(
            node,
            'reopen_period_s',
            default.reopen_period_s,
            'Time between two attempts to open a lost camera, s.',
            (0.05, 60.0),
        ),
    )


def intrinsics_of(settings: CameraSettings) -> CameraIntrinsics:
    """Return the calibrated intrinsics, or those of an ideal camera."""
    if settings.calibration_file:
        return load_intrinsics(
            Path(settings.calibration_file), settings.width_px, settings.height_px
        )
    return ideal_intrinsics(settings.width_px, settings.height_px, settings.vertical_fov_deg)


def main() -> int:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format='[%(levelname)s] [camera]: %(message)s')
    return run_node(CameraNode)
