"""The bridge and its twin with real processes: topics, faults, modes, launch."""

import math
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from ament_index_python.packages import get_package_prefix
from deployment import processes_of
from diagnostic_msgs.msg import DiagnosticArray
from probe import Probe
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from small_session import EpisodePlan, write_session
from std_msgs.msg import Bool

from chefmate.launching import launch_file_arguments
from chefmate_core.dds_client.joint_state_client import JointStateClient
from chefmate_core.dds_client.participant import Participant
from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_NAMES

pytestmark = pytest.mark.system

REST_RAD = np.array([0.3, -1.0, 0.8, 0.3, 0.3, 0.3])  # clear of table and tray


class Watcher(Probe):
    """What the bridge publishes."""

    def __init__(self, domain):
        super().__init__(domain)
        self.relayed, self.commanded, self.twin, self.errors = [], [], [], []
        self.statuses = {}
        subscribe = self.node.create_subscription
        for topic, heard in (
            ('joint_states', self.relayed),
            ('isaac_joint_command', self.commanded),
            ('twin/joint_states', self.twin),
            ('twin/joint_error', self.errors),
        ):
            subscribe(JointState, topic, heard.append, 50)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_diagnostics(self, message):
        for status in message.status:
            self.statuses[status.name] = status

    def said(self, part='twin'):
        """What the bridge says of a part, on /diagnostics."""
        status = self.statuses.get(f'joint_state_bridge: {part}')
        return status.message if status else ''

    def value(self, key):
        status = self.statuses['joint_state_bridge: twin']
        return {value.key: value.value for value in status.values}.get(key)


class Stage(Watcher):
    """An arm and a simulator as the bridge sees them."""

    def __init__(self, domain):
        super().__init__(domain)
        self.moves = False  # whether the arm swings
        self._arm = self.node.create_publisher(JointState, 'follower/joint_states', 10)
        self._simulator = self.node.create_publisher(JointState, 'isaac_joint_states', 10)

    def where(self):
        time_s = time.monotonic()
        return REST_RAD + self.moves * 0.25 * np.sin(2.0 * time_s + np.arange(6))

    def arm_speaks(self):
        """One message of the driver, at 100 Hz if called in a loop."""
        message = JointState(name=list(JOINT_NAMES), position=self.where().tolist())
        message.velocity = [0.1] * 6
        message.header.stamp = self.node.get_clock().now().to_msg()
        self._arm.publish(message)

    def simulator_says(self, names=ISAAC_JOINT_NAMES, positions=None, age_s=0.0):
        positions = self.where() if positions is None else positions
        message = JointState(name=list(names), position=[float(value) for value in positions])
        nanoseconds = self.node.get_clock().now().nanoseconds - round(age_s * 1e9)
        message.header.stamp.sec = nanoseconds // 10**9
        message.header.stamp.nanosec = nanoseconds % 10**9
        self._simulator.publish(message)

    def play(self, seconds, simulator=lambda: None):
        """Arm at 100 Hz; the simulator does something at 50 Hz."""
        end_s, count = time.monotonic() + seconds, 0
        while time.monotonic() < end_s:
            self.arm_speaks()
            if count % 2 == 0:
                simulator()
            count += 1
            time.sleep(0.01)
        return count

    def play_until(self, condition, simulator=lambda: None, what='it', timeout_s=40.0):
        end_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end_s:
                pytest.fail(f'{what} did not happen; the bridge says {self.said()!r}')
            self.play(0.1, simulator)


@pytest.fixture
def stage(domain):
    with Stage(domain) as stage:
        yield stage


