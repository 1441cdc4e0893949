"""`kitchen_node`: the kitchen in real time, with the arms' virtual servo buses as its only input.

The arm is moved by bytes on a pseudo-terminal, as a real one is. What is published beside that is
what only a simulation knows: object poses, true joints, and a judge's verdict on the instruction.
"""

import fcntl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import JointState, MultiDOFJointState
from std_msgs.msg import Int64, String
from std_srvs.srv import Trigger

from chefmate_core.calibration import ArmCalibration
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.teleop.range_map import RangeMap
from chefmate_description.scene import HOME_POSITION_RAD
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher, status_message
from chefmate_ros.object_messages import objects_message
from chefmate_ros.parameters import declare
from chefmate_ros.running import NodeError, run_node
from chefmate_ros.timers import steady_timer
from chefmate_sim.kitchen.live import KitchenSnapshot, LiveKitchen
from chefmate_sim.leader.hand_held_arm import HandHeldArm
from chefmate_sim.leader.scripted import Scene, ScriptedLeader
from chefmate_sim.nodes.fault_service import FaultService
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.model import ServoArmModel

BASE_FRAME = 'base_link'
SWITCH_INTERVAL_S = 0.0002
LEADERS = ('idle', 'scripted')


def claim(folder: Path) -> TextIO:
    """Take a folder of virtual ports for this process alone, for as long as the file is open."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / 'lock').open('w')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigurationError(
            f'another kitchen has its virtual arms in {folder}. End it, or give this one a place '
            'of its own: ROS_DOMAIN_ID=N, or run_dir:=FOLDER'
        ) from None
    return lock


class KitchenNode(Node):
    """Parameters and messages around `LiveKitchen` and two `VirtualServoBus`es."""

    def __init__(self) -> None:
        super().__init__('kitchen')
        self._buses: dict[str, VirtualServoBus] = {}
        self._instruction = ''
        seed = declare(self, 'seed', 0, 'Which kitchen: places, light and colours.')
        wire_time = declare(self, 'wire_time', True, 'Charge each byte its time at 1 Mbaud.')
        state_rate_hz = declare(
            self, 'state_rate_hz', 30.0, 'Rate of true joints and objects, Hz.', (1.0, 200.0)
        )
        leader = declare(
            self, 'leader', 'idle', 'What a hand does with the leader.', choices=LEADERS
        )
        if leader not in LEADERS:
            raise ConfigurationError(f'leader is {leader!r}; choose one of {", ".join(LEADERS)}')
        links = {
            arm: declare(self, f'{arm}_port', '', 'Link to make to the virtual port; empty: none.')
            for arm in ('follower', 'leader')
        }
        calibrations = {
            arm: ArmCalibration.load(
                declare(self, f'{arm}_calibration', '', 'What the virtual servos are born with.')
            )
            for arm, link in links.items()
            if link
        }
        self._states = self.create_publisher(JointState, 'kitchen/joint_states', qos.STATE)
        self._objects = self.create_publisher(MultiDOFJointState, 'kitchen/objects', qos.STATE)
        self._seeds = self.create_publisher(Int64, 'kitchen/seed', qos.LATCHED)
        self._verdicts = self.create_publisher(DiagnosticStatus, 'kitchen/verdict', qos.LATCHED)
        self._diagnostics = DiagnosticsPublisher(self)
        self._diagnostics.add('physics', self._diagnose)
        self._claims = [
            claim(folder) for folder in {Path(link).parent for link in links.values() if link}
        ]
        self._kitchen = LiveKitchen(seed, 1.0 / state_rate_hz, self._publish_snapshot)
        leader_arm = HandHeldArm(np.array(HOME_POSITION_RAD))
        models: dict[str, ServoArmModel] = {
            'follower': self._kitchen.world,
            'leader': leader_arm,
        }
        self._scripted: ScriptedLeader | None = None
        if leader == 'scripted':
            self._scripted = self._make_scripted(leader_arm, calibrations)
        for arm, link in links.items():
            if link:
                self._buses[arm] = VirtualServoBus(
                    models[arm], calibrations[arm], Path(link), wire_time=wire_time
                )
        FaultService(self, self._buses)
        self.create_service(Trigger, 'kitchen/reset', self._on_reset)
        self.create_subscription(String, 'policy/instruction', self._on_instruction, qos.LATCHED)
        steady_timer(self, 0.25, self._publish_verdict)
        self._kitchen.start()
        if self._scripted is not None:
            self.create_service(Trigger, 'leader/perform', self._on_perform)
            self._diagnostics.add('hand', self._scripted.diagnose)
            self._scripted.start()
        self._seeds.publish(Int64(data=seed))
        self.get_logger().info(f'kitchen {seed} is open; the follower is at {links["follower"]}')

    def _make_scripted(
        self, arm: HandHeldArm, calibrations: Mapping[str, ArmCalibration]
    ) -> ScriptedLeader:
        # Here, because inverse kinematics takes a second to import, and a deployment needs none.
        from chefmate_sim.expert.policy import ExpertPolicy

        missing = [name for name in ('leader', 'follower') if name not in calibrations]
        if missing:
            raise ConfigurationError(
                f'a scripted leader needs both arms; no {", ".join(missing)}_port is given'
            )
        world = self._kitchen.world
        return ScriptedLeader(
            arm,
            RangeMap(calibrations['leader'], calibrations['follower']),
            Scene(world.joint_position_rad, world.joint_velocity_rad_s, world.object_poses),
            ExpertPolicy(),
        )

    def close(self) -> None:
        """Unplug the arms and stop the physics."""
        if self._scripted is not None:
            self._scripted.stop()
        for bus in self._buses.values():
            bus.close()
        self._kitchen.stop()

    def _publish_snapshot(self, snapshot: KitchenSnapshot) -> None:
        """In the physics thread: true joints and objects under one stamp."""
        stamp = self.get_clock().now().to_msg()
        joints = JointState(name=list(JOINT_NAMES), position=snapshot.joint_position_rad.tolist())
        joints.header.stamp = stamp
        self._states.publish(joints)
        self._objects.publish(objects_message(stamp, BASE_FRAME, snapshot.object_poses))

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """The kitchen of the next seed; the arm stays as it is."""
        del request
        seed = self._kitchen.seed + 1
        self._kitchen.reset(seed)
        self._seeds.publish(Int64(data=seed))
        response.success, response.message = True, f'seed {seed}'
        return response

    def _on_perform(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        """The task in force once more, as after a reset."""
        del request
        response.success = bool(self._instruction)
        response.message = self._instruction or 'publish policy/instruction first'
        if self._instruction:
            self._on_instruction(String(data=self._instruction))
        return response

    def _on_instruction(self, message: String) -> None:
        self._instruction = message.data
        if self._scripted is not None:
            self._scripted.perform(message.data)
        try:
            self._kitchen.set_instruction(message.data)
        except ChefMateError as error:
            self.get_logger().warning(f'no verdict on this instruction: {error}')

    def _publish_verdict(self) -> None:
        if self._kitchen.failure is not None:
            raise NodeError(f'the physics ended: {self._kitchen.failure!r}')
        if self._scripted is not None and self._scripted.failure is not None:
            raise NodeError(f'the scripted leader ended: {self._scripted.failure!r}')
        diagnosis = self._kitchen.verdict()
        if diagnosis is not None:
            self._verdicts.publish(status_message('kitchen: verdict', diagnosis))

    def _diagnose(self) -> Diagnosis:
        values = {
            'seed': self._kitchen.seed,
            'bus_packets': sum(bus.packets for bus in self._buses.values()),
            **self._kitchen.statistics(),
        }
        factor = values['real_time_factor']
        level = Level.OK if factor > 0.9 else Level.WARN
        return Diagnosis(level, f'real-time factor {factor:.2f}', values)


def main() -> int:
    """Entry point."""
    # The bus must answer within a millisecond while the physics computes: hand the interpreter
    # over sooner than after the default 5 ms.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    return run_node(KitchenNode)
