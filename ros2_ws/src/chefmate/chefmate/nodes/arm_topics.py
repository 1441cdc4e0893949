"""What the outside sees of an arm and may ask of it: messages around a driver with its gate."""

import threading
import time
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import SetBool

from chefmate_core.driver.arm_driver import ArmDriver
from chefmate_core.errors import ChefMateError
from chefmate_core.safety.gate import Setpoint
from chefmate_core.servo.readings import ArmReading
from chefmate_ros import qos
from chefmate_ros.joint_messages import command_from, joint_state, time_message


@dataclass(frozen=True)
class ArmTopicNames:
    """Topics, and the service of the emergency stop."""

    states: str = 'joint_states'
    applied: str = 'joint_commands_applied'
    commands: str = 'joint_commands'
    estop: str = 'emergency_stop'
    estop_state: str = 'emergency_stop_active'


class ArmTopics:
    """Publishers, commands and the emergency stop of one arm; made when the arm is to be seen.

    The driver comes and goes: whoever starts one sets `driver`, and hands it `tell_setpoint` and
    `tell_estop`. A stop that was pressed is latched here, too, and outlives the driver.

    Args:
        node: whose topics.
        names: how they are called.
        estopped: whether the emergency stop is latched from before.
        is_commanded: False for a leader: it is read only, and has no stop.
    """

    def __init__(
        self, node: Node, names: ArmTopicNames, estopped: bool = False, is_commanded: bool = True
    ) -> None:
        self.driver: ArmDriver | None = None
        self.estopped = estopped
        self._node = node
        self._estop_lock = threading.Lock()
        self._has_told_estop = False
        self._states = node.create_publisher(JointState, names.states, qos.STATE)
        if is_commanded:
            self._applied = node.create_publisher(JointState, names.applied, qos.STATE)
            self._estop_state = node.create_publisher(Bool, names.estop_state, qos.LATCHED)
            node.create_subscription(
                JointState, names.commands, self._on_command, qos.COMMAND_READER
            )
            node.create_service(SetBool, names.estop, self._on_emergency_stop)

    def clock_s(self) -> float:
        """Return the node's time, the one that messages are stamped with, s."""
        return self._node.get_clock().now().nanoseconds * 1e-9

    # --- in the loop's thread --------------------------------------------------------------------

    def tell_reading(self, reading: ArmReading) -> JointState:
        """Publish where the arm was, under the time at which it was there; return the message."""
        age_s = time.monotonic() - reading.steady_time_s
        stamp = time_message(self.clock_s() - age_s)
        message = joint_state(stamp, reading.position_rad, reading.velocity_rad_s)
        self._states.publish(message)
        return message

    def tell_setpoint(self, setpoint: Setpoint) -> float:
        """Publish what went to the arm, and how; return the stamp, s."""
        stamp_s = self.clock_s()
        self._applied.publish(
            joint_state(
                time_message(stamp_s),
                setpoint.position_rad,
                setpoint.velocity_rad_s,
                frame_id=setpoint.mode,
            )
        )
        return stamp_s

    # --- in any thread ---------------------------------------------------------------------------

    def tell_estop(self, active: bool) -> None:
        """Publish whether the stop is latched; the gate latches it by itself, too."""
        with self._estop_lock:
            self.estopped, self._has_told_estop = active, True
            self._estop_state.publish(Bool(data=active))
        if active and self.driver is not None:
            self._node.get_logger().error(f'emergency stop: {self.driver.stop_reason}')

    def tell_estop_unless_told(self) -> None:
        """Publish that this arm is not stopped, unless anything was said of its stop before."""
        with self._estop_lock:
            if not self._has_told_estop:
                self._has_told_estop = True
                self._estop_state.publish(Bool(data=self.estopped))

    def _on_command(self, message: JointState) -> None:
        if self.driver is not None:
            self.driver.command(command_from(message))

    def _on_emergency_stop(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        try:
            if request.data:  # before the driver has done it: it may be a new one
                self.estopped = True
            if self.driver is not None:
                self.driver.set_estop(request.data)
            else:
                self.tell_estop(request.data)
            response.success = True
            response.message = 'stopped' if request.data else 'released'
        except ChefMateError as error:
            response.message = str(error)
        return response
