"""The action head, packed for one embodiment and four known times.

The time of a denoising step is one of four buckets, known at load: every AdaLN becomes a layer
norm with constant gain and offset, and the time part of the action encoder a constant. Keys and
values of the cross-attentions depend on the observation alone: one GEMM for all blocks, once.

B: samples, S: VL tokens, T: rows of the chunk, D: width of the DiT.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from chefmate_policy.engine.attention import Attend
from chefmate_policy.engine.linear import Packer, chained, slot_layer
from chefmate_policy.engine.vision import Norm, packed_norm
from chefmate_policy.model.embodiment import action_sinusoid
from chefmate_policy.model.transformer import (
    OUT_NORM_EPS,
    timestep_sinusoid,
)


class PackedContext:
    """Backbone features -> keys and values of every cross-attention."""

    def __init__(self, head: Any, pack: Packer, attend: Attend) -> None:
        use, vl = head.config.use_vlln, head.config.vl_self_attention
        self._norm = packed_norm(head.vlln, pack) if use else None
        self._blocks = [
            _VlBlock(block, vl.num_attention_heads, pack, attend)
            for block in (head.vl_self_attention.transformer_blocks if use else ())
        ]
        crossing = [block.attn1 for block in head.model.transformer_blocks if block.is_cross]
        self._heads = head.config.diffusion_model.num_attention_heads
        self._blocks_crossing = len(crossing)
        self._kv = pack.fused([layer for attn in crossing for layer in (attn.to_k, attn.to_v)])

    def __call__(self, features: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(1, S, C) -> for each cross-attention k and v, (1, S, H, d)."""
        x = features if self._norm is None else self._norm(features)
        for block in self._blocks:
            x = block(x)
        kv = self._kv(x).unflatten(-1, (self._blocks_crossing, 2, self._heads, -1))
        return [(k, v) for k, v in (block.unbind(2) for block in kv.unbind(2))]


class _VlBlock:
    """A pre-norm self-attention block."""

    def __init__(self, block: Any, heads: int, pack: Packer, attend: Attend) -> None:
        self._attention = _SelfAttention(block.attn1, heads, pack, attend)
        self._feed_forward = _FeedForward(block.ff, pack)
        self._norm_1 = packed_norm(block.norm1, pack)
        self._norm_3 = packed_norm(block.norm3, pack)

    def __call__(self, x: Tensor) -> Tensor:
        x = x + self._attention(self._norm_1(x))
        return x + self._feed_forward(self._norm_3(x))


class _SelfAttention:
    def __init__(self, attn: Any, heads: int, pack: Packer, attend: Attend) -> None:
        self._heads, self._attend = heads, attend
        self._qkv = pack.fused([attn.to_q, attn.to_k, attn.to_v])
        self._out = pack.fused([attn.to_out[0]])

    def __call__(self, x: Tensor) -> Tensor:
        q, k, v = self._qkv(x).unflatten(-1, (3, self._heads, -1)).unbind(2)
        return self._out(self._attend(q, k, v, False))


