"""The main job as a user runs it: real processes, bytes, messages and frames."""

import json
import os
import pty
import select
import time

import cv2
import numpy as np
import pytest
from deployment import ROOT, processes_of, refusals
from probe import Probe
from std_srvs.srv import Trigger

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_deploy_puts_the_bread_on_the_plate_and_reports_it(chefmate, domain, tmp_path):
    path = tmp_path / 'report.json'
    command = chefmate('deploy', '--headless', '--report', str(path), f'run_dir:={tmp_path}/run')
    assert command.wait(timeout_s=200) == 0, command.output
    report = json.loads(path.read_text())
    assert report['success'] is True
    assert report['verdict']['achieved'] is True
    assert report['verdict']['bread_slice_1_centre_error_mm'] < 25.0
    assert report['instruction'] == 'pick up the bread slice and place it on the plate'
    assert (report['policy'], report['seed']) == ('expert', 0)
    assert report['real_time_factor'] > 0.0
    assert report['durations']['total_s'] > report['durations']['task_s'] > 0.0
    assert report['loop']['period_p50_ms'] > 0.0
    assert report['commands']['accepted'] > 100
    assert report['gate']['accepted'] == report['commands']['accepted']
    assert refusals(report['gate']) == set(), report['gate']
    for camera in report['cameras'].values():
        assert camera['received'] > 20
        assert camera['age_p50_ms'] > 0.0
    assert report['bus']['requests'] > 100
    assert report['bus']['port_losses'] == 0
    assert 'the task succeeded' in command.output
    assert processes_of(domain) == {}


def test_ctrl_c_ends_everything_and_leaves_no_orphan(chefmate, domain, tmp_path):
    command = chefmate('launch', 'deploy.launch.py', 'instruction:=none', f'run_dir:={tmp_path}')
    command.wait_for('torque is on')
    command.wait_for('policy expert is loaded')
    assert len(processes_of(domain)) >= 5
    start_s = time.monotonic()
    command.interrupt()
    assert command.wait(timeout_s=20) == 130
    print(f'ended {time.monotonic() - start_s:.2f} s after Ctrl-C')
    assert processes_of(domain) == {}
    assert not list(tmp_path.glob('follower')), 'the virtual port was left behind'


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        (['instrction:=make a sandwich'], ['instrction', 'instruction']),
        (['hardware:=imaginary'], ['imaginary', 'sim', 'real']),
        (['policy:=gpt'], ["unknown policy 'gpt'", 'expert', 'tiny-random']),
        (['policy:=tcp://gpu:5555'], ['unknown kind of address', 'zmq://']),
        (
            ['policy:=zmq://localhost:1', 'policy_options:={"absent_s": 0}'],
            ['zmq://localhost:1: nobody listens there'],
        ),
        (['policy:=tiny-random', 'policy_options:={"sped": 1}'], ['sped', 'embodiment']),
        (['policy_options:={"sped": 1}'], ['sped']),
        (['instruction:=paint the fence'], ['REFUSED', 'bread', 'sandwich']),
        (['calibration_dir:=/nowhere'], ['/nowhere/follower.json', 'no such file']),
        (['params_file:=/nowhere.yaml'], ['/nowhere.yaml']),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_bad_input_is_one_clear_message_and_nothing_left_running(
    chefmate, domain, tmp_path, arguments, expected
):
    command = chefmate('deploy', '--headless', f'run_dir:={tmp_path}', *arguments)
    assert command.wait(timeout_s=60) != 0
    for words in expected:
        assert words in command.output, command.output
    assert 'Traceback' not in command.output
    assert processes_of(domain) == {}


def test_a_real_arm_that_is_not_there_is_named_and_nothing_left_running(
    chefmate, domain, tmp_path
):
    film = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*'MJPG'), 30.0, (640, 480))
    for _ in range(30):
        writer.write(np.full((480, 640, 3), 90, np.uint8))
    writer.release()
    # The cameras are there: else the launch may end for them before the driver looks for its port.
    parameters = tmp_path / 'cameras.yaml'
    parameters.write_text(f'/**/camera:\n  ros__parameters: {{source: {film}}}\n')
    command = chefmate(
        *('deploy', '--headless', 'hardware:=real', f'run_dir:={tmp_path}'),
        *('follower_port:=/dev/not_there', f'params_file:={parameters}'),
        f'calibration_dir:={ROOT}/calibration',
    )
    assert command.wait(timeout_s=60) != 0
    assert '/dev/not_there: no such device' in command.output
    assert 'chefmate doctor' in command.output
    assert 'Traceback' not in command.output
    assert processes_of(domain) == {}


def test_a_link_that_a_killed_kitchen_left_leads_nobody_to_anothers_terminal(
    chefmate, domain, tmp_path
):
    somebody, terminal = pty.openpty()
    (tmp_path / 'lock').touch()
    (tmp_path / 'follower').symlink_to(os.ttyname(terminal))
    command = chefmate('launch', 'deploy', 'instruction:=none', f'run_dir:={tmp_path}')
    command.wait_for('torque is on')
    assert os.readlink(tmp_path / 'follower') != os.ttyname(terminal)
    assert not select.select([somebody], [], [], 0.0)[0], 'the driver wrote to the terminal'
    os.close(somebody)
    os.close(terminal)


def test_a_second_kitchen_in_the_same_place_is_refused(chefmate, domain, tmp_path):
    first = chefmate('launch', 'deploy.launch.py', 'instruction:=none', f'run_dir:={tmp_path}')
    first.wait_for('torque is on')
    second = chefmate('launch', 'deploy.launch.py', 'instruction:=none', f'run_dir:={tmp_path}')
    assert second.wait(timeout_s=60) != 0
    assert 'another kitchen' in second.output
    assert first.process.poll() is None


def test_what_is_done_without_a_task_of_the_launch_is_recorded_when_asked_for(
    chefmate, domain, tmp_path
):
    session = tmp_path / 'session'
    words = ('instruction:=none', 'record:=true', f'session:={session}')
    command = chefmate('launch', 'deploy', *words, f'run_dir:={tmp_path}/run', 'view:=false')
    command.wait_for('drawing kitchen')
    command.wait_for('policy expert is loaded')
    with Probe(domain) as probe:
        clients = {
            name: probe.node.create_client(Trigger, f'recorder/{name}_recording')
            for name in ('start', 'stop')
        }

        def ask(name):
            probe.until(clients[name].service_is_ready, what='the recorder')
            answer = clients[name].call_async(Trigger.Request())
            probe.until(answer.done, what=f'an answer to {name}')
            return answer.result()

        def records():
            time.sleep(0.1)
            return ask('start').success  # as soon as it hears everybody

        def recorded():
            probe.until(records, what='an episode')
            time.sleep(2.0)
            return ask('stop').success

        probe.cook('pick up the bread slice and place it on the plate')
        probe.wait_until_moving()
        # The recorder ends an episode by itself when a camera stood for a second.
        assert any(recorded() for _ in range(3)), command.output
        record = session / 'episode_000000.json'
        probe.until(record.exists, what='the episode on the disk')
    assert json.loads(record.read_text())['instruction'].startswith('pick up the bread')
    assert command.process.poll() is None, 'the end of an episode ends no deployment'
