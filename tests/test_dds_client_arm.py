"""A simulated arm over the DDS client: alone, with the bridge, and as the docs have it."""

import re
import time

import numpy as np
import pytest
from builtin_interfaces.msg import Time as RosTime
from dds_peers import PATIENCE_S, REPOSITORY, connected, repeated, until
from sensor_msgs.msg import JointState as RosJointState
from std_msgs.msg import Bool as RosBool
from std_msgs.msg import Header as RosHeader

from chefmate_core import qos_table
from chefmate_core.dds_client.joint_state_client import JointStateClient
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_NAMES

pytestmark = pytest.mark.system
pytest_plugins = ['dds_fixtures']


def isaac(arm, ros):
    """Return a function that sends a command from ROS and waits until the arm has judged it."""
    publisher = ros.speak('isaac_joint_command', RosJointState)

    def command(names, positions):
        judged = arm.accepted + arm.refused.total()
        publisher.publish(
            RosJointState(header=RosHeader(stamp=RosTime(sec=7)), name=names, position=positions)
        )
        end_s = time.monotonic() + PATIENCE_S
        while arm.accepted + arm.refused.total() == judged:
            assert time.monotonic() < end_s, 'the command did not arrive'
            time.sleep(0.005)
            goals_rad = arm.goals_rad()
        return goals_rad.tolist()

    return command


