"""Small engines that do real arithmetic, for the tests of what stands in front of an engine."""

import numpy as np

from chefmate_core.policy.engine import ModelInput, ModelOutput
from chefmate_core.policy.modality import Modality


class StayingEngine:
    """Says: stay where you are, in the units of its data; remembers what it was asked."""

    name = 'staying'

    def __init__(self, modality=None, state_range=None):
        self.modality = modality or Modality(('scene', 'wrist'))
        self.state_range = state_range
        self.requests = []
        self.is_warm = self.is_closed = False

    def warm_up(self):
        self.is_warm = True

    def infer(self, request: ModelInput) -> ModelOutput:
        self.requests.append(request)
        return ModelOutput(np.tile(request.state, (16, 1)), {'model': 0.01}, 0.25)

    def close(self):
        self.is_closed = True


class NoisyEngine(StayingEngine):
    """A model that never says the same twice: straight on, from another place each time.

    With `honours_committed` its answer begins with the committed rows and goes on from their end.
    """

    name = 'noisy'

    def __init__(self, seed=0, honours_committed=True):
        super().__init__()
        self._rng = np.random.default_rng(seed)
        self._honours_committed = honours_committed

    def infer(self, request: ModelInput) -> ModelOutput:
        offset = self._rng.normal(0.0, 4.0, 6)
        steps = np.arange(16)[:, None]
        action = request.state + offset + 0.5 * steps
        if self._honours_committed and request.committed is not None:
            known = len(request.committed)
            left = action[known:] - action[known - 1]
            action = np.concatenate([request.committed, request.committed[-1] + left])
        return ModelOutput(action)
