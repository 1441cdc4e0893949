"""Checkpoints of other sizes than the published one: checked, loaded, and run like any other."""

import dataclasses

import numpy as np
import pytest
from small_checkpoints import CONFIG, change_json, tiny, write

from chefmate_core.policy.engine import ModelInput
from chefmate_core.policy.modality import Modality
from chefmate_policy.checkpoint import (
    CheckpointError,
    EmbodimentError,
    ModelTensors,
    open_checkpoint,
    save_checkpoint,
)
from chefmate_policy.engine.load import load_engine
from chefmate_policy.model.groot import Groot
from chefmate_policy.models import find_model
from chefmate_policy.models.check import check_model

REQUEST = ModelInput(
    {name: np.full((120, 160, 3), 90, np.uint8) for name in ('wrist', 'scene')},
    np.full(6, 5.0),
    'pick up the bread',
    seed=1,
)


def vision(**changes):
    eagle = dataclasses.replace(
        CONFIG.eagle, vision=dataclasses.replace(CONFIG.eagle.vision, **changes)
    )
    return dataclasses.replace(CONFIG, eagle=eagle)


def head(**changes):
    return dataclasses.replace(CONFIG, head=dataclasses.replace(CONFIG.head, **changes))


SIZES = {
    'small images': vision(image_size=112),
    'large images, shuffled': dataclasses.replace(
        CONFIG,
        eagle=dataclasses.replace(
            vision(image_size=448, patch_size=56).eagle,
            use_pixel_shuffle=True,
            mlp_connector_layers=2,
        ),
    ),
    'a short horizon': head(action_horizon=10),
    'a long horizon': head(action_horizon=20),
    'ten steps': head(num_inference_timesteps=10),
    'no positions': head(add_pos_embed=False),
    'features as they are': head(use_vlln=False),
    'few slots': head(max_num_embodiments=32, action_dim=7, max_state_dim=8),
}


@pytest.mark.parametrize('layout', ['isaac', 'lerobot'])
@pytest.mark.parametrize('name', SIZES)
def test_a_model_of_other_sizes_is_checked_and_runs(tmp_path, layout, name):
    config = SIZES[name]
    rows = config.head.action_horizon
    cameras = ('scene', 'wrist') if layout == 'lerobot' else ('wrist', 'scene')
    model = Groot.random(config, 3)
    checkpoint = tiny(layout, config=config, modality=Modality(cameras, horizon=rows))
    folder = tmp_path / 'model'
    save_checkpoint(folder, checkpoint, ModelTensors(model.state_dict()), layout)
    assert check_model(find_model(str(folder))).problems == []
    packed = load_engine(str(folder), device='cpu').infer(REQUEST).action
    assert packed.shape == (rows, 6)
    reference = load_engine(str(folder), device='cpu', backend='reference').infer(REQUEST).action
    assert np.allclose(packed, reference, atol=1e-3)


def test_a_policy_that_uses_fewer_rows_than_the_model_says_gets_those(tmp_path):
    folder = write(tmp_path / 'model', 'lerobot')
    full = load_engine(str(folder), device='cpu').infer(REQUEST).action
    change_json(folder / 'config.json', lambda config: config.update(chunk_size=8))
    engine = load_engine(str(folder), device='cpu')
    assert engine.modality.horizon == 8
    assert np.array_equal(engine.infer(REQUEST).action, full[:8])


def test_a_model_without_its_tokenizer_has_that_problem_when_it_is_checked(tmp_path):
    folder = write(tmp_path / 'model')
    change_json(folder / 'config.json', lambda config: config.pop('tokenizer'))
    (problem,) = check_model(find_model(str(folder))).problems
    assert 'no tokenizer' in problem


def test_a_mistyped_embodiment_of_a_random_model_lists_those_there_are():
    with pytest.raises(EmbodimentError, match=r"'new_embodimnt'.*new_embodiment \(slot 31\)"):
        find_model('tiny-random').open('new_embodimnt')


def cameras_at(*rates):
    def change(metadata):
        video = metadata['new_embodiment']['modalities']['video']
        for camera, rate in zip(video.values(), rates, strict=True):
            camera['fps'] = rate

    return change


def test_the_rate_of_the_training_data_is_that_of_its_cameras(tmp_path):
    folder = write(tmp_path / 'model')
    change_json(folder / 'experiment_cfg' / 'metadata.json', cameras_at(15.0, 15))
    assert open_checkpoint(folder).modality.period_s == pytest.approx(1 / 15)


@pytest.mark.parametrize('rates', [(15, 30), (0, 0), ('30', '30'), (float('nan'),) * 2])
def test_rates_that_cannot_be_are_refused(tmp_path, rates):
    folder = write(tmp_path / 'model')
    change_json(folder / 'experiment_cfg' / 'metadata.json', cameras_at(*rates))
    with pytest.raises(CheckpointError, match='fps'):
        open_checkpoint(folder)
