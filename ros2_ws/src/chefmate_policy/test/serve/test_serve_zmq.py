"""The ZeroMQ port as clients see it that know only the protocol's description."""

import json

import msgpack
import numpy as np
import pytest
import zmq


def test_a_ping_says_that_the_server_runs(server, connect):
    assert connect(server).ask({'endpoint': 'ping'})['status'] == 'ok'


def test_an_observation_gets_an_action_of_every_group(server, connect, observation):
    action = connect(server).get_action(observation)
    assert set(action) == {'action.single_arm', 'action.gripper'}
    assert action['action.single_arm'].shape == (16, 5)
    assert action['action.gripper'].shape == (16, 1)
    assert np.allclose(action['action.single_arm'][0], [1, 2, 3, 4, 5], atol=0.02)
    assert np.all(np.diff(action['action.gripper'][:, 0]) > 0)


def test_the_model_sees_the_pixels_that_were_sent(server, connect, observation, frames):
    connect(server).get_action(observation)
    (request,) = server.engine.requests
    assert request.instruction == 'pick up the bread'
    assert np.array_equal(request.state, [1, 2, 3, 4, 5, 6])
    for name, image in frames.items():
        assert np.array_equal(request.images[name], image)
        assert request.images[name].flags.writeable  # torch warns of others


def test_a_request_without_an_endpoint_means_get_action(server, connect, observation, encode):
    action = connect(server).ask({'data': encode(observation)})
    assert action['action.gripper'].shape == (16, 1)


@pytest.mark.parametrize(
    'language',
    [
        {'annotation.human.task_description': ['pick up the bread']},
        {'annotation.human.action.task_description': ['pick up the bread']},
        {'annotation.human.task_description': 'pick up the bread'},
        {'annotation.human.task_description': np.array(['pick up the bread'])},
        {'annotation.human.task_description': [['pick up the bread']]},
    ],
)
def test_the_instruction_may_be_spelled_in_each_published_way(
    server, connect, observation, language
):
    del observation['annotation.human.task_description']
    assert 'error' not in connect(server).get_action({**observation, **language})
    assert server.engine.requests[0].instruction == 'pick up the bread'


def test_frames_and_states_may_come_without_their_first_axis(server, connect, observation):
    for key, value in observation.items():
        if isinstance(value, np.ndarray):
            observation[key] = value[0]
    assert connect(server).get_action(observation)['action.single_arm'].shape == (16, 5)


def test_a_batch_of_one_is_answered_with_a_batch_of_one(server, connect, observation):
    for key, value in observation.items():
        if isinstance(value, np.ndarray):
            observation[key] = value[None]
    assert connect(server).get_action(observation)['action.single_arm'].shape == (1, 16, 5)


@pytest.mark.parametrize('dtype', ['<f4', '>f8', '<i8', '<f2'])
def test_states_of_any_number_type_are_taken(server, connect, observation, dtype):
    observation['state.single_arm'] = observation['state.single_arm'].astype(dtype)
    assert 'error' not in connect(server).get_action(observation)
    assert np.array_equal(server.engine.requests[0].state, [1, 2, 3, 4, 5, 6])


def test_frames_in_fortran_order_are_seen_as_they_were_meant(server, connect, observation):
    observation['video.front'] = np.asfortranarray(observation['video.front'])
    connect(server).get_action(observation)
    seen = server.engine.requests[0].images['front']
    assert np.array_equal(seen, observation['video.front'][0])


def test_keys_may_be_bytes(server, connect, observation, encode):
    data = {
        key.encode(): {k.encode(): v for k, v in value.items()}
        if isinstance(value, dict)
        else value
        for key, value in encode(observation).items()
    }
    action = connect(server).ask({b'endpoint': 'get_action', b'data': data})
    assert action['action.single_arm'].shape == (16, 5)


def test_the_modality_config_names_every_key(server, connect):
    config = connect(server).ask({'endpoint': 'get_modality_config'})
    assert config['video']['modality_keys'] == ['video.front', 'video.wrist']
    assert config['state']['modality_keys'] == ['state.single_arm', 'state.gripper']
    assert config['action']['delta_indices'] == list(range(16))
    assert config['language']['modality_keys'] == ['annotation.human.task_description']


def test_the_modality_config_can_be_read_by_clients_that_have_its_class(server, connect):
    config = connect(server).ask({'endpoint': 'get_modality_config'})
    for part in config.values():
        assert part['__ModalityConfig_class__'] is True
        fields = json.loads(part['as_json'])
        assert set(fields) == {'delta_indices', 'modality_keys'}
        assert fields['modality_keys'] == part['modality_keys']


def test_a_dealer_gets_its_answers_under_the_ids_of_its_requests(server, connect):
    dealer = connect(server, zmq.DEALER).socket
    for number in (b'one', b'two', b'three'):
        dealer.send_multipart([number, b'', msgpack.packb({'endpoint': 'ping'})])
    answers = {parts[0]: msgpack.unpackb(parts[2]) for parts in (
        dealer.recv_multipart(), dealer.recv_multipart(), dealer.recv_multipart()
    )}  # fmt: skip
    assert set(answers) == {b'one', b'two', b'three'}
    assert all(answer['status'] == 'ok' for answer in answers.values())


def test_clients_at_the_same_time_get_each_their_own_answer(server, connect, observation):
    clients = [connect(server) for _ in range(3)]
    for number, client in enumerate(clients):
        client.send_observation({**observation, 'state.gripper': np.array([[10.0 * number]])})
    for number, client in enumerate(clients):
        first = client.receive()['action.gripper'][0, 0]
        assert np.isclose(first, 10.0 * number, atol=0.02)
    assert server.engine.most_at_once == 1
    assert len(server.engine.threads) == 1


def test_heartbeats_of_zeromq_are_answered(server, connect, wait_for):
    client = connect(server)
    client.socket.close()
    client.socket = zmq.Context.instance().socket(zmq.REQ)
    client.socket.linger, client.socket.rcvtimeo = 0, 10_000
    client.socket.heartbeat_ivl, client.socket.heartbeat_timeout = 50, 100
    client.socket.connect(f'tcp://127.0.0.1:{server.zmq_port}')
    monitor = client.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    assert client.ask({'endpoint': 'ping'})['status'] == 'ok'
    assert not monitor.poll(500)  # ten heartbeats
    client.socket.disable_monitor()
    assert client.ask({'endpoint': 'ping'})['status'] == 'ok'
