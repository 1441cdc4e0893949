"""The graph for Isaac Sim, checked as far as that goes without Isaac Sim."""

import os
import subprocess
import sys

import pytest
from pxr import UsdGeom, UsdPhysics

from chefmate_core.errors import ConfigurationError
from chefmate_sim.isaac import run
from chefmate_sim.isaac.graph import Target
from chefmate_sim.isaac.stage import build_stage, open_stage, write_stage
from chefmate_sim.kitchen.variation import KitchenVariation

# Inputs and outputs that each node type has in all of v5.0.0, v5.1.0, v6.0.1.
# Source: the .ogn files of isaac-sim/IsaacSim; OnPlaybackTick: Omniverse Kit's omni.graph.action.
ROS, CORE = 'isaacsim.ros2.bridge.', 'isaacsim.core.nodes.'
NODE_TYPES = {
    'omni.graph.action.OnPlaybackTick': ('', 'tick frame time deltaSeconds'),
    CORE + 'IsaacArticulationController': (
        'execIn targetPrim robotPath jointNames jointIndices positionCommand velocityCommand '
        'effortCommand',
        '',
    ),
    CORE + 'IsaacCreateRenderProduct': (
        'execIn width height cameraPrim enabled',
        'renderProductPath execOut',
    ),
    CORE + 'IsaacReadSimulationTime': ('resetOnStop', 'simulationTime'),
    CORE + 'IsaacReadSystemTime': ('', 'systemTime'),
    ROS + 'ROS2Context': ('domain_id useDomainIDEnvVar', 'context'),
    ROS + 'ROS2PublishClock': (
        'execIn context nodeNamespace topicName qosProfile queueSize timeStamp',
        '',
    ),
    ROS + 'ROS2SubscribeJointState': (
        'execIn context nodeNamespace topicName qosProfile queueSize',
        'execOut timeStamp jointNames positionCommand velocityCommand effortCommand',
    ),
    ROS + 'ROS2CameraHelper': (
        'execIn enabled context nodeNamespace frameId topicName qosProfile queueSize '
        'renderProductPath type resetSimulationTimeOnStop useSystemTime frameSkipCount',
        '',
    ),
}
PUBLISHER = 'execIn context targetPrim nodeNamespace topicName qosProfile queueSize timeStamp'
OF_VERSION = {
    5: {ROS + 'ROS2PublishJointState': (PUBLISHER, '')},
    6: {
        ROS + 'ROS2PublishJointState': (
            f'{PUBLISHER} jointNames jointPositions jointVelocities jointEfforts jointDofTypes '
            'stageMetersPerUnit sensorTime',
            '',
        ),
        'isaacsim.sensors.physics.IsaacReadJointState': (
            'execIn prim',
            'execOut sensorTime jointNames jointPositions jointVelocities jointEfforts '
            'jointDofTypes stageMetersPerUnit',
        ),
    },
}
ARGUMENTS = ([], ['--wall-time'], ['--no-cameras'])


def graph(version, *arguments):
    return run.graph_for(run.parse_arguments(list(arguments)), reads_joint_state=version == 6)


@pytest.mark.parametrize('version', [5, 6])
@pytest.mark.parametrize('arguments', ARGUMENTS)
def test_every_node_and_attribute_is_one_that_this_isaac_sim_has(version, arguments):
    made = graph(version, *arguments)
    known, types = NODE_TYPES | OF_VERSION[version], dict(made.nodes)
    assert len(types) == len(made.nodes)  # no name twice
    for source, sink in made.connections:
        assert_known(source, 'outputs', types, known)
        assert_known(sink, 'inputs', types, known)
    for attribute, _ in made.values:
        assert_known(attribute, 'inputs', types, known)


def assert_known(attribute, side, types, known):
    node, rest = attribute.split('.')
    found_side, name = rest.split(':')
    assert found_side == side
    assert name in known[types[node]][side == 'outputs'].split(), attribute


