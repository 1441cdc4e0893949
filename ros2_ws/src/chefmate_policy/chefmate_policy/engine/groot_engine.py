"""`GrootEngine`: observation -> chunk and timings."""

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import EngineRequestError, ModelInput, ModelOutput
from chefmate_core.policy.modality import Modality
from chefmate_policy.engine.choose import medoid, spread
from chefmate_policy.engine.runner import Encoded, Runner
from chefmate_policy.processing.processor import Processor

MAX_SAMPLES = 16
MAX_SEED = 2**63 - 1
# What the cameras of this project send, until a request tells better.
EXPECTED_FRAME = (480, 640, 3)
EXPECTED_INSTRUCTION = 'pick up the bread slice and place it on the plate'


class GrootEngine:
    """Runs one GR00T checkpoint for one embodiment; implements `chefmate_core`'s Engine."""

    def __init__(
        self,
        name: str,
        processor: Processor,
        runner: Runner,
        chunk_shape: tuple[int, int],
        samples: int = 1,
        seed: int | None = None,
        state_range: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            name: for people.
            processor: encodes and decodes.
            runner: computes.
            chunk_shape: rows and columns of the model's action.
            samples: noise samples of an inference where the request names no number.
            seed: of the sequence of noise; None: another one each time.
            state_range: least and greatest state of the training data, the data set's units.
        """
        self.name = name
        self.state_range = state_range
        self._processor, self._runner = processor, runner
        self._chunk_shape = chunk_shape
        self._samples = samples
        self._frame_shapes: dict[str, tuple[int, ...]] = {}  # of the newest request
        self._noise = torch.Generator()
        if seed is None:
            self._noise.seed()
        else:
            self._noise.manual_seed(seed)

    @property
    def modality(self) -> Modality:
        """What it sees and says."""
        return self._processor.modality

    def warm_up(self) -> None:
        """Get ready for two frames of the usual size and an instruction of the usual length."""
        self.prepare(EXPECTED_INSTRUCTION)

    def prepare(self, instruction: str) -> None:
        """Get ready for an instruction, so that its first inference is as fast as the others.

        Raises:
            EngineRequestError: the instruction cannot be used.
        """
        images = {
            name: np.zeros(self._frame_shapes.get(name, EXPECTED_FRAME), np.uint8)
            for name in self.modality.cameras
        }
        state = self.state_range[0] if self.state_range else np.zeros(self.modality.state_size)
        request = ModelInput(images, state, instruction)
        self._runner.prepare(self._encode(request, torch.zeros(self._samples, *self._chunk_shape)))

    def infer(self, request: ModelInput) -> ModelOutput:
        """Return the next chunk.

        Raises:
            EngineRequestError: the request does not fit the model.
            PolicyError: the model answers NaN or inf.
        """
        start_s = time.perf_counter()
        encoded = self._encode(request, self._draw(request))
        encoded_s = time.perf_counter()
        samples, parts = self._runner.run(encoded)
        self._frame_shapes = {name: request.images[name].shape for name in self.modality.cameras}
        decode_s = time.perf_counter()
        if not bool(torch.isfinite(samples).all()):
            raise PolicyError(
                'the model answered NaN or inf: its weights or its statistics are broken'
            )
        # What the model says beside the robot's joints is noise that training masked out.
        rows = 0 if request.committed is None else len(request.committed)
        said = samples[:, rows:, : self._processor.action.packed_size]
        chosen = medoid(said) if len(samples) > 1 else 0
        action = self._processor.decode(samples[chosen : chosen + 1])[0]
        if request.committed is not None:
            action[: len(request.committed)] = request.committed  # exact: no way through fp32
        end_s = time.perf_counter()
        return ModelOutput(
            action,
            {
                'encode': encoded_s - start_s,
                'model': decode_s - encoded_s,
                **{f'model_{name}': seconds for name, seconds in parts.items()},
                'decode': end_s - decode_s,
                'total': end_s - start_s,
            },
            spread(said),
        )

    def close(self) -> None:
        """Let the weights go."""
        del self._runner

    def _encode(self, request: ModelInput, noise: Tensor) -> Encoded:
        processor = self._processor
        committed: Tensor | None = None
        if request.committed is not None and len(request.committed):
            committed = processor.encode_action(request.committed).cpu()
        return Encoded(
            frames=self._frames(request),
            input_ids=processor.prompts.encode(request.instruction),
            state=processor.encode_state(request.state),
            noise=noise,
            committed=committed,
        )

    def _frames(self, request: ModelInput) -> Sequence[np.ndarray]:
        return self._processor.frames(request)

    def _draw(self, request: ModelInput) -> Tensor:
        count = self._samples if request.samples is None else request.samples
        if not isinstance(count, int) or not 1 <= count <= MAX_SAMPLES:
            raise EngineRequestError(f'samples: expected 1 to {MAX_SAMPLES}; found {count!r}')
        generator = self._noise
        if request.seed is not None:
            if not isinstance(request.seed, int) or not 0 <= request.seed <= MAX_SEED:
                raise EngineRequestError(f'seed: expected 0 to {MAX_SEED}; found {request.seed!r}')
            generator = torch.Generator().manual_seed(request.seed)
        return torch.randn((count, *self._chunk_shape), generator=generator)
