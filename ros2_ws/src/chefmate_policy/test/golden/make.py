"""Make `golden.npz` with LeRobot's GR00T N1.5, in an environment of its own.

    python -m venv golden-env && golden-env/bin/pip install -r requirements.txt
    golden-env/bin/pip install --no-deps lerobot==0.4.4
    golden-env/bin/python make.py

The published code loads weights from the hub and asks for flash attention; here its parts are put
together by hand, with the weights of `cases.py` and attention by SDPA.
"""

import importlib
import sys
import types
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from cases import CASES, inputs, weight
from transformers import Qwen3Config, Qwen3ForCausalLM, SiglipVisionConfig, SiglipVisionModel
from transformers.feature_extraction_utils import BatchFeature

HERE = Path(__file__).resolve().parent


def skip_package_code(name: str, folder: Path) -> None:
    """Let `name`'s modules be imported without its `__init__`, which imports all of LeRobot."""
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package


def reference(case: dict) -> torch.nn.Module:
    """LeRobot's backbone and action head with our weights."""
    groot = Path(
        importlib.util.find_spec('lerobot').submodule_search_locations[0], 'policies/groot'
    )
    skip_package_code('lerobot.policies', groot.parent)
    skip_package_code('lerobot.policies.groot', groot)
    skip_package_code('lerobot.policies.groot.eagle2_hg_model', groot / 'eagle2_hg_model')
    n1 = importlib.import_module('lerobot.policies.groot.groot_n1')
    head_module = importlib.import_module(
        'lerobot.policies.groot.action_head.flow_matching_action_head'
    )
    modeling = importlib.import_module(
        'lerobot.policies.groot.eagle2_hg_model.modeling_eagle2_5_vl'
    )

    backbone_cfg = case['backbone_cfg']
    eagle = backbone_cfg['eagle_config']
    vision = SiglipVisionConfig(
        **eagle['vision'], hidden_act='gelu_pytorch_tanh', attn_implementation='sdpa'
    )
    text = Qwen3Config(
        **eagle['language'],
        rope_theta=1e6,
        tie_word_embeddings=False,
        attn_implementation='sdpa',
    )
    config = types.SimpleNamespace(
        force_image_size=eagle['vision']['image_size'], vision_config=vision, text_config=text,
        use_pixel_shuffle=eagle['use_pixel_shuffle'], downsample_ratio=0.5, select_layer=-1,
        loss_version='v1', mlp_checkpoint=False, use_return_dict=True, use_backbone_lora=0,
        use_llm_lora=0, mlp_connector_layers=eagle['mlp_connector_layers'],
        image_token_index=eagle['image_token_index'],
    )  # fmt: skip
    Eagle = modeling.Eagle25VLForConditionalGeneration
    with patch.object(
        modeling.Eagle25VLPreTrainedModel, '__init__',
        lambda self, config: (torch.nn.Module.__init__(self), setattr(self, 'config', config))[0],
    ):  # fmt: skip
        eagle_model = Eagle(config, SiglipVisionModel(vision), Qwen3ForCausalLM(text))

    backbone = n1.EagleBackbone.__new__(n1.EagleBackbone)
    torch.nn.Module.__init__(backbone)
    backbone.eagle_model = eagle_model
    width, project = text.hidden_size, backbone_cfg['project_to_dim']
    backbone.eagle_linear = torch.nn.Linear(width, project) if project else torch.nn.Identity()
    layers = eagle_model.language_model.model.layers
    while len(layers) > backbone_cfg['select_layer']:
        layers.pop(-1)
    backbone.select_layer = backbone_cfg['select_layer']
    backbone.tune_llm = backbone.tune_visual = False

    model = torch.nn.Module()
    model.backbone = backbone
    model.action_head = head_module.FlowmatchingActionHead(
        head_module.FlowmatchingActionHeadConfig(
            **case['action_head_cfg'], tune_projector=True, tune_diffusion_model=True,
            expand_batch=None,
        )
    )  # fmt: skip
    state = {key: torch.from_numpy(weight(key, tuple(value.shape)))
             for key, value in model.state_dict().items()}  # fmt: skip
    model.load_state_dict(state)
    return model.eval()


def outputs(case: dict) -> dict[str, np.ndarray]:
    """What the published code answers."""
    model = reference(case)
    x = {name: torch.from_numpy(value) for name, value in inputs(case).items()}
    eagle_input = {
        'eagle_pixel_values': x['pixel_values'], 'eagle_input_ids': x['input_ids'],
        'eagle_attention_mask': x['attention_mask'], 'eagle_image_sizes': None,
    }  # fmt: skip
    head = model.action_head

    def features() -> BatchFeature:
        return model.backbone(BatchFeature(data=dict(eagle_input)))

    def action_input() -> BatchFeature:
        return BatchFeature(data={
            'state': x['state'], 'embodiment_id': x['slot'], 'action': x['actions'],
            'action_mask': x['action_mask'],
        })  # fmt: skip

    with torch.no_grad():
        found = {'features': features()['backbone_features']}
        context = head.process_backbone_output(features())['backbone_features']
        tokens = torch.cat([
            head.state_encoder(x['state'], x['slot']),
            head.future_tokens.weight.expand(2, -1, -1),
            head.action_encoder(x['noise'], x['buckets'], x['slot'])
            + head.position_embedding.weight[: x['noise'].shape[1]],
        ], dim=1)  # fmt: skip
        decoded = head.action_decoder(head.model(tokens, context, x['buckets']), x['slot'])
        found['velocity'] = decoded[:, -x['noise'].shape[1] :]
        with patch('torch.randn', lambda *args, **options: x['noise'].clone()):
            found['action'] = head.get_action(features(), action_input())['action_pred']
            with patch.object(head, 'sample_time', lambda *args, **options: x['time'].clone()):
                found['loss'] = head(features(), action_input())['loss']
    return {name: value.numpy() for name, value in found.items()}


if __name__ == '__main__':
    golden = {
        f'{name}.{what}': value
        for name, case in CASES.items()
        for what, value in outputs(case).items()
    }
    np.savez_compressed(HERE / 'golden.npz', **golden)
    for name, value in golden.items():
        print(f'{name:28} {value.shape!s:14} rms {np.sqrt(np.mean(np.square(value))):.4f}')
