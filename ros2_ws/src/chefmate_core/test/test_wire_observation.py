"""What a client says becomes what a model sees, and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chefmate_core.policy.engine import ModelInput, ModelOutput
from chefmate_core.policy.modality import JointGroup, Modality
from chefmate_core.policy.wire import protocol
from chefmate_core.policy.wire.errors import RequestError
from chefmate_core.policy.wire.msgpack_codec import pack, pack_modality, unpack
from chefmate_core.policy.wire.observation import (
    from_action,
    from_model_input,
    to_action,
    to_model_input,
)

MODALITY = Modality(cameras=('front', 'wrist'))
FRAMES = {
    name: np.full((4, 6, 3), value, np.uint8) for name, value in (('front', 1), ('wrist', 2))
}
NUMBERS = st.floats(-1e6, 1e6)


@settings(deadline=None)
@given(state=st.lists(NUMBERS, min_size=6, max_size=6), text=st.text(max_size=50))
def test_a_request_comes_back_as_it_went(state, text):
    request = ModelInput(FRAMES, np.array(state), text)
    back = to_model_input(unpack(pack(from_model_input(request, MODALITY))), MODALITY)
    assert np.array_equal(back.state, request.state)
    assert back.instruction == text
    for name, frame in FRAMES.items():
        assert np.array_equal(back.images[name], frame)


@settings(deadline=None)
@given(rows=st.integers(1, 20), seed=st.integers(0, 100))
def test_an_action_comes_back_as_it_went(rows, seed):
    action = np.random.default_rng(seed).normal(size=(rows, 6))
    for batch_axis in (False, True):
        answer = to_action(ModelOutput(action), MODALITY, batch_axis)
        assert np.array_equal(from_action(unpack(pack(answer)), MODALITY), action)


def test_groups_go_where_the_modality_says():
    modality = Modality(
        ('front',),
        state=(JointGroup('gripper', 0, 1), JointGroup('arm', 1, 4)),
        action=(JointGroup('arm', 2, 5), JointGroup('gripper', 0, 2)),
    )
    observation = {
        'video.front': FRAMES['front'],
        'state.arm': [1, 2, 3],
        'state.gripper': [9],
        modality.instruction_key: 'go',
    }
    assert to_model_input(observation, modality).state.tolist() == [9, 1, 2, 3]
    answer = {'action.arm': np.full((2, 3), 5.0), 'action.gripper': np.full((2, 2), 7.0)}
    assert from_action(answer, modality).tolist() == [[7, 7, 5, 5, 5]] * 2


def test_a_gripper_without_an_axis_of_its_own_is_taken():
    answer = {'action.single_arm': np.zeros((16, 5)), 'action.gripper': np.arange(16.0)}
    assert from_action(answer, MODALITY)[:, 5].tolist() == list(range(16))


@pytest.mark.parametrize(
    ('answer', 'message'),
    [
        ({}, "lacks 'action.single_arm'; it has nothing"),
        ({'action.single_arm': np.zeros((16, 6))}, r'expected shape \[T, 5\]; found \[16, 6\]'),
        ({'action.single_arm': np.full((16, 5), np.nan)}, 'finite'),
        (
            {'action.single_arm': np.zeros((16, 5)), 'action.gripper': np.zeros((8, 1))},
            r'different lengths: \[8, 16\]',
        ),
    ],
)
def test_a_wrong_answer_is_refused(answer, message):
    with pytest.raises(RequestError, match=message):
        from_action(answer, MODALITY)


def test_the_own_protocol_brings_everything_over():
    committed = np.arange(12.0).reshape(2, 6)
    request = ModelInput(FRAMES, np.arange(6.0), 'go', committed, 3, 2**40, 0.25)
    back = protocol.decode_request(
        unpack(pack(protocol.encode_request(request, MODALITY, None))), MODALITY
    )
    assert np.array_equal(back.committed, committed)
    assert (back.samples, back.seed, back.timeout_s) == (3, 2**40, 0.25)
    assert np.array_equal(back.images['wrist'], FRAMES['wrist'])
    output = ModelOutput(np.ones((16, 6)), {'backbone': 0.01}, 0.5)
    back = protocol.decode_output(unpack(pack(protocol.encode_output(output))), MODALITY)
    assert np.array_equal(back.action, output.action)
    assert (back.timings_s, back.spread) == (output.timings_s, 0.5)
    assert protocol.decode_description(
        unpack(pack(protocol.encode_description('tiny', MODALITY)))
    ) == ('tiny', MODALITY)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'images': {}}, "'images': expected"),
        ({'images': None}, "'images': expected"),
        ({'images': {'front': {}, 'wrist': {}}}, 'expected {"jpeg": bytes} or {"raw": array}'),
        ({'state': np.zeros((1, 6))}, r"'state': expected shape \[6\]"),
        ({'state': None}, "'state': expected numbers"),
        ({'committed': np.zeros((2, 5))}, r"'committed': expected shape \[K, 6\]"),
        ({'committed': np.zeros((16, 6))}, 'fewer than 16 rows'),
        ({'committed': [[np.nan] * 6]}, 'finite'),
        ({'samples': 0}, "'samples': expected a whole number from 1 to 64"),
        ({'samples': 1.5}, "'samples'"),
        ({'samples': True}, "'samples'"),
        ({'samples': 10**6}, "'samples'"),
        ({'seed': -1}, "'seed'"),
        ({'timeout_s': 0}, "'timeout_s': expected seconds above 0"),
        ({'timeout_s': float('nan')}, "'timeout_s'"),
        ({'timeout_s': 'soon'}, "'timeout_s'"),
        ({'instruction': None}, "'instruction'"),
        ({'sampels': 4}, r"not expected: \['sampels'\]"),
    ],
)
def test_a_wrong_field_of_the_own_protocol_is_said(change, message):
    request = ModelInput(FRAMES, np.arange(6.0), 'go')
    with pytest.raises(RequestError, match=message):
        protocol.decode_request(
            {**protocol.encode_request(request, MODALITY, 90), **change}, MODALITY
        )


def test_a_newer_protocol_is_refused_with_which_side_to_update():
    with pytest.raises(RequestError, match=r'version 1, is spoken here; found version 2'):
        protocol.check_version({'chefmate': 2})


def test_the_modality_is_read_back_as_the_plain_map_it_was():
    assert unpack(pack_modality(MODALITY.to_dict())) == MODALITY.to_dict()