def test_a_simulated_arm_follows_named_goals_and_refuses_the_rest(dds, ros):
    arm = JointStateClient(dds)
    ros.hear('isaac_joint_states', RosJointState)
    command = isaac(arm, ros)
    connected(dds, ros)
    assert np.isnan(arm.goals_rad()).all()
    assert arm.stale
    assert arm.stamp_ns == 0
    command(list(reversed(ISAAC_JOINT_NAMES)), [6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    assert arm.goals_rad().tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert arm.stamp_ns == 7_000_000_000
    part = command(['Pitch'], [-2.0])
    assert part == [1.0, -2.0, 3.0, 4.0, 5.0, 6.0]
    for names, positions in (
        (['gripper'], [0.0]),
        (['Jaw', 'Jaw'], [0.0, 0.1]),
        (['Jaw', 'Pitch'], [0.0]),
        (['Jaw'], [float('nan')]),
        ([], [0.0] * 6),
    ):
        assert command(names, positions) == part
    assert arm.refused == {
        'unknown': 1,
        'duplicated': 1,
        'length': 1,
        'not_finite': 1,
        'unnamed': 1,
    }
    assert '/isaac_joint_command: 6 positions without names' in arm.last_refusal
    assert arm.accepted == 2


def test_a_simulated_arm_knows_that_its_commands_have_stopped(dds, ros):
    arm = JointStateClient(dds, stale_s=0.3)
    ros.hear('isaac_joint_states', RosJointState)
    command = isaac(arm, ros)
    connected(dds, ros)
    goals_rad = command(['Jaw'], [0.5])
    until(dds, lambda: arm.stale, 'staleness')
    assert arm.goals_rad()[5] == goals_rad[5] == 0.5


def test_a_simulated_arm_tells_ros_where_it_is(dds, ros):
    arm = JointStateClient(dds, states_topic='twin/isaac_joint_states')
    heard = ros.hear('twin/isaac_joint_states', RosJointState)
    ros.speak('isaac_joint_command', RosJointState)
    connected(dds, ros)
    position_rad = np.linspace(-1.0, 1.0, 6)
    arm.publish(position_rad, np.zeros(6), stamp_ns=3_000_000_001)
    until(dds, lambda: heard, 'the state')
    assert tuple(heard[0].name) == ISAAC_JOINT_NAMES
    assert list(heard[0].position) == position_rad.tolist()
    assert list(heard[0].velocity) == [0.0] * 6
    assert (heard[0].header.stamp.sec, heard[0].header.stamp.nanosec) == (3, 1)


def test_a_simulated_arm_publishes_one_position_for_each_joint_or_nothing(dds):
    arm = JointStateClient(dds, names=('Jaw', 'Elbow'))
    with pytest.raises(ConfigurationError, match='1 positions and 0 velocities for 2 joints'):
        arm.publish([0.0])
    with pytest.raises(ConfigurationError, match='2 positions and 3 velocities'):
        arm.publish([0.0, 0.0], [0.0] * 3)
    with pytest.raises(ConfigurationError, match='each once'):
        JointStateClient(dds, names=('Jaw', 'Jaw'))


def test_the_bridge_mirrors_the_arm_in_a_simulator_without_ros(dds, ros, start):
    """The whole way: driver's topic, bridge, this client as the simulator, bridge, error."""
    errors = ros.hear('twin/joint_error', RosJointState)
    measured = ros.speak('follower/joint_states', RosJointState)
    arm = JointStateClient(dds)
    bridge = (
        'import sys; from chefmate.nodes.joint_state_bridge_node import main; sys.exit(main())'
    )
    start(bridge, '--ros-args', '-p', 'mode:=mirror')
    ours_rad = [0.1, -0.2, 0.3, -0.4, 0.5, 0.6]

    def follow():
        stamp = ros.node.get_clock().now().to_msg()
        measured.publish(
            RosJointState(
                header=RosHeader(stamp=stamp),
                name=list(JOINT_NAMES),
                position=ours_rad,
                velocity=[0.0] * 6,
            )
        )
        goals_rad = arm.goals_rad()
        if not np.isnan(goals_rad).any():
            arm.publish(goals_rad - 0.01)
        dds.spin_once(0.01)
        return errors and list(errors[-1].position) == pytest.approx([0.01] * 6, abs=1e-6)

    assert dds.spin_until(follow, PATIENCE_S), (arm.accepted, errors[-1:])
    assert arm.goals_rad() == pytest.approx(ours_rad)
    assert tuple(errors[-1].name) == JOINT_NAMES
    assert not arm.refused


def example():
    """Return the script of docs/dds-client.md."""
    text = (REPOSITORY / 'docs' / 'dds-client.md').read_text()
    (code,) = re.findall(r'```python\n(.*?)```', text, re.DOTALL)
    return code


NO_ROS = """
import sys
class NoRos:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] not in ALLOWED and name.split('.')[0] not in sys.stdlib_module_names:
            raise ImportError(f'{name} is not installed here')
ALLOWED = {'cyclonedds', 'numpy', 'chefmate_core'}
sys.meta_path.insert(0, NoRos())
"""


def test_the_script_in_the_docs_moves_an_arm_in_a_python_without_ros(dds, ros, start):
    states = ros.hear('isaac_joint_states', RosJointState)
    commands = ros.speak('isaac_joint_command', RosJointState)
    code = NO_ROS + example() + "\nassert not {'rclpy', 'sensor_msgs', 'yaml'} & set(sys.modules)"
    script = start(code, '30', AMENT_PREFIX_PATH='', LD_LIBRARY_PATH='')
    repeated(
        dds,
        lambda: commands.publish(RosJointState(name=['Jaw'], position=[0.25])),
        lambda: states and states[-1].position[5] == pytest.approx(0.25),
    )
    assert list(states[-1].position[:5]) == [0.0] * 5
    commands.publish(RosJointState(name=['gripper'], position=[0.5]))
    output, _ = script.communicate(timeout=90.0)
    assert script.returncode == 0, output
    assert re.match(r"[1-9]\d* commands followed, refused: {'unknown': 1}", output)


def test_the_arm_of_that_script_stands_while_the_emergency_stop_is_active(dds, ros, start):
    states = ros.hear('isaac_joint_states', RosJointState)
    commands = ros.speak('isaac_joint_command', RosJointState)
    stop = ros.speak('emergency_stop_active', RosBool, qos_table.LATCHED)
    start(example())

    def command(position_rad):
        commands.publish(RosJointState(name=['Jaw'], position=[position_rad]))

    repeated(dds, lambda: command(6.0), lambda: states and states[-1].position[5] > 0.0)
    stop.publish(RosBool(data=True))
    until(
        dds,
        lambda: len(states) > 10 and len({state.position[5] for state in states[-10:]}) == 1,
        'a stand',
    )
    stop.publish(RosBool(data=False))
    stood_at = states[-1].position[5]
    until(dds, lambda: states[-1].position[5] > stood_at, 'going on')
