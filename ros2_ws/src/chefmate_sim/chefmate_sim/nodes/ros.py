"""The little of ROS that the simulation's nodes share: start and end, QoS, messages of poses."""

import signal
import sys
import threading
from collections.abc import Callable, Mapping

import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Quaternion, Transform, Vector3
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import MultiDOFJointState

from chefmate_core.diagnosis import Diagnosis, value_text
from chefmate_core.errors import ChefMateError
from chefmate_core.geometry import Pose, wxyz_to_xyzw, xyzw_to_wxyz
from chefmate_core.qos_table import QosRow


END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_node(make_node: Callable[[], Node]) -> int:
    """Spin."""
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    executor = SingleThreadedExecutor()
    node = None
    try:
        node = make_node()
        executor.add_node(node)
        threading.Thread(target=_end_on_signal, args=(executor,), daemon=True).start()
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except ChefMateError as error:
        print(f'[FATAL] {error}', file=sys.stderr, flush=True)
        return 1
    finally:
        if node is not None:
            node.close()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _end_on_signal(executor: SingleThreadedExecutor) -> None:
    signal.sigwait(END_SIGNALS)
    executor.shutdown(timeout_sec=0)
    signal.sigwait(END_SIGNALS)
    signal.raise_signal(signal.SIGKILL)


def profile(row: QosRow) -> QoSProfile:
    """Return the rclpy profile of a row of `chefmate_core.qos_table`."""
    qos = QoSProfile(
        depth=row.depth,
        reliability=ReliabilityPolicy[row.reliability.name],
        durability=DurabilityPolicy[row.durability.name],
    )
    if row.deadline_s is not None:
        qos.deadline = Duration(seconds=row.deadline_s)
    return qos


def diagnostic_status(name: str, diagnosis: Diagnosis) -> DiagnosticStatus:
    """Return a diagnosis as a message."""
    return DiagnosticStatus(
        level=bytes([diagnosis.level]),
        name=name,
        message=diagnosis.message,
        values=[KeyValue(key=k, value=value_text(v)) for k, v in diagnosis.values.items()],
    )


def diagnostic_array(stamp: Time, status: DiagnosticStatus) -> DiagnosticArray:
    """Return one status as `/diagnostics` carries it."""
    message = DiagnosticArray(status=[status])
    message.header.stamp = stamp
    return message


def poses_message(stamp: Time, frame_id: str, poses: Mapping[str, Pose]) -> MultiDOFJointState:
    """Return named poses: the standard message that carries names with transforms."""
    message = MultiDOFJointState()
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    message.joint_names = list(poses)
    for pose in poses.values():
        x, y, z = map(float, pose.position_m)
        qx, qy, qz, qw = map(float, wxyz_to_xyzw(pose.quaternion_wxyz))
        message.transforms.append(
            Transform(
                translation=Vector3(x=x, y=y, z=z),
                rotation=Quaternion(x=qx, y=qy, z=qz, w=qw),
            )
        )
    return message


def poses_of(message: MultiDOFJointState) -> dict[str, Pose]:
    """Return the named poses of a message made by `poses_message`."""
    poses = {}
    for name, transform in zip(message.joint_names, message.transforms, strict=True):
        t, q = transform.translation, transform.rotation
        poses[name] = Pose(np.array([t.x, t.y, t.z]), xyzw_to_wxyz(np.array([q.x, q.y, q.z, q.w])))
    return poses
