"""What is wrong with a request is said, with what is expected; and the next one works."""

import base64
import http.client
import io
import json

import msgpack
import numpy as np
import pytest

NAN = np.full((1, 5), np.nan)


def without(key):
    return lambda observation: observation.pop(key)


def put(key, value):
    return lambda observation: observation.__setitem__(key, value)


WRONG = {
    'no wrist camera': (without('video.wrist'), "missing: 'video.wrist'"),
    'no gripper': (without('state.gripper'), "missing: 'state.gripper'"),
    'no instruction': (without('annotation.human.task_description'), 'missing'),
    'another camera': (put('video.roof', np.zeros((1, 4, 4, 3), np.uint8)), "'video.roof'"),
    'another state': (put('state.left_leg', np.zeros((1, 5))), "'state.left_leg'"),
    'float frame': (put('video.front', np.zeros((1, 48, 64, 3))), 'expected dtype uint8'),
    'grey frame': (put('video.front', np.zeros((1, 48, 64), np.uint8)), r'\[1, H, W, 3\]'),
    'rgba frame': (put('video.front', np.zeros((1, 48, 64, 4), np.uint8)), r'\[1, H, W, 3\]'),
    'two frames': (put('video.front', np.zeros((2, 48, 64, 3), np.uint8)), r'\[1, H, W, 3\]'),
    'empty frame': (put('video.front', np.zeros((1, 0, 64, 3), np.uint8)), 'at least one pixel'),
    'a map for a frame': (put('video.front', {}), "'video.front'"),
    'text for a frame': (put('video.front', 'front.png'), 'expected numbers'),
    'six joints': (
        put('state.single_arm', np.zeros((1, 6))),
        r"single_arm': expected shape \[1, 5",
    ),
    'two states': (put('state.single_arm', np.zeros((2, 5))), r'found \[2, 5\]'),
    'NaN': (put('state.single_arm', NAN), 'expected finite numbers'),
    'inf': (put('state.gripper', np.array([[np.inf]])), 'expected finite numbers'),
    'too large for a float': (
        put('state.gripper', np.array([[1e300]])),
        'expected finite numbers',
    ),
    'words for joints': (put('state.gripper', ['open']), 'expected numbers'),
    'uneven rows': (put('state.single_arm', [[1, 2], [3]]), "'state.single_arm'"),
    'a number for the instruction': (put('annotation.human.task_description', 7), 'one text'),
    'two instructions': (put('annotation.human.task_description', ['a', 'b']), 'one text'),
    'a long instruction': (put('annotation.human.task_description', ['a' * 5000]), '2000'),
}


@pytest.mark.parametrize('name', WRONG)
def test_a_wrong_observation_is_answered_with_what_is_expected(
    server, connect, observation, does_work, name, expect_error
):
    spoil, message = WRONG[name]
    spoil(observation)
    client = connect(server)
    answer = client.get_action(observation)
    expect_error(answer, message)
    assert not server.engine.requests
    # the same socket goes on
    assert client.ask({'endpoint': 'ping'})['status'] == 'ok'
    assert sum(server.statistics.requests.values()) == 2


def test_a_message_about_a_key_lists_all_that_is_expected(server, connect, observation):
    del observation['video.front']
    error = connect(server).get_action(observation)['error']
    for expected in (
        "'video.front' uint8 [1, H, W, 3]", "'video.wrist' uint8", "'state.single_arm' [1, 5]",
        "'state.gripper' [1, 1]", "'annotation.human.task_description' [text]",
    ):  # fmt: skip
        assert expected in error


def npy_header(text):
    header = text.encode().ljust(118) + b'\n'
    return b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little') + header


def array(data):
    return {'__ndarray_class__': True, 'as_npy': data}


def saved(value):
    file = io.BytesIO()
    np.save(file, value, allow_pickle=True)
    return file.getvalue()


GOOD_NPY = saved(np.zeros((1, 48, 64, 3), np.uint8))
BAD_ARRAYS = {
    'no bytes': (array(None), 'as_npy'),
    'nothing in it': (array(b''), 'npy'),
    'no npy file': (array(b'\x89PNG rubbish' * 100), 'npy'),
    'cut off in its elements': (array(GOOD_NPY[:-1]), 'cut off'),
    'cut off in its header': (array(GOOD_NPY[:60]), 'npy'),
    'more than it says': (array(GOOD_NPY + b'\0'), 'cut off'),
    'a claim of 1 GB': (
        array(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (18000, 54000)}")),
        'claims 972000000 bytes',
    ),
    'a claim beyond any number': (
        array(npy_header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**30},)}}")),
        'claims',
    ),
    'a negative size': (
        array(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 3)}")),
        'negative',
    ),
    'too many axes': (
        array(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1)}")),
        'dimensions',
    ),
    'pickled objects': (array(saved(np.array([{'a': 1}], dtype=object))), 'numbers or text'),
    'records': (array(saved(np.zeros(3, dtype=[('a', 'f4')]))), 'numbers or text'),
    'dates': (array(saved(np.zeros(3, dtype='M8[s]'))), 'numbers or text'),
    'a header that is code': (array(npy_header("__import__('os').abort()")), 'npy'),
    'a header of brackets': (array(npy_header('(' * 110)), 'npy'),
}  # fmt: skip


@pytest.mark.parametrize('name', BAD_ARRAYS)
def test_a_wrong_array_is_answered_with_an_error(
    server, connect, observation, encode, does_work, name, expect_error
):
    value, message = BAD_ARRAYS[name]
    data = {**encode(observation), 'video.front': value}
    expect_error(connect(server).ask({'endpoint': 'get_action', 'data': data}), message)
    does_work(server)


