"""The Eagle 2.5 backbone: SigLIP sees, a connector translates, the first layers of Qwen3 read.

B: batch, N: images, P: image tokens of one image, L: tokens of the prompt, C: feature width.
"""

from torch import Tensor, nn
from transformers import Qwen3Config, Qwen3ForCausalLM, SiglipVisionConfig, SiglipVisionModel

from chefmate_core.errors import PolicyError
from chefmate_policy.model.config import EagleConfig, LanguageConfig, VisionConfig


class EagleBackbone(nn.Module):
    """Images and prompt -> features, (B, L, C).

    The features are the language model's output after its final norm: with exactly `select_layer`
    layers kept that is what the published code calls `hidden_states[select_layer]`.
    """

    def __init__(self, config: EagleConfig) -> None:
        super().__init__()
        self.eagle_model = EagleModel(config)
        width = config.language.hidden_size
        self.eagle_linear = (
            nn.Identity()
            if config.project_to_dim is None
            else nn.Linear(width, config.project_to_dim)
        )

    def forward(self, pixel_values: Tensor, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the features, (B, L, C).

        Args:
            pixel_values: (N, 3, H, W), all images of the batch in the order of their prompts.
            input_ids: (B, L); the image token stands once for every image token.
            attention_mask: (B, L); 0 where a prompt is padded.

        Raises:
            PolicyError: the prompts have room for another number of images.
        """
        return self.eagle_linear(self.eagle_model(pixel_values, input_ids, attention_mask))


class EagleModel(nn.Module):
    """SigLIP, connector and Qwen3 under their published names."""

    def __init__(self, config: EagleConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_model = VisionTower(config.vision)
        self.mlp1 = connector(config)
        self.language_model = language_model(config.language, config.select_layer)

    def forward(self, pixel_values: Tensor, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """As `EagleBackbone.forward`, before the projection."""
        embeds = self.language_model.get_input_embeddings()(input_ids)  # (B, L, C)
        images = self.embed_images(pixel_values)  # (N, P, C)
        is_image = input_ids == self.config.image_token_index  # (B, L)
        room, found = int(is_image.sum()), images.shape[0] * images.shape[1]
        if room != found:
            raise PolicyError(
                f'the prompts have room for {room} image tokens ({self.config.tokens_per_image} '
                f'each image); found {images.shape[0]} images, {found} tokens'
            )
        embeds = embeds.masked_scatter(is_image[..., None], images.to(embeds.dtype))
        # The language head above this is stored, and never needed.
        return self.language_model.model(
            inputs_embeds=embeds, attention_mask=attention_mask, use_cache=False
        ).last_hidden_state

    def embed_images(self, pixel_values: Tensor) -> Tensor:
        """Return image tokens in the language model's width: (N, 3, H, W) -> (N, P, C)."""
        tokens = self.vision_model(pixel_values)
        if self.config.use_pixel_shuffle:
            tokens = pixel_shuffle(tokens, self.config.downsample_ratio)
        return self.mlp1(tokens)


class VisionTower(nn.Module):
    """SigLIP, under the name that published checkpoints give it: `vision_model.vision_model`."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        siglip = SiglipVisionConfig(
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            intermediate_size=config.intermediate_size,
            patch_size=config.patch_size,
            image_size=config.image_size,
            layer_norm_eps=config.layer_norm_eps,
            hidden_act='gelu_pytorch_tanh',
        )
        siglip._attn_implementation = 'sdpa'
        model = SiglipVisionModel(siglip)
        # transformers 5 lifted the tower's parts up by one level in a later release.
        self.vision_model = getattr(model, 'vision_model', model)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return patch features after the last norm: (N, 3, H, W) -> (N, patches, hidden)."""
        tower = self.vision_model
        tokens = tower.embeddings(pixel_values)
        tokens = tower.encoder(inputs_embeds=tokens).last_hidden_state
        # The pooling head above this is stored, and never needed.
        return tower.post_layernorm(tokens)


def connector(config: EagleConfig) -> nn.Sequential:
    """The MLP from the vision tower's width to the language model's."""
    merged = round(1 / config.downsample_ratio) ** 2 if config.use_pixel_shuffle else 1
    width_in, width_out = config.vision.hidden_size * merged, config.language.hidden_size
    if config.mlp_connector_layers == 1:
        return nn.Sequential(nn.Linear(width_in, width_out))
    return nn.Sequential(
        nn.LayerNorm(width_in),
        nn.Linear(width_in, width_out),
        nn.GELU(),
        nn.Linear(width_out, width_out),
    )


def language_model(config: LanguageConfig, layers: int) -> Qwen3ForCausalLM:
    """Qwen3 with its first `layers` layers, attention by SDPA."""
    qwen = Qwen3Config(
        hidden_size=config.hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=config.num_attention_heads,
        num_key_value_heads=config.num_key_value_heads,
        head_dim=config.head_dim,
        intermediate_size=config.intermediate_size,
        vocab_size=config.vocab_size,
        rms_norm_eps=config.rms_norm_eps,
        rope_parameters={'rope_type': 'default', 'rope_theta': config.rope_theta},
        max_position_embeddings=config.max_position_embeddings,
        attention_bias=False,
        # Published checkpoints store both ends, so both are kept apart here.
        tie_word_embeddings=False,
    )
    qwen._attn_implementation = 'sdpa'
    return Qwen3ForCausalLM(qwen)


def pixel_shuffle(tokens: Tensor, ratio: float) -> Tensor:
    """Merge neighbouring image tokens: (N, P, C) -> (N, P * ratio^2, C / ratio^2).

    Columns are merged first, then rows, and the merged axes stay transposed as in InternVL's
    second version: published connectors are trained for that order.
    """
    images, count, width = tokens.shape
    side = round(count**0.5)
    factor = round(1 / ratio)
    x = tokens.view(images, side, side // factor, width * factor)
    x = x.transpose(1, 2).reshape(images, side // factor, side // factor, width * factor**2)
    return x.transpose(1, 2).reshape(images, count // factor**2, width * factor**2)
