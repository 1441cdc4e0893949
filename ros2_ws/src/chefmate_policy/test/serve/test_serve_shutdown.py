"""The end of a server: what runs is finished, what waits is told, nothing hangs."""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chefmate_core.errors import PolicyError
from chefmate_policy.serve.config import ServeConfig
from chefmate_policy.serve.server import PolicyServer

HERE = Path(__file__).parent
PROGRAM = f"""
import sys, time
sys.path.insert(0, {str(HERE)!r})
from conftest import RampEngine
from chefmate_policy.serve.config import ServeConfig
from chefmate_policy.serve.server import PolicyServer

class Slow(RampEngine):
    def warm_up(self):
        time.sleep(float(sys.argv[1]))
        super().warm_up()
    def infer(self, request):
        print('infers', flush=True)
        time.sleep(float(sys.argv[2]))
        return super().infer(request)

def ready(engine):
    print('ready', flush=True)

server = PolicyServer(Slow, ServeConfig(zmq_port=0, http_port=0), ready)
print(server.addresses['zmq'].rsplit(':')[-1], flush=True)
server.run()
print('stopped', flush=True)
"""


class Process:
    """A server in a process of its own."""

    def __init__(self, load_s=0.0, infer_s=0.0):
        self.process = subprocess.Popen(
            [sys.executable, '-c', PROGRAM, str(load_s), str(infer_s)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.zmq_port = int(self.line())

    def line(self):
        return self.process.stdout.readline().strip()

    def end(self):
        """Return the exit status and what it said at last."""
        try:
            said = self.process.communicate(timeout=20)[0]
        finally:
            self.process.kill()
        return self.process.returncode, said


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_running_inference_finish(connect, observation, number):
    process = Process(infer_s=0.5)
    assert process.line() == 'ready'
    client = connect(process)
    client.send_observation(observation)
    assert process.line() == 'infers'
    process.process.send_signal(number)
    assert client.receive()['action.gripper'].shape == (16, 1)
    assert process.end() == (0, 'stopped\n')


def test_a_signal_while_the_model_loads_ends_the_server_at_once():
    process = Process(load_s=60)
    time.sleep(0.2)
    begun_s = time.monotonic()
    process.process.send_signal(signal.SIGTERM)
    assert process.end() == (0, 'stopped\n')
    assert time.monotonic() - begun_s < 30


def test_a_second_signal_does_not_wait_for_an_inference_that_hangs(connect, observation):
    process = Process(infer_s=60)
    assert process.line() == 'ready'
    connect(process).send_observation(observation)
    assert process.line() == 'infers'
    process.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.process.poll() is None
    process.process.send_signal(signal.SIGINT)
    assert process.end()[0] != 0


def test_who_waits_is_told_that_the_server_stops(serve, engine, connect, observation, wait_for):
    server = serve()
    engine.may_answer.clear()
    running, waiting = connect(server), connect(server)
    running.send_observation(observation)
    wait_for(lambda: engine.requests, 'the first runs')
    waiting.send_observation(observation)
    time.sleep(0.1)
    server.ask_to_stop()
    answer = waiting.receive()
    assert (answer['code'], answer['error']) == ('busy', 'the server is stopping')
    engine.may_answer.set()
    assert 'error' not in running.receive()
    server.join()
    assert engine.is_closed


def test_a_running_request_over_http_is_finished_too(serve, engine, observation, wait_for):
    server = serve()
    engine.may_answer.clear()
    connection = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)
    body = json.dumps({'observation': observation}, default=lambda value: value.tolist())
    connection.request('POST', '/act', body)
    wait_for(lambda: engine.requests, 'it runs')
    server.ask_to_stop()
    threading.Timer(0.2, engine.may_answer.set).start()
    assert connection.getresponse().status == 200
    server.join()


def test_an_inference_that_hangs_does_not_keep_the_server(serve, engine, connect, observation):
    server = serve(timeout_s=0.3)
    engine.may_answer.clear()
    client = connect(server)
    assert client.get_action(observation)['code'] == 'timeout'
    server.ask_to_stop()
    server.join()


def test_a_stopped_server_leaves_its_ports_free(serve, engine, does_work):
    first = serve()
    port = first.zmq_port
    does_work(first)
    first.stop()
    second = serve(zmq_port=port)
    does_work(second)


def test_a_model_that_cannot_be_loaded_ends_the_server_with_its_error():
    def load():
        raise PolicyError('models/bread: no config.json')

    server = PolicyServer(load, ServeConfig(zmq_port=0, http_port=0))
    with pytest.raises(PolicyError, match=r'no config\.json'):
        server.run(handle_signals=False)


def test_a_server_that_was_stopped_before_it_ran_does_not_run(engine):
    server = PolicyServer(lambda: engine, ServeConfig(zmq_port=0, http_port=0))
    server.stop()
    server.run(handle_signals=False)
    assert not engine.is_warm
