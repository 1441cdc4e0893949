import dataclasses

import numpy as np
import pytest
import torch

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.engine import ModelInput
from chefmate_core.policy.modality import JointGroup, Modality
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot
from chefmate_policy.processing.images import preprocess
from chefmate_policy.processing.processor import Processor
from chefmate_policy.processing.profile import ISAAC, LEROBOT, Mode
from chefmate_policy.processing.statistics import isaac_statistics, lerobot_statistics
from chefmate_policy.processing.tokens import ByteTokenizer

TINY = GrootConfig.preset('tiny')
MODALITY = Modality(('wrist', 'scene'))
TOKENIZER = ByteTokenizer(TINY.eagle.image_token_index, TINY.eagle.language.vocab_size)


def metadata() -> dict:
    groups = {
        'single_arm': {'min': [-90.0] * 5, 'max': [90.0] * 5},
        'gripper': {'min': [0.0], 'max': [100.0]},
    }
    return {'statistics': {'state': groups, 'action': groups}}


def isaac(**changes) -> Processor:
    arguments = {
        'profile': ISAAC,
        'modality': MODALITY,
        'statistics': isaac_statistics(metadata()),
        'tokenizer': TOKENIZER,
        'config': TINY,
        'slot': 31,
    }
    return Processor(**{**arguments, **changes})


def lerobot() -> Processor:
    low, high = np.array([-90.0] * 5 + [0.0]), np.array([90.0] * 5 + [100.0])
    flat = {'observation.state.min': low, 'observation.state.max': high}
    flat |= {'action.min': low, 'action.max': high}
    return isaac(profile=LEROBOT, statistics=lerobot_statistics(flat))


def request(**changes) -> ModelInput:
    wrist, scene = (np.full((480, 640, 3), level, np.uint8) for level in (255, 0))
    arguments = {
        'images': {'scene': scene, 'wrist': wrist},
        'state': np.array([0.0, 45, -45, 90, -90, 50]),
        'instruction': 'pick up the bread',
    }
    return ModelInput(**{**arguments, **changes})


def test_an_observation_becomes_what_the_model_takes():
    tensors = isaac().encode(request())
    assert tensors.pixel_values.shape == (2, 3, 224, 224)
    assert tensors.input_ids.shape == tensors.attention_mask.shape
    assert tensors.input_ids.shape[0] == 1 and tensors.attention_mask.all()
    assert tensors.state.shape == (1, 1, 64) and tensors.state.dtype == torch.float32
    assert tensors.state[0, 0, :6].tolist() == [0, 0.5, -0.5, 1, -1, 0]
    assert not tensors.state[0, 0, 6:].any()
    assert tensors.slot.tolist() == [31]


def test_the_tiny_model_runs_on_it_and_its_answer_is_decoded():
    processor = isaac()
    noise = torch.randn(2, 16, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        tensors = processor.encode_batch([request(), request(instruction='pick')])
        action = Groot.random(TINY, 0).get_action(tensors, noise)
    decoded = processor.decode(action)
    assert decoded.shape == (2, 16, 6) and decoded.dtype == np.float64
    assert np.allclose(processor.encode_action(decoded)[..., :6], action[..., :6], atol=1e-5)


def test_isaac_keeps_the_order_of_the_cameras_and_lerobot_sorts_them():
    bright_first = isaac().encode(request()).pixel_values.mean((1, 2, 3))
    assert bright_first[0] > 0.9 and bright_first[1] == -1
    dark_first = lerobot().encode(request()).pixel_values.mean((1, 2, 3))
    assert dark_first[0] == -1 and dark_first[1] > 0.9


def test_both_origins_agree_on_the_state_where_their_statistics_do():
    assert torch.equal(isaac().encode(request()).state, lerobot().encode(request()).state)


def test_a_batch_is_what_its_observations_are_alone():
    processor = isaac()
    dark = np.zeros((240, 320, 3), np.uint8)
    grey = np.full((480, 640, 3), 100, np.uint8)
    requests = [request(), request(images={'wrist': dark, 'scene': grey}, state=np.ones(6))]
    together = processor.encode_batch(requests)
    alone = [processor.encode(item) for item in requests]
    assert torch.equal(together.pixel_values, torch.cat([item.pixel_values for item in alone]))
    assert torch.equal(together.state, torch.cat([item.state for item in alone]))
    assert torch.equal(together.input_ids, torch.cat([item.input_ids for item in alone]))


def test_a_frame_may_be_any_view_of_an_array():
    frame = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    flipped = frame[::-1, :, ::-1]
    flipped.flags.writeable = False
    tensors = isaac().encode(request(images={'wrist': flipped, 'scene': frame}))
    expected = preprocess(torch.from_numpy(flipped.copy())[None], ISAAC)
    assert torch.equal(tensors.pixel_values[:1], expected)


def test_a_missing_camera_is_named_with_those_that_are_needed_and_found():
    images = {'scene': np.zeros((480, 640, 3), np.uint8), 'front': None}
    with pytest.raises(PolicyError, match='wrist, scene; missing: wrist; found: scene, front'):
        isaac().encode(request(images=images))


def test_other_cameras_are_not_looked_at():
    images = {**request().images, 'overhead': 'no image at all'}
    assert isaac().encode(request(images=images)).pixel_values.shape[0] == 2


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'state': np.zeros(5)}, r'state: expected \(\.\.\., 6\).*found shape \(5,\)'),
        ({'state': np.zeros((1, 6))}, r'state: expected 1 dim.*\(1, 6\)'),
        ({'state': np.array([0, 0, np.nan, 0, 0, 0])}, 'state: expected finite'),
        ({'state': ['a'] * 6}, 'state: expected an array of numbers'),
        ({'instruction': ''}, 'instruction: expected a sentence'),
        ({'images': {}}, 'missing: wrist, scene; found: none'),
    ],
)
def test_an_observation_that_does_not_fit_is_refused(change, message):
    with pytest.raises(PolicyError, match=message):
        isaac().encode(request(**change))


