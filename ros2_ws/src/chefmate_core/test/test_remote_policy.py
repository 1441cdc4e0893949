"""The policy `remote`: a server that still loads, or that is not there."""

from pathlib import Path

import pytest
from engines import StayingEngine

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy import remote, remote_policy
from chefmate_core.policy.engine import EngineBusyError, EngineUnreachableError
from chefmate_core.policy.modality import Modality
from chefmate_core.policy.registry import PolicyContext

CALIBRATION = Path(__file__).resolve().parents[4] / 'calibration' / 'follower.json'


class LoadingServer(StayingEngine):
    """Busy until it was asked `asked` times."""

    def __init__(self, asked, **options):
        self.left, self.options = asked, options
        super().__init__()

    @property
    def modality(self):
        self.left -= 1
        if self.left > 0:
            raise EngineBusyError('the server is still loading its model')
        return Modality(('front', 'wrist'))

    @modality.setter
    def modality(self, value):
        del value


@pytest.fixture
def server(monkeypatch):
    """Lets `make_engine` return an engine of ours; returns (set it, what was told)."""
    made, told = [], []

    def serve(engine):
        def make_engine(url, **options):
            engine.options = options
            made.append(url)
            return engine

        monkeypatch.setattr(remote, 'make_engine', make_engine)
        monkeypatch.setattr(remote_policy, 'RETRY_S', 0.001)
        return told

    return serve


def connect(told, **options):
    context = PolicyContext(str(CALIBRATION), ('wrist', 'scene'), told.append)
    return remote_policy.make_policy('zmq://gpu:5555', context, **options)


def test_a_server_that_still_loads_is_waited_for_and_that_is_said_once(server):
    told = server(LoadingServer(asked=5))
    policy = connect(told)
    assert policy.spec.cameras == ('scene', 'wrist')
    assert [text for text in told if 'waiting' in text] == [
        'waiting for the server: the server is still loading its model'
    ]


def test_a_server_that_loads_for_too_long_is_given_up_and_closed(server):
    engine = LoadingServer(asked=10**9)
    with pytest.raises(PolicyError, match='still loading'):
        connect(server(engine), wait_s=0.02)
    assert engine.is_closed


def test_the_names_that_were_given_for_the_cameras_reach_a_server_that_tells_none(server):
    engine = LoadingServer(asked=1)
    connect(server(engine), cameras={'front': 'scene', 'wrist': 'wrist'}, jpeg_quality=80)
    assert engine.options == {'cameras': ('front', 'wrist'), 'jpeg_quality': 80}


def test_a_wait_that_is_none_is_refused(server):
    with pytest.raises(ConfigurationError, match='wait_s'):
        connect(server(LoadingServer(asked=1)), wait_s=float('nan'))


class StartingServer(StayingEngine):
    """Not there, then busy with loading, then there: so many questions each."""

    def __init__(self, absent, busy):
        self.troubles = [EngineUnreachableError('nobody listens there')] * absent
        self.troubles += [EngineBusyError('the server is still loading its model')] * busy
        super().__init__()

    @property
    def modality(self):
        if self.troubles:
            raise self.troubles.pop(0)
        return Modality(('front', 'wrist'))

    @modality.setter
    def modality(self, value):
        del value


def test_a_server_that_starts_with_the_robot_is_waited_for(server):
    told = server(StartingServer(absent=3, busy=3))
    connect(told)
    assert [text for text in told if 'waiting' in text] == [
        'waiting for the server: nobody listens there',
        'waiting for the server: the server is still loading its model',
    ]


def test_a_server_that_has_gone_while_it_loaded_is_not_absent_for_as_long_as_it_loaded(server):
    engine = StartingServer(absent=0, busy=100)
    engine.troubles.append(EngineUnreachableError('nobody listens there'))
    connect(server(engine), absent_s=0.05)  # a hundred questions, a millisecond apart


def test_an_address_where_nobody_ever_listens_is_said_at_once_and_refused():
    told = []
    with pytest.raises(PolicyError, match='nobody listens there'):
        remote_policy.make_policy(
            'zmq://127.0.0.1:1',
            PolicyContext(str(CALIBRATION), ('wrist', 'scene'), told.append),
            absent_s=0.1,
        )
    assert any('nobody listens there' in text for text in told)


@pytest.mark.parametrize('wrong', [float('nan'), -1.0, float('inf')])
def test_a_patience_that_is_none_is_refused(server, wrong):
    with pytest.raises(ConfigurationError, match='absent_s'):
        connect(server(LoadingServer(asked=1)), absent_s=wrong)
