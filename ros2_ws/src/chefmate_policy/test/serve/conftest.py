"""A server over a small engine, in a thread of this process."""

import io
import re
import threading
import time

import msgpack
import numpy as np
import psutil
import pytest
import zmq

from chefmate_core.policy.engine import ModelOutput
from chefmate_core.policy.modality import Modality
from chefmate_policy.serve.config import ServeConfig
from chefmate_policy.serve.server import PolicyServer

CAMERAS = ('front', 'wrist')


class RampEngine:
    """Goes from the state along a ramp that the frames' brightness steepens; noise by seed."""

    name = 'ramp'

    def __init__(self):
        self.modality = Modality(cameras=CAMERAS)
        self.requests = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.fails_with = None
        self.is_warm = self.is_closed = False
        self.running = self.most_at_once = 0
        self.threads = set()

    def warm_up(self):
        self.is_warm = True

    def infer(self, request):
        assert self.is_warm
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        self.threads.add(threading.get_ident())
        try:
            self.requests.append(request)
            assert self.may_answer.wait(30)
            if self.fails_with is not None:
                raise self.fails_with
            brightness = np.mean([image.mean() for image in request.images.values()])
            steps = np.arange(16)[:, None]
            action = request.state + steps * (0.1 + brightness / 255)
            noise = np.random.default_rng(request.seed).normal(size=(request.samples or 1, 16, 6))
            action = action + 1e-3 * noise[0]
            if request.committed is not None:
                action[: len(request.committed)] = request.committed
            return ModelOutput(
                action.astype(np.float32), {'ramp': 1e-4}, float(noise.std(axis=0).mean())
            )
        finally:
            self.running -= 1

    def close(self):
        self.is_closed = True


class RunningServer:
    """A `PolicyServer` in a thread."""

    def __init__(self, engine, wait_until_ready=True, **settings):
        settings = {'zmq_port': 0, 'http_port': 0, 'patience_s': 2.0, **settings}
        self.engine = engine
        self.server = PolicyServer(lambda: engine, ServeConfig(**settings), self._on_ready)
        self.statistics = self.server.statistics
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self.server.run, args=(False,))
        self._thread.start()
        if wait_until_ready:
            self.wait_until_ready()

    def wait_until_ready(self):
        assert self._ready.wait(10)

    def _on_ready(self, engine):
        assert engine.is_warm
        self._ready.set()

    @property
    def zmq_port(self):
        return int(self.server.addresses['zmq'].rsplit(':', 1)[1])

    @property
    def http_port(self):
        return int(self.server.addresses['http'].rsplit(':', 1)[1])

    def is_running(self):
        return self._thread.is_alive()

    def ask_to_stop(self):
        self.server.stop()

    def join(self):
        self._thread.join(20)
        assert not self._thread.is_alive()

    def stop(self):
        self.engine.may_answer.set()
        self.ask_to_stop()
        self.join()


@pytest.fixture
def engine():
    return RampEngine()


@pytest.fixture
def serve(engine):
    """Start a server over `engine`; it is stopped after the test."""
    running = []

    def start(**settings):
        server = RunningServer(settings.pop('engine', engine), **settings)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture
def wait_for():
    """Wait until something holds; fail when it does not within 10 s."""

    def wait(condition, what):
        deadline_s = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline_s, what
            time.sleep(0.005)

    return wait


@pytest.fixture
def frames():
    """A frame of each camera."""
    random = np.random.default_rng(1)
    return {name: random.integers(0, 256, (48, 64, 3), np.uint8) for name in CAMERAS}


@pytest.fixture
def observation(frames):
    """What a GR00T client sends."""
    return {
        **{f'video.{name}': image[None] for name, image in frames.items()},
        'state.single_arm': np.array([[1.0, 2, 3, 4, 5]]),
        'state.gripper': np.array([[6.0]]),
        'annotation.human.task_description': ['pick up the bread'],
    }


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return {'__ndarray_class__': True, 'as_npy': file.getvalue()}


def read_array(found):
    if '__ndarray_class__' in found:
        return np.load(io.BytesIO(found['as_npy']), allow_pickle=False)
    return found


class Client:
    """A REQ socket, MessagePack and numpy.save."""

    def __init__(self, port, kind=zmq.REQ):
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.linger = 0
        self.socket.rcvtimeo = 10_000
        self.socket.connect(f'tcp://127.0.0.1:{port}')

    def send(self, message):
        self.socket.send(msgpack.packb(message))

    def send_observation(self, observation, **more):
        self.send({'endpoint': 'get_action', 'data': encoded(observation), **more})

    def receive(self):
        return msgpack.unpackb(self.socket.recv(), object_hook=read_array)

    def ask(self, message):
        self.send(message)
        return self.receive()

    def get_action(self, observation, **more):
        self.send_observation(observation, **more)
        return self.receive()


def encoded(observation):
    """Return an observation as MessagePack can carry it."""
    return {
        key: npy(value) if isinstance(value, np.ndarray) else value
        for key, value in observation.items()
    }


@pytest.fixture
def connect():
    clients = []

    def open_client(server, kind=zmq.REQ):
        clients.append(Client(server.zmq_port, kind))
        return clients[-1]

    yield open_client
    for client in clients:
        client.socket.close()


@pytest.fixture
def does_work(connect, observation):
    """Ask a good request of a server, and look at the answer."""

    def ask(server):
        action = connect(server).get_action(observation)
        assert action.get('error') is None
        assert action['action.single_arm'].shape == (16, 5)

    return ask


@pytest.fixture
def memory_bytes():
    """Return what this process holds in memory."""
    process = psutil.Process()
    return lambda: process.memory_info().rss


@pytest.fixture
def encode():
    return encoded


@pytest.fixture
def expect_error():
    """Check that an answer is an error with a code, and that its text says something."""

    def check(answer, pattern, codes=('bad_request', 'too_large')):
        assert answer['code'] in codes, answer
        assert re.search(pattern, answer['error']), answer['error']
        assert len(answer['error']) < 1500

    return check
