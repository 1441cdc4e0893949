"""Attention of packed models: (B, T, H, d) in, (B, T, H * d) out.

PyTorch's own attention is the default: on Hopper it already is a flash kernel. The package
`flash-attn` is an extra for those who have it.
"""

from collections.abc import Callable
from importlib.util import find_spec

import torch.nn.functional as F
from torch import Tensor

from chefmate_core.errors import ConfigurationError

# (q, k, v, causal); k and v may have fewer heads than q, and be shared by the whole batch.
Attend = Callable[[Tensor, Tensor, Tensor, bool], Tensor]
KINDS = ('sdpa', 'flash')


def attention(kind: str) -> Attend:
    """Return an attention by name.

    Raises:
        ConfigurationError: there is no such kind, or its package is not installed.
    """
    if kind not in KINDS:
        raise ConfigurationError(f'attention: expected {" or ".join(KINDS)}; found {kind!r}')
    if kind == 'sdpa':
        return _sdpa
    if find_spec('flash_attn') is None:
        raise ConfigurationError(
            'attention=flash needs the package flash-attn, which is not installed. '
            'Next: install it on the GPU host, or leave attention=sdpa'
        )
    return _flash


def _sdpa(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    shared = (len(q), -1, -1, -1)
    out = F.scaled_dot_product_attention(
        q,
        k.expand(shared),
        v.expand(shared),
        is_causal=causal,
        enable_gqa=q.shape[1] != k.shape[1],
    )
    return out.transpose(1, 2).flatten(2)


def _flash(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
    from flash_attn import flash_attn_func

    shared = (len(q), -1, -1, -1)
    return flash_attn_func(q, k.expand(shared), v.expand(shared), causal=causal).flatten(2)
