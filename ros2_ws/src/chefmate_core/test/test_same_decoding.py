"""One bag, two ways: to a policy as if it ran live, and to a data set. What they see is equal."""

from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
from rosbags.highlevel import AnyReader
from small_session import CALIBRATION, CAMERAS, EpisodePlan, messages, write_session

from chefmate_core.dataset.convert import Options
from chefmate_core.dataset.features import STATE
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.model import VideoSpan
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.video import images
from chefmate_core.observing.joint_values import joint_vectors
from chefmate_core.observing.jpeg import JpegDecoder
from chefmate_core.policy.engine import ModelOutput
from chefmate_core.policy.engine_policy import EnginePolicy, EnginePolicyOptions
from chefmate_core.policy.modality import Modality
from chefmate_core.policy.observations import ObservationBuffer
from chefmate_core.policy.protocol import Observation
from chefmate_core.session_reader import open_session
from chefmate_core.units import LerobotUnits, rad_to_lerobot


class WritingEngine:
    """An engine that keeps what it is shown, and answers with the pose it sees."""

    name = 'writing'
    modality = Modality(cameras=('front', 'wrist'))  # by the names of public data sets

    def __init__(self):
        self.seen = []

    def warm_up(self):
        pass

    def infer(self, request):
        self.seen.append(request)
        return ModelOutput(np.repeat(request.state[None], 16, axis=0))

    def close(self):
        pass


def live(folder, instants_s, units):
    """Play a bag to a policy as the node would get it, by arrival; return what its engine saw.

    Messages reach the policy when they were taken, as over a wire without delay: what a policy
    sees with delays is what another instant shows.
    """
    engine = WritingEngine()
    policy = EnginePolicy(engine, CALIBRATION, CAMERAS, EnginePolicyOptions(units=units.value))
    policy.reset('pick up the bread')
    buffer = ObservationBuffer(CAMERAS, max_age_s=0.5)
    decoders = {camera: JpegDecoder() for camera in CAMERAS}
    arrivals = []
    with AnyReader([folder]) as reader:
        for connection, _, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            if hasattr(message, 'header'):
                stamp = message.header.stamp
                stamp_s = stamp.sec + stamp.nanosec * 1e-9
                arrivals.append((stamp_s, connection.topic.strip('/'), message))
    arrivals.sort(key=lambda arrival: arrival[0])
    chunks = []
    for now_s in instants_s:
        while arrivals and arrivals[0][0] <= now_s:
            stamp_s, topic, message = arrivals.pop(0)
            if topic == 'follower/joint_states':
                vectors = joint_vectors(message.name, message.position, message.velocity)
                buffer.add_joints(stamp_s, *vectors)
            elif topic.endswith('compressed'):
                camera = topic.split('/')[0]
                buffer.add_image(camera, stamp_s, decoders[camera].decode(message.data))
        observation = buffer.observe(now_s, 'pick up the bread', policy.spec)
        assert isinstance(observation, Observation), observation
        chunks.append(policy.infer(observation))
    return engine.seen, chunks


def uneven(recorded):
    """Cameras as they are: they jitter, and lose an image now and then."""
    rng = np.random.default_rng(3)
    kept = []
    for message in recorded:
        if 'image' in message.topic:
            if rng.random() < 0.08:
                continue
            message.stamp_s += rng.uniform(-0.004, 0.004)
            message.recorded_s = message.stamp_s + rng.uniform(0.01, 0.2)
        kept.append(message)
    return kept


@pytest.mark.parametrize('units', LerobotUnits)
def test_a_policy_and_a_data_set_see_the_same_of_one_bag(tmp_path, units):
    folder = write_session(tmp_path / 'session', [EpisodePlan(alter=uneven)])
    session = open_session(folder)
    (episode,) = session.episodes
    ticks = list(episode.ticks())
    assert not any(tick.refused for tick in ticks)
    frames = list(episode.frames())
    seen, _ = live(episode.folder, [tick.time_s for tick in ticks], units)

    assert len(frames) == len(seen) > 50
    for frame, request in zip(frames, seen, strict=True):
        state = rad_to_lerobot(frame.state_rad, session.calibration, units)
        np.testing.assert_array_equal(state, request.state)
        np.testing.assert_array_equal(frame.images['scene'], request.images['front'])
        np.testing.assert_array_equal(frame.images['wrist'], request.images['wrist'])
    # The bag is worth the comparison: the arm moves, and images are repeated and skipped.
    assert np.ptp([request.state for request in seen], axis=0).min() > 5
    assert any(a.images['scene'] is b.images['scene'] for a, b in pairwise(frames))


@pytest.mark.parametrize('units', LerobotUnits)
def test_the_rows_of_the_written_data_set_are_what_the_policy_saw(tmp_path, units):
    folder = write_session(tmp_path / 'session', [EpisodePlan(alter=uneven)])
    session = open_session(folder)
    (episode,) = session.episodes
    instants_s = [tick.time_s for tick in episode.ticks()]
    seen, _ = live(episode.folder, instants_s, units)
    out = write_recording(
        session, tmp_path / 'set', Format.LEROBOT_V21, units=units, options=Options(workers=1)
    )

    table = pq.read_table(out / 'data/chunk-000/episode_000000.parquet')
    states = np.array(table.column(STATE).to_pylist(), dtype=np.float32)
    np.testing.assert_array_equal(states, np.float32([request.state for request in seen]))
    for camera, name in (('scene', 'front'), ('wrist', 'wrist')):
        file = out / f'videos/chunk-000/observation.images.{camera}/episode_000000.mp4'
        shown = images(VideoSpan(file, 0.0, len(seen)), session.fps)
        # H.264 loses a little, of noise above all.
        for index, image in shown:
            difference = np.abs(image.astype(int) - seen[index].images[name]).mean()
            assert difference < 8.0


@pytest.mark.parametrize('units', LerobotUnits)
def test_an_action_that_was_recorded_comes_back_as_the_same_goal(tmp_path, units):
    folder = write_session(tmp_path / 'session', [EpisodePlan()])
    (episode,) = open_session(folder).episodes
    ticks = list(episode.ticks())
    seen, chunks = live(episode.folder, [tick.time_s for tick in ticks], units)
    for tick, chunk in zip(ticks, chunks, strict=True):
        assert chunk.stamp_s == tick.stamp_s
        # The engine answers with the pose that it saw: through units and back it is the pose.
        np.testing.assert_allclose(chunk.positions_rad[0], tick.state_rad, atol=1e-9)
    assert len(seen) == len(ticks)


def test_commands_of_a_frame_are_those_in_force_at_the_instant_that_was_observed(tmp_path):
    folder = write_session(tmp_path / 'session', [EpisodePlan()])
    (episode,) = open_session(folder).episodes
    applied = [
        message
        for message in messages(EpisodePlan(), 1_700_000_000.0)
        if message.topic == '/follower/joint_commands_applied'
    ]
    for tick in episode.ticks():
        in_force = [m for m in applied if m.stamp_s <= tick.stamp_s + 1e-7]
        if in_force:
            np.testing.assert_array_equal(tick.action_rad, in_force[-1].value)
