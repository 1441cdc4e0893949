"""No parameter and no remapping makes a twin move an arm."""

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Bool
from twin_stage import refused

from chefmate.launching import launch_file_arguments

pytestmark = pytest.mark.system
pytest_plugins = ['twin_fixtures']


@pytest.mark.parametrize(
    ('parameters', 'arguments', 'expected'),
    [
        ({'mode': 'mirorr'}, (), ['mirorr', 'mirror', 'command', 'replay']),
        ({'mode': 'replay'}, (), ['bag']),
        ({'mapping_file': '/nowhere.yaml'}, (), ['/nowhere.yaml']),
        ({'mode': 'replay', 'bag': '/nowhere'}, (), ['/nowhere: no such folder']),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(domain, bridge, parameters, arguments, expected):
    said = refused(bridge(*arguments, **parameters))
    for words in expected:
        assert words in said


@pytest.mark.parametrize('topic', ['/follower/joint_commands', 'leader/joint_states'])
@pytest.mark.parametrize(
    'published', ['isaac_joint_command', 'twin/joint_states', 'twin/joint_error', 'joint_states']
)
def test_no_remapping_makes_the_bridge_move_an_arm(domain, bridge, published, topic):
    said = refused(bridge('-r', f'{published}:={topic}'))
    assert 'moves an arm' in said


@pytest.mark.parametrize(
    ('package', 'executable', 'parameter'),
    [
        ('chefmate', 'joint_state_bridge_node', 'command_topic'),
        ('chefmate_sim', 'twin_node', 'states_topic'),
    ],
)
def test_no_parameter_makes_a_twin_move_an_arm(domain, node, package, executable, parameter):
    for topic in ('follower/joint_commands', '/follower/joint_states', 'leader/joint_states'):
        said = refused(node(package, executable, **{parameter: topic}))
        assert 'moves an arm' in said


def test_the_twin_of_a_real_arm_takes_that_arms_calibration_as_teleop_does():
    def default(name):
        arguments = launch_file_arguments(name, 'builtin')
        (folder,) = [item.default for item in arguments if item.name == 'calibration_dir']
        return folder

    assert "if LaunchConfig('hardware') == 'real'" in default('twin')
    assert {default(name) for name in ('deploy', 'teleop', 'record')} == {default('twin')}


@pytest.mark.parametrize('mode', ['command', 'replay'])
def test_a_real_arm_where_none_would_move_is_refused(chefmate, mode):
    command = chefmate('launch', 'twin', f'mode:={mode}', 'hardware:=real')
    assert command.wait(60) == 2
    assert 'moves no real arm' in command.output


def test_the_simulator_is_no_second_arm_beside_another(stage, bridge):
    """Nor does it say, before it has looked, that the stop of the other is released."""
    said = []
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    driver = stage.node.create_publisher(Bool, '/emergency_stop_active', latched)
    stage.node.create_subscription(Bool, '/emergency_stop_active', said.append, latched)
    driver.publish(Bool(data=True))
    for _ in range(3):  # what was found when, is chance
        process = bridge(mode='command')
        while process.poll() is None:
            stage.play(0.1, stage.simulator_says)
        assert 'another driver' in refused(process)
    assert [message.data for message in said] == [True]


def test_the_topics_of_a_simulated_arm_cannot_be_remapped_onto_a_real_ones(domain, bridge):
    for topic in ('follower/joint_states', 'follower/joint_commands_applied'):
        process = bridge('-r', f'{topic}:=leader/joint_states', mode='command')
        assert 'keep their names' in refused(process)