@pytest.fixture
def node(environment):
    """Start one executable with parameters; whatever still runs is ended after the test."""
    running = []

    def start(package, executable, *arguments, **parameters):
        path = Path(get_package_prefix(package)) / 'lib' / package / executable
        words = [f'-p {name}:={value}' for name, value in parameters.items()]
        process = subprocess.Popen(
            [path, '--ros-args', *' '.join(words).split(), *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.terminate()
        process.wait(15.0)


@pytest.fixture
def bridge(node):
    def start(*arguments, **parameters):
        return node('chefmate', 'joint_state_bridge_node', *arguments, **parameters)

    return start


def refused(process):
    """Wait for a node that does not start; return what it said."""
    said, _ = process.communicate(timeout=40.0)
    assert process.returncode == 1
    assert 'Traceback' not in said
    return said


def test_the_arm_goes_to_joint_states_as_it_is(stage, bridge):
    bridge(mode='none')
    stage.play_until(lambda: len(stage.relayed) > 50, what='joint_states')
    message = stage.relayed[-1]
    assert list(message.name) == list(JOINT_NAMES)
    assert message.position == pytest.approx(REST_RAD)
    assert message.velocity == pytest.approx([0.1] * 6)
    age_s = stage.node.get_clock().now().nanoseconds * 1e-9 - message.header.stamp.sec
    assert age_s < 60.0  # the stamp of the measurement, not zero
    assert stage.commanded == []


def test_a_stack_that_spells_joints_otherwise_gets_its_names(stage, bridge):
    bridge(mode='none', joint_prefix='left_', joint_suffix='_joint')
    stage.play_until(lambda: len(stage.relayed) > 10, what='joint_states')
    assert list(stage.relayed[-1].name) == [f'left_{name}_joint' for name in JOINT_NAMES]


def test_beside_another_bridge_joint_states_are_left_to_it(stage, bridge):
    bridge(publish_joint_states='false')
    stage.play_until(lambda: len(stage.commanded) > 3, what='isaac_joint_command')
    assert stage.relayed == []


def test_the_simulator_is_told_its_names_positions_only_and_seldom_of_an_arm_at_rest(
    stage, bridge
):
    bridge()
    stage.moves = True
    stage.play_until(lambda: len(stage.commanded) > 30, what='isaac_joint_command')
    assert all(list(message.name) == list(ISAAC_JOINT_NAMES) for message in stage.commanded)
    assert all(len(m.position) == 6 and not m.velocity for m in stage.commanded)
    rates = []
    for stage.moves in (True, False):
        stage.play(0.5)
        begun, begun_s = len(stage.commanded), time.monotonic()
        stage.play(3.0)
        rates.append((len(stage.commanded) - begun) / (time.monotonic() - begun_s))
    moving_hz, resting_hz = rates
    assert moving_hz < 70.0  # of 100: no more than 60 in the long run
    assert 0.3 < resting_hz < min(5.0, 0.3 * moving_hz)


def test_the_error_is_published_by_name_and_the_twin_under_the_names_of_the_arm(stage, bridge):
    bridge()
    off = np.array([0.0, 0.0, 0.1, 0.0, 0.0, 0.0])
    order = [5, 4, 3, 2, 1, 0]
    names = [ISAAC_JOINT_NAMES[index] for index in order]
    stage.play_until(
        lambda: len(stage.errors) > 10 and len(stage.twin) > 10,
        lambda: stage.simulator_says(names, (stage.where() + off)[order]),
        'twin/joint_error',
    )
    assert list(stage.errors[-1].name) == list(JOINT_NAMES)
    assert stage.errors[-1].position == pytest.approx(-off, abs=1e-6)
    assert list(stage.twin[-1].name) == list(JOINT_NAMES)
    assert stage.twin[-1].position == pytest.approx(REST_RAD + off, abs=1e-6)


BROKEN = (
    (ISAAC_JOINT_NAMES, [math.nan] * 6, 'not finite'),
    (ISAAC_JOINT_NAMES[:5], [0.0] * 5, 'Jaw is missing'),
    ((*ISAAC_JOINT_NAMES[:5], 'Thumb'), [0.0] * 6, 'Thumb is unknown'),
    ((*ISAAC_JOINT_NAMES[:5], 'Pitch'), [0.0] * 6, 'Pitch is named twice'),
    (ISAAC_JOINT_NAMES, [0.0] * 3, '6 names, but 3 positions'),
    (ISAAC_JOINT_NAMES, np.degrees(REST_RAD), 'unit: deg'),
)


def test_a_broken_simulator_is_refused_by_name_and_the_arm_goes_on(stage, bridge):
    bridge()
    for names, positions, expected in BROKEN:
        stage.play_until(
            lambda expected=expected: expected in stage.said(),
            lambda names=names, positions=positions: stage.simulator_says(names, positions),
            expected,
        )
        assert stage.statuses['joint_state_bridge: twin'].level == b'\x02'
    before = len(stage.relayed)
    readings = stage.play(1.0, lambda: stage.simulator_says(*BROKEN[0][:2]))
    assert len(stage.relayed) - before > 0.7 * readings
    assert stage.twin == []
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'a good twin')


DAMAGED = b'\x00\x01\x00\x00' + b'\xff' * 6  # a sequence of 4 billion names


def test_damaged_bytes_end_neither_the_bridge_nor_its_launch(stage, bridge):
    process = bridge(joint_suffix='_joint')  # so that the relay reads what it hands on
    simulator = stage.node.create_publisher(JointState, 'isaac_joint_states', 10)
    arm = stage.node.create_publisher(JointState, 'follower/joint_states', 10)
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'a good twin')

    def damage():
        simulator.publish(DAMAGED)
        arm.publish(DAMAGED)
        names = [f'garbage_{number}' for number in range(1000)]
        stage.simulator_says(names, [0.0] * len(names))

    stage.play_until(lambda: 'are no JointState' in stage.said(), damage, 'the refusal')
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'a good twin')
    assert process.poll() is None
    status = stage.statuses['joint_state_bridge: joint_states']
    assert int({value.key: value.value for value in status.values}['malformed']) > 0