@pytest.mark.parametrize('version', [5, 6])
@pytest.mark.parametrize('arguments', ARGUMENTS)
def test_no_input_is_fed_twice_and_every_node_that_acts_is_run(version, arguments):
    made = graph(version, *arguments)
    fed = [sink for _, sink in made.connections] + [name for name, _ in made.values]
    assert len(set(fed)) == len(fed)
    known = NODE_TYPES | OF_VERSION[version]
    for name, kind in made.nodes:
        if 'execIn' in known[kind][0].split():
            assert f'{name}.inputs:execIn' in fed


def test_topics_are_those_of_the_contract():
    values = dict(graph(6).values)
    topics = {value for name, value in values.items() if name.endswith('topicName')}
    images = {'wrist/image_raw', 'scene/image_raw'}
    assert topics == {'isaac_joint_command', 'isaac_joint_states', 'clock', *images}
    renamed = dict(graph(5, '--command-topic', 'isaac_joint_commands').values)
    assert renamed['command.inputs:topicName'] == 'isaac_joint_commands'


def test_without_a_clock_everything_is_stamped_with_the_machines_time():
    made = graph(6, '--wall-time')
    assert not any(kind.endswith(('PublishClock', 'SimulationTime')) for _, kind in made.nodes)
    assert ('time.outputs:systemTime', 'states.inputs:timeStamp') in made.connections
    assert not any(sink.endswith('sensorTime') for _, sink in made.connections)
    assert dict(made.values)['wrist_image.inputs:useSystemTime'] is True


@pytest.mark.parametrize('version', [5, 6])
def test_every_prim_that_the_graph_names_is_in_the_stage(version):
    stage = build_stage(KitchenVariation.sample(0))
    values = dict(graph(version).values)
    targets = [value.path for value in values.values() if isinstance(value, Target)]
    assert len(targets) == 3
    assert all(stage.GetPrimAtPath(path) for path in targets)
    for camera in ('wrist', 'scene'):
        path = values[f'{camera}_picture.inputs:cameraPrim'].path
        assert stage.GetPrimAtPath(path).IsA(UsdGeom.Camera)
    arm = stage.GetPrimAtPath(values['controller.inputs:robotPath'])
    assert arm.HasAPI(UsdPhysics.ArticulationRootAPI)


def test_what_isaac_sim_is_asked_besides_is_left_to_it():
    args = run.parse_arguments(['--headless', '--/app/window/width=800', '--seed', '3'])
    assert args.headless
    assert args.seed == 3


def test_a_stage_is_built_where_none_is_given(tmp_path):
    path = run.stage_file(run.parse_arguments(['--seed', '3']), tmp_path)
    assert path.parent == tmp_path
    assert open_stage(path).GetPrimAtPath('/World/so101/joints/Rotation')


def test_a_stage_that_breaks_a_rule_is_not_played(tmp_path):
    stage = build_stage(KitchenVariation.sample(0))
    stage.RemovePrim('/World/cheese_slice')
    path = tmp_path / 'kitchen.usda'
    write_stage(stage, path)
    with pytest.raises(ConfigurationError, match='/World/cheese_slice'):
        run.stage_file(run.parse_arguments(['--stage', str(path)]), tmp_path)


def test_isaacs_own_python_needs_nothing_but_numpy_and_usd(tmp_path):
    """Isaac Sim has neither ROS nor MuJoCo nor the packages of this environment."""
    program = (
        'import sys\n'
        'class Missing:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        '        top = name.partition(".")[0]\n'
        '        if path is None and top not in allowed and top not in sys.stdlib_module_names:\n'
        '            raise ModuleNotFoundError(name)\n'
        'allowed = {"numpy", "pxr", "chefmate_core", "chefmate_description", "chefmate_sim"}\n'
        'sys.meta_path.insert(0, Missing())\n'
        'from pathlib import Path\n'
        'from chefmate_sim.isaac import run\n'
        'args = run.parse_arguments([])\n'
        'run.stage_file(args, Path(sys.argv[1]))\n'
        'run.graph_for(args, reads_joint_state=True)\n'
    )
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, '-c', program, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'kitchen_0.usdc').is_file()
