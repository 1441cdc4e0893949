"""Teleoperation as a user runs it: real processes, both arms' bytes, topics, services."""

import json
import os
import pty
import select
import signal
import subprocess
import termios
import time

import numpy as np
import pytest
from deployment import ROOT, processes_of
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from probe import KEPT, Probe
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from chefmate_core.calibration import ArmCalibration
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.teleop.range_map import RangeMap
from chefmate_sim.leader.hand_held_arm import HandHeldArm
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.model import FirstOrderArm

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

LEADER, FOLLOWER = (
    ArmCalibration.load(ROOT / 'calibration' / f'{arm}.json') for arm in ('leader', 'follower')
)
MAPPING = RangeMap(LEADER, FOLLOWER)
BLEND_RAD_S = 0.5  # of the careful preset, all joints but the gripper
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Pilot(Probe):
    """Holds the clutch, presses keys, and sees both arms."""

    def __init__(self, domain):
        super().__init__(domain)
        self.leader_rad = self.engaged = self.verdict = None
        self.hand = ''  # what the scripted leader does
        self.modes, self.mode_speeds = [], []  # of the gate, and of the fastest joint
        self.errors = []  # of each joint, while the gate follows
        subscribe = self.node.create_subscription
        subscribe(JointState, 'leader/joint_states', self._on_leader, 10)
        subscribe(JointState, 'follower/joint_states', self._on_follower, 10)
        subscribe(JointState, 'follower/joint_commands_applied', self._on_mode, KEPT)
        subscribe(Bool, 'teleop/clutch_engaged', self._on_clutch, LATCHED)
        subscribe(DiagnosticStatus, 'kitchen/verdict', self._on_verdict, LATCHED)
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self._clutch = self.node.create_client(SetBool, 'teleop/set_clutch')
        self._keys = self.node.create_publisher(JointState, 'teleop/jog', 1)

    def _on_leader(self, message):
        self.leader_rad = np.array(message.position)

    def _on_follower(self, message):
        if self.leader_rad is not None and self.modes[-1:] == ['following']:
            self.errors.append(np.array(message.position) - MAPPING.to_follower(self.leader_rad))

    def _on_mode(self, message):
        self.modes.append(message.header.frame_id)
        self.mode_speeds.append(float(np.max(np.abs(message.velocity))))

    def blend_speeds(self, begun):
        """Speeds of the fastest joint while the gate blended."""
        pairs = zip(self.modes[begun:], self.mode_speeds[begun:], strict=False)
        return [speed for mode, speed in pairs if mode == 'blending']

    def _on_clutch(self, message):
        self.engaged = message.data

    def _on_verdict(self, message):
        self.verdict = message

    def _on_diagnostics(self, message):
        for status in message.status:
            if status.name == 'kitchen: hand':
                self.hand = status.message

    @property
    def is_task_done(self):
        return self.verdict is not None and self.verdict.level == DiagnosticStatus.OK

    @property
    def has_hand_given_up(self):
        return self.hand.startswith('given up')

    def begin_afresh(self):
        """Let the scripted leader do its task once more, in a fresh kitchen."""
        for name in ('kitchen/reset', 'leader/perform'):
            client = self.node.create_client(Trigger, name)
            self.until(client.service_is_ready, what=name)
            answer = client.call_async(Trigger.Request())
            self.until(answer.done, what=f'an answer to {name}')
            assert answer.result().success, answer.result().message
        self.until(lambda: not self.has_hand_given_up, what='a new try of the hand')

    def clutch(self, engaged):
        self.until(self._clutch.service_is_ready, what='the clutch')
        future = self._clutch.call_async(SetBool.Request(data=engaged))
        self.until(future.done, what='an answer of the clutch')
        return future.result()

    def press(self, names, velocities):
        self._keys.publish(JointState(name=names, velocity=velocities))

    def wait_until_at(self, position_rad, what='the follower at its leader'):
        self.until(
            lambda: self.position is not None and np.allclose(self.position, position_rad,
                                                              atol=0.01),
            what=what,
        )  # fmt: skip


