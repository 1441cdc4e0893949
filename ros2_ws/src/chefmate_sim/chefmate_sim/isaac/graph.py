"""The OmniGraph between the stage and ROS 2, as data: nodes, connections, values.

Node types and attributes: the .ogn files of isaac-sim/IsaacSim at v5.0.0, v5.1.0 and v6.0.1. The
types are called isaacsim.ros2.bridge.* in all three, although 6.x keeps them elsewhere.
"""

from dataclasses import dataclass

from chefmate_description.scene import CAMERAS
from chefmate_description.shapes import Camera

GRAPH_PATH = '/ros2'
# Of 6.x. Where it is, the publisher's own look at the articulation is deprecated.
READ_JOINT_STATE = 'isaacsim.sensors.physics.IsaacReadJointState'
_ROS, _CORE = 'isaacsim.ros2.bridge', 'isaacsim.core.nodes'
_JOINT_FIELDS = (
    'jointNames',
    'jointPositions',
    'jointVelocities',
    'jointEfforts',
    'jointDofTypes',
    'stageMetersPerUnit',
)
_COMMAND_FIELDS = ('jointNames', 'positionCommand', 'velocityCommand', 'effortCommand')


@dataclass(frozen=True)
class Target:
    """The path of a prim, which Isaac wants in a list of its own type."""

    path: str


Value = str | int | bool | Target


@dataclass(frozen=True)
class Topics:
    """What the graph reads and writes."""

    command: str = 'isaac_joint_command'
    states: str = 'isaac_joint_states'
    clock: str = 'clock'
    image: str = '{camera}/image_raw'


@dataclass(frozen=True)
class Graph:
    """What `og.Controller.edit` is given."""

    nodes: tuple[tuple[str, str], ...]  # name, type
    connections: tuple[tuple[str, str], ...]  # 'node.outputs:x', 'node.inputs:y'
    values: tuple[tuple[str, Value], ...]  # 'node.inputs:x', value


def joint_graph(
    articulation: str,
    camera_paths: dict[str, str],
    topics: Topics = Topics(),
    *,
    reads_joint_state: bool,
    wall_time: bool = False,
) -> Graph:
    """Return the graph that drives the arm, tells its joints, and shows both cameras.

    Args:
        articulation: path of the arm.
        camera_paths: path of the prim of each camera by name.
        topics: names; relative ones take the namespace of no node.
        reads_joint_state: whether this Isaac Sim has the node type READ_JOINT_STATE (6.x).
        wall_time: stamp with the machine's time and publish no clock, for a twin of a real arm.
    """
    nodes = [
        ('tick', 'omni.graph.action.OnPlaybackTick'),
        ('context', f'{_ROS}.ROS2Context'),
        ('time', f'{_CORE}.{"IsaacReadSystemTime" if wall_time else "IsaacReadSimulationTime"}'),
        ('command', f'{_ROS}.ROS2SubscribeJointState'),
        ('controller', f'{_CORE}.IsaacArticulationController'),
        ('states', f'{_ROS}.ROS2PublishJointState'),
    ]
    now = 'time.outputs:systemTime' if wall_time else 'time.outputs:simulationTime'
    connections = [
        ('tick.outputs:tick', 'command.inputs:execIn'),
        ('context.outputs:context', 'command.inputs:context'),
        # On a message only: until the first one the arm stays at the stage's drive targets.
        ('command.outputs:execOut', 'controller.inputs:execIn'),
        *((f'command.outputs:{one}', f'controller.inputs:{one}') for one in _COMMAND_FIELDS),
        ('context.outputs:context', 'states.inputs:context'),
        (now, 'states.inputs:timeStamp'),
    ]
    values: list[tuple[str, Value]] = [
        ('context.inputs:useDomainIDEnvVar', True),
        ('command.inputs:topicName', topics.command),
        ('command.inputs:queueSize', 1),  # the newest command counts
        ('controller.inputs:robotPath', articulation),
        ('states.inputs:topicName', topics.states),
    ]
    if reads_joint_state:
        nodes.append(('read', READ_JOINT_STATE))
        connections += [
            ('tick.outputs:tick', 'read.inputs:execIn'),
            ('read.outputs:execOut', 'states.inputs:execIn'),
            *((f'read.outputs:{one}', f'states.inputs:{one}') for one in _JOINT_FIELDS),
        ]
        if not wall_time:
            connections.append(('read.outputs:sensorTime', 'states.inputs:sensorTime'))
        values.append(('read.inputs:prim', Target(articulation)))
    else:
        connections.append(('tick.outputs:tick', 'states.inputs:execIn'))
        values.append(('states.inputs:targetPrim', Target(articulation)))
    if not wall_time:
        nodes.append(('clock', f'{_ROS}.ROS2PublishClock'))
        connections += [
            ('tick.outputs:tick', 'clock.inputs:execIn'),
            ('context.outputs:context', 'clock.inputs:context'),
            (now, 'clock.inputs:timeStamp'),
        ]
        values.append(('clock.inputs:topicName', topics.clock))
    for camera in CAMERAS:
        path = camera_paths.get(camera.name)
        if path is not None:
            _add_camera(nodes, connections, values, camera, path, topics, wall_time)
    return Graph(tuple(nodes), tuple(connections), tuple(values))


def _add_camera(
    nodes: list[tuple[str, str]],
    connections: list[tuple[str, str]],
    values: list[tuple[str, Value]],
    camera: Camera,
    path: str,
    topics: Topics,
    wall_time: bool,
) -> None:
    picture, image = f'{camera.name}_picture', f'{camera.name}_image'
    nodes += [
        (picture, f'{_CORE}.IsaacCreateRenderProduct'),
        (image, f'{_ROS}.ROS2CameraHelper'),
    ]
    connections += [
        ('tick.outputs:tick', f'{picture}.inputs:execIn'),
        (f'{picture}.outputs:execOut', f'{image}.inputs:execIn'),
        (f'{picture}.outputs:renderProductPath', f'{image}.inputs:renderProductPath'),
        ('context.outputs:context', f'{image}.inputs:context'),
    ]
    values += [
        (f'{picture}.inputs:cameraPrim', Target(path)),
        (f'{picture}.inputs:width', camera.width),
        (f'{picture}.inputs:height', camera.height),
        (f'{image}.inputs:type', 'rgb'),
        (f'{image}.inputs:topicName', topics.image.format(camera=camera.name)),
        (f'{image}.inputs:frameId', f'{camera.name}_camera_optical_frame'),
        (f'{image}.inputs:frameSkipCount', 1),  # every other frame of 60: 30 Hz
        (f'{image}.inputs:useSystemTime', wall_time),
    ]
