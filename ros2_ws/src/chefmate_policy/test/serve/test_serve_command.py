"""`chefmate serve`, from the command line to the last answer."""

import argparse
import json
import signal
import socket
import subprocess
import urllib.request

import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.engine import ModelInput
from chefmate_core.policy.remote import make_engine
from chefmate_policy.cli import serve


def arguments(*words):
    class Parser(argparse.ArgumentParser):
        def __init__(self, *args, examples=(), **kwargs):
            super().__init__(*args, **kwargs)

        def error(self, message):
            raise ConfigurationError(message)

    parser = Parser()
    serve.add_parser(parser.add_subparsers(parser_class=Parser))
    return parser.parse_args(['serve', *words])


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['tiny-random', '--host', '0.0.0.0'], '--token-file FILE, or --insecure'),
        (['tiny-random', '--token-file', '/nowhere/token'], 'token file /nowhere/token'),
        (['tiny-random', '--zmq-port', 'off', '--http-port', 'off'], 'both protocols are off'),
        (['tiny-random', '--zmq-port', '99999'], 'expected 0 to 65535'),
        (['tiny-random', '--waiting', '-2'], 'waiting: expected at least 0'),
        (['tiny-random', '--option', 'embodiment'], 'expected NAME=VALUE'),
        (['tiny-random', '--option', 'cameras=[a'], 'not YAML'),
    ],
)
def test_a_wrong_command_line_says_what_to_do(words, message):
    with pytest.raises(ConfigurationError, match=message):
        serve.run(arguments(*words))


def test_a_port_that_is_no_number_is_refused():
    with pytest.raises(ConfigurationError, match='expected a port or off'):
        arguments('tiny-random', '--zmq-port', 'many')


def test_a_port_that_is_taken_is_said_before_the_model_is_loaded():
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f'--http-port {port}: another program'):
            serve.run(arguments('no-such-model', '--zmq-port', '0', '--http-port', str(port)))


def test_a_model_that_does_not_exist_ends_the_command_with_its_error():
    with pytest.raises(ConfigurationError, match='no-such-model'):
        serve.run(arguments('no-such-model', '--zmq-port', '0', '--http-port', '0'))


@pytest.mark.system
def test_the_tiny_model_is_served_over_all_protocols():
    process = subprocess.Popen(
        ['chefmate', 'serve', 'tiny-random', '--zmq-port', '0', '--http-port', '0'],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        said = []
        while not (said and said[-1].startswith('ready')):
            said.append(process.stdout.readline())
            assert said[-1], said
        urls = [word for line in said for word in line.split() if '://127.0.0.1:' in word]
        assert [url.split(':')[0] for url in urls] == ['zmq', 'chefmate', 'http']
        random = np.random.default_rng(0)
        actions = []
        for url in urls:
            engine = make_engine(url, timeout_s=60.0)
            images = {
                name: random.integers(0, 256, (480, 640, 3), np.uint8)
                for name in engine.modality.cameras
            }
            request = ModelInput(images, np.zeros(6), 'pick up the bread')
            actions.append(engine.infer(request).action)
            engine.close()
        for action in actions:
            assert action.shape == (16, 6)
            assert np.all(np.isfinite(action))
        with urllib.request.urlopen(f'{urls[2]}/health', timeout=10) as answer:
            assert json.load(answer)['status'] == 'healthy'
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[0]
        assert process.returncode == 0
        assert 'stopped after' in rest
        assert ' 0 of them with an error' in rest
    finally:
        process.kill()
        process.wait()
