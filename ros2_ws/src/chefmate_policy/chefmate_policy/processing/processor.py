"""Everything between what a robot sees and what the model takes, and back, for one checkpoint."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.engine import EngineRequestError, ModelInput
from chefmate_core.policy.modality import JointGroup, Modality
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import ModelTensors
from chefmate_policy.processing.images import check_frame, preprocess_views
from chefmate_policy.processing.normalise import VectorNormaliser
from chefmate_policy.processing.profile import Profile, StatisticsLayout
from chefmate_policy.processing.prompt import PromptEncoder
from chefmate_policy.processing.statistics import WHOLE, DatasetStatistics
from chefmate_policy.processing.tokens import Tokenizer


class Processor:
    """Encodes observations and decodes actions.

    B: batch, C: cameras, D: length of the state's vector, A: of one row of the action, K: rows.
    """

    def __init__(
        self,
        profile: Profile,
        modality: Modality,
        statistics: DatasetStatistics,
        tokenizer: Tokenizer,
        config: GrootConfig,
        slot: int,
        device: torch.device | str = 'cpu',
    ) -> None:
        """Prepare for one checkpoint and one embodiment; `slot` is the embodiment's.

        Raises:
            ConfigurationError: the parts do not fit one another; the message says which.
        """
        self.profile = profile
        self.modality = modality
        self.cameras = profile.cameras(modality)
        self.device = torch.device(device)
        self._slot = slot
        self._horizon = config.head.action_horizon
        self._played = modality.horizon  # rows that the policy uses
        self.state = _vector('state', profile, modality, statistics, config.head.max_state_dim)
        self.action = _vector('action', profile, modality, statistics, config.head.action_dim)
        _check(profile, modality, tokenizer, config, slot)
        self.prompts = PromptEncoder(
            profile,
            len(self.cameras),
            config.eagle.tokens_per_image,
            tokenizer,
            config.eagle.language.vocab_size,
        )

    def encode(self, request: ModelInput) -> ModelTensors:
        """Return the model's tensors for one observation, on the device: a batch of one.

        Raises:
            EngineRequestError: an image, the state or the instruction does not fit the model.
        """
        return self.encode_batch([request])

    def encode_batch(self, requests: Sequence[ModelInput]) -> ModelTensors:
        """Return the model's tensors for B observations; images in the order of the prompts.

        Raises:
            EngineRequestError: like `encode`.
        """
        input_ids, attention_mask = self.prompts.batch([item.instruction for item in requests])
        frames = [frame for item in requests for frame in self.frames(item)]
        views = [self._to_device(torch.from_numpy(frame)) for frame in frames]
        states = torch.stack([self.encode_state(item.state) for item in requests])
        slots = torch.full((len(requests),), self._slot)
        return ModelTensors(
            pixel_values=preprocess_views(views, self.profile),
            input_ids=self._to_device(input_ids),
            attention_mask=self._to_device(attention_mask),
            state=self._to_device(states),
            slot=self._to_device(slots),
        )

    def frames(self, request: ModelInput) -> list[np.ndarray]:
        """Return the C camera frames, uint8 (H, W, 3) each, in the model's order.

        Raises:
            EngineRequestError: a camera is missing, or a frame is not an image.
        """
        missing = [name for name in self.cameras if name not in request.images]
        if missing:
            raise EngineRequestError(
                f'images: the model sees {", ".join(self.cameras)}; missing: '
                f'{", ".join(missing)}; found: {", ".join(request.images) or "none"}'
            )
        return [
            np.ascontiguousarray(check_frame(name, request.images[name])) for name in self.cameras
        ]

    def encode_state(self, state: np.ndarray) -> Tensor:
        """Return a state, (D,) in the data set's units, as float32 (1, max_state_dim), on the CPU.

        Raises:
            EngineRequestError: wrong length, or not finite.
        """
        vector = _numbers('state', state, 1)
        return self.state.encode(vector).float().unsqueeze(0)

    def encode_action(self, action: np.ndarray) -> Tensor:
        """Return rows of an action, (K, A) or (B, K, A) in the data set's units, for the model.

        For committed prefixes and for training: float32 (K or B, K, action_dim), on the device,
        zeros after the last joint group.

        Raises:
            EngineRequestError: wrong length, more rows than the horizon, or not finite.
        """
        rows = _numbers('action', action, 2, 3)
        if rows.shape[-2] > self._horizon:
            raise EngineRequestError(
                f'action: expected at most {self._horizon} rows, the horizon of the model; '
                f'found {rows.shape[-2]}'
            )
        return self._to_device(self.action.encode(rows).float())

    def action_mask(self) -> Tensor:
        """Return which numbers of the model's action mean something: bool (action_dim,)."""
        return torch.arange(self.action.padded_size, device=self.device) < self.action.packed_size

    def decode(self, action: Tensor) -> np.ndarray:
        """Return the model's action, (B, T, action_dim), in the data set's units.

        Returns:
            float64 (B, T, A); T as the modality has it.

        Raises:
            PolicyError: a number of it is not finite.
        """
        on_host = action.detach().to('cpu', torch.float64)
        if not bool(torch.isfinite(on_host).all()):
            raise PolicyError(
                'the model answered NaN or inf: its weights or its statistics are broken'
            )
        return self.action.decode(on_host[:, : self._played]).numpy()

    def _to_device(self, tensor: Tensor) -> Tensor:
        """Copy a host's tensor to the device; from pinned memory, so that the host need not wait.

        PyTorch keeps pinned blocks for reuse and hands one out again only when its copy is done.
        """
        if self.device.type != 'cuda':
            return tensor.to(self.device)
        return tensor.pin_memory().to(self.device, non_blocking=True)


