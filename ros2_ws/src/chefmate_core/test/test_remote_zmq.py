"""The ZeroMQ client against servers that were written from the protocol's description."""

import io
import json
import socket
import threading
import time

import msgpack
import numpy as np
import pytest
import zmq

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import EngineBusyError, EngineTimeoutError, ModelInput
from chefmate_core.policy.remote import make_engine


def npy(value):
    file = io.BytesIO()
    np.save(file, value)
    return {'__ndarray_class__': True, 'as_npy': file.getvalue()}


def part(keys, count=1, as_text=True):
    fields = {'delta_indices': list(range(count)), 'modality_keys': keys}
    return {'__ModalityConfig_class__': True, 'as_json': json.dumps(fields) if as_text else fields}


CONFIG = {
    'video': part(['video.webcam']),
    'state': part(['state.single_arm', 'state.gripper']),
    'action': part(['action.single_arm', 'action.gripper'], 16),
    'language': part(['annotation.human.task_description']),
}
REQUEST = ModelInput({'webcam': np.full((4, 6, 3), 9, np.uint8)}, np.arange(6.0), 'go')


class GrootServer:
    """A REP socket and MessagePack, as Isaac-GR00T's server has them."""

    def __init__(self):
        self.socket = zmq.Context.instance().socket(zmq.REP)
        self.socket.linger = 0
        self.port = self.socket.bind_to_random_port('tcp://127.0.0.1')
        self.answers = {'get_modality_config': lambda data: CONFIG, 'get_action': self.act}
        self.seen = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self.run)
        self._thread.start()

    def act(self, data):
        state = np.concatenate(
            [
                np.load(io.BytesIO(data[f'state.{name}']['as_npy']))
                for name in ('single_arm', 'gripper')
            ],
            axis=1,
        )
        action = np.repeat(state, 16, axis=0)
        return {'action.single_arm': npy(action[:, :5]), 'action.gripper': npy(action[:, 5])}

    def run(self):
        while not self._ended.is_set():
            if self.socket.poll(20):
                request = msgpack.unpackb(self.socket.recv())
                self.seen.append(request)
                try:
                    answer = self.answers[request['endpoint']](request.get('data'))
                except Exception as error:
                    answer = {'error': str(error)}
                self.socket.send(answer if isinstance(answer, bytes) else msgpack.packb(answer))
        self.socket.close()

    def stop(self):
        self._ended.set()
        self._thread.join()


@pytest.fixture
def server():
    started = GrootServer()
    yield started
    started.stop()


@pytest.fixture
def engine(server):
    made = make_engine(f'zmq://127.0.0.1:{server.port}', timeout_s=2.0)
    yield made
    made.close()


def test_a_published_server_is_understood(server, engine):
    assert engine.modality.cameras == ('webcam',)
    assert (engine.modality.state_size, engine.modality.horizon) == (6, 16)
    output = engine.infer(REQUEST)
    assert np.array_equal(output.action, np.repeat([np.arange(6.0)], 16, axis=0))
    data = server.seen[-1]['data']
    assert np.load(io.BytesIO(data['video.webcam']['as_npy'])).shape == (1, 4, 6, 3)
    assert data['annotation.human.task_description'] == ['go']


def test_a_modality_whose_json_is_a_map_is_understood(server, engine):
    server.answers['get_modality_config'] = lambda data: {
        **CONFIG, 'video': part(['video.top'], as_text=False)
    }  # fmt: skip
    assert engine.modality.cameras == ('top',)


def test_what_the_server_says_of_its_cameras_wins(server):
    engine = make_engine(f'zmq://127.0.0.1:{server.port}', cameras='front,wrist')
    assert engine.modality.cameras == ('webcam',)
    engine.close()


def test_a_group_of_unknown_size_has_to_be_told(server):
    server.answers['get_modality_config'] = lambda data: {
        **CONFIG, 'state': part(['state.left_arm']), 'action': part(['action.left_arm'], 8)
    }  # fmt: skip
    url = f'zmq://127.0.0.1:{server.port}'
    with pytest.raises(PolicyError, match=r'names state\.left_arm.*option groups'):
        _ = make_engine(url).modality
    modality = make_engine(url, groups={'left_arm': {'start': 0, 'end': 7}}).modality
    assert (modality.state_size, modality.action_size, modality.horizon) == (7, 7, 8)


def test_the_servers_error_is_passed_on(server, engine):
    server.answers['get_action'] = lambda data: {'error': 'CUDA out of memory'}
    with pytest.raises(PolicyError, match='answered: CUDA out of memory'):
        engine.infer(REQUEST)
    server.answers['get_action'] = lambda data: {'error': 'later', 'code': 'busy'}
    with pytest.raises(EngineBusyError):
        engine.infer(REQUEST)


@pytest.mark.parametrize(
    'answer',
    [b'', b'ERROR', b'\xc1', b'\x93\x01\x02\x03', msgpack.packb({'action.gripper': 'open'}),
     msgpack.packb({'action.single_arm': {'__ndarray_class__': True, 'as_npy': b'x'}}),
     msgpack.packb({'action.single_arm': npy(np.zeros((16, 4))), 'action.gripper': [0] * 16}),
     msgpack.packb({'action.single_arm': npy(np.full((16, 5), np.inf)), 'action.gripper': [0]})],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_error_with_the_address(server, engine, answer):
    server.answers['get_action'] = lambda data: answer
    with pytest.raises(PolicyError, match=f'127.0.0.1:{server.port}'):
        engine.infer(REQUEST)
    server.answers['get_action'] = server.act
    assert engine.infer(REQUEST).action.shape == (16, 6)


def test_a_server_that_falls_silent_costs_the_timeout_and_no_more(server, engine):
    engine.warm_up()
    may_answer = threading.Event()

    def act_late(data):
        may_answer.wait(30)
        return server.act(data)

    server.answers['get_action'] = act_late
    begun_s = time.monotonic()
    with pytest.raises(EngineTimeoutError, match=r'no answer within 0\.2 s'):
        engine.infer(ModelInput(REQUEST.images, REQUEST.state, 'go', timeout_s=0.2))
    assert time.monotonic() - begun_s < 25  # the server waits for 30 s
    may_answer.set()
    server.answers['get_action'] = server.act
    # what it answers late does not become the answer to the next request
    later = engine.infer(ModelInput(REQUEST.images, np.full(6, 3.0), 'go'))
    assert np.all(later.action == 3.0)


def test_nobody_at_the_port_is_said_at_once():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
    engine = make_engine(f'zmq://127.0.0.1:{port}', timeout_s=60.0)
    begun_s = time.monotonic()
    with pytest.raises(PolicyError, match=f'127.0.0.1:{port}: nobody listens there'):
        engine.warm_up()
    assert time.monotonic() - begun_s < 30
    engine.close()


def test_something_else_at_the_port_is_said_after_the_timeout():
    with socket.create_server(('127.0.0.1', 0)) as other:
        engine = make_engine(f'chefmate://127.0.0.1:{other.getsockname()[1]}', timeout_s=0.2)
        with pytest.raises(EngineTimeoutError, match='is it a GR00T or ChefMate server'):
            engine.warm_up()
        engine.close()


def test_the_own_protocol_with_a_server_of_another_kind_says_so(server):
    engine = make_engine(f'chefmate://127.0.0.1:{server.port}', timeout_s=2.0)
    with pytest.raises(PolicyError, match='describe'):
        engine.warm_up()
    engine.close()
