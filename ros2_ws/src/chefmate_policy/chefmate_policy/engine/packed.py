"""GR00T N1.5 packed for inference: the same function as the model, in fewer and larger steps.

What is not needed is not there: language head, pooling head, the slots of other embodiments, all
rows of the DiT's output but the last ones. `docs/engine.md` lists what was done and why it is
exact. Shapes are static for a prompt and a number of samples, so all of it fits in a CUDA graph.
"""

import torch
from torch import Tensor

from chefmate_core.errors import ConfigurationError
from chefmate_policy.engine.attention import attention
from chefmate_policy.engine.denoiser import PackedContext, PackedDenoiser
from chefmate_policy.engine.language import PackedLanguage, Prompt
from chefmate_policy.engine.linear import Packer
from chefmate_policy.engine.vision import PackedVision
from chefmate_policy.model.groot import Groot


class PackedGroot:
    """See the module's docstring. B: samples, T: rows of the chunk, A: action_dim."""

    def __init__(
        self,
        model: Groot,
        slot: int,
        device: torch.device,
        dtype: torch.dtype,
        attention_kind: str = 'sdpa',
        fp8: bool = False,
    ) -> None:
        """Pack the weights of `model` for the embodiment in `slot`; `model` is left as it is.

        Raises:
            ConfigurationError: the model has no such slot.
        """
        slots = model.config.head.max_num_embodiments
        if not 0 <= slot < slots:
            raise ConfigurationError(f'embodiment slot: expected 0 to {slots - 1}; found {slot}')
        self.config, self.device, self.dtype = model.config, device, dtype
        pack, attend = Packer(device, dtype, fp8), attention(attention_kind)
        eagle, head = model.backbone.eagle_model, model.action_head
        with torch.inference_mode():
            self.vision = PackedVision(eagle, pack, attend)
            self.language = PackedLanguage(eagle, pack, attend)
            self._project = (
                pack.fused([model.backbone.eagle_linear])
                if model.config.eagle.project_to_dim
                else None
            )
            self._context = PackedContext(head, pack, attend)
            self.denoise = PackedDenoiser(head, slot, pack, attend)

    def prompt(self, input_ids: Tensor, images: int) -> Prompt:
        """Prepare a prompt, input_ids (L,); raises PolicyError if the images do not fit it."""
        return self.language.prompt(input_ids, images, self.config.eagle.tokens_per_image)

    def features(self, prompt: Prompt, images: Tensor) -> Tensor:
        """Image tokens (N, P, C) -> features (1, L, C)."""
        features = self.language(prompt, images)
        return features if self._project is None else self._project(features)

    def context(self, features: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Features (1, L, C) -> keys and values of the DiT's cross-attentions."""
        return self._context(features)

    def __call__(
        self,
        pixel_values: Tensor,
        prompt: Prompt,
        state: Tensor,
        noise: Tensor,
        committed: Tensor,
        is_committed: Tensor,
    ) -> Tensor:
        """Pixel values (N, 3, S, S) -> actions (B, T, A); the others as in `PackedDenoiser`."""
        images = self.vision(pixel_values.to(self.dtype))
        context = self.context(self.features(prompt, images))
        return self.denoise(context, state, noise, committed, is_committed)