def test_a_silent_simulator_is_told_and_the_arm_goes_on(stage, bridge):
    bridge()
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'a good twin')
    before = len(stage.relayed)
    stage.play_until(lambda: 'silent' in stage.said(), what='silence')
    assert len(stage.relayed) > before
    stage.play_until(lambda: 'follows' in stage.said(), stage.simulator_says, 'its return')


def test_a_simulator_2_s_late_is_told_by_its_stamps(stage, bridge):
    bridge()
    stage.play_until(
        lambda: '2.0 s old' in stage.said(), lambda: stage.simulator_says(age_s=2.0), 'lateness'
    )


def test_a_twin_that_does_not_move_is_an_alarm(stage, bridge):
    bridge(hold_off=0.2)
    stage.play_until(
        lambda: 'far from the arm' in stage.said(),
        lambda: stage.simulator_says(positions=[0.9] * 6),
        'the alarm',
    )
    assert stage.statuses['joint_state_bridge: twin'].level == b'\x02'


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


def test_mujoco_in_isaacs_place_follows_the_arm_on_the_same_topics(stage, bridge, node):
    bridge()
    node('chefmate_sim', 'twin_node')
    stage.play_until(lambda: len(stage.twin) > 30, what='the twin')
    stage.moves = True
    stage.play_until(
        lambda: len(stage.errors) > 20 and bool(stage.value('latency_ms')), what='the latency'
    )
    stage.moves = False
    stage.play_until(
        lambda: np.allclose(stage.twin[-1].position, REST_RAD, atol=0.03),
        what='the twin at the arm',
    )


def test_a_simulator_on_another_vendors_dds_is_a_twin_like_any_other(stage, bridge, environment):
    bridge()
    with Participant(environment=environment) as dds:  # Cyclone DDS, where the bridge has Fast DDS
        simulator = JointStateClient(dds)

        def simulate():
            goals_rad = simulator.goals_rad()
            if np.isfinite(goals_rad).all():
                simulator.publish(goals_rad)

        stage.moves = True
        stage.play_until(lambda: len(stage.errors) > 20 and 'follows' in stage.said(), simulate)
        assert simulator.refused.total() == 0
        assert simulator.accepted > 20


def test_a_twin_whose_messages_are_late_lost_and_swapped_is_still_compared(stage, bridge, node):
    bridge()
    node('chefmate_sim', 'twin_node', lag=0.7, drop=0.3, swap=0.3)
    stage.play_until(lambda: 'late' in stage.said(), what='lateness')
    stage.play_until(lambda: int(stage.value('twin_stamps_out_of_order') or 0) > 5, what='swaps')
    stage.play_until(
        lambda: bool(stage.errors) and np.allclose(stage.errors[-1].position, 0.0, atol=0.03),
        what='an error near zero at rest',
    )


def test_simulation_time_where_the_arm_has_wall_time_is_told(stage, bridge, node):
    bridge()
    node('chefmate_sim', 'twin_node', stamps='simulation', clock='true')
    stage.play_until(lambda: 'another clock' in stage.said(), what='another clock')
    before = len(stage.errors)
    stage.play_until(lambda: len(stage.errors) > before + 5, what='errors by time of arrival')


def test_where_all_live_in_simulation_time_stamps_are_understood(stage, bridge, node):
    bridge(use_sim_time='true')
    node('chefmate_sim', 'twin_node', stamps='simulation', clock='true')
    stage.node.set_parameters([Parameter('use_sim_time', value=True)])
    stage.play_until(lambda: 'follows' in stage.said(), what='a twin that follows')
    assert (stage.value('twin_clock'), stage.value('arm_clock')) == ('ours', 'ours')
    assert stage.errors[-1].header.stamp.sec < 10_000  # simulation time, too