class Arms:
    """Two virtual arms in this process, a hand on one of them."""

    def __init__(self, folder):
        self.leader = HandHeldArm(MAPPING.to_leader(np.full(6, 0.2)))
        self.follower = FirstOrderArm(np.full(6, 0.2))
        self.leader_bus = VirtualServoBus(self.leader, LEADER, folder / 'leader')
        self.follower_bus = VirtualServoBus(self.follower, FOLLOWER, folder / 'follower')

    def hand(self, position_rad, seconds=0.0):
        """Bring the leader where the follower is wanted, at once or evenly."""
        begun_s, before = time.monotonic(), MAPPING.to_follower(self.leader.position_rad())
        while (elapsed_s := time.monotonic() - begun_s) < seconds:
            part = elapsed_s / seconds
            self.leader.move(MAPPING.to_leader(before + part * (position_rad - before)))
            time.sleep(0.004)
        self.leader.move(MAPPING.to_leader(position_rad))

    def wait_until_at(self, position_rad):
        """The servos lag behind their goals."""
        end_s = time.monotonic() + 10.0
        while not np.allclose(self.follower.position_rad(), position_rad, atol=0.02):
            assert time.monotonic() < end_s, self.follower.position_rad()
            time.sleep(0.01)

    def close(self):
        self.leader_bus.close()
        self.follower_bus.close()


@pytest.fixture
def arms(tmp_path):
    arms = Arms(tmp_path)
    yield arms
    arms.close()


@pytest.fixture
def start(chefmate, tmp_path):
    """Launch teleoperation of the two arms in this process."""

    def launch(*arguments):
        return chefmate(
            *('launch', 'teleop.launch.py', 'hardware:=real', 'cameras:=false'),
            *(f'follower_port:={tmp_path}/follower', f'leader_port:={tmp_path}/leader'),
            *('instruction:=none', f'run_dir:={tmp_path}/run'),
            *(f'calibration_dir:={ROOT}/calibration', *arguments),
        )

    return launch


def place(*arm, gripper=0.2):
    return np.array([*arm, gripper])


NEAR, FAR = place(0.4, 0.3, 0.1, 0.3, 0.0), place(-0.5, -0.4, 0.7, -0.3, 0.6)


def test_in_simulation_the_follower_does_the_task_by_following_a_scripted_leader(
    chefmate, domain, tmp_path
):
    command = chefmate('launch', 'teleop.launch.py', f'run_dir:={tmp_path}', 'cameras:=false')
    with Pilot(domain) as pilot:
        for _ in range(3):  # it may lose a slice on a busy machine
            pilot.until(
                lambda: pilot.is_task_done or pilot.has_hand_given_up, 90.0, 'bread on the plate'
            )
            if pilot.is_task_done:
                break
            pilot.begin_afresh()
        assert pilot.is_task_done, 'the hand gave up again and again'
        errors = np.array(pilot.errors)
    assert np.sqrt(np.mean(errors**2)) < 0.1, 'it follows, a tenth of a second behind'
    assert 'following' in pilot.modes
    command.interrupt()
    assert command.wait(20) == 130
    assert processes_of(domain) == {}


def test_the_follower_follows_a_hand_through_both_calibrations(domain, arms, start):
    start()
    with Pilot(domain) as pilot:
        pilot.until(lambda: 'following' in pilot.modes, what='following')
        for goal in (NEAR, FAR, place(0.4, 0.3, 0.1, 0.3, 0.0, gripper=1.2)):
            arms.hand(goal, seconds=2.0)
            pilot.wait_until_at(goal)
            arms.wait_until_at(goal)
        assert max(speed for _, speed in pilot.speeds) <= 3.0 + 1e-9


def test_the_clutch_pauses_and_resumes_without_a_jump(domain, arms, start):
    start()
    with Pilot(domain) as pilot:
        pilot.until(lambda: 'following' in pilot.modes, what='following')
        arms.hand(NEAR, seconds=1.5)
        pilot.wait_until_at(NEAR)
        answer = pilot.clutch(False)
        assert answer.success, answer.message
        pilot.until(lambda: pilot.engaged is False, what='the clutch told')
        pilot.wait_until_standing()
        arms.hand(FAR, seconds=0.5)
        pilot.assert_stands(0.7)
        begun = len(pilot.modes)
        assert pilot.clutch(True).success
        pilot.wait_until_at(FAR)
        assert BLEND_RAD_S / 2 < max(pilot.blend_speeds(begun)) <= BLEND_RAD_S + 1e-9


