"""Small models with weights and inputs that two programs can make alike, without a file.

Numbers come from the raw bits of a PCG64 that is seeded by the tensor's name: the same on every
machine and in every release of NumPy.
"""

import zlib

import numpy as np

# Left-padded prompts of 2 images each; the image token is 7.
PADDING, IMAGE = 0, 7


def config(
    pixel_shuffle: bool = False, connector_layers: int = 1, project_to_dim: int | None = None
) -> dict:
    """Return a `config.json` whose sizes are all different where they may be."""
    features = project_to_dim or 40
    return {
        'model_type': 'gr00t_n1_5',
        'compute_dtype': 'float32',
        'action_dim': 5,
        'action_horizon': 6,
        'backbone_cfg': {
            'select_layer': 3,
            'project_to_dim': project_to_dim,
            'eagle_config': {
                'vision': {
                    'hidden_size': 24,
                    'num_hidden_layers': 3,
                    'num_attention_heads': 2,
                    'intermediate_size': 52,
                    'patch_size': 4,
                    'image_size': 16,
                },
                'language': {
                    'hidden_size': 40,
                    'num_hidden_layers': 5,
                    'num_attention_heads': 4,
                    'num_key_value_heads': 2,
                    'head_dim': 16,
                    'intermediate_size': 56,
                    'vocab_size': 30,
                    'max_position_embeddings': 128,
                },
                'image_token_index': IMAGE,
                'use_pixel_shuffle': pixel_shuffle,
                'mlp_connector_layers': connector_layers,
            },
        },
        'action_head_cfg': {
            'action_dim': 5,
            'action_horizon': 6,
            'max_state_dim': 9,
            'max_num_embodiments': 3,
            'max_seq_len': 20,
            'hidden_size': 28,
            'input_embedding_dim': 36,
            'backbone_embedding_dim': features,
            'num_target_vision_tokens': 4,
            'num_inference_timesteps': 4,
            'diffusion_model_cfg': {
                'num_layers': 4,
                'num_attention_heads': 3,
                'attention_head_dim': 12,
                'cross_attention_dim': features,
                'output_dim': 28,
                'interleave_self_attention': True,
                'norm_type': 'ada_norm',
                'positional_embeddings': None,
                'dropout': 0.2,
                'final_dropout': True,
            },
            'vl_self_attention_cfg': {
                'num_layers': 2,
                'num_attention_heads': 4,
                'attention_head_dim': features // 4,
                'positional_embeddings': None,
                'dropout': 0.2,
                'final_dropout': True,
            },
        },
    }


CASES = {
    'published': config(),
    'pixel_shuffle': config(pixel_shuffle=True, connector_layers=2, project_to_dim=32),
}


def uniform(name: str, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """Numbers of [low, high), fp32, that depend on the name alone."""
    raw = np.random.PCG64(zlib.crc32(name.encode())).random_raw(int(np.prod(shape)))
    unit = (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return (low + (high - low) * unit).reshape(shape).astype(np.float32)


def weight(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """A weight of the state dict; gains of norms are near 1, all else near 0."""
    if key.endswith('weight') and len(shape) == 1:
        return uniform(key, shape, 0.6, 1.4)
    return uniform(key, shape, -0.35, 0.35)


def inputs(case: dict) -> dict[str, np.ndarray]:
    """Two prompts of two images each, the second one shorter, in the slots 2 and 0."""
    eagle, head = case['backbone_cfg']['eagle_config'], case['action_head_cfg']
    per_image = (eagle['vision']['image_size'] // eagle['vision']['patch_size']) ** 2
    if eagle['use_pixel_shuffle']:
        per_image //= 4
    image = [IMAGE] * per_image
    long = [3, 9, *image, 11, *image, 12, 4, 21, 8, 29]
    short = [3, *image, 13, *image, 22, 5]
    padded = [PADDING] * (len(long) - len(short)) + short
    rows, width = head['action_horizon'], head['action_dim']
    mask = np.ones((2, rows, width), np.float32)
    mask[:, :, 3:] = 0
    return {
        'pixel_values': uniform('pixel_values', (4, 3, 16, 16), -1, 1),
        'input_ids': np.array([long, padded]),
        'attention_mask': np.array(
            [[1] * len(long), [0] * (len(long) - len(short)) + [1] * len(short)]
        ),
        'state': uniform('state', (2, 1, head['max_state_dim']), -1, 1),
        'slot': np.array([2, 0]),
        'noise': uniform('noise', (2, rows, width), -1.7, 1.7),
        'actions': uniform('actions', (2, rows, width), -1, 1),
        'action_mask': mask,
        'time': np.array([0.137, 0.862], np.float32),
        'buckets': np.array([250, 750]),
    }