@pytest.mark.parametrize('arm', ['teleop', 'none'])
def test_a_recording_moves_the_twin_and_its_end_is_the_end(chefmate, domain, tmp_path, arm):
    bag = write_session(tmp_path / 'session', [EpisodePlan(duration_s=3.0, cameras=())] * 2)
    command = chefmate(
        'launch', 'twin.launch.py', 'mode:=replay', f'bag:={bag}', 'speed:=2.0',
        f'arm:={arm}', f'run_dir:={tmp_path}', 'report_period:=0.5',
    )  # fmt: skip
    with Watcher(domain) as stage:
        command.wait_for('2 recordings')
        stage.until(
            # The recorded motion, and not a constant.
            lambda: (
                len(stage.commanded) > 10
                and np.ptp([message.position[0] for message in stage.commanded]) > 0.3
            ),
            what='the motion',
        )
        stage.until(lambda: len(stage.twin) > 10, what='the twin')
        assert bool(stage.relayed) == (arm == 'teleop')  # none: another bridge has joint_states
    assert command.wait(60) == 0
    assert 'the recording is over' in command.output
    assert 'error rms' in command.output


def test_the_launch_mirrors_the_virtual_arm_with_the_error_on_the_screen(
    chefmate, domain, tmp_path
):
    command = chefmate('launch', 'twin.launch.py', f'run_dir:={tmp_path}', 'report_period:=0.5')
    with Watcher(domain) as stage:
        command.wait_for('error rms', 90.0)
        stage.until(
            lambda: (
                len(stage.twin) > 60
                and np.max(np.ptp(np.stack([m.position for m in stage.twin]), axis=0)) > 0.3
            ),
            timeout_s=90.0,
            what='a twin that moves',
        )
        command.wait_for('latency ')
        relayed = len(stage.relayed)
        (twin,) = [pid for pid, words in processes_of(domain).items() if 'twin_node' in words]
        os.kill(twin, signal.SIGKILL)
        command.wait_for('the twin is silent')
        stage.until(lambda: len(stage.relayed) > relayed + 20, what='joint_states without a twin')
        told = len(command.lines)
        stage.until(
            lambda: any('the twin follows' in line for line in command.lines[told:]),
            what='the return of the twin',
        )
    command.interrupt()
    assert command.wait(20) == 130
    assert processes_of(domain) == {}


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


class Commander(Watcher):
    """Stands in for an executor or a policy: commands the simulated arm."""

    def is_refused(self, reason, target):
        """Amid a stream of good ones; whether the driver counts such a refusal."""
        for _ in range(5):
            self.command(self.position)
            time.sleep(0.02)
        self.command(target)
        status = self.statuses.get('joint_state_bridge: arm')
        values = {value.key: value.value for value in status.values} if status else {}
        return int(values.get(f'gate_refused_{reason}', 0)) > 0

    def follow(self, target, condition, what):
        end_s = time.monotonic() + 60.0
        while not condition():
            assert time.monotonic() < end_s, f'{what} did not happen'
            self.command(target)
            time.sleep(0.02)


def test_in_mode_command_the_simulator_is_the_arm_behind_the_gate(chefmate, domain, tmp_path):
    command = chefmate('launch', 'twin.launch.py', 'mode:=command', f'run_dir:={tmp_path}')
    with Commander(domain) as arm:
        arm.until(lambda: arm.position is not None, 90.0, 'the arm')
        start = arm.position.copy()
        arm.follow(
            start + np.array([0.4, 0, 0, 0, 0, 0]),
            lambda: bool(arm.twin) and arm.twin[-1].position[0] > start[0] + 0.35,
            'motion',
        )
        assert arm.relayed[-1].position[0] > start[0] + 0.2  # joint_states are the twin's
        speeds = [speed for _, speed in arm.speeds]
        assert 0.1 < max(speeds) < 2.0
        standing = arm.position.copy()
        for wrong, reason in (([math.nan] * 6, 'not_finite'), ([50.0] * 6, 'absurd')):
            arm.until(lambda reason=reason, wrong=wrong: arm.is_refused(reason, wrong))
        assert arm.position == pytest.approx(standing, abs=0.05)
        assert arm.emergency_stop(True).success
        arm.until(lambda: arm.estop_active, what='the stop')
        arm.until(lambda: arm.speed == 0.0, what='a stand')
        stood = arm.position.copy()
        for _ in range(20):
            arm.command(start)
            time.sleep(0.02)
        assert arm.position == pytest.approx(stood, abs=1e-9)
        assert arm.emergency_stop(False).success
    command.interrupt()
    assert command.wait(20) == 130


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