BAD_MESSAGES = {
    'nothing': b'',
    'text': b'hello',
    'a list': msgpack.packb([1, 2, 3]),
    'a number': msgpack.packb(7),
    'a map that is cut off': msgpack.packb({'endpoint': 'get_action', 'data': {'a': b'x' * 99}})[
        :40
    ],
    'two messages': msgpack.packb({'endpoint': 'ping'}) * 2,
    'a key that is a list': b'\x81\x91\x01\x02',
    'a list of 4 thousand million': b'\xdd\xff\xff\xff\xff',
    'a map of 4 thousand million': b'\xdf\xff\xff\xff\xff',
    'bytes of 4 GB': b'\xc6\xff\xff\xff\xff',
    'deep': b'\x91' * 5000,
    'a million empty lists': b'\xdd\x00\x0f\x42\x40' + b'\x90' * 1_000_000,
    'many lists in lists': b'\xdc\x08\x00' + (b'\xdc\x08\x00' + b'\x90' * 2048) * 2048,
    'an extension': msgpack.packb({'endpoint': msgpack.ExtType(5, b'x')}),
    'pickle': b'\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system',
    'not utf-8': b'\x81\xa1a\xa2\xff\xfe',
    'no observation': msgpack.packb({'endpoint': 'get_action'}),
    'an observation that is text': msgpack.packb({'endpoint': 'get_action', 'data': 'x'}),
    'an unknown endpoint': msgpack.packb({'endpoint': 'shutdown'}),
    'an endpoint that is a list': msgpack.packb({'endpoint': ['ping']}),
    'a protocol of the future': msgpack.packb({'chefmate': 2, 'endpoint': 'infer'}),
}


@pytest.mark.parametrize('name', BAD_MESSAGES)
def test_a_wrong_message_is_answered_with_an_error(server, connect, does_work, name, expect_error):
    client = connect(server)
    client.socket.send(BAD_MESSAGES[name])
    expect_error(client.receive(), '.')
    does_work(server)


def test_an_unknown_endpoint_is_answered_with_those_that_exist(server, connect):
    error = connect(server).ask({'endpoint': 'shutdown'})['error']
    assert 'ping, get_action, get_modality_config' in error


def post(server, body, headers=()):
    connection = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)
    connection.request('POST', '/act', body, dict(headers))
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def numpy_json(value):
    return {
        '__numpy__': base64.b64encode(value.tobytes()).decode(),
        'dtype': value.dtype.str,
        'shape': list(value.shape),
    }


@pytest.mark.parametrize('name', WRONG)
def test_a_wrong_observation_over_http_is_answered_with_what_is_expected(
    server, observation, name, expect_error
):
    spoil, message = WRONG[name]
    spoil(observation)
    body = json.dumps({'observation': observation}, default=numpy_json)
    status, answer = post(server, body)
    assert status in (400, 413)
    expect_error(answer, message)
    assert not server.engine.requests


FRAME = numpy_json(np.zeros((1, 48, 64, 3), np.uint8))
BAD_JSON = {
    'nothing': b'',
    'text': b'hello',
    'cut off': b'{"observation": {"video.front": [1, 2',
    'a list': b'[1, 2]',
    'no observation': b'{"data": {}}',
    'an observation that is a list': b'{"observation": []}',
    'encoded that is no JSON': b'{"encoded": "hello"}',
    'half a character': b'{"observation": {"x": "\\ud800"}}',
    'encoded and more': b'{"encoded": "{}", "observation": {}}',
    'encoded that is a number': b'{"encoded": 7}',
    'deep': b'[' * 200_000,
    'not utf-8': b'{"observation": "\xff\xfe"}',
    'a wide number': b'{"observation": {"state.gripper": ' + b'9' * 100_000 + b'}}',
    'many values': b'{"observation": [' + b'[],' * 3_000_000 + b'[]]}',
    'a claim of 1 GB': json.dumps({'observation': {'video.front': {**FRAME, 'shape': [10**9]}}}),
    'an unknown dtype': json.dumps({'observation': {'video.front': {**FRAME, 'dtype': 'u9'}}}),
    'objects': json.dumps({'observation': {'video.front': {**FRAME, 'dtype': 'O'}}}),
    'a dtype that is a list': json.dumps({'observation': {'x': {**FRAME, 'dtype': [['a', 'O']]}}}),
    'a negative shape': json.dumps({'observation': {'x': {**FRAME, 'shape': [-1, 3]}}}),
    'a shape that is text': json.dumps({'observation': {'x': {**FRAME, 'shape': '48'}}}),
    'a float shape': json.dumps({'observation': {'x': {**FRAME, 'shape': [9216.0]}}}),
    'no base64': json.dumps({'observation': {'x': {**FRAME, '__numpy__': '!' * 12288}}}),
    'base64 of another length': json.dumps({'observation': {'x': {**FRAME, '__numpy__': 'AAAA'}}}),
    'base64 that is a list': json.dumps({'observation': {'x': {**FRAME, '__numpy__': [1]}}}),
}


@pytest.mark.parametrize('name', BAD_JSON)
def test_a_wrong_body_is_answered_with_an_error(server, does_work, name, expect_error):
    status, answer = post(server, BAD_JSON[name])
    assert status in (400, 413)
    expect_error(answer, '.')
    does_work(server)
