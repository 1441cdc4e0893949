"""How a launch goes and how it ends."""

import threading
import time

import pytest

from chefmate.launching import LaunchJob, OutputLine


def test_a_required_process_that_dies_ends_the_launch_with_an_error_that_names_it(pantry):
    code = pantry.run("""
        Node(**COOK, arguments=['--stay', '--id', 'driver']),
        Node(**COOK, arguments=['--for', '0.1', '--exit', '3'],
             on_exit=Shutdown(reason='no policy')),
    """)
    assert code == 1
    assert 'cook-2 has ended, and ends the launch: no policy' in pantry.text()
    assert 'failed because of cook-2 (exit code 3)' in pantry.text()
    assert '[cook-1] asked to end' not in pantry.text()  # its output=log: stdout is in the file
    assert '[cook-2]:   it last said: err node' in pantry.text()


def test_a_required_process_that_ends_well_ends_the_launch_well(pantry):
    code = pantry.run("""
        Node(**COOK, arguments=['--stay'], output='screen'),
        Node(**COOK, arguments=['--for', '0.2'], on_exit=[LogInfo(msg='done'), Shutdown()]),
    """)
    assert code == 0
    assert '[launch.user]: done' in pantry.text()
    assert '[cook-1] asked to end' in pantry.text()


def test_a_process_killed_by_a_signal_is_named_with_the_signal(pantry):
    assert pantry.run('ExecuteProcess(cmd=["sh", "-c", "kill -SEGV $$"], on_exit=Shutdown())') == 1
    assert 'killed by SIGSEGV' in pantry.text()


def test_the_death_of_a_process_that_nobody_needs_does_not_fail_the_launch(pantry):
    code = pantry.run("""
        Node(**COOK, arguments=['--exit', '1']),
        Node(**COOK, arguments=['--for', '0.3'], on_exit=Shutdown()),
    """)
    assert code == 0


def test_a_launch_whose_processes_all_ended_fails_if_one_of_them_died(pantry):
    assert pantry.run('Node(**COOK), Node(**COOK)') == 0
    assert pantry.run('Node(**COOK), Node(**COOK, arguments=["--exit", "4"])') == 1
    assert 'failed because of cook-2 (exit code 4)' in pantry.text()


def test_a_program_that_cannot_be_started_ends_the_launch_with_an_error(pantry):
    code = pantry.run("""
        Node(**COOK, arguments=['--stay'], output='screen'),
        ExecuteProcess(cmd=['/no/such/program']),
    """)
    assert code == 1
    assert 'cannot start /no/such/program' in pantry.text()


def test_a_respawned_process_comes_back_as_often_as_allowed(pantry):
    code = pantry.run("""
        Node(**COOK, arguments=['--exit', '1'], respawn=True, respawn_delay=0.05,
             respawn_max_retries=2),
    """)
    assert code == 1
    assert pantry.text().count('process started') == 3


def test_an_exit_handler_may_start_the_next_process(pantry):
    code = pantry.run("""
        *(lambda first: [
            RegisterEventHandler(OnProcessStart(target_action=first, on_start=LogInfo(msg='one'))),
            RegisterEventHandler(OnProcessExit(target_action=first, on_exit=lambda event, _: [
                LogInfo(msg=f'two {event.process_name} {event.returncode}'),
                Node(**COOK, arguments=['--id', 'second'], on_exit=EmitEvent(
                    event=ShutdownEvent(reason='over')))])),
            RegisterEventHandler(OnShutdown(on_shutdown=[LogInfo(msg='three')])),
            first,
        ])(Node(**COOK, arguments=['--id', 'first', '--exit', '7'])),
    """)
    assert code == 0  # the exit that ended the launch was a good one
    said = [line.text for line in pantry.lines if line.source == 'launch.user']
    assert said == ['one', 'two cook-1 7', 'three']
    assert pantry.records().keys() == {'first', 'second'}


def test_an_error_in_a_handler_ends_the_launch_and_names_the_line(pantry):
    code = pantry.run("""
        Node(**COOK, arguments=['--stay']),
        Node(**COOK, on_exit=lambda event, context: 1 / 0),
    """)
    assert code == 1
    assert 'sample.launch.py' in pantry.text()
    assert 'ZeroDivisionError' in pantry.text()


def test_two_nodes_of_one_name_are_warned_about(pantry):
    pantry.run("""
        Node(**COOK, name='chef', namespace='a', arguments=['--id', '1']),
        Node(**COOK, name='chef', namespace='a', arguments=['--id', '2']),
    """)
    assert 'there are now 2 nodes with the name /a/chef' in pantry.text()


@pytest.mark.parametrize(
    ('output', 'on_screen', 'in_file'),
    [
        ('screen', {'out node', 'err node'}, set()),
        ('log', {'err node'}, {'out node', 'err node'}),
        ('both', {'out node', 'err node'}, {'out node', 'err node'}),
    ],
)
def test_output_goes_where_launch_sends_it(pantry, output, on_screen, in_file):
    pantry.run(f'Node(**COOK, output="{output}")')
    assert {line.text for line in pantry.lines if line.stream != 'launch'} == on_screen
    (log,) = (pantry.root / 'log').glob('*/launch.log')
    text = log.read_text()
    assert {word for word in ('out node', 'err node') if f'[cook-1] {word}' in text} == in_file


def test_a_last_line_without_its_end_is_not_lost(pantry):
    pantry.run('ExecuteProcess(cmd=["printf", "one\\\\ntwo"], output="screen")')
    assert [line.text for line in pantry.lines if line.stream == 'stdout'] == ['one', 'two']


def test_what_is_not_utf8_is_shown_and_does_not_stop_the_launch(pantry):
    assert pantry.run('ExecuteProcess(cmd=["printf", r"\\377x\\n"], output="screen")') == 0
    assert OutputLine('printf-1', 'stdout', '\ufffdx') in pantry.lines


def test_much_output_arrives_complete_and_in_order(pantry):
    pantry.run('ExecuteProcess(cmd=["seq", "20000"], output="screen")')
    numbers = [int(line.text) for line in pantry.lines if line.stream == 'stdout']
    assert numbers == list(range(1, 20001))


def test_stop_ends_a_launch_that_runs_in_another_thread(pantry):
    path = pantry.write('Node(**COOK, arguments=["--stay"], output="screen")')
    lines, codes = [], []
    job = LaunchJob(path, {}, lines.append, 'builtin')
    thread = threading.Thread(target=lambda: codes.append(job.run()))
    thread.start()
    deadline_s = time.monotonic() + 30
    while not pantry.records() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    job.stop()
    thread.join(30)
    assert codes == [0]
    assert '[cook-1] asked to end' in map(str, lines)
    job.stop()  # after the end it does nothing


def test_a_folder_that_cannot_be_written_costs_the_log_only(pantry, monkeypatch):
    monkeypatch.setenv('ROS_LOG_DIR', '/proc/no/such/folder')
    assert pantry.run('Node(**COOK)') == 0
    assert 'no log file' in pantry.text()
