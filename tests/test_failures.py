"""Rows of the failure table (docs/safety.md) that need real processes: the arm holds."""

import os
import signal

import pytest
from deployment import processes_of
from probe import Probe

from chefmate_core.safety.config import load_preset

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

MAX_GRIPPER_SPEED_RAD_S = load_preset('careful').max_velocity_rad_s.max() + 1e-6
BREAD = 'pick up the bread slice and place it on the plate'


@pytest.fixture
def cooking(chefmate, domain, tmp_path):
    """Everything up, and a task begun."""
    command = chefmate('launch', 'deploy.launch.py', 'instruction:=none', f'run_dir:={tmp_path}')
    command.wait_for('torque is on')
    command.wait_for('drawing kitchen')
    command.wait_for('policy expert is loaded')
    with Probe(domain) as probe:
        probe.cook(BREAD)
        probe.wait_until_moving()
        yield command, probe


HANGING_POLICY = """
import os, time
from chefmate_sim.expert.policy import ExpertPolicy

class HangingExpert(ExpertPolicy):
    def infer(self, observation):
        while os.path.exists(os.environ['HANG']):
            time.sleep(0.01)
        return super().infer(observation)
"""


def kill(domain, executable, how=signal.SIGKILL):
    (pid,) = [pid for pid, words in processes_of(domain).items() if executable in words]
    os.kill(pid, how)


@pytest.fixture
def hang(environment, tmp_path):
    """A policy `hanging`, no inference of which returns while this file exists."""
    (tmp_path / 'hanging.py').write_text(HANGING_POLICY)
    info = tmp_path / 'hanging-1.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Name: hanging\nVersion: 1\n')
    (info / 'entry_points.txt').write_text(
        '[chefmate.policies]\nhanging = hanging:HangingExpert\n'
    )
    environment['PYTHONPATH'] = f'{tmp_path}:{environment.get("PYTHONPATH", "")}'
    environment['HANG'] = str(tmp_path / 'hang')
    return tmp_path / 'hang'


def test_when_the_policy_dies_the_arm_holds_and_a_new_task_goes_on(cooking, domain):
    command, probe = cooking
    kill(domain, 'policy_node')
    print(f'standing {probe.wait_until_standing():.2f} s after the policy died')
    probe.assert_stands()
    probe.until(lambda: command.output.count('policy expert is loaded') == 2, what='a restart')
    probe.cook(BREAD)
    probe.wait_until_moving()


def test_when_the_policys_process_is_stopped_the_arm_holds_and_goes_on_after_its_return(
    cooking, domain
):
    _, probe = cooking
    kill(domain, 'policy_node', signal.SIGSTOP)
    print(f'standing {probe.wait_until_standing():.2f} s after the policy was stopped')
    probe.assert_stands()
    kill(domain, 'policy_node', signal.SIGCONT)
    probe.wait_until_moving()
    assert not probe.results, probe.results[0].reason


def test_when_an_inference_never_returns_the_arm_holds_and_goes_on_if_it_does(
    chefmate, domain, hang, tmp_path
):
    command = chefmate(
        'launch',
        'deploy.launch.py',
        'instruction:=none',
        'policy:=hanging',
        f'run_dir:={tmp_path}',
    )
    command.wait_for('torque is on')
    command.wait_for('drawing kitchen')
    command.wait_for('is loaded')
    with Probe(domain) as probe:
        probe.cook(BREAD)
        probe.wait_until_moving()
        hang.touch()
        print(f'standing {probe.wait_until_standing():.2f} s after the policy began to hang')
        probe.assert_stands()
        hang.unlink()
        probe.wait_until_moving()
        assert not probe.results, probe.results[0].reason


def test_when_the_policy_dies_in_a_deployment_the_task_fails_instead_of_waiting_for_ever(
    chefmate, domain, tmp_path
):
    command = chefmate('deploy', '--headless', f'run_dir:={tmp_path}')
    command.wait_for('entering')
    kill(domain, 'policy_node')
    assert command.wait(timeout_s=40) == 1
    assert 'the policy died or lost the task' in command.output


def test_when_the_executor_dies_the_driver_holds_and_the_task_goes_on_after_its_return(
    cooking, domain
):
    _, probe = cooking
    kill(domain, 'action_executor_node')
    # It comes back within seconds: the stand is looked for in what was heard since.
    standing_s = probe.wait_until_standing(setpoints=50)
    print(f"stood for half a second within {standing_s:.2f} s of the executor's death")
    count = len(probe.speeds)
    probe.wait_until_moving()
    probe.until(lambda: len(probe.speeds) > count + 200, what='two seconds of motion')
    assert max(speed for _, speed in probe.speeds[count:]) <= MAX_GRIPPER_SPEED_RAD_S
    assert not probe.results, probe.results[0].reason


def test_a_pick_that_the_executors_death_interrupted_still_succeeds(cooking, domain):
    _, probe = cooking
    kill(domain, 'action_executor_node')
    probe.until(lambda: probe.results, 120.0, 'the result')
    assert probe.results[0].outcome == probe.results[0].SUCCEEDED, probe.results[0].reason


def test_when_the_driver_dies_the_launch_ends_and_says_why(cooking, domain):
    command, _ = cooking
    kill(domain, 'arm_driver_node')
    assert command.wait(timeout_s=20) != 0
    assert 'arm_driver_node' in command.output
    assert 'ended' in command.output
    assert processes_of(domain) == {}


def test_the_emergency_stop_is_latched_and_its_release_goes_on_by_a_blend(cooking, chefmate):
    _, probe = cooking
    stop = chefmate('estop')
    assert stop.wait(30) == 0, stop.output
    assert 'stopped' in stop.output
    print(f'standing {probe.wait_until_standing():.2f} s after the stop')
    probe.until(lambda: probe.estop_active, what='the latched state')
    probe.assert_stands()
    probe.command([0.5] * 6)
    probe.assert_stands(0.2)
    assert probe.emergency_stop(False).success
    probe.until(lambda: probe.estop_active is False, what='the released state')
    probe.until(lambda: probe.results, 120.0, 'the result')
    assert probe.results[0].outcome == probe.results[0].SUCCEEDED, probe.results[0].reason


def test_an_emergency_stop_that_nobody_hears_says_so(chefmate):
    stop = chefmate('estop')
    assert stop.wait(30) == 1
    assert 'power plug' in stop.output


def test_a_task_is_refused_while_the_stop_is_latched_and_the_one_that_waits_goes_on(cooking):
    _, probe = cooking
    probe.emergency_stop(True)
    probe.until(lambda: probe.estop_active, what='the latched state')
    probe.cook('pick up the cheese')
    probe.until(lambda: probe.results, what='the refusal')
    (refused,) = probe.results
    assert refused.outcome == refused.REFUSED
    assert 'emergency stop' in refused.reason
    probe.emergency_stop(False)
    probe.wait_until_moving()
    assert len(probe.results) == 1, probe.results[1].reason


def test_a_new_task_takes_over_from_the_running_one(cooking):
    _, probe = cooking
    probe.cook('pick up the cheese and place it on the plate')
    probe.until(lambda: len(probe.results) == 2, 120.0, 'both results')
    first, second = probe.results
    assert first.outcome == first.PREEMPTED
    assert second.outcome == second.SUCCEEDED, second.reason
