"""MuJoCo in Isaac Sim's place, recordings, the launch, and the simulator as the arm."""

import math
import os
import signal
import time

import numpy as np
import pytest
from deployment import processes_of
from rclpy.parameter import Parameter
from small_session import EpisodePlan, write_session
from twin_stage import REST_RAD, Watcher

from chefmate_core.dds_client.joint_state_client import JointStateClient
from chefmate_core.dds_client.participant import Participant

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
pytest_plugins = ['twin_fixtures']


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
    # Long enough to be still played when the twin is up: it imports for seconds.
    bag = write_session(tmp_path / 'session', [EpisodePlan(duration_s=20.0, cameras=())] * 2)
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
    assert command.wait(120) == 0
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
        arm.wait_until_standing()
        stood = arm.position.copy()
        for _ in range(20):
            arm.command(start)
            time.sleep(0.02)
        assert arm.position == pytest.approx(stood, abs=1e-9)
        assert arm.emergency_stop(False).success
    command.interrupt()
    assert command.wait(20) == 130