@pytest.mark.parametrize('make', [isaac, lerobot])
def test_actions_survive_the_way_to_the_model_and_back(make):
    processor = make()
    rows = np.random.default_rng(0).uniform(-90, 90, (3, 16, 6))
    rows[..., 5] = rows[..., 5] / 2 + 50
    packed = processor.encode_action(rows)
    assert packed.shape == (3, 16, 32) and not packed[..., 6:].any()
    assert np.allclose(processor.decode(packed), rows, atol=1e-4)


def test_a_committed_prefix_has_as_many_rows_as_were_given():
    assert isaac().encode_action(np.zeros((3, 6))).shape == (3, 32)
    with pytest.raises(PolicyError, match=r'at most 16 rows.*found 17'):
        isaac().encode_action(np.zeros((17, 6)))


def test_the_action_mask_marks_the_joints():
    assert isaac().action_mask().tolist() == [True] * 6 + [False] * 26


def test_a_model_that_answers_nan_is_not_believed():
    action = torch.zeros(1, 16, 32)
    action[0, 3, 2] = torch.nan
    with pytest.raises(PolicyError, match='the model answered NaN or inf'):
        isaac().decode(action)


def test_an_action_in_bfloat16_is_decoded():
    decoded = isaac().decode(torch.full((1, 16, 32), 0.5, dtype=torch.bfloat16))
    assert decoded[0, 0].tolist() == [45.0] * 5 + [75.0]


def test_a_gripper_that_is_open_or_shut_is_decoded_as_one_or_zero():
    binary = dataclasses.replace(ISAAC, group_modes={'action.gripper': Mode.BINARY})
    decoded = isaac(profile=binary).decode(torch.full((1, 16, 32), 0.6))
    assert set(decoded[..., 5].ravel()) == {1.0}


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'profile': dataclasses.replace(ISAAC, image_size=112)}, 'image_size.*224; found 112'),
        ({'tokenizer': ByteTokenizer(300, 320)}, 'image token.*expected 259; found 300'),
        ({'modality': Modality(())}, 'cameras.*one or more'),
        ({'modality': Modality(('wrist', 'wrist'))}, 'cameras.*each once'),
        ({'modality': dataclasses.replace(MODALITY, horizon=50)}, 'horizon.*16.*found 50'),
        ({'slot': 32}, 'slot.*0 to 31; found 32'),
        ({'profile': LEROBOT}, r'no statistics of state\.whole.*the right profile'),
        (
            {'modality': dataclasses.replace(MODALITY, action=(JointGroup('gripper', 5, 6),))},
            r'columns of the action.*found \[5\]',
        ),
    ],
)
def test_parts_that_do_not_fit_one_another_are_refused_at_the_start(changes, message):
    with pytest.raises(ConfigurationError, match=message):
        isaac(**changes)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_on_a_gpu_everything_is_there_and_says_what_the_cpu_says():
    here, there = isaac().encode(request()), isaac(device='cuda').encode(request())
    assert torch.equal(here.input_ids, there.input_ids.cpu())
    assert torch.equal(here.state, there.state.cpu())
    assert (here.pixel_values - there.pixel_values.cpu()).abs().max() <= 1.01 / 127.5
