"""Learned policies as a user runs them: the whole path, on a processor, with random weights."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from deployment import ROOT, free_port, processes_of, refusals
from policy_probe import PolicyProbe

from chefmate_core.calibration import ArmCalibration
from chefmate_core.safety.config import load_preset

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CAREFUL = load_preset('careful')
TICK_RAD = 2 * np.pi / 4096
CALIBRATION = ArmCalibration.load(ROOT / 'calibration' / 'follower.json')
# A policy of the tests: an engine that stays where it is, and loads for as long as a file exists.
STEADY = """
import os, time
import numpy as np
from chefmate_core.policy.engine import ModelOutput
from chefmate_core.policy.engine_policy import load_engine_policy
from chefmate_core.policy.modality import Modality


class SteadyEngine:
    name = 'steady'
    modality = Modality(('front', 'wrist'))

    def __init__(self, source):
        while os.path.exists(os.environ['STILL_LOADING']):
            time.sleep(0.05)

    def warm_up(self):
        pass

    def infer(self, request):
        if any(not image.any() for image in request.images.values()):
            raise AssertionError('a black image')
        return ModelOutput(np.tile(request.state, (16, 1)), {'arithmetic': 0.001}, 0.5)

    def close(self):
        pass


def make_policy(context, **options):
    return load_engine_policy(SteadyEngine, 'the steady one', context, options)
"""


SILENT_EXPERT = """
from dataclasses import replace
from chefmate_sim.expert.policy import ExpertPolicy


class SilentExpert(ExpertPolicy):
    @property
    def spec(self):
        return replace(super().spec, says_done=False)

    def infer(self, observation):
        return replace(super().infer(observation), done=False)
"""


def install(folder, environment, name, source, factory):
    """Install a policy for the test's processes."""
    (folder / f'{name}.py').write_text(source)
    info = folder / f'{name}-1.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Name: {name}\nVersion: 1\n')
    (info / 'entry_points.txt').write_text(f'[chefmate.policies]\n{name} = {name}:{factory}\n')
    environment['PYTHONPATH'] = f'{folder}:{environment.get("PYTHONPATH", "")}'


@pytest.fixture
def steady(environment, tmp_path):
    """An installed policy `steady`; returns the file that keeps it loading."""
    install(tmp_path, environment, 'steady', STEADY, 'make_policy')
    environment['STILL_LOADING'] = str(tmp_path / 'still_loading')
    return tmp_path / 'still_loading'


def assert_calm(probe):
    """What went to the servos was inside the limits and within the caps, in every cycle."""
    positions, velocities = map(np.array, zip(*probe.applied, strict=True))
    # The folded arm rests on the end of the elbow's range: a tick beyond it is where it is held.
    low, high = CALIBRATION.lower_limits_rad, CALIBRATION.upper_limits_rad
    outside = np.abs(positions - np.clip(positions, low, high))
    assert np.all(outside[0] < 2 * TICK_RAD)
    assert np.all(np.diff(outside, axis=0) <= 1e-6)  # it only ever comes in
    assert np.all(np.abs(velocities) <= CAREFUL.max_velocity_rad_s + 1e-6)
    return velocities


def report_of(path):
    report = json.loads(path.read_text())
    # Random weights may press on the table: the gate then stops the blocked arm.
    assert refusals(report['gate']) <= {'refused_estop'}, report['gate']
    assert report['bus']['port_losses'] == 0
    return report


def has_torch(executable, domain):
    (pid,) = [pid for pid, words in processes_of(domain).items() if executable in words]
    return 'torch' in Path(f'/proc/{pid}/maps').read_text()


@pytest.fixture
def one_thread(environment):
    """Leave a processor to everybody else."""
    environment['OMP_NUM_THREADS'] = '1'


def test_random_weights_drive_the_whole_path_and_the_arm_stays_calm(
    chefmate, domain, one_thread, tmp_path
):
    path = tmp_path / 'report.json'
    with PolicyProbe(domain) as probe:
        command = chefmate(
            *('deploy', '--headless', '--report', str(path), f'run_dir:={tmp_path}/run'),
            *('policy:=tiny-random', 'max_duration_s:=20.0'),
        )
        assert command.wait(timeout_s=200) == 1, command.output  # it knows nothing
        velocities = assert_calm(probe)
    report = report_of(path)
    chunks = report['chunks']
    inference_ms = chunks['inference_p50_ms']
    print(f'{chunks["rate_hz"]:.1f} chunks a second, inference p50 {inference_ms:.0f} ms')
    assert chunks['count'] > 20
    assert chunks['part_model_p50_ms'] > 0.0
    assert np.any(velocities != 0.0), 'the arm never moved'
    assert report['outcome'] == 'TIMED_OUT'
    assert 'never says that it is done' in report['reason']
    assert report['policy'].startswith('tiny-random')
    assert all(camera['received'] > 20 for camera in report['cameras'].values())
    assert processes_of(domain) == {}


