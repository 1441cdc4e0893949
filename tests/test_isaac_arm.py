"""Isaac Sim as the arm of deploy and teleop; MuJoCo on its topics stands in for it."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from ament_index_python.packages import get_package_prefix
from deployment import ROOT, processes_of
from probe import KEPT, Probe
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory

from chefmate.nodes.chunk_messages import trajectory_message
from chefmate_core.calibration import ArmCalibration
from chefmate_core.teleop.range_map import RangeMap
from chefmate_sim.leader.hand_held_arm import HandHeldArm
from chefmate_sim.virtual_bus.bus import VirtualServoBus

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

LEADER, FOLLOWER = (
    ArmCalibration.load(ROOT / 'calibration' / f'{arm}.json') for arm in ('leader', 'follower')
)
STEPS, STEP_S = 16, 1 / 30


class Spectator(Probe):
    """Sees where the simulator's arm is, and gives chunks as a policy does."""

    def __init__(self, domain):
        super().__init__(domain)
        self.rotations_rad = []
        self.node.create_subscription(JointState, 'isaac_joint_states', self._on_state, KEPT)
        self._chunks = self.node.create_publisher(JointTrajectory, 'policy/action_chunk', 1)

    def _on_state(self, message):
        self.rotations_rad.append(message.position[message.name.index('Rotation')])

    @property
    def rotation_rad(self):
        return self.rotations_rad[-1] if self.rotations_rad else None

    def wait_until_at_rest(self):
        """Wait until the simulated arm has caught up with what it was commanded."""
        begun = len(self.rotations_rad)
        self.until(
            lambda: (
                len(self.rotations_rad) >= begun + 10 and np.ptp(self.rotations_rad[-10:]) < 0.002
            ),
            what='an arm at rest',
        )

    def give_chunk(self, goal_rad):
        """From where the arm is now, evenly to a goal."""
        part = np.linspace(1 / STEPS, 1.0, STEPS)[:, None]
        rows = self.position + part * (goal_rad - self.position)
        stamp_s = self.node.get_clock().now().nanoseconds * 1e-9
        chunk = trajectory_message(stamp_s, rows, STEP_S)
        self._chunks.publish(chunk)

    def steer(self, goal_rad, is_there, timeout_s=60.0):
        """Give chunk after chunk, as a policy does; return whether it got there."""
        end_s = time.monotonic() + timeout_s
        while not is_there() and time.monotonic() < end_s:
            self.give_chunk(goal_rad)
            time.sleep(0.2)
        return is_there()


@pytest.fixture
def simulator(environment):
    """The second kitchen, on Isaac Sim's topics."""
    path = Path(get_package_prefix('chefmate_sim'), 'lib', 'chefmate_sim', 'twin_node')
    process = subprocess.Popen([path], env=environment)
    yield process
    process.terminate()
    process.wait(10.0)


@pytest.fixture
def spectator(domain):
    with Spectator(domain) as spectator:
        yield spectator


def names_of(domain):
    return ' '.join(processes_of(domain).values())


def test_deploy_moves_the_arm_in_isaac_sim_through_the_gate_and_stops_it(
    chefmate, domain, simulator, spectator, tmp_path
):
    words = ('hardware:=isaac', 'instruction:=none', 'view:=false', f'run_dir:={tmp_path}')
    command = chefmate('launch', 'deploy', *words)
    command.wait_for('the simulator is the arm')
    command.wait_for('policy expert is loaded')
    assert 'arm_driver_node' not in names_of(domain) and 'kitchen_node' not in names_of(domain)
    spectator.until(lambda: spectator.position is not None, what='torque')
    begun_rad = spectator.rotation_rad
    goal_rad = spectator.position + np.array([0.3, 0, 0, 0, 0, 0])
    assert spectator.steer(goal_rad, lambda: spectator.rotation_rad - begun_rad > 0.25)
    assert max(speed for _, speed in spectator.speeds) <= 2.0 + 1e-6, 'the careful preset'
    assert spectator.emergency_stop(True).success
    spectator.until(lambda: spectator.estop_active, what='the emergency stop')
    spectator.wait_until_standing()
    spectator.wait_until_at_rest()
    stood_rad = spectator.rotation_rad
    begun_rad = spectator.position - np.array([0.3, 0, 0, 0, 0, 0])
    spectator.steer(begun_rad, lambda: False, timeout_s=1.0)
    assert abs(spectator.rotation_rad - stood_rad) < 0.02
    assert simulator.poll() is None


def test_a_real_leader_moves_the_arm_in_isaac_sim(
    chefmate, domain, simulator, spectator, tmp_path
):
    mapping = RangeMap(LEADER, FOLLOWER)
    spectator.until(lambda: spectator.rotation_rad is not None, what='the simulator')
    hand = HandHeldArm(mapping.to_leader(np.array([0.4, -0.9, 1.0, 0.5, 0.0, 0.3])))
    with VirtualServoBus(hand, LEADER, tmp_path / 'leader'):
        words = ('hardware:=isaac', f'leader_port:={tmp_path}/leader', 'instruction:=none')
        command = chefmate('launch', 'teleop', *words, f'run_dir:={tmp_path}/run')
        command.wait_for('the simulator is the arm')
        spectator.until(
            lambda: abs(spectator.rotation_rad - 0.4) < 0.03, what='the twin at its leader'
        )
        assert 'kitchen_node' not in names_of(domain)
        command.interrupt()
        assert command.wait(20) == 130


def test_without_a_simulator_it_is_said_what_is_waited_for(chefmate, domain, tmp_path):
    words = ('hardware:=isaac', 'view:=false', f'run_dir:={tmp_path}')
    command = chefmate('launch', 'deploy', *words)
    command.wait_for('isaac_joint_states: the simulator has never spoken')
    assert 'docs/isaac.md' in command.output
    assert 'the arm is not heard' not in command.output


@pytest.mark.parametrize(
    'words',
    [
        ('deploy', 'hardware:=isaac', 'instruction:=none', 'view:=false'),
        ('teleop', 'hardware:=isaac', 'source:=keyboard', 'instruction:=none'),
        ('twin', 'mode:=command', 'twin:=isaac', 'view:=false'),
    ],
    ids=lambda words: words[0],
)
def test_a_simulated_arm_that_was_stopped_does_not_come_back_released(
    chefmate, domain, simulator, spectator, words, tmp_path
):
    command = chefmate('launch', *words, f'run_dir:={tmp_path}')
    command.wait_for('the simulator is the arm')
    assert spectator.emergency_stop(True).success
    spectator.until(lambda: spectator.estop_active, what='the emergency stop')
    (bridge,) = [pid for pid, name in processes_of(domain).items() if 'joint_state_b' in name]
    os.kill(bridge, signal.SIGKILL)
    assert command.wait(30) != 0
    assert spectator.estop_active
