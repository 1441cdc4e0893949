"""The flow-matching action head: VL features and state -> a chunk of actions.

t = 0 is noise and t = 1 is action; the network predicts the velocity `action - noise`, and
inference integrates it by Euler steps. B: batch, S: VL tokens, T: rows of the chunk.
Source: Flow Matching for Generative Modeling (Lipman et al. 2023), GR00T N1 (Bjorck et al. 2025).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from chefmate_policy.model.config import HeadConfig
from chefmate_policy.model.embodiment import ActionEncoder, CategorySpecificMLP
from chefmate_policy.model.transformer import Dit, SelfAttentionTransformer


class FlowMatchingHead(nn.Module):
    """Encoders, DiT and decoder under their published names."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        slots, width = config.max_num_embodiments, config.input_embedding_dim
        if config.use_vlln:
            self.vlln: nn.Module = nn.LayerNorm(config.backbone_embedding_dim)
            self.vl_self_attention: nn.Module = SelfAttentionTransformer(config.vl_self_attention)
        else:
            self.vlln, self.vl_self_attention = nn.Identity(), nn.Identity()
        self.state_encoder = CategorySpecificMLP(
            slots, config.max_state_dim, config.hidden_size, width
        )
        self.action_encoder = ActionEncoder(slots, config.action_dim, width)
        self.future_tokens = nn.Embedding(config.num_target_vision_tokens, width)
        if config.add_pos_embed:
            self.position_embedding = nn.Embedding(config.max_seq_len, width)
        self.model = Dit(config.diffusion_model)
        self.action_decoder = CategorySpecificMLP(
            slots, config.hidden_size, config.hidden_size, config.action_dim
        )

    def context(self, features: Tensor) -> Tensor:
        """Prepare the backbone's features for the DiT: (B, S, C) -> (B, S, C)."""
        return self.vl_self_attention(self.vlln(features))

    def velocity(
        self, context: Tensor, state: Tensor, actions: Tensor, buckets: Tensor, slot: Tensor
    ) -> Tensor:
        """Return the velocity of noised actions, (B, T, action_dim).

        Args:
            context: (B, S, C), from `context`.
            state: (B, 1, max_state_dim), normalised and zero-padded.
            actions: (B, T, action_dim), noised.
            buckets: (B,), integer time buckets.
            slot: (B,), the embodiment's slot.
        """
        action_tokens = self.action_encoder(actions, buckets, slot)
        if self.config.add_pos_embed:
            # Only the action's tokens have a position.
            action_tokens = action_tokens + self.position_embedding.weight[: actions.shape[1]]
        future_tokens = self.future_tokens.weight.expand(len(state), -1, -1)
        tokens = torch.cat([self.state_encoder(state, slot), future_tokens, action_tokens], dim=1)
        decoded = self.action_decoder(self.model(tokens, context, buckets), slot)
        return decoded[:, -actions.shape[1] :]

    def sample(
        self,
        features: Tensor,
        state: Tensor,
        slot: Tensor,
        noise: Tensor,
        committed: Tensor | None = None,
    ) -> Tensor:
        """Integrate from noise to a chunk of actions, (B, T, action_dim), normalised.

        `committed`, (B, K, action_dim), are rows that will be played whatever the answer: at each
        step they are put in at their noise level, so that the others are drawn to fit them, and
        the answer begins with them (inpainting; docs/decisions/0014).
        """
        context = self.context(features)
        actions, step = noise, 1.0 / self.config.num_inference_timesteps
        for index, bucket in enumerate(self.config.buckets):
            actions = inpaint(actions, noise, committed, index * step)
            buckets = torch.full((len(actions),), bucket, device=actions.device)
            velocity = self.velocity(context, state, actions, buckets, slot)
            actions = actions + step * velocity
        return inpaint(actions, noise, committed, 1.0)

    def loss(
        self,
        features: Tensor,
        state: Tensor,
        actions: Tensor,
        action_mask: Tensor,
        slot: Tensor,
        noise: Tensor | None = None,
        time: Tensor | None = None,
    ) -> Tensor:
        """Return the flow-matching loss: mean squared error of the velocity where the mask is 1.

        Args:
            features: (B, S, C), from the backbone.
            state: (B, 1, max_state_dim).
            actions: (B, T, action_dim), normalised and zero-padded.
            action_mask: (B, T, action_dim), 1 where there is an action.
            slot: (B,).
            noise: as `actions`; drawn where it is not given.
            time: (B,) in [0, 1); drawn where it is not given.
        """
        noise = torch.randn_like(actions) if noise is None else noise
        time = self.sample_time(len(actions), actions) if time is None else time
        t = time[:, None, None]
        buckets = (time * self.config.num_timestep_buckets).long()
        noised = (1 - t) * noise + t * actions
        predicted = self.velocity(self.context(features), state, noised, buckets, slot)
        error = F.mse_loss(predicted, actions - noise, reduction='none') * action_mask
        return error.sum() / action_mask.sum()

    def sample_time(self, count: int, like: Tensor) -> Tensor:
        """Draw times, (count,): `(s - Beta(1.5, 1)) / s`, most of them near the noise."""
        config = self.config
        beta = torch.distributions.Beta(config.noise_beta_alpha, config.noise_beta_beta)
        drawn = beta.sample((count,)).to(like)
        return (config.noise_s - drawn) / config.noise_s


def inpaint(actions: Tensor, noise: Tensor, committed: Tensor | None, time: float) -> Tensor:
    """Put the committed rows in front, at the noise level of `time`."""
    if committed is None or not committed.shape[1]:
        return actions
    rows = committed.shape[1]
    known = (1 - time) * noise[:, :rows] + time * committed
    return torch.cat([known, actions[:, rows:]], dim=1)
