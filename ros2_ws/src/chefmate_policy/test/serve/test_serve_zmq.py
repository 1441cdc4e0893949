"""The ZeroMQ port as a client sees it that knows only the protocol's description."""

import io

import msgpack
import numpy as np
import pytest
import zmq


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


def test_a_ping_says_that_the_server_runs(server, connect):
    assert connect(server).ask({'endpoint': 'ping'})['status'] == 'ok'


def test_an_observation_gets_an_action_of_every_group(server, connect, observation):
    action = connect(server).get_action(observation)
    assert set(action) == {'action.single_arm', 'action.gripper'}
    assert action['action.single_arm'].shape == (16, 5)
    assert action['action.gripper'].shape == (16, 1)
    assert np.allclose(action['action.single_arm'][0], [1, 2, 3, 4, 5], atol=0.02)
    assert np.all(np.diff(action['action.gripper'][:, 0]) > 0)