def _numbers(name: str, values: object, *dimensions: int) -> Tensor:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise EngineRequestError(
            f'{name}: expected an array of numbers; found: {error}'
        ) from error
    if array.ndim not in dimensions:
        raise EngineRequestError(
            f'{name}: expected {" or ".join(map(str, dimensions))} dimensions; '
            f'found shape {array.shape}'
        )
    return torch.from_numpy(array)


def _vector(
    part: str, profile: Profile, modality: Modality, statistics: DatasetStatistics, padded: int
) -> VectorNormaliser:
    groups = modality.state if part == 'state' else modality.action
    if profile.statistics is StatisticsLayout.VECTOR:
        groups = (JointGroup(WHOLE, 0, max(group.stop for group in groups)),)
    return VectorNormaliser(
        part,
        [
            (group, profile.mode(part, group.name), statistics.of(part, group.name))
            for group in groups
        ],
        padded,
    )


def _check(
    profile: Profile, modality: Modality, tokenizer: Tokenizer, config: GrootConfig, slot: int
) -> None:
    covered = sorted(
        column for group in modality.action for column in range(group.start, group.stop)
    )
    for name, expected, found in (
        ('image_size of the profile', config.eagle.vision.image_size, profile.image_size),
        ('image token of the tokenizer', config.eagle.image_token_index, tokenizer.image_id),
        ('columns of the action in joint groups', list(range(modality.action_size)), covered),
    ):
        if expected != found:
            raise ConfigurationError(f'{name}: expected {expected}; found {found}')
    if not 1 <= modality.horizon <= config.head.action_horizon:
        raise ConfigurationError(
            f'horizon of the modality: expected 1 to {config.head.action_horizon}, the rows of '
            f"the model's action; found {modality.horizon}"
        )
    if not modality.cameras or len(set(modality.cameras)) != len(modality.cameras):
        raise ConfigurationError(
            f'cameras of the modality: expected one or more, each once; found {modality.cameras}'
        )
    if not 0 <= slot < config.head.max_num_embodiments:
        raise ConfigurationError(
            f'slot of the embodiment: expected 0 to {config.head.max_num_embodiments - 1}; '
            f'found {slot}'
        )
