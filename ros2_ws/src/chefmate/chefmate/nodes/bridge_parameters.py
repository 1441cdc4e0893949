"""The parameters of `joint_state_bridge_node`, and what is made of them."""

from dataclasses import dataclass

from rclpy.node import Node

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_NAMES, affixed
from chefmate_core.twin.config import TwinConfig
from chefmate_core.twin.mapping import JointMap, joint_map
from chefmate_core.twin.mapping_file import load_joint_map
from chefmate_ros.parameters import declare

MODES = ('mirror', 'command', 'replay', 'none')


@dataclass(frozen=True)
class BridgeParameters:
    """What the node works with."""

    mode: str
    relays: bool  # publishes joint_states
    urdf_names: tuple[str, ...]
    command_topic: str
    states_topic: str
    command_rate_hz: float
    error_rate_hz: float
    report_period_s: float  # 0: no lines
    joint_map: JointMap
    twin: TwinConfig
    preset: str
    bag: str
    speed: float


def declared_parameters(node: Node) -> BridgeParameters:
    """Declare and check; raise a ConfigurationError that says what is wrong."""
    mode = declare(
        node,
        'mode',
        'mirror',
        'mirror: the simulator follows the arm; command: the simulator is the arm; replay: the '
        'simulator follows a recording; none: joint_states only.',
        choices=MODES,
    )
    if mode not in MODES:
        raise ConfigurationError(f'mode is {mode!r}; choose one of {", ".join(MODES)}')
    names = list(declare(
        node,
        'joint_names',
        list(ISAAC_JOINT_NAMES),
        f"The simulator's joints, in the order {', '.join(JOINT_NAMES)}.",
    ))  # fmt: skip
    mapping_file = declare(
        node, 'mapping_file', '', 'YAML file of sign, offset, unit and limits; or empty.'
    )
    parameters = BridgeParameters(
        mode=mode,
        relays=declare(
            node, 'publish_joint_states', True, 'False: another bridge does so.'
        ),
        urdf_names=affixed(
            JOINT_NAMES,
            declare(node, 'joint_prefix', '', 'Before the names in joint_states.'),
            declare(node, 'joint_suffix', '', 'After the names in joint_states: _joint, say.'),
        ),
        command_topic=declare(
            node, 'command_topic', 'isaac_joint_command', 'What the simulator is told.'
        ),
        states_topic=declare(
            node, 'states_topic', 'isaac_joint_states', 'What the simulator tells.'
        ),
        command_rate_hz=declare(
            node, 'command_rate_hz', 60.0, 'Most messages to the simulator, Hz.', (1.0, 200.0)
        ),
        error_rate_hz=declare(
            node, 'error_rate_hz', 10.0, 'Rate of twin/joint_error, Hz.', (1.0, 100.0)
        ),
        report_period_s=declare(
            node, 'report_period', 0.0, 'A line about the twin so often, s; 0: never.', (0, 3600)
        ),
        joint_map=load_joint_map(mapping_file, names) if mapping_file else joint_map(names),
        twin=_declared_thresholds(node),
        preset=declare(
            node, 'preset', 'careful', 'Limits of the safety gate, mode command.'
        ),
        bag=declare(node, 'bag', '', 'Recorded session or rosbag2 folder, mode replay.').strip(),
        speed=declare(node, 'speed', 1.0, 'Of a replay, times real time.', (0.01, 100.0)),
    )  # fmt: skip
    if mode == 'replay' and not parameters.bag:
        raise ConfigurationError('mode replay needs bag:=FOLDER, a session or a rosbag2 folder')
    return parameters


def _declared_thresholds(node: Node) -> TwinConfig:
    defaults = TwinConfig()

    def threshold(name: str, default: float, description: str) -> float:
        return declare(node, name, default, description)

    return TwinConfig(
        warn_rad=threshold('warn', defaults.warn_rad, 'Error of a joint that is told, rad.'),
        alarm_rad=threshold('alarm', defaults.alarm_rad, 'Error of a joint that is wrong, rad.'),
        hold_off_s=threshold('hold_off', defaults.hold_off_s, 'How long an error must last, s.'),
        window_s=threshold('window', defaults.window_s, 'Time that rms and max are over, s.'),
        silent_s=threshold('silent_after', defaults.silent_s, 'Silence that is told, s.'),
        late_s=threshold('late_after', defaults.late_s, "Age of the twin's states told, s."),
    )