def test_an_unplugged_leader_is_a_hold_and_its_return_a_blend(domain, arms, start):
    start()
    with Pilot(domain) as pilot:
        pilot.until(lambda: 'following' in pilot.modes, what='following')
        arms.hand(NEAR, seconds=1.5)
        pilot.wait_until_at(NEAR)
        arms.leader_bus.hang_up()
        arms.hand(FAR)
        pilot.wait_until_standing()
        pilot.assert_stands(0.7)
        begun = len(pilot.modes)
        arms.leader_bus.plug_in()
        pilot.wait_until_at(FAR)
        assert BLEND_RAD_S / 2 < max(pilot.blend_speeds(begun)) <= BLEND_RAD_S + 1e-9


def test_the_release_of_the_emergency_stop_moves_nothing_until_the_clutch_is_engaged(
    domain, arms, start
):
    start()
    with Pilot(domain) as pilot:
        pilot.until(lambda: 'following' in pilot.modes, what='following')
        assert pilot.emergency_stop(True).success
        pilot.until(lambda: pilot.engaged is False, what='the clutch open')
        arms.hand(NEAR)
        refused = pilot.clutch(True)
        assert not refused.success
        assert 'emergency stop' in refused.message
        assert pilot.emergency_stop(False).success
        pilot.assert_stands(0.7)
        pilot.until(lambda: pilot.clutch(True).success, what='the clutch engaged')
        pilot.wait_until_at(NEAR)


def test_when_teleoperation_dies_the_arm_holds_and_goes_on_by_a_blend(domain, arms, start):
    start()
    with Pilot(domain) as pilot:
        pilot.until(lambda: 'following' in pilot.modes, what='following')
        arms.hand(NEAR, seconds=1.5)
        pilot.wait_until_at(NEAR)
        (pid,) = [pid for pid, words in processes_of(domain).items() if 'teleop_node' in words]
        begun = len(pilot.modes)
        os.kill(pid, signal.SIGKILL)
        arms.hand(FAR, seconds=0.3)  # soon: it comes back within seconds
        pilot.until(lambda: 'holding' in pilot.modes[begun:], what='a hold')
        pilot.wait_until_at(FAR)
        assert BLEND_RAD_S / 2 < max(pilot.blend_speeds(begun)) <= BLEND_RAD_S + 1e-9


def test_a_clutch_that_was_paused_stays_so_when_teleoperation_comes_back(domain, arms, start):
    start()
    with Pilot(domain) as pilot:
        pilot.until(lambda: 'following' in pilot.modes, what='following')
        assert pilot.clutch(False).success
        pilot.until(lambda: pilot.engaged is False, what='a pause')
        (pid,) = [pid for pid, words in processes_of(domain).items() if 'teleop_node' in words]
        os.kill(pid, signal.SIGKILL)
        arms.hand(NEAR)
        pilot.engaged = None
        pilot.until(lambda: pilot.engaged is False, what='its return, paused')
        pilot.assert_stands(0.7)
        assert pilot.clutch(True).success
        pilot.wait_until_at(NEAR)


def test_keys_move_a_joint_while_they_are_held_and_a_dead_terminal_stops_it(domain, arms, start):
    arms.leader_bus.hang_up()  # nobody needs a leader now
    start('source:=keyboard')
    with Pilot(domain) as pilot:
        pilot.until(lambda: pilot.position is not None, what='torque')
        pilot.until(lambda: pilot.engaged, what='the clutch')

        def hold_key():
            pilot.press(['elbow_flex'], [0.4])
            return pilot.position[2] > 0.4

        pilot.until(hold_key, what='the elbow at 0.4')
        died_at = pilot.position.copy()
        pilot.wait_until_standing()
        pilot.assert_stands(0.5)
        assert pilot.position[2] - died_at[2] < 0.3, 'no more than a late message explains'
        assert np.delete(pilot.position, 2) == pytest.approx([0.2] * 5, abs=0.005)