def test_a_model_served_on_another_host_drives_the_arm_through_its_address(
    chefmate, domain, one_thread, tmp_path
):
    serving = chefmate('serve', 'tiny-random', '--zmq-port', '0', '--http-port', 'off')
    serving.wait_for('chefmate://', timeout_s=90)
    address = next(
        word.rstrip(',.') for line in serving.lines for word in line.split()
        if word.startswith('chefmate://')
    )  # fmt: skip
    path = tmp_path / 'report.json'
    with PolicyProbe(domain) as probe:
        command = chefmate(
            *('deploy', '--headless', '--report', str(path), f'run_dir:={tmp_path}/run'),
            *(f'policy:={address}', 'max_duration_s:=8.0'),
        )
        command.wait_for('is loaded', timeout_s=60)
        assert not has_torch('policy_node', domain)
        assert command.wait(timeout_s=120) == 1, command.output
        assert_calm(probe)
    chunks = report_of(path)['chunks']
    print(f'round trip p50 {chunks["part_round_trip_p50_ms"]:.0f} ms')
    assert chunks['count'] > 8


def test_when_the_policys_server_goes_the_arm_holds_and_goes_on_when_it_is_back(
    chefmate, program, domain, tmp_path
):
    port = free_port()
    serve = (sys.executable, str(ROOT / 'tests' / 'waving_server.py'), str(port))
    serving = program(*serve)
    serving.wait_for('ready')
    command = chefmate(
        *('launch', 'deploy.launch.py', 'instruction:=none', f'run_dir:={tmp_path}/run'),
        f'policy:=chefmate://127.0.0.1:{port}',
    )
    for said in ('torque is on', 'drawing kitchen', 'is loaded'):
        command.wait_for(said, timeout_s=60)
    with PolicyProbe(domain) as probe:
        probe.cook('wave')
        probe.wait_until_moving()
        serving.process.kill()
        print(f'standing {probe.wait_until_standing():.2f} s after the server died')
        probe.assert_stands()
        program(*serve)
        probe.wait_until_moving()
        assert_calm(probe)
        assert probe.results == [], 'the task has ended'


def test_while_a_policy_loads_the_node_answers_and_says_what_it_does(
    chefmate, domain, steady, tmp_path
):
    steady.touch()
    command = chefmate(
        *('launch', 'deploy.launch.py', 'instruction:=none', 'policy:=steady'),
        f'run_dir:={tmp_path}/run',
    )
    with PolicyProbe(domain) as probe:
        probe.until(
            lambda: probe.health('policy: policy') == 'loading the steady one', what='loading'
        )
        task = probe.give('stay')
        probe.until(lambda: probe.ended[task], what='the refusal')
        assert probe.ended[task].outcome == probe.ended[task].REFUSED
        assert 'the steady one' in probe.ended[task].reason
        steady.unlink()
        command.wait_for("the model's camera front is scene")
        probe.until(lambda: probe.health('policy: policy') == 'ready', what='ready')
    assert command.output.count('policy steady is loaded') == 1


def test_the_instruction_changes_while_the_task_runs_and_a_new_task_takes_over(
    chefmate, domain, steady, tmp_path
):
    command = chefmate(
        *('launch', 'deploy.launch.py', 'instruction:=none', 'policy:=steady'),
        f'run_dir:={tmp_path}/run',
    )
    command.wait_for('torque is on')
    command.wait_for('drawing kitchen')
    command.wait_for('policy steady is loaded')
    with PolicyProbe(domain) as probe:
        probe.instruct('too early')
        command.wait_for("'too early': no task is running")
        first = probe.give('stay')
        probe.until(lambda: probe.feedback[first], what='feedback of the first task')
        probe.instruct(' ')
        command.wait_for("' ': it is empty")
        assert probe.instruction == 'stay'
        probe.instruct('stay there')
        probe.until(lambda: probe.instruction == 'stay there', what='the new instruction')
        probe.until(lambda: 'stay there' in probe.feedback[first][-1].phase, what='its feedback')
        assert probe.ended[first] is None, 'the task goes on'

        second = probe.give('stay for good')
        probe.until(lambda: probe.ended[first], what='the result of the first task')
        assert probe.ended[first].outcome == probe.ended[first].PREEMPTED
        assert probe.ended[first].chunk_count > 0
        probe.until(lambda: probe.feedback[second], what='feedback of the second task')
        assert all('for good' not in one.phase for one in probe.feedback[first])
        assert all('for good' in one.phase for one in probe.feedback[second])
        probe.until(
            lambda: float(probe.values('policy: policy').get('chunk_committed_rows', 0)) > 0,
            what='a chunk that was told what is committed',
        )
        assert 'part_arithmetic_p50_ms' in probe.values('policy: policy')
        assert probe.values('policy: policy')['chunk_spread'] == '0.5'


def test_a_policy_that_needs_no_torch_loads_none(chefmate, domain, tmp_path):
    command = chefmate(
        'launch', 'deploy.launch.py', 'instruction:=none', f'run_dir:={tmp_path}/run'
    )
    command.wait_for('policy expert is loaded')
    assert not has_torch('policy_node', domain)


def test_a_policy_that_never_says_done_succeeds_when_the_judge_has_seen_it(
    chefmate, environment, tmp_path
):
    install(tmp_path, environment, 'silent', SILENT_EXPERT, 'SilentExpert')
    path = tmp_path / 'report.json'
    command = chefmate(
        *('deploy', '--headless', '--report', str(path), f'run_dir:={tmp_path}/run'),
        'policy:=silent',
    )
    assert command.wait(timeout_s=200) == 0, command.output
    report = json.loads(path.read_text())
    assert (report['outcome'], report['reason']) == ('SUCCEEDED', 'the judge saw it done')
    assert report['verdict']['achieved'] is True
    assert report['durations']['task_s'] < 100.0, 'it was ended by the clock'