class _CrossAttention:
    def __init__(self, attn: Any, heads: int, pack: Packer, attend: Attend) -> None:
        self._heads, self._attend = heads, attend
        self._q, self._out = pack.fused([attn.to_q]), pack.fused([attn.to_out[0]])

    def __call__(self, x: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q = self._q(x).unflatten(-1, (self._heads, -1))
        return self._out(self._attend(q, k, v, False))


class _FeedForward:
    def __init__(self, ff: Any, pack: Packer) -> None:
        layers = [layer for layer in ff.modules() if isinstance(layer, nn.Linear)]
        self._up, self._down = (pack.fused([layer]) for layer in layers)

    def __call__(self, x: Tensor) -> Tensor:
        return self._down(F.gelu(self._up(x), approximate='tanh'))


@dataclass(frozen=True)
class _StepConstants:
    """What one of the four times decides."""

    norms: list[Norm]  # AdaLN of each block
    norm_out: Norm
    action_bias: Tensor  # (D,), of the first action layer, time included


class _DitBlock:
    """Attention and feed-forward; the norms come from the step."""

    def __init__(self, block: Any, heads: int, pack: Packer, attend: Attend) -> None:
        self.is_cross = block.is_cross
        kind = _CrossAttention if block.is_cross else _SelfAttention
        self.attention: Any = kind(block.attn1, heads, pack, attend)
        self.feed_forward = _FeedForward(block.ff, pack)
        self.eps = block.norm3.eps


class PackedDenoiser:
    """State, noise and context -> a chunk of actions."""

    def __init__(self, head: Any, slot: int, pack: Packer, attend: Attend) -> None:
        config = head.config
        self._rows, self._step = config.action_horizon, 1.0 / config.num_inference_timesteps
        heads = config.diffusion_model.num_attention_heads
        self._blocks = [
            _DitBlock(block, heads, pack, attend) for block in head.model.transformer_blocks
        ]
        self._dtype = pack.dtype
        self._state_1, self._state_2 = (
            pack.linear(*slot_layer(layer, slot))
            for layer in (head.state_encoder.layer1, head.state_encoder.layer2)
        )
        self._future = pack.tensor(head.future_tokens.weight)
        encoder = head.action_encoder
        width = config.input_embedding_dim
        weight_2, bias_2 = slot_layer(encoder.W2, slot)
        weight, bias = chained(slot_layer(encoder.W1, slot), (weight_2[:, :width], bias_2))
        self._action_1 = pack.linear(weight)
        weight_3, bias_3 = slot_layer(encoder.W3, slot)
        self._action_3 = pack.linear(weight_3)
        positions = torch.zeros(self._rows, width)
        if config.add_pos_embed:
            positions = head.position_embedding.weight[: self._rows].detach().float().cpu()
        self._action_positions = pack.tensor(positions + bias_3.float().cpu())
        self._steps = [
            _step_constants(head, bucket, bias, weight_2[:, width:], pack)
            for bucket in config.buckets
        ]
        out = head.model.proj_out_2
        self._decode_1 = pack.linear(
            *chained((out.weight, out.bias), slot_layer(head.action_decoder.layer1, slot))
        )
        self._decode_2 = pack.linear(*slot_layer(head.action_decoder.layer2, slot))

    def __call__(
        self,
        context: list[tuple[Tensor, Tensor]],
        state: Tensor,
        noise: Tensor,
        committed: Tensor,
        is_committed: Tensor,
    ) -> Tensor:
        """Return actions, (B, T, A) fp32.

        Args:
            context: from `PackedContext`.
            state: (1, 1, max_state_dim).
            noise: (B, T, A), fp32.
            committed: (T, A), fp32; read where `is_committed` says so.
            is_committed: (T, 1), bool: rows that will be played whatever the answer.
        """
        state_token = self._state_2(F.relu(self._state_1(state.to(self._dtype))))
        future = self._future[None]
        prefix = torch.cat([state_token, future], dim=1).expand(len(noise), -1, -1)
        actions = noise
        for index, step in enumerate(self._steps):
            time = index * self._step
            known = (1 - time) * noise + time * committed
            actions = torch.where(is_committed, known, actions)
            velocity = self._velocity(step, context, prefix, actions)
            actions = actions + self._step * velocity
        return torch.where(is_committed, committed, actions)

    def _velocity(
        self,
        step: _StepConstants,
        context: list[tuple[Tensor, Tensor]],
        prefix: Tensor,
        actions: Tensor,
    ) -> Tensor:
        hidden = F.silu(self._action_1(actions.to(self._dtype)) + step.action_bias)
        x = torch.cat([prefix, self._action_3(hidden) + self._action_positions], dim=1)
        keys_values = iter(context)
        for block, norm in zip(self._blocks, step.norms, strict=True):
            if block.is_cross:
                x = x + block.attention(norm(x), *next(keys_values))
            else:
                x = x + block.attention(norm(x))
            x = x + block.feed_forward(F.layer_norm(x, x.shape[-1:], eps=block.eps))
        rows = step.norm_out(x[:, -self._rows :])
        return self._decode_2(F.relu(self._decode_1(rows))).float()


def _step_constants(
    head: Any, bucket: int, bias: Tensor, weight_time: Tensor, pack: Packer
) -> _StepConstants:
    """Compute what the time `bucket` decides, in fp32."""
    buckets = torch.tensor([bucket], device=bias.device)
    model = head.model
    time = F.silu(_time_embedding(model.timestep_encoder, buckets))
    norms = []
    for block in model.transformer_blocks:
        scale, shift = _linear_fp32(block.norm1.linear, time)[0].chunk(2)
        norms.append(Norm(pack.tensor(1 + scale), pack.tensor(shift), block.norm1.norm.eps))
    shift, scale = _linear_fp32(model.proj_out_1, time)[0].chunk(2)
    sinusoid = action_sinusoid(buckets, weight_time.shape[1])[0]
    return _StepConstants(
        norms,
        Norm(pack.tensor(1 + scale), pack.tensor(shift), OUT_NORM_EPS),
        pack.tensor(bias + weight_time.float() @ sinusoid),
    )


def _linear_fp32(layer: nn.Linear, x: Tensor) -> Tensor:
    return F.linear(x, layer.weight.detach().float(), layer.bias.detach().float())


def _time_embedding(encoder: Any, buckets: Tensor) -> Tensor:
    """The time embedding in fp32, whatever the type of the stored weights."""
    embedder = encoder.timestep_embedder
    hidden = F.silu(_linear_fp32(embedder.linear_1, timestep_sinusoid(buckets)))
    return _linear_fp32(embedder.linear_2, hidden)