def test_the_cockpit_moves_joints_by_keys_and_its_death_stops_the_arm(
    domain, environment, arms, start
):
    arms.leader_bus.hang_up()
    start('source:=keyboard')
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    with Pilot(domain) as pilot:
        pilot.until(lambda: pilot.position is not None, what='torque')
        cockpit = subprocess.Popen(
            ['chefmate', 'teleop'], env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        try:

            def type_key(key):
                os.write(ours, key)
                while select.select([ours], [], [], 0.02)[0]:
                    os.read(ours, 65536)  # a terminal that nobody reads would block it

            def moved():
                type_key(b'e')
                return pilot.position[2] > 0.35

            pilot.until(moved, what='the elbow at 0.35')
            cockpit.kill()
            pilot.wait_until_standing()
            pilot.assert_stands(0.5)
            assert np.delete(pilot.position, 2) == pytest.approx([0.2] * 5, abs=0.005)
        finally:
            cockpit.kill()
            cockpit.wait()
            os.close(ours)
            os.close(theirs)


def test_space_in_the_cockpit_is_the_clutch(domain, environment, arms, start):
    start()
    ours, theirs = pty.openpty()
    with Pilot(domain) as pilot:
        pilot.until(lambda: 'following' in pilot.modes, what='following')
        cockpit = subprocess.Popen(
            ['chefmate', 'teleop'], env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        try:
            said = b''
            end_s = time.monotonic() + 30.0
            while b'engaged' not in said and time.monotonic() < end_s:
                if select.select([ours], [], [], 0.1)[0]:
                    said += os.read(ours, 65536)
            os.write(ours, b' ')

            def paused():
                if select.select([ours], [], [], 0.02)[0]:
                    os.read(ours, 65536)
                return pilot.engaged is False

            pilot.until(paused, what='a pause')
            os.write(ours, b'x')
            assert cockpit.wait(20) == 0
        finally:
            cockpit.kill()
            cockpit.wait()
            os.close(ours)
            os.close(theirs)


def test_the_cockpit_without_a_teleoperation_or_a_terminal_says_what_to_do(chefmate):
    nobody = chefmate('teleop', '--pause')
    assert nobody.wait(40) != 0
    assert 'teleop.launch.py' in nobody.output
    no_terminal = chefmate('teleop')
    assert no_terminal.wait(40) != 0
    assert '--pause' in no_terminal.output


def calibration_folder(folder, leader, follower):
    folder.mkdir()
    (folder / 'leader.json').write_text(json.dumps(leader))
    (folder / 'follower.json').write_text(json.dumps(follower))
    return folder


def test_a_calibration_that_does_not_fit_is_refused_by_joint(domain, arms, start, tmp_path):
    narrow = LEADER.to_mapping()
    narrow['elbow_flex'] |= {'range_min': 2000, 'range_max': 2200}
    folder = calibration_folder(tmp_path / 'narrow', narrow, FOLLOWER.to_mapping())
    command = start(f'calibration_dir:={folder}')
    assert command.wait(40) == 1
    assert 'elbow_flex' in command.output
    assert 'Traceback' not in command.output
    assert processes_of(domain) == {}


def test_real_arms_are_calibrated_where_calibrate_wrote_and_not_as_the_simulation_is(
    chefmate, environment, tmp_path
):
    environment['CHEFMATE_CALIBRATION_DIR'] = str(tmp_path / 'mine')
    command = chefmate('launch', 'teleop', 'hardware:=real', 'cameras:=false')
    assert command.wait(timeout_s=60) == 1
    assert f'{tmp_path}/mine/' in command.output
    assert 'no such file' in command.output


def test_swapped_calibrations_are_refused_before_anything_moves(domain, arms, start, tmp_path):
    folder = calibration_folder(tmp_path / 'swapped', FOLLOWER.to_mapping(), LEADER.to_mapping())
    command = start(f'calibration_dir:={folder}')
    assert command.wait(40) == 1
    assert 'swapped' in command.output
    assert 'Traceback' not in command.output
    assert arms.follower.position_rad() == pytest.approx([0.2] * 6)


@pytest.mark.parametrize(
    ('argument', 'expected'),
    [
        ('source:=mind', ['mind', 'leader', 'keyboard']),
        ('leader:=real', ['real', 'scripted', 'idle']),
        ('sauce:=leader', ['sauce', 'source']),
    ],
)
def test_bad_input_is_one_clear_message(chefmate, domain, tmp_path, argument, expected):
    command = chefmate('launch', 'teleop.launch.py', f'run_dir:={tmp_path}', argument)
    assert command.wait(40) != 0
    for words in expected:
        assert words in command.output
    assert 'Traceback' not in command.output


def test_the_joints_of_this_file_are_in_order():
    """`place` counts on it."""
    assert JOINT_NAMES[-1] == 'gripper'
